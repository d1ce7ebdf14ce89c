"""Pooling and morphology spelled out: cut the windows out, choose one tap or take the mean.

The chosen tap is the first of the largest in row-major order, a NaN being larger than everything,
and padding is never chosen while the window holds a pixel.
"""

from __future__ import annotations

import numpy as np

from minitensor.parity.proofs.conv import spatial, taps


def choose(tf, columns, real):
    """A mask (N, ..., taps, C) of the one tap per window that holds the maximum."""
    real = tf.broadcast_to(real, columns.shape)
    lost = tf.math.is_nan(columns) & real
    # -inf pixels beat padding: what counts is equality with the maximum over real taps
    low = tf.constant(-np.inf, columns.dtype)
    largest = tf.reduce_max(tf.where(real & ~lost, columns, low), axis=-2, keepdims=True)
    hits = real & (columns == largest)
    hits = tf.where(tf.reduce_any(lost, axis=-2, keepdims=True), lost, hits)
    first = tf.argmax(tf.cast(hits, "int32"), axis=-2)  # (N, ..., C)
    axis = len(columns.shape) - 2
    mask = tf.one_hot(first, int(columns.shape[-2]), axis=axis, dtype="int32")
    return mask == 1  # (N, ..., taps, C)


def total(tf, columns, mask):
    """The sum over the taps of each window that the mask lets through: (N, ..., C)."""
    return tf.reduce_sum(tf.where(mask, columns, tf.zeros_like(columns)), axis=-2)


def windows(tf, x, kernel, strides, dilations, padding):
    """The windows of x (N, ..., C) and which taps of them are pixels, not padding."""
    geometry = (kernel, strides, dilations, padding)
    ones = tf.ones_like(x[:1])
    return taps(tf, x, *geometry, 0), taps(tf, ones, *geometry, 0) == 1


def pool(
    tf,
    input,
    window_shape,
    pooling_type,
    strides=None,
    padding="VALID",
    data_format=None,
    dilations=None,
):
    """tf.nn.pool: the maximum, or the mean over real pixels, of every window."""
    rank = len(input.shape) - 2
    first = bool(data_format) and data_format.startswith("NC")
    if first:
        input = tf.transpose(input, [0, *range(2, rank + 2), 1])
    if not isinstance(padding, str):
        whole = len(padding) == rank + 2
        padding = (padding[2:] if first else padding[1:-1]) if whole else padding
    kernel = spatial(window_shape, rank, first)
    geometry = (kernel, spatial(strides, rank, first), spatial(dilations, rank, first), padding)
    columns, real = windows(tf, input, *geometry)
    if pooling_type == "AVG":
        y = total(tf, columns, real) / tf.reduce_sum(tf.cast(real, columns.dtype), axis=-2)
    else:
        y = total(tf, columns, choose(tf, columns, real))
    return tf.transpose(y, [0, rank + 1, *range(1, rank + 1)]) if first else y


def max_pool(tf, input, ksize, strides, padding, data_format=None):
    """Any of the max_pool functions."""
    return pool(tf, input, ksize, "MAX", strides, padding, data_format)


def avg_pool(tf, input, ksize, strides, padding, data_format=None):
    """Any of the avg_pool functions."""
    return pool(tf, input, ksize, "AVG", strides, padding, data_format)


def max_pool_with_argmax(tf, input, ksize, strides, padding, include_batch_in_index=False):
    """The maximum and its index, ((n*)H + y) * W + x) * C + c in the unpadded image."""
    geometry = (spatial(ksize, 2), spatial(strides, 2), [1, 1], padding)
    columns, real = windows(tf, input, *geometry)
    chosen = choose(tf, columns, real)
    shape = [int(n) for n in input.shape]
    indices = np.arange(np.prod(shape)).reshape(shape)
    if not include_batch_in_index:
        indices = np.broadcast_to(indices[:1], shape)
    numbers = taps(tf, tf.constant(indices), *geometry, 0)
    return total(tf, columns, chosen), total(tf, numbers, chosen)


def dilation2d(tf, input, filters, strides, padding, data_format, dilations):
    """y[n, i, o, c] = max_{u, v} (x[n, s*i + d*u - p, s*o + d*v - p, c] + f[u, v, c])."""
    del data_format
    kernel = [int(n) for n in filters.shape[:2]]
    columns, real = windows(tf, input, kernel, spatial(strides, 2), spatial(dilations, 2), padding)
    columns = columns + tf.reshape(filters, [kernel[0] * kernel[1], -1])
    return total(tf, columns, choose(tf, columns, real))


def erosion2d(tf, value, filters, strides, padding, data_format, dilations):
    """min over the window of x - f, f read backwards."""
    flipped = tf.reverse(filters, [0, 1])
    return -dilation2d(tf, -value, flipped, strides, padding, data_format, dilations)


def extract_patches(tf, images, sizes, strides, rates, padding):
    """im2col: (N, h, w, kh*kw*C), the last axis ordered (kh, kw, C)."""
    geometry = (spatial(sizes, 2), spatial(strides, 2), spatial(rates, 2))
    columns = taps(tf, images, *geometry, padding, 0)
    shape = [int(n) for n in columns.shape]
    return tf.reshape(columns, [*shape[:3], shape[3] * shape[4]])
