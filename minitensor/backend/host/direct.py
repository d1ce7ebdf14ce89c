"""Convolution by its definition on a device: conv_direct.cu, one thread for one number.

Rung 0 of the ladder, and the lesson that the others are compared with. The twin is
minitensor/backend/numpy/direct.py.
"""

from __future__ import annotations

from typing import Any

from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device
from minitensor.backend.host.grid import grid_size
from minitensor.window import Window


def conv2d(device: Device, x: Any, kernel: Any, window: Window) -> Any:
    """Each y sums over the taps of the window."""
    y = device.empty((len(x), *window.out, kernel.shape[-1]), x.dtype)
    sizes = (x.shape[-1], y.shape[-1], window.groups, y.size)
    _launch(device, "forward", x, kernel, y, window, *sizes)
    return y


def conv2d_transpose(device: Device, y: Any, kernel: Any, window: Window) -> Any:
    """Each x sums over the positions that saw it."""
    x = device.empty((len(y), *window.size, kernel.shape[2] * window.groups), y.dtype)
    sizes = (x.shape[-1], y.shape[-1], window.groups, x.size)
    _launch(device, "input_grad", y, kernel, x, window, *sizes)
    return x


def conv2d_kernel_grad(device: Device, x: Any, y: Any, window: Window) -> Any:
    """Each weight sums over the images and positions."""
    c, o = x.shape[-1], y.shape[-1]
    kernel = device.empty((*window.kernel, c // window.groups, o), x.dtype)
    sizes = (len(x), c, o, window.groups, kernel.size)
    _launch(device, "filter_grad", x, y, kernel, window, *sizes)
    return kernel


def _launch(device: Device, op: str, a: Any, b: Any, c: Any, *rest: Any) -> None:
    name = f"conv_direct_{op}<{ctype(c.dtype)}>"
    arrays = device.contiguous(a), device.contiguous(b), c
    device.launch(name, grid_size(c.size), 256, *arrays, *rest)
