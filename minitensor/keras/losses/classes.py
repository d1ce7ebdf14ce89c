"""The losses that a function defines, as classes: one table. Formulas are in the functions."""

from __future__ import annotations

from functools import partial

from minitensor.keras.losses.from_function import Kind, class_from
from minitensor.keras.losses.loss import LossFunctionWrapper
from minitensor.keras.losses.probabilistic import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    dice,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
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

_loss = partial(
    class_from,
    Kind(
        base=LossFunctionWrapper,
        path="keras.losses",
        module=__name__,
        arguments="..., reduction, name, dtype",
        see="Loss",
        raises="an unknown reduction",
    ),
)

MeanSquaredError = _loss("MeanSquaredError", mean_squared_error)
MeanAbsoluteError = _loss("MeanAbsoluteError", mean_absolute_error)
MeanAbsolutePercentageError = _loss("MeanAbsolutePercentageError", mean_absolute_percentage_error)
MeanSquaredLogarithmicError = _loss("MeanSquaredLogarithmicError", mean_squared_logarithmic_error)
Huber = _loss("Huber", huber, name="huber_loss")
LogCosh = _loss("LogCosh", log_cosh)
CosineSimilarity = _loss("CosineSimilarity", cosine_similarity)
Hinge = _loss("Hinge", hinge)
SquaredHinge = _loss("SquaredHinge", squared_hinge)
CategoricalHinge = _loss("CategoricalHinge", categorical_hinge)

CategoricalCrossentropy = _loss("CategoricalCrossentropy", categorical_crossentropy)
SparseCategoricalCrossentropy = _loss(
    "SparseCategoricalCrossentropy",
    sparse_categorical_crossentropy,
    arguments="from_logits, ignore_class, reduction, axis, name, dtype",
)
BinaryCrossentropy = _loss("BinaryCrossentropy", binary_crossentropy)
CategoricalFocalCrossentropy = _loss("CategoricalFocalCrossentropy", categorical_focal_crossentropy)
BinaryFocalCrossentropy = _loss("BinaryFocalCrossentropy", binary_focal_crossentropy)
KLDivergence = _loss("KLDivergence", kl_divergence)
Poisson = _loss("Poisson", poisson)
Dice = _loss("Dice", dice, arguments="reduction, name, axis, dtype")
