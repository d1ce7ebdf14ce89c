"""Greyscale dilation: a maximum over windows of image plus filter.

Which tap of each window wins is found first and has no derivative; then the image is read at the
winner, and so is the filter. Reading is linear, so derivatives of every order follow.

    x (N, H, W, C)    kernel (kh, kw, C)    tap (N, h, w, C) numbers u*kw + v
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor, primitive
from minitensor.backend.protocol import Backend
from minitensor.ops import array
from minitensor.ops.pool import take_tap
from minitensor.window import Window


def dilation2d(x: Tensor, kernel: Tensor, *, window: Window) -> Tensor:
    """The image at the winning taps, plus the filter at the winning taps."""
    tap = winning_tap(x, kernel, window=window)
    channels = kernel.shape[2]
    rows = array.reshape(kernel, shape=(window.taps, channels))
    winners = array.reshape(tap, shape=(tap.array.size // max(channels, 1), channels))
    height = array.reshape(array.take_along_axis(rows, winners, axis=0), shape=tap.shape)
    return take_tap(x, tap, window=window) + height


@primitive
def winning_tap(be: Backend, x: Any, kernel: Any, *, window: Window) -> Any:
    """(N, h, w, C) numbers u*kw + v of the first largest, or first NaN, sum on real pixels."""
    xp = be.xp
    best = xp.zeros((x.shape[0], *window.out, x.shape[3]), x.dtype)
    tap = xp.full(best.shape, -1, xp.int64)
    for u in range(window.kernel[0]):
        row, row_is_real = _pixels(xp, window, 0, u)
        for v in range(window.kernel[1]):
            column, column_is_real = _pixels(xp, window, 1, v)
            value = x[:, row][:, :, column] + kernel[u, v]
            wins = (tap < 0) | (~(value <= best) & (best == best))
            wins &= (row_is_real[:, None] & column_is_real)[:, :, None]
            best = be.where(wins, value, best)
            tap = be.where(wins, xp.asarray(u * window.kernel[1] + v), tap)
    return tap


def _pixels(xp: Any, window: Window, axis: int, tap: int) -> tuple[Any, Any]:
    """For each output along an axis the pixel under a tap, and whether it is in the image."""
    starts = xp.arange(window.out[axis]) * window.stride[axis]
    pixel = starts + tap * window.dilation[axis] - window.pad[axis][0]
    last = window.size[axis] - 1
    return xp.clip(pixel, 0, last), (pixel >= 0) & (pixel <= last)
