"""The same elements in another arrangement: reshaped, turned, joined, cut, repeated."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor import array as made
from minitensor.autograd import Tensor, as_tensor
from minitensor.keras.ops.promotion import of_type, together
from minitensor.keras.ops.table import Operand, Sizes, operation
from minitensor.nn import checks
from minitensor.ops import array as moves

__all__ = [
    "append", "array_split", "broadcast_to", "concatenate", "dsplit", "dstack", "expand_dims",
    "flip", "fliplr", "flipud", "hsplit", "hstack", "moveaxis", "ndim", "pad", "ravel",
    "repeat", "reshape", "roll", "rot90", "size", "split", "squeeze", "stack", "swapaxes",
    "tile", "transpose", "vsplit", "vstack",
]  # fmt: skip


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


@operation
def reshape(x: Operand, newshape: Sizes) -> Tensor:
    """The same elements in another shape; one size may be -1. Source: keras.ops.reshape"""
    return made.reshape(as_tensor(x), [-1 if n is None else n for n in _listed(newshape)])


@operation
def ravel(x: Operand) -> Tensor:
    """All elements in a row. Source: keras.ops.ravel"""
    return made.reshape(as_tensor(x), [-1])


@operation
def expand_dims(x: Operand, axis: Any) -> Tensor:
    """With one axis more, or several. Source: keras.ops.expand_dims"""
    x, axes = as_tensor(x), _listed(axis)
    rank = x.ndim + len(axes)
    for place in sorted(checks.axes("expand_dims", axes, rank)):
        x = made.expand_dims(x, place)
    return x


@operation
def squeeze(x: Operand, axis: Any = None) -> Tensor:
    """Without axes of size 1. Source: keras.ops.squeeze"""
    return made.squeeze(as_tensor(x), None if axis is None else _listed(axis))


@operation
def transpose(x: Operand, axes: Any = None) -> Tensor:
    """Axes in another order. Source: keras.ops.transpose"""
    return made.transpose(as_tensor(x), axes)


@operation
def moveaxis(x: Operand, source: Any, destination: Any) -> Tensor:
    """Axes moved to other places. Source: keras.ops.moveaxis"""
    x = as_tensor(x)
    start = checks.axes("moveaxis", _listed(source), x.ndim)
    end = checks.axes("moveaxis", _listed(destination), x.ndim)
    if len(start) != len(end):
        raise ValueError(f"moveaxis: {len(start)} sources for {len(end)} destinations")
    order = [k for k in range(x.ndim) if k not in start]
    for place, axis in sorted(zip(end, start, strict=True)):
        order.insert(place, axis)
    return made.transpose(x, order)


@operation
def swapaxes(x: Operand, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged. Source: keras.ops.swapaxes"""
    x = as_tensor(x)
    order = list(range(x.ndim))
    a, b = (checks.axis("swapaxes", k, x.ndim) for k in (axis1, axis2))
    order[a], order[b] = b, a
    return made.transpose(x, order)


@operation
def broadcast_to(x: Operand, shape: Any) -> Tensor:
    """Repeated up to a shape. Source: keras.ops.broadcast_to"""
    return made.broadcast_to(as_tensor(x), shape)


@operation
def tile(x: Operand, repeats: Any) -> Tensor:
    """Repeated along each axis. Source: keras.ops.tile"""
    x, times = as_tensor(x), [int(n) for n in np.atleast_1d(np.asarray(repeats))]
    times = [1] * (x.ndim - len(times)) + times
    return made.tile(made.reshape(x, [1] * (len(times) - x.ndim) + list(x.shape)), times)


@operation
def repeat(x: Operand, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element several times. Source: keras.ops.repeat"""
    return made.repeat(as_tensor(x), repeats, axis)


@operation
def flip(x: Operand, axis: Any = None) -> Tensor:
    """In the opposite order. Source: keras.ops.flip"""
    x = as_tensor(x)
    return moves.flip(x, axes=checks.axes("flip", axis, x.ndim))


@operation
def fliplr(x: Operand) -> Tensor:
    """The second axis in the opposite order. Source: keras.ops.fliplr"""
    return flip(x, 1)


@operation
def flipud(x: Operand) -> Tensor:
    """The first axis in the opposite order. Source: keras.ops.flipud"""
    return flip(x, 0)


@operation
def rot90(array: Operand, k: int = 1, axes: Any = (0, 1)) -> Tensor:
    """Turned by k quarters, from the first axis to the second. Source: keras.ops.rot90"""
    x = as_tensor(array)
    if x.ndim < 2 or len(axes) != 2 or axes[0] == axes[1]:
        raise ValueError(f"rot90: axes {axes} must be two of {x.shape!s}")
    first, second = (checks.axis("rot90", a, x.ndim) for a in axes)
    for _ in range(k % 4):
        x = swapaxes(moves.flip(x, axes=(second,)), first, second)
    return x


@operation
def roll(x: Operand, shift: Any, axis: Any = None) -> Tensor:
    """Moved around in a circle. Source: keras.ops.roll"""
    x = as_tensor(x)
    if axis is not None:
        return made.roll(x, shift, axis)
    return made.reshape(made.roll(made.reshape(x, [-1]), shift, 0), x.shape)


@operation
def pad(
    x: Operand, pad_width: Any, mode: str = "constant", constant_values: Operand = None
) -> Tensor:
    """Elements before and after each axis. Source: keras.ops.pad"""
    x = as_tensor(x)
    if constant_values is not None and mode != "constant":
        raise ValueError(f"pad: constant_values are for mode 'constant', not {mode!r}")
    width = np.broadcast_to(np.asarray(pad_width, int), (x.ndim, 2)).tolist()
    if mode == "constant":
        value = 0 if constant_values is None else constant_values
        return made.pad(x, width, "CONSTANT", of_type(value, x.dtype, x))
    return made.pad(x, width, mode.upper())


# ----- joined and cut -----


@operation
def concatenate(xs: Operand, axis: int | None = 0) -> Tensor:
    """One behind the other. Source: keras.ops.concatenate"""
    parts = together(*xs)
    return made.concat([ravel(x) for x in parts] if axis is None else parts, axis or 0)


@operation
def stack(x: Operand, axis: int = 0) -> Tensor:
    """Side by side along a new axis. Source: keras.ops.stack"""
    return made.stack(together(*x), axis)


def _of_rank(x: Tensor, rank: int) -> Tensor:
    return made.reshape(x, [1] * (rank - x.ndim) + list(x.shape)) if x.ndim < rank else x


@operation
def hstack(xs: Operand) -> Tensor:
    """Side by side along the second axis, vectors along the first. Source: keras.ops.hstack"""
    parts = [_of_rank(x, 1) for x in together(*xs)]
    return made.concat(parts, 0 if parts[0].ndim == 1 else 1)


@operation
def vstack(xs: Operand) -> Tensor:
    """One below the other, vectors as rows. Source: keras.ops.vstack"""
    return made.concat([_of_rank(x, 2) for x in together(*xs)], 0)


@operation
def dstack(xs: Operand) -> Tensor:
    """Side by side along the third axis. Source: keras.ops.dstack"""
    parts = [_of_rank(x, 2) for x in together(*xs)]
    return made.concat([made.expand_dims(x, 2) if x.ndim == 2 else x for x in parts], 2)


@operation
def append(x1: Operand, x2: Operand, axis: int | None = None) -> Tensor:
    """x2 behind x1; in a row without an axis. Source: keras.ops.append"""
    return concatenate([x1, x2], axis)


def _cut(x: Tensor, places: Any, axis: int) -> list[Tensor]:
    """The parts before, between and after some places."""
    n = x.shape[axis]
    ends = [min(max(p + n if p < 0 else p, 0), n) for p in map(int, places)]
    pairs = zip([0, *ends], [*ends, n], strict=True)
    return [moves.getitem(x, index=moves.along(axis, slice(a, max(a, b)))) for a, b in pairs]


@operation
def split(x: Operand, indices_or_sections: Any, axis: int = 0) -> Any:
    """Equal parts, or parts that end at some places. Source: keras.ops.split"""
    x = as_tensor(x)
    axis = checks.axis("split", axis, x.ndim)
    if np.ndim(indices_or_sections):
        return _cut(x, np.asarray(indices_or_sections), axis)
    parts, n = int(indices_or_sections), x.shape[axis]
    if n % parts:
        raise ValueError(f"split: axis {axis} of {x.shape!s} has no {parts} equal parts")
    return _cut(x, [k * n // parts for k in range(1, parts)], axis)


@operation
def array_split(x: Operand, indices_or_sections: Any, axis: int = 0) -> Any:
    """The same, the first parts longer if need be. Source: keras.ops.array_split"""
    x = as_tensor(x)
    axis = checks.axis("array_split", axis, x.ndim)
    if np.ndim(indices_or_sections):
        return _cut(x, np.asarray(indices_or_sections), axis)
    size, longer = divmod(x.shape[axis], int(indices_or_sections))
    ends = [k * size + min(k, longer) for k in range(1, int(indices_or_sections))]
    return _cut(x, ends, axis)


@operation
def hsplit(x: Operand, indices_or_sections: Any) -> Any:
    """split along the second axis. Source: keras.ops.hsplit"""
    x = as_tensor(x)
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


@operation
def vsplit(x: Operand, indices_or_sections: Any) -> Any:
    """split along the first axis. Source: keras.ops.vsplit"""
    return split(x, indices_or_sections, 0)


@operation
def dsplit(x: Operand, indices_or_sections: Any) -> Any:
    """split along the third axis. Source: keras.ops.dsplit"""
    return split(x, indices_or_sections, 2)


def ndim(x: Any) -> int:
    """The number of axes. Source: keras.ops.ndim"""
    return len(x.shape) if hasattr(x, "shape") else as_tensor(x).ndim


@operation
def size(x: Operand) -> Any:
    """The number of elements. Source: keras.ops.size"""
    return as_tensor(np.int32(as_tensor(x).shape.num_elements()))
