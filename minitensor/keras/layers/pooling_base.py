"""Maxima and means over windows, of any rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitensor import nn
from minitensor.keras.layers import geometry
from minitensor.keras.layers.spatial import Sliding


class Pooling(Sliding):
    """What the poolings have in common.

    Attributes:
        kind: "MAX" or "AVG".
    """

    kind: str

    def __init__(self, *, pool_size: Any, strides: Any, **rest: Any) -> None:
        self.pool_size = geometry.numbers("pool_size", pool_size, self.rank)
        super().__init__(strides=self.pool_size if strides is None else strides, **rest)

    def _window(self) -> tuple[Sequence[int], Sequence[int]]:
        return self.pool_size, (1,) * self.rank

    def call(self, inputs: Any) -> Any:
        """The maximum or the mean of every window."""
        window = list(self.strides), self.padding.upper(), self.layout
        return nn.pool(inputs, list(self.pool_size), self.kind, *window)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, places along each axis, channels)"""
        return self._shape_of(input_shape, self._split(input_shape)[2])


class MaxPooling(Pooling):
    """The maximum of each window."""

    kind = "MAX"


class AveragePooling(Pooling):
    """The mean of each window; padding does not count."""

    kind = "AVG"

    def prepare(self, inputs: Any) -> None:
        """Checks an input."""
        geometry.floats_only(self, inputs)
        super().prepare(inputs)
