"""Colours spelled out of sums, maxima and remainders; rgb_to_hsv is another op, with a row."""

from __future__ import annotations

import numpy as np


def hsv_to_rgb(tf, images):
    """v - v s max(0, min(k, 4 - k, 1)) with k = (n + 6 h) mod 6, n = 5, 3, 1."""
    h, s, v = tf.unstack(images, axis=-1)
    parts = []
    for n in (5, 3, 1):
        k = tf.math.floormod(n + 6 * h, 6)
        parts.append(v - v * s * tf.maximum(tf.minimum(tf.minimum(k, 4 - k), 1), 0))
    return tf.stack(parts, axis=-1)


def adjust_contrast(tf, images, contrast_factor):
    """What differs from the mean of each image and channel, times the factor."""
    mean = tf.reduce_mean(images, axis=[-3, -2], keepdims=True)
    return (images - mean) * contrast_factor + mean


def adjust_hue(tf, image, delta):
    """The colour wheel turned by delta."""
    h, s, v = tf.unstack(tf.image.rgb_to_hsv(image), axis=-1)
    return hsv_to_rgb(tf, tf.stack([tf.math.floormod(h + delta, 1), s, v], axis=-1))


def adjust_saturation(tf, image, saturation_factor):
    """The saturation times the factor, one at most."""
    h, s, v = tf.unstack(tf.image.rgb_to_hsv(image), axis=-1)
    return hsv_to_rgb(tf, tf.stack([h, tf.minimum(s * saturation_factor, 1), v], axis=-1))


def resize(tf, images, size, method):
    """Tents, or Keys' cubics (1981, a = -1/2) of the pixels there are: weights add up to one.

    A pixel without weight takes no part, so that its NaN spoils nothing.
    """
    wide = tf.cast(images, "float32")
    for axis, new in enumerate(size, 1):
        pixels = tf.unstack(wide, axis=axis)
        at = (np.arange(new) + 0.5) * len(pixels) / new - 0.5
        at = at.clip(0, len(pixels) - 1) if method == "bilinear" else at
        d = np.abs(at[:, np.newaxis] - np.arange(len(pixels)))
        near, far = (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2
        cubic = np.where(d <= 1, near, np.where(d < 2, far, 0))
        weights = np.maximum(1 - d, 0) if method == "bilinear" else cubic
        weights = (weights / weights.sum(1, keepdims=True)).astype("float32")
        rows = [[w * x for w, x in zip(row, pixels, strict=True) if w] for row in weights]
        wide = tf.stack([tf.add_n(parts) for parts in rows], axis)
    return wide
