"""Changing pixel values: brightness, contrast, colour, and the range a dtype stands for.

Floats are images from 0 to 1, integers from 0 to the largest of their type. What is computed is
computed in float32.

For all of them:
    Args: `image`, `images`: floats or integers, of any shape if nothing else is said. `name`:
        ignored.
    Returns: the shape and dtype of the image, integers clipped to their range.
    Raises: TypeError where an argument is no number, ValueError where the shape is another.
    Source: tf.image, under the same name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor
from minitensor.autograd.tensor import is_float
from minitensor.dtypes import as_dtype
from minitensor.image.inputs import NUMBERS, colored, example, picture, scalar
from minitensor.nn import checks
from minitensor.ops import array, linalg, math, reduce

_GRAY = (0.2989, 0.587, 0.114)  # how bright red, green and blue look


@example(
    'convert_image_dtype([0.0, 0.5, 1.0], "uint8").numpy()', "array([  0, 127, 255], dtype=uint8)"
)
def convert_image_dtype(
    image: Any, dtype: Any, saturate: bool = False, name: str | None = None
) -> Tensor:
    """Converts images to another dtype, and to the range of values it stands for.

    integer to float: x / max; float to integer: trunc(x * (max + 1/2));
    integer to integer: times or divided by the ratio of the ranges, a power of 2

    Args:
        dtype: a float or integer dtype.
        saturate: clip what is out of range; else it wraps around, as the processor does it.

    Raises:
        TypeError: either dtype is neither float nor integer.
    """
    x, new = checks.tensor("convert_image_dtype", "image", image, NUMBERS), as_dtype(dtype)
    if new.kind not in "iu" and not is_float(new):
        raise TypeError(
            f"convert_image_dtype: dtype must be a float or integer dtype, got {new.name}"
        )
    if new == x.dtype or (is_float(new) and is_float(x.dtype)):
        return math.cast(x, dtype=new)
    if is_float(new):
        return math.multiply(math.cast(x, dtype=new), 1 / np.iinfo(x.dtype).max)
    if is_float(x.dtype):
        return _to_integer(math.multiply(x, np.iinfo(new).max + 0.5), new, saturate)
    return _between_integers(x, new, saturate)


def _between_integers(x: Tensor, new: np.dtype[Any], saturate: bool) -> Tensor:
    old_max, new_max = int(np.iinfo(x.dtype).max), int(np.iinfo(new).max)
    if old_max > new_max:
        scaled = math.floordiv(x, (old_max + 1) // (new_max + 1))
        return _to_integer(scaled, new, saturate)
    return math.multiply(_to_integer(x, new, saturate), (new_max + 1) // (old_max + 1))


def _to_integer(x: Tensor, new: np.dtype[Any], saturate: bool) -> Tensor:
    """x cut off towards 0; if `saturate`, clipped to the part of the new range x can express."""
    if saturate:
        least, most = np.iinfo(new).min, np.iinfo(new).max
        if is_float(x.dtype):
            low, high = (np.asarray(bound).astype(x.dtype) for bound in (least, most))
            if int(high) > most:
                high = np.nextafter(high, low)
        else:
            own = np.iinfo(x.dtype)
            low, high = (np.asarray(int(np.clip(b, own.min, own.max))) for b in (least, most))
        x = math.minimum(math.maximum(x, low), high)
    return math.cast(x, dtype=new)


def _as_float32(x: Tensor) -> Tensor:
    return convert_image_dtype(x, np.float32)


@example(
    'adjust_brightness(tf.constant([10, 250], "uint8"), 0.1).numpy()',
    "array([ 35, 255], dtype=uint8)",
)
def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """Adds a number to images, in the scale from 0 to 1.

    y = x + delta

    Args:
        delta: how much brighter, usually in (-1, 1).
    """
    x = checks.tensor("adjust_brightness", "image", image, NUMBERS)
    y = math.add(_as_float32(x), scalar("adjust_brightness", "delta", delta))
    return convert_image_dtype(y, x.dtype, saturate=True)


@example("adjust_contrast(tf.constant([[[1.0], [3.0]]]), 2.0).numpy().ravel()", "[0., 4.]")
def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """Scales the distance of each pixel from the mean of its image and channel.

    y = (x - mean) * contrast_factor + mean

    Args:
        images: (..., H, W, C); integers are clipped to their range, floats are not.
        contrast_factor: 0 leaves the mean, 1 the image.
    """
    x = checks.tensor("adjust_contrast", "images", images, NUMBERS)
    if x.ndim < 3:
        raise ValueError(f"adjust_contrast: images must have 3 axes or more, got shape {x.shape}")
    factor = scalar("adjust_contrast", "contrast_factor", contrast_factor)
    full = _as_float32(x)
    mean = reduce.mean(full, axis=(-3, -2), keepdims=True)  # (..., 1, 1, C)
    return convert_image_dtype((full - mean) * factor + mean, x.dtype, saturate=True)


@example("per_image_standardization(tf.constant([[[1.0], [3.0]]])).numpy().ravel()", "[-1.,  1.]")
def per_image_standardization(image: Any) -> Tensor:
    """Gives each image the mean 0 and, unless it is nearly constant, the variance 1.

    y = (x - mean) / max(deviation, 1 / sqrt(H * W * C))

    Args:
        image: (..., H, W, C).

    Returns:
        The shape of `image`, float32.

    Raises:
        ValueError: fewer than three axes, or no pixels.
    """
    x = picture("per_image_standardization", "image", image, range(3, 65))
    x = math.cast(x, dtype=np.float32)
    inner = (-3, -2, -1)
    centred = x - reduce.mean(x, axis=inner, keepdims=True)
    # Under the root, because its slope at a constant image is infinite.
    variance = reduce.mean(math.square(centred), axis=inner, keepdims=True)  # (..., 1, 1, 1)
    return centred * math.rsqrt(math.maximum(variance, 1 / int(np.prod(x.shape[-3:]))))


@example("rgb_to_grayscale(tf.constant([[1.0, 0.0, 0.0]])).numpy()", "[[0.2989]]")
def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """How bright colours look.

    y = 0.2989 red + 0.587 green + 0.114 blue

    Args:
        images: (..., 3).

    Returns:
        (..., 1), the dtype of `images`.
    """
    x = checks.tensor("rgb_to_grayscale", "images", images, NUMBERS)
    colored("rgb_to_grayscale", "images", x)
    weights = np.array(_GRAY, np.float32)[:, np.newaxis]
    rows = array.reshape(_as_float32(x), shape=(-1, 3))
    gray = array.reshape(linalg.matmul(rows, weights), shape=(*x.shape[:-1], 1))
    return convert_image_dtype(gray, x.dtype)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Gray images with three equal channels.

    Args:
        images: (..., 1).

    Returns:
        (..., 3), the dtype of `images`.

    Example:
        >>> import minitensor as tf
        >>> tf.image.grayscale_to_rgb(tf.constant([[1.0], [2.0]])).numpy()
        array([[1., 1., 1.],
               [2., 2., 2.]], dtype=float32)
    """
    x = checks.tensor("grayscale_to_rgb", "images", images, NUMBERS)
    if x.ndim < 2 or x.shape[-1] != 1:
        raise ValueError(
            f"grayscale_to_rgb: images must have 1 channel in their last axis, got shape {x.shape}"
        )
    return array.concat(x, x, x, axis=-1)  # (..., 3)


@example("adjust_gamma(tf.constant([0.0, 0.5, 1.0]), 2).numpy()", "[0.  , 0.25, 1.  ]")
def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """Makes the middle tones of images darker or brighter.

    y = gain * x^gamma, in the scale from 0 to 1

    Args:
        gamma: at least 0; above 1 is darker.
        gain: a factor.

    Raises:
        ValueError: `gamma` is negative.
    """
    x = checks.tensor("adjust_gamma", "image", image, NUMBERS)
    power, factor = (scalar("adjust_gamma", w, v) for w, v in (("gamma", gamma), ("gain", gain)))
    if power < 0:
        raise ValueError(f"adjust_gamma: gamma must not be negative, got {gamma}")
    return convert_image_dtype(factor * _as_float32(x) ** power, x.dtype, saturate=True)
