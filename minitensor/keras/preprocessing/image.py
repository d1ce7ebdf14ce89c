"""The mirror of keras.preprocessing.image: images as arrays and as files."""

from minitensor.keras.utils.directory import smart_resize
from minitensor.keras.utils.images import array_to_img, img_to_array, load_img, save_img

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]
