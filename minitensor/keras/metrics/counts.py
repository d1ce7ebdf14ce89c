"""How many predictions are right and wrong above and below thresholds: counted with NumPy.

Counts lie on the CPU, and so does what is counted: a batch of predictions is small.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitensor.keras.engine import defaults

NEVER = -1e10  # below every threshold


class Counts(NamedTuple):
    """Weights of predictions: (thresholds,), or (thresholds, labels) if labels are apart."""

    true_positives: np.ndarray
    false_positives: np.ndarray
    true_negatives: np.ndarray
    false_negatives: np.ndarray


def thresholds_of(thresholds: Any, default: float) -> list[float]:
    """One threshold or several, in [0, 1], as a list."""
    found = [thresholds] if isinstance(thresholds, int | float) else list(thresholds or [default])
    wrong = [t for t in found if thresholds is not None and (t is None or t < 0 or t > 1)]
    if wrong:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {wrong}")
    return found


def evenly(thresholds: Any) -> bool:
    """Whether thresholds go from 0 to 1 in even steps."""
    n = len(thresholds)
    return n >= 3 and np.allclose(
        thresholds, np.arange(n, dtype=np.float32) / (n - 1), atol=defaults.epsilon()
    )


def counted(
    y_true: Any,
    y_pred: Any,
    weights: Any,
    thresholds: Any,
    even: bool = False,
    apart: bool = False,
    label_weights: Any = None,
) -> Counts:
    """Counts a batch; a prediction is a yes if it is above a threshold.

    Args:
        y_true: truth of any shape; what is not 0 is a yes.
        y_pred: predictions of the same shape, see `prepared`.
        weights: of the same shape, or that broadcast to it; None for 1.
        thresholds: in rising order if they are even.
        even: whether they lie in even steps on [0, 1], where predictions are sorted into buckets.
        apart: whether the labels of the last axis are counted apart.
        label_weights: weights of the labels, (labels,).
    """
    weight = np.ones_like(y_pred) if weights is None else np.broadcast_to(weights, y_pred.shape)
    if label_weights is not None:
        weight = weight * np.asarray(label_weights, y_pred.dtype)
    labels = y_pred.shape[-1] if apart else 1
    t, p, w = ((x if apart else x.reshape(-1, 1)) for x in (y_true != 0, y_pred, weight))
    count = _in_buckets if even else _compared
    limits = np.asarray(thresholds)
    columns = [count(t[:, i], p[:, i], w[:, i], limits) for i in range(labels)]
    stacked = [np.stack(column, -1) for column in zip(*columns, strict=True)]
    return Counts(*(x if apart else x[:, 0] for x in stacked))


def _in_buckets(
    truth: np.ndarray, p: np.ndarray, weight: np.ndarray, thresholds: np.ndarray
) -> Counts:
    """For n even thresholds: one pass over the predictions, then sums over the thresholds."""
    n = len(thresholds)
    bucket = (np.ceil(p.clip(0, 1) * p.dtype.type(n - 1)) - 1).astype(int)
    if thresholds[0] < 0:  # a prediction of 0 is above it
        bucket = bucket.clip(0)
    kept = bucket >= 0

    def above(labels: np.ndarray) -> np.ndarray:
        found = np.bincount(bucket[kept], labels[kept], n)
        return found[::-1].cumsum()[::-1]

    positives, negatives = (np.where(side, weight, 0.0) for side in (truth, ~truth))
    tp, fp = above(positives), above(negatives)
    return Counts(tp, fp, negatives.sum() - fp, positives.sum() - tp)


def _compared(
    truth: np.ndarray, p: np.ndarray, weight: np.ndarray, thresholds: np.ndarray
) -> Counts:
    above = p > thresholds.astype(p.dtype)[:, None]  # (thresholds, predictions)
    return Counts(
        *(
            (label & side) @ weight
            for label, side in ((truth, above), (~truth, above), (~truth, ~above), (truth, ~above))
        )
    )


def prepared(
    y_true: Any,
    y_pred: Any,
    weights: Any,
    dtype: str,
    top_k: int | None = None,
    class_id: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Truth, predictions and weights as arrays of equal rank, of the classes that count.

    Args:
        y_true, y_pred: arrays or tensors; a last axis of size 1 is no matter.
        weights: one per sample or per element; None for 1.
        dtype: type of the results.
        top_k: predictions that are not among the k largest become a sure no.
        class_id: the only class that counts.

    Raises:
        ValueError: the shapes differ; `class_id` without classes.
    """
    p, t = _same_rank(np.asarray(y_pred, dtype), np.asarray(y_true, dtype))
    if p.shape != t.shape:
        raise ValueError(f"Shapes {t.shape} of y_true and {p.shape} of y_pred are incompatible")
    if weights is not None:
        weights = np.asarray(weights, dtype)
        weights = weights[..., None] if weights.ndim < t.ndim else weights
    if top_k is not None:
        order = np.argsort(-p, -1, kind="stable")[..., top_k:]
        np.put_along_axis(p := p.copy(), order, NEVER, -1)
    if class_id is not None:
        if p.ndim == 1:
            raise ValueError(
                "When class_id is provided, y_pred must be a 2D array with shape (num_samples, "
                f"num_classes), found shape: {p.shape}"
            )
        t, p = t[..., class_id, None], p[..., class_id, None]
    return t, p, weights


def _same_rank(p: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if p.ndim == t.ndim + 1 and p.shape[-1] == 1:
        return p, t[..., None]
    if t.ndim == p.ndim + 1 and t.shape[-1] == 1:
        return p[..., None], t
    return p, t
