"""Losses of distributions and of regions, as functions and as classes."""

from __future__ import annotations

from typing import Any

from minitensor import math
from minitensor.autograd import Tensor
from minitensor.keras.engine import defaults
from minitensor.keras.losses.loss import LossFunctionWrapper, pair


def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """loss = sum(y_true * log(y_true / y_pred)), with both kept within [epsilon, 1].

    Example:
        >>> kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]).numpy().round(4)
        array([0.1438], dtype=float32)

    Source: keras.losses.kl_divergence
    """
    least = defaults.epsilon()
    t, p = (math.minimum(math.maximum(x, least), 1.0) for x in pair(y_true, y_pred))
    return math.reduce_sum(t * math.log(t / p), -1)


def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """loss = mean(y_pred - y_true * log(y_pred + epsilon)).

    Example:
        >>> poisson([[0.0, 1.0]], [[1.0, 1.0]]).numpy().round(4)
        array([1.], dtype=float32)

    Source: keras.losses.poisson
    """
    t, p = pair(y_true, y_pred)
    return math.reduce_mean(p - t * math.log(p + defaults.epsilon()), -1)


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Tensor:
    """loss = 1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred)): 0 where regions agree.

    Example:
        >>> dice([[0.0, 1.0]], [[1.0, 1.0]]).numpy().round(4)
        np.float32(0.3333)

    Source: keras.losses.dice
    """
    t, p = pair(y_true, y_pred)
    both = math.reduce_sum(t * p, axis)
    sizes = math.reduce_sum(t, axis) + math.reduce_sum(p, axis)
    return 1.0 - 2.0 * both / (sizes + defaults.epsilon())


class KLDivergence(LossFunctionWrapper):
    """How much one distribution tells beyond another.

    loss = sum(y_true * log(y_true / y_pred))

    Args:
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]).numpy().round(4)
        np.float32(0.1438)

    Source: keras.losses.KLDivergence
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """The likelihood of counts.

    loss = mean(y_pred - y_true * log(y_pred + epsilon))

    Args:
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> Poisson()([[0.0, 1.0]], [[1.0, 1.0]]).numpy().round(4)
        np.float32(1.0)

    Source: keras.losses.Poisson
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)


class Dice(LossFunctionWrapper):
    """How little two regions cover each other.

    loss = 1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))

    Args:
        axis: axes of the sums; None is all.
        reduction, name, dtype: see `Loss`.

    Raises:
        ValueError: an unknown reduction.

    Example:
        >>> Dice()([[0.0, 1.0]], [[0.0, 1.0]]).numpy()
        np.float32(0.0)

    Source: keras.losses.Dice
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)
