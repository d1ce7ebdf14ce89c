"""Losses of numbers as classes; the formulas are in `regression.py`."""

from __future__ import annotations

from typing import Any

from minitensor.keras.losses.loss import LossFunctionWrapper
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


class MeanSquaredError(LossFunctionWrapper):
    """The mean of the squared differences.

    loss = mean((y_true - y_pred)^2)

    Args:
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> MeanSquaredError()([[0.0, 1.0]], [[1.0, 4.0]]).numpy()
        np.float32(5.0)

    Source: keras.losses.MeanSquaredError
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """The mean of the absolute differences.

    loss = mean(|y_true - y_pred|)

    Args:
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 4.0]]).numpy()
        np.float32(2.0)

    Source: keras.losses.MeanAbsoluteError
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """The mean of the differences, in percent of the truth.

    loss = 100 * mean(|y_true - y_pred| / max(|y_true|, epsilon))

    Args:
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> MeanAbsolutePercentageError()([[2.0, 1.0]], [[1.0, 1.0]]).numpy()
        np.float32(25.0)

    Source: keras.losses.MeanAbsolutePercentageError
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """The mean of the squared differences of logarithms.

    loss = mean((log(1 + y_true) - log(1 + y_pred))^2)

    Args:
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> MeanSquaredLogarithmicError()([[0.0, 1.0]], [[1.0, 1.0]]).numpy().round(4)
        np.float32(0.2402)

    Source: keras.losses.MeanSquaredLogarithmicError
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(LossFunctionWrapper):
    """A square near 0 and a line far from it.

    loss = mean(e^2 / 2 where |e| <= delta, else delta * |e| - delta^2 / 2), e = y_pred - y_true

    Args:
        delta: where the square becomes a line.
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> Huber()([[0.0, 0.0]], [[1.0, 3.0]]).numpy()
        np.float32(1.5)

    Source: keras.losses.Huber
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """A square near 0 and a line far from it, smooth throughout.

    loss = mean(log(cosh(y_pred - y_true)))

    Args:
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> LogCosh()([[0.0, 0.0]], [[0.0, 1.0]]).numpy().round(4)
        np.float32(0.2169)

    Source: keras.losses.LogCosh
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """How little two vectors point in one direction.

    loss = -sum(y_true / |y_true| * y_pred / |y_pred|)

    Args:
        axis: of the vectors.
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> CosineSimilarity()([[0.0, 1.0]], [[1.0, 1.0]]).numpy().round(4)
        np.float32(-0.7071)

    Source: keras.losses.CosineSimilarity
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class Hinge(LossFunctionWrapper):
    """How far predictions are from the right side of a margin.

    loss = mean(max(1 - y_true * y_pred, 0)); y_true of 0 and 1 becomes -1 and 1

    Args:
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> Hinge()([[-1.0, 1.0]], [[0.5, 2.0]]).numpy()
        np.float32(0.75)

    Source: keras.losses.Hinge
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """The same, squared.

    loss = mean(max(1 - y_true * y_pred, 0)^2)

    Args:
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> SquaredHinge()([[-1.0, 1.0]], [[0.5, 2.0]]).numpy()
        np.float32(1.125)

    Source: keras.losses.SquaredHinge
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """How far the right class is from being 1 above the others.

    loss = max(max((1 - y_true) * y_pred) - sum(y_true * y_pred) + 1, 0)

    Args:
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.6]]).numpy()
        np.float32(0.9)

    Source: keras.losses.CategoricalHinge
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
