"""The mirror of keras.losses: how far predictions are from the truth.

    loss.py           Loss, and how one number per sample becomes one number
    regression.py     losses of numbers as functions       distances.py       as classes
    crossentropy.py   of probabilities as functions        probabilities.py   as classes
    divergence.py     of distributions and regions, as both

Circle, CTC, Tversky and generalized cross entropy are not here.
"""

from __future__ import annotations

from typing import Any

from minitensor.keras.losses.crossentropy import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    sparse_categorical_crossentropy,
)
from minitensor.keras.losses.distances import (
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    SquaredHinge,
)
from minitensor.keras.losses.divergence import (
    Dice,
    KLDivergence,
    Poisson,
    dice,
    kl_divergence,
    poisson,
)
from minitensor.keras.losses.loss import Loss, LossFunctionWrapper
from minitensor.keras.losses.probabilities import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalCrossentropy,
)
from minitensor.keras.losses.regression import (
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    squared_hinge,
)
from minitensor.keras.serialization import identifiers, objects

_CLASSES = (
    *(BinaryCrossentropy, BinaryFocalCrossentropy, CategoricalCrossentropy),
    *(CategoricalFocalCrossentropy, CategoricalHinge, CosineSimilarity, Dice, Hinge, Huber),
    *(KLDivergence, LogCosh, Loss, LossFunctionWrapper, MeanAbsoluteError),
    *(MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson),
    *(SparseCategoricalCrossentropy, SquaredHinge),
)
_FUNCTIONS = (
    *(binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy),
    *(categorical_focal_crossentropy, categorical_hinge, cosine_similarity, dice, hinge, huber),
    *(kl_divergence, log_cosh, mean_absolute_error, mean_absolute_percentage_error),
    *(mean_squared_error, mean_squared_logarithmic_error, poisson),
    *(sparse_categorical_crossentropy, squared_hinge),
)
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence
mae = MAE = mean_absolute_error
mse = MSE = mean_squared_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
logcosh = log_cosh

ALIASES = {
    "bce": bce,
    "BCE": bce,
    "kld": kld,
    "KLD": kld,
    "logcosh": logcosh,
    "mae": mae,
    "MAE": mae,
    "mse": mse,
    "MSE": mse,
    "mape": mape,
    "MAPE": mape,
    "msle": msle,
    "MSLE": msle,
}
_KNOWN = {thing.__name__: thing for thing in (*_CLASSES, *_FUNCTIONS)} | ALIASES
FUNCTIONS = {thing.__name__: thing for thing in _FUNCTIONS} | ALIASES
__all__ = [*_KNOWN, "deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """A loss from its name, its configuration, or itself.

    Args:
        identifier: "mse", "CategoricalCrossentropy", a dictionary, a function, a Loss, or None.

    Returns:
        A function of (y_true, y_pred) or a Loss; None for None.

    Raises:
        ValueError: there is none of that name.

    Example:
        >>> get("mse") is mean_squared_error
        True

    Source: keras.losses.get
    """
    return None if identifier is None else identifiers.found("loss", _KNOWN, identifier)


def serialize(loss: Any) -> Any:
    """A loss as values that JSON can hold. Source: keras.losses.serialize"""
    return objects.serialize(loss)


def deserialize(name: Any, custom_objects: Any = None) -> Any:
    """The loss that `serialize` wrote. Source: keras.losses.deserialize"""
    return identifiers.found("loss", {**_KNOWN, **(custom_objects or {})}, name)
