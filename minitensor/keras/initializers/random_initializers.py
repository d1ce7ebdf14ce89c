"""Initializers that draw random numbers, of a given variance or of one that follows from a layer.

Args of all: seed, an integer makes every call give the same numbers. Raises of all: ValueError, a
seed that is no integer.

The last six look at the sizes of a layer, so that signals neither grow nor fade in it. An output
sums fan_in products, so its variance is fan_in times that of a weight; on the way back a gradient
sums fan_out. For a kernel (kh, kw, C, O): fan_in = kh * kw * C, fan_out = kh * kw * O; with
input_axes and output_axes they are the products of those sizes.

    Glorot   variance 2 / (fan_in + fan_out)   a compromise of both ways
    He       variance 2 / fan_in               relu throws half of it away
    Lecun    variance 1 / fan_in

Source of all: keras.initializers, by the same names, and the papers named.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from minitensor import random
from minitensor.autograd import Tensor, to_device_of
from minitensor.backend.generator import generator
from minitensor.keras.engine import defaults, seed_stream
from minitensor.keras.initializers.constant_initializers import Initializer

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("uniform", "truncated_normal", "untruncated_normal")
# The standard deviation of N(0, 1) without what lies beyond 2: it is divided out.
_CUT = 0.87962566103423978


class RandomInitializer(Initializer):
    """What all of them have in common: the seed."""

    def __init__(self, seed: Any = None) -> None:
        self.seed = seed_stream.checked(seed)


class RandomNormal(RandomInitializer):
    """w ~ N(mean, stddev^2).

    Args:
        mean, stddev: of the distribution.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.initializers.RandomNormal(seed=1)((2, 3)).shape
        TensorShape([2, 3])
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        kind = dtype or defaults.floatx()
        return random.normal(tuple(shape), self.mean, self.stddev, kind, self.seed)


class TruncatedNormal(RandomInitializer):
    """w ~ N(mean, stddev^2), drawn again where it is more than 2 stddev from the mean.

    Args:
        mean, stddev: of the distribution before it is cut.

    Example:
        >>> import minitensor as tf
        >>> bool(abs(tf.keras.initializers.TruncatedNormal(seed=1)((99,)).numpy()).max() <= 0.1)
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        kind = dtype or defaults.floatx()
        return random.truncated_normal(tuple(shape), self.mean, self.stddev, kind, self.seed)


class RandomUniform(RandomInitializer):
    """w ~ U[minval, maxval).

    Args:
        minval, maxval: the least number, and the one that is just not reached.

    Example:
        >>> import minitensor as tf
        >>> bool(abs(tf.keras.initializers.RandomUniform(seed=1)((99,)).numpy()).max() <= 0.05)
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        kind = dtype or defaults.floatx()
        return random.uniform(tuple(shape), self.minval, self.maxval, kind, self.seed)


class Orthogonal(RandomInitializer):
    """A random matrix whose columns, or whose rows if they are fewer, are orthogonal.

    W^T W = gain^2 I for W (rows, columns), rows the product of all sizes but the last

    Args:
        gain: length of each column.

    Raises:
        ValueError: a shape of fewer than two axes.

    Example:
        >>> import minitensor as tf
        >>> w = tf.keras.initializers.Orthogonal(seed=1)((3, 2)).numpy()
        >>> (w.T @ w).round(5).tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    Source: Saxe et al. 2014
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. "
                f"Received: shape={tuple(shape)} of rank {len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = max(rows, columns), min(rows, columns)
        noise: np.ndarray = generator(self.seed).standard_normal(tall)
        q, r = np.linalg.qr(noise)
        q = q * np.sign(np.diag(r))  # so that no direction is likelier than another
        q = q if rows >= columns else q.T  # (rows, columns)
        w = (self.gain * q).reshape(tuple(shape))
        return to_device_of(w.astype(dtype or defaults.floatx()))


# ----- of a variance that follows from the sizes of a layer -----


class VarianceScaling(RandomInitializer):
    """Random weights of mean 0 and variance scale / n, n a number of inputs or outputs.

    Args:
        scale: variance times n.
        mode: what n is: "fan_in", "fan_out" or "fan_avg", the mean of the two.
        distribution: "truncated_normal", "untruncated_normal", "uniform"; "normal" is the first.
        input_axes, output_axes: axes that make fan_in and fan_out; default those of a kernel.

    Raises:
        ValueError: a setting that is not among these.

    Example:
        >>> import minitensor as tf
        >>> w = tf.keras.initializers.VarianceScaling(2.0, seed=0)((3, 3, 64, 128))
        >>> round(float(w.numpy().var() * 3 * 3 * 64), 2)
        2.0
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Any = None,
        output_axes: Any = None,
    ) -> None:
        if scale <= 0:
            raise ValueError(f"Argument `scale` must be positive float. Received: scale={scale}")
        if mode not in _MODES:
            raise ValueError(
                f"Invalid `mode` argument: {mode}. Please use one of the allowed modes: {_MODES}"
            )
        word = distribution.lower()
        word = "truncated_normal" if word == "normal" else word
        if word not in _DISTRIBUTIONS:
            raise ValueError(
                f"Invalid `distribution` argument: {distribution}. Please use one of "
                f"{_DISTRIBUTIONS}"
            )
        self.scale, self.mode, self.distribution = scale, mode, word
        self.input_axes, self.output_axes = input_axes, output_axes
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        sizes, kind = tuple(shape), dtype or defaults.floatx()
        inputs, outputs = compute_fans(sizes, self.input_axes, self.output_axes)
        n = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[self.mode]
        deviation = math.sqrt(self.scale / max(1.0, n))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * deviation
            return random.uniform(sizes, -limit, limit, kind, self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(sizes, 0.0, deviation, kind, self.seed)
        return random.truncated_normal(sizes, 0.0, deviation / _CUT, kind, self.seed)


def compute_fans(
    shape: tuple[int, ...], input_axes: Any = None, output_axes: Any = None
) -> tuple[int, int]:
    """How many products an output sums, and how many outputs an input reaches."""
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[i] for i in input_axes), math.prod(shape[i] for i in output_axes)
    if len(shape) < 2:
        n = math.prod(shape)
        return n, n
    taps = math.prod(shape[:-2])
    return taps * shape[-2], taps * shape[-1]


class _Named(VarianceScaling):
    """VarianceScaling with settings that have a name; they take its seed and axes."""

    _settings: ClassVar[tuple[float, str, str]]  # scale, mode, distribution

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(*self._settings, seed, input_axes, output_axes)


def _named(name: str, settings: tuple[float, str, str], found_by: str, law: str) -> Any:
    """The class of these settings; the example shows that the variance is scale / n."""
    scale, mode, _ = settings
    text = f"""{law}

Example:
    >>> import minitensor as tf
    >>> w = tf.keras.initializers.{name}(seed=1)((300, 400)).numpy()
    >>> round(float(w.var()) * {350 if mode == "fan_avg" else 300}, 1)
    {scale}

Source: {found_by}
"""
    return type(name, (_Named,), {"_settings": settings, "__module__": __name__, "__doc__": text})


# fmt: off
GlorotUniform = _named("GlorotUniform", (1.0, "fan_avg", "uniform"), "Glorot & Bengio 2010",
    "w ~ U(-a, a), a = sqrt(6 / (fan_in + fan_out)): what layers start from by default.")
GlorotNormal = _named("GlorotNormal", (1.0, "fan_avg", "truncated_normal"), "Glorot & Bengio 2010",
    "w normal, cut at 2 deviations, of variance 2 / (fan_in + fan_out).")
HeUniform = _named("HeUniform", (2.0, "fan_in", "uniform"), "He et al. 2015",
    "w ~ U(-a, a), a = sqrt(6 / fan_in): for layers before a relu.")
HeNormal = _named("HeNormal", (2.0, "fan_in", "truncated_normal"), "He et al. 2015",
    "w normal, cut at 2 deviations, of variance 2 / fan_in: for layers before a relu.")
LecunUniform = _named("LecunUniform", (1.0, "fan_in", "uniform"), "LeCun et al. 1998",
    "w ~ U(-a, a), a = sqrt(3 / fan_in).")
LecunNormal = _named("LecunNormal", (1.0, "fan_in", "truncated_normal"), "LeCun et al. 1998",
    "w normal, cut at 2 deviations, of variance 1 / fan_in: for layers before a selu.")
# fmt: on
