"""Random tensors, all from one generator: `set_seed` makes a whole program repeatable.

Numbers are drawn by NumPy, so a seed gives other numbers than TensorFlow's; the distributions are
the same.

For all of them:
    Args: `shape`: the sizes of the axes. `mean`, `stddev`, `minval`, `maxval`: numbers, or tensors
        that broadcast, which gradients reach. `dtype`: the element type, floats if nothing else is
        said. `seed`: None, or an integer that makes this call repeatable. `name`: ignored.
    Returns: a tensor of `shape`, or of the shape of `value`.
    Raises: TypeError for another `dtype` or a seed that is no integer; ValueError where a size or
        a seed is negative, or shapes do not broadcast.
    Source: the function of tf.random with the same name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor import missing
from minitensor.autograd import Tensor, as_tensor, first_tensor, to_device_of
from minitensor.autograd.tensor import is_float
from minitensor.backend import generator
from minitensor.docstrings import examples_of
from minitensor.dtypes import DType, as_dtype, float32, float64
from minitensor.nn import checks
from minitensor.ops import array, math

__all__ = ["gamma", "normal", "set_seed", "shuffle", "truncated_normal", "uniform"]
example = examples_of("tf.random", "")


def set_seed(seed: Any) -> None:
    """Starts the generator anew: the same seed gives the same numbers from here on.

    Args:
        seed: an integer, not negative.

    Example:
        >>> import minitensor as tf
        >>> tf.random.set_seed(1)
        >>> first = tf.random.normal([2]).numpy()
        >>> tf.random.set_seed(1)
        >>> bool((first == tf.random.normal([2]).numpy()).all())
        True
    """
    generator.set_seed(checks.number("set_seed", "seed", seed, 0))


@example("normal([2, 3], seed=0).shape", "TensorShape([2, 3])")
def normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Gaussian numbers: y = mean + stddev * z with z standard normal."""
    kind = _float_type("normal", dtype)
    draw = _rng("normal", seed).standard_normal(
        checks.numbers("normal", "shape", shape), _draw_type(kind)
    )
    return _scaled(draw, mean, stddev, kind)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Gaussian numbers at most 2 standard deviations from the mean; others are drawn again.

    Args:
        mean, stddev: of the distribution before it is cut; numbers or tensors that broadcast.

    Example:
        >>> import minitensor as tf
        >>> bool((abs(tf.random.truncated_normal([1000], seed=0)).numpy() <= 2).all())
        True
    """
    kind = _float_type("truncated_normal", dtype)
    rng = _rng("truncated_normal", seed)
    draw = rng.standard_normal(checks.numbers("truncated_normal", "shape", shape), _draw_type(kind))
    outside = np.abs(draw) > 2
    while outside.any():
        draw = np.where(outside, rng.standard_normal(draw.shape, draw.dtype), draw)
        outside = np.abs(draw) > 2
    return _scaled(draw, mean, stddev, kind)


@example(
    'uniform([4], maxval=10, dtype="int32", seed=0).shape', "TensorShape([4])", "tf.random.uniform"
)
def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Numbers from minval on and below maxval, all equally likely.

    Args:
        minval, maxval: numbers, or tensors that broadcast; maxval is 1 for floats if not given.
        dtype: a float type, int32 or int64.

    Raises:
        TypeError: `dtype` is another type.
        ValueError: a size is negative; integers without maxval, or minval is not below it.
    """
    kind, rng = as_dtype(dtype), _rng("uniform", seed)
    sizes = checks.numbers("uniform", "shape", shape)
    if kind.name in ("int32", "int64"):
        return to_device_of(rng.integers(*_bounds(minval, maxval, kind), sizes, kind))
    _float_type("uniform", kind)
    like = first_tensor(minval, maxval)
    low: Any = as_tensor(minval, kind, "uniform: minval", like)
    high: Any = as_tensor(1 if maxval is None else maxval, kind, "uniform: maxval", like)
    if like is None:
        low, high = low.numpy(), high.numpy()
    draw = rng.random(sizes, _draw_type(kind))
    if kind.itemsize == 2:  # cut off, for rounding up could reach maxval
        grain = 2.0 ** (11 if kind.kind == "f" else 8)
        draw = np.floor(draw * grain) / grain
    return _scaled(draw, low, high - low, kind)


@example("gamma([4], alpha=2.0, seed=0).shape", "TensorShape([4])", "tf.random.gamma")
def gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of the gamma distribution: p(y) ~ y^(alpha - 1) exp(-beta y); no gradient for alpha.

    Args:
        shape: the sizes of the axes in front of those of alpha and beta, which broadcast.
        alpha: the shape of the distribution, positive.
        beta: its rate, positive; 1 if not given.

    Returns:
        `shape`, then the shape of alpha and beta.
    """
    kind = _float_type("gamma", dtype)
    rate: Any = as_tensor(1 if beta is None else beta, kind, "gamma: beta")
    form = as_tensor(alpha, kind, "gamma: alpha").numpy().astype(_draw_type(kind))
    sizes = checks.numbers("gamma", "shape", shape)
    if not ((form > 0).all() and (rate.numpy() > 0).all()):
        raise ValueError(f"gamma: alpha {alpha!r} and beta {beta!r} must be positive")
    sizes = (*sizes, *np.broadcast_shapes(form.shape, rate.shape))
    draw = _rng("gamma", seed).standard_gamma(form, sizes, _draw_type(kind))
    smallest = np.asarray(np.finfo(_draw_type(kind)).tiny)  # an alpha near 0 draws 0
    return math.divide(to_device_of(np.asarray(np.maximum(draw, smallest), kind), rate), rate)


def _bounds(minval: Any, maxval: Any, kind: DType) -> tuple[np.ndarray, np.ndarray]:
    if maxval is None:
        raise ValueError(f"uniform: {kind.name} needs maxval, the number just above the largest")
    low = as_tensor(minval, kind, "uniform: minval").numpy()
    high = as_tensor(maxval, kind, "uniform: maxval").numpy()
    if not (low < high).all():
        raise ValueError(f"uniform: minval {minval!r} must be below maxval {maxval!r}")
    return low, high


def shuffle(value: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """The slices along the first axis in a random order.

    Args:
        value: any tensor.

    Example:
        >>> import minitensor as tf
        >>> sorted(tf.random.shuffle([1, 2, 3]).numpy().tolist())
        [1, 2, 3]
    """
    x = as_tensor(value, what="shuffle: value")
    if not x.ndim:
        return x
    return array.gather(x, _rng("shuffle", seed).permutation(x.shape[0]), axis=0)


def _rng(op: str, seed: Any) -> np.random.Generator:
    return generator.generator(None if seed is None else checks.number(op, "seed", seed, 0))


def _float_type(op: str, dtype: Any) -> DType:
    kind = as_dtype(dtype)
    if not is_float(kind):
        raise TypeError(f"{op}: dtype {kind.name}; legal: float16, bfloat16, float32, float64")
    return kind


def _draw_type(kind: DType) -> Any:
    """The type to draw in: half precision comes from float32."""
    return np.float64 if kind == float64 else np.float32


def _scaled(draw: np.ndarray, mean: Any, stddev: Any, kind: DType) -> Tensor:
    """mean + stddev * draw; in place where both are numbers, for weights may be large."""
    if first_tensor(mean, stddev) is None and np.ndim(mean) == np.ndim(stddev) == 0:
        numbers = np.asarray(draw, kind)
        np.multiply(numbers, np.asarray(stddev, kind), out=numbers)
        np.add(numbers, np.asarray(mean, kind), out=numbers)
        return to_device_of(numbers)
    z = to_device_of(np.asarray(draw, kind), first_tensor(mean, stddev))
    return math.add(math.multiply(z, stddev), mean)


__getattr__ = missing.refusing("tf.random", __name__)
