"""The mirror of tf.image: what is done to images before a net sees them.

    resize.py     another size: two matrix products
    geometry.py   mirror images, crops, borders
    patches.py    cut out and added back: im2col and its adjoint
    color.py      brightness, contrast, gray, dtypes
    hue.py        the colour wheel
    luma.py       light and differences of colour
    random.py     the same by chance, for training
    boxes.py      images in frames, boxes out of images
    quality.py    edges, and how alike two images are
    codec.py      images as PNG, JPEG, BMP and GIF files
    inputs.py     how all of them read what they are given

Names, arguments, their order and their defaults are TensorFlow's. Everything is differentiable,
to every order, where TensorFlow often is not.
"""

from minitensor import missing
from minitensor import symbolic as _symbolic
from minitensor.image.boxes import crop_and_resize, resize_with_pad
from minitensor.image.codec import (
    decode_bmp,
    decode_gif,
    decode_image,
    decode_jpeg,
    decode_png,
    encode_jpeg,
    encode_png,
)
from minitensor.image.color import (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    convert_image_dtype,
    grayscale_to_rgb,
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
    rot90,
    transpose,
)
from minitensor.image.hue import adjust_hue, adjust_saturation, hsv_to_rgb, rgb_to_hsv
from minitensor.image.luma import rgb_to_yiq, rgb_to_yuv, yiq_to_rgb, yuv_to_rgb
from minitensor.image.patches import add_patches, extract_patches
from minitensor.image.quality import image_gradients, psnr, sobel_edges, ssim, total_variation
from minitensor.image.random import (
    random_brightness,
    random_contrast,
    random_crop,
    random_flip_left_right,
    random_flip_up_down,
    random_hue,
    random_saturation,
)
from minitensor.image.resize import ResizeMethod, resize

__all__ = [
    "ResizeMethod", "add_patches", "adjust_brightness", "adjust_contrast", "adjust_gamma",
    "adjust_hue", "adjust_saturation", "central_crop", "convert_image_dtype", "crop_and_resize",
    "crop_to_bounding_box", "decode_bmp", "decode_gif", "decode_image", "decode_jpeg",
    "decode_png", "encode_jpeg", "encode_png", "extract_patches", "flip_left_right",
    "flip_up_down", "grayscale_to_rgb", "hsv_to_rgb", "image_gradients", "pad_to_bounding_box",
    "per_image_standardization", "psnr", "random_brightness", "random_contrast", "random_crop",
    "random_flip_left_right", "random_flip_up_down", "random_hue", "random_saturation",
    "resize", "resize_with_crop_or_pad", "resize_with_pad", "rgb_to_grayscale", "rgb_to_hsv",
    "rgb_to_yiq", "rgb_to_yuv", "rot90", "sobel_edges", "ssim", "total_variation", "transpose",
    "yiq_to_rgb", "yuv_to_rgb",
]  # fmt: skip

__getattr__ = missing.refusing("tf.image", __name__)
_symbolic.install(globals())
