"""Losses of probabilities, and of distributions and regions, as functions: one number per sample.

Each casts y_true to the type of y_pred. A cross entropy and a focal one take (..., classes) or, for
"binary", (..., n); Kullback-Leibler and Poisson take (..., n), Dice any shape.
Returns of all: the shape without the last axis, or `axis`.
Raises of all: ValueError, the two shapes do not match.

Probabilities that `keras.activations.softmax` or `sigmoid` has made are taken back to their
logits, as Keras does: nothing is lost then where a probability rounds to 0 or 1.

Source of all: keras.losses, by the same names, and the papers named.
"""

from __future__ import annotations

import warnings
from typing import Any

from minitensor import math, nn
from minitensor.array import cast, expand_dims, squeeze, where
from minitensor.autograd import Tensor, as_tensor
from minitensor.docstrings import examples_of
from minitensor.keras.engine import defaults
from minitensor.keras.engine.annotations import annotate, annotation
from minitensor.keras.losses.loss import floats, pair

__all__ = [
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "dice", "kl_divergence", "poisson",
    "sparse_categorical_crossentropy",
]  # fmt: skip

example = examples_of("tf.keras.losses", ".numpy().round(4)")


def _logits(y_pred: Tensor, from_logits: bool, name: str) -> tuple[Tensor, bool]:
    """The logits that the predictions were made from, if that is known."""
    logits = annotation(y_pred, "logits")
    if logits is None:
        return y_pred, from_logits
    if from_logits:
        warnings.warn(
            f'"`{name}` received `from_logits=True`, but the `output` argument was produced by a '
            "softmax or sigmoid activation and thus does not represent logits. Was this intended?",
            stacklevel=3,
        )
    return logits, True


def _inside(p: Tensor) -> Tensor:
    """Probabilities kept away from 0 and 1."""
    least = defaults.epsilon()
    return math.minimum(math.maximum(p, least), 1.0 - least)


def _check(name: str, t: Tensor, p: Tensor) -> None:
    if t.shape != p.shape:
        numbers = "binary" not in name and t.shape in (p.shape[:-1], (*p.shape[:-1], 1))
        hint = ". For labels that are class numbers use sparse_categorical_crossentropy"
        raise ValueError(
            f"{name}: arguments `target` and `output` must have the same shape. Received: "
            f"target.shape={t.shape}, output.shape={p.shape}{hint if numbers else ''}"
        )


def _classes(name: str, t: Tensor, p: Tensor, axis: int, label_smoothing: float) -> Tensor:
    """Checked and smoothed labels of several classes."""
    if isinstance(axis, bool):
        raise ValueError(
            f"`axis` must be of type `int`. Received: axis={axis} of type {type(axis)}"
        )
    if p.ndim and p.shape[-1] == 1:
        warnings.warn(
            f"In loss {name}, expected y_pred.shape to be (batch_size, num_classes) with "
            f"num_classes > 1. Received: y_pred.shape={p.shape}. Consider using "
            "'binary_crossentropy' if you only have 2 classes.",
            SyntaxWarning,
            stacklevel=3,
        )
    _check(name, t, p)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + label_smoothing / t.shape[-1]
    return t


@example("categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])", "[0.6931]")
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """How badly a distribution over classes is predicted.

    loss = -sum(y_true * log(p)), p = softmax(y_pred), or y_pred / sum(y_pred)

    Args:
        y_true: (..., classes) probabilities, often one 1 and zeros.
        y_pred: (..., classes) logits or probabilities.
        from_logits: whether predictions are logits, and no probabilities.
        label_smoothing: s: y_true becomes (1 - s) * y_true + s / classes.
        axis: of the classes.
    """
    t, p = pair(y_true, y_pred)
    t = _classes("categorical_crossentropy", t, p, axis, label_smoothing)
    p, from_logits = _logits(p, from_logits, "categorical_crossentropy")
    if from_logits:
        return nn.softmax_cross_entropy_with_logits(t, p, axis)
    p = _inside(p / math.reduce_sum(p, axis, keepdims=True))
    return -math.reduce_sum(t * math.log(p), axis)


@example("sparse_categorical_crossentropy([1], [[0.5, 0.5]])", "[0.6931]")
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Tensor:
    """How badly class numbers are predicted.

    loss = -log(p[y_true]), p = softmax(y_pred), or y_pred / sum(y_pred)

    Args:
        y_true: (...) or (..., 1) class numbers.
        y_pred: (..., classes) logits or probabilities.
        from_logits: whether predictions are logits, and no probabilities.
        ignore_class: a number for which the loss is 0, and which no mean counts.
        axis: of the classes; the last.

    Returns:
        (...)

    Raises:
        ValueError: the shapes do not match, there is no such class, or another axis.
    """
    p = floats(y_pred)
    if axis not in (-1, p.ndim - 1):
        raise ValueError(f"Only axis=-1 is currently supported. Received: axis={axis}")
    t = cast(as_tensor(y_true, None, "y_true", p), "int64")
    if t.ndim == p.ndim and t.shape[-1] == 1:
        t = squeeze(t, -1)
    if t.shape != p.shape[:-1]:
        hint = ". For one-hot labels use categorical_crossentropy" if t.shape == p.shape else ""
        raise ValueError(
            "Arguments `target` and `output` must have the same shape up until the last "
            f"dimension: target.shape={t.shape}, output.shape={p.shape}{hint}"
        )
    logits, from_logits = _logits(p, from_logits, "sparse_categorical_crossentropy")
    if ignore_class is None:
        return _sparse(t, logits, from_logits)
    kept = math.not_equal(t, ignore_class)
    logits = where(expand_dims(kept, -1), logits, 0.0)
    loss = _sparse(where(kept, t, 0), logits, from_logits)
    return annotate(where(kept, loss, 0.0), mask=kept)


def _sparse(t: Tensor, p: Tensor, from_logits: bool) -> Tensor:
    logits = p if from_logits else math.log(_inside(p))
    return nn.sparse_softmax_cross_entropy_with_logits(t, logits)


@example("binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])", "[0.6931]")
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """How badly answers to yes-or-no questions are predicted.

    loss = mean(-y_true * log(p) - (1 - y_true) * log(1 - p)), p = sigmoid(y_pred) or y_pred

    Args:
        y_true: (..., n) probabilities of yes.
        y_pred: (..., n) logits or probabilities.
        from_logits: whether predictions are logits, and no probabilities.
        label_smoothing: s: y_true becomes (1 - s) * y_true + s / 2.
        axis: of the mean.
    """
    t, p = pair(y_true, y_pred)
    return math.reduce_mean(_binary(_smooth(t, label_smoothing), p, from_logits), axis)


def _smooth(t: Tensor, label_smoothing: float) -> Tensor:
    return t * (1.0 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else t


def _binary(t: Tensor, p: Tensor, from_logits: bool) -> Tensor:
    _check("binary_crossentropy", t, p)
    p, from_logits = _logits(p, from_logits, "binary_crossentropy")
    if from_logits:
        return nn.sigmoid_cross_entropy_with_logits(t, p)
    p = _inside(p)
    return -(t * math.log(p) + (1.0 - t) * math.log(1.0 - p))


@example("categorical_focal_crossentropy([[0, 1]], [[0.5, 0.5]])", "[0.0433]", "Lin et al. 2017")
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Cross entropy in which what is easy counts for less.

    loss = -sum(alpha * (1 - p)^gamma * y_true * log(p))

    Args:
        y_true, y_pred, from_logits, label_smoothing, axis: as in `categorical_crossentropy`.
        alpha: a weight, or one per class.
        gamma: how much less what is easy counts.
    """
    t, p = pair(y_true, y_pred)
    t = _classes("categorical_focal_crossentropy", t, p, axis, label_smoothing)
    p = nn.softmax(p, axis) if from_logits else p
    p = _inside(p / math.reduce_sum(p, axis, keepdims=True))
    weight = math.pow(1.0 - p, float(gamma)) * alpha
    return math.reduce_sum(weight * (-t * math.log(p)), axis)


@example("binary_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])", "[0.1733]", "Lin et al. 2017")
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """Binary cross entropy in which what is easy counts for less.

    loss = mean((1 - q)^gamma * binary_crossentropy), q = y_true * p + (1 - y_true) * (1 - p)

    Args:
        y_true, y_pred, from_logits, label_smoothing, axis: as in `binary_crossentropy`.
        apply_class_balancing: whether yes weighs `alpha` and no 1 - `alpha`.
        alpha: that weight.
        gamma: how much less what is easy counts.
    """
    t, p = pair(y_true, y_pred)
    t = _smooth(t, label_smoothing)
    p = nn.sigmoid(p) if from_logits else p
    loss = _binary(t, p, False)
    loss = math.pow(1.0 - (t * p + (1.0 - t) * (1.0 - p)), float(gamma)) * loss
    if apply_class_balancing:
        loss = (t * alpha + (1.0 - t) * (1.0 - alpha)) * loss
    return math.reduce_mean(loss, axis)


@example("kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])", "[0.1438]")
def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """How much one distribution tells beyond another.

    loss = sum(y_true * log(y_true / y_pred)), with both kept within [epsilon, 1]
    """
    least = defaults.epsilon()
    t, p = (math.minimum(math.maximum(x, least), 1.0) for x in pair(y_true, y_pred))
    return math.reduce_sum(t * math.log(t / p), -1)


@example("poisson([[0.0, 1.0]], [[1.0, 1.0]])", "[1.]")
def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """The likelihood of counts.

    loss = mean(y_pred - y_true * log(y_pred + epsilon))
    """
    t, p = pair(y_true, y_pred)
    return math.reduce_mean(p - t * math.log(p + defaults.epsilon()), -1)


@example("dice([[0.0, 1.0]], [[1.0, 1.0]])", "np.float32(0.3333)")
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Tensor:
    """How little two regions cover each other: 0 where they agree.

    loss = 1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))

    Args:
        y_true, y_pred: of one shape.
        axis: axes of the sums; None is all.
    """
    t, p = pair(y_true, y_pred)
    both = math.reduce_sum(t * p, axis)
    sizes = math.reduce_sum(t, axis) + math.reduce_sum(p, axis)
    return 1.0 - 2.0 * both / (sizes + defaults.epsilon())
