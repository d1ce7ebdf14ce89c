"""im2col and col2im on a device: the twins of minitensor/backend/numpy/columns.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minitensor.backend.half import bfloat16_in_float32
from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device
from minitensor.backend.host.grid import UNITS, pack_of, rows_by_items
from minitensor.window import Window


def im2col(device: Device, x: Any, window: Window) -> Any:
    """Each position's patch as a row: (N, H, W, C) -> (N, h, w, kh*kw*C), any dtype."""
    n, _, _, c = x.shape
    columns = device.empty((n, *window.out, window.taps * c), x.dtype)
    gather(device, x, replace(window, groups=1), columns)
    return columns


@bfloat16_in_float32
def col2im(device: Device, columns: Any, window: Window) -> Any:
    """The adjoint of `im2col`: (N, h, w, kh*kw*C) -> (N, H, W, C)."""
    n, _, _, width = columns.shape
    x = device.empty((n, *window.size, width // window.taps), columns.dtype)
    scatter(device, columns, x, replace(window, groups=1))
    return x


def gather(device: Device, x: Any, window: Window, columns: Any) -> None:
    """Writes the patches of x into `columns`, (G, N*h*w, kh*kw*C/G) in any shape."""
    if columns.size == 0:
        return
    x = device.contiguous(x)
    run = x.shape[-1] // window.groups * x.dtype.itemsize  # bytes that stay together
    limits = run, device.address(x), device.address(columns)
    size = next(size for size in (16, 8, 4, 2, 1) if not any(n % size for n in limits))
    unit, pack = (UNITS[4], 4) if size == 16 else (UNITS[size], 1)
    packs, rows = run // size, len(x) * window.out[0]
    items = window.out[1] * window.taps * packs
    grid, block = rows_by_items(items, rows)
    device.launch(
        f"im2col<{ctype(unit)}, {pack}>",
        *((*grid, window.groups), block, x.view(unit)),
        *(columns.view(unit), window, packs, items, rows),
    )


def scatter(device: Device, columns: Any, x: Any, window: Window) -> None:
    """Writes into x the sums over `columns` (G, N*h*w, kh*kw*C/G), in any shape, of each pixel."""
    if columns.size == 0:
        x.fill(0)
    if x.size == 0 or columns.size == 0:
        return
    columns = device.contiguous(columns)
    channels = x.shape[-1] // window.groups
    pack = pack_of(device, channels, columns, x)
    packs, rows = channels // pack, len(x) * window.size[0]
    items = window.size[1] * packs
    grid, block = rows_by_items(items, rows)
    device.launch(
        f"col2im<{ctype(x.dtype)}, {pack}>",
        *((*grid, window.groups), block, columns),
        *(x, window, packs, items, rows),
    )
