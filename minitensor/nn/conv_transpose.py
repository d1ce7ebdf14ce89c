"""tf.nn's transposed convolutions: the adjoint x = W'^T y, for a size that the caller chooses.

Several image sizes have the same convolution output (`window.transposed_sizes`), so the caller
says which one is meant; padding is then computed for that size as if it were the input.
How the arguments are read and checked is in `nn.transpose`.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.nn import arguments as args
from minitensor.nn.transpose import listed, transpose

__all__ = [
    "atrous_conv2d_transpose",
    "conv1d_transpose",
    "conv2d_transpose",
    "conv3d_transpose",
    "conv_transpose",
]


def conv1d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose (adjoint) of conv1d: sum(conv1d(x, k) * y) = sum(x * conv1d_transpose(y, k)).

    Args:
        input: (N, w, IN).
        filters: (k, OUT/G, IN): the bank of the forward convolution.
        output_shape: (N, W, OUT) or (W,).
        strides: pixels between places: a number, [s] or [1, s, 1].
        padding: "SAME" or "VALID".
        data_format: "NWC" or "NCW".
        dilations: pixels between taps, in the forms of `strides`.
        name: ignored.

    Returns:
        (N, W, OUT)

    Raises:
        TypeError: an argument of the wrong kind, or tensors of two dtypes.
        ValueError: a size that no convolution maps to `input`, or other illegal values.

    Example:
        >>> import minitensor as mt
        >>> y, k = mt.ones([1, 2, 1]), mt.ones([3, 1, 1])
        >>> mt.nn.conv1d_transpose(y, k, [1, 5, 1], 2, "VALID").numpy().ravel()
        array([1., 1., 2., 1., 1.], dtype=float32)

    Source: tf.nn.conv1d_transpose
    """
    op = "conv1d_transpose"
    return transpose(op, 1, input, filters, output_shape, strides, padding, data_format, dilations)


def conv2d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose (adjoint) of conv2d: sum(conv2d(x, k) * y) = sum(x * conv2d_transpose(y, k)).

    With W' the matrix of the forward convolution: x = W'^T y. It restores the shape of an image,
    not its values.

    Args:
        input: (N, h, w, IN).
        filters: (kh, kw, OUT/G, IN): the bank of the forward convolution.
        output_shape: (N, H, W, OUT) in the order of `data_format`, or (H, W).
        strides: pixels between places: a number, [s], [sh, sw] or one per axis.
        padding: "SAME", "VALID" or explicit pairs over all axes.
        data_format: "NHWC" or "NCHW".
        dilations: pixels between taps, in the forms of `strides`.
        name: ignored.

    Returns:
        (N, H, W, OUT)

    Raises:
        TypeError: an argument of the wrong kind, or tensors of two dtypes.
        ValueError: a size that no convolution maps to `input` (the legal ones are named), or
            other illegal values.

    Example:
        >>> import minitensor as mt
        >>> y = mt.reshape(mt.constant([-56.0, -61, -76, -81]), [1, 2, 2, 1])
        >>> w = mt.reshape(mt.constant([-1.0, 2, -3, 4, -5, 6, -7, 8, -9]), [3, 3, 1, 1])
        >>> mt.nn.conv2d_transpose(y, w, [1, 4, 4, 1], 1, "VALID")[0, 0, :, 0].numpy()
        array([ 56., -51.,  46., 183.], dtype=float32)

    Source: tf.nn.conv2d_transpose
    """
    op = "conv2d_transpose"
    return transpose(op, 2, input, filters, output_shape, strides, padding, data_format, dilations)


def conv3d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose (adjoint) of conv3d.

    sum(conv3d(x, k) * y) = sum(x * conv3d_transpose(y, k))

    Args:
        input: (N, d, h, w, IN).
        filters: (kd, kh, kw, OUT/G, IN).
        output_shape: (N, D, H, W, OUT) in the order of `data_format`, or (D, H, W).
        strides: a number, [s], [sd, sh, sw] or one per axis.
        padding: "SAME" or "VALID".
        data_format: "NDHWC" or "NCDHW".
        dilations: in the forms of `strides`.
        name: ignored.

    Returns:
        (N, D, H, W, OUT)

    Raises:
        TypeError: an argument of the wrong kind, or tensors of two dtypes.
        ValueError: a size that no convolution maps to `input`, or other illegal values.

    Example:
        >>> import minitensor as mt
        >>> y, k = mt.ones([1, 1, 1, 1, 1]), mt.ones([2, 2, 2, 3, 1])
        >>> mt.nn.conv3d_transpose(y, k, [1, 2, 2, 2, 3], 2).shape
        TensorShape([1, 2, 2, 2, 3])

    Source: tf.nn.conv3d_transpose
    """
    op = "conv3d_transpose"
    return transpose(op, 3, input, filters, output_shape, strides, padding, data_format, dilations)


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
        padding: "SAME", "VALID" or explicit pairs.
        data_format: "NWC", "NHWC", "NDHWC" or their channels-first forms.
        dilations: in the forms of `strides`.
        name: ignored.

    Returns:
        A tensor of shape `output_shape`.

    Raises:
        TypeError: an argument of the wrong kind, or tensors of two dtypes.
        ValueError: `output_shape` is not of length 3, 4 or 5, or other illegal values.

    Example:
        >>> import minitensor as mt
        >>> mt.nn.conv_transpose(mt.ones([1, 2, 1]), mt.ones([3, 1, 1]), [1, 4, 1], 2).shape
        TensorShape([1, 4, 1])

    Source: tf.nn.conv_transpose
    """
    op = "conv_transpose"
    rank = len(listed(op, output_shape)) - 2
    if rank not in (1, 2, 3):
        raise ValueError(f"{op}: output_shape must have 3, 4 or 5 entries, got {output_shape!r}")
    return transpose(
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
        padding: "SAME", "VALID" or explicit pairs.
        name: ignored.

    Returns:
        (N, H, W, OUT)

    Raises:
        TypeError: an argument of the wrong kind, or tensors of two dtypes.
        ValueError: a size that no convolution maps to `value`, or other illegal values.

    Example:
        >>> import minitensor as mt
        >>> y, k = mt.ones([1, 3, 3, 1]), mt.ones([3, 3, 1, 1])
        >>> mt.nn.atrous_conv2d_transpose(y, k, [1, 7, 7, 1], 2, "VALID").shape
        TensorShape([1, 7, 7, 1])

    Source: tf.nn.atrous_conv2d_transpose
    """
    op = "atrous_conv2d_transpose"
    args.spatial(op, "rate", rate, 2, True, (0, 1, 2))
    return transpose(op, 2, value, filters, output_shape, 1, padding, None, rate, "value")
