"""Convolution by its definition: one small matrix product per tap of the kernel.

    y[n, i, j, o] = sum over u, v, c of x[n, i*s + u*d - p, j*s + v*d - p, c] kernel[u, v, c, o]

Each tap of the kernel sees one shifted, strided image. Turning the arrows around gives the two
adjoints. Not here: blocks, buffers, threads.
"""

from __future__ import annotations

import numpy as np

from minitensor.backend.numpy.taps import taps
from minitensor.window import Window


def conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """y[places] = sum over taps of x[pixels] kernel[tap]."""
    x, kernel = _split(x, window.groups), _split(kernel, window.groups)
    y = np.zeros((len(x), *window.out, window.groups, kernel.shape[-1]), x.dtype)
    for tap in taps(window):
        y[:, *tap.places] += np.einsum("nhwgc,cgo->nhwgo", x[:, *tap.pixels], kernel[tap.at])
    return _merge(y)


def conv2d_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """x[pixels] = sum over taps of y[places] kernel[tap]^T."""
    y, kernel = _split(y, window.groups), _split(kernel, window.groups)
    x = np.zeros((len(y), *window.size, window.groups, kernel.shape[2]), y.dtype)
    for tap in taps(window):
        x[:, *tap.pixels] += np.einsum("nhwgo,cgo->nhwgc", y[:, *tap.places], kernel[tap.at])
    return _merge(x)


def conv2d_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    """kernel[tap] = sum over images and places of x[pixels]^T y[places]."""
    x, y = _split(x, window.groups), _split(y, window.groups)
    kernel = np.zeros((*window.kernel, x.shape[-1], *y.shape[-2:]), x.dtype)
    for tap in taps(window):
        kernel[tap.at] = np.einsum("nhwgc,nhwgo->cgo", x[:, *tap.pixels], y[:, *tap.places])
    return _merge(kernel)


def _split(array: np.ndarray, groups: int) -> np.ndarray:
    """(..., groups * m) as (..., groups, m)."""
    return array.reshape(*array.shape[:-1], groups, array.shape[-1] // groups)


def _merge(array: np.ndarray) -> np.ndarray:
    """(..., groups, m) as (..., groups * m)."""
    return array.reshape(*array.shape[:-2], array.shape[-2] * array.shape[-1])
