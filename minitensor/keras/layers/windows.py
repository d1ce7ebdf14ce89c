"""What all layers share that move a kernel over an input with one, two or three spatial axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitensor.keras.engine import InputSpec
from minitensor.keras.layers import geometry
from minitensor.keras.layers.affine import Affine
from minitensor.keras.layers.spatial import Sliding


class Windowed(Affine, Sliding):
    """A kernel that slides: its size, and how far apart its taps are."""

    def __init__(self, *, kernel_size: Any, dilation_rate: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.kernel_size = geometry.numbers("kernel_size", kernel_size, self.rank)
        self.dilation_rate = geometry.numbers("dilation_rate", dilation_rate, self.rank)

    def prepare(self, inputs: Any) -> None:
        """Checks an input, and builds the layer for it."""
        geometry.floats_only(self, inputs)
        super().prepare(inputs)

    def _window(self) -> tuple[Sequence[int], Sequence[int]]:
        return self.kernel_size, self.dilation_rate

    def _known_channels(self, input_shape: Any) -> int:
        """The channels of inputs of this shape; from now on no others are taken."""
        self.compute_output_shape(input_shape)
        channels = self._split(input_shape)[2]
        if channels is None:
            raise ValueError(
                f"The channel axis of the inputs to {self.name} must be defined. "
                f"Full input shape received: {tuple(input_shape)}"
            )
        axis = -1 if self.data_format == "channels_last" else 1
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels
