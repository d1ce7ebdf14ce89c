"""Chance for training images as a function of a seed: what is drawn is what TensorFlow draws.

For all of them:
    Args: `image`: what the function without "stateless_random_" takes. `lower`, `upper`: limits of
        the draw, 0 <= lower < upper. `seed`: (2,) int32 or int64. `name`: ignored.
    Returns: the shape and dtype of `image`.
    Raises: TypeError for a seed of another dtype; ValueError where a limit is out of range, or
        `image` or `seed` has another shape.
    Source: tf.image, under the same name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd import Tensor
from minitensor.dtypes import int32
from minitensor.image.codec import adjust_jpeg_quality
from minitensor.image.color import adjust_brightness, adjust_contrast
from minitensor.image.hue import adjust_hue, adjust_saturation
from minitensor.image.inputs import example
from minitensor.image.random import around_zero, between, cropped, flipped, qualities
from minitensor.random import stateless_uniform

_MOST = 2**31 - 1


@example(
    "stateless_random_crop(tf.zeros([9, 9, 3]), [4, 4, 3], [1, 2]).shape", "TensorShape([4, 4, 3])"
)
def stateless_random_crop(value: Any, size: Any, seed: Any, name: str | None = None) -> Tensor:
    """Cuts a box of a given size at an offset drawn evenly.

    Args:
        value: a tensor of any shape.
        size: one length per axis, batch and channels too.

    Returns:
        The shape `size`.
    """

    def offsets(places: np.ndarray) -> np.ndarray:
        return stateless_uniform(places.shape, seed, 0, _MOST, int32).numpy() % places  # type: ignore[no-any-return]

    return cropped("stateless_random_crop", value, size, offsets)


@example(
    "stateless_random_flip_left_right([[[1], [2]]], [1, 2]).numpy().ravel()",
    "array([1, 2], dtype=int32)",
)
def stateless_random_flip_left_right(image: Any, seed: Any) -> Tensor:
    """Mirrors each image of the batch with probability 1/2: the first column becomes the last."""
    return flipped("stateless_random_flip_left_right", image, -2, _coins(seed))


@example(
    "stateless_random_flip_up_down([[[1]], [[2]]], [1, 2]).numpy().ravel()",
    "array([1, 2], dtype=int32)",
)
def stateless_random_flip_up_down(image: Any, seed: Any) -> Tensor:
    """Turns each image of the batch upside down with probability 1/2."""
    return flipped("stateless_random_flip_up_down", image, -3, _coins(seed))


@example("stateless_random_brightness([0.0], 0.2, [1, 2]).numpy()", "[0.13762416]")
def stateless_random_brightness(image: Any, max_delta: Any, seed: Any) -> Tensor:
    """Adds one number, drawn evenly from [-max_delta, max_delta), to images.

    Args:
        max_delta: at least 0, in the scale from 0 to 1.
    """
    delta = around_zero("stateless_random_brightness", max_delta, np.inf, _evenly(seed))
    return adjust_brightness(image, delta)


@example(
    "stateless_random_contrast(tf.ones([2, 2, 3]), 0.5, 1.5, [1, 2]).shape",
    "TensorShape([2, 2, 3])",
)
def stateless_random_contrast(image: Any, lower: Any, upper: Any, seed: Any) -> Tensor:
    """Scales contrast by one number, drawn evenly from [lower, upper)."""
    factor = between("stateless_random_contrast", lower, upper, _evenly(seed))
    return adjust_contrast(image, factor)


@example("stateless_random_hue(tf.ones([2, 2, 3]), 0.5, [1, 2]).shape", "TensorShape([2, 2, 3])")
def stateless_random_hue(image: Any, max_delta: Any, seed: Any) -> Tensor:
    """Turns colours on the wheel by one angle, drawn evenly from [-max_delta, max_delta).

    Args:
        max_delta: turns, from 0 to 0.5.
    """
    return adjust_hue(image, around_zero("stateless_random_hue", max_delta, 0.5, _evenly(seed)))


@example(
    "stateless_random_saturation(tf.ones([2, 2, 3]), 0.5, 1.5, [1, 2]).shape",
    "TensorShape([2, 2, 3])",
)
def stateless_random_saturation(image: Any, lower: Any, upper: Any, seed: Any = None) -> Tensor:
    """Scales saturation by one number, drawn evenly from [lower, upper)."""
    factor = between("stateless_random_saturation", lower, upper, _evenly(seed))
    return adjust_saturation(image, factor)


@example(
    "stateless_random_jpeg_quality(tf.ones([8, 8, 3]), 75, 95, [1, 2]).shape",
    "TensorShape([8, 8, 3])",
)
def stateless_random_jpeg_quality(
    image: Any, min_jpeg_quality: Any, max_jpeg_quality: Any, seed: Any
) -> Tensor:
    """Packs an image as a JPEG file of a quality drawn evenly, and unpacks it.

    Args:
        image: (H, W, C), one channel or three.
        min_jpeg_quality, max_jpeg_quality: from 0 to 100; the lower is drawn too, the upper not.
    """
    limits = qualities("stateless_random_jpeg_quality", min_jpeg_quality, max_jpeg_quality)
    return adjust_jpeg_quality(image, stateless_uniform([], seed, *limits, int32))


def _evenly(seed: Any) -> Callable[[float, float], float]:
    return lambda least, most: float(stateless_uniform([], seed, least, most))


def _coins(seed: Any) -> Callable[[Any], np.ndarray]:
    """One image is mirrored below 1/2; those of a batch above."""

    def coins(sizes: Any) -> np.ndarray:
        drawn = stateless_uniform(sizes, seed).numpy()
        return np.asarray(drawn > 0.5 if sizes else drawn < 0.5)

    return coins
