"""Axes in another order on a device: one tiled kernel where two runs of axes change places.

NCHW to NHWC and back are such permutations, and so is a matrix transpose. Any other order is left
to the array library.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from minitensor.backend.host.device import Device, ceil_div, ctype
from minitensor.backend.host.layout import GRID_LIMIT, UNITS, as_units, rows_by_items

TILE = 32
THIN = 8  # a matrix with fewer rows or columns would leave tiles all but empty


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
        >>> from minitensor.backend.host.transpose import exchange
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
