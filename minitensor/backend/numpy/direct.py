"""Convolution by its definition: one small matrix product per tap of the kernel.

    y[n, i, j, o] = sum over u, v, c of x[n, i*s + u*d - p, j*s + v*d - p, c] kernel[u, v, c, o]

Each tap of the kernel sees one shifted, strided image. Turning the arrows around gives the two
adjoints. Not here: blocks, buffers, threads.

Padding is simply where nobody reads: `taps` pairs real pixels with the outputs that read them, and
no padded image is needed. Pooling is such a loop over taps as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from minitensor.window import Window


class Tap(NamedTuple):
    """Tap number u * kw + v, its (u, v), and the pairs of slices over output and image."""

    number: int
    at: tuple[int, int]
    outputs: tuple[slice, slice]  # into (h, w): the output positions that read a pixel
    pixels: tuple[slice, slice]  # into (H, W)


@lru_cache(maxsize=256)
def taps(window: Window) -> tuple[Tap, ...]:
    """The taps of `window` that read at least one real pixel, in row-major order."""
    return tuple(_taps(window))


def _taps(window: Window) -> Iterator[Tap]:
    kh, kw = window.kernel
    met = [[(t, window.meet(axis, t)) for t in range(n)] for axis, n in enumerate((kh, kw))]
    rows, columns = ([(t, slices) for t, slices in pairs if slices] for pairs in met)
    for u, (outputs, pixels) in rows:
        for v, (across, seen) in columns:
            yield Tap(u * kw + v, (u, v), (outputs, across), (pixels, seen))


# ----- the three convolutions -----


def conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """y[outputs] = sum over taps of x[pixels] kernel[tap]."""
    x, kernel = _split(x, window.groups), _split(kernel, window.groups)
    y = np.zeros((len(x), *window.out, window.groups, kernel.shape[-1]), x.dtype)
    for tap in taps(window):
        y[:, *tap.outputs] += np.einsum("nhwgc,cgo->nhwgo", x[:, *tap.pixels], kernel[tap.at])
    return _merge(y)


def conv2d_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """x[pixels] = sum over taps of y[outputs] kernel[tap]^T."""
    y, kernel = _split(y, window.groups), _split(kernel, window.groups)
    x = np.zeros((len(y), *window.size, window.groups, kernel.shape[2]), y.dtype)
    for tap in taps(window):
        x[:, *tap.pixels] += np.einsum("nhwgo,cgo->nhwgc", y[:, *tap.outputs], kernel[tap.at])
    return _merge(x)


def conv2d_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    """kernel[tap] = sum over images and outputs of x[pixels]^T y[outputs]."""
    x, y = _split(x, window.groups), _split(y, window.groups)
    kernel = np.zeros((*window.kernel, x.shape[-1], *y.shape[-2:]), x.dtype)
    for tap in taps(window):
        kernel[tap.at] = np.einsum("nhwgc,nhwgo->cgo", x[:, *tap.pixels], y[:, *tap.outputs])
    return _merge(kernel)


def _split(array: np.ndarray, groups: int) -> np.ndarray:
    """(..., groups * m) as (..., groups, m)."""
    return array.reshape(*array.shape[:-1], groups, array.shape[-1] // groups)


def _merge(array: np.ndarray) -> np.ndarray:
    """(..., groups, m) as (..., groups * m)."""
    return array.reshape(*array.shape[:-2], array.shape[-2] * array.shape[-1])
