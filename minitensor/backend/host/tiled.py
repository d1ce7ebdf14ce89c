"""Convolution in tiles of shared memory: conv_tiled.cu, rung 1 of the ladder.

The lesson between conv_direct.cu and conv_register.cu; nothing chooses it unasked. The twin is
minitensor/backend/numpy/blocked.py.
"""

from __future__ import annotations

from typing import Any

from minitensor.backend.host import product
from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device
from minitensor.window import Window

_TILE = 16
_FULL = 1024  # blocks of 256 threads, eight on each of an H100's 132 processors
_FEWEST = 128  # steps of the depth that are worth a block


def conv2d(device: Device, x: Any, kernel: Any, window: Window) -> Any:
    """Rows are positions, the depth is taps."""
    return _multiplied(device, x, kernel, product.forward(x, kernel, window))


def conv2d_transpose(device: Device, y: Any, kernel: Any, window: Window) -> Any:
    """Rows are the pixels of a phase, the depth is its taps."""
    return _multiplied(device, y, kernel, product.input_grad(y, kernel, window))


def conv2d_kernel_grad(device: Device, x: Any, y: Any, window: Window) -> Any:
    """Rows are taps, the depth is positions."""
    return _multiplied(device, x, y, product.filter_grad(x, y, window))


def _multiplied(device: Device, a: Any, b: Any, task: product.Product) -> Any:
    a, b = device.contiguous(a), device.contiguous(b)
    down, across = task.blocks((_TILE, _TILE))
    splits = product.splits(task, (_TILE, _TILE), a.itemsize, _FULL, _FEWEST)

    def fill(c: Any) -> None:
        name, grid = f"conv_tiled<{task.problem}, {ctype(a.dtype)}>", task.parts * splits
        sizes = (task.window, *task.sizes, task.window.groups, splits, c.size // splits)
        device.launch(name, (down, across, grid), _TILE * _TILE, a, b, c, *sizes)

    return product.summed(device, task.shape, a.dtype, splits, fill)
