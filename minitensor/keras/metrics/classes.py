"""The metrics that are the mean of a function: one table. Formulas are in the functions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from minitensor.autograd import Tensor
from minitensor.keras.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from minitensor.keras.losses.from_function import Kind, class_from
from minitensor.keras.metrics.accuracy import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from minitensor.keras.metrics.reduction import MeanMetricWrapper


class _Rising(MeanMetricWrapper):
    _direction = "up"  # the more, the better


_MEANS = Kind(
    base=MeanMetricWrapper,
    path="keras.metrics",
    module=__name__,
    arguments="name, dtype, ...",
    see="Metric",
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
    return -cosine_similarity(y_true, y_pred, axis)


MeanSquaredError = _error("MeanSquaredError", mean_squared_error)
MeanAbsoluteError = _error("MeanAbsoluteError", mean_absolute_error)
MeanAbsolutePercentageError = _error("MeanAbsolutePercentageError", mean_absolute_percentage_error)
MeanSquaredLogarithmicError = _error("MeanSquaredLogarithmicError", mean_squared_logarithmic_error)
LogCoshError = _error("LogCoshError", log_cosh, name="logcosh")
Hinge = _error("Hinge", hinge)
SquaredHinge = _error("SquaredHinge", squared_hinge)
CategoricalHinge = _error("CategoricalHinge", categorical_hinge)
CosineSimilarity = _score("CosineSimilarity", similarity, name="cosine_similarity")

BinaryCrossentropy = _error(
    "BinaryCrossentropy",
    binary_crossentropy,
    arguments="name, dtype, from_logits, label_smoothing",
    label_smoothing=0,
)
CategoricalCrossentropy = _error(
    "CategoricalCrossentropy", categorical_crossentropy, label_smoothing=0
)
SparseCategoricalCrossentropy = _error(
    "SparseCategoricalCrossentropy", sparse_categorical_crossentropy
)
KLDivergence = _error("KLDivergence", kl_divergence)
Poisson = _error("Poisson", poisson)

Accuracy = _score("Accuracy", accuracy)
BinaryAccuracy = _score("BinaryAccuracy", binary_accuracy)
CategoricalAccuracy = _score("CategoricalAccuracy", categorical_accuracy)
SparseCategoricalAccuracy = _score("SparseCategoricalAccuracy", sparse_categorical_accuracy)
TopKCategoricalAccuracy = _score(
    "TopKCategoricalAccuracy", top_k_categorical_accuracy, "k, name, dtype"
)
SparseTopKCategoricalAccuracy = _score(
    "SparseTopKCategoricalAccuracy",
    sparse_top_k_categorical_accuracy,
    "k, name, dtype, from_sorted_ids",
)
