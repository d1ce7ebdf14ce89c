"""The mirror of keras.preprocessing: images from folders and files."""

from minitensor import missing
from minitensor.keras.preprocessing import image
from minitensor.keras.utils.directory import image_dataset_from_directory

__all__ = ["image", "image_dataset_from_directory"]

__getattr__ = missing.refusing("tf.keras.preprocessing", __name__)
