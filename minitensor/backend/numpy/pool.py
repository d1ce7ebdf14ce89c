"""Pooling: maxima, which tap each came from, and means over the real pixels.

Only a gradient needs to know which tap won. `put_tap` adds a cotangent back to it, `take_tap`
reads it, and each is the derivative of the other. A window that touches no pixel at all
(possible with dilation) has the lowest value, and tap 0.

Each op is a loop over taps; blocks of images keep its many passes in cache. Images are
(N, H, W, C), with (H, W) = window.size; y, g and index, int32 tap numbers u * kw + v, are
(N, h, w, C). Means are of floats, maxima of any real dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from minitensor.backend.half import in_float32, slow_in_float32
from minitensor.backend.numpy.blocks import SLOWNESS, Block, over_blocks
from minitensor.backend.numpy.choice import compiled
from minitensor.backend.numpy.direct import taps
from minitensor.window import Window, real_taps


@slow_in_float32
def max_pool(x: np.ndarray, window: Window) -> np.ndarray:
    """The maximum of each window's real pixels; NaN if one of them is.

    Example:
        >>> import numpy as np
        >>> from minitensor.backend import numpy as be
        >>> from minitensor.window import Window
        >>> x = np.array([[1.0, 3.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)
        >>> be.max_pool(x, Window.of((2, 2), (2, 2))).item()
        3.0
    """
    room = _compiled(x, window)
    if room is not None:
        return room.pool.max_pool(x, window)  # type: ignore[no-any-return]
    y = np.full((len(x), *window.out, x.shape[-1]), _lowest(x.dtype), x.dtype)
    _block_by_block(_maxima, window, x, y)
    return y


@slow_in_float32
def window_argmax(x: np.ndarray, window: Window) -> np.ndarray:
    """The tap of each window's first maximum, in row-major order.

    Padding never wins. A NaN counts as the maximum; the first NaN wins.

    Example:
        >>> import numpy as np
        >>> from minitensor.backend import numpy as be
        >>> from minitensor.window import Window
        >>> x = np.array([[1.0, 3.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)
        >>> be.window_argmax(x, Window.of((2, 2), (2, 2))).item()
        1
    """
    room = _compiled(x, window)
    if room is not None:
        return room.pool.window_argmax(x, window)  # type: ignore[no-any-return]
    index = np.zeros((len(x), *window.out, x.shape[-1]), np.int32)
    _block_by_block(_argmax, window, x, index)
    return index


def take_tap(x: np.ndarray, index: np.ndarray, window: Window) -> np.ndarray:
    """The pixel under tap `index` of each window."""
    y = np.zeros(index.shape, x.dtype)
    _block_by_block(_take, window, x, index, y)
    return y


@in_float32
def put_tap(g: np.ndarray, index: np.ndarray, window: Window) -> np.ndarray:
    """The adjoint of `take_tap`: each g is added to the pixel under tap `index` of its window."""
    room = _compiled(g, window)
    if room is not None:
        return room.pool.put_tap(g, index, window)  # type: ignore[no-any-return]
    x = np.zeros((len(g), *window.size, g.shape[-1]), g.dtype)
    _block_by_block(_put, window, x, index, g)
    return x


@slow_in_float32
def max_pool_grad(g: np.ndarray, x: np.ndarray, window: Window) -> np.ndarray:
    """Each g is added to the pixel of x that won its window: put_tap(g, window_argmax(x))."""
    room = _compiled(x, window)
    if room is not None and g.dtype == x.dtype:
        return room.pool.max_pool_grad(g, x, window)  # type: ignore[no-any-return]
    return put_tap(g, window_argmax(x, window), window)


@in_float32
def avg_pool(x: np.ndarray, window: Window) -> np.ndarray:
    """The mean of each window's real pixels; padding is not counted.

    Example:
        >>> import numpy as np
        >>> from minitensor.backend import numpy as be
        >>> from minitensor.window import Window
        >>> x = np.array([2.0, 4.0]).reshape(1, 1, 2, 1)
        >>> be.avg_pool(x, Window.of((1, 2), (1, 2), padding="SAME")).ravel()
        array([3., 4.])
    """
    room = _compiled(x, window)
    if room is not None:
        return room.pool.avg_pool(x, window)  # type: ignore[no-any-return]
    y = np.zeros((len(x), *window.out, x.shape[-1]), x.dtype)
    _block_by_block(_gather_sum, window, x, y)
    y /= _counts(window, x.dtype)
    return y


@in_float32
def avg_pool_grad(g: np.ndarray, window: Window) -> np.ndarray:
    """The adjoint of `avg_pool`: each g is spread evenly over its window's real pixels."""
    room = _compiled(g, window)
    if room is not None:
        return room.pool.avg_pool_grad(g, window)  # type: ignore[no-any-return]
    x = np.zeros((len(g), *window.size, g.shape[-1]), g.dtype)
    _block_by_block(_scatter_sum, window, x, g / _counts(window, g.dtype))
    return x


def _compiled(images: np.ndarray, window: Window) -> Any:
    """The room of compiled kernels, for a call that is worth it."""
    size = len(images) * images.shape[-1] * prod(window.size)
    return compiled(SLOWNESS * size, images.dtype) if prod(window.out) else None


# ----- what happens to one block; the last array is written, or the first -----


def _lowest(dtype: np.dtype) -> float:
    """What loses to every pixel."""
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def _maxima(x: np.ndarray, y: np.ndarray, window: Window) -> None:
    for tap in taps(window):
        top = y[:, *tap.outputs]
        np.maximum(x[:, *tap.pixels], top, out=top)  # NaN if either is; the first of equals


def _argmax(x: np.ndarray, index: np.ndarray, window: Window) -> None:
    best = np.full(index.shape, _lowest(x.dtype), x.dtype)
    _maxima(x, best, window)
    missed, number = np.ones(index.shape, bool), 0  # the first winner is this tap or a later one
    for tap in taps(window):
        index += np.multiply(missed, tap.number - number, dtype=np.int32)
        number = tap.number
        missed[:, *tap.outputs] &= x[:, *tap.pixels] != best[:, *tap.outputs]
    if missed.any():
        _argmax_nan(x, index, missed, window)


def _argmax_nan(x: np.ndarray, index: np.ndarray, missed: np.ndarray, window: Window) -> None:
    """Where no tap equals the maximum, the first NaN; 0 where a window has no pixel at all."""
    index[missed] = 0
    for tap in reversed(taps(window)):  # so the first NaN is written last
        nans = np.isnan(x[:, *tap.pixels]) & missed[:, *tap.outputs]
        np.copyto(index[:, *tap.outputs], tap.number, where=nans)


def _take(x: np.ndarray, index: np.ndarray, y: np.ndarray, window: Window) -> None:
    x, y = _bits(x), _bits(y)
    for tap in taps(window):
        y[:, *tap.outputs] |= x[:, *tap.pixels] * (index[:, *tap.outputs] == tap.number)


def _put(x: np.ndarray, index: np.ndarray, g: np.ndarray, window: Window) -> None:
    bits = _bits(g)
    for tap in taps(window):
        chosen = bits[:, *tap.outputs] * (index[:, *tap.outputs] == tap.number)
        x[:, *tap.pixels] += chosen.view(x.dtype)


def _bits(array: np.ndarray) -> np.ndarray:
    """The same bits as integers: times 0 or 1 they choose, several times faster than a mask."""
    return array.view(f"i{array.itemsize}")


def _gather_sum(x: np.ndarray, y: np.ndarray, window: Window) -> None:
    for tap in taps(window):
        y[:, *tap.outputs] += x[:, *tap.pixels]


def _scatter_sum(x: np.ndarray, y: np.ndarray, window: Window) -> None:
    for tap in taps(window):
        x[:, *tap.pixels] += y[:, *tap.outputs]


def _block_by_block(
    function: Callable[..., None], window: Window, x: np.ndarray, *ys: np.ndarray
) -> None:
    """function(x, *ys, window) for each block; x are images, ys what stands at output positions."""
    n, _, _, c = x.shape
    if x.size == 0 or ys[0].size == 0:
        return

    def work(blocks: Sequence[Block]) -> None:
        for images, rows, seen in blocks:
            function(x[images], *(y[images, rows] for y in ys), seen)

    multiply_adds = SLOWNESS * ys[0].size * window.taps
    over_blocks(work, n, c, x.itemsize, window, multiply_adds, whole_images=True)


def _counts(window: Window, dtype: np.dtype) -> np.ndarray:
    """How many real pixels each window covers, at least 1; (h, w, 1)."""
    rows, columns = (
        real_taps(*axis)
        for axis in zip(
            window.size, window.kernel, window.stride, window.dilation, window.pad, strict=True
        )
    )
    counts: np.ndarray = np.maximum(np.outer(rows, columns), 1)
    return counts[..., None].astype(dtype)  # (h, w, 1)
