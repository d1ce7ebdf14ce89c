"""Accuracies: how many predictions are right; the formulas are in `matches.py`."""

from __future__ import annotations

from typing import Any

from minitensor.keras.metrics.matches import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from minitensor.keras.metrics.reduction import MeanMetricWrapper


class Accuracy(MeanMetricWrapper):
    """How many predictions equal the truth.

    result = mean(y_true == y_pred)

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> Accuracy()([1, 2], [1, 0]).numpy()
        np.float32(0.5)

    Source: keras.metrics.Accuracy
    """

    _direction = "up"

    def __init__(
        self,
        name: str | None = "accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How many answers to yes-or-no questions are right.

    result = mean(y_true == (y_pred > threshold))

    Args:
        name, dtype: see `Metric`.
        threshold: above it an answer is yes.

    Example:
        >>> BinaryAccuracy()([[1.0], [0.0]], [[0.6], [0.7]]).numpy()
        np.float32(0.5)

    Source: keras.metrics.BinaryAccuracy
    """

    _direction = "up"

    def __init__(
        self,
        name: str | None = "binary_accuracy",
        dtype: Any = None,
        threshold: float = 0.5,
    ) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How many classes are right, for labels of (..., classes).

    result = mean(argmax(y_true) == argmax(y_pred))

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> CategoricalAccuracy()([[0.0, 1.0]], [[0.1, 0.9]]).numpy()
        np.float32(1.0)

    Source: keras.metrics.CategoricalAccuracy
    """

    _direction = "up"

    def __init__(
        self,
        name: str | None = "categorical_accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How many classes are right, for labels that are class numbers.

    result = mean(y_true == argmax(y_pred))

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> SparseCategoricalAccuracy()([1, 0], [[0.1, 0.9], [0.2, 0.8]]).numpy()
        np.float32(0.5)

    Source: keras.metrics.SparseCategoricalAccuracy
    """

    _direction = "up"

    def __init__(
        self,
        name: str | None = "sparse_categorical_accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How many classes are among the k strongest predictions, for labels of (..., classes).

    result = mean(argmax(y_true) is among the k largest of y_pred)

    Args:
        name, dtype: see `Metric`.
        k: how many places count.

    Example:
        >>> TopKCategoricalAccuracy(k=2)([[0.0, 1.0, 0.0]], [[0.5, 0.4, 0.1]]).numpy()
        np.float32(1.0)

    Source: keras.metrics.TopKCategoricalAccuracy
    """

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "top_k_categorical_accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How many classes are among the k strongest predictions, for labels that are class numbers.

    result = mean(y_true is among the k largest of y_pred)

    Args:
        k: how many places count.
        name, dtype: see `Metric`.
        from_sorted_ids: whether predictions are class numbers, the strongest first.

    Example:
        >>> SparseTopKCategoricalAccuracy(k=2)([1], [[0.5, 0.4, 0.1]]).numpy()
        np.float32(1.0)

    Source: keras.metrics.SparseTopKCategoricalAccuracy
    """

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )
