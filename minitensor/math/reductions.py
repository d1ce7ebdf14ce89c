"""Reductions: many elements to one, over some axes: one row of a table each, as in elementwise.py.

What all have in common (Args, Returns, Raises) comes from OVER_AXES. float16 and bfloat16 are
added up in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from minitensor.autograd import Tensor
from minitensor.dtypes import as_dtype, float64, int64
from minitensor.math.elementwise import documented
from minitensor.nn import checks
from minitensor.ops import math, reduce
from minitensor.ops.math import rounded_once

__all__ = [
    "count_nonzero", "reduce_all", "reduce_any", "reduce_euclidean_norm", "reduce_logsumexp",
    "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_std", "reduce_sum",
    "reduce_variance",
]  # fmt: skip

KINDS = {"numbers": "iuf", "floats": "f", "booleans": "b"}  # NumPy's letters of element types
OVER_AXES = """{says}

    Args:
        input_tensor: {takes} of any shape.
        axis: an integer or a list of integers, negative ones from the end; None is all axes.
        keepdims: keep the reduced axes, with size 1.
        name: ignored.

    Returns:
        Elements of that type, with the sizes of the other axes.

    Raises:
        TypeError: `input_tensor` holds something else than {takes}, or an axis is no integer.
        ValueError: an axis does not exist, or is named twice.
"""


class Reduction(Protocol):
    """A public function of one tensor and some of its axes."""

    def __call__(
        self, input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
    ) -> Tensor: ...


def reduction(
    op: Callable[..., Tensor], says: str, example: str, prints: str, takes: str = "numbers"
) -> Reduction:
    """The function of a row."""

    def function(
        input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
    ) -> Tensor:
        x = checks.tensor(function.__name__, "input_tensor", input_tensor, KINDS[takes])
        over = checks.axes(function.__name__, axis, x.ndim)
        return op(x, axis=over, keepdims=bool(keepdims))

    return documented(function, OVER_AXES.format(says=says, takes=takes), example, prints)


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


def _whole_length(x: Tensor, *, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    """The length of integers, cut off; squares are summed where they do not overflow."""
    if x.dtype.kind == "f":
        return _length(x, axis=axis, keepdims=keepdims)
    wide = math.cast(x, dtype=float64)
    return math.cast(_length(wide, axis=axis, keepdims=keepdims), dtype=x.dtype)


# fmt: off
reduce_sum = reduction(reduce.sum, "y = sum of x_i.",
    "tf.reduce_sum([[1, 2], [3, 4]], axis=0)", "array([4, 6], dtype=int32)")
reduce_mean = reduction(reduce.mean,
    "y = (sum of x_i) / n; integers are cut off towards 0. NaN of nothing.",
    "tf.reduce_mean([[1.0, 2.0], [3.0, 4.0]], axis=0)", "array([2., 3.], dtype=float32)")
reduce_max = reduction(reduce.max,
    "The largest x_i, NaN if one is; ties share the gradient evenly. -inf of nothing.",
    "tf.reduce_max([[1, 4], [3, 2]], axis=0)", "array([3, 4], dtype=int32)")
reduce_min = reduction(reduce.min,
    "The smallest x_i, NaN if one is; ties share the gradient evenly. inf of nothing.",
    "tf.reduce_min([[1, 4], [3, 2]], axis=0)", "array([1, 2], dtype=int32)")
reduce_prod = reduction(reduce.prod,
    "y = product of x_i; its gradients of every order are right where x_i = 0.",
    "tf.reduce_prod([[1, 2], [3, 4]], axis=0)", "array([3, 8], dtype=int32)")
reduce_all = reduction(reduce.all, "Whether all x_i hold.",
    "tf.reduce_all([[True, False], [True, True]], axis=0)", "array([ True, False])", "booleans")
reduce_any = reduction(reduce.any, "Whether any x_i holds.",
    "tf.reduce_any([[True, False], [True, True]], axis=0)", "array([ True,  True])", "booleans")
reduce_logsumexp = reduction(reduce.logsumexp,
    "y = log(sum of e^x_i), computed so that nothing overflows.",
    "tf.reduce_logsumexp([1000.0, 1000.0])", "np.float32(1000.6932)", "floats")
reduce_variance = reduction(_variance, "y = mean of (x_i - mean of x)^2.",
    "tf.math.reduce_variance([[1.0], [3.0]], axis=0)", "array([1.], dtype=float32)", "floats")
reduce_std = reduction(_deviation, "y = sqrt(mean of (x_i - mean of x)^2).",
    "tf.math.reduce_std([[1.0], [3.0]], axis=0)", "array([1.], dtype=float32)", "floats")
reduce_euclidean_norm = reduction(_whole_length,
    "y = sqrt(sum of x_i^2); of integers, what is behind the point is cut off.",
    "tf.math.reduce_euclidean_norm([3.0, 4.0])", "np.float32(5.0)")
# fmt: on


def count_nonzero(
    input: Any, axis: Any = None, keepdims: Any = None, dtype: Any = int64, name: str | None = None
) -> Tensor:
    """How many x_i are not 0.

    Args:
        input: elements of any type.
        axis, keepdims, name: as in the other reductions.
        dtype: the integer type to count in.

    Returns:
        Integers of that type, with the sizes of the other axes.

    Raises:
        ValueError: an axis does not exist, or is named twice.

    Example:
        >>> import minitensor as tf
        >>> tf.math.count_nonzero([[0.0, 2.0], [0.0, 1.0]], axis=0).numpy()
        array([0, 2])

    Source: tf.math.count_nonzero
    """
    x = checks.tensor("count_nonzero", "input", input)
    ones = math.cast(math.cast(x, dtype=bool), dtype=as_dtype(dtype))
    ones = checks.tensor("count_nonzero", "input_tensor", ones, KINDS["numbers"])
    return reduce.sum(
        ones, axis=checks.axes("count_nonzero", axis, x.ndim), keepdims=bool(keepdims)
    )
