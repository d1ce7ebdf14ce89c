"""What all layers share that move a kernel over an input with one, two or three spatial axes."""

from __future__ import annotations

from typing import Any

from minitensor.keras.engine import InputSpec
from minitensor.keras.layers import settings
from minitensor.keras.layers.affine import Affine
from minitensor.window import extent


class Windowed(Affine):
    """A kernel with `rank` spatial axes."""

    rank: int
    words: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        *,
        kernel_size: Any,
        strides: Any,
        padding: Any,
        data_format: str | None,
        dilation_rate: Any,
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        self.kernel_size = settings.numbers("kernel_size", kernel_size, self.rank)
        self.strides = settings.numbers("strides", strides, self.rank)
        self.dilation_rate = settings.numbers("dilation_rate", dilation_rate, self.rank)
        self.padding = settings.choice("padding", padding, self.words)
        self.data_format = settings.layout(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def prepare(self, inputs: Any) -> None:
        """Checks an input, and builds the layer for it."""
        settings.floats_only(self, inputs)
        super().prepare(inputs)

    @property
    def layout(self) -> str:
        """The order of the axes, in the words of `minitensor.nn`."""
        return settings.LAYOUTS[self.data_format][self.rank]

    @property
    def reach(self) -> tuple[tuple[int, int], ...]:
        """(pixels that the window spans, stride) along each axis."""
        taps = zip(self.kernel_size, self.dilation_rate, self.strides, strict=True)
        return tuple((extent(k, d), s) for k, d, s in taps)

    def _known_channels(self, input_shape: Any) -> int:
        """The channels of inputs of this shape; from now on no others are taken."""
        self.compute_output_shape(input_shape)
        channels = settings.split(input_shape, self.data_format)[2]
        if channels is None:
            raise ValueError(
                f"The channel axis of the inputs to {self.name} must be defined. "
                f"Full input shape received: {tuple(input_shape)}"
            )
        axis = -1 if self.data_format == "channels_last" else 1
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _shape_of(self, input_shape: Any, channels: int | None) -> settings.Sizes:
        """The shape of an output with that many channels."""
        batch, spatial, _ = settings.split(input_shape, self.data_format)
        window = self.kernel_size, self.strides, self.padding, self.dilation_rate
        spatial = settings.places(self.name, spatial, *window)
        return settings.joined(batch, spatial, channels, self.data_format)
