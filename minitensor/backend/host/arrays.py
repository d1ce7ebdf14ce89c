"""Axes in another order, and products of matrices, on a device.

`transpose` is one tiled kernel where two runs of axes change places: NCHW to NHWC and back are such
permutations, and so is a matrix transpose. Any other order is left to the array library.

`matmul` is the array library's, or, where that may not run, a convolution's kernel: rows of `a` are
images of one pixel, its columns their channels, so a 1x1 convolution is a product of matrices. A
CUDA graph is recorded so, because CuPy refuses to call cuBLAS while it captures a stream
(backend/cuda/device.py). The twins are NumPy's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minitensor.backend.half import in_float32
from minitensor.backend.host import register
from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device
from minitensor.backend.host.grid import GRID_LIMIT, UNITS, as_units, ceil_div, rows_by_items
from minitensor.window import Window

TILE = 32
THIN = 8  # a matrix with fewer rows or columns would leave tiles all but empty
_POINT = Window.of((1, 1), (1, 1))


def transpose(device: Device, x: Any, axes: Sequence[int]) -> Any:
    """Axis k of the result is axis axes[k] of x; contiguous."""
    view = x.transpose(axes)
    shape = exchange(x.shape, [axis % x.ndim for axis in axes])
    if shape is None or view.size == 0 or x.dtype.itemsize not in UNITS:
        return device.contiguous(view)
    y = device.empty(view.shape, x.dtype)
    _move(device, as_units(device.contiguous(x)), as_units(y), *shape)
    return y


def _move(device: Device, x: Any, y: Any, batch: int, rows: int, columns: int) -> None:
    kind, area = ctype(x.dtype), rows * columns
    if min(rows, columns) < THIN:
        shape = rows_by_items(area, batch)
        device.launch(f"transpose_thin<{kind}>", *shape, x, y, rows, columns, area, batch)
        return
    down, deep = min(ceil_div(rows, TILE), GRID_LIMIT), min(batch, GRID_LIMIT)
    grid, block = (ceil_div(columns, TILE), down, deep), (TILE, 8)
    device.launch(f"transpose<{kind}>", grid, block, x, y, batch, rows, columns)


def exchange(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, int, int] | None:
    """(B, R, S) if `axes` turn (B, R, S) into (B, S, R), several axes each; else None.

    Example:
        >>> from minitensor.backend.host.arrays import exchange
        >>> exchange((8, 3, 32, 32), (0, 2, 3, 1))
        (8, 3, 1024)
    """
    order = [axis for axis in axes if shape[axis] != 1]  # where axes of size 1 go is all the same
    kept = sorted(order)
    first = next((i for i, pair in enumerate(zip(order, kept, strict=True)) if len({*pair}) > 1), 0)
    middle = kept.index(order[first]) if order else 0
    if middle == first or order != kept[:first] + kept[middle:] + kept[first:middle]:
        return None
    parts = kept[:first], kept[first:middle], kept[middle:]
    batch, rows, columns = (prod(shape[axis] for axis in part) for part in parts)
    return batch, rows, columns


def matmul(device: Device, a: Any, b: Any) -> Any:
    """y[..., i, j] = sum over k of a[..., i, k] b[..., k, j]; the axes in front broadcast."""
    if device.has_library or a.dtype.kind != "f":
        return device.xp.matmul(a, b)
    return product_by_kernel(device, a, b)


@in_float32
def product_by_kernel(device: Device, a: Any, b: Any) -> Any:
    """a @ b of floats, one launch for each matrix of a stack of b."""
    front = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    shape = (*front, a.shape[-2], b.shape[-1])
    if 0 in (*shape, a.shape[-1]):
        return device.zeros(shape, a.dtype)
    if b.ndim == 2:
        return _one(device, a.reshape(-1, a.shape[-1]), b).reshape(shape)
    a, b = (device.xp.broadcast_to(x, (*front, *x.shape[-2:])) for x in (a, b))
    y = device.empty(shape, a.dtype)
    for at in np.ndindex(*front):
        y[at] = _one(device, a[at], b[at])
    return y


def _one(device: Device, a: Any, b: Any) -> Any:
    images, kernel = a[:, None, None], b[None, None]  # (rows, 1, 1, depth), (1, 1, depth, columns)
    return register.conv2d(device, images, kernel, _POINT)[:, 0, 0]
