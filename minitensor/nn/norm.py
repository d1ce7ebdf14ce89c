"""tf.nn's normalisations, and layer, instance and group normalisation as functions.

They take the mean away and divide by the standard deviation. They differ in the axes over which
the statistics are taken, for x (N, H, W, C):

    batch_normalization, fused_batch_norm   N, H, W: one per channel
    layer_normalization                     C (or the axes asked for): one per pixel
    instance_normalization                  H, W: one per image and channel
    group_normalization                     H, W and the channels of a group

local_response_normalization and l2_normalize divide by a length and leave the mean alone. Moving
averages are state, so they are kept by the caller.

For all of them:
    Args: `x`: floats of any shape, (..., C) for instance; if half precision, what is trained may
        be float32. `epsilon`: added to the variance. `name`: ignored.
    Returns: the shape and type of `x`.
    Raises: TypeError for what holds no floats, dtypes that differ, or an axis that is no integer;
        ValueError where an axis does not exist, or shapes do not fit.
    Source: the function of tf.nn with the same name, and the papers named.
"""

from __future__ import annotations

import math as numbers
from collections.abc import Callable, Sequence
from typing import Any

from minitensor.autograd import Tensor, as_tensor, first_tensor
from minitensor.autograd.tensor import is_float
from minitensor.nn import arguments as args
from minitensor.nn import checks
from minitensor.ops import array, math, reduce
from minitensor.ops import batch_norm as batch_ops
from minitensor.ops import norm as ops
from minitensor.ops.math import rounded_once

__all__ = [
    "batch_normalization", "fused_batch_norm", "group_normalization", "instance_normalization",
    "l2_normalize", "layer_normalization", "local_response_normalization", "lrn", "moments",
]  # fmt: skip


def moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and biased variance: m = mean(x), v = mean((x - m)^2).

    Args:
        x: numbers of any shape.
        axes: the axes to average over: an integer, a list, or None for all.
        shift: ignored.
        keepdims: whether these axes stay, with size 1.

    Returns:
        Two tensors, without `axes`.

    Raises:
        TypeError: `x` are no numbers, or `axes` no integers.

    Example:
        >>> import minitensor as tf
        >>> mean, variance = tf.nn.moments([1.0, 3.0], [0])
        >>> mean.numpy(), variance.numpy()
        (np.float32(2.0), np.float32(1.0))
    """
    x = as_tensor(x, what="moments: x")
    over = checks.axes("moments", axes, x.ndim)
    if not is_float(x.dtype):
        mean = reduce.mean(x, axis=over, keepdims=True)
        pair = mean, reduce.mean(math.square(x - mean), axis=over, keepdims=True)
    else:
        wide = checks.widened(x)
        centred = ops.centre(wide, axes=over)
        pair = ops.mean(wide, axes=over), ops.mean_square(centred, axes=over)
    if not keepdims:
        shape = tuple(n for k, n in enumerate(x.shape) if k not in over)
        pair = array.reshape(pair[0], shape=shape), array.reshape(pair[1], shape=shape)
    return _cast_like(pair[0], x), _cast_like(pair[1], x)


def _cast_like(y: Tensor, x: Tensor) -> Tensor:
    return y if y.dtype == x.dtype else math.cast(y, dtype=x.dtype)


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    offset: Any,
    scale: Any,
    variance_epsilon: float,
    name: str | None = None,
) -> Tensor:
    """Normalises by statistics that the caller gives.

    y = (x - mean) / sqrt(variance + variance_epsilon) * scale + offset

    Args:
        mean, variance: of a shape that broadcasts with x; half-precision x may have float32 ones.
        offset, scale: likewise, or None.
        variance_epsilon: keeps the root away from 0.

    Returns:
        The common shape, in the dtype of `x`.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.batch_normalization([1.0, 3.0], 2.0, 1.0, None, 10.0, 0.0).numpy()
        array([-10.,  10.], dtype=float32)

    Source: Ioffe & Szegedy 2015
    """
    op = "batch_normalization"
    (x,) = checks.floats(op, first_tensor(mean, variance, offset, scale), x=x)
    optional = checks.not_none(offset=offset, scale=scale)
    wide, used = checks.vectors_like(op, x, mean=mean, variance=variance, **optional)
    checks.broadcast(op, x=wide, **used)
    inverse = math.rsqrt(used["variance"] + variance_epsilon)
    inverse = inverse * used["scale"] if "scale" in used else inverse
    y = (wide - used["mean"]) * inverse
    y = y + used["offset"] if "offset" in used else y
    return _cast_like(y, x)


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
        exponential_avg_factor: weight f of the batch. It is not Keras' momentum, but 1 - momentum.

    Returns:
        y of the shape of `x`, the new mean (C,) and the new variance (C,). All have gradients.
        An empty batch leaves given statistics as they are.

    Raises:
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
    # x itself stays half precision: the vectors' dtype follows from its type alone.
    old = checks.not_none(mean=mean, variance=variance)
    _, vectors = checks.vectors_like(op, Tensor(x.array[:0]), scale=scale, offset=offset, **old)
    image = args.moved_last(x, last)
    checks.per_channel(op, image.shape[-1], **vectors)
    factor = float(exponential_avg_factor) if is_training else 0.0
    if factor != 1 and not {"mean", "variance"} <= set(vectors):
        raise ValueError(
            f"{op}: mean and variance must be given unless is_training with "
            "exponential_avg_factor 1"
        )
    if is_training:
        statistics = batch_ops.moments(image)
        m, v = batch_ops.row(statistics, 0), batch_ops.row(statistics, 1)
        y = batch_ops.batch_norm(
            image, statistics, vectors["scale"], vectors["offset"], epsilon=epsilon
        )
        m, v = _mixed(image, m, v, vectors, factor)
    else:
        m, v = vectors["mean"], vectors["variance"]
        y = batch_ops.normalise(image, m, v, vectors["scale"], vectors["offset"], epsilon=epsilon)
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


def layer_normalization(
    x: Any,
    scale: Any,
    offset: Any,
    axis: int | Sequence[int] = -1,
    epsilon: float = 1e-3,
    name: str | None = None,
) -> Tensor:
    """Normalises each pixel over its channels: y = standardize(x) * scale + offset.

    Args:
        scale, offset: of the sizes of x along `axis`, or None.
        axis: the axis or axes over which mean and variance are taken.

    Raises:
        ValueError: there is no such axis, or a scale or offset of another shape.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.layer_normalization([[1.0, 3.0]], None, [10.0, 10.0], epsilon=0.0).numpy()
        array([[ 9., 11.]], dtype=float32)

    Source: tf.keras.layers.LayerNormalization; Ba et al. 2016
    """
    op = "layer_normalization"
    (x,) = checks.floats(op, first_tensor(scale, offset), x=x)
    axes = tuple(sorted(checks.axes(op, axis, x.ndim)))
    return _affine(
        op, x, scale, offset, axes, lambda x: ops.standardize(x, axes=axes, epsilon=epsilon)
    )


def instance_normalization(
    x: Any, scale: Any, offset: Any, epsilon: float = 1e-3, name: str | None = None
) -> Tensor:
    """Normalises each channel of each image: y = standardize(x) * scale + offset.

    Args:
        x: floats, (N, spatial axes, C).
        scale, offset: (C,), or None.

    Raises:
        ValueError: x has fewer than 3 axes, or a scale or offset is not (C,).

    Example:
        >>> import minitensor as tf
        >>> x = [[[1.0, 10.0], [3.0, 30.0]]]
        >>> tf.nn.instance_normalization(x, None, None, epsilon=0.0).numpy()
        array([[[-1., -1.],
                [ 1.,  1.]]], dtype=float32)

    Source: Ulyanov et al. 2016
    """
    op = "instance_normalization"
    (x,) = checks.floats(op, first_tensor(scale, offset), x=x)
    args.rank_of(op, "x", x, 3, "(N, spatial axes, C)", more=True)
    axes, channels = tuple(range(1, x.ndim - 1)), (x.ndim - 1,)
    return _affine(
        op, x, scale, offset, channels, lambda x: ops.standardize(x, axes=axes, epsilon=epsilon)
    )


def group_normalization(
    x: Any,
    scale: Any,
    offset: Any,
    groups: int = 32,
    epsilon: float = 1e-3,
    name: str | None = None,
) -> Tensor:
    """Normalises groups of neighbouring channels of each image, whatever the batch size.

    Args:
        x: floats, (N, ..., C).
        scale, offset: (C,), or None.
        groups: how many; they divide C. -1 makes every channel a group.

    Raises:
        TypeError: no floats, dtypes that differ, or `groups` is no integer.
        ValueError: x has fewer than 2 axes, `groups` does not divide C, or a scale or offset is
            not (C,).

    Example:
        >>> import minitensor as tf
        >>> tf.nn.group_normalization([[1.0, 3.0, 20.0, 40.0]], None, None, 2, epsilon=0.0).numpy()
        array([[-1.,  1., -1.,  1.]], dtype=float32)

    Source: tf.keras.layers.GroupNormalization; Wu & He 2018
    """
    op = "group_normalization"
    (x,) = checks.floats(op, first_tensor(scale, offset), x=x)
    args.rank_of(op, "x", x, 2, "(N, ..., C)", more=True)
    n, *spatial, c = x.shape
    number = args.integer(op, "groups", groups, least=-1)
    number = c if number == -1 else number
    if not number or c % number:
        raise ValueError(f"{op}: {groups} groups must divide the {c} channels of x {x.shape}")

    def standardized(x: Tensor) -> Tensor:
        if x.ndim == 3:
            return ops.standardize_groups(x, groups=number, epsilon=epsilon)
        flat = array.reshape(x, shape=(n, numbers.prod(spatial), c))
        y = ops.standardize_groups(flat, groups=number, epsilon=epsilon)
        return array.reshape(y, shape=x.shape)

    return _affine(op, x, scale, offset, (x.ndim - 1,), standardized)


def _affine(
    op: str,
    x: Tensor,
    scale: Any,
    offset: Any,
    axes: tuple[int, ...],
    standardized: Callable[[Tensor], Tensor],
) -> Tensor:
    """standardized(x) * scale + offset, for vectors that lie along `axes` of x; rounded once."""
    sizes = tuple(x.shape[axis] for axis in axes)
    shape = tuple(n if axis in axes else 1 for axis, n in enumerate(x.shape))
    y, vectors = checks.vectors_like(op, x, **checks.not_none(scale=scale, offset=offset))
    for name, vector in vectors.items():
        if vector.shape != sizes:
            raise ValueError(f"{op}: {name} must have shape {sizes}, got {vector.shape}")
    if sizes != shape:
        vectors = {name: array.reshape(v, shape=shape) for name, v in vectors.items()}
    y = standardized(y)
    if len(vectors) == 2:
        y = ops.affine(y, vectors["scale"], vectors["offset"])
    elif vectors:
        y = y * vectors["scale"] if "scale" in vectors else y + vectors["offset"]
    return _cast_like(y, x)


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

    Source: Krizhevsky et al. 2012
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
        axis: the axis or axes of a vector; None takes all of x as one.
        epsilon: least squared length to divide by.
        dim: old name of `axis`.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.l2_normalize([3.0, 4.0]).numpy()
        array([0.6, 0.8], dtype=float32)
    """
    (x,) = checks.floats("l2_normalize", x=x)
    axes = checks.axes("l2_normalize", dim if axis is None else axis, x.ndim)
    return _to_length_one(x, axes=axes, epsilon=epsilon)


@rounded_once
def _to_length_one(x: Tensor, *, axes: tuple[int, ...], epsilon: float) -> Tensor:
    squares = reduce.sum(math.square(x), axis=axes, keepdims=True)
    return x * math.rsqrt(math.maximum(squares, epsilon))
