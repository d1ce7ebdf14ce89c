"""Random tensors from the one generator: `set_seed` makes a whole program repeatable.

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

from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor, first_tensor, to_device_of
from minitensor.autograd.tensor import is_float
from minitensor.backend import generator
from minitensor.docstrings import examples_of
from minitensor.dtypes import DType, as_dtype, float32, float64, int64
from minitensor.nn import checks
from minitensor.ops import array, math

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
    kind = float_type("normal", dtype)
    draw = _rng("normal", seed).standard_normal(
        checks.numbers("normal", "shape", shape), _draw_type(kind)
    )
    return scaled(draw, mean, stddev, kind)


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
    kind = float_type("truncated_normal", dtype)
    rng = _rng("truncated_normal", seed)
    draw = rng.standard_normal(checks.numbers("truncated_normal", "shape", shape), _draw_type(kind))
    outside = np.abs(draw) > 2
    while outside.any():
        draw = np.where(outside, rng.standard_normal(draw.shape, draw.dtype), draw)
        outside = np.abs(draw) > 2
    return scaled(draw, mean, stddev, kind)


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
        return to_device_of(rng.integers(*bounds(minval, maxval, kind), sizes, kind))
    float_type("uniform", kind)
    like = first_tensor(minval, maxval)
    low: Any = as_tensor(minval, kind, "uniform: minval", like)
    high: Any = as_tensor(1 if maxval is None else maxval, kind, "uniform: maxval", like)
    if like is None:
        low, high = low.numpy(), high.numpy()
    draw = rng.random(sizes, _draw_type(kind))
    if kind.itemsize == 2:  # cut off, for rounding up could reach maxval
        grain = 2.0 ** (11 if kind.kind == "f" else 8)
        draw = np.floor(draw * grain) / grain
    return scaled(draw, low, high - low, kind)


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
    return gamma_by(_rng("gamma", seed), "gamma", shape, alpha, beta, dtype)


def gamma_by(
    rng: np.random.Generator,
    op: str,
    shape: Any,
    alpha: Any,
    beta: Any,
    dtype: Any,
    whole: bool = False,
) -> Tensor:
    """The same from a given generator; `shape` is the `whole` or stands in front."""
    kind = float_type(op, dtype)
    rate: Any = as_tensor(1 if beta is None else beta, kind, f"{op}: beta")
    form = as_tensor(alpha, kind, f"{op}: alpha").numpy().astype(_draw_type(kind))
    sizes = _sizes(op, shape, whole, alpha=form, beta=rate)
    if not ((form > 0).all() and (rate.numpy() > 0).all()):
        raise ValueError(f"{op}: alpha {alpha!r} and beta {beta!r} must be positive")
    draw = rng.standard_gamma(form, sizes, _draw_type(kind))
    smallest = np.asarray(np.finfo(_draw_type(kind)).tiny)  # an alpha near 0 draws 0
    return math.divide(to_device_of(np.asarray(np.maximum(draw, smallest), kind), rate), rate)


@example("poisson([4], lam=2.0, seed=0).shape", "TensorShape([4])")
def poisson(
    shape: Any, lam: Any, dtype: Any = float32, seed: Any = None, name: str | None = None
) -> Tensor:
    """Counts of the Poisson distribution: p(y) = lam^y exp(-lam) / y!; no gradient.

    Args:
        shape: the sizes of the axes in front of those of lam.
        lam: the mean, not negative.
        dtype: a float type, int32 or int64.

    Returns:
        `shape`, then the shape of lam.
    """
    return poisson_by(_rng("poisson", seed), "poisson", shape, lam, dtype)


def poisson_by(
    rng: np.random.Generator, op: str, shape: Any, lam: Any, dtype: Any, whole: bool = False
) -> Tensor:
    """The same from a given generator; `shape` is the `whole` or stands in front."""
    kind, mean = _count_type(op, dtype), _numbers(op, "lam", lam)
    if not (np.isfinite(mean) & (mean >= 0)).all():
        raise ValueError(f"{op}: lam must not be negative, got {lam!r}")
    return to_device_of(np.asarray(rng.poisson(mean, _sizes(op, shape, whole, lam=mean)), kind))


def binomial_by(
    rng: np.random.Generator, op: str, shape: Any, counts: Any, probs: Any, dtype: Any
) -> Tensor:
    """How many of `counts` trials succeed; `shape` ends with that of counts and probs."""
    kind = _count_type(op, dtype)
    trials, chance = _numbers(op, "counts", counts), _numbers(op, "probs", probs)
    if not ((trials >= 0).all() and ((chance >= 0) & (chance <= 1)).all()):
        raise ValueError(
            f"{op}: counts must not be negative and probs from 0 to 1, got {counts!r} and {probs!r}"
        )
    sizes = _sizes(op, shape, True, counts=trials, probs=chance)
    return to_device_of(np.asarray(rng.binomial(trials.astype(np.int64), chance, sizes), kind))


@example("categorical([[0.0, 5.0]], 4, seed=0).shape", "TensorShape([1, 4])")
def categorical(
    logits: Any, num_samples: Any, dtype: Any = None, seed: Any = None, name: str | None = None
) -> Tensor:
    """Classes by chance: p(y = k) = softmax(logits)_k; no gradient.

    Args:
        logits: (N, classes) floats.
        num_samples: how many for each row.
        dtype: int64 if not given, or int32.

    Returns:
        (N, num_samples)
    """
    kind = int64 if dtype is None else dtype
    return classes("categorical", logits, num_samples, kind, _rng("categorical", seed).random)


def classes(
    op: str, logits: Any, num_samples: Any, dtype: Any, draw: Callable[[Any], np.ndarray]
) -> Tensor:
    """(N, num_samples): where the sums of softmax pass the numbers drawn; a class at -inf never."""
    kind, x = as_dtype(dtype), checks.tensor(op, "logits", logits, "f").numpy()
    if kind.name not in ("int32", "int64"):
        raise TypeError(f"{op}: dtype {kind.name}; legal: int32, int64")
    if x.ndim != 2 or not x.shape[1]:
        raise ValueError(f"{op}: logits must be (N, classes), got shape {x.shape}")
    finite = np.isfinite(x)
    levels = np.where(finite, x, -np.inf).astype(np.float64)
    top = levels.max(-1, keepdims=True)
    summed = np.cumsum(np.exp(levels - np.where(np.isfinite(top), top, 0)), -1)  # (N, classes)
    drawn = draw((len(x), checks.number(op, "num_samples", num_samples, 0)))
    pairs = zip(summed, drawn, strict=True)
    rows = [np.searchsorted(row, chance * row[-1], "right") for row, chance in pairs]
    return to_device_of(np.asarray(rows, kind).reshape(drawn.shape))


def bounds(minval: Any, maxval: Any, kind: DType) -> tuple[np.ndarray, np.ndarray]:
    """Both limits of integers."""
    if maxval is None:
        raise ValueError(f"uniform: {kind.name} needs maxval, the number just above the largest")
    low = as_tensor(minval, kind, "uniform: minval").numpy()
    high = as_tensor(maxval, kind, "uniform: maxval").numpy()
    if not (low < high).all():
        raise ValueError(f"uniform: minval {minval!r} must be below maxval {maxval!r}")
    return low, high


def _sizes(op: str, shape: Any, whole: bool, **parameters: Any) -> tuple[int, ...]:
    """Of the draws: `shape` in front of the parameters' axes, or ending with them as the whole."""
    sizes, inner = checks.numbers(op, "shape", shape), checks.broadcast(op, **parameters)
    if not whole:
        return (*sizes, *inner)
    if sizes[max(len(sizes) - len(inner), 0) :] != inner:
        raise ValueError(
            f"{op}: shape {sizes} must end with that of {', '.join(parameters)}: {inner}"
        )
    return sizes


def _count_type(op: str, dtype: Any) -> DType:
    kind = as_dtype(dtype)
    return kind if kind.name in ("int32", "int64") else float_type(op, kind)


def _numbers(op: str, name: str, value: Any) -> np.ndarray:
    return checks.tensor(op, name, value, "fiu").numpy().astype(np.float64)


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


def float_type(op: str, dtype: Any) -> DType:
    kind = as_dtype(dtype)
    if not is_float(kind):
        raise TypeError(f"{op}: dtype {kind.name}; legal: float16, bfloat16, float32, float64")
    return kind


def _draw_type(kind: DType) -> Any:
    """The type to draw in: half precision comes from float32."""
    return np.float64 if kind == float64 else np.float32


def scaled(draw: np.ndarray, mean: Any, stddev: Any, kind: DType) -> Tensor:
    """mean + stddev * draw; in place where both are numbers, for weights may be large."""
    if first_tensor(mean, stddev) is None and np.ndim(mean) == np.ndim(stddev) == 0:
        numbers = np.asarray(draw, kind)
        np.multiply(numbers, np.asarray(stddev, kind), out=numbers)
        np.add(numbers, np.asarray(mean, kind), out=numbers)
        return to_device_of(numbers)
    z = to_device_of(np.asarray(draw, kind), first_tensor(mean, stddev))
    return math.add(math.multiply(z, stddev), mean)
