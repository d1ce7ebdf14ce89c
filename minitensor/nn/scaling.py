"""Normalisation that divides by a length and leaves the mean alone: of vectors, of neighbours."""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.nn import arguments as args
from minitensor.nn import checks
from minitensor.ops import math, reduce
from minitensor.ops import norm as ops
from minitensor.ops.half import rounded_once

__all__ = ["l2_normalize", "local_response_normalization", "lrn"]


def local_response_normalization(
    input: Any,
    depth_radius: int = 5,
    bias: float = 1,
    alpha: float = 1,
    beta: float = 0.5,
    name: str | None = None,
) -> Tensor:
    """Divides each channel by the strength of its neighbours.

    y[..., c] = x[..., c] / (bias + alpha * sum over |j - c| <= depth_radius of x[..., j]^2)^beta

    Args:
        input: (N, H, W, C) floats.
        depth_radius: how many channels on either side count.
        bias, alpha, beta: as in the formula; alpha is not divided by the number of channels.
        name: ignored.

    Returns:
        The shape of `input`.

    Raises:
        TypeError: `input` are no floats, or `depth_radius` is no integer.
        ValueError: `input` has not 4 axes, or `depth_radius` is negative.

    Example:
        >>> import minitensor as tf
        >>> x = [[[[1.0, 2.0, 2.0]]]]
        >>> tf.nn.local_response_normalization(x, 1, bias=0, beta=1).numpy().ravel()
        array([0.2       , 0.22222222, 0.25      ], dtype=float32)

    Source: tf.nn.local_response_normalization; Krizhevsky et al. 2012
    """
    op = "local_response_normalization"
    (x,) = checks.floats(op, input=input)
    args.rank_of(op, "input", x, 4, "(N, H, W, C)")
    radius = args.integer(op, "depth_radius", depth_radius, least=0)
    return ops.local_response(x, radius=radius, bias=bias, alpha=alpha, beta=beta)


lrn = local_response_normalization


def l2_normalize(
    x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None
) -> Tensor:
    """Gives vectors length 1: y = x / sqrt(max(sum(x^2), epsilon)).

    Args:
        x: floats of any shape.
        axis: the axis or axes of a vector; None takes all of x as one.
        epsilon: least squared length to divide by.
        name: ignored.
        dim: old name of `axis`.

    Returns:
        The shape of `x`.

    Raises:
        TypeError: `x` are no floats, or `axis` no integers.
        ValueError: there is no such axis.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.l2_normalize([3.0, 4.0]).numpy()
        array([0.6, 0.8], dtype=float32)

    Source: tf.nn.l2_normalize
    """
    (x,) = checks.floats("l2_normalize", x=x)
    axes = checks.axes("l2_normalize", dim if axis is None else axis, x.ndim)
    return _to_length_one(x, axes=axes, epsilon=epsilon)


@rounded_once
def _to_length_one(x: Tensor, *, axes: tuple[int, ...], epsilon: float) -> Tensor:
    squares = reduce.sum(math.square(x), axis=axes, keepdims=True)
    return x * math.rsqrt(math.maximum(squares, epsilon))
