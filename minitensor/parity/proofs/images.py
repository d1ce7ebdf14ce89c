"""Colours spelled out of sums, maxima and remainders; rgb_to_hsv is another op, with a row."""

from __future__ import annotations


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
