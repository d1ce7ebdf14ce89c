"""tf.nn's transposed convolutions: the adjoint x = W'^T y, for a size that the caller chooses.

Several image sizes have the same convolution output (`window.transposed_sizes`), so the caller
says which one is meant by `output_shape`; padding is then computed for that size as if it were the
input.

For all of them:
    Args: `padding`: "SAME", "VALID" or explicit pairs over all axes. `data_format`: "NWC", "NHWC",
        "NDHWC" or their channels-first forms. `dilations`: pixels between taps, in the forms of
        `strides`. `name`: ignored.
    Raises: TypeError for an argument of the wrong kind or for tensors of two dtypes, ValueError for
        a size that no convolution maps to the input (the legal ones are named) or other illegal
        shapes, numbers and words.
    Source: the function of tf.nn with the same name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from minitensor.autograd import Tensor
from minitensor.autograd.tensor import ArrayLike
from minitensor.docstrings import named
from minitensor.nn import arguments as args
from minitensor.nn.ranks import LAYOUT, of_rank
from minitensor.ops import conv as ops
from minitensor.window import Window, planes, transposed_sizes

__all__ = [
    "atrous_conv2d_transpose", "conv1d_transpose", "conv2d_transpose", "conv3d_transpose",
    "conv_transpose",
]  # fmt: skip

_TRANSPOSE = """The transpose (adjoint) of conv{rank}d: small {images} to larger ones.

sum(conv{rank}d(x, k) * y) = sum(x * conv{rank}d_transpose(y, k))

With W' the matrix of the forward convolution: x = W'^T y. It restores the shape of {images}, not
their values.

Args:
    input: (N, {outputs}, IN).
    filters: ({taps}, OUT/G, IN): the bank of the forward convolution.
    output_shape: (N, {sizes}, OUT) in the order of `data_format`, or its spatial sizes alone.
    strides: pixels between output positions of the forward convolution: {forms}.

Returns:
    (N, {sizes}, OUT)

Example:
    >>> import minitensor as tf
    {example}
"""


def _of_rank(rank: int, example: str) -> Callable[..., Tensor]:
    """conv1d_transpose, conv2d_transpose or conv3d_transpose."""
    op = f"conv{rank}d_transpose"

    def transpose(
        input: Any,
        filters: Any,
        output_shape: Any,
        strides: Any,
        padding: Any = "SAME",
        data_format: str | None = LAYOUT[rank],
        dilations: Any = None,
        name: str | None = None,
    ) -> Tensor:
        words = padding, data_format, dilations
        return _transpose(op, rank, input, filters, output_shape, strides, *words)

    return of_rank(rank, _TRANSPOSE)(named(op, example, transpose))


conv1d_transpose = _of_rank(
    1,
    """
    >>> y, k = tf.ones([1, 2, 1]), tf.ones([3, 1, 1])
    >>> tf.nn.conv1d_transpose(y, k, [1, 5, 1], 2, "VALID").numpy().ravel()
    array([1., 1., 2., 1., 1.], dtype=float32)
    """,
)
conv2d_transpose = _of_rank(
    2,
    """
    >>> y = tf.reshape(tf.constant([-56.0, -61, -76, -81]), [1, 2, 2, 1])
    >>> w = tf.reshape(tf.constant([-1.0, 2, -3, 4, -5, 6, -7, 8, -9]), [3, 3, 1, 1])
    >>> tf.nn.conv2d_transpose(y, w, [1, 4, 4, 1], 1, "VALID")[0, 0, :, 0].numpy()
    array([ 56., -51.,  46., 183.], dtype=float32)
    """,
)
conv3d_transpose = _of_rank(
    3,
    """
    >>> y, k = tf.ones([1, 1, 1, 1, 1]), tf.ones([2, 2, 2, 3, 1])
    >>> tf.nn.conv3d_transpose(y, k, [1, 2, 2, 2, 3], 2).shape
    TensorShape([1, 2, 2, 2, 3])
    """,
)


def conv_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """conv1d_transpose, conv2d_transpose or conv3d_transpose, by the length of `output_shape`.

    x = conv{len(output_shape) - 2}d_transpose(input, filters, output_shape, strides, ...)

    Args:
        input: (N, spatial axes, IN).
        filters: (spatial taps, OUT/G, IN).
        output_shape: all axes of the result.
        strides: a number, or one per spatial axis.

    Returns:
        A tensor of shape `output_shape`.

    Raises:
        ValueError: `output_shape` is not of length 3, 4 or 5.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.conv_transpose(tf.ones([1, 2, 1]), tf.ones([3, 1, 1]), [1, 4, 1], 2).shape
        TensorShape([1, 4, 1])
    """
    op = "conv_transpose"
    rank = len(_listed(op, output_shape)) - 2
    if rank not in (1, 2, 3):
        raise ValueError(f"{op}: output_shape must have 3, 4 or 5 entries, got {output_shape!r}")
    return _transpose(
        op, rank, input, filters, output_shape, strides, padding, data_format, dilations
    )


def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: Any, padding: Any, name: str | None = None
) -> Tensor:
    """The transpose (adjoint) of atrous_conv2d.

    x = conv2d_transpose(value, filters, output_shape, 1, padding, dilations=rate)

    Args:
        value: (N, h, w, IN).
        filters: (kh, kw, OUT, IN).
        output_shape: (N, H, W, OUT) or (H, W).
        rate: pixels between taps: a number or [rh, rw].

    Returns:
        (N, H, W, OUT)

    Example:
        >>> import minitensor as tf
        >>> y, k = tf.ones([1, 3, 3, 1]), tf.ones([3, 3, 1, 1])
        >>> tf.nn.atrous_conv2d_transpose(y, k, [1, 7, 7, 1], 2, "VALID").shape
        TensorShape([1, 7, 7, 1])
    """
    op = "atrous_conv2d_transpose"
    args.spatial(op, "rate", rate, 2, True, (0, 1, 2))
    return _transpose(op, 2, value, filters, output_shape, 1, padding, None, rate, "value")


def _transpose(
    op: str,
    rank: int,
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
    image: str = "input",
) -> Tensor:
    """The adjoint of a convolution over `rank` spatial axes."""
    last = args.channels_last(op, data_format, rank)
    stride = args.spatial(op, "strides", strides, rank, last)
    dilation = args.spatial(op, "dilations", dilations, rank, last)
    pads = args.padding(op, padding, rank, last)
    y, kernel = args.tensors(op, **{image: input, "filters": filters})
    args.rank_of(op, image, y, rank + 2, "(N, spatial axes and channels)")
    args.rank_of(op, "filters", kernel, rank + 2, "(spatial taps, OUT/G, IN)")
    args.taps(op, kernel.shape[:rank])
    y = args.moved_last(y, last)
    size, channels = _wanted(op, output_shape, y, kernel, last)
    groups = args.group_count(op, channels, kernel.shape, "output_shape")
    if y.shape[-1] != kernel.shape[-1]:
        raise ValueError(
            f"{op}: {image} has {y.shape[-1]} channels but filters {kernel.shape} come from "
            f"{kernel.shape[-1]}; filters.shape[{rank + 1}] must equal the channels"
        )
    taps = kernel.shape[:rank]
    depth, plane = windows(op, size, y.shape[1:-1], taps, stride, pads, dilation, groups)
    return args.moved_back(ops.conv_transpose(y, kernel, depth=depth, plane=plane), last)


def _listed(op: str, output_shape: Any) -> list[Any]:
    """`output_shape` as a list of whatever it holds."""
    if isinstance(output_shape, ArrayLike):
        if output_shape.dtype != np.int32:
            raise TypeError(
                f"{op}: output_shape must be an int32 tensor or a list, got a "
                f"{output_shape.dtype.name} tensor"
            )
        output_shape = output_shape.numpy()
    if isinstance(output_shape, np.ndarray) and output_shape.ndim == 1:
        output_shape = list(output_shape)
    if not isinstance(output_shape, list | tuple):
        raise TypeError(f"{op}: output_shape must be a list of integers, got {output_shape!r}")
    return list(output_shape)


def _wanted(
    op: str, output_shape: Any, y: Tensor, kernel: Tensor, last: bool
) -> tuple[tuple[int, ...], int]:
    """(spatial sizes, channels) that `output_shape` asks for."""
    rank = y.ndim - 2
    shape = [args.integer(op, "output_shape", n, 0) for n in _listed(op, output_shape)]
    if len(shape) == rank:
        return tuple(shape), kernel.shape[-2]
    if len(shape) != rank + 2:
        raise ValueError(
            f"{op}: output_shape must have {rank + 2} entries (or {rank}, the spatial ones), "
            f"got {tuple(shape)}"
        )
    if shape[0] != y.shape[0]:
        raise ValueError(
            f"{op}: output_shape {tuple(shape)} asks for a batch of {shape[0]} but the input "
            f"holds {y.shape[0]}; they must be equal"
        )
    return (tuple(shape[1:-1]), shape[-1]) if last else (tuple(shape[2:]), shape[1])


@lru_cache(maxsize=4096)
def windows(
    op: str,
    size: tuple[int, ...],
    positions: tuple[int, ...],
    taps: tuple[int, ...],
    stride: tuple[int, ...],
    padding: args.Padding,
    dilation: tuple[int, ...],
    groups: int,
) -> tuple[Window | None, Window]:
    """The windows over depth and plane of an image of `size` pixels.

    Refuses a size whose convolution would not have `positions` outputs.
    """
    for axis, asked in enumerate(size):
        pad = padding if isinstance(padding, str) else padding[axis]
        legal = transposed_sizes(positions[axis], taps[axis], stride[axis], dilation[axis], pad)
        if asked not in legal:
            raise ValueError(
                f"{op}: output_shape asks for {asked} pixels along spatial axis {axis}, but with "
                f"{positions[axis]} input pixels, {taps[axis]} taps, stride {stride[axis]}, "
                f"dilation {dilation[axis]} and padding {pad} the legal sizes are {list(legal)}"
            )
    return planes(size, taps, stride, padding, dilation, groups)
