"""The mirror of tf.image: what is done to images before a net sees them.

    resize.py     another size: two matrix products
    geometry.py   mirror images, crops, borders
    patches.py    cut out and added back: im2col and its adjoint
    color.py      brightness, contrast, gray, dtypes
    hue.py        the colour wheel
    luma.py       light and differences of colour
    random.py     the same by chance, for training
    stateless.py  the same as a function of a seed
    boxes.py      images in frames, boxes out of images
    detection.py  boxes around what was found: the best of many, and drawn
    distorted.py  a random box that still shows an object
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
    adjust_jpeg_quality,
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
from minitensor.image.detection import (
    draw_bounding_boxes,
    non_max_suppression,
    non_max_suppression_padded,
    non_max_suppression_with_scores,
)
from minitensor.image.distorted import (
    sample_distorted_bounding_box,
    stateless_sample_distorted_bounding_box,
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
from minitensor.image.quality import (
    image_gradients,
    psnr,
    sobel_edges,
    ssim,
    ssim_multiscale,
    total_variation,
)
from minitensor.image.random import (
    random_brightness,
    random_contrast,
    random_crop,
    random_flip_left_right,
    random_flip_up_down,
    random_hue,
    random_jpeg_quality,
    random_saturation,
)
from minitensor.image.resize import ResizeMethod, resize
from minitensor.image.stateless import (
    stateless_random_brightness,
    stateless_random_contrast,
    stateless_random_crop,
    stateless_random_flip_left_right,
    stateless_random_flip_up_down,
    stateless_random_hue,
    stateless_random_jpeg_quality,
    stateless_random_saturation,
)

__all__ = [
    "ResizeMethod", "add_patches", "adjust_brightness", "adjust_contrast", "adjust_gamma",
    "adjust_hue", "adjust_jpeg_quality", "adjust_saturation", "central_crop",
    "convert_image_dtype", "crop_and_resize", "crop_to_bounding_box", "decode_bmp",
    "decode_gif", "decode_image", "decode_jpeg", "decode_png", "draw_bounding_boxes",
    "encode_jpeg", "encode_png", "extract_patches", "flip_left_right", "flip_up_down",
    "grayscale_to_rgb", "hsv_to_rgb", "image_gradients", "non_max_suppression",
    "non_max_suppression_padded", "non_max_suppression_with_scores", "pad_to_bounding_box",
    "per_image_standardization", "psnr", "random_brightness", "random_contrast", "random_crop",
    "random_flip_left_right", "random_flip_up_down", "random_hue", "random_jpeg_quality",
    "random_saturation", "resize", "resize_with_crop_or_pad", "resize_with_pad",
    "rgb_to_grayscale", "rgb_to_hsv", "rgb_to_yiq", "rgb_to_yuv", "rot90",
    "sample_distorted_bounding_box", "sobel_edges", "ssim", "ssim_multiscale",
    "stateless_random_brightness", "stateless_random_contrast", "stateless_random_crop",
    "stateless_random_flip_left_right", "stateless_random_flip_up_down", "stateless_random_hue",
    "stateless_random_jpeg_quality", "stateless_random_saturation",
    "stateless_sample_distorted_bounding_box", "total_variation", "transpose", "yiq_to_rgb",
    "yuv_to_rgb",
]  # fmt: skip

__getattr__ = missing.refusing("tf.image", __name__)
_symbolic.install(globals())
