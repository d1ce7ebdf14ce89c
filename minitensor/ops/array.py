"""Ops that move elements without computing with them, and their adjoints.

They come in pairs, each the derivative of the other: broadcast_to and sum_to, getitem and put,
gather and scatter, take_along_axis and put_along_axis; reshape, transpose and flip are their own.
Indices are never differentiated. Here axes may be negative, and nothing is checked: the words
for users are in `minitensor.array`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, custom_gradient, primitive
from minitensor.backend.half import in_float32
from minitensor.backend.protocol import Backend

Shape = tuple[int, ...]


@primitive
def reshape(be: Backend, x: Any, *, shape: Shape) -> Any:
    """The same elements in row-major order, in another shape."""
    return x.reshape(shape)


reshape.defvjp(lambda g, y, x, *, shape: reshape(g, shape=x.shape))


@primitive
def transpose(be: Backend, x: Any, *, axes: Shape) -> Any:
    """Axis k of the result is axis axes[k] of x."""
    return be.transpose(x, axes)


transpose.defvjp(lambda g, y, x, *, axes: transpose(g, axes=_inverse(axes)))


def _inverse(axes: Shape) -> Shape:
    """The permutation that undoes `axes`."""
    forward = [axis % len(axes) for axis in axes]
    return tuple(sorted(range(len(forward)), key=forward.__getitem__))


@primitive
def flip(be: Backend, x: Any, *, axes: Shape) -> Any:
    """The elements in the opposite order along `axes`."""
    return be.xp.flip(x, axes)


flip.defvjp(lambda g, y, x, *, axes: flip(g, axes=axes))


# ----- repeating, and summing what was repeated -----


def accurate_sum(x: Any, axes: tuple[int, ...], keepdims: bool = False) -> Any:
    """The sum of an array over some axes.

    NumPy adds the elements of trailing axes in pairs of pairs, which loses no digits; along other
    axes it adds row after row, where a million rows of float32 would keep four digits.
    """
    trailing = sorted(axes) == list(range(x.ndim - len(axes), x.ndim))
    dtype = "float64" if x.dtype == "float32" and not trailing else x.dtype
    return x.sum(axis=axes, keepdims=keepdims, dtype=dtype).astype(x.dtype, copy=False)


@primitive
def broadcast_to(be: Backend, x: Any, *, shape: Shape) -> Any:
    """Axes of size 1, and axes missing in front, repeated up to `shape`."""
    return be.xp.broadcast_to(x, shape)


@primitive
@in_float32
def sum_to(be: Backend, x: Any, *, shape: Shape) -> Any:
    """The adjoint of `broadcast_to`: x summed over every axis that `shape` would repeat."""
    if x.ndim > 1 and shape == x.shape[-1:]:
        return be.sum_rows(x)
    new = x.ndim - len(shape)
    repeated = (new + k for k, size in enumerate(shape) if size == 1 != x.shape[new + k])
    return accurate_sum(x, (*range(new), *repeated)).reshape(shape)


broadcast_to.defvjp(lambda g, y, x, *, shape: sum_to(g, shape=x.shape))
sum_to.defvjp(lambda g, y, x, *, shape: broadcast_to(g, shape=x.shape))


@primitive
def tile(be: Backend, x: Any, *, multiples: Shape) -> Any:
    """x repeated multiples[k] times along axis k."""
    return be.xp.tile(x, multiples)


def _tile_gradient(g: Tensor, y: Tensor, x: Tensor, *, multiples: Shape) -> Tensor:
    pairs = list(zip(multiples, x.shape, strict=True))
    blocks = reshape(g, shape=tuple(size for pair in pairs for size in pair))  # (m0, s0, m1, ...)
    folded = sum_to(blocks, shape=tuple(size for _, s in pairs for size in (1, s)))
    return reshape(folded, shape=x.shape)


tile.defvjp(_tile_gradient)


# ----- picking, and adding back what was picked -----


def along(axis: int, item: Any) -> tuple[Any, ...]:
    """An index that picks `item` of one axis and all of the axes before it."""
    return (*[slice(None)] * axis, item)


@primitive
def getitem(be: Backend, x: Any, *, index: tuple[Any, ...]) -> Any:
    """x[index]: ints, slices, None, Ellipsis, int arrays and boolean masks, as in NumPy."""
    return x[there(be, index)]


def there(be: Backend, index: tuple[Any, ...]) -> tuple[Any, ...]:
    """An index whose arrays, which are NumPy's, lie where x does."""
    return tuple(be.asarray(item) if isinstance(item, np.ndarray) else item for item in index)


@primitive
@in_float32
def put(be: Backend, g: Any, *, index: tuple[Any, ...], shape: Shape) -> Any:
    """The adjoint of `getitem`: zeros of `shape` with g added at `index`."""
    x = be.xp.zeros(shape, g.dtype)
    if any(isinstance(item, np.ndarray) and item.dtype != np.bool_ for item in index):
        be.xp.add.at(x, there(be, index), g)  # an element may have been picked more than once
    else:
        x[there(be, index)] = g
    return x


getitem.defvjp(lambda g, y, x, *, index: put(g, index=index, shape=x.shape))
put.defvjp(lambda g, y, x, *, index, shape: getitem(g, index=index))


@primitive
def gather(be: Backend, x: Any, indices: Any, *, axis: int) -> Any:
    """x[..., indices, ...] along `axis`, whose place the axes of `indices` take."""
    return be.xp.take(x, indices, axis=axis)


@primitive
@in_float32
def scatter(be: Backend, g: Any, indices: Any, *, axis: int, size: int) -> Any:
    """The adjoint of `gather`: g added into `size` zeros along `axis`."""
    x = be.xp.zeros((*g.shape[:axis], size, *g.shape[axis + indices.ndim :]), g.dtype)
    be.xp.add.at(x, along(axis, indices), g)
    return x


gather.defvjp(
    lambda g, y, x, indices, *, axis: scatter(g, indices, axis=axis % x.ndim, size=x.shape[axis]),
    None,
)
scatter.defvjp(lambda g, y, x, indices, *, axis, size: gather(g, indices, axis=axis), None)


@primitive
def take_along_axis(be: Backend, x: Any, indices: Any, *, axis: int) -> Any:
    """Element i of each row of the result is element indices[i] of that row of x."""
    return be.xp.take_along_axis(x, indices, axis=axis)


@primitive
@in_float32
def put_along_axis(be: Backend, g: Any, indices: Any, *, axis: int, size: int) -> Any:
    """The adjoint of `take_along_axis`: g added into rows of `size` zeros."""
    shape = list(g.shape)
    shape[axis] = size
    x = be.xp.zeros(shape, g.dtype)
    index = list(be.xp.ogrid[tuple(slice(n) for n in g.shape)])
    index[axis] = indices
    be.xp.add.at(x, tuple(index), g)
    return x


take_along_axis.defvjp(
    lambda g, y, x, indices, *, axis: put_along_axis(g, indices, axis=axis, size=x.shape[axis]),
    None,
)
put_along_axis.defvjp(
    lambda g, y, x, indices, *, axis, size: take_along_axis(g, indices, axis=axis), None
)


# ----- joining -----


@primitive
def concat(be: Backend, *xs: Any, axis: int) -> Any:
    """The tensors one after the other along `axis`."""
    return be.xp.concatenate(xs, axis=axis)


@primitive
def stack(be: Backend, *xs: Any, axis: int) -> Any:
    """The tensors side by side along a new `axis`."""
    return be.xp.stack(xs, axis=axis)


def _concat_gradients(
    wanted: list[bool], g: Tensor, y: Tensor, *xs: Tensor, axis: int
) -> list[Tensor | None]:
    axis %= g.ndim
    ends = list(accumulate(x.array.shape[axis] for x in xs))
    return [
        getitem(g, index=along(axis, slice(start, end))) if want else None
        for want, start, end in zip(wanted, [0, *ends], ends, strict=False)
    ]


concat.defvjp_jointly(_concat_gradients)
stack.defvjp_jointly(
    lambda wanted, g, y, *xs, axis: [
        getitem(g, index=along(axis % g.ndim, i)) if want else None for i, want in enumerate(wanted)
    ]
)


# ----- taking apart -----
#
# Slice by slice, the way back would add as many tensors of the whole size as there are slices.


def unstack(x: Tensor, *, axis: int) -> list[Tensor]:
    """The slices of a tensor along `axis`, without it."""
    indices = [along(axis, k) for k in range(x.shape[axis])]
    return _apart(x, indices, lambda *gs: stack(*gs, axis=axis))


def split(x: Tensor, *, sizes: Sequence[int], axis: int) -> list[Tensor]:
    """Pieces of a tensor, so many slices of `axis` each."""
    ends = list(accumulate(sizes))
    indices = [along(axis, slice(end - n, end)) for n, end in zip(sizes, ends, strict=True)]
    return _apart(x, indices, lambda *gs: concat(*gs, axis=axis))


def _apart(
    x: Tensor, indices: Sequence[tuple[Any, ...]], joined: Callable[..., Tensor]
) -> list[Tensor]:
    """x[index] for each; their cotangents are joined once."""

    def parts(x: Tensor) -> tuple[list[Tensor], Callable[..., Tensor]]:
        return [getitem(x, index=index) for index in indices], joined

    pieces: list[Tensor] = custom_gradient(parts)(x)
    return pieces


# ----- padding -----


@primitive
def _pad_constant(be: Backend, x: Any, *, pads: tuple[tuple[int, int], ...], value: Any) -> Any:
    return be.xp.pad(x, pads, constant_values=value)


_pad_constant.defvjp(
    lambda g, y, x, *, pads, value: getitem(
        g, index=tuple(slice(a, a + n) for (a, _), n in zip(pads, x.shape, strict=True))
    )
)


def pad(
    x: Tensor, *, pads: tuple[tuple[int, int], ...], mode: str = "constant", value: Any = 0
) -> Tensor:
    """pads[k] elements before and after axis k: constants, or x mirrored.

    "reflect" leaves the edge out of the mirror image, "symmetric" repeats it.
    """
    if mode == "constant" and pads:
        return _pad_constant(x, pads=pads, value=value)
    for axis, around in enumerate(pads):
        if any(around):
            mirrored = np.pad(np.arange(x.shape[axis]), around, mode=mode)  # type: ignore[call-overload]
            x = gather(x, mirrored, axis=axis)
    return x


Tensor.pack = staticmethod(lambda tensors: stack(*tensors, axis=0))
Tensor.reshaped = staticmethod(lambda tensor, shape: reshape(tensor, shape=shape))
Tensor.transposed = staticmethod(lambda tensor, axes: transpose(tensor, axes=tuple(axes)))
