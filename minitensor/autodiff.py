"""The mirror of tf.autodiff."""

from minitensor import missing
from minitensor.autograd.forward import ForwardAccumulator

__all__ = ["ForwardAccumulator"]

__getattr__ = missing.refusing("tf.autodiff", __name__)
