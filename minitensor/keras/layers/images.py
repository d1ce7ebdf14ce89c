"""What layers for images have in common: one image or a batch, channels last or first.

Not here: bounding boxes, labels and masks, which Keras moves along with the images.
"""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.array import cast, expand_dims, squeeze
from minitensor.autograd import Tensor
from minitensor.keras.engine import Layer
from minitensor.keras.engine.defaults import layout
from minitensor.keras.engine.layer import Common
from minitensor.keras.engine.seed_stream import SeedStream
from minitensor.keras.layers.geometry import Sizes, positive
from minitensor.keras.layers.normalization import moved


class ImageLayer(Layer):
    """A layer that does something to every image; a subclass writes `transformed`."""

    def __init__(self, data_format: str | None = None, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        self.data_format = layout(data_format)

    def transformed(self, images: Tensor) -> Tensor:
        """(N, H, W, C) -> (N, h, w, C)"""
        raise NotImplementedError

    def _apply(self, inputs: Any) -> Any:
        """`transformed`, for images of 3 or 4 axes in the layer's layout."""
        if inputs.ndim not in (3, 4):
            raise ValueError(
                "Expected the input image to be rank 3 or 4. "
                f"Received inputs.shape={tuple(inputs.shape)}"
            )
        x = inputs if inputs.ndim == 4 else expand_dims(inputs, 0)
        first = self.data_format == "channels_first"
        y = self.transformed(moved(x, 1, 3) if first else x)  # (N, h, w, C)
        y = moved(y, 3, 1) if first else y
        return y if inputs.ndim == 4 else squeeze(y, [0])

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        return tuple(input_shape)


class Augmentation(ImageLayer):
    """A change by chance, in training only; each image of a batch has its own."""

    def __init__(
        self, seed: Any = None, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.seed_stream = SeedStream(seed)

    def call(self, inputs: Any, training: bool = True) -> Any:
        x = cast(inputs, self.compute_dtype)
        return self._apply(x) if training else x


class Sized(ImageLayer):
    """A layer whose images all have one size."""

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.height, self.width = positive("height", height), positive("width", width)

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        """The shape of the input, of the size asked for."""
        sizes, rows = list(input_shape), -3 if self.data_format == "channels_last" else -2
        sizes[rows], sizes[rows + 1] = self.height, self.width
        return tuple(sizes)


def interval(
    layer: str, name: str, value: Any, least: float = -1.0, most: float = 1.0
) -> tuple[float, float]:
    """A number as the interval around 0, or two numbers, all within bounds."""
    pair = tuple(value) if isinstance(value, list | tuple) else (value,)
    legal = len(pair) in (1, 2) and all(
        isinstance(n, int | float) and least <= n <= most for n in pair
    )
    if not legal:
        raise ValueError(
            f"{layer}: the `{name}` argument should be a number (or a list of two numbers) in "
            f"the range [{least}, {most}]. Received: {name}={value!r}"
        )
    if len(pair) == 1:
        return max(-abs(pair[0]), least), abs(pair[0])
    return min(pair), max(pair)
