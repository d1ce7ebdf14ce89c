"""Which predictions are right, as functions of (y_true, y_pred): 1 for each that is, else 0."""

from __future__ import annotations

from typing import Any

from minitensor import math, nn
from minitensor.array import cast, expand_dims, reshape, squeeze
from minitensor.autograd import Tensor, as_tensor
from minitensor.docstrings import examples_of
from minitensor.keras.engine import defaults
from minitensor.keras.losses.loss import same_rank

__all__ = [
    "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
]  # fmt: skip

example = examples_of("tf.keras.metrics")


def _both(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    p = as_tensor(y_pred, None, "y_pred")
    return as_tensor(y_true, None, "y_true", p), p


def _ones(found: Tensor) -> Tensor:
    return cast(found, defaults.floatx())


@example("Accuracy()([1, 2], [1, 0])", "np.float32(0.5)")
def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """How many predictions equal the truth.

    match = (y_true == y_pred), element by element
    """
    t, p = _both(y_true, y_pred)
    return _ones(math.equal(*same_rank(cast(t, p.dtype), p)))


@example("binary_accuracy([[1.0, 0.0]], [[0.6, 0.7]])", "[[1., 0.]]")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """How many answers to yes-or-no questions are right.

    match = (y_true == (y_pred > threshold)), element by element

    Args:
        y_true, y_pred: of one shape.
        threshold: above it an answer is yes.
    """
    t, p = same_rank(*_both(y_true, y_pred))
    return _ones(math.equal(t, cast(p > threshold, t.dtype)))


@example("categorical_accuracy([[0, 1], [1, 0]], [[0.1, 0.9], [0, 1]])", "[1., 0.]")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """How many classes are right, for labels of (..., classes).

    match = (argmax(y_true) == argmax(y_pred))
    """
    t, p = _both(y_true, y_pred)
    return _ones(math.equal(math.argmax(t, -1), math.argmax(p, -1)))


@example("sparse_categorical_accuracy([1, 0], [[0.1, 0.9], [0.2, 0.8]])", "[1., 0.]")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """How many classes are right, for labels that are class numbers, (...) or (..., 1).

    match = (y_true == argmax(y_pred))
    """
    t, p = _both(y_true, y_pred)
    if t.ndim == p.ndim and t.shape[-1] == 1:
        t = squeeze(t, -1)
    found = _ones(math.equal(t, cast(math.argmax(p, -1), t.dtype)))
    return squeeze(found, -1) if found.ndim > 1 and found.shape[-1] == 1 else found


@example("top_k_categorical_accuracy([[0, 1, 0]], [[0.5, 0.4, 0.1]], k=2)", "[1.]")
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """How many classes are among the k strongest predictions, for labels of (..., classes).

    match = whether argmax(y_true) is among the k largest of y_pred

    Args:
        y_true, y_pred: (..., classes).
        k: how many predictions count.
    """
    t, p = _both(y_true, y_pred)
    return sparse_top_k_categorical_accuracy(math.argmax(t, -1), p, k)


@example("sparse_top_k_categorical_accuracy([1], [[0.5, 0.4, 0.1]], k=2)", "[1.]")
def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """How many classes are among the k strongest predictions, for labels that are class numbers.

    match = whether y_true is among the k largest of y_pred

    Args:
        y_true: (...) class numbers.
        y_pred: (..., classes).
        k: how many predictions count.
        from_sorted_ids: whether predictions are class numbers, the strongest first.
    """
    t, p = _both(y_true, y_pred)
    shape = t.shape
    t, p = reshape(t, [-1]), reshape(p, [-1, p.shape[-1]])
    if from_sorted_ids:
        same = math.equal(expand_dims(cast(t, p.dtype), 1), p[:, :k])
        found = math.reduce_any(same, 1)
    else:
        found = nn.in_top_k(cast(t, "int32"), p, k)
    return reshape(_ones(found), shape)
