"""Random tensors as a function of a seed: the same seed and shape give the same numbers for ever.

For all of them:
    Args: `shape`: the sizes of the axes. `seed`: (2,) int32 or int64. `mean`, `stddev`, `minval`,
        `maxval`: numbers, or tensors that broadcast, which gradients reach. `dtype`: the element
        type. `alg`: "philox", "auto_select" (the same here) or a `random.Algorithm`. `name`:
        ignored.
    Returns: a tensor of `shape`.
    Raises: TypeError for a seed of another dtype, or another `dtype`; ValueError for a seed of
        another shape, an unknown algorithm, or shapes that do not fit.
    Source: the function of tf.random with the same name.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor, first_tensor, to_device_of
from minitensor.autograd.tensor import ArrayLike
from minitensor.backend import generator, philox
from minitensor.docstrings import examples_of
from minitensor.dtypes import DType, as_dtype, float32, int32, int64
from minitensor.nn import checks
from minitensor.ops import array
from minitensor.random import draws

example = examples_of("tf.random", "")


class Algorithm(Enum):
    """How bits are made of a key and a counter.

    PHILOX computes everywhere; AUTO_SELECT is PHILOX here; THREEFRY is TensorFlow's on TPUs alone.

    Example:
        >>> import minitensor as tf
        >>> tf.random.Generator.from_seed(1, alg=tf.random.Algorithm.PHILOX).algorithm
        1

    Source: tf.random.Algorithm
    """

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3


def algorithm(op: str, alg: Any) -> int:
    """The number of an algorithm that is computed here."""
    if isinstance(alg, ArrayLike):
        alg = checks.number(op, "alg", alg, 0)
    word = alg.lower().replace("-", "").replace("_", "") if isinstance(alg, str) else alg
    for known in Algorithm:
        if word in (known, known.value, known.name.lower().replace("_", ""), None):
            break
    else:
        raise ValueError(f"{op}: alg {alg!r}; legal: 'philox', 'auto_select'")
    if known is Algorithm.THREEFRY:
        raise ValueError(f"{op}: alg 'threefry' needs a TPU in TensorFlow too; use 'philox'")
    return known.value


@example(
    'stateless_uniform([3], seed=[1, 2], maxval=10, dtype="int32").numpy()',
    "array([0, 9, 4], dtype=int32)",
)
def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    """Numbers from minval on and below maxval, all equally likely; TensorFlow's to the last bit.

    Args:
        minval, maxval: 0 and 1 for floats if not given; numbers, or for floats tensors. None and
            None for all values of an integer type.
        dtype: a float type, int32 or int64; for all its values also uint32 or uint64.
    """
    return uniform_from(stream("stateless_uniform", seed, alg), shape, minval, maxval, dtype)


@example("stateless_normal([2], seed=[1, 2]).numpy()", "[0.5441101 , 0.20738031]")
def stateless_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    """Gaussian numbers: y = mean + stddev * z with z standard normal; TensorFlow's numbers."""
    place = stream("stateless_normal", seed, alg)
    return normal_from(place, "normal", shape, mean, stddev, dtype)


@example("stateless_truncated_normal([2], seed=[1, 2]).shape", "TensorShape([2])")
def stateless_truncated_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:
    """Gaussian numbers at most 2 standard deviations from the mean; TensorFlow's numbers."""
    place = stream("stateless_truncated_normal", seed, alg)
    return normal_from(place, "truncated_normal", shape, mean, stddev, dtype)


@example(
    "stateless_categorical([[0.0, 0.0, 5.0]], 4, seed=[1, 2]).numpy()", "array([[2, 2, 2, 2]])"
)
def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = int64, name: str | None = None
) -> Tensor:
    """Classes by chance: p(y = k) = softmax(logits)_k.

    Rows are drawn one after the other; TensorFlow shares many of them out among its threads, and
    then draws other numbers on other machines.

    Args:
        logits: (N, classes) floats.
        num_samples: how many for each row.
        dtype: int32 or int64.

    Returns:
        (N, num_samples)
    """
    place = stream("stateless_categorical", seed)
    return draws.classes(
        "stateless_categorical",
        logits,
        num_samples,
        dtype,
        lambda sizes: philox.uniform(place, sizes, np.float64),
    )


@example("stateless_gamma([4], seed=[1, 2], alpha=2.0).shape", "TensorShape([4])")
def stateless_gamma(
    shape: Any,
    seed: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = float32,
    name: str | None = None,
) -> Tensor:
    """Numbers of the gamma distribution: p(y) ~ y^(alpha - 1) exp(-beta y); not TensorFlow's.

    Args:
        shape: ends with the shape of alpha and beta, which broadcast.
        alpha: the shape of the distribution, positive; no gradient.
        beta: its rate, positive; 1 if not given.
    """
    rng = numbers_of(stream("stateless_gamma", seed))
    return draws.gamma_by(rng, "stateless_gamma", shape, alpha, beta, dtype, whole=True)


@example("stateless_poisson([4], seed=[1, 2], lam=2.0).shape", "TensorShape([4])")
def stateless_poisson(
    shape: Any, seed: Any, lam: Any, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """Counts of the Poisson distribution: p(y) = lam^y exp(-lam) / y!; not TensorFlow's numbers.

    Args:
        shape: ends with the shape of lam.
        lam: the mean, not negative.
        dtype: a float type, int32 or int64.
    """
    rng = numbers_of(stream("stateless_poisson", seed))
    return draws.poisson_by(rng, "stateless_poisson", shape, lam, dtype, whole=True)


@example("stateless_binomial([4], seed=[1, 2], counts=9.0, probs=0.5).shape", "TensorShape([4])")
def stateless_binomial(
    shape: Any,
    seed: Any,
    counts: Any,
    probs: Any,
    output_dtype: Any = int32,
    name: str | None = None,
) -> Tensor:
    """How many of `counts` trials succeed, each with probability `probs`; not TensorFlow's numbers.

    Args:
        shape: ends with the shape of counts and probs, which broadcast.
        counts: not negative.
        probs: from 0 to 1.
        output_dtype: a float type, int32 or int64.
    """
    rng = numbers_of(stream("stateless_binomial", seed))
    return draws.binomial_by(rng, "stateless_binomial", shape, counts, probs, output_dtype)


@example(
    "split([1, 2], num=2).numpy()",
    "array([[1105988140, 1738052849],\n           [-335576002,  370444179]], dtype=int32)",
)
def split(seed: Any, num: Any = 2, alg: Any = "auto_select") -> Tensor:
    """New seeds from one: each is as good as any other, and TensorFlow's.

    Args:
        num: how many.

    Returns:
        (num, 2), the dtype of `seed`.
    """
    place = stream("split", seed, alg)
    sizes = (checks.number("split", "num", num, 1), 2)
    return to_device_of(philox.integers(place, sizes, as_tensor(seed).dtype))


@example("fold_in([1, 2], 3).numpy()", "array([1105988140,          3], dtype=int32)")
def fold_in(seed: Any, data: Any, alg: Any = "auto_select") -> Tensor:
    """A new seed from a seed and a number, such as that of a step.

    Args:
        data: one int32 or int64.

    Returns:
        (2,), the dtype of `data`.
    """
    value = checks.tensor("fold_in", "data", data, "i")
    if value.ndim or value.dtype.itemsize < 4:
        raise ValueError(
            f"fold_in: data must be one int32 or int64, got {value.dtype.name} {value.shape}"
        )
    first = philox.integers(stream("fold_in", seed, alg), (), value.dtype)
    return to_device_of(np.stack([first, value.numpy()]))


def stateless_shuffle(
    value: Any, seed: Any, alg: Any = "auto_select", name: str | None = None
) -> Tensor:
    """The slices along the first axis in an order that the seed decides, TensorFlow's.

    Args:
        value: any tensor with an axis.
        seed: (2,) integers.
        alg: "philox" or "auto_select".
        name: ignored.

    Returns:
        The shape of `value`.

    Example:
        >>> import minitensor as tf
        >>> tf.random.experimental.stateless_shuffle([1, 2, 3], seed=[8, 9]).numpy()
        array([3, 1, 2], dtype=int32)

    Source: tf.random.experimental.stateless_shuffle
    """
    x = as_tensor(value, what="stateless_shuffle: value")
    place = stream("stateless_shuffle", seed, alg)
    if not x.ndim:
        return x
    return array.gather(x, philox.permutation(place, x.shape[0]), axis=0)


# ----- what Generator shares -----


def stream(op: str, seed: Any, alg: Any = None) -> philox.Stream:
    """The stream that a seed of two integers stands for."""
    algorithm(op, alg)
    pair = checks.tensor(op, "seed", seed, "i")
    if pair.dtype.itemsize < 4:
        raise TypeError(f"{op}: seed is {pair.dtype.name}; legal: int32, int64")
    if pair.shape != (2,):
        raise ValueError(f"{op}: seed must hold two integers, got shape {pair.shape}")
    return philox.seeded(*pair.numpy().tolist())


def numbers_of(place: philox.Stream) -> np.random.Generator:
    """NumPy's generator at a place that a stream decides."""
    return generator.generator(place.counter << 64 | place.key)


def normal_from(
    place: philox.Stream, kind: str, shape: Any, mean: Any, stddev: Any, dtype: Any
) -> Tensor:
    """mean + stddev * z, z from "normal" or "truncated_normal"."""
    sizes, element = checks.numbers(kind, "shape", shape), draws.float_type(kind, dtype)
    return draws.scaled(getattr(philox, kind)(place, sizes, element), mean, stddev, element)


def uniform_from(place: philox.Stream, shape: Any, minval: Any, maxval: Any, dtype: Any) -> Tensor:
    """Floats or integers from minval on and below maxval."""
    kind, sizes = as_dtype(dtype), checks.numbers("uniform", "shape", shape)
    if kind.kind not in "iu":
        return _floats_from(place, sizes, minval, maxval, kind)
    if (minval is None) != (maxval is None):
        raise ValueError(
            f"uniform: give integers' minval and maxval, or None twice, got {minval!r}, {maxval!r}"
        )
    legal = ("int32", "int64") if maxval is not None else ("int32", "int64", "uint32", "uint64")
    if kind.name not in legal:
        raise TypeError(f"uniform: dtype {kind.name}; legal: floats, {', '.join(legal)}")
    if maxval is None:
        return to_device_of(philox.integers(place, sizes, kind))
    limits = draws.bounds(minval, maxval, kind)
    if any(limit.ndim for limit in limits):
        raise ValueError("uniform: minval and maxval of integers must be numbers, not vectors")
    low, high = (int(limit) for limit in limits)
    return to_device_of(philox.integers_between(place, sizes, low, high, kind))


def _floats_from(
    place: philox.Stream, sizes: tuple[int, ...], minval: Any, maxval: Any, kind: DType
) -> Tensor:
    draws.float_type("uniform", kind)
    like = first_tensor(minval, maxval)
    low: Any = as_tensor(minval, kind, "uniform: minval", like)
    high: Any = as_tensor(1 if maxval is None else maxval, kind, "uniform: maxval", like)
    if like is None:
        low, high = low.numpy(), high.numpy()
    return draws.scaled(philox.uniform(place, sizes, kind), low, high - low, kind)
