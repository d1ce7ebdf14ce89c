"""R2Score: how much of the spread of the truth the predictions explain."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from minitensor.array import broadcast_to, expand_dims, ones_like
from minitensor.autograd import Tensor, to_device_of
from minitensor.keras.losses.loss import floats, same_rank
from minitensor.keras.metrics.metric import Metric, gather
from minitensor.math import reduce_sum, square

_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


class R2Score(Metric):
    """The coefficient of determination: 1 is perfect, 0 as good as the mean of the truth.

    R2 = 1 - sum((y_true - y_pred)^2) / sum((y_true - mean(y_true))^2); with p regressors and n
    numbers seen, 1 - (1 - R2) (n - 1) / (n - p - 1)

    Args:
        class_aggregation: "uniform_average" over the columns, "variance_weighted_average" by the
            spread of each, or None for a number per column.
        num_regressors: p; 0 leaves the score as it is.
        name, dtype: see `Metric`.

    Raises:
        ValueError: an argument that is not legal; labels or predictions that are not (N, C).

    Example:
        >>> import minitensor as tf
        >>> score = tf.keras.metrics.R2Score()
        >>> score([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]).numpy().round(4)
        np.float32(0.5714)

    Source: keras.metrics.R2Score
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        if class_aggregation not in _AGGREGATIONS:
            raise ValueError(
                "Invalid value for argument `class_aggregation`. Expected one of "
                f"{_AGGREGATIONS}. Received: class_aggregation={class_aggregation}"
            )
        if num_regressors < 0:
            raise ValueError(
                "Invalid value for argument `num_regressors`. Expected a value >= 0. "
                f"Received: num_regressors={num_regressors}"
            )
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable((), name="num_samples")
        self._sums: list[Any] = []  # of y^2, y, (y - y_pred)^2 and weights, a number per column

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch in."""
        prediction = floats(y_pred, self.dtype)
        truth, prediction = same_rank(floats(y_true, self.dtype, prediction), prediction)
        if truth.ndim != 2 or prediction.ndim != 2:
            raise ValueError(
                "R2Score expects 2D inputs with shape (batch_size, output_dim). Received input "
                f"shapes: y_pred.shape={prediction.shape} and y_true.shape={truth.shape}."
            )
        if not self._sums:
            names = ("squared_sum", "sum", "residual", "count")
            self._sums = [self.add_variable(prediction.shape[1:], name=name) for name in names]
        weight = ones_like(truth)
        if sample_weight is not None:
            weight = floats(sample_weight, self.dtype, truth)
            weight = expand_dims(weight, 1) if weight.ndim == 1 else weight
            weight = broadcast_to(weight, truth.shape)
        weighed = truth * weight
        parts = (truth * weighed, weighed, square(truth - prediction) * weight, weight)
        for variable, part in zip(self._sums, parts, strict=True):
            gather(variable, reduce_sum(part, 0))
        gather(self.num_samples, truth.shape.num_elements())

    def result(self) -> Tensor:
        """The score so far."""
        squares, total, residual, count = (v.numpy() for v in self._sums)
        with np.errstate(all="ignore"):
            spread = squares - total * (total / count)
            scores = 1 - residual / spread
            scores = np.where(np.isinf(scores), 0, scores)
            if self.class_aggregation == "uniform_average":
                scores = scores.mean()
            elif self.class_aggregation is not None:
                scores = (spread * scores).sum() / spread.sum()
        return to_device_of(np.asarray(self._adjusted(scores), self.dtype), like=self.num_samples)

    def _adjusted(self, score: Any) -> Any:
        """For the number of regressors, where there are enough numbers."""
        n, p = float(self.num_samples.numpy()), self.num_regressors
        if not p:
            return score
        if p >= n - 1:
            few = "More independent predictors than datapoints" if p > n - 1 else "Division by zero"
            warnings.warn(
                f"{few} in adjusted R2 score. Falling back to standard R2 score.", stacklevel=4
            )
            return score
        return 1 - (1 - score) * (n - 1) / (n - p - 1)
