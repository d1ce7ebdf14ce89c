"""Batch normalisation: one mean and variance per channel, over all axes but the last.

With S = moments(x) and n = (x - mean) / sqrt(variance + epsilon):

    batch_norm(x, S, scale, offset)          n * scale + offset
    batch_norm_sums(g, x, S)                 sum of g, sum of g * n: its adjoint in scale and offset
    batch_norm_grad(g, x, S, scale, sums)    the derivative of either in x

S and sums are passed to save work: they are made of the other arguments. So they have no
derivative of their own, and those in x and g are whole, through S and sums. The derivatives of
the last are these ops again, which is how every order comes about.
`normalise` is for statistics that do not depend on x, in inference: all five arguments count.
Statistics are float32 where x is half, like scale and offset.
"""

from __future__ import annotations

import math as numbers
from typing import Any

from minitensor.autograd import Tensor, primitive
from minitensor.backend.protocol import Backend
from minitensor.ops import array, math, norm


@primitive
def moments(be: Backend, x: Any) -> Any:
    """(2, C): mean and biased variance over all axes but the last."""
    return be.moments(x)


@primitive
def batch_norm(
    be: Backend, x: Any, statistics: Any, scale: Any, offset: Any, *, epsilon: float
) -> Any:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, for statistics = moments(x)."""
    return be.batch_norm(x, statistics, scale, offset, epsilon)


@primitive
def batch_norm_sums(be: Backend, g: Any, x: Any, statistics: Any, *, epsilon: float) -> Any:
    """(2, C): the gradients of `batch_norm` in offset and in scale."""
    return be.batch_norm_sums(g, x, statistics, epsilon)


@primitive
def batch_norm_grad(
    be: Backend, g: Any, x: Any, statistics: Any, scale: Any, sums: Any, *, epsilon: float
) -> Any:
    """The gradient of `batch_norm` in x, for sums = batch_norm_sums(g, x, statistics)."""
    return be.batch_norm_grad(g, x, statistics, scale, epsilon, sums)


@primitive
def normalise(
    be: Backend, x: Any, mean: Any, variance: Any, scale: Any, offset: Any, *, epsilon: float
) -> Any:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, whatever the statistics."""
    return be.batch_norm(x, be.xp.stack([mean, variance]), scale, offset, epsilon)


def row(pair: Tensor, k: int) -> Tensor:
    """Statistic k of two, (C,)."""
    return array.getitem(pair, index=(k,))


def _pixels(x: Tensor) -> int:
    """The number of pixels, at least 1."""
    return numbers.prod(x.shape[:-1]) or 1


def _beside(x: Tensor, vector: Tensor) -> Tensor:
    """(C,) with as many axes as x."""
    return array.reshape(vector, shape=(*[1] * (x.ndim - 1), x.shape[-1]))


def _product(g: Tensor, x: Tensor) -> Tensor:
    """The sum of g * x over all axes but the last, (C,)."""
    return array.reshape(norm.dot(g, x, axes=tuple(range(x.ndim - 1))), shape=x.shape[-1:])


def _moments_grad(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Mean: 1 / n. Variance: 2 (x - mean) / n."""
    of_mean, of_variance, mean = (_beside(x, v) for v in (row(g, 0), row(g, 1), row(y, 0)))
    n = _pixels(x)
    centred = math.cast(x, dtype=y.dtype) - mean
    return math.cast(norm.affine(centred, of_variance * (2 / n), of_mean / n), dtype=x.dtype)


def _batch_norm_grads(
    wanted: list[bool],
    g: Tensor,
    y: Tensor,
    x: Tensor,
    statistics: Tensor,
    scale: Tensor,
    offset: Tensor,
    *,
    epsilon: float,
) -> list[Tensor | None]:
    sums = batch_norm_sums(g, x, statistics, epsilon=epsilon)
    return [
        batch_norm_grad(g, x, statistics, scale, sums, epsilon=epsilon) if wanted[0] else None,
        None,
        row(sums, 1) if wanted[2] else None,
        row(sums, 0) if wanted[3] else None,
    ]


def _second_derivatives(
    wanted: list[bool],
    h: Tensor,
    y: Tensor,
    g: Tensor,
    x: Tensor,
    statistics: Tensor,
    scale: Tensor,
    sums: Tensor,
    *,
    epsilon: float,
) -> list[Tensor | None]:
    """Of y = scale / s * (g - mean(g) - n mean(g n)), s = sqrt(variance + epsilon).

    With a = mean(g n), b = mean(h n) and c the covariance of g and h over the pixels,
        <h, y> = pixels * scale / s * (c - a b)
        d/dx   = -scale / s^2 * (n (c - 3 a b) + b (g - mean(g)) + a (h - mean(h)))
    """
    n = _pixels(x)
    others = batch_norm_sums(h, x, statistics, epsilon=epsilon)
    g_mean, a = row(sums, 0) / n, row(sums, 1) / n
    h_mean, b = row(others, 0) / n, row(others, 1) / n
    wide, gw, hw = (math.cast(t, dtype=statistics.dtype) for t in (x, g, h))
    c = _product(gw, hw) / n - g_mean * h_mean
    variance = row(statistics, 1) + epsilon
    k = -scale / variance
    in_x = batch_norm(
        wide, statistics, k * (c - 3 * a * b), -k * (b * g_mean + a * h_mean), epsilon=epsilon
    )
    in_x = math.cast(in_x + gw * (k * b) + hw * (k * a), dtype=x.dtype)
    in_scale = math.rsqrt(variance) * (c - a * b) * n
    in_g = batch_norm_grad(h, x, statistics, scale, others, epsilon=epsilon)
    return [
        d if w else None for d, w in zip((in_g, in_x, None, in_scale, None), wanted, strict=True)
    ]


def _normalise_grads(
    wanted: list[bool],
    g: Tensor,
    y: Tensor,
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    scale: Tensor,
    offset: Tensor,
    *,
    epsilon: float,
) -> list[Tensor | None]:
    inverse = math.rsqrt(variance + epsilon)
    factor = inverse * scale
    g = math.cast(g, dtype=mean.dtype)
    in_x = math.cast(g * _beside(x, factor), dtype=x.dtype) if wanted[0] else None
    if not any(wanted[1:]):
        return [in_x, None, None, None, None]
    total = array.sum_to(g, shape=mean.shape)
    slope = _product(g, math.cast(x, dtype=mean.dtype) - mean) * inverse  # sum of g n
    rest = [-factor * total, -0.5 * factor * inverse * slope, slope, total]
    return [in_x, *(d if w else None for d, w in zip(rest, wanted[1:], strict=True))]


moments.defvjp(_moments_grad)
normalise.defvjp_jointly(_normalise_grads)
batch_norm.defvjp_jointly(_batch_norm_grads)
batch_norm_sums.defvjp(
    lambda h, y, g, x, s, *, epsilon: batch_norm(x, s, row(h, 1), row(h, 0), epsilon=epsilon),
    lambda h, y, g, x, s, *, epsilon: batch_norm_grad(g, x, s, row(h, 1), y, epsilon=epsilon),
    None,
)
batch_norm_grad.defvjp_jointly(_second_derivatives)
