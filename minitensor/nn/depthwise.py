"""tf.nn's depthwise and separable convolutions: one filter bank per channel.

A depthwise convolution is a grouped one with as many groups as channels:
depthwise_conv2d(x, f (kh, kw, C, M)) = conv2d(x, f as (kh, kw, 1, C*M)); output channel c*M + m.

For all of them:
    Args: `input`: (N, H, W, C). `filter`: (kh, kw, C, M). `strides`: [1, sh, sw, 1], in the order
        of `data_format`; unequal ones as well. `padding`: "SAME", "VALID" or explicit pairs over
        all axes. `data_format`: "NHWC" or "NCHW". `dilations`: [d] or [dh, dw], together with
        strides as well; for gradients also [1, dh, dw, 1] (TensorFlow ignores them there).
        `name`: ignored.
    Raises: TypeError for an argument of the wrong kind or for tensors of two dtypes, ValueError for
        sizes that do not belong together and other illegal shapes, numbers and words.
    Source: the function of tf.nn with the same name.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.nn import arguments as args
from minitensor.nn import checks
from minitensor.nn.conv import conv2d
from minitensor.ops import array
from minitensor.ops import conv as ops
from minitensor.window import Window

__all__ = [
    "depthwise_conv2d",
    "depthwise_conv2d_backprop_filter",
    "depthwise_conv2d_backprop_input",
    "separable_conv2d",
]


def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Cross-correlates each channel with M filters of its own.

    y[n,i,j,c*M+m] = sum over u,v of input[n, i*sh + u*dh - top, j*sw + v*dw - left, c]
        filter[u,v,c,m]

    Returns:
        (N, h, w, C*M)

    Example:
        >>> import minitensor as tf
        >>> x, f = tf.ones([1, 4, 4, 3]), tf.ones([3, 3, 3, 2])
        >>> tf.nn.depthwise_conv2d(x, f, [1, 1, 1, 1], "VALID").shape
        TensorShape([1, 2, 2, 6])

    Source: tf.nn.depthwise_conv2d (right where TF is wrong: stride and dilation together)
    """
    op = "depthwise_conv2d"
    last, stride, dilation, pads = _words(op, strides, padding, data_format, dilations, (1, 2))
    x, kernel = args.tensors(op, (), input=input, filter=filter)
    args.rank_of(op, "input", x, 4, "(N, H, W, C)")
    x = args.moved_last(x, last)
    _check_filter(op, kernel, x.shape[-1])
    window = _window(op, x.shape, kernel.shape, stride, pads, dilation)
    return args.moved_back(ops.conv2d(x, grouped(kernel), window=window), last)


def depthwise_conv2d_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    dilations: Any = [1, 1, 1, 1],  # noqa: B006  (TF's default, letter for letter)
    name: str | None = None,
) -> Tensor:
    """The gradient of depthwise_conv2d with respect to its input: its adjoint.

    sum(depthwise_conv2d(x, f) * g) = sum(x * depthwise_conv2d_backprop_input(x.shape, f, g))

    Args:
        input_sizes: four integers, the shape of the input in the order of `data_format`.
        out_backprop: (N, h, w, C*M), the cotangent of the output.

    Returns:
        A tensor of shape `input_sizes`.

    Example:
        >>> import minitensor as tf
        >>> f, g = tf.ones([3, 3, 2, 1]), tf.ones([1, 2, 2, 2])
        >>> tf.nn.depthwise_conv2d_backprop_input(
        ...     [1, 4, 4, 2], f, g, [1, 1, 1, 1], "VALID").shape
        TensorShape([1, 4, 4, 2])
    """
    op = "depthwise_conv2d_backprop_input"
    last, stride, dilation, pads = _words(op, strides, padding, data_format, dilations, (1, 2, 4))
    kernel, g = args.tensors(op, (), filter=filter, out_backprop=out_backprop)
    shape = _sizes(op, "input_sizes", input_sizes)
    shape = shape if last else (shape[0], *shape[2:], shape[1])
    args.rank_of(op, "out_backprop", g, 4, "(N, h, w, C*M)")
    g = args.moved_last(g, last)
    _check_filter(op, kernel, shape[-1])
    window = _window(op, shape, kernel.shape, stride, pads, dilation)
    _check_output(op, g, (shape[0], *window.out, shape[-1] * kernel.shape[-1]))
    return args.moved_back(ops.conv2d_transpose(g, grouped(kernel), window=window), last)


def depthwise_conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    dilations: Any = [1, 1, 1, 1],  # noqa: B006  (TF's default, letter for letter)
    name: str | None = None,
) -> Tensor:
    """The gradient of depthwise_conv2d with respect to its filter: its adjoint.

    sum(depthwise_conv2d(x, f) * g) = sum(f * depthwise_conv2d_backprop_filter(x, f.shape, g))

    Args:
        filter_sizes: four integers (kh, kw, C, M).
        out_backprop: (N, h, w, C*M), the cotangent of the output.

    Returns:
        A tensor of shape `filter_sizes`.

    Example:
        >>> import minitensor as tf
        >>> x, g = tf.ones([1, 4, 4, 2]), tf.ones([1, 2, 2, 2])
        >>> tf.nn.depthwise_conv2d_backprop_filter(
        ...     x, [3, 3, 2, 1], g, [1, 1, 1, 1], "VALID").shape
        TensorShape([3, 3, 2, 1])
    """
    op = "depthwise_conv2d_backprop_filter"
    last, stride, dilation, pads = _words(op, strides, padding, data_format, dilations, (1, 2, 4))
    x, g = args.tensors(op, (), input=input, out_backprop=out_backprop)
    shape = _sizes(op, "filter_sizes", filter_sizes)
    args.rank_of(op, "input", x, 4, "(N, H, W, C)")
    args.rank_of(op, "out_backprop", g, 4, "(N, h, w, C*M)")
    x, g = args.moved_last(x, last), args.moved_last(g, last)
    _check_shape(op, shape, x.shape[-1])
    window = _window(op, x.shape, shape, stride, pads, dilation)
    _check_output(op, g, (x.shape[0], *window.out, shape[2] * shape[3]))
    return array.reshape(ops.conv2d_kernel_grad(x, g, window=window), shape=shape)


def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """A depthwise convolution, then a 1x1 convolution that mixes the channels.

    y = conv2d(depthwise_conv2d(input, depthwise_filter), pointwise_filter, 1, "VALID")

    Args:
        depthwise_filter: (kh, kw, C, M).
        pointwise_filter: (1, 1, C*M, O).
        strides, padding, dilations: of the depthwise step.

    Returns:
        (N, h, w, O)

    Example:
        >>> import minitensor as tf
        >>> x, d, p = tf.ones([1, 5, 5, 3]), tf.ones([3, 3, 3, 1]), tf.ones([1, 1, 3, 4])
        >>> tf.nn.separable_conv2d(x, d, p, [1, 1, 1, 1], "SAME").shape
        TensorShape([1, 5, 5, 4])
    """
    op = "separable_conv2d"
    x, depthwise, pointwise = args.tensors(
        op, (), input=input, depthwise_filter=depthwise_filter, pointwise_filter=pointwise_filter
    )
    args.rank_of(op, "depthwise_filter", depthwise, 4, "(kh, kw, C, M)")
    args.rank_of(op, "pointwise_filter", pointwise, 4, "(1, 1, C*M, O)")
    between = depthwise.shape[2] * depthwise.shape[3]
    if pointwise.shape[:3] != (1, 1, between):
        raise ValueError(
            f"{op}: pointwise_filter must have shape (1, 1, {between}, O) after depthwise_filter "
            f"{depthwise.shape}, got {pointwise.shape}"
        )
    y = depthwise_conv2d(x, depthwise, strides, padding, data_format, dilations)
    return conv2d(y, pointwise, 1, "VALID", data_format or "NHWC")


def _words(
    op: str, strides: Any, padding: Any, data_format: str | None, dilations: Any, forms: Any
) -> tuple[bool, tuple[int, ...], tuple[int, ...], args.Padding]:
    """(channels last, strides, dilations, padding) as integers."""
    last = args.channels_last(op, data_format, 2)
    if strides is None:
        raise TypeError(f"{op}: strides must be a list of 4 integers, got None")
    stride = args.spatial(op, "strides", strides, 2, last, (4,))
    dilation = args.spatial(op, "dilations", dilations, 2, last, forms)
    return last, stride, dilation, args.padding(op, padding, 2, last)


def _window(
    op: str,
    image: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    pads: args.Padding,
    dilation: tuple[int, ...],
) -> Window:
    return args.windows(op, image[1:3], kernel[:2], stride, pads, dilation, image[3])[1]


def grouped(kernel: Tensor) -> Tensor:
    """(spatial taps, C, M) as the filters of C groups, (spatial taps, 1, C*M)."""
    *taps, channels, multiplier = kernel.shape
    return array.reshape(kernel, shape=(*taps, 1, channels * multiplier))


def _check_filter(op: str, kernel: Tensor, channels: int) -> None:
    args.rank_of(op, "filter", kernel, 4, "(kh, kw, C, M)")
    _check_shape(op, kernel.shape, channels)


def _check_shape(op: str, shape: tuple[int, ...], channels: int) -> None:
    if 0 in shape:
        raise ValueError(f"{op}: filter must not have zero elements, got shape {shape}")
    if shape[2] != channels:
        raise ValueError(
            f"{op}: input has {channels} channels but filter {shape} holds {shape[2]}; "
            "filter.shape[2] must equal the channels"
        )


def _check_output(op: str, g: Tensor, shape: tuple[int, ...]) -> None:
    if g.shape != shape:
        raise ValueError(
            f"{op}: out_backprop has shape {g.shape} but these sizes, strides and padding make "
            f"an output of {shape}"
        )


def _sizes(op: str, name: str, value: Any) -> tuple[int, ...]:
    """Four non-negative integers, from a list, a tuple, a NumPy array or an integer tensor."""
    sizes = checks.numbers(op, name, value)
    if len(sizes) != 4:
        raise ValueError(f"{op}: {name} must be 4 integers, got {value!r}")
    return sizes
