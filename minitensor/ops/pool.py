"""Pooling: maxima, whose gradient goes to the tap that won, and means over the real pixels.

`window_argmax` finds which tap of each window wins and has no derivative. `put_tap` adds a
cotangent back to the winners, `take_tap` reads them: an adjoint pair, so every order works. The
mean is linear, and its adjoint spreads a cotangent over the pixels that were counted.

    x (N, H, W, C)    y (N, h, w, C)    index (N, h, w, C) tap numbers u*kw + v

One spatial axis is a plane of height 1; three are a plane, then the depth. Padding never wins and
is never counted. Fractional pooling has regions of unequal size instead of a window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, primitive, to_device_of
from minitensor.autograd.walk import filled
from minitensor.backend.protocol import Backend
from minitensor.ops import array, reduce
from minitensor.ops.math import rounded_once
from minitensor.window import Window


@primitive
def max_pool2d(be: Backend, x: Any, *, window: Window) -> Any:
    """The maximum of each window's real pixels."""
    return be.max_pool(x, window)


@primitive
def window_argmax(be: Backend, x: Any, *, window: Window) -> Any:
    """The tap of each window's maximum: the first of ties, or the first NaN."""
    return be.window_argmax(x, window)


@primitive
def take_tap(be: Backend, x: Any, index: Any, *, window: Window) -> Any:
    """y[n,i,j,c] = the pixel of x under tap index[n,i,j,c] of window (i, j)."""
    return be.take_tap(x, index, window)


@primitive
def put_tap(be: Backend, y: Any, index: Any, *, window: Window) -> Any:
    """The adjoint of take_tap: each y is added to the pixel that its window took."""
    return be.put_tap(y, index, window)


@primitive
def max_pool2d_grad(be: Backend, g: Any, x: Any, *, window: Window) -> Any:
    """Each g is added to the pixel of x that won its window."""
    return be.max_pool_grad(g, x, window)


max_pool2d.defvjp(lambda g, y, x, *, window: max_pool2d_grad(g, x, window=window))
max_pool2d_grad.defvjp(
    lambda h, y, g, x, *, window: take_tap(h, window_argmax(x, window=window), window=window),
    lambda h, y, g, x, *, window: filled(x, 0),  # who wins is flat in x, not unconnected
)
take_tap.defvjp(lambda g, y, x, index, *, window: put_tap(g, index, window=window), None)
put_tap.defvjp(lambda g, x, y, index, *, window: take_tap(g, index, window=window), None)


@primitive
def avg_pool2d(be: Backend, x: Any, *, window: Window) -> Any:
    """The mean of each window's real pixels."""
    return be.avg_pool(x, window)


@primitive
def avg_pool2d_grad(be: Backend, y: Any, *, window: Window) -> Any:
    """The adjoint of avg_pool2d: each y is spread evenly over its window's real pixels."""
    return be.avg_pool_grad(y, window)


avg_pool2d.defvjp(lambda g, y, x, *, window: avg_pool2d_grad(g, window=window))
avg_pool2d_grad.defvjp(lambda g, x, y, *, window: avg_pool2d(g, window=window))


# ----- any number of spatial axes -----


def max_pool(x: Tensor, *, depth: Window | None, plane: Window) -> Tensor:
    """Maxima over one, two or three spatial axes; ties go to the first in row-major order."""
    return _over_all(max_pool2d, x, depth, plane)


@rounded_once
def avg_pool(x: Tensor, *, depth: Window | None, plane: Window) -> Tensor:
    """Means over one, two or three spatial axes; the counts of real pixels multiply."""
    return _over_all(avg_pool2d, x, depth, plane)


def _over_all(
    pool: Callable[..., Tensor], x: Tensor, depth: Window | None, plane: Window
) -> Tensor:
    """The window over planes; then, over depth, with all else as channels."""
    n, frames, c = x.shape[0], x.shape[1] if depth else 1, x.shape[-1]
    y = x if x.ndim == 4 else array.reshape(x, shape=(n * frames, *plane.size, c))
    for window in plane.passes:
        y = pool(y, window=window)  # (N·D, h, w, C)
    if x.ndim == 4:
        return y
    if depth is None:
        return array.reshape(y, shape=(n, plane.out[1], c))
    h, w = plane.out
    y = array.reshape(y, shape=(n, frames, 1, h * w * c))
    y = pool(y, window=depth.trimmed)  # (N, d, 1, h·w·C)
    return array.reshape(y, shape=(n, depth.out[0], h, w, c))


def max_pool_with_tap(x: Tensor, *, window: Window) -> tuple[Tensor, Tensor]:
    """The maxima over a plane, and the number u * kw + v of the tap that each came from."""
    taps: list[Tensor] = []
    for part in window.passes:
        tap = window_argmax(x, window=part)
        taps = [take_tap(before, tap, window=part) for before in taps] + [tap]
        x = take_tap(x, tap, window=part)
    tap = taps[-1] if len(taps) == 1 else taps[1] * window.kernel[1] + taps[0]
    return x, tap  # both (N, h, w, C)


# ----- regions of unequal size, given by where they begin along each axis -----
#
# rows (h + 1,) and columns (w + 1,) are ints, from 0 to H and W. Regions are gathered into patches
# of the size of the largest; a shorter one repeats its last pixel, which changes no maximum and is
# left out of a mean. All steps are linear readings, so derivatives of every order follow.


def fractional_max_pool(x: Tensor, *, rows: Any, columns: Any, overlapping: bool) -> Tensor:
    """The maximum of each region: the first of ties, or the first NaN."""
    patches, _ = _patches(x, rows, columns, overlapping)
    winner = reduce.argmax(patches, axis=3)
    n, h, w, c = winner.shape
    chosen = array.reshape(winner, shape=(n, h, w, 1, c))
    return array.reshape(array.take_along_axis(patches, chosen, axis=3), shape=(n, h, w, c))


@rounded_once
def fractional_avg_pool(x: Tensor, *, rows: Any, columns: Any, overlapping: bool) -> Tensor:
    """The mean of each region."""
    patches, real = _patches(x, rows, columns, overlapping)
    share = real / real.sum(2, keepdims=True)  # (h, w, L)
    return reduce.sum(patches * to_device_of(share[..., None].astype(x.dtype), x), axis=3)


def _patches(x: Tensor, rows: Any, columns: Any, overlapping: bool) -> tuple[Tensor, np.ndarray]:
    """(N, h, w, L, C) pixels of each region in row-major order, and which of the L are real."""
    n, height, width, c = x.shape
    row, row_is_real = _region(rows, height, overlapping)
    column, column_is_real = _region(columns, width, overlapping)
    (h, tall), (w, wide) = row.shape, column.shape
    x = array.gather(x, row.reshape(-1), axis=1)  # (N, h·tall, W, C)
    x = array.gather(x, column.reshape(-1), axis=2)  # (N, h·tall, w·wide, C)
    x = array.reshape(x, shape=(n, h, tall, w, wide, c))
    x = array.transpose(x, axes=(0, 1, 3, 2, 4, 5))  # (N, h, w, tall, wide, C)
    real = row_is_real[:, None, :, None] & column_is_real[None, :, None, :]
    return array.reshape(x, shape=(n, h, w, tall * wide, c)), real.reshape(h, w, tall * wide)


def _region(begins: Any, size: int, overlapping: bool) -> tuple[np.ndarray, np.ndarray]:
    """(regions, longest) pixels along one axis, the last repeated, and which are no repeats."""
    begins = np.asarray(begins, np.int64)
    last = np.minimum(begins[1:] - (not overlapping), size - 1)
    steps = np.arange(int((last - begins[:-1]).max()) + 1)
    pixel = begins[:-1, None] + steps
    return np.minimum(pixel, last[:, None]), pixel <= last[:, None]
