"""Kernels in Python that numba compiles: convolutions in tiles of registers, and loops over memory.

`registers` is the language of the convolutions, `flat` cuts loops. To import this room loads numba:
`choice` does, at the first call that is large enough.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.backend.numpy.compiled import (
    depthwise,
    direct,
    elementwise,
    few_channels,
    filter_grad,
    gelu,
    loss,
    norm,
    optimizer,
    pool,
    winograd,
    winograd_grad,
)
from minitensor.backend.numpy.compiled.jit import folder
from minitensor.window import Window

__all__ = [
    "conv2d", "conv2d_kernel_grad", "conv2d_transpose", "depthwise", "elementwise", "folder",
    "gelu", "loss", "norm", "optimizer", "pool", "probe", "way", "winograd",
]  # fmt: skip


def conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """y = W' x."""
    y: np.ndarray = way("conv2d", len(x), kernel.shape, window).conv2d(x, kernel, window)
    return y


def conv2d_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """x = W'^T y."""
    room = way("conv2d_transpose", len(y), kernel.shape, window)
    x: np.ndarray = room.conv2d_transpose(y, kernel, window)
    return x


def conv2d_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    """kernel = the sum over images and places of x^T y."""
    shape = (*window.kernel, x.shape[-1] // window.groups, y.shape[-1])
    room = way("conv2d_kernel_grad", len(x), shape, window)
    kernel: np.ndarray = room.conv2d_kernel_grad(x, y, window)
    return kernel


def way(op: str, images: int, kernel: tuple[int, ...], window: Window) -> Any:
    """The module that computes one of the three, for so many images and a kernel of that shape."""
    if kernel[2] == 1 < window.groups:
        return depthwise
    if winograd.chosen(images, kernel[2:], window):
        return winograd_grad if op == "conv2d_kernel_grad" else winograd
    if op == "conv2d_kernel_grad":
        return filter_grad
    if op == "conv2d_transpose" and few_channels.serves(kernel[2], window):
        return few_channels
    return direct


def probe() -> None:
    """Compile the smallest convolution, and look at its number: does numba work here?"""
    two = np.full((1, 1, 1, 1), 2, np.float32)
    if conv2d(two, two, Window.of((1, 1), (1, 1))).item() != 4:
        raise ArithmeticError("2 * 2 is not 4")
