"""The mirror of tf.autodiff."""

from minitensor.autograd.forward import ForwardAccumulator

__all__ = ["ForwardAccumulator"]
