"""The mirror of keras.metrics: numbers gathered over many batches.

    metric.py      Metric                            reduction.py      Mean, Sum, their kin
    accuracy.py    which predictions are right       classes.py        means of functions: one table
    counts.py      yes and no, right and wrong       confusion.py      Precision, Recall, F-scores
    auc.py         areas under curves                iou.py            regions of images
    r2_score.py    the spread that is explained

Concordance, Pearson, and a rate at a given other rate are not here.

Source of all: keras.metrics, by the same names, and the papers named.
"""

from __future__ import annotations

import inspect
from typing import Any

from minitensor import missing
from minitensor.keras.losses import (
    BCE,
    KLD,
    MAE,
    MAPE,
    MSE,
    MSLE,
    bce,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    kld,
    log_cosh,
    logcosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from minitensor.keras.metrics import classes
from minitensor.keras.metrics.accuracy import *
from minitensor.keras.metrics.auc import AUC
from minitensor.keras.metrics.classes import *
from minitensor.keras.metrics.confusion import *
from minitensor.keras.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from minitensor.keras.metrics.metric import Metric
from minitensor.keras.metrics.r2_score import R2Score
from minitensor.keras.metrics.reduction import Mean, MeanMetricWrapper, RootMeanSquaredError, Sum
from minitensor.keras.serialization import identifiers, objects

# All that is imported above and is a metric, or a function of (y_true, y_pred).
_CLASSES = {k: v for k, v in vars().items() if inspect.isclass(v) and issubclass(v, Metric)}
_FUNCTIONS = [name for name, thing in vars().items() if inspect.isfunction(thing)]
_SHORT = {
    "bce": classes.BinaryCrossentropy,
    "mse": classes.MeanSquaredError,
    "mae": classes.MeanAbsoluteError,
    "mape": classes.MeanAbsolutePercentageError,
    "msle": classes.MeanSquaredLogarithmicError,
}
_KNOWN = identifiers.table(
    *_CLASSES.values(), **_SHORT, **{name.upper(): cls for name, cls in _SHORT.items()}
)
__all__ = [*_CLASSES, *_FUNCTIONS, "deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """A metric from its name, its configuration, or itself.

    Args:
        identifier: "mse", "CategoricalAccuracy", a dictionary, a function, a Metric, or None.

    Returns:
        A Metric or a function of (y_true, y_pred); None for None.

    Raises:
        ValueError: there is none of that name.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.metrics.get("mse").name
        'mean_squared_error'
    """
    return None if identifier is None else identifiers.resolve("metric", _KNOWN, identifier)


def serialize(metric: Any) -> Any:
    """A metric as values that JSON can hold."""
    return objects.serialize(metric)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The metric that `serialize` wrote."""
    return identifiers.resolve("metric", {**_KNOWN, **(custom_objects or {})}, config)


__getattr__ = missing.refusing("tf.keras.metrics", __name__)
