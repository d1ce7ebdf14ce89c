"""Kernels in Python that numba compiles: convolutions in tiles of registers, and loops over memory.

`registers` is the language of the convolutions, `flat` cuts loops. To import this room loads numba:
`choice` does, at the first call that is large enough.
"""

from __future__ import annotations

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
from minitensor.window import Window


def conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """y = W' x."""
    if kernel.shape[2] == 1 < window.groups:
        return depthwise.conv2d(x, kernel, window)
    if winograd.chosen(len(x), kernel.shape[2:], window):
        return winograd.conv2d(x, kernel, window)
    return direct.conv2d(x, kernel, window)


def conv2d_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """x = W'^T y."""
    if kernel.shape[2] == 1 < window.groups:
        return depthwise.conv2d_transpose(y, kernel, window)
    if winograd.chosen(len(y), kernel.shape[2:], window):
        return winograd.conv2d_transpose(y, kernel, window)
    if few_channels.serves(kernel.shape[2], window):
        return few_channels.conv2d_transpose(y, kernel, window)
    return direct.conv2d_transpose(y, kernel, window)


def conv2d_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    """kernel = the sum over images and places of x^T y."""
    if 1 < window.groups == x.shape[-1]:
        return depthwise.conv2d_kernel_grad(x, y, window)
    if winograd.chosen(len(x), (x.shape[-1], y.shape[-1]), window):
        return winograd_grad.conv2d_kernel_grad(x, y, window)
    return filter_grad.conv2d_kernel_grad(x, y, window)


def probe() -> None:
    """Compile the smallest convolution, and look at its number: does numba work here?"""
    two = np.full((1, 1, 1, 1), 2, np.float32)
    if conv2d(two, two, Window.of((1, 1), (1, 1))).item() != 4:
        raise ArithmeticError("2 * 2 is not 4")
