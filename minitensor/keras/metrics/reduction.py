"""Means and sums over batches, of values or of what a function makes of truth and prediction.

Args of all: name and dtype, see `Metric`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.array import broadcast_to
from minitensor.autograd import Tensor, as_tensor
from minitensor.keras import losses
from minitensor.keras.engine.annotations import annotation
from minitensor.keras.losses.loss import floats, masked, named, same_rank
from minitensor.keras.metrics.metric import Metric, gather, ratio
from minitensor.math import reduce_mean, reduce_sum, sqrt, square


class Sum(Metric):
    """The sum of all values.

    result = sum(values * weights)

    Example:
        >>> import minitensor as tf
        >>> total = tf.keras.metrics.Sum()
        >>> total.update_state([1.0, 2.0])
        >>> total([3.0]).numpy()
        np.float32(6.0)
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds values, times their weights."""
        gather(self.total, reduce_sum(per_sample(values, sample_weight, reduce_sum, self.dtype)[0]))

    def result(self) -> Tensor:
        """The sum so far."""
        return self.total.read_value()


class Mean(Metric):
    """The mean of all values.

    result = sum(values * weights) / sum(weights)

    Example:
        >>> import minitensor as tf
        >>> mean = tf.keras.metrics.Mean()
        >>> mean.update_state([1.0, 3.0])
        >>> mean(5.0).numpy()
        np.float32(3.0)
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")
        self.count = self.add_variable((), name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Takes values in; of several per sample the mean."""
        found, weight = per_sample(values, sample_weight, reduce_mean, self.dtype)
        gather(self.total, reduce_sum(found))
        many = found.shape[0] if found.ndim else 1
        gather(self.count, many if weight is None else reduce_sum(weight))

    def result(self) -> Tensor:
        """The mean so far; 0 of nothing."""
        return as_tensor(ratio(self.total.numpy(), self.count.numpy()), like=self.total)


class RootMeanSquaredError(Mean):
    """The root of the mean of the squared differences.

    result = sqrt(mean((y_true - y_pred)^2))

    Example:
        >>> import minitensor as tf
        >>> tf.keras.metrics.RootMeanSquaredError()([[0.0, 1.0]], [[1.0, 4.0]]).numpy().round(4)
        np.float32(2.2361)
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Takes a batch in."""
        prediction = floats(y_pred, self.dtype)
        truth, prediction = same_rank(floats(y_true, self.dtype, prediction), prediction)
        super().update_state(square(prediction - truth), sample_weight)

    def result(self) -> Tensor:
        """The root so far."""
        return sqrt(super().result())


class MeanMetricWrapper(Mean):
    """The mean of a function of truth and prediction.

    result = sum(fn(y_true, y_pred, **kwargs) * weights) / sum(weights)

    Args:
        fn: a function that gives one number per sample, or the name of one of ours.
        kwargs: more arguments of `fn`.

    Example:
        >>> import minitensor as tf
        >>> metric = tf.keras.metrics.MeanMetricWrapper(tf.keras.losses.huber, delta=2.0)
        >>> metric([[0.0]], [[3.0]]).numpy()
        np.float32(4.0)
    """

    def __init__(
        self, fn: Callable[..., Tensor], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name, dtype)
        self._fn, self._settings = named(fn), kwargs
        if self._fn in losses.FUNCTIONS.values() or isinstance(self._fn, losses.Loss):
            self._direction = "down"

    def update_state(  # type: ignore[override]
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Takes a batch in."""
        values = self._fn(y_true, y_pred, **self._settings)
        mask = annotation(y_pred, "mask")
        if mask is not None:
            sample_weight = masked(sample_weight, mask, floats(values, self.dtype), False)
        super().update_state(values, sample_weight)


def per_sample(
    values: Any, weights: Any, reduce: Callable[..., Tensor], dtype: str
) -> tuple[Tensor, Tensor | None]:
    """One value per sample, times its weight; and the weights, one per sample."""
    found, mask = floats(values, dtype), annotation(values, "mask")
    weight = None if weights is None else masked(weights, mask, found, False)
    if weight is not None:
        found, weight = same_rank(found, weight)
        rank = weight.ndim
        if found.ndim > rank:
            found = reduce(found, list(range(rank, found.ndim)))
        if weight.array.shape != found.array.shape:
            weight = broadcast_to(weight, found.shape)
        found = found * weight
        if rank > 1:
            weight = reduce(weight, list(range(1, rank)))
    if found.ndim > 1:
        found = reduce(found, list(range(1, found.ndim)))
    return found, weight
