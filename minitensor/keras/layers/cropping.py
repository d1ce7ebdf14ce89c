"""The inner part of signals, images and volumes."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.array import slice
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers import geometry
from minitensor.keras.layers.geometry import given
from minitensor.keras.layers.spatial import Spatial


class Cropping(Spatial):
    """What the three have in common."""

    def __init__(self, *, cropping: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self._pairs = geometry.pairs("cropping", cropping, self.rank)
        self.cropping = self._pairs if self.rank > 1 else self._pairs[0]

    def call(self, inputs: Any) -> Any:
        """The inner part of the input."""
        shape = self.compute_output_shape(inputs.shape)
        start = self._joined(0, tuple(before for before, _ in self._pairs), 0)
        return slice(inputs, start, shape)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, smaller sizes, channels)"""

        def left(n: int, axis: int) -> int:
            if sum(self._pairs[axis]) >= n:
                raise ValueError(
                    "Values in `cropping` argument should be smaller than the corresponding "
                    f"spatial dimension of the input. Received: input_shape={tuple(input_shape)}, "
                    f"cropping={self.cropping}"
                )
            return n - sum(self._pairs[axis])

        return self._resized(input_shape, left)


class Cropping1D(Cropping):
    """The inner part of signals.

    y[n, i, c] = x[n, i + before, c]

    Args:
        cropping: pixels to take off: a number, or (before, after).
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting that is not legal, or one that leaves nothing of an input.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.Cropping1D((0, 1))(mt.ones([2, 4, 3])).shape
        TensorShape([2, 3, 3])

    Source: keras.layers.Cropping1D
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Unpack[Common]) -> None:
        super().__init__(**given(locals()), data_format="channels_last")


class Cropping2D(Cropping):
    """The inner part of images.

    y[n, i, c] = x[n, i + before, c]

    Args:
        cropping: pixels to take off: a number, (height, width), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting that is not legal, or one that leaves nothing of an input.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.Cropping2D(((1, 0), (1, 2)))(mt.ones([2, 4, 4, 3])).shape
        TensorShape([2, 3, 1, 3])

    Source: keras.layers.Cropping2D
    """

    rank = 2

    def __init__(
        self,
        cropping: Any = ((0, 0), (0, 0)),
        data_format: str | None = None,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**given(locals()))


class Cropping3D(Cropping):
    """The inner part of volumes.

    y[n, i, c] = x[n, i + before, c]

    Args:
        cropping: pixels to take off: a number, a number for each axis, or a pair (before, after)
            for each.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting that is not legal, or one that leaves nothing of an input.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.Cropping3D()(mt.ones([2, 4, 4, 4, 3])).shape
        TensorShape([2, 2, 2, 2, 3])

    Source: keras.layers.Cropping3D
    """

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**given(locals()))
