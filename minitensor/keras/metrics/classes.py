"""The metrics that are the mean of a function: one table. Formulas are in the functions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from minitensor.autograd import Tensor
from minitensor.keras import losses
from minitensor.keras.losses.from_function import Kind, class_from
from minitensor.keras.metrics import accuracy as matches
from minitensor.keras.metrics.reduction import MeanMetricWrapper

__all__ = [
    "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "CategoricalAccuracy",
    "CategoricalCrossentropy", "CategoricalHinge", "CosineSimilarity", "Hinge", "KLDivergence",
    "LogCoshError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy", "SquaredHinge",
    "TopKCategoricalAccuracy",
]  # fmt: skip


class _Rising(MeanMetricWrapper):
    _direction = "up"  # the more, the better


_MEANS = Kind(
    base=MeanMetricWrapper,
    path="keras.metrics",
    module=__name__,
    arguments="name, dtype, ...",
    see="Metric",
    raises="shapes that do not match",
    formula=r"result = mean(\1), \1 = ",
)
_error = partial(class_from, _MEANS)
_score = partial(class_from, replace(_MEANS, base=_Rising))


def similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """How much two vectors point in one direction: the loss of this name with the other sign.

    cosine = sum(y_true / |y_true| * y_pred / |y_pred|)

    Args:
        axis: of the vectors.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.metrics.CosineSimilarity()([[0.0, 1.0]], [[1.0, 1.0]]).numpy().round(4)
        np.float32(0.7071)
    """
    return -losses.cosine_similarity(y_true, y_pred, axis)


MeanSquaredError = _error("MeanSquaredError", losses.mean_squared_error)
MeanAbsoluteError = _error("MeanAbsoluteError", losses.mean_absolute_error)
MeanAbsolutePercentageError = _error(
    "MeanAbsolutePercentageError", losses.mean_absolute_percentage_error
)
MeanSquaredLogarithmicError = _error(
    "MeanSquaredLogarithmicError", losses.mean_squared_logarithmic_error
)
LogCoshError = _error("LogCoshError", losses.log_cosh, name="logcosh")
Hinge = _error("Hinge", losses.hinge)
SquaredHinge = _error("SquaredHinge", losses.squared_hinge)
CategoricalHinge = _error("CategoricalHinge", losses.categorical_hinge)
CosineSimilarity = _score("CosineSimilarity", similarity, name="cosine_similarity")

BinaryCrossentropy = _error(
    "BinaryCrossentropy",
    losses.binary_crossentropy,
    arguments="name, dtype, from_logits, label_smoothing",
    label_smoothing=0,
)
CategoricalCrossentropy = _error(
    "CategoricalCrossentropy", losses.categorical_crossentropy, label_smoothing=0
)
SparseCategoricalCrossentropy = _error(
    "SparseCategoricalCrossentropy", losses.sparse_categorical_crossentropy
)
KLDivergence = _error("KLDivergence", losses.kl_divergence)
Poisson = _error("Poisson", losses.poisson)

Accuracy = _score("Accuracy", matches.accuracy)
BinaryAccuracy = _score("BinaryAccuracy", matches.binary_accuracy)
CategoricalAccuracy = _score("CategoricalAccuracy", matches.categorical_accuracy)
SparseCategoricalAccuracy = _score("SparseCategoricalAccuracy", matches.sparse_categorical_accuracy)
TopKCategoricalAccuracy = _score(
    "TopKCategoricalAccuracy", matches.top_k_categorical_accuracy, "k, name, dtype"
)
SparseTopKCategoricalAccuracy = _score(
    "SparseTopKCategoricalAccuracy",
    matches.sparse_top_k_categorical_accuracy,
    "k, name, dtype, from_sorted_ids",
)
