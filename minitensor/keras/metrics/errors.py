"""Errors of numbers, averaged; the formulas are in `keras.losses`."""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.keras.losses.loss import floats, same_rank
from minitensor.keras.losses.regression import (
    categorical_hinge,
    cosine_similarity,
    hinge,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    squared_hinge,
)
from minitensor.keras.metrics.reduction import Mean, MeanMetricWrapper
from minitensor.math import sqrt, square


class MeanSquaredError(MeanMetricWrapper):
    """The mean of the squared differences.

    result = mean((y_true - y_pred)^2)

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> MeanSquaredError()([[0.0, 1.0]], [[1.0, 4.0]]).numpy()
        np.float32(5.0)

    Source: keras.metrics.MeanSquaredError
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of the absolute differences.

    result = mean(|y_true - y_pred|)

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 4.0]]).numpy()
        np.float32(2.0)

    Source: keras.metrics.MeanAbsoluteError
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of the differences, in percent of the truth.

    result = 100 * mean(|y_true - y_pred| / max(|y_true|, epsilon))

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> MeanAbsolutePercentageError()([[2.0, 1.0]], [[1.0, 1.0]]).numpy()
        np.float32(25.0)

    Source: keras.metrics.MeanAbsolutePercentageError
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of the squared differences of logarithms.

    result = mean((log(1 + y_true) - log(1 + y_pred))^2)

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> MeanSquaredLogarithmicError()([[0.0, 1.0]], [[1.0, 1.0]]).numpy().round(4)
        np.float32(0.2402)

    Source: keras.metrics.MeanSquaredLogarithmicError
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """The mean of a square near 0 that is a line far from it.

    result = mean(log(cosh(y_pred - y_true)))

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> LogCoshError()([[0.0, 0.0]], [[0.0, 1.0]]).numpy().round(4)
        np.float32(0.2169)

    Source: keras.metrics.LogCoshError
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "logcosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(log_cosh, name, dtype)


class Hinge(MeanMetricWrapper):
    """How far predictions are from the right side of a margin.

    result = mean(max(1 - y_true * y_pred, 0)); y_true of 0 and 1 becomes -1 and 1

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> Hinge()([[-1.0, 1.0]], [[0.5, 2.0]]).numpy()
        np.float32(0.75)

    Source: keras.metrics.Hinge
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """The same, squared.

    result = mean(max(1 - y_true * y_pred, 0)^2)

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> SquaredHinge()([[-1.0, 1.0]], [[0.5, 2.0]]).numpy()
        np.float32(1.125)

    Source: keras.metrics.SquaredHinge
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """How far the right class is from being 1 above the others.

    result = max(max((1 - y_true) * y_pred) - sum(y_true * y_pred) + 1, 0)

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.6]]).numpy()
        np.float32(0.9)

    Source: keras.metrics.CategoricalHinge
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, name, dtype)


class CosineSimilarity(MeanMetricWrapper):
    """How much two vectors point in one direction: the loss of this name with the other sign.

    result = mean(sum(y_true / |y_true| * y_pred / |y_pred|))

    Args:
        name, dtype: see `Metric`.
        axis: of the vectors.

    Example:
        >>> CosineSimilarity()([[0.0, 1.0]], [[1.0, 1.0]]).numpy().round(4)
        np.float32(0.7071)

    Source: keras.metrics.CosineSimilarity
    """

    _direction = "up"

    def __init__(
        self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1
    ) -> None:
        super().__init__(_similarity, name, dtype, axis=axis)


def _similarity(y_true: Any, y_pred: Any, axis: int) -> Tensor:
    return -cosine_similarity(y_true, y_pred, axis)


class RootMeanSquaredError(Mean):
    """The root of the mean of the squared differences.

    result = sqrt(mean((y_true - y_pred)^2))

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> RootMeanSquaredError()([[0.0, 1.0]], [[1.0, 4.0]]).numpy().round(4)
        np.float32(2.2361)

    Source: keras.metrics.RootMeanSquaredError
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Takes a batch in."""
        prediction = floats(y_pred, self.dtype)
        truth, prediction = same_rank(floats(y_true, self.dtype, prediction), prediction)
        super().update_state(square(prediction - truth), sample_weight)

    def result(self) -> Tensor:
        """The root so far."""
        return sqrt(super().result())
