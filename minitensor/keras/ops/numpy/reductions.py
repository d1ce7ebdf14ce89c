"""Over axes: sums, extremes, means; running sums; the same without NaN.

Of all: `axis` is None for all axes, a number or several; `keepdims` keeps them with size 1. Sums
and products of small integers are int32 or uint32.
"""

from __future__ import annotations

import math as constants
from collections.abc import Callable
from typing import Any

from minitensor.array import expand_dims, reshape
from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.tensor import is_float
from minitensor.keras.ops.numpy.elementwise import named
from minitensor.keras.ops.promotion import cast, floating, of_type, result_type, together
from minitensor.keras.ops.table import Operand, operation
from minitensor.nn import checks
from minitensor.ops import math, reduce

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "average", "count_nonzero", "cumprod",
    "cumsum", "max", "mean", "min", "nanargmax", "nanargmin", "nancumprod", "nancumsum",
    "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum", "nanvar", "prod", "ptp",
    "std", "sum", "var",
]  # fmt: skip

_WIDER = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}


def reduction(
    name: str, op: Callable[..., Tensor], says: str
) -> Callable[[Any, Any, bool], Tensor]:
    """The function of a row: `op` is given the tensor, axes and `keepdims`."""

    def function(x: Operand, axis: Any = None, keepdims: bool = False) -> Tensor:
        x = as_tensor(x)
        return op(x, axis=checks.axes(name, axis, x.ndim), keepdims=bool(keepdims))

    return named(function, name, says)


def wide(x: Tensor) -> Tensor:
    """Small integers and booleans in 32 bits."""
    return cast(x, _WIDER.get(x.dtype.name, x.dtype))


def _mean(x: Tensor, **over: Any) -> Tensor:
    return reduce.mean(floating(x), **over)


def _variance(x: Tensor, *, axis: Any, keepdims: bool) -> Tensor:
    given = floating(x)
    x = cast(given, result_type(given.dtype, "float32"))
    away = x - reduce.mean(x, axis=axis, keepdims=True)
    return cast(reduce.mean(math.square(away), axis=axis, keepdims=keepdims), given.dtype)


def _deviation(x: Tensor, **over: Any) -> Tensor:
    return math.sqrt(_variance(x, **over))


def extreme(op: Any, of_truths: Any) -> Callable[..., Tensor]:
    """The largest or the smallest of anything but nothing."""

    def found(x: Tensor, **over: Any) -> Tensor:
        if 0 in x.shape:
            raise ValueError(f"{op.__name__}: {x.shape!s} has no elements")
        return (of_truths if x.dtype.kind == "b" else op)(x, **over)

    return found


def without_nan(op: Callable[..., Tensor], instead: float) -> Callable[..., Tensor]:
    """`op` with `instead` in the place of NaN; NaN where there is nothing else."""

    def reduced(x: Tensor, **over: Any) -> Tensor:
        if not is_float(x.dtype):
            return op(x, **over)
        gone = math.isnan(x)
        y = op(math.where(gone, instead, x), **over)
        return math.where(reduce.all(gone, **over), constants.nan, y) if instead else y

    return reduced


def _counted(x: Tensor, **over: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The floats with 0 for NaN, which are NaN, and how many are not."""
    x = floating(x)
    gone = math.isnan(x)
    number = reduce.sum(cast(math.logical_not(gone), x.dtype), **over)
    return math.where(gone, 0, x), gone, number


def _nanmean(x: Tensor, **over: Any) -> Tensor:
    numbers, _, n = _counted(x, **over)
    return reduce.sum(numbers, **over) / n


def _nanvar(x: Tensor, *, axis: Any, keepdims: bool) -> Tensor:
    numbers, gone, n = _counted(x, axis=axis, keepdims=True)
    centre = reduce.sum(numbers, axis=axis, keepdims=True) / n
    away = math.where(gone, 0, numbers - centre)
    var = reduce.sum(math.square(away), axis=axis, keepdims=True) / n
    return var if keepdims else reduce.sum(var, axis=axis)


def _spread(x: Tensor, **over: Any) -> Tensor:
    return reduce.max(x, **over) - reduce.min(x, **over)


def _truths(op: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda x, **over: op(cast(x, bool), **over)


_max, _min = extreme(reduce.max, reduce.any), extreme(reduce.min, reduce.all)
_sum = lambda x, **over: reduce.sum(wide(x), **over)  # noqa: E731

# fmt: off
all = reduction("all", _truths(reduce.all), "Whether all hold.")
any = reduction("any", _truths(reduce.any), "Whether any holds.")
amax = reduction("amax", _max, "The largest.")
amin = reduction("amin", _min, "The smallest.")
mean = reduction("mean", _mean, "The mean.")
ptp = reduction("ptp", _spread, "The largest less the smallest.")
std = reduction("std", _deviation, "The root of the variance.")
sum = reduction("sum", _sum, "The sum.")
var = reduction("var", _variance, "The mean square distance from the mean.")
nanmax = reduction("nanmax", without_nan(_max, -constants.inf), "The largest but NaN.")
nanmin = reduction("nanmin", without_nan(_min, constants.inf), "The smallest but NaN.")
nanmean = reduction("nanmean", _nanmean, "The mean of what is not NaN.")
nanprod = reduction("nanprod", lambda x, **over: _nanprod(x, **over), "The product, NaN as 1.")
nanstd = reduction("nanstd", lambda x, **over: math.sqrt(_nanvar(x, **over)), "std without NaN.")
nansum = reduction("nansum", without_nan(_sum, 0), "The sum, NaN as 0.")
nanvar = reduction("nanvar", _nanvar, "var without NaN.")
# fmt: on


def _nanprod(x: Tensor, **over: Any) -> Tensor:
    x = wide(x)
    return reduce.prod(math.where(math.isnan(x), 1, x) if is_float(x.dtype) else x, **over)


@operation
def max(x: Operand, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The largest, at least `initial`. Source: keras.ops.max"""
    y = amax(x, axis, keepdims) if initial is None else _or_more(reduce.max, x, axis, keepdims)
    return y if initial is None else _met(math.maximum, y, initial)


@operation
def min(x: Operand, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The smallest, at most `initial`. Source: keras.ops.min"""
    y = amin(x, axis, keepdims) if initial is None else _or_more(reduce.min, x, axis, keepdims)
    return y if initial is None else _met(math.minimum, y, initial)


def _or_more(op: Any, x: Any, axis: Any, keepdims: bool) -> Tensor:
    """An extreme that may be one of nothing."""
    x = as_tensor(x)
    numbers = cast(x, "int32") if x.dtype.kind == "b" else x
    y = op(numbers, axis=checks.axes(op.__name__, axis, x.ndim), keepdims=bool(keepdims))
    return cast(y, x.dtype)


def _met(op: Any, y: Tensor, initial: Any) -> Tensor:
    numbers = cast(y, "int32") if y.dtype.kind == "b" else y
    return cast(op(numbers, of_type(initial, numbers.dtype, y)), y.dtype)


@operation
def prod(x: Operand, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """The product. Source: keras.ops.prod"""
    x = wide(as_tensor(x)) if dtype is None else cast(as_tensor(x), dtype)
    return reduce.prod(x, axis=checks.axes("prod", axis, x.ndim), keepdims=bool(keepdims))


@operation
def count_nonzero(x: Operand, axis: Any = None) -> Tensor:
    """How many are not 0. Source: keras.ops.count_nonzero"""
    x = cast(cast(as_tensor(x), bool), "int32")
    return reduce.sum(x, axis=checks.axes("count_nonzero", axis, x.ndim))


@operation
def average(x: Operand, axis: Any = None, weights: Operand = None) -> Tensor:
    """sum of w x / sum of w. Source: keras.ops.average"""
    if weights is None:
        (x,) = together(x, also=(float,))
        return mean(x, axis, False)
    x, w = together(x, weights, also=(float,))
    if w.ndim != x.ndim:
        if axis is None or w.ndim != 1:
            raise ValueError(f"average: weights {w.shape!s} for x {x.shape!s}, axis {axis}")
        shape = [1] * x.ndim
        shape[axis] = w.shape[0]
        w = reshape(w, shape)
    over = checks.axes("average", axis, x.ndim)
    weight = math.add(w, math.multiply(x, 0)) if w.shape != x.shape else w
    return reduce.sum(x * w, axis=over) / reduce.sum(weight, axis=over)


# ----- where the extreme is -----


def _place(op: Any, x: Any, axis: Any, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    x = cast(x, "uint8") if x.dtype.kind == "b" else x
    rank = x.ndim
    flat = reshape(x, [-1]) if axis is None else x
    at = cast(op(flat, axis=0 if axis is None else checks.axis("argmax", axis, rank)), "int32")
    if not keepdims:
        return at
    return reshape(at, [1] * rank) if axis is None else expand_dims(at, axis)


@operation
def argmax(x: Operand, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Where the first largest is, int32. Source: keras.ops.argmax"""
    return _place(reduce.argmax, x, axis, keepdims)


@operation
def argmin(x: Operand, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Where the first smallest is, int32. Source: keras.ops.argmin"""
    return _place(reduce.argmin, x, axis, keepdims)


def _place_of_number(op: Any, x: Any, axis: Any, keepdims: bool, instead: float) -> Tensor:
    x = as_tensor(x)
    if not is_float(x.dtype):
        return _place(op, x, axis, keepdims)
    gone = math.isnan(x)
    at = _place(op, math.where(gone, instead, x), axis, keepdims)
    return math.where(all(gone, axis, keepdims), -1, at)


@operation
def nanargmax(x: Operand, axis: Any = None, keepdims: bool = False) -> Tensor:
    """argmax without NaN; -1 of nothing else. Source: keras.ops.nanargmax"""
    return _place_of_number(reduce.argmax, x, axis, keepdims, -constants.inf)


@operation
def nanargmin(x: Operand, axis: Any = None, keepdims: bool = False) -> Tensor:
    """argmin without NaN; -1 of nothing else. Source: keras.ops.nanargmin"""
    return _place_of_number(reduce.argmin, x, axis, keepdims, constants.inf)


# ----- running -----


def _running(op: Any, x: Any, axis: Any, dtype: Any, instead: float | None = None) -> Tensor:
    x = as_tensor(x)
    x = cast(x, dtype or ("int32" if x.dtype.kind == "b" else x.dtype))
    if instead is not None and is_float(x.dtype):
        x = math.where(math.isnan(x), instead, x)
    if axis is None:
        return op(reshape(x, [-1]), axis=0)
    return op(x, axis=checks.axis(op.__name__, axis, x.ndim))


@operation
def cumsum(x: Operand, axis: Any = None, dtype: Any = None) -> Tensor:
    """Running sums. Source: keras.ops.cumsum"""
    return _running(reduce.cumsum, x, axis, dtype)


@operation
def cumprod(x: Operand, axis: Any = None, dtype: Any = None) -> Tensor:
    """Running products. Source: keras.ops.cumprod"""
    return _running(reduce.cumprod, x, axis, dtype)


@operation
def nancumsum(x: Operand, axis: Any = None, dtype: Any = None) -> Tensor:
    """Running sums, NaN as 0. Source: keras.ops.nancumsum"""
    return _running(reduce.cumsum, x, axis, dtype, 0)


@operation
def nancumprod(x: Operand, axis: Any = None, dtype: Any = None) -> Tensor:
    """Running products, NaN as 1. Source: keras.ops.nancumprod"""
    return _running(reduce.cumprod, x, axis, dtype, 1)
