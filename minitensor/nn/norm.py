"""tf.nn's normalisations, and layer, instance and group normalisation as functions.

They take the mean away and divide by the standard deviation. They differ in the axes over which
the statistics are taken, for x (N, H, W, C):

    batch_normalization, fused_batch_norm   N, H, W: one per channel
    layer_normalization                     C (or the axes asked for): one per pixel
    instance_normalization                  H, W: one per image and channel
    group_normalization                     H, W and the channels of a group

Moving averages are state, so they are kept by the caller.
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
from minitensor.ops import norm as ops

__all__ = [
    "batch_normalization",
    "group_normalization",
    "instance_normalization",
    "layer_normalization",
    "moments",
]


def moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and biased variance: m = mean(x), v = mean((x - m)^2).

    Args:
        x: numbers of any shape.
        axes: the axes to average over: an integer, a list, or None for all.
        shift: ignored.
        keepdims: whether these axes stay, with size 1.
        name: ignored.

    Returns:
        Two tensors, without `axes`.

    Raises:
        TypeError: `x` are no numbers, or `axes` no integers.
        ValueError: there is no such axis.

    Example:
        >>> import minitensor as tf
        >>> mean, variance = tf.nn.moments([1.0, 3.0], [0])
        >>> mean.numpy(), variance.numpy()
        (np.float32(2.0), np.float32(1.0))

    Source: tf.nn.moments
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
    shape = tuple(n for k, n in enumerate(pair[0].shape) if keepdims or k not in over)
    mean, variance = (math.cast(array.reshape(t, shape=shape), dtype=x.dtype) for t in pair)
    return mean, variance


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
        x: floats, (..., C) for instance.
        mean, variance: of a shape that broadcasts with x; half-precision x may have float32 ones.
        offset, scale: likewise, or None.
        variance_epsilon: keeps the root away from 0.
        name: ignored.

    Returns:
        The common shape, in the dtype of `x`.

    Raises:
        TypeError: no floats, or dtypes that differ.
        ValueError: shapes that do not broadcast.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.batch_normalization([1.0, 3.0], 2.0, 1.0, None, 10.0, 0.0).numpy()
        array([-10.,  10.], dtype=float32)

    Source: tf.nn.batch_normalization; Ioffe & Szegedy 2015
    """
    op = "batch_normalization"
    (x,) = checks.floats(op, first_tensor(mean, variance, offset, scale), x=x)
    given = {"mean": mean, "variance": variance, "offset": offset, "scale": scale}
    wide, used = checks.vectors_like(op, x, **{k: v for k, v in given.items() if v is not None})
    checks.broadcast(op, x=wide, **used)
    inverse = math.rsqrt(used["variance"] + variance_epsilon)
    inverse = inverse * used["scale"] if "scale" in used else inverse
    y = (wide - used["mean"]) * inverse
    y = y + used["offset"] if "offset" in used else y
    return y if y.dtype == x.dtype else math.cast(y, dtype=x.dtype)


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
        x: floats, (..., C) for instance.
        scale, offset: of the sizes of x along `axis`, or None.
        axis: the axis or axes over which mean and variance are taken.
        epsilon: added to the variance.
        name: ignored.

    Returns:
        The shape of `x`.

    Raises:
        TypeError: no floats, or dtypes that differ.
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
        epsilon: added to the variance.
        name: ignored.

    Returns:
        The shape of `x`.

    Raises:
        TypeError: no floats, or dtypes that differ.
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
        epsilon: added to the variance.
        name: ignored.

    Returns:
        The shape of `x`.

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
    n, *places, c = x.shape
    number = args.integer(op, "groups", groups, least=-1)
    number = c if number == -1 else number
    if not number or c % number:
        raise ValueError(f"{op}: {groups} groups must divide the {c} channels of x {x.shape}")

    def standardized(x: Tensor) -> Tensor:
        flat = array.reshape(x, shape=(n, numbers.prod(places), c))
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
    given = {"scale": scale, "offset": offset}
    y, vectors = checks.vectors_like(op, x, **{k: v for k, v in given.items() if v is not None})
    for name, vector in vectors.items():
        if vector.shape != sizes:
            raise ValueError(f"{op}: {name} must have shape {sizes}, got {vector.shape}")
    vectors = {name: array.reshape(v, shape=shape) for name, v in vectors.items()}
    y = standardized(y)
    if len(vectors) == 2:
        y = ops.affine(y, vectors["scale"], vectors["offset"])
    elif vectors:
        y = y * vectors["scale"] if "scale" in vectors else y + vectors["offset"]
    return y if y.dtype == x.dtype else math.cast(y, dtype=x.dtype)
