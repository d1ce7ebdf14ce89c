"""Losses of probabilities as classes; the formulas are in `crossentropy.py`."""

from __future__ import annotations

from typing import Any

from minitensor.keras.losses.crossentropy import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    sparse_categorical_crossentropy,
)
from minitensor.keras.losses.loss import LossFunctionWrapper


class CategoricalCrossentropy(LossFunctionWrapper):
    """How badly a distribution over classes is predicted.

    loss = -sum(y_true * log(p)), p = softmax(y_pred), or y_pred / sum(y_pred)

    Args:
        from_logits: whether predictions are logits, and no probabilities.
        label_smoothing: s: y_true becomes (1 - s) * y_true + s / classes.
        axis: of the classes.
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction; shapes that differ.

    Example:
        >>> CategoricalCrossentropy(from_logits=True)([[0.0, 1.0]], [[0.0, 0.0]]).numpy().round(4)
        np.float32(0.6931)

    Source: keras.losses.CategoricalCrossentropy
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """How badly class numbers are predicted.

    loss = -log(p[y_true]), p = softmax(y_pred), or y_pred / sum(y_pred)

    Args:
        from_logits: whether predictions are logits, and no probabilities.
        ignore_class: a number for which the loss is 0, and which no mean counts.
        axis: of the classes; the last.
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction; shapes that do not match; no such class.

    Example:
        >>> SparseCategoricalCrossentropy(from_logits=True)([1], [[0.0, 0.0]]).numpy().round(4)
        np.float32(0.6931)

    Source: keras.losses.SparseCategoricalCrossentropy
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


class BinaryCrossentropy(LossFunctionWrapper):
    """How badly answers to yes-or-no questions are predicted.

    loss = mean(-y_true * log(p) - (1 - y_true) * log(1 - p)), p = sigmoid(y_pred) or y_pred

    Args:
        from_logits: whether predictions are logits, and no probabilities.
        label_smoothing: s: y_true becomes (1 - s) * y_true + s / 2.
        axis: of the mean.
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction; shapes that differ.

    Example:
        >>> BinaryCrossentropy(from_logits=True)([[0.0, 1.0]], [[0.0, 0.0]]).numpy().round(4)
        np.float32(0.6931)

    Source: keras.losses.BinaryCrossentropy
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Cross entropy in which what is easy counts for less.

    loss = -sum(alpha * (1 - p)^gamma * y_true * log(p))

    Args:
        alpha: a weight, or one per class.
        gamma: how much less what is easy counts.
        from_logits, label_smoothing, axis: as in `CategoricalCrossentropy`.
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction; shapes that differ.

    Example:
        >>> CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).numpy().round(4)
        np.float32(0.0433)

    Source: keras.losses.CategoricalFocalCrossentropy
    """

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary cross entropy in which what is easy counts for less.

    loss = mean((1 - q)^gamma * binary_crossentropy), q = y_true * p + (1 - y_true) * (1 - p)

    Args:
        apply_class_balancing: whether yes weighs `alpha` and no 1 - `alpha`.
        alpha: that weight.
        gamma: how much less what is easy counts.
        from_logits, label_smoothing, axis: as in `BinaryCrossentropy`.
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction; shapes that differ.

    Example:
        >>> BinaryFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).numpy().round(4)
        np.float32(0.1733)

    Source: keras.losses.BinaryFocalCrossentropy
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
