"""Normalisation: statistics over some axes, and what is left when they are taken out.

With mean m and biased variance v of x over the n elements of `axes`, and r = 1 / sqrt(v + epsilon),

    y = standardize(x) = (x - m) r,    gradient of x = r (g - mean(g) - y mean(g y))

m, v and r are computed once and kept by the tape, so a training step makes few passes over x.
All statistics keep the reduced axes with size 1. Scale and offset are the callers' business.
Local response normalisation looks at neighbouring channels instead.
"""

from __future__ import annotations

import math as numbers
from typing import Any

from minitensor.autograd import Tensor, primitive
from minitensor.ops import array, math, reduce
from minitensor.ops.half import rounded_once

Axes = tuple[int, ...]


@rounded_once
def standardize(x: Tensor, *, axes: Axes, epsilon: float) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon), with the statistics of x over `axes`."""
    centre, spread = moments(x, axes=axes)
    return standardize_by(x, centre, math.rsqrt(spread + epsilon), axes=axes)


def moments(x: Tensor, *, axes: Axes) -> tuple[Tensor, Tensor]:
    """Mean and biased variance over `axes`."""
    centre = mean(x, axes=axes)
    return centre, variance(x, centre, axes=axes)


@primitive
def mean(be: Any, x: Any, *, axes: Axes) -> Any:
    """The mean over `axes`, with more digits than adding up row by row would leave."""
    return _mean(be, axes, x)


@primitive
def variance(be: Any, x: Any, mean: Any, *, axes: Axes) -> Any:
    """The mean of (x - mean)^2 over `axes`; `mean` is that of x."""
    centred = x - mean
    return _mean(be, axes, centred, centred)


@primitive
def standardize_by(be: Any, x: Any, mean: Any, r: Any, *, axes: Axes) -> Any:
    """(x - mean) * r, where mean and r belong to x over `axes`.

    The derivative by x counts what x does through mean and r; those two only save work.
    """
    y = x - mean
    y *= r
    return y


@primitive
def standardize_grad(be: Any, g: Any, y: Any, r: Any, *, axes: Axes) -> Any:
    """r (g - mean(g) - y mean(g y)): g without its parts along 1 and along y, times r."""
    x = y * -_mean(be, axes, g, y)
    x += g
    x -= _mean(be, axes, g)
    x *= r
    return x


def _mean(be: Any, axes: Axes, a: Any, b: Any = None) -> Any:
    """The mean of a, or of a * b: along the longest axis first, then in float64."""
    if not axes:
        return a.copy() if b is None else a * b
    longest = max(axes, key=lambda axis: a.shape[axis])
    letters = list(range(a.ndim))
    if b is None:
        part = a.sum(axis=longest)
    else:
        part = be.xp.einsum(a, letters, b, letters, letters[:longest] + letters[longest + 1 :])
    part = be.xp.expand_dims(part, longest)
    total = part.sum(axis=axes, keepdims=True, dtype=be.xp.float64)
    return (total / (_count(a, axes) or numbers.nan)).astype(a.dtype)


def _count(x: Any, axes: Axes) -> int:
    return numbers.prod(x.shape[axis] for axis in axes)


def _mean_grad(g: Tensor, m: Tensor, x: Tensor, *, axes: Axes) -> Tensor:
    return array.broadcast_to(g * (1 / _count(x, axes)), shape=x.shape)


def _variance_grad(g: Tensor, v: Tensor, x: Tensor, mean: Tensor, *, axes: Axes) -> Tensor:
    return (x - mean) * (g * (2 / _count(x, axes)))


def _by_y(h: Tensor, x: Tensor, g: Tensor, y: Tensor, r: Tensor, *, axes: Axes) -> Tensor:
    return -(r * (h * mean(g * y, axes=axes) + g * mean(h * y, axes=axes)))


def _by_r(h: Tensor, x: Tensor, g: Tensor, y: Tensor, r: Tensor, *, axes: Axes) -> Tensor:
    return reduce.sum(h * x, axis=axes, keepdims=True) / r


mean.defvjp(_mean_grad)
# The mean's own share is sum(x - mean) = 0.
variance.defvjp(_variance_grad, None)
standardize_by.defvjp(
    lambda g, y, x, mean, r, *, axes: standardize_grad(g, y, r, axes=axes), None, None
)
standardize_grad.defvjp(
    lambda h, x, g, y, r, *, axes: standardize_grad(h, y, r, axes=axes), _by_y, _by_r
)


# ----- across channels -----


@rounded_once
def local_response(x: Tensor, *, radius: int, bias: float, alpha: float, beta: float) -> Tensor:
    """x / (bias + alpha * sum of x^2 over the channels at most `radius` away)^beta."""
    return x * math.power(channel_sum(math.square(x), radius=radius) * alpha + bias, -beta)


@primitive
def channel_sum(be: Any, x: Any, *, radius: int) -> Any:
    """y[..., c] = sum of x[..., j] over |j - c| <= radius: its own adjoint."""
    y = x.copy()
    for away in range(1, min(radius, x.shape[-1] - 1) + 1):
        y[..., away:] += x[..., :-away]
        y[..., :-away] += x[..., away:]
    return y


channel_sum.defvjp(lambda g, y, x, *, radius: channel_sum(g, radius=radius))
