"""The mirror of keras.applications.resnet50: one name of `resnet.py`."""

from minitensor.keras.applications.resnet import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
