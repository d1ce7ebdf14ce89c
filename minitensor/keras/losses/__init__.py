"""The mirror of keras.losses: how far predictions are from the truth.

    loss.py            Loss, and how one number per sample becomes one number
    regression.py      losses of numbers and of margins, as functions
    probabilistic.py   of probabilities, distributions and regions
    classes.py         all of them as classes: one table
    from_function.py   how a class is made from a function

A function takes (y_true, y_pred, **settings) and gives one number per sample; a class takes the
settings first, and its objects (y_true, y_pred, sample_weight). Circle, CTC, Tversky and
generalized cross entropy are not here.

Source of all: keras.losses, by the same names, and the papers named.
"""

from __future__ import annotations

import inspect
from typing import Any

from minitensor import missing
from minitensor.keras.losses import probabilistic, regression
from minitensor.keras.losses.classes import *
from minitensor.keras.losses.loss import Loss, LossFunctionWrapper, Reduction
from minitensor.keras.losses.probabilistic import *
from minitensor.keras.losses.regression import *
from minitensor.keras.serialization import identifiers, objects

# All that is imported above and is a loss.
_CLASSES = {k: v for k, v in vars().items() if inspect.isclass(v) and issubclass(v, Loss)}
_FUNCTIONS = {k: v for k, v in vars().items() if inspect.isfunction(v)}

bce = BCE = probabilistic.binary_crossentropy
kld = KLD = kullback_leibler_divergence = probabilistic.kl_divergence
mae = MAE = regression.mean_absolute_error
mse = MSE = regression.mean_squared_error
mape = MAPE = regression.mean_absolute_percentage_error
msle = MSLE = regression.mean_squared_logarithmic_error
logcosh = regression.log_cosh

_SHORT = (
    *("bce", "BCE", "kld", "KLD", "logcosh", "mae", "MAE"),
    *("mape", "MAPE", "mse", "MSE", "msle", "MSLE"),
)
ALIASES = {name: globals()[name] for name in _SHORT}
FUNCTIONS = _FUNCTIONS | ALIASES
_KNOWN = _CLASSES | FUNCTIONS
__all__ = [*_KNOWN, "Reduction", "deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """A loss from its name, its configuration, or itself.

    Args:
        identifier: "mse", "CategoricalCrossentropy", a dictionary, a function, a Loss, or None.

    Returns:
        A function of (y_true, y_pred) or a Loss; None for None.

    Raises:
        ValueError: there is none of that name.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.losses.get("mse") is tf.keras.losses.mean_squared_error
        True
    """
    return None if identifier is None else identifiers.resolve("loss", _KNOWN, identifier)


def serialize(loss: Any) -> Any:
    """A loss as values that JSON can hold."""
    return objects.serialize(loss)


def deserialize(name: Any, custom_objects: Any = None) -> Any:
    """The loss that `serialize` wrote."""
    return identifiers.resolve("loss", {**_KNOWN, **(custom_objects or {})}, name)


__getattr__ = missing.refusing("tf.keras.losses", __name__)
