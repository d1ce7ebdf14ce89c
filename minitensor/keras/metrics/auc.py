"""AUC: the area under a curve that shows what every threshold would do."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.keras.engine import defaults
from minitensor.keras.metrics.counts import Counts, counted, evenly, prepared
from minitensor.keras.metrics.metric import Metric, gather, ratio
from minitensor.keras.serialization.memory_budget import charge
from minitensor.nn import sigmoid

_CURVES = ("ROC", "PR", "PRGAIN")
_METHODS = ("interpolation", "majoring", "minoring")


class AUC(Metric):
    """The area under a curve that shows what every threshold would do.

    result = sum((x_i - x_{i+1}) * height of y between i and i+1) over the thresholds i, with x
    the rate of false alarms and y the recall (ROC), or x the recall and y the precision (PR)

    Args:
        num_thresholds: of even thresholds, the ends included.
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: height of y between two thresholds: "interpolation" of the two (for PR
            that of Davis and Goadrich), the smaller ("minoring") or the larger ("majoring").
        name, dtype: see `Metric`.
        thresholds: instead of even ones, in [0, 1]; the ends are added.
        multi_label: whether each label has its own area, of which the result is the mean.
        num_labels: how many there are; default from the first batch.
        label_weights: for that mean; or without `multi_label` weights of the predictions.
        from_logits: whether predictions are logits, and no probabilities.

    Raises:
        ValueError: an unknown curve or method, or fewer than 2 thresholds.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]).numpy()
        np.float32(0.75)

    Source: Davis and Goadrich 2006
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        self.curve = _one_of("curve", str(curve).upper(), _CURVES)
        method = str(summation_method).lower()
        self.summation_method = _one_of("summation_method", method, _METHODS)
        self._limits, self._even = _thresholds(num_thresholds, thresholds)
        self.num_thresholds = len(self._limits)
        self.multi_label, self.label_weights = multi_label, label_weights
        self._from_logits = from_logits
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        if num_labels or not multi_label:
            self._begin((self.num_thresholds, num_labels) if num_labels else (self.num_thresholds,))

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, the ends included."""
        return list(self._limits)

    def _begin(self, shape: tuple[int, ...]) -> None:
        for name in Counts._fields:
            setattr(self, name, self.add_variable(shape, name=name))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch."""
        y_pred = sigmoid(y_pred) if self._from_logits else y_pred
        t, p, weights = prepared(y_true, y_pred, sample_weight, self.dtype)
        if self.multi_label and p.ndim != 2:
            raise ValueError(
                "`y_pred` must have rank 2 when `multi_label=True`. Found rank "
                f"{p.ndim}. Full shape received for `y_pred`: {p.shape}"
            )
        if not self._own:
            self._begin((self.num_thresholds, p.shape[-1]))
        labels = None if self.multi_label else self.label_weights
        counts = counted(t, p, weights, self._limits, self._even, self.multi_label, labels)
        for name, count in zip(Counts._fields, counts, strict=True):
            gather(getattr(self, name), count)

    def result(self) -> Tensor:
        """The area so far."""
        if not self._own:
            return as_tensor(0.0, self.dtype)
        counts = Counts(*(getattr(self, name).numpy() for name in Counts._fields))
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated(counts).sum(0)
        else:
            x, y = _points(self.curve, counts)
            areas = ((x[:-1] - x[1:]) * self._heights(y)).sum(0)
        if self.multi_label:
            areas = np.average(areas, weights=self.label_weights)
        return as_tensor(np.asarray(areas, self.dtype))

    def _heights(self, y: np.ndarray) -> np.ndarray:
        if self.summation_method == "interpolation":
            return (y[:-1] + y[1:]) / 2
        return (np.minimum if self.summation_method == "minoring" else np.maximum)(y[:-1], y[1:])


def _one_of(name: str, value: str, legal: tuple[str, ...]) -> str:
    if value not in legal:
        raise ValueError(f'Invalid AUC {name} value: "{value}". Expected values are {list(legal)}')
    return value


def _thresholds(number: int, chosen: Any) -> tuple[np.ndarray, bool]:
    """The thresholds with their ends just outside [0, 1], and whether they are even."""
    if chosen is None:
        if not isinstance(number, int) or number <= 1:
            raise ValueError(
                "Argument `num_thresholds` must be an integer > 1. Received: "
                f"num_thresholds={number}"
            )
        charge((number,), "float64", "a metric's thresholds")
        inner: Any = np.arange(1, number - 1) / (number - 1)
        even = True
    else:
        inner = sorted(chosen)
        even = evenly([0.0, *inner, 1.0])
    least = defaults.epsilon()
    return np.array([-least, *inner, 1.0 + least]), even


def _points(curve: str, c: Counts) -> tuple[np.ndarray, np.ndarray]:
    """x and y of the curve, one point per threshold."""
    tp, fp, tn, fn = c
    recall = ratio(tp, tp + fn)
    if curve == "ROC":
        return ratio(fp, fp + tn), recall
    if curve == "PR":
        return recall, ratio(tp, tp + fp)
    odds = ratio(tp + fn, tn + fp)
    recall_gain = np.where(tp == 0, 0, 1 - odds * ratio(fn, tp))
    precision_gain = np.where(tp == 0, 1, 1 - odds * ratio(fp, tp))
    return np.maximum(recall_gain, 0), precision_gain


def _interpolated(c: Counts) -> np.ndarray:
    """Areas of the PR curve between thresholds, where precision is no straight line of recall."""
    tp, p = c.true_positives, c.true_positives + c.false_positives
    more = tp[:-1] - tp[1:]
    slope = ratio(more, np.maximum(p[:-1] - p[1:], 0))
    start = tp[1:] - slope * p[1:]
    both = (p[:-1] > 0) & (p[1:] > 0)
    growth = np.where(both, ratio(p[:-1], p[1:]), 1)
    return ratio(slope * (more + start * np.log(growth)), (tp + c.false_negatives)[1:])
