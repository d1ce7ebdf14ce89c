"""The mirror of tf.keras: what holds weights. So far its convolution layers."""

from minitensor.keras import layers

__all__ = ["layers"]
