"""How the memory-bound kernels are launched: rows and items; the host half of kernels/rows.cuh.

A row is one line of one image; an item is what one thread computes of it, usually a pack of
neighbouring channels. What a kernel only copies travels as a type of the same size.
"""

from __future__ import annotations

from typing import Any

from minitensor.backend.host.device import ceil_div
from minitensor.window import Pair

UNITS = {1: "uint8", 2: "float16", 4: "int32", 8: "int64"}  # itemsize -> what it is copied as
THREADS = 256
BLOCKS = 4096  # fill any GPU several times; beyond, a thread takes more rows and starts up once
GRID_LIMIT = 65535  # of y and z, by the hardware; kernels walk on beyond it


def rows_by_items(items: int, rows: int, width: int = THREADS) -> tuple[Pair, Pair]:
    """(grid, block): `width` items or fewer along x, rows along y."""
    across = min(width, power_of_two(items))
    down = THREADS // across
    blocks = ceil_div(items, across)
    return (blocks, min(ceil_div(rows, down), max(BLOCKS // blocks, 1))), (across, down)


def power_of_two(count: int) -> int:
    """The smallest power of two that is no less than `count`."""
    return 1 << (count - 1).bit_length()


def as_units(array: Any) -> Any:
    """The same bits as numbers that a kernel can copy."""
    return array.view(UNITS[array.dtype.itemsize])
