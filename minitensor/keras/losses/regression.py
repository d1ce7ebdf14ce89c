"""Losses of numbers as functions: one number per sample, from y_true and y_pred of one shape.

Each takes y_true and y_pred, (..., n), casts y_true to the type of y_pred, and returns (...). A
last axis of size 1 that one of the two has alone is no matter, but for the hinges.

Source of all: keras.losses, by the same names.
"""

from __future__ import annotations

from math import log
from typing import Any

from minitensor import math, nn
from minitensor.array import where
from minitensor.autograd import Tensor
from minitensor.docstrings import examples_of
from minitensor.keras.engine import defaults
from minitensor.keras.losses.loss import pair, same_rank

__all__ = [
    "categorical_hinge", "cosine_similarity", "hinge", "huber", "log_cosh", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "squared_hinge",
]  # fmt: skip

example = examples_of("tf.keras.losses", ".numpy().round(4)")


def _two(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    return same_rank(*pair(y_true, y_pred))


def _mean(values: Tensor) -> Tensor:
    return math.reduce_mean(values, -1)


@example("mean_squared_error([[0.0, 1.0]], [[1.0, 4.0]])", "[5.]")
def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """The mean of the squared differences.

    loss = mean((y_true - y_pred)^2)
    """
    t, p = _two(y_true, y_pred)
    return _mean(math.square(t - p))


@example("mean_absolute_error([[0.0, 1.0]], [[1.0, 4.0]])", "[2.]")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """The mean of the absolute differences.

    loss = mean(|y_true - y_pred|)
    """
    t, p = _two(y_true, y_pred)
    return _mean(math.abs(t - p))


@example("mean_absolute_percentage_error([[2.0, 1.0]], [[1.0, 1.0]])", "[25.]")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """The mean of the differences, in percent of the truth.

    loss = 100 * mean(|y_true - y_pred| / max(|y_true|, epsilon))
    """
    t, p = _two(y_true, y_pred)
    return 100.0 * _mean(math.abs((t - p) / math.maximum(math.abs(t), defaults.epsilon())))


@example("mean_squared_logarithmic_error([[0, 1]], [[1, 1]])", "[0.2402]")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """The mean of the squared differences of logarithms.

    loss = mean((log(1 + y_true) - log(1 + y_pred))^2), with both at least epsilon
    """
    t, p = _two(y_true, y_pred)
    least = defaults.epsilon()
    first, second = (math.log(math.maximum(x, least) + 1.0) for x in (p, t))
    return _mean(math.square(first - second))


@example("huber([[0.0, 0.0]], [[1.0, 3.0]])", "[1.5]")
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """A square near 0 and a line far from it.

    loss = mean(e^2 / 2 where |e| <= delta, else delta * |e| - delta^2 / 2), e = y_pred - y_true

    Args:
        y_true, y_pred: (..., n).
        delta: where the square becomes a line.
    """
    t, p = _two(y_true, y_pred)
    error = p - t
    size = math.abs(error)
    line = delta * size - 0.5 * delta**2
    return _mean(where(size <= delta, 0.5 * math.square(error), line))


@example("log_cosh([[0.0, 0.0]], [[0.0, 1.0]])", "[0.2169]")
def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """A square near 0 and a line far from it, smooth throughout, computed without overflow.

    loss = mean(log(cosh(y_pred - y_true)))
    """
    t, p = _two(y_true, y_pred)
    x = p - t
    return _mean(x + math.softplus(-2.0 * x) - log(2.0))


@example("cosine_similarity([[0.0, 1.0]], [[1.0, 1.0]])", "[-0.7071]")
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """How little two vectors point in one direction: -1 where they do.

    loss = -sum(y_true / |y_true| * y_pred / |y_pred|)

    Args:
        y_true, y_pred: (..., n).
        axis: of the vectors.
    """
    t, p = _two(y_true, y_pred)
    least = defaults.epsilon() ** 2  # of the squared length
    t, p = (nn.l2_normalize(x, axis, least) for x in (t, p))
    return -math.reduce_sum(t * p, axis)


@example("hinge([[-1.0, 1.0]], [[0.5, 2.0]])", "[0.75]")
def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """How far predictions are from the right side of a margin.

    loss = mean(max(1 - y_true * y_pred, 0)); y_true of 0 and 1 becomes -1 and 1
    """
    return _mean(_margin(y_true, y_pred))


@example("squared_hinge([[-1.0, 1.0]], [[0.5, 2.0]])", "[1.125]")
def squared_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """How far predictions are from the right side of a margin, squared.

    loss = mean(max(1 - y_true * y_pred, 0)^2); y_true of 0 and 1 becomes -1 and 1
    """
    return _mean(math.square(_margin(y_true, y_pred)))


def _margin(y_true: Any, y_pred: Any) -> Tensor:
    t, p = pair(y_true, y_pred)
    binary = math.logical_or(math.equal(t, 0.0), math.equal(t, 1.0))
    if bool(math.reduce_all(binary)):
        t = 2.0 * t - 1.0
    return math.maximum(1.0 - t * p, 0.0)


@example("categorical_hinge([[0.0, 1.0]], [[0.5, 0.6]])", "[0.9]")
def categorical_hinge(y_true: Any, y_pred: Any) -> Tensor:
    """How far the right class is from being 1 above the others.

    loss = max(max((1 - y_true) * y_pred) - sum(y_true * y_pred) + 1, 0)
    """
    t, p = pair(y_true, y_pred)
    right = math.reduce_sum(t * p, -1)
    wrong = math.reduce_max((1.0 - t) * p, -1)
    return math.maximum(wrong - right + 1.0, 0.0)
