"""Cross entropies and the like, averaged; the formulas are in `keras.losses`."""

from __future__ import annotations

from typing import Any

from minitensor.keras.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from minitensor.keras.losses.divergence import kl_divergence, poisson
from minitensor.keras.metrics.reduction import MeanMetricWrapper


class BinaryCrossentropy(MeanMetricWrapper):
    """How badly answers to yes-or-no questions are predicted.

    result = mean(-y_true * log(p) - (1 - y_true) * log(1 - p))

    Args:
        name, dtype: see `Metric`.
        from_logits, label_smoothing: as in `keras.losses`.

    Example:
        >>> BinaryCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).numpy().round(4)
        np.float32(0.6931)

    Source: keras.metrics.BinaryCrossentropy
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )


class CategoricalCrossentropy(MeanMetricWrapper):
    """How badly a distribution over classes is predicted.

    result = mean(-sum(y_true * log(p)))

    Args:
        name, dtype: see `Metric`.
        from_logits, label_smoothing, axis: as in `keras.losses`.

    Example:
        >>> CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).numpy().round(4)
        np.float32(0.6931)

    Source: keras.metrics.CategoricalCrossentropy
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """How badly class numbers are predicted.

    result = mean(-log(p[y_true]))

    Args:
        name, dtype: see `Metric`.
        from_logits, ignore_class, axis: as in `keras.losses`.

    Example:
        >>> SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]).numpy().round(4)
        np.float32(0.6931)

    Source: keras.metrics.SparseCategoricalCrossentropy
    """

    _direction = "down"

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


class KLDivergence(MeanMetricWrapper):
    """How much one distribution tells beyond another.

    result = mean(sum(y_true * log(y_true / y_pred)))

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]).numpy().round(4)
        np.float32(0.1438)

    Source: keras.metrics.KLDivergence
    """

    def __init__(
        self,
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """The likelihood of counts.

    result = mean(y_pred - y_true * log(y_pred + epsilon))

    Args:
        name, dtype: see `Metric`.

    Example:
        >>> Poisson()([[0.0, 1.0]], [[1.0, 1.0]]).numpy().round(4)
        np.float32(1.0)

    Source: keras.metrics.Poisson
    """

    def __init__(
        self,
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(poisson, name, dtype)
