"""True and false, positive and negative: the four counts, and what follows from them.

Args of all: thresholds, above which a prediction is a yes, a number or several in [0, 1], default
0.5, of which each gets its own result; name and dtype, see `Metric`. Raises of all: ValueError, a
threshold outside [0, 1].
"""

from __future__ import annotations

from typing import Any

from minitensor.array import cast, expand_dims
from minitensor.autograd import Tensor, as_tensor
from minitensor.docstrings import examples_of
from minitensor.keras.engine import defaults
from minitensor.keras.losses.loss import floats
from minitensor.keras.metrics.counts import NEVER, counted, evenly, prepared, thresholds_of
from minitensor.keras.metrics.metric import Metric, gather, ratio
from minitensor.keras.serialization.names import snake_case
from minitensor.math import abs as size
from minitensor.math import logical_and, reduce_max, reduce_mean, reduce_sum

__all__ = [
    "F1Score", "FBetaScore", "FalseNegatives", "FalsePositives", "Precision", "Recall",
    "TrueNegatives", "TruePositives",
]  # fmt: skip

example = examples_of("tf.keras.metrics")


class _Counting(Metric):
    """Keeps some of the four counts, of one or several thresholds."""

    kept: tuple[str, ...] = ()

    def _begin(
        self, thresholds: Any, top_k: int | None = None, class_id: int | None = None
    ) -> None:
        self.top_k, self.class_id = top_k, class_id
        self.thresholds = thresholds_of(thresholds, 0.5 if top_k is None else NEVER)
        for name in self.kept:
            setattr(self, name, self.add_variable((len(self.thresholds),), name=name))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts a batch."""
        batch = prepared(y_true, y_pred, sample_weight, self.dtype, self.top_k, self.class_id)
        counts = counted(*batch, self.thresholds, evenly(self.thresholds))
        for name in self.kept:
            gather(getattr(self, name), getattr(counts, name))

    def _each(self, found: Tensor) -> Tensor:
        """A number if there is one threshold, else one per threshold."""
        return found[0] if len(self.thresholds) == 1 else found


class _Count(_Counting):
    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self._begin(thresholds)

    def result(self) -> Tensor:
        """The count so far."""
        return self._each(getattr(self, self.kept[0]).read_value())


def _count(name: str, says: str, where: str, prints: str) -> Any:
    """The class of one of the four counts."""
    text = f"{says}\n\nresult = sum(weights where {where})"
    kept = (snake_case(name),)
    cls = type(name, (_Count,), {"kept": kept, "__module__": __name__, "__doc__": text})
    return example(f"{name}()([0, 1, 1], [0.9, 0.8, 0.1])", f"np.float32({prints})")(cls)


# fmt: off
TruePositives = _count("TruePositives", "How often a yes was predicted rightly.",
    "y_true = 1 and y_pred > threshold", "1.0")
FalsePositives = _count("FalsePositives", "How often a yes was predicted wrongly.",
    "y_true = 0 and y_pred > threshold", "1.0")
TrueNegatives = _count("TrueNegatives", "How often a no was predicted rightly.",
    "y_true = 0 and y_pred <= threshold", "0.0")
FalseNegatives = _count("FalseNegatives", "How often a no was predicted wrongly.",
    "y_true = 1 and y_pred <= threshold", "1.0")
# fmt: on


class _Share(_Counting):
    _direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self._begin(thresholds, top_k, class_id)

    def result(self) -> Tensor:
        """The share so far."""
        right, wrong = (getattr(self, name) for name in self.kept)
        share = ratio(right.numpy(), right.numpy() + wrong.numpy())
        return self._each(as_tensor(share, like=right))


@example("Precision()([0, 1, 1], [0.9, 0.8, 0.1])", "np.float32(0.5)")
class Precision(_Share):
    """How many of those predicted as a yes are one.

    result = true positives / (true positives + false positives)

    Args:
        top_k: of the classes of a sample only the k most strongly predicted are a yes.
        class_id: the only class that counts.
    """

    kept = ("true_positives", "false_positives")


@example("Recall()([0, 1, 1, 1], [0.9, 0.8, 0.1, 0.2])", "np.float32(0.33333334)")
class Recall(_Share):
    """How many of those that are a yes are predicted as one.

    result = true positives / (true positives + false negatives)

    Args:
        top_k, class_id: see `Precision`.
    """

    kept = ("true_positives", "false_negatives")


# ----- F-scores: one number for precision and recall together -----

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
        tp, fp, fn, weights = (getattr(self, name).read_value() for name in _PARTS)
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
