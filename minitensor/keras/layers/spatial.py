"""Spatial: a layer that knows which axes of its input are pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minitensor.keras.engine import InputSpec, Layer
from minitensor.keras.engine.defaults import layout
from minitensor.keras.layers import geometry
from minitensor.keras.layers.geometry import Sizes
from minitensor.window import extent


class Spatial(Layer):
    """Takes inputs of `rank` spatial axes, a batch axis before them, channels before or after.

    Attributes:
        rank: 1 for signals, 2 for images, 3 for volumes.
        data_format: "channels_last" or "channels_first".
    """

    rank: int
    _settled = True

    def __init__(self, *, data_format: str | None, **rest: Any) -> None:
        super().__init__(**rest)
        self.data_format = layout(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def layout(self) -> str:
        """The order of the axes, in the words of `minitensor.nn`."""
        return geometry.LAYOUTS[self.data_format][self.rank]

    def _split(self, shape: Sequence[int | None]) -> tuple[int | None, Sizes, int | None]:
        """(batch, spatial sizes, channels) of a shape."""
        if len(shape) != self.rank + 2:
            raise ValueError(
                f"Layer {self.name} ({type(self).__name__}) takes inputs of {self.rank + 2} axes. "
                f"Full shape received: {tuple(shape)}"
            )
        return geometry.split(shape, self.data_format)

    def _joined(self, batch: int | None, spatial: Sizes, channels: int | None) -> Sizes:
        """The shape of these sizes."""
        return geometry.joined(batch, spatial, channels, self.data_format)

    def _pixels(self, shape: Sequence[int | None]) -> list[int]:
        """The spatial sizes of a shape that knows them."""
        return [n for n in self._split(shape)[1] if n is not None]

    def _resized(self, shape: Sequence[int | None], size: Callable[[int, int], int]) -> Sizes:
        """The shape after `size(pixels, axis)` has changed each spatial size that is known."""
        batch, spatial, channels = self._split(shape)
        found = tuple(None if n is None else size(n, axis) for axis, n in enumerate(spatial))
        return self._joined(batch, found, channels)


class Sliding(Spatial):
    """Moves a window over its input, in steps of `strides`; `padding` says what is at the ends."""

    words: tuple[str, ...] = ("valid", "same")

    def __init__(self, *, strides: Any, padding: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.strides = geometry.numbers("strides", strides, self.rank)
        self.padding = geometry.choice("padding", padding, self.words)

    @property
    def receptive_field(self) -> tuple[tuple[int, int], ...]:
        """(pixels that the window spans, stride) along each axis."""
        taps, apart = self._window()
        spans = (extent(k, d) for k, d in zip(taps, apart, strict=True))
        return tuple(zip(spans, self.strides, strict=True))

    def _window(self) -> tuple[Sequence[int], Sequence[int]]:
        """(taps, pixels between them) along each axis."""
        raise NotImplementedError

    def _shape_of(self, input_shape: Any, channels: int | None) -> Sizes:
        """The shape of an output with that many channels.

        "valid": floor((n - span) / stride) + 1 places; "same" and "causal": ceil(n / stride)
        """
        valid = self.padding == "valid"

        def places(n: int, axis: int) -> int:
            span, stride = self.receptive_field[axis]
            if valid and n < span:
                raise ValueError(
                    f"{self.name}: Computed output size would be zero or negative: a window that "
                    f"spans {span} pixels of axis {axis} has no place in an input of shape "
                    f"{tuple(input_shape)} with padding='valid'. Use padding='same' or a smaller "
                    "window."
                )
            return (n - span) // stride + 1 if valid else -(-n // stride)

        batch, spatial, _ = self._split(self._resized(input_shape, places))
        return self._joined(batch, spatial, channels)
