"""Zeros around signals, images and volumes."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.array import pad
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers import geometry
from minitensor.keras.layers.geometry import given
from minitensor.keras.layers.spatial import Spatial


class ZeroPadding(Spatial):
    """What the three have in common."""

    def __init__(self, *, padding: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self._pairs = geometry.pairs("padding", padding, self.rank)
        self.padding = self._pairs if self.rank > 1 else self._pairs[0]

    def call(self, inputs: Any) -> Any:
        """The input in a frame of zeros."""
        none = (0, 0)
        last = self.data_format == "channels_last"
        return pad(inputs, [none, *self._pairs, none] if last else [none, none, *self._pairs])

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, larger sizes, channels)"""
        return self._resized(input_shape, lambda n, axis: n + sum(self._pairs[axis]))


class ZeroPadding1D(ZeroPadding):
    """Zeros around signals.

    y[n, i, c] = x[n, i - before, c] where there is one, else 0

    Args:
        padding: zeros at both ends: a number, or (before, after).
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.ZeroPadding1D(2)(mt.ones([2, 4, 3])).shape
        TensorShape([2, 8, 3])

    Source: keras.layers.ZeroPadding1D
    """

    rank = 1

    def __init__(
        self, padding: Any = 1, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(**given(locals()))


class ZeroPadding2D(ZeroPadding):
    """Zeros around images.

    y[n, i, c] = x[n, i - before, c] where there is one, else 0

    Args:
        padding: zeros around: a number, (height, width), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.ZeroPadding2D(((1, 0), (2, 2)))(mt.ones([2, 4, 4, 3])).shape
        TensorShape([2, 5, 8, 3])

    Source: keras.layers.ZeroPadding2D
    """

    rank = 2

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(**given(locals()))


class ZeroPadding3D(ZeroPadding):
    """Zeros around volumes.

    y[n, i, c] = x[n, i - before, c] where there is one, else 0

    Args:
        padding: zeros around: a number, a number for each axis, or a pair (before, after) for each.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.ZeroPadding3D(1)(mt.ones([2, 4, 4, 4, 3])).shape
        TensorShape([2, 6, 6, 6, 3])

    Source: keras.layers.ZeroPadding3D
    """

    rank = 3

    def __init__(
        self,
        padding: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**given(locals()))
