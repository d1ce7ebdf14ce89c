"""tf.nn's convolutions: arguments in, errors out, then one call of `ops.conv`."""

from __future__ import annotations

import math
from typing import Any

from minitensor.autograd import Tensor
from minitensor.nn import arguments as args
from minitensor.ops import array
from minitensor.ops import conv as ops
from minitensor.window import planes

__all__ = ["atrous_conv2d", "conv1d", "conv2d", "conv3d", "convolution"]


def conv1d(
    input: Any,
    filters: Any,
    stride: Any,
    padding: Any,
    data_format: str | None = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Cross-correlates signals with a filter bank.

    y[n, i, o] = sum over u, c of input[n, i*stride + u*dilations - before, c] filters[u, c, o]

    Args:
        input: (..., W, C); floats or int32.
        filters: (k, C/G, O). C/G less than C makes G groups.
        stride: pixels between places: a number, [s] or [1, s, 1].
        padding: "SAME" or "VALID".
        data_format: "NWC" or "NCW".
        dilations: pixels between taps, in the forms of `stride`.
        name: ignored.

    Returns:
        (..., w, O)

    Raises:
        TypeError: an argument of the wrong kind, or tensors of two dtypes.
        ValueError: shapes, numbers or words that are not legal.

    Example:
        >>> import minitensor as mt
        >>> x = mt.constant([[[1.0], [2.0], [3.0]]])
        >>> mt.nn.conv1d(x, mt.ones([2, 1, 1]), 1, "VALID").numpy().ravel()
        array([3., 5.], dtype=float32)

    Source: tf.nn.conv1d
    """
    return _conv(
        "conv1d", 1, input, filters, stride, padding, data_format, dilations, explicit=False
    )


def conv2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Cross-correlates images with a filter bank.

    y[n,i,j,o] = sum over u,v,c of
        input[n, i*sh + u*dh - top, j*sw + v*dw - left, c] filters[u,v,c,o]

    Args:
        input: (..., H, W, C); floats or int32.
        filters: (kh, kw, C/G, O). C/G less than C makes G groups.
        strides: pixels between places: a number, [s], [sh, sw] or one per axis.
        padding: "SAME", "VALID" or [[0, 0], [top, bottom], [left, right], [0, 0]], in the
            order of `data_format`.
        data_format: "NHWC" or "NCHW".
        dilations: pixels between taps, in the forms of `strides`.
        name: ignored.

    Returns:
        (..., h, w, O)

    Raises:
        TypeError: an argument of the wrong kind, or tensors of two dtypes.
        ValueError: shapes, numbers or words that are not legal.

    Example:
        >>> import minitensor as mt
        >>> x = mt.reshape(mt.range(1.0, 26.0), [1, 5, 5, 1])
        >>> w = mt.reshape(mt.constant([-1.0, 2, -3, 4, -5, 6, -7, 8, -9]), [3, 3, 1, 1])
        >>> mt.nn.conv2d(x, w, 2, "VALID")[0, :, :, 0].numpy()
        array([[ -67.,  -77.],
               [-117., -127.]], dtype=float32)

    Source: tf.nn.conv2d
    """
    return _conv("conv2d", 2, input, filters, strides, padding, data_format, dilations)


def conv2d_biased(
    input: Any,
    filters: Any,
    bias: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    activation: str,
) -> Tensor:
    """activation(conv2d + bias) as one op, channels last: what a layer asks for.

    activation is "linear", "relu" or "relu6"; TensorFlow has no such function.
    """
    fused = bias, activation
    return _conv("conv2d", 2, input, filters, strides, padding, None, dilations, fused=fused)


def conv3d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Cross-correlates volumes with a filter bank.

    y[n,l,i,j,o] = sum over t,u,v,c of input[n, l*sd + t*dd - front, ...] filters[t,u,v,c,o]

    Args:
        input: (..., D, H, W, C); floats.
        filters: (kd, kh, kw, C/G, O).
        strides: [1, sd, sh, sw, 1], in the order of `data_format`.
        padding: "SAME" or "VALID".
        data_format: "NDHWC" or "NCDHW".
        dilations: like `strides`; 1 by default.
        name: ignored.

    Returns:
        (..., d, h, w, O)

    Raises:
        TypeError: an argument of the wrong kind, or tensors of two dtypes.
        ValueError: shapes, numbers or words that are not legal.

    Example:
        >>> import minitensor as mt
        >>> x, w = mt.ones([1, 3, 3, 3, 1]), mt.ones([2, 2, 2, 1, 1])
        >>> mt.nn.conv3d(x, w, [1, 1, 1, 1, 1], "VALID").shape
        TensorShape([1, 2, 2, 2, 1])

    Source: tf.nn.conv3d
    """
    return _conv("conv3d", 3, input, filters, strides, padding, data_format, dilations, (5,), False)


def convolution(
    input: Any,
    filters: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """conv1d, conv2d or conv3d, by the number of axes of `filters`; strides default to 1.

    y = conv{filters.ndim - 2}d(input, filters, strides, padding, data_format, dilations)

    Args:
        input: (..., spatial axes, C).
        filters: (spatial taps, C/G, O) with one, two or three spatial axes.
        strides: a number, or one per spatial axis; together with dilations as well.
        padding: "VALID", "SAME" or explicit pairs over all axes.
        data_format: "NWC", "NHWC", "NDHWC" or their channels-first forms.
        dilations: like `strides`.
        name: ignored.

    Returns:
        (..., output sizes, O)

    Raises:
        TypeError: an argument of the wrong kind, or tensors of two dtypes.
        ValueError: shapes, numbers or words that are not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.nn.convolution(mt.ones([1, 5, 5, 1]), mt.ones([3, 3, 1, 2])).shape
        TensorShape([1, 3, 3, 2])

    Source: tf.nn.convolution
    """
    rank = len(getattr(filters, "shape", ())) - 2
    if rank not in (1, 2, 3):
        raise ValueError(
            "convolution: filters must have 3, 4 or 5 axes (spatial taps, C/G, O), got shape "
            f"{tuple(getattr(filters, 'shape', ()))}"
        )
    return _conv("convolution", rank, input, filters, strides, padding, data_format, dilations)


def atrous_conv2d(
    value: Any, filters: Any, rate: Any, padding: Any, name: str | None = None
) -> Tensor:
    """conv2d with taps `rate` pixels apart ("a trous": with holes) and stride 1.

    y = conv2d(value, filters, 1, padding, dilations=rate)

    Args:
        value: (N, H, W, C).
        filters: (kh, kw, C/G, O).
        rate: pixels between taps: a number or [rh, rw].
        padding: "SAME", "VALID" or explicit pairs.
        name: ignored.

    Returns:
        (N, h, w, O)

    Raises:
        TypeError: an argument of the wrong kind, or tensors of two dtypes.
        ValueError: shapes, numbers or words that are not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.nn.atrous_conv2d(mt.ones([1, 7, 7, 1]), mt.ones([3, 3, 1, 1]), 2, "VALID").shape
        TensorShape([1, 3, 3, 1])

    Source: tf.nn.atrous_conv2d
    """
    args.spatial("atrous_conv2d", "rate", rate, 2, True, (0, 1, 2))
    return _conv("atrous_conv2d", 2, value, filters, 1, padding, None, rate, image="value")


def _conv(
    op: str,
    rank: int,
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
    forms: tuple[int, ...] | None = None,
    explicit: bool = True,
    image: str = "input",
    fused: tuple[Any, str] | None = None,
) -> Tensor:
    """Reads the arguments, then folds leading axes into the batch and turns channels last."""
    last = args.channels_last(op, data_format, rank)
    stride = args.spatial(op, "strides" if rank > 1 else "stride", strides, rank, last, forms)
    dilation = args.spatial(op, "dilations", dilations, rank, last, forms)
    pads = args.padding(op, padding, rank, last, explicit)
    x, kernel = args.tensors(op, **{image: input, "filters": filters})
    args.rank_of(op, image, x, rank + 2, "(N, spatial axes and channels)", more=True)
    args.rank_of(op, "filters", kernel, rank + 2, "(spatial taps, C/G, O)")
    args.taps(op, kernel.shape[:rank])
    lead = x.shape[: -(rank + 1)]
    x = args.moved_last(array.reshape(x, shape=(math.prod(lead), *x.shape[len(lead) :])), last)
    groups = args.group_count(op, x.shape[-1], kernel.shape, image)
    size, taps = x.shape[1:-1], kernel.shape[:rank]
    args.fits(op, size, taps, dilation, pads)
    depth, plane = planes(size, taps, stride, pads, dilation, groups)
    if fused:
        bias, activation = args.tensors(op, filters=kernel, bias=fused[0])[1], fused[1]
        y = ops.conv2d_bias_activation(x, kernel, bias, window=plane, activation=activation)
    else:
        y = args.moved_back(ops.conv(x, kernel, depth=depth, plane=plane), last)
    return y if len(lead) == 1 else array.reshape(y, shape=(*lead, *y.shape[1:]))
