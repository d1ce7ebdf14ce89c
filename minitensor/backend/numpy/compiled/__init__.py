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
    few_places,
    filter_grad,
    gelu,
    half,
    loss,
    norm,
    optimizer,
    pool,
    winograd,
    winograd_grad,
)
from minitensor.backend.numpy.compiled.jit import folder
from minitensor.backend.settings import pinned_algorithm
from minitensor.window import Window

__all__ = [
    "algorithm_for", "elementwise", "few_places", "folder", "gelu", "half", "loss", "norm",
    "optimizer", "pool", "probe", "winograd",
]  # fmt: skip


def algorithm_for(
    op: str, dtype: np.dtype[Any], images: int, kernel: tuple[int, ...], window: Window
) -> Any:
    """The module that has `op`, one of conv2d and its adjoints, for images and a kernel's shape."""
    if kernel[2] == 1 < window.groups:
        return depthwise
    few = op == "conv2d" and few_places.serves(images, kernel, dtype, window)
    if few and pinned_algorithm() != "winograd":
        return few_places
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
    if direct.conv2d(two, two, Window.of((1, 1), (1, 1))).item() != 4:
        raise ArithmeticError("2 * 2 is not 4")
