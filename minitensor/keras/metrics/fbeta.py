"""F-scores: one number for precision and recall together."""

from __future__ import annotations

from typing import Any

from minitensor.array import cast, expand_dims
from minitensor.autograd import Tensor
from minitensor.keras.engine import defaults
from minitensor.keras.losses.loss import floats
from minitensor.keras.metrics.metric import Metric, gather
from minitensor.math import abs as size
from minitensor.math import logical_and, reduce_max, reduce_mean, reduce_sum

_PARTS = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


class FBetaScore(Metric):
    """The harmonic mean of precision and recall, where recall counts beta times as much.

    result = (1 + beta^2) * precision * recall / (beta^2 * precision + recall)

    Args:
        average: None for one score per class; "micro" counts all classes together, "macro" is the
            mean of the scores, "weighted" their mean by how often the classes are true.
        beta: how much more recall counts.
        threshold: above it a prediction is a yes; None: the largest of the classes is.
        name, dtype: see `Metric`.

    Raises:
        ValueError: an unknown average, a beta that is no float above 0, a threshold that is no
            float in (0, 1], or a batch that is not (samples, classes).

    Example:
        >>> import minitensor as tf
        >>> score = tf.keras.metrics.FBetaScore(beta=2.0)
        >>> score([[1.0, 0.0], [0.0, 1.0]], [[0.6, 0.4], [0.7, 0.3]]).numpy().round(3)
        array([0.833, 0.   ], dtype=float32)
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(
                "Invalid `average` argument value. Expected one of: (None, 'micro', 'macro', "
                f"'weighted'). Received: average={average}"
            )
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(
                "Invalid `beta` argument value. It should be a Python float > 0. Received: "
                f"beta={beta}"
            )
        if threshold is not None and not (isinstance(threshold, float) and 0 < threshold <= 1):
            raise ValueError(
                "Invalid `threshold` argument value. It should be a Python float that verifies "
                f"0 < threshold <= 1. Received: threshold={threshold}"
            )
        self.average, self.beta, self.threshold = average, beta, threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in."""
        p = floats(y_pred, self.dtype)
        t = floats(y_true, self.dtype, p)
        if t.ndim != 2 or p.ndim != 2:
            raise ValueError(
                f"{type(self).__name__} expects 2D inputs with shape (batch_size, output_dim). "
                f"Received input shapes: y_pred.shape={p.shape} and y_true.shape={t.shape}."
            )
        if not self._own:
            shape = () if self.average == "micro" else (p.shape[-1],)
            for name in _PARTS:
                setattr(self, name, self.add_variable(shape, name=name))
        p = self._decided(p)
        weight: Any = 1.0
        if sample_weight is not None:
            weight = expand_dims(floats(sample_weight, self.dtype, p), 1)
        axis = None if self.average == "micro" else 0
        for name, found in zip(_PARTS, (p * t, p * (1 - t), (1 - p) * t, t), strict=True):
            gather(getattr(self, name), reduce_sum(found * weight, axis))

    def _decided(self, p: Tensor) -> Tensor:
        if self.threshold is not None:
            return cast(p > self.threshold, p.dtype)
        largest = p >= reduce_max(p, -1, keepdims=True)
        return cast(logical_and(largest, size(p) > 1e-9), p.dtype)

    def result(self) -> Tensor:
        """The score so far."""
        tp, fp, fn, weights = (getattr(self, name).value() for name in _PARTS)
        least, square = defaults.epsilon(), self.beta**2
        precision, recall = tp / (tp + fp + least), tp / (tp + fn + least)
        score = precision * recall / (square * precision + recall + least) * (1 + square)
        if self.average == "weighted":
            return reduce_sum(score * (weights / (reduce_sum(weights) + least)))
        return score if self.average is None else reduce_mean(score)


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall.

    result = 2 * precision * recall / (precision + recall)

    Args:
        average, threshold, name, dtype: see `FBetaScore`.

    Raises:
        ValueError: see `FBetaScore`.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.metrics.F1Score()([[1, 0], [0, 1]], [[0.6, 0.4], [0.7, 0.3]]).numpy().round(3)
        array([0.667, 0.   ], dtype=float32)
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)
