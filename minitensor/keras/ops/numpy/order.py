"""Orders, quantiles, counts: what sorting and comparing tell."""

from __future__ import annotations

import builtins
import math as constants
from typing import Any

import numpy as np

from minitensor.array import reshape
from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.tensor import is_float
from minitensor.keras.ops.numpy.shapes import moveaxis, ravel
from minitensor.keras.ops.promotion import cast, floating, of_type, result_type
from minitensor.keras.ops.table import Operand, operation
from minitensor.nn import checks
from minitensor.ops import array as moves
from minitensor.ops import math, reduce
from minitensor.ops.discrete import discrete

__all__ = [
    "argpartition", "argsort", "bincount", "digitize", "histogram", "median", "nanmedian",
    "nanpercentile", "nanquantile", "percentile", "quantile", "searchsorted", "sort", "unique",
]  # fmt: skip


def _sortable(x: Any, axis: int | None) -> tuple[Tensor, int]:
    x = as_tensor(x)
    if axis is None or not x.ndim:
        return ravel(x), 0
    return x, checks.axis("sort", axis, x.ndim)


@operation
def sort(x: Operand, axis: int | None = -1) -> Tensor:
    """In order. Source: keras.ops.sort"""
    x, along = _sortable(x, axis)
    numbers = cast(x, "int8") if x.dtype.kind == "b" else x
    return cast(reduce.sort(numbers, axis=along), x.dtype)


@operation
def argsort(x: Operand, axis: int | None = -1) -> Tensor:
    """The order that sorts, int32. Source: keras.ops.argsort"""
    x, along = _sortable(x, axis)
    return cast(reduce.argsort(x, axis=along), "int32")


@operation
def argpartition(x: Operand, kth: int, axis: int | None = -1) -> Tensor:
    """An order with the kth smallest in its place. Source: keras.ops.argpartition"""
    x, along = _sortable(x, axis)
    return cast(reduce.argsort(x, axis=along), "int32")


# ----- quantiles -----

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(
    x: Any, q: Any, axis: Any, method: str, keepdims: bool, percent: bool, numbers: bool
) -> Tensor:
    """Between which places of the sorted rows q lies, and what is there; `numbers` without NaN."""
    if method not in _METHODS:
        raise ValueError(f"quantile: method {method!r}; legal: {_METHODS}")
    x = floating(x)
    q = of_type(q, x.dtype, x)
    q = q / 100.0 if percent else q
    over = checks.axes("quantile", axis, x.ndim)
    rest = [k for k in builtins.range(x.ndim) if k not in over]
    rows = moves.transpose(x, axes=(*rest, *over))
    rows = reshape(rows, [*(x.shape[k] for k in rest), -1])
    gone = math.isnan(rows)
    rows = reduce.sort(math.where(gone, constants.inf, rows), axis=-1)  # (rest, n)
    n = rows.shape[-1]
    nought = cast(reduce.sum(cast(gone, "int32"), axis=-1), x.dtype)  # how many are NaN: (rest)
    last = float(n - 1) - nought if numbers else nought * 0 + float(n - 1)
    last = math.maximum(last, 0.0)
    at = reshape(q, [*q.shape, *[1] * last.ndim]) * last  # (q, rest)
    y = _at(rows, at, method, len(rest))
    empty = reduce.all(gone, axis=-1) if numbers else reduce.any(gone, axis=-1)
    y = math.where(empty, constants.nan, y)
    if keepdims:
        y = reshape(y, [*q.shape, *(1 if k in over else s for k, s in enumerate(x.shape))])
    return y


def _at(rows: Tensor, at: Tensor, method: str, rest: int) -> Tensor:
    """The element of each row at a place, or between two."""
    at = math.stop_gradient(at) if method != "linear" else at
    below, above = math.floor(at), math.ceil(at)

    def taken(place: Tensor) -> Tensor:
        """(q, rest): elements of rows (rest, n)"""
        k = reshape(place, [-1, *place.shape[place.ndim - rest :]])  # (Q, rest)
        k = cast(moveaxis(k, 0, -1), "int64")  # (rest, Q)
        found = moves.take_along_axis(rows, k, axis=-1)
        return reshape(moveaxis(found, -1, 0), place.shape)

    if method == "nearest":
        return taken(math.round(at))
    if method == "lower":
        return taken(below)
    if method == "higher":
        return taken(above)
    share = as_tensor(0.5, at.dtype, like=at) if method == "midpoint" else at - below
    low, high = taken(below), taken(above)
    return math.where(math.equal(below, above), low, low * (1.0 - share) + high * share)


@operation
def quantile(
    x: Operand, q: Operand, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """What a share q of the elements is below. Source: keras.ops.quantile"""
    return _quantile(x, q, axis, method, keepdims, False, False)


@operation
def percentile(
    x: Operand, q: Operand, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """What q per cent of the elements are below. Source: keras.ops.percentile"""
    return _quantile(x, q, axis, method, keepdims, True, False)


@operation
def median(x: Operand, axis: Any = None, keepdims: bool = False) -> Tensor:
    """What half of the elements are below. Source: keras.ops.median"""
    return _quantile(x, 0.5, axis, "linear", keepdims, False, False)


@operation
def nanquantile(
    x: Operand, q: Operand, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """quantile without NaN. Source: keras.ops.nanquantile"""
    return _quantile(x, q, axis, method, keepdims, False, True)


@operation
def nanpercentile(
    x: Operand, q: Operand, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """percentile without NaN. Source: keras.ops.nanpercentile"""
    return _quantile(x, q, axis, method, keepdims, True, True)


@operation
def nanmedian(x: Operand, axis: Any = None, keepdims: bool = False) -> Tensor:
    """median without NaN. Source: keras.ops.nanmedian"""
    return _quantile(x, 0.5, axis, "linear", keepdims, False, True)


# ----- places and counts -----


@operation
def searchsorted(sorted_sequence: Operand, values: Operand, side: str = "left") -> Tensor:
    """Where values would stand in a sorted row, int32. Source: keras.ops.searchsorted"""
    row = as_tensor(sorted_sequence)
    if row.ndim != 1:
        raise ValueError(f"searchsorted: sorted_sequence {row.shape!s} must have one axis")
    values = as_tensor(values, like=row)
    return cast(discrete(row, values, function="searchsorted", side=side), "int32")


@operation
def digitize(x: Operand, bins: Operand) -> Tensor:
    """In which of the bins between ascending limits, int32. Source: keras.ops.digitize"""
    x = as_tensor(x)
    limits = as_tensor(np.asarray(bins, "float64"), like=x)
    found = discrete(limits, cast(x, "float64"), function="searchsorted", side="right")
    return cast(found, "int32")


@operation
def bincount(x: Operand, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often each number occurs in a row, or its weight. Source: keras.ops.bincount"""
    if sparse:
        raise ValueError("bincount: sparse tensors are not there")
    x = as_tensor(x)
    at = cast(x, x.dtype if x.dtype in ("int32", "int64") else "int32")
    values = ones = as_tensor(np.ones(x.shape, "int32"), like=x)
    if weights is not None:
        values = as_tensor(weights, like=x)
    kind = values.dtype if is_float(values.dtype) else np.dtype("int32")
    rows, more = (reshape(t, [-1, x.shape[-1]]) for t in (at, cast(values, kind)))
    n = max(int(np.asarray(at).max(initial=-1)) + 1, minlength)
    row = np.arange(rows.shape[0])[:, None] * np.ones(rows.shape, int)
    y = moves.put(more, index=(row, np.asarray(rows)), shape=(rows.shape[0], n))
    y = reshape(y, [*x.shape[:-1], n])
    return cast(y, "int32" if values is ones else result_type(x.dtype, values.dtype))


@operation
def histogram(x: Operand, bins: int = 10, range: Any = None) -> Any:
    """How many elements lie in each of equal bins, and the limits. Source: keras.ops.histogram"""
    x = as_tensor(x)
    values = np.asarray(x)
    low, high = (values.min(), values.max()) if range is None else range
    inside = values[(values >= low) & (values <= high)]
    edges = np.linspace(low, high, int(bins) + 1).astype(x.dtype)
    at = np.searchsorted(edges[1:-1], inside, side="right")
    counts = np.bincount(at, minlength=int(bins)).astype(x.dtype)
    return as_tensor(counts, like=x), as_tensor(edges, like=x)


@operation
def unique(
    x: Operand,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements, and on demand where they are. Source: keras.ops.unique"""
    x = as_tensor(x)
    values, first, back, counts = np.unique(
        np.asarray(x), return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    along = axis or 0
    if not sorted:  # in the order in which they come
        order = np.argsort(first, kind="stable")
        values, first, counts = np.take(values, order, along), first[order], counts[order]
        back = np.argsort(order, kind="stable")[back]
    if size is not None:
        missing, fill = size - values.shape[along], 0 if fill_value is None else fill_value
        values, first, counts = _sized(values, first, counts, along, missing, fill)
    back = back.reshape(x.shape if axis is None else -1)
    more = ((return_index, first), (return_inverse, back), (return_counts, counts))
    found = [as_tensor(values, like=x)]
    found += [as_tensor(v.astype("int32"), like=x) for wanted, v in more if wanted]
    return found[0] if len(found) == 1 else tuple(found)


def _sized(values: Any, first: Any, counts: Any, axis: int, more: int, fill: Any) -> Any:
    """Cut off or filled up to a size."""
    if more <= 0:
        keep = np.arange(values.shape[axis] + more)
        return np.take(values, keep, axis), first[keep], counts[keep]
    shape = list(values.shape)
    shape[axis] = more
    added = np.broadcast_to(fill, shape)
    values = np.concatenate([values, added.astype(values.dtype)], axis)
    ones = np.ones(more, "int32")  # which is what Keras fills the places with
    return values, np.concatenate([first, ones]), np.concatenate([counts, 0 * ones])
