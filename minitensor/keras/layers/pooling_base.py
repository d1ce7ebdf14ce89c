"""Maxima and means over windows, of any rank."""

from __future__ import annotations

from typing import Any

from minitensor import nn
from minitensor.keras.engine import InputSpec
from minitensor.keras.layers import settings
from minitensor.keras.layers.settled import Settled


class Pooling(Settled):
    """What the poolings have in common.

    Attributes:
        rank: number of spatial axes.
        kind: "MAX" or "AVG".
    """

    rank: int
    kind: str

    def __init__(
        self, *, pool_size: Any, strides: Any, padding: str, data_format: str | None, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self.pool_size = settings.numbers("pool_size", pool_size, self.rank)
        steps = self.pool_size if strides is None else strides
        self.strides = settings.numbers("strides", steps, self.rank)
        self.padding = settings.choice("padding", padding, ("valid", "same"))
        self.data_format = settings.layout(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def reach(self) -> tuple[tuple[int, int], ...]:
        """(pixels that the window spans, stride) along each axis."""
        return tuple(zip(self.pool_size, self.strides, strict=True))

    def call(self, inputs: Any) -> Any:
        """The maximum or the mean of every window."""
        layout = settings.LAYOUTS[self.data_format][self.rank]
        window = list(self.strides), self.padding.upper(), layout
        return nn.pool(inputs, list(self.pool_size), self.kind, *window)

    def compute_output_shape(self, input_shape: Any) -> settings.Sizes:
        """(batch, places along each axis, channels)"""
        batch, spatial, channels = settings.split(input_shape, self.data_format)
        window = self.pool_size, self.strides, self.padding, (1,) * self.rank
        spatial = settings.places(self.name, spatial, *window)
        return settings.joined(batch, spatial, channels, self.data_format)


class MaxPooling(Pooling):
    """The maximum of each window."""

    kind = "MAX"


class AveragePooling(Pooling):
    """The mean of each window; padding does not count."""

    kind = "AVG"

    def prepare(self, inputs: Any) -> None:
        """Checks an input."""
        settings.floats_only(self, inputs)
        super().prepare(inputs)
