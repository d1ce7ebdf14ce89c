"""Pooling: maxima, whose gradient goes to the tap that won, and means over the real pixels.

`window_argmax` finds which tap of each window wins and has no derivative. `put_tap` adds a
cotangent back to the winners, `take_tap` reads them: an adjoint pair, so every order works. The
mean is linear, and its adjoint spreads a cotangent over the pixels that were counted.

    x (N, H, W, C)    y (N, h, w, C)    index (N, h, w, C) tap numbers u*kw + v

One spatial axis is a plane of height 1; three are a plane, then the depth. Padding never wins and
is never counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.autograd import Tensor, primitive
from minitensor.autograd.walk import filled
from minitensor.ops import array
from minitensor.ops.half import rounded_once
from minitensor.window import Window


@primitive
def max_pool2d(be: Any, x: Any, *, window: Window) -> Any:
    """The maximum of each window's real pixels."""
    return be.max_pool(x, window)


@primitive
def window_argmax(be: Any, x: Any, *, window: Window) -> Any:
    """The tap of each window's maximum: the first of ties, or the first NaN."""
    return be.window_argmax(x, window)


@primitive
def take_tap(be: Any, x: Any, index: Any, *, window: Window) -> Any:
    """y[n,i,j,c] = the pixel of x under tap index[n,i,j,c] of window (i, j)."""
    return be.take_tap(x, index, window)


@primitive
def put_tap(be: Any, y: Any, index: Any, *, window: Window) -> Any:
    """The adjoint of take_tap: each y is added to the pixel that its window took."""
    return be.put_tap(y, index, window)


@primitive
def max_pool2d_grad(be: Any, g: Any, x: Any, *, window: Window) -> Any:
    """Each g is added to the pixel of x that won its window."""
    return be.put_tap(g, be.window_argmax(x, window), window)


max_pool2d.defvjp(lambda g, y, x, *, window: max_pool2d_grad(g, x, window=window))
max_pool2d_grad.defvjp(
    lambda h, y, g, x, *, window: take_tap(h, window_argmax(x, window=window), window=window),
    lambda h, y, g, x, *, window: filled(x, 0),  # who wins is flat in x, not unconnected
)
take_tap.defvjp(lambda g, y, x, index, *, window: put_tap(g, index, window=window), None)
put_tap.defvjp(lambda g, x, y, index, *, window: take_tap(g, index, window=window), None)


@primitive
def avg_pool2d(be: Any, x: Any, *, window: Window) -> Any:
    """The mean of each window's real pixels."""
    return be.avg_pool(x, window)


@primitive
def avg_pool2d_grad(be: Any, y: Any, *, window: Window) -> Any:
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
    n, c = x.shape[0], x.shape[-1]
    frames: tuple[int, ...] = x.shape[1:2] if depth else ()
    images = array.reshape(x, shape=(n * (frames[0] if depth else 1), *plane.size, c))
    y = pool(images, window=plane)  # (N·D, h, w, C)
    if depth is None:
        return y if x.ndim == 4 else array.reshape(y, shape=(n, plane.out[1], c))
    h, w = plane.out
    y = array.reshape(y, shape=(n, frames[0], 1, h * w * c))
    y = pool(y, window=depth)  # (N, d, 1, h·w·C)
    return array.reshape(y, shape=(n, depth.out[0], h, w, c))
