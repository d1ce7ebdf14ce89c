"""The mirror of keras.preprocessing.image: images as arrays, as files, and as other images."""

from minitensor import missing
from minitensor.keras.preprocessing.image_generator import ImageDataGenerator
from minitensor.keras.preprocessing.image_iterators import DirectoryIterator, NumpyArrayIterator
from minitensor.keras.preprocessing.warping import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
)
from minitensor.keras.utils.directory import smart_resize
from minitensor.keras.utils.images import array_to_img, img_to_array, load_img, save_img

__all__ = [
    "DirectoryIterator",
    "ImageDataGenerator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "img_to_array",
    "load_img",
    "save_img",
    "smart_resize",
]

__getattr__ = missing.refusing("tf.keras.preprocessing.image", __name__)
