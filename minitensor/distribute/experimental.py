"""Older names. Source: tf.distribute.experimental"""

from minitensor import missing
from minitensor.distribute.datasets import ValueContext
from minitensor.distribute.options import CommunicationImplementation, CommunicationOptions
from minitensor.distribute.strategies import MultiWorkerMirroredStrategy

__all__ = [
    "CommunicationImplementation", "CommunicationOptions", "MultiWorkerMirroredStrategy",
    "ValueContext",
]  # fmt: skip

__getattr__ = missing.refusing("tf.distribute.experimental", __name__)
