"""Normalisation: the mean taken away, and the spread divided out.

    c = centre(x)            x minus its mean over some axes, a projection: its own adjoint
    v = mean_square(c)       the biased variance
    y = affine(c, rsqrt(v + epsilon) * scale, offset)

Layer, instance and group normalisation are made of these, derivatives included. Statistics keep
the reduced axes with size 1. Local response normalisation looks at neighbouring channels:

    x / (bias + alpha * sum of x^2 over the channels at most `radius` away)^beta

Not here: batch normalisation in training (batch_norm.py).
"""

from __future__ import annotations

import math as numbers
from typing import Any

from minitensor.autograd import Tensor, primitive
from minitensor.backend.protocol import Backend
from minitensor.ops import array, math
from minitensor.ops.math import rounded_once

Axes = tuple[int, ...]


@rounded_once
def standardize(x: Tensor, *, axes: Axes, epsilon: float) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon), with the statistics of x over `axes`."""
    c = centre(x, axes=axes)
    return c * math.rsqrt(mean_square(c, axes=axes) + epsilon)


@rounded_once
def standardize_groups(x: Tensor, *, groups: int, epsilon: float) -> Tensor:
    """(N, P, C) standardised over P and the channels of each group.

    Channels are averaged first and then their averages, so that no loop runs over a few channels.
    """

    def over_groups(v: Tensor) -> Tensor:
        n, _, c = v.shape
        split = array.reshape(v, shape=(n, 1, groups, c // groups))
        shared = array.broadcast_to(mean(split, axes=(3,)), shape=split.shape)
        return array.reshape(shared, shape=v.shape)  # (N, 1, C)

    c = x + -over_groups(mean(x, axes=(1,)))
    return c * math.rsqrt(over_groups(mean_square(c, axes=(1,))) + epsilon)


@primitive
def mean(be: Backend, x: Any, *, axes: Axes) -> Any:
    """The mean over `axes`, with more digits than adding up row by row would leave."""
    return _mean(be, axes, x)


@primitive
def centre(be: Backend, x: Any, *, axes: Axes) -> Any:
    """x minus its mean over `axes`."""
    return x - _mean(be, axes, x)


@primitive
def mean_square(be: Backend, x: Any, *, axes: Axes) -> Any:
    """The mean of x^2 over `axes`."""
    return _mean(be, axes, x, x)


@primitive
def dot(be: Backend, a: Any, b: Any, *, axes: Axes) -> Any:
    """The sum of a * b over `axes`."""
    return _sum(be, axes, a, b).astype(a.dtype)


@primitive
def affine(be: Backend, x: Any, scale: Any, offset: Any) -> Any:
    """x * scale + offset, where both repeat along the axes in which they have size 1."""
    y = x * scale
    y += offset
    return y


def _mean(be: Backend, axes: Axes, a: Any, b: Any = None) -> Any:
    return (_sum(be, axes, a, b) / (_count(a, axes) or numbers.nan)).astype(a.dtype)


def _sum(be: Backend, axes: Axes, a: Any, b: Any = None) -> Any:
    """The sum of a or of a * b: along the longest axis first, then over the others in float64."""
    if not axes:
        return a if b is None else a * b
    longest = max(axes, key=lambda axis: (a.shape[axis], axis))
    part = _along(be, a, longest) if b is None else _product_along(be.xp, a, b, longest)
    return part.sum(axis=axes, keepdims=True, dtype=be.xp.float64)


def _along(be: Backend, a: Any, axis: int) -> Any:
    """The sum along one axis, by a matrix product where possible: that is several times faster."""
    ones = be.xp.ones(a.shape[axis], a.dtype)
    if axis == a.ndim - 2:
        return be.matmul(ones[None], a)  # (..., 1, C)
    if axis == a.ndim - 1:
        return be.matmul(a, ones[:, None])  # (..., 1)
    return a.sum(axis=axis, keepdims=True)


def _product_along(xp: Any, a: Any, b: Any, axis: int) -> Any:
    letters = list(range(a.ndim))
    summed = xp.einsum(a, letters, b, letters, letters[:axis] + letters[axis + 1 :])
    return xp.expand_dims(summed, axis)


def _count(x: Any, axes: Axes) -> int:
    return numbers.prod(x.shape[axis] for axis in axes)


def _repeated(x: Tensor, vector: Tensor) -> Axes:
    """The axes along which a scale or offset repeats."""
    return tuple(axis for axis, n in enumerate(vector.shape) if n == 1 != x.shape[axis])


def _offset_grad(g: Tensor, y: Tensor, x: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    axes = _repeated(g, offset)
    return mean(g, axes=axes) * _count(g, axes)


mean.defvjp(lambda g, m, x, *, axes: array.broadcast_to(g / (_count(x, axes) or 1), shape=x.shape))
centre.defvjp(lambda g, c, x, *, axes: centre(g, axes=axes))
mean_square.defvjp(lambda g, v, x, *, axes: x * (g * (2 / (_count(x, axes) or 1))))
dot.defvjp(lambda g, y, a, b, *, axes: g * b, lambda g, y, a, b, *, axes: g * a)
affine.defvjp(
    lambda g, y, x, scale, offset: g * scale,
    lambda g, y, x, scale, offset: dot(g, x, axes=_repeated(x, scale)),
    _offset_grad,
)


# ----- across channels -----


@primitive
def _local_response(
    be: Backend, x: Any, *, radius: int, bias: float, alpha: float, beta: float
) -> Any:
    return be.local_response(x, radius, bias, alpha, beta)


@primitive
def channel_sum(be: Backend, x: Any, *, radius: int) -> Any:
    """y[..., c] = sum of x[..., j] over |j - c| <= radius: its own adjoint."""
    return be.channel_sum(x, radius)


def _local_response_grad(
    g: Tensor, y: Tensor, x: Tensor, *, radius: int, bias: float, alpha: float, beta: float
) -> Tensor:
    """g s^-beta - 2 alpha beta x * channel_sum(g y / s), where y = x s^-beta."""
    s = channel_sum(math.square(x), radius=radius) * alpha + bias
    around = channel_sum(g * y / s, radius=radius)
    return g * math.power(s, -beta) - (2 * alpha * beta) * (x * around)


channel_sum.defvjp(lambda g, y, x, *, radius: channel_sum(g, radius=radius))
_local_response.defvjp(_local_response_grad)

local_response = rounded_once(_local_response)
