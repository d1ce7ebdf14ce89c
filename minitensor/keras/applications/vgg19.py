"""The mirror of keras.applications.vgg19: one name of `vgg16.py`."""

from minitensor.keras.applications.vgg16 import VGG19, decode_predictions, preprocess_input

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]
