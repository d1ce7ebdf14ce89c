"""Colours on a wheel: hue is the angle, in turns; red 0, green 1/3, blue 2/3.

A pixel is its smallest and largest channel and its hue: the other channels follow. Everything is
composed of elementwise ops, so it is differentiable wherever the wheel is smooth.

For all of them:
    Args: `image`: (..., H, W, 3). `name`: ignored.
    Returns: the shape and dtype of the image.
    Raises: TypeError where an argument is no number, or `images` are no floats; ValueError where
        a number is out of range, or the last axis is not of size 3.
    Source: tf.image, under the same name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor
from minitensor.autograd.tensor import is_float
from minitensor.image.color import convert_image_dtype
from minitensor.image.inputs import NUMBERS, colored, example, scalar
from minitensor.nn import checks
from minitensor.ops import array, math, reduce
from minitensor.ops.math import rounded_once


@example("rgb_to_hsv(tf.constant([0.0, 0.5, 0.0])).numpy()", "[0.33333334, 1.        , 0.5       ]")
def rgb_to_hsv(images: Any, name: str | None = None) -> Tensor:
    """Hue, saturation and value of colours.

    value = max, saturation = (max - min) / max, hue = where max is, and how near the others are

    Args:
        images: (..., 3) red, green, blue, floats from 0 to 1.

    Returns:
        (..., 3), each from 0 to 1; hue is 0 where the colour is gray, saturation where it is
        black.
    """
    return _rgb_to_hsv(floats("rgb_to_hsv", images))


@rounded_once
def _rgb_to_hsv(x: Tensor) -> Tensor:
    low, high = _extremes(x)
    lit = math.greater(high, 0)
    saturation = math.where(lit, (high - low) / math.where(lit, high, 1), 0)
    return array.concat(_hue(x, low, high), saturation, high, axis=-1)


@example("hsv_to_rgb(tf.constant([0.0, 0.5, 1.0])).numpy()", "[1. , 0.5, 0.5]")
def hsv_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Colours from hue, saturation and value.

    y = value * (1 - saturation + saturation * wheel(hue))

    Args:
        images: (..., 3) hue, saturation, value, floats from 0 to 1.

    Returns:
        (..., 3) red, green, blue.
    """
    return _hsv_to_rgb(floats("hsv_to_rgb", images))


@rounded_once
def _hsv_to_rgb(x: Tensor) -> Tensor:
    hue, saturation, value = (_channel(x, i) for i in range(3))
    return value * (1 - saturation + saturation * _wheel(hue))


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """Turns the colours on the wheel.

    hue = hue + delta, modulo 1; the smallest and the largest channel keep their values

    Args:
        delta: turns, from -1 to 1.

    Example:
        >>> import minitensor as tf
        >>> red = tf.constant([[[200, 0, 0]]], "uint8")
        >>> tf.image.adjust_hue(red, 1 / 3).numpy().ravel().tolist()
        [0, 200, 0]
    """
    x = checks.tensor("adjust_hue", "image", image, NUMBERS)
    colored("adjust_hue", "image", x, rank=3)
    turn = scalar("adjust_hue", "delta", delta)
    if not -1 <= turn <= 1:
        raise ValueError(f"adjust_hue: delta must be from -1 to 1, in turns, got {delta}")
    full = convert_image_dtype(x, np.float32)
    low, high = _extremes(full)
    turned = low + (high - low) * _wheel(math.mod(_hue(full, low, high) + turn, 1))
    return convert_image_dtype(turned, x.dtype)


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """Makes colours purer or paler.

    saturation = min(saturation * saturation_factor, 1); hue and value stay

    Args:
        saturation_factor: 0 leaves gray, 1 the image.

    Example:
        >>> import minitensor as tf
        >>> pale = tf.constant([[[200, 100, 100]]], "uint8")
        >>> tf.image.adjust_saturation(pale, 2).numpy().ravel().tolist()
        [200, 0, 0]
    """
    x = checks.tensor("adjust_saturation", "image", image, NUMBERS)
    colored("adjust_saturation", "image", x, rank=3)
    factor = scalar("adjust_saturation", "saturation_factor", saturation_factor)
    hsv = _rgb_to_hsv(convert_image_dtype(x, np.float32))
    pure = math.minimum(math.maximum(_channel(hsv, 1) * factor, 0), 1)
    adjusted = _hsv_to_rgb(array.concat(_channel(hsv, 0), pure, _channel(hsv, 2), axis=-1))
    return convert_image_dtype(adjusted, x.dtype)


def floats(op: str, images: Any) -> Tensor:
    x = checks.tensor(op, "images", images, NUMBERS)
    if not is_float(x.dtype):
        raise TypeError(
            f"{op}: images must hold floats, got {x.dtype.name}; "
            "use minitensor.image.convert_image_dtype(images, 'float32')"
        )
    colored(op, "images", x)
    return x


def _channel(x: Tensor, i: int) -> Tensor:
    return array.getitem(x, index=(..., slice(i, i + 1)))  # (..., 1)


def _extremes(x: Tensor) -> tuple[Tensor, Tensor]:
    """(..., 1) each: the smallest and the largest channel."""
    return reduce.min(x, axis=(-1,), keepdims=True), reduce.max(x, axis=(-1,), keepdims=True)


def _hue(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """(..., 1): the angle in turns, from 0 to 1."""
    red, green, blue = (_channel(x, i) for i in range(3))
    chroma = high - low
    colorful = math.greater(chroma, 0)
    sixth = 1 / (6 * math.where(colorful, chroma, 1))
    angle = math.where(
        math.equal(red, high),
        (green - blue) * sixth,
        math.where(
            math.equal(green, high), (blue - red) * sixth + 1 / 3, (red - green) * sixth + 2 / 3
        ),
    )
    angle = math.where(math.less(angle, 0), angle + 1, angle)
    return math.where(colorful, angle, 0)


def _wheel(hue: Tensor) -> Tensor:
    """(..., 3): the pure colour at `hue`, each channel from 0 to 1."""
    sixths = 6 * hue
    red = math.absolute(sixths - 3) - 1
    green = 2 - math.absolute(sixths - 2)
    blue = 2 - math.absolute(sixths - 4)
    return math.minimum(math.maximum(array.concat(red, green, blue, axis=-1), 0), 1)
