"""Convolution in tiles of shared memory: conv_tiled.cu, rung 1 of the ladder.

The lesson between conv_direct.cu and conv_register.cu; nothing chooses it unasked. Rows are
positions and the depth is taps; of the adjoints rows are the pixels of a phase and the depth its
taps, or rows are taps and the depth positions. The twin is minitensor/backend/numpy/blocked.py.
"""

from __future__ import annotations

from typing import Any

from minitensor.backend.host import product
from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device

_TILE = 16
_FULL = 1024  # blocks of 256 threads, eight on each of an H100's 132 processors
_FEWEST = 128  # steps of the depth that are worth a block


def _multiplied(device: Device, a: Any, b: Any, task: product.Product) -> Any:
    a, b = device.contiguous(a), device.contiguous(b)
    down, across = task.blocks((_TILE, _TILE))
    splits = product.splits(task, (_TILE, _TILE), a.itemsize, _FULL, _FEWEST)

    def fill(c: Any) -> None:
        name, grid = f"conv_tiled<{task.problem}, {ctype(a.dtype)}>", task.parts * splits
        sizes = (task.window, *task.sizes, task.window.groups, splits, c.size // splits)
        device.launch(name, (down, across, grid), _TILE * _TILE, a, b, c, *sizes)

    return product.summed(device, task.shape, a.dtype, splits, fill)


conv2d, conv2d_transpose, conv2d_kernel_grad = product.convolutions(_multiplied)
