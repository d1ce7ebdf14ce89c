"""Reductions: many elements to one, over some axes.

Each takes a tensor, `axis` (an integer, a list of them, or None for all) and `keepdims`, which
keeps the reduced axes with size 1. It returns the sizes of the other axes, and the tensor's type.
float16 and bfloat16 are added up in float32. An axis that does not exist, or is named twice, is a
ValueError; the wrong kind of elements a TypeError. `name` is ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.autograd import Tensor
from minitensor.dtypes import as_dtype, int64
from minitensor.nn import checks as args
from minitensor.ops import math, reduce
from minitensor.ops.half import rounded_once

__all__ = [
    "count_nonzero",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
]

NUMBERS, FLOATS, BOOLEANS = "iuf", "f", "b"


def _reduced(
    op: Callable[..., Tensor], name: str, value: Any, axis: Any, keepdims: Any, kinds: str
) -> Tensor:
    x = args.tensor(name, "input_tensor", value, kinds)
    return op(x, axis=args.axes(name, axis, x.ndim), keepdims=bool(keepdims))


def reduce_sum(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """y = sum of x_i.

    Example:
        >>> import minitensor as tf
        >>> tf.reduce_sum([[1, 2], [3, 4]], axis=0).numpy()
        array([4, 6], dtype=int32)

    Source: tf.reduce_sum
    """
    return _reduced(reduce.sum, "reduce_sum", input_tensor, axis, keepdims, NUMBERS)


def reduce_mean(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """y = (sum of x_i) / n; integers are cut off towards 0. NaN of nothing.

    Example:
        >>> import minitensor as tf
        >>> tf.reduce_mean([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
        array([2., 3.], dtype=float32)

    Source: tf.reduce_mean
    """
    return _reduced(reduce.mean, "reduce_mean", input_tensor, axis, keepdims, NUMBERS)


def reduce_max(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The largest x_i, NaN if one is; ties share the gradient evenly. -inf of nothing.

    Example:
        >>> import minitensor as tf
        >>> tf.reduce_max([[1, 4], [3, 2]], axis=0).numpy()
        array([3, 4], dtype=int32)

    Source: tf.reduce_max
    """
    return _reduced(reduce.max, "reduce_max", input_tensor, axis, keepdims, NUMBERS)


def reduce_min(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The smallest x_i, NaN if one is; ties share the gradient evenly. inf of nothing.

    Example:
        >>> import minitensor as tf
        >>> tf.reduce_min([[1, 4], [3, 2]], axis=0).numpy()
        array([1, 2], dtype=int32)

    Source: tf.reduce_min
    """
    return _reduced(reduce.min, "reduce_min", input_tensor, axis, keepdims, NUMBERS)


def reduce_prod(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """y = product of x_i; its gradients of every order are right where x_i = 0.

    Example:
        >>> import minitensor as tf
        >>> tf.reduce_prod([[1, 2], [3, 4]], axis=0).numpy()
        array([3, 8], dtype=int32)

    Source: tf.reduce_prod
    """
    return _reduced(reduce.prod, "reduce_prod", input_tensor, axis, keepdims, NUMBERS)


def reduce_all(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Whether all x_i hold; booleans only.

    Example:
        >>> import minitensor as tf
        >>> tf.reduce_all([[True, False], [True, True]], axis=0).numpy()
        array([ True, False])

    Source: tf.reduce_all
    """
    return _reduced(reduce.all, "reduce_all", input_tensor, axis, keepdims, BOOLEANS)


def reduce_any(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Whether any x_i holds; booleans only.

    Example:
        >>> import minitensor as tf
        >>> tf.reduce_any([[True, False], [True, True]], axis=0).numpy()
        array([ True,  True])

    Source: tf.reduce_any
    """
    return _reduced(reduce.any, "reduce_any", input_tensor, axis, keepdims, BOOLEANS)


def reduce_logsumexp(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """y = log(sum of e^x_i), computed so that nothing overflows; floats only.

    Example:
        >>> import minitensor as tf
        >>> tf.reduce_logsumexp([1000.0, 1000.0]).numpy()
        np.float32(1000.6932)

    Source: tf.reduce_logsumexp
    """
    return _reduced(reduce.logsumexp, "reduce_logsumexp", input_tensor, axis, keepdims, FLOATS)


def reduce_variance(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """y = mean of (x_i - mean of x)^2; floats only.

    Example:
        >>> import minitensor as tf
        >>> tf.math.reduce_variance([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
        array([1., 1.], dtype=float32)

    Source: tf.math.reduce_variance
    """
    return _reduced(_variance, "reduce_variance", input_tensor, axis, keepdims, FLOATS)


def reduce_std(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """y = sqrt(mean of (x_i - mean of x)^2); floats only.

    Example:
        >>> import minitensor as tf
        >>> tf.math.reduce_std([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
        array([1., 1.], dtype=float32)

    Source: tf.math.reduce_std
    """
    return _reduced(_deviation, "reduce_std", input_tensor, axis, keepdims, FLOATS)


def reduce_euclidean_norm(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """y = sqrt(sum of x_i^2).

    Example:
        >>> import minitensor as tf
        >>> tf.math.reduce_euclidean_norm([3.0, 4.0]).numpy()
        np.float32(5.0)

    Source: tf.math.reduce_euclidean_norm
    """
    return _reduced(_length, "reduce_euclidean_norm", input_tensor, axis, keepdims, FLOATS)


@rounded_once
def _variance(x: Tensor, *, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    centre = reduce.mean(x, axis=axis, keepdims=True)
    return reduce.mean(math.square(x - centre), axis=axis, keepdims=keepdims)


@rounded_once
def _deviation(x: Tensor, *, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    return math.sqrt(_variance(x, axis=axis, keepdims=keepdims))


@rounded_once
def _length(x: Tensor, *, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    return math.sqrt(reduce.sum(math.square(x), axis=axis, keepdims=keepdims))


def count_nonzero(
    input: Any, axis: Any = None, keepdims: Any = None, dtype: Any = int64, name: str | None = None
) -> Tensor:
    """How many x_i are not 0, as integers of type `dtype`.

    Example:
        >>> import minitensor as tf
        >>> tf.math.count_nonzero([[0.0, 2.0], [0.0, 1.0]], axis=0).numpy()
        array([0, 2])

    Source: tf.math.count_nonzero
    """
    x = args.tensor("count_nonzero", "input", input)
    ones = math.cast(math.cast(x, dtype=bool), dtype=as_dtype(dtype))
    return _reduced(reduce.sum, "count_nonzero", ones, axis, keepdims, NUMBERS)
