"""The optimizers under the name that Keras 2 gave its older ones: the same classes.

What has changed since they say: `decay` is a schedule now, `lr` is read with a warning.
"""

from minitensor.keras.optimizers.adam import Adam, Adamax, Nadam
from minitensor.keras.optimizers.adaptive import Adadelta, Adagrad, RMSprop
from minitensor.keras.optimizers.optimizer import Optimizer
from minitensor.keras.optimizers.sgd import SGD

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Nadam", "Optimizer", "RMSprop"]
