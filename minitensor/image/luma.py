"""Light and two differences of colour, as television has them: products with a matrix.

For all of them:
    Args: `images`: (..., 3), floats; red, green and blue from 0 to 1.
    Returns: the shape and dtype of the images.
    Raises: TypeError where they are no floats, ValueError where the last axis is not of size 3.
    Source: tf.image, under the same name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor
from minitensor.image.hue import floats
from minitensor.image.inputs import example
from minitensor.ops import array, linalg

# y = x @ matrix; the numbers are TensorFlow's, so that values agree to the last digit
_RGB_TO_YIQ = [
    [0.299, 0.59590059, 0.2115],
    [0.587, -0.27455667, -0.52273617],
    [0.114, -0.32134392, 0.31119955],
]
_YIQ_TO_RGB: list[list[float]] = [
    [1.0, 1.0, 1.0],
    [0.95598634, -0.27201283, -1.10674021],
    [0.6208248, -0.64720424, 1.70423049],
]
_RGB_TO_YUV = [
    [0.299, -0.14714119, 0.61497538],
    [0.587, -0.28886916, -0.51496512],
    [0.114, 0.43601035, -0.10001026],
]
_YUV_TO_RGB = [[1.0, 1.0, 1.0], [0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0]]


@example("rgb_to_yiq(tf.constant([1.0, 1.0, 1.0])).numpy().round(3)[0]", "np.float32(1.0)")
def rgb_to_yiq(images: Any) -> Tensor:
    """Light, orange against blue, purple against green."""
    return _mixed("rgb_to_yiq", images, _RGB_TO_YIQ)


@example("yiq_to_rgb(tf.constant([0.5, 0.0, 0.0])).numpy()", "[0.5, 0.5, 0.5]")
def yiq_to_rgb(images: Any) -> Tensor:
    """Red, green and blue from what `rgb_to_yiq` gives."""
    return _mixed("yiq_to_rgb", images, _YIQ_TO_RGB)


@example("rgb_to_yuv(tf.constant([1.0, 1.0, 1.0])).numpy().round(3)[0]", "np.float32(1.0)")
def rgb_to_yuv(images: Any) -> Tensor:
    """Light, blue without light, red without light."""
    return _mixed("rgb_to_yuv", images, _RGB_TO_YUV)


@example("yuv_to_rgb(tf.constant([0.5, 0.0, 0.0])).numpy()", "[0.5, 0.5, 0.5]")
def yuv_to_rgb(images: Any) -> Tensor:
    """Red, green and blue from what `rgb_to_yuv` gives."""
    return _mixed("yuv_to_rgb", images, _YUV_TO_RGB)


def _mixed(op: str, images: Any, matrix: list[list[float]]) -> Tensor:
    x = floats(op, images)
    pixels = array.reshape(x, shape=(-1, 3))
    mixed = linalg.matmul(pixels, np.array(matrix, x.dtype))
    return array.reshape(mixed, shape=x.shape)  # (..., 3)
