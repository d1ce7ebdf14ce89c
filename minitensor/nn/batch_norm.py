"""fused_batch_norm: batch normalisation with its statistics, for training and for inference."""

from __future__ import annotations

import math as numbers
from typing import Any

from minitensor.autograd import Tensor, first_tensor
from minitensor.nn import arguments as args
from minitensor.nn import checks
from minitensor.ops import batch_norm as ops

__all__ = ["fused_batch_norm"]


def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
    exponential_avg_factor: float = 1.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalisation of images or volumes, one mean and variance per channel.

    y = (x - m) / sqrt(v + epsilon) * scale + offset

    In training m and v are those of the batch, over all axes but the channels, v divided by the
    number n of elements. The variance returned is divided by n - 1, and both are mixed with the
    old: (1 - f) * old + f * batch, f exponential_avg_factor. In inference m and v are given.

    Args:
        x: (N, H, W, C) or (N, D, H, W, C) floats.
        scale, offset: (C,), float32 where x is half precision.
        mean, variance: (C,); needed in inference, and in training if f is not 1.
        epsilon: added to v.
        data_format: "NHWC", "NCHW", "NDHWC" or "NCDHW".
        is_training: which of the two.
        name: ignored.
        exponential_avg_factor: weight f of the batch. It is not Keras' momentum, but 1 - momentum.

    Returns:
        y of the shape of `x`, the new mean (C,) and the new variance (C,). All have gradients.
        An empty batch leaves given statistics as they are.

    Raises:
        TypeError: no floats, or dtypes that differ.
        ValueError: shapes that do not fit, or statistics missing.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> x = np.array([1.0, 3.0]).reshape(2, 1, 1, 1)
        >>> y, mean, variance = tf.nn.fused_batch_norm(x, np.ones(1), np.zeros(1), epsilon=0.0)
        >>> y.numpy().ravel(), mean.numpy(), variance.numpy()
        (array([-1.,  1.]), array([2.]), array([2.]))

    Source: tf.compat.v1.nn.fused_batch_norm; Ioffe & Szegedy 2015
    """
    op = "fused_batch_norm"
    (x,) = checks.floats(op, first_tensor(scale, offset, mean, variance), x=x)
    last = args.channels_last(op, data_format, 3 if x.ndim == 5 else 2)
    if x.ndim not in (4, 5):
        raise ValueError(f"{op}: x must have 4 or 5 axes, got shape {x.shape}")
    given = {k: v for k, v in (("mean", mean), ("variance", variance)) if v is not None}
    # x itself stays half precision: the vectors' dtype follows from its type alone.
    _, vectors = checks.vectors_like(op, Tensor(x.array[:0]), scale=scale, offset=offset, **given)
    image = args.moved_last(x, last)
    checks.per_channel(op, image.shape[-1], **vectors)
    factor = float(exponential_avg_factor) if is_training else 0.0
    if factor != 1 and not {"mean", "variance"} <= set(vectors):
        raise ValueError(
            f"{op}: mean and variance must be given unless is_training with "
            "exponential_avg_factor 1"
        )
    if is_training:
        statistics = ops.moments(image)
        m, v = ops.row(statistics, 0), ops.row(statistics, 1)
        y = ops.batch_norm(image, statistics, vectors["scale"], vectors["offset"], epsilon=epsilon)
        m, v = _mixed(image, m, v, vectors, factor)
    else:
        m, v = vectors["mean"], vectors["variance"]
        y = ops.normalise(image, m, v, vectors["scale"], vectors["offset"], epsilon=epsilon)
    return args.moved_back(y, last), m, v


def _mixed(
    x: Tensor, mean: Tensor, variance: Tensor, old: dict[str, Tensor], factor: float
) -> tuple[Tensor, Tensor]:
    """The batch's mean and unbiased variance mixed with the old; the old if there is no pixel."""
    n = numbers.prod(x.shape[:-1])
    variance = variance * (n / max(n - 1, 1))
    if factor == 1:
        return mean, variance
    if n == 0:
        return old["mean"], old["variance"]
    return (
        (1 - factor) * old["mean"] + factor * mean,
        (1 - factor) * old["variance"] + factor * variance,
    )
