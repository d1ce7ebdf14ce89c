"""The mirror of keras.metrics: numbers gathered over many batches.

    metric.py      Metric                            reduction.py      Mean, Sum
    matches.py     which predictions are right       accuracy.py       how many
    errors.py      of numbers                        probabilities.py  cross entropies
    counts.py      yes and no, right and wrong       confusion.py      Precision, Recall
    auc.py         areas under curves                fbeta.py          F-scores
    iou.py         regions of images

Concordance, Pearson, R2, and a rate at a given other rate are not here.
"""

from __future__ import annotations

from typing import Any

from minitensor.keras import losses
from minitensor.keras.losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
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
from minitensor.keras.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from minitensor.keras.metrics.auc import AUC
from minitensor.keras.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from minitensor.keras.metrics.errors import (
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredError,
    SquaredHinge,
)
from minitensor.keras.metrics.fbeta import F1Score, FBetaScore
from minitensor.keras.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from minitensor.keras.metrics.matches import (
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from minitensor.keras.metrics.metric import Metric
from minitensor.keras.metrics.probabilities import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
)
from minitensor.keras.metrics.reduction import Mean, MeanMetricWrapper, Sum
from minitensor.keras.serialization import identifiers, objects

_CLASSES = (
    *(Accuracy, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy),
    *(CategoricalHinge, CosineSimilarity, Hinge, KLDivergence, LogCoshError, Mean),
    *(MeanAbsoluteError, MeanAbsolutePercentageError, MeanMetricWrapper, MeanSquaredError),
    *(MeanSquaredLogarithmicError, Metric, Poisson, RootMeanSquaredError),
    *(SparseCategoricalAccuracy, SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy),
    *(SquaredHinge, Sum, TopKCategoricalAccuracy, AUC, FalseNegatives, FalsePositives, Precision),
    *(Recall, TrueNegatives, TruePositives, F1Score, FBetaScore, BinaryIoU, IoU, MeanIoU),
    *(OneHotIoU, OneHotMeanIoU),
)
_FUNCTIONS = (
    *(binary_accuracy, binary_crossentropy, binary_focal_crossentropy, categorical_accuracy),
    *(categorical_crossentropy, categorical_focal_crossentropy, categorical_hinge, hinge, huber),
    *(kl_divergence, log_cosh, mean_absolute_error, mean_absolute_percentage_error),
    *(mean_squared_error, mean_squared_logarithmic_error, poisson, sparse_categorical_accuracy),
    *(sparse_categorical_crossentropy, sparse_top_k_categorical_accuracy, squared_hinge),
    *(top_k_categorical_accuracy,),
)
_SHORT = {
    "bce": BinaryCrossentropy,
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
}
_KNOWN = identifiers.table(
    *_CLASSES, **_SHORT, **{name.upper(): cls for name, cls in _SHORT.items()}
)
globals().update(losses.ALIASES)
__all__ = [
    *(cls.__name__ for cls in _CLASSES),
    *(function.__name__ for function in _FUNCTIONS),
    *losses.ALIASES,
    *("deserialize", "get", "serialize"),
]


def get(identifier: Any) -> Any:
    """A metric from its name, its configuration, or itself.

    Args:
        identifier: "mse", "CategoricalAccuracy", a dictionary, a function, a Metric, or None.

    Returns:
        A Metric or a function of (y_true, y_pred); None for None.

    Raises:
        ValueError: there is none of that name.

    Example:
        >>> get("mse").name
        'mean_squared_error'

    Source: keras.metrics.get
    """
    return None if identifier is None else identifiers.found("metric", _KNOWN, identifier)


def serialize(metric: Any) -> Any:
    """A metric as values that JSON can hold. Source: keras.metrics.serialize"""
    return objects.serialize(metric)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The metric that `serialize` wrote. Source: keras.metrics.deserialize"""
    return identifiers.found("metric", {**_KNOWN, **(custom_objects or {})}, config)
