"""Elements picked by index, condition or place: taken, masked, found, put on diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.array import broadcast_to, reshape
from minitensor.autograd import Tensor, as_tensor
from minitensor.keras.ops.numpy.reductions import wide
from minitensor.keras.ops.numpy.shapes import moveaxis, ravel
from minitensor.keras.ops.promotion import cast, of_type, together
from minitensor.keras.ops.table import Operand, operation
from minitensor.nn import checks
from minitensor.ops import array as moves
from minitensor.ops import math, reduce
from minitensor.ops.discrete import discrete

__all__ = [
    "diag", "diagflat", "diagonal", "diff", "get_item", "isin", "nonzero", "select", "take",
    "take_along_axis", "trace", "trapezoid", "tril", "triu", "unravel_index", "where",
]  # fmt: skip


@operation
def get_item(x: Operand, key: Operand) -> Tensor:
    """x[key]. Source: keras.ops.get_item"""
    return as_tensor(x)[tuple(key) if isinstance(key, list) else key]


def _indices(indices: Any, like: Tensor) -> Tensor:
    at = as_tensor(indices, like=like)
    return at if at.dtype.kind in "iu" else cast(at, "int32")


@operation
def take(x: Operand, indices: Operand, axis: int | None = None) -> Tensor:
    """x[..., indices, ...]; of all in a row without an axis. Source: keras.ops.take"""
    x = as_tensor(x)
    if axis is None:
        return moves.gather(ravel(x), _indices(indices, x), axis=0)
    return moves.gather(x, _indices(indices, x), axis=checks.axis("take", axis, x.ndim))


@operation
def take_along_axis(x: Operand, indices: Operand, axis: int | None = None) -> Tensor:
    """Of each row the elements that its row of indices names. Source: keras.ops.take_along_axis"""
    x = as_tensor(x)
    at = _indices(indices, x)
    if axis is None:
        return moves.gather(ravel(x), at, axis=0)
    axis = checks.axis("take_along_axis", axis, x.ndim)
    sizes = [[1 if k == axis else n for k, n in enumerate(t.shape)] for t in (x, at)]
    both = np.broadcast_shapes(*sizes)
    x, at = (
        broadcast_to(t, [t.shape[axis] if k == axis else n for k, n in enumerate(both)])
        for t in (x, at)
    )
    return moves.take_along_axis(x, at, axis=axis)


@operation
def where(condition: Operand, x1: Operand = None, x2: Operand = None) -> Any:
    """x1 where it holds, else x2; without both the places. Source: keras.ops.where"""
    if x1 is None and x2 is None:
        return nonzero(condition)
    if x1 is None or x2 is None:
        raise ValueError("where: give both `x1` and `x2`, or neither")
    return math.where(cast(as_tensor(condition), bool), *together(x1, x2))


@operation
def select(condlist: Operand, choicelist: Operand, default: Operand = 0) -> Tensor:
    """The choice of the first condition that holds, else `default`. Source: keras.ops.select"""
    if len(condlist) != len(choicelist):
        raise ValueError(f"select: {len(condlist)} conditions for {len(choicelist)} choices")
    *choices, y = together(*choicelist, default)
    for condition, choice in reversed(list(zip(condlist, choices, strict=True))):
        y = math.where(cast(as_tensor(condition), bool), choice, y)
    return y


@operation
def nonzero(x: Operand) -> Any:
    """Where x is not 0: a list of indices for each axis, int32. Source: keras.ops.nonzero"""
    return [as_tensor(k.astype("int32")) for k in np.nonzero(np.asarray(as_tensor(x)))]


@operation
def unravel_index(indices: Operand, shape: Any) -> Any:
    """Places in a row as places along each axis. Source: keras.ops.unravel_index"""
    at, found = as_tensor(indices), []
    for n in reversed(shape):
        found.append(math.mod(at, int(n)))
        at = math.floordiv(at, int(n))
    return tuple(reversed(found))


@operation
def isin(x1: Operand, x2: Operand, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element is among those of x2. Source: keras.ops.isin"""
    x, among = together(x1, x2)
    found = discrete(x, among, function="isin")
    return math.logical_not(found) if invert else found


# ----- diagonals -----


@operation
def diagonal(x: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The elements of a diagonal of matrices. Source: keras.ops.diagonal"""
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2:]
    n = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    at = np.arange(n)
    return moves.getitem(x, index=(..., at + max(-offset, 0), at + max(offset, 0)))


@operation
def diag(x: Operand, k: int = 0) -> Tensor:
    """A vector on diagonal k of a matrix; a matrix' diagonal. Source: keras.ops.diag"""
    x = as_tensor(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError(f"`x` must be 1-D or 2-D. Received: x.shape={x.shape!s}")
    at, n = np.arange(x.shape[0]), x.shape[0] + abs(k)
    return moves.put(x, index=(at + max(-k, 0), at + max(k, 0)), shape=(n, n))


@operation
def diagflat(x: Operand, k: int = 0) -> Tensor:
    """All elements on diagonal k of a matrix. Source: keras.ops.diagflat"""
    return diag(ravel(x), k)


@operation
def trace(x: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of a diagonal. Source: keras.ops.trace"""
    return reduce.sum(diagonal(wide(as_tensor(x)), offset, axis1, axis2), axis=-1)


def _triangle(x: Any, k: int, upper: bool) -> Tensor:
    x = as_tensor(x)
    if x.ndim < 2:
        raise ValueError(f"tril, triu: {x.shape!s} has no matrices")
    rows, columns = (np.arange(n) for n in x.shape[-2:])
    inside = columns - rows[:, None] >= k if upper else columns - rows[:, None] <= k
    zero = as_tensor(np.zeros((), x.dtype), like=x)
    return math.where(as_tensor(inside, like=x), x, zero)


@operation
def tril(x: Operand, k: int = 0) -> Tensor:
    """0 above diagonal k. Source: keras.ops.tril"""
    return _triangle(x, k, False)


@operation
def triu(x: Operand, k: int = 0) -> Tensor:
    """0 below diagonal k. Source: keras.ops.triu"""
    return _triangle(x, k, True)


# ----- differences -----


@operation
def diff(a: Operand, n: int = 1, axis: int = -1) -> Tensor:
    """Differences of neighbours, n times. Source: keras.ops.diff"""
    x = as_tensor(a)
    if n < 0:
        raise ValueError(f"Order `n` must be non-negative. Received n={n}")
    axis = checks.axis("diff", axis, x.ndim)
    op = math.not_equal if x.dtype.kind == "b" else math.subtract
    for _ in range(n):
        later, sooner = (moves.along(axis, s) for s in (slice(1, None), slice(None, -1)))
        x = op(moves.getitem(x, index=later), moves.getitem(x, index=sooner))
    return x


@operation
def trapezoid(y: Operand, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """The area below lines through points. Source: keras.ops.trapezoid"""
    (y,) = together(y, also=(float,))
    axis = checks.axis("trapezoid", axis, y.ndim)
    later, sooner = (moves.along(axis, s) for s in (slice(1, None), slice(None, -1)))
    height = (moves.getitem(y, index=later) + moves.getitem(y, index=sooner)) * 0.5
    if x is None:
        return reduce.sum(height * of_type(dx, y.dtype, y), axis=axis)
    at = cast(as_tensor(x, like=y), y.dtype)
    if at.ndim == 1:
        at = reshape(at, [-1 if k == axis else 1 for k in range(y.ndim)])
    return reduce.sum(height * diff(at, 1, axis), axis=axis)
