"""The mirror of tf.image: what is done to images before a net sees them.

    resize.py     another size: two matrix products
    geometry.py   patches, mirror images, crops, borders
    color.py      brightness, contrast, gray, dtypes
    hue.py        the colour wheel
    random.py     the same by chance, for training

Names, arguments, their order and their defaults are TensorFlow's. Everything is differentiable,
to every order, where TensorFlow often is not.
"""

from minitensor.image.color import (
    adjust_brightness,
    adjust_contrast,
    convert_image_dtype,
    per_image_standardization,
    rgb_to_grayscale,
)
from minitensor.image.geometry import (
    central_crop,
    crop_to_bounding_box,
    flip_left_right,
    flip_up_down,
    pad_to_bounding_box,
    resize_with_crop_or_pad,
)
from minitensor.image.hue import adjust_hue, hsv_to_rgb, rgb_to_hsv
from minitensor.image.patches import add_patches, extract_patches
from minitensor.image.random import (
    random_brightness,
    random_contrast,
    random_crop,
    random_flip_left_right,
    random_flip_up_down,
    random_hue,
)
from minitensor.image.resize import ResizeMethod, resize

__all__ = [
    "ResizeMethod",
    "add_patches",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_hue",
    "central_crop",
    "convert_image_dtype",
    "crop_to_bounding_box",
    "extract_patches",
    "flip_left_right",
    "flip_up_down",
    "hsv_to_rgb",
    "pad_to_bounding_box",
    "per_image_standardization",
    "random_brightness",
    "random_contrast",
    "random_crop",
    "random_flip_left_right",
    "random_flip_up_down",
    "random_hue",
    "resize",
    "resize_with_crop_or_pad",
    "rgb_to_grayscale",
    "rgb_to_hsv",
]
