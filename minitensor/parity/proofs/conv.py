"""The conv family spelled out: cut the windows out of the image, multiply, sum.

Letters as everywhere: N images, C channels in, O channels out. No convolution kernel is used, and
a transposed convolution is what it is by definition: the gradient of the convolution.
"""

from __future__ import annotations

import itertools

import numpy as np


def spatial(value, rank, first=False):
    """One number per spatial axis, from an int or a list, with or without batch and channel."""
    if value is None:
        return [1] * rank
    values = [value] if isinstance(value, int) else list(value)
    if len(values) == rank + 2:
        return values[2:] if first else values[1:-1]
    return values * rank if len(values) == 1 else values


def pads(sizes, kernel, strides, dilations, padding):
    """Pixels (before, after) along each axis; TF's SAME puts the odd one after."""
    if padding == "VALID":
        return [(0, 0)] * len(sizes)
    if padding != "SAME":
        return [tuple(pair) for pair in padding]
    found = []
    for n, k, s, d in zip(sizes, kernel, strides, dilations, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        found.append((total // 2, total - total // 2))
    return found


def taps(tf, x, kernel, strides, dilations, padding, fill):
    """All windows of x (N, ..., C), padded with `fill`: (N, ..., taps, C), taps row by row."""
    sizes = [int(n) for n in x.shape[1:-1]]
    around = pads(sizes, kernel, strides, dilations, padding)
    x = tf.pad(x, [(0, 0), *around, (0, 0)], constant_values=fill)
    out = [
        max((n + sum(p) - (k - 1) * d - 1) // s + 1, 0)
        for n, p, k, s, d in zip(sizes, around, kernel, strides, dilations, strict=True)
    ]
    views = []
    for tap in itertools.product(*(range(k) for k in kernel)):
        starts = [i * d for i, d in zip(tap, dilations, strict=True)]
        slices = [
            slice(start, start + (h - 1) * s + 1 if h else start, s)
            for start, h, s in zip(starts, out, strides, strict=True)
        ]
        views.append(x[(slice(None), *slices)])
    return tf.stack(views, axis=-2)


def convolution(tf, x, w, strides, padding, data_format=None, dilations=None):
    """y[n, i, o] = sum_{u, c} x[n, s*i + d*u - p, c] w[u, c, o], in C / w.shape[-2] groups."""
    rank = len(w.shape) - 2
    first = bool(data_format) and data_format.startswith("NC")
    lead = [int(n) for n in x.shape[: -rank - 1]]
    x = tf.reshape(x, [int(np.prod(lead))] + [int(n) for n in x.shape[-rank - 1 :]])
    if first:
        x = tf.transpose(x, [0, *range(2, rank + 2), 1])
    kernel = [int(k) for k in w.shape[:rank]]
    geometry = (spatial(strides, rank, first), spatial(dilations, rank, first))
    columns = taps(tf, x, kernel, *geometry, _spatial_pads(padding, first), 0)
    y = _contract(tf, columns, w, rank)
    if first:
        y = tf.transpose(y, [0, rank + 1, *range(1, rank + 1)])
    return tf.reshape(y, lead + [int(n) for n in y.shape[1:]])


def _contract(tf, columns, w, rank):
    """Sum over taps and channels by group: (N, ..., K, C) and (..., C/G, O) -> (N, ..., O)."""
    depth, outputs = int(w.shape[-2]), int(w.shape[-1])
    groups = int(columns.shape[-1]) // depth if depth else 1
    shape = [int(n) for n in columns.shape]
    columns = tf.reshape(columns, [*shape[:-1], groups, depth])
    w = tf.reshape(w, [shape[-2], depth, groups, outputs // groups])
    y = tf.einsum("...kgc,kcgo->...go", columns, w)
    return tf.reshape(y, [*shape[:-2], outputs])


def _spatial_pads(padding, first):
    """An explicit list without its batch and channel entries."""
    if isinstance(padding, str):
        return padding
    return list(padding[2:]) if first else list(padding[1:-1])


def conv1d(tf, input, filters, stride, padding, data_format=None, dilations=None):
    """conv1d as the sum over its taps."""
    return convolution(tf, input, filters, stride, padding, data_format, dilations)


def atrous_conv2d(tf, value, filters, rate, padding):
    """conv2d with stride 1 and dilation `rate`."""
    return convolution(tf, value, filters, 1, padding, None, rate)


def adjoint(tf, forward, sizes, g):
    """The gradient of a linear `forward`, whose argument has these sizes, for a cotangent g."""
    x = tf.zeros([int(n) for n in sizes], g.dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = forward(x)
    return tape.gradient(y, x, output_gradients=g)


def conv_transpose(
    tf, input, filters, output_shape, strides, padding="SAME", data_format=None, dilations=None
):
    """The adjoint of `convolution`: the gradient of <conv(z), input> with respect to z."""

    def forward(z):
        return convolution(tf, z, filters, strides, padding, data_format, dilations)

    return adjoint(tf, forward, output_shape, input)


def atrous_conv2d_transpose(tf, value, filters, output_shape, rate, padding):
    """The adjoint of atrous_conv2d."""
    return conv_transpose(tf, value, filters, output_shape, 1, padding, None, rate)


def depthwise_conv2d(tf, input, filter, strides, padding, data_format=None, dilations=None):
    """A convolution with as many groups as channels."""
    kh, kw, channels, multiplier = (int(n) for n in filter.shape)
    grouped = tf.reshape(filter, [kh, kw, 1, channels * multiplier])
    return convolution(tf, input, grouped, strides, padding, data_format, dilations)


def depthwise_conv2d_backprop_input(
    tf, input_sizes, filter, out_backprop, strides, padding, data_format=None, dilations=None
):
    """The gradient of depthwise_conv2d with respect to its input."""

    def forward(x):
        return depthwise_conv2d(tf, x, filter, strides, padding, data_format, dilations)

    return adjoint(tf, forward, input_sizes, out_backprop)


def depthwise_conv2d_backprop_filter(
    tf, input, filter_sizes, out_backprop, strides, padding, data_format=None, dilations=None
):
    """The gradient of depthwise_conv2d with respect to its filter."""

    def forward(w):
        return depthwise_conv2d(tf, input, w, strides, padding, data_format, dilations)

    return adjoint(tf, forward, filter_sizes, out_backprop)


def separable_conv2d(
    tf,
    input,
    depthwise_filter,
    pointwise_filter,
    strides,
    padding,
    data_format=None,
    dilations=None,
):
    """depthwise_conv2d, then a 1x1 convolution."""
    y = depthwise_conv2d(tf, input, depthwise_filter, strides, padding, data_format, dilations)
    return convolution(tf, y, pointwise_filter, 1, "VALID", data_format)
