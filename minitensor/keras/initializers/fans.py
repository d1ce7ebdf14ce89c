"""Initializers that look at the sizes of a layer, so that signals neither grow nor fade in it.

An output sums fan_in products, so its variance is fan_in times that of a weight; on the way back
a gradient sums fan_out. For a kernel (kh, kw, C, O): fan_in = kh * kw * C, fan_out = kh * kw * O.

    Glorot   variance 2 / (fan_in + fan_out)   a compromise of both ways
    He       variance 2 / fan_in               relu throws half of it away
    Lecun    variance 1 / fan_in
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from minitensor import random
from minitensor.autograd import Tensor
from minitensor.keras.engine import defaults
from minitensor.keras.initializers.drawn import RandomInitializer

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("uniform", "truncated_normal", "untruncated_normal")
# The standard deviation of N(0, 1) without what lies beyond 2: it is divided out.
_CUT = 0.87962566103423978


class VarianceScaling(RandomInitializer):
    """Random weights of mean 0 and variance scale / n, n a number of inputs or outputs.

    Args:
        scale: variance times n.
        mode: what n is: "fan_in", "fan_out" or "fan_avg", the mean of the two.
        distribution: "truncated_normal", "untruncated_normal", "uniform"; "normal" is the first.
        seed: an integer makes every call give the same numbers.
        input_axes, output_axes: axes whose product is the fan, instead of the rule for kernels.

    Raises:
        ValueError: a setting that is not among these.

    Example:
        >>> import minitensor as tf
        >>> w = tf.keras.initializers.VarianceScaling(2.0, seed=0)((3, 3, 64, 128))
        >>> round(float(w.numpy().var() * 3 * 3 * 64), 2)
        2.0

    Source: keras.initializers.VarianceScaling
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
        inputs, outputs = fans(sizes, self.input_axes, self.output_axes)
        n = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[self.mode]
        deviation = math.sqrt(self.scale / max(1.0, n))
        if self.distribution == "uniform":
            limit = math.sqrt(3) * deviation
            return random.uniform(sizes, -limit, limit, kind, self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(sizes, 0.0, deviation, kind, self.seed)
        return random.truncated_normal(sizes, 0.0, deviation / _CUT, kind, self.seed)


def fans(
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


class _Rule(VarianceScaling):
    """VarianceScaling with settings that have a name."""

    _settings: ClassVar[tuple[float, str, str]]  # scale, mode, distribution

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(*self._settings, seed, input_axes, output_axes)


class GlorotUniform(_Rule):
    """w ~ U(-a, a), a = sqrt(6 / (fan_in + fan_out)): what layers start from by default.

    Args:
        seed: an integer makes every call give the same numbers.
        input_axes, output_axes: axes whose product is the fan, instead of the rule for kernels.

    Example:
        >>> import minitensor as tf
        >>> w = tf.keras.initializers.GlorotUniform()((3, 3, 4, 8)).numpy()
        >>> bool(abs(w).max() <= (6 / (9 * 12)) ** 0.5)
        True

    Source: keras.initializers.GlorotUniform; Glorot & Bengio 2010
    """

    _settings = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Rule):
    """w normal, cut at 2 deviations, of variance 2 / (fan_in + fan_out).

    Args:
        seed: an integer makes every call give the same numbers.
        input_axes, output_axes: axes whose product is the fan, instead of the rule for kernels.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.initializers.GlorotNormal()((3, 4)).shape
        TensorShape([3, 4])

    Source: keras.initializers.GlorotNormal; Glorot & Bengio 2010
    """

    _settings = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Rule):
    """w ~ U(-a, a), a = sqrt(6 / fan_in): for layers before a relu.

    Args:
        seed: an integer makes every call give the same numbers.
        input_axes, output_axes: axes whose product is the fan, instead of the rule for kernels.

    Example:
        >>> import minitensor as tf
        >>> bool(abs(tf.keras.initializers.HeUniform()((3, 4)).numpy()).max() <= 2**0.5)
        True

    Source: keras.initializers.HeUniform; He et al. 2015
    """

    _settings = (2.0, "fan_in", "uniform")


class HeNormal(_Rule):
    """w normal, cut at 2 deviations, of variance 2 / fan_in: for layers before a relu.

    Args:
        seed: an integer makes every call give the same numbers.
        input_axes, output_axes: axes whose product is the fan, instead of the rule for kernels.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.initializers.HeNormal()((3, 4)).shape
        TensorShape([3, 4])

    Source: keras.initializers.HeNormal; He et al. 2015
    """

    _settings = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Rule):
    """w ~ U(-a, a), a = sqrt(3 / fan_in).

    Args:
        seed: an integer makes every call give the same numbers.
        input_axes, output_axes: axes whose product is the fan, instead of the rule for kernels.

    Example:
        >>> import minitensor as tf
        >>> bool(abs(tf.keras.initializers.LecunUniform()((3, 4)).numpy()).max() <= 1)
        True

    Source: keras.initializers.LecunUniform; LeCun et al. 1998
    """

    _settings = (1.0, "fan_in", "uniform")


class LecunNormal(_Rule):
    """w normal, cut at 2 deviations, of variance 1 / fan_in: for layers before a selu.

    Args:
        seed: an integer makes every call give the same numbers.
        input_axes, output_axes: axes whose product is the fan, instead of the rule for kernels.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.initializers.LecunNormal()((3, 4)).shape
        TensorShape([3, 4])

    Source: keras.initializers.LecunNormal; LeCun et al. 1998
    """

    _settings = (1.0, "fan_in", "truncated_normal")
