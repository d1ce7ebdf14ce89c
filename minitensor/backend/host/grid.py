"""How the memory-bound kernels are launched: how many blocks, how many numbers in one load.

A grid-stride kernel gets `grid_size` blocks. Kernels that walk images get rows and items, the host
half of kernels/rows.cuh: a row is one line of one image, an item is what one thread computes of it,
usually a pack of neighbouring channels. A thread that reads 16 bytes with one instruction keeps
memory busier than one that reads 4: `pack_of` says whether sizes and addresses allow it. What a
kernel only copies travels as a type of the same size.
"""

from __future__ import annotations

from typing import Any

from minitensor.backend.host.device import Device
from minitensor.window import Pair

UNITS = {1: "uint8", 2: "float16", 4: "int32", 8: "int64"}  # itemsize -> what it is copied as
THREADS = 256
BLOCKS = 4096  # fill any GPU several times; beyond, a thread takes more rows and starts up once
GRID_LIMIT = 65535  # of y and z, by the hardware; kernels walk on beyond it
PACK_BYTES = 16
_WIDEST = {"float32": 4, "float16": 8}  # numbers in a pack; double is wide enough alone


def ceil_div(a: int, b: int) -> int:
    """How many pieces of `b` cover `a`."""
    return -(-a // b)


def grid_size(total: int, block: int = 256, limit: int = 8192) -> int:
    """Blocks of a grid-stride kernel over `total` elements: enough to fill any GPU, and no more."""
    return min(max(ceil_div(total, block), 1), limit)


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


def pack_of(device: Device, size: int, first: Any, *others: Any) -> int:
    """Numbers of `first` in a pack: 16 bytes if runs of `size` and all addresses allow, else 1."""
    pack = _WIDEST.get(first.dtype.name, 1)
    aligned = all(device.address(array) % PACK_BYTES == 0 for array in (first, *others))
    return pack if aligned and size % pack == 0 else 1
