"""Products of matrices: the array library's, or, where that may not run, a convolution's kernel.

Rows of `a` as images of one pixel, its columns as their channels: then a 1x1 convolution is a
product of matrices. A CUDA graph is recorded so, because CuPy refuses to call cuBLAS while it
captures a stream (backend/cuda/device.py). The twin is NumPy's matmul.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.backend.half import in_float32
from minitensor.backend.host import register
from minitensor.backend.host.device import Device
from minitensor.window import Window

_POINT = Window.of((1, 1), (1, 1))


def matmul(device: Device, a: Any, b: Any) -> Any:
    """y[..., i, j] = sum over k of a[..., i, k] b[..., k, j]; the axes in front broadcast."""
    if device.has_library or a.dtype.kind != "f":
        return device.xp.matmul(a, b)
    return by_kernel(device, a, b)


@in_float32
def by_kernel(device: Device, a: Any, b: Any) -> Any:
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
