"""The losses that a function defines, as classes: one table. Formulas are in the functions."""

from __future__ import annotations

from functools import partial

from minitensor.keras.losses import probabilistic, regression
from minitensor.keras.losses.from_function import Kind, class_from
from minitensor.keras.losses.loss import LossFunctionWrapper

__all__ = [
    "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy", "CategoricalHinge", "CosineSimilarity", "Dice", "Hinge",
    "Huber", "KLDivergence", "LogCosh", "MeanAbsoluteError", "MeanAbsolutePercentageError",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalCrossentropy",
    "SquaredHinge",
]  # fmt: skip

_loss = partial(
    class_from,
    Kind(
        base=LossFunctionWrapper,
        path="keras.losses",
        module=__name__,
        arguments="..., reduction, name, dtype",
        see="Loss",
        raises="an unknown reduction, or shapes that do not match",
    ),
)

MeanSquaredError = _loss("MeanSquaredError", regression.mean_squared_error)
MeanAbsoluteError = _loss("MeanAbsoluteError", regression.mean_absolute_error)
MeanAbsolutePercentageError = _loss(
    "MeanAbsolutePercentageError", regression.mean_absolute_percentage_error
)
MeanSquaredLogarithmicError = _loss(
    "MeanSquaredLogarithmicError", regression.mean_squared_logarithmic_error
)
Huber = _loss("Huber", regression.huber, name="huber_loss")
LogCosh = _loss("LogCosh", regression.log_cosh)
CosineSimilarity = _loss("CosineSimilarity", regression.cosine_similarity)
Hinge = _loss("Hinge", regression.hinge)
SquaredHinge = _loss("SquaredHinge", regression.squared_hinge)
CategoricalHinge = _loss("CategoricalHinge", regression.categorical_hinge)

CategoricalCrossentropy = _loss("CategoricalCrossentropy", probabilistic.categorical_crossentropy)
SparseCategoricalCrossentropy = _loss(
    "SparseCategoricalCrossentropy",
    probabilistic.sparse_categorical_crossentropy,
    arguments="from_logits, ignore_class, reduction, axis, name, dtype",
)
BinaryCrossentropy = _loss("BinaryCrossentropy", probabilistic.binary_crossentropy)
CategoricalFocalCrossentropy = _loss(
    "CategoricalFocalCrossentropy", probabilistic.categorical_focal_crossentropy
)
BinaryFocalCrossentropy = _loss("BinaryFocalCrossentropy", probabilistic.binary_focal_crossentropy)
KLDivergence = _loss("KLDivergence", probabilistic.kl_divergence)
Poisson = _loss("Poisson", probabilistic.poisson)
Dice = _loss("Dice", probabilistic.dice, arguments="reduction, name, axis, dtype")
