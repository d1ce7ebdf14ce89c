"""The mirror of tf.keras.layers: objects that keep their weights and call `minitensor.nn`."""

from minitensor.keras.layers.convolution import Conv2D, Conv2DTranspose

__all__ = ["Conv2D", "Conv2DTranspose"]
