"""Ops along axes: sums, extremes and products; running sums and products; orders.

`axis` is None for all axes, an int or a tuple of ints. Tied extremes share their gradient evenly
(TensorFlow's choice for reductions; pooling sends it to the first). Products are made of pairwise
products, so that their derivatives of every order are right where elements are 0.
"""

from __future__ import annotations

import math
from typing import Any

from minitensor.autograd import Tensor, primitive
from minitensor.backend.half import in_float32
from minitensor.backend.protocol import Backend
from minitensor.ops import array
from minitensor.ops.array import accurate_sum
from minitensor.ops.math import cast, equal, exp, multiply, rounded_once

Axis = int | tuple[int, ...] | None


def axes_of(axis: Axis, rank: int) -> tuple[int, ...]:
    """`axis` as a tuple of axes counted from the front."""
    if axis is None:
        return tuple(range(rank))
    return tuple(a % rank for a in ((axis,) if isinstance(axis, int) else axis))


def _count(x: Any, axis: Axis) -> int:
    """How many elements of x, a tensor or an array, one element of a reduction covers."""
    return math.prod(x.shape[a] for a in axes_of(axis, x.ndim))


def _kept(reduced: Tensor, x: Tensor, axis: Axis) -> Tensor:
    """A reduction of x, with the reduced axes put back as size 1."""
    axes = axes_of(axis, x.ndim)
    shape = tuple(1 if k in axes else n for k, n in enumerate(x.shape))
    return reduced if reduced.shape == shape else array.reshape(reduced, shape=shape)


def _broadcast_grad(g: Tensor, x: Tensor, axis: Axis) -> Tensor:
    return array.broadcast_to(_kept(g, x, axis), shape=x.shape)


# ----- sums -----


@primitive
@in_float32
def sum(be: Backend, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum over `axis`."""
    return accurate_sum(x, axes_of(axis, x.ndim), keepdims)


@primitive
@in_float32
def mean(be: Backend, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum over `axis` divided by the number of summands; integers are cut off towards 0."""
    axes = axes_of(axis, x.ndim)
    if x.dtype.kind in "iu":
        return _integer_mean(x, axes, keepdims, _count(x, axis) or 1)
    return accurate_sum(x, axes, keepdims) / be.xp.asarray(_count(x, axis), x.dtype)


def _integer_mean(x: Any, axes: tuple[int, ...], keepdims: bool, count: int) -> Any:
    """The exact mean, which fits where its summands fit though their sum may not."""
    rest, whole = x.astype("uint64" if x.dtype.kind == "u" else "int64"), 0
    if x.dtype.itemsize == 8:  # the sum of quotients fits, and so does that of remainders
        whole, rest = (rest // count).sum(axis=axes, keepdims=keepdims), rest % count
    rest = rest.sum(axis=axes, keepdims=keepdims)
    floor = whole + rest // count
    return (floor + ((floor < 0) & (rest % count != 0))).astype(x.dtype)


@primitive
@in_float32
def logsumexp(be: Backend, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """log of the sum of exp(x), shifted by the largest x so that nothing overflows."""
    xp = be.xp
    top = _largest(be, x, axis, True)
    top = xp.where(xp.isfinite(top), top, xp.zeros((), x.dtype))
    total = xp.log(xp.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return total if keepdims else total.squeeze(axis=axis)


sum.defvjp(lambda g, y, x, *, axis=None, keepdims=False: _broadcast_grad(g, x, axis))
mean.defvjp(
    lambda g, y, x, *, axis=None, keepdims=False: _broadcast_grad(
        g / (_count(x, axis) or 1), x, axis
    )
)
logsumexp.defvjp(
    lambda g, y, x, *, axis=None, keepdims=False: _kept(g, x, axis) * exp(x - _kept(y, x, axis))
)

# ----- extremes -----


@primitive
@in_float32
def max(be: Backend, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest element over `axis`, NaN if one is; the smallest number there is if empty."""
    return _largest(be, x, axis, keepdims)


@primitive
@in_float32
def min(be: Backend, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest element over `axis`, NaN if one is; the largest number there is if empty."""
    if _count(x, axis):
        return x.min(axis=axis, keepdims=keepdims)
    return x.sum(axis=axis, keepdims=keepdims, dtype=x.dtype) + _extreme_of_nothing(x, 1)


def _largest(be: Backend, x: Any, axis: Axis, keepdims: bool) -> Any:
    if _count(x, axis):
        return x.max(axis=axis, keepdims=keepdims)
    return x.sum(axis=axis, keepdims=keepdims, dtype=x.dtype) + _extreme_of_nothing(x, -1)


def _extreme_of_nothing(x: Any, side: int) -> float:
    if x.dtype.kind == "f":
        return side * math.inf
    bits = 8 * x.dtype.itemsize - (x.dtype.kind == "i")
    return 2**bits - 1 if side > 0 else -(2**bits) if x.dtype.kind == "i" else 0


def _extreme_gradient(
    g: Tensor, y: Tensor, x: Tensor, *, axis: Axis = None, keepdims: bool = False
) -> Tensor:
    tied = cast(equal(x, _kept(y, x, axis)), dtype=g.dtype)
    return tied / sum(tied, axis=axis, keepdims=True) * _kept(g, x, axis)


max.defvjp(_extreme_gradient)
min.defvjp(_extreme_gradient)


@primitive
@in_float32
def argmax(be: Backend, x: Any, *, axis: int) -> Any:
    """Where the first largest element along `axis` is, which no NaN is; int64."""
    return _without_nan(be, x, -math.inf).argmax(axis=axis)


@primitive
@in_float32
def argmin(be: Backend, x: Any, *, axis: int) -> Any:
    """Where the first smallest element along `axis` is, which no NaN is; int64."""
    return _without_nan(be, x, math.inf).argmin(axis=axis)


def _without_nan(be: Backend, x: Any, instead: float) -> Any:
    return be.xp.where(x == x, x, be.xp.asarray(instead, x.dtype)) if x.dtype.kind == "f" else x


@primitive
def all(be: Backend, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether all booleans over `axis` hold."""
    return x.all(axis=axis, keepdims=keepdims)


@primitive
def any(be: Backend, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether any boolean over `axis` holds."""
    return x.any(axis=axis, keepdims=keepdims)


# ----- products -----


@rounded_once
def prod(x: Tensor, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product over `axis`: one half times the other, until a single one is left."""
    axes = axes_of(axis, x.ndim)
    rest = tuple(k for k in range(x.ndim) if k not in axes)
    moved = array.transpose(x, axes=(*axes, *rest))
    y = array.reshape(moved, shape=(_count(x, axis), *moved.shape[len(axes) :]))  # (n, rest...)
    while y.shape[0] != 1:
        half = (y.shape[0] + 1) // 2 or 1
        y = _ones_after(y, 2 * half, axis=0)
        y = multiply(_slice(y, 0, half, axis=0), _slice(y, half, 2 * half, axis=0))
    return _kept(y, x, axis) if keepdims else array.reshape(y, shape=y.shape[1:])


@rounded_once
def cumprod(x: Tensor, *, axis: int, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Running products along `axis`, of spans that double in length."""
    if reverse:
        flipped = array.flip(x, axes=(axis,))
        return array.flip(cumprod(flipped, axis=axis, exclusive=exclusive), axes=(axis,))
    y, span = _delayed(x, 1, axis) if exclusive else x, 1
    while span < x.shape[axis]:
        y, span = multiply(y, _delayed(y, span, axis)), 2 * span
    return y


def _ones_after(x: Tensor, size: int, axis: int) -> Tensor:
    """x with ones behind it along `axis`, to make `size` elements."""
    pads = [(0, 0)] * x.ndim
    pads[axis] = (0, size - x.shape[axis])
    return array.pad(x, pads=tuple(pads), value=1)


def _delayed(x: Tensor, steps: int, axis: int) -> Tensor:
    """x moved towards the end of `axis`, with ones in front."""
    pads = [(0, 0)] * x.ndim
    pads[axis] = (steps, 0)
    return _slice(array.pad(x, pads=tuple(pads), value=1), 0, x.shape[axis], axis)


def _slice(x: Tensor, start: int, stop: int, axis: int) -> Tensor:
    return array.getitem(x, index=array.along(axis % x.ndim, slice(start, stop)))


# ----- running sums and orders -----


@primitive
@in_float32
def cumsum(
    be: Backend, x: Any, *, axis: int, exclusive: bool = False, reverse: bool = False
) -> Any:
    """The sum of all elements up to each one along `axis`; without itself if `exclusive`."""
    xp = be.xp
    y = xp.flip(x, axis) if reverse else x
    if exclusive:
        first, others = (array.along(axis % x.ndim, s) for s in (slice(0, 1), slice(0, -1)))
        y = xp.concatenate([xp.zeros_like(y[first]), y[others]], axis=axis)
    y = xp.cumsum(y, axis=axis, dtype=x.dtype)
    return xp.flip(y, axis) if reverse else y


cumsum.defvjp(
    lambda g, y, x, *, axis, exclusive=False, reverse=False: cumsum(
        g, axis=axis, exclusive=exclusive, reverse=not reverse
    )
)


@primitive
@in_float32
def argsort(be: Backend, x: Any, *, axis: int = -1, descending: bool = False) -> Any:
    """The order that sorts x along `axis`, NaN the largest; equal ones keep theirs; int64."""
    if not descending:
        return x.argsort(axis=axis, kind="stable")
    backwards = be.xp.flip(be.xp.flip(x, axis).argsort(axis=axis, kind="stable"), axis)
    return x.shape[axis] - 1 - backwards


def sort(x: Tensor, *, axis: int = -1, descending: bool = False) -> Tensor:
    """x in order along `axis`."""
    order = argsort(x, axis=axis, descending=descending)
    return array.take_along_axis(x, order, axis=axis)


def top_k(x: Tensor, *, k: int) -> tuple[Tensor, Tensor]:
    """The k largest elements along the last axis, largest first, and where they were."""
    order = argsort(x, axis=-1, descending=True)
    indices = Tensor(order.array[..., :k])
    return array.take_along_axis(x, indices, axis=-1), indices
