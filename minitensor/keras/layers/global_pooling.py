"""Poolings whose window is the whole input."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.keras.engine.layer import Common
from minitensor.keras.layers import geometry
from minitensor.keras.layers.geometry import given
from minitensor.keras.layers.spatial import Spatial
from minitensor.math import reduce_max, reduce_mean


class GlobalPooling(Spatial):
    """What the global poolings have in common."""

    def __init__(self, *, keepdims: bool, **rest: Any) -> None:
        super().__init__(**rest)
        self.keepdims = keepdims

    @property
    def _axes(self) -> list[int]:
        start = 1 if self.data_format == "channels_last" else 2
        return list(range(start, start + self.rank))

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, channels), with a 1 for each spatial axis if they are kept"""
        batch, spatial, channels = self._split(input_shape)
        kept = (1,) * len(spatial) if self.keepdims else ()
        return self._joined(batch, kept, channels)


class GlobalMaxPooling(GlobalPooling):
    """The largest value of each channel."""

    def call(self, inputs: Any) -> Any:
        """Its maximum over the spatial axes."""
        return reduce_max(inputs, self._axes, self.keepdims)


class GlobalAveragePooling(GlobalPooling):
    """The mean of each channel."""

    def call(self, inputs: Any) -> Any:
        """Its mean over the spatial axes."""
        return reduce_mean(
            geometry.as_floats(inputs, self.compute_dtype), self._axes, self.keepdims
        )


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest value of each channel of signals.

    y[n, c] = max of x[n, i, c] over i

    Args:
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        keepdims: whether the spatial axes stay, with size 1.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.GlobalMaxPooling1D()(mt.ones([2, 8, 3])).shape
        TensorShape([2, 3])

    Source: keras.layers.GlobalMaxPooling1D
    """

    rank = 1

    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**given(locals()))


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest value of each channel of images.

    y[n, c] = max of x[n, i, j, c] over i, j

    Args:
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        keepdims: whether the spatial axes stay, with size 1.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.GlobalMaxPooling2D()(mt.ones([2, 8, 8, 3])).shape
        TensorShape([2, 3])

    Source: keras.layers.GlobalMaxPooling2D
    """

    rank = 2

    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**given(locals()))


class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest value of each channel of volumes.

    y[n, c] = max of x[n, l, i, j, c] over l, i, j

    Args:
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        keepdims: whether the spatial axes stay, with size 1.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.GlobalMaxPooling3D()(mt.ones([2, 8, 8, 8, 3])).shape
        TensorShape([2, 3])

    Source: keras.layers.GlobalMaxPooling3D
    """

    rank = 3

    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**given(locals()))


class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean of each channel of signals.

    y[n, c] = mean of x[n, i, c] over i

    Args:
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        keepdims: whether the spatial axes stay, with size 1.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.GlobalAveragePooling1D()(mt.ones([2, 8, 3])).shape
        TensorShape([2, 3])

    Source: keras.layers.GlobalAveragePooling1D
    """

    rank = 1

    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**given(locals()))


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean of each channel of images.

    y[n, c] = mean of x[n, i, j, c] over i, j

    Args:
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        keepdims: whether the spatial axes stay, with size 1.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.GlobalAveragePooling2D()(mt.ones([2, 8, 8, 3])).shape
        TensorShape([2, 3])

    Source: keras.layers.GlobalAveragePooling2D
    """

    rank = 2

    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**given(locals()))


class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean of each channel of volumes.

    y[n, c] = mean of x[n, l, i, j, c] over l, i, j

    Args:
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        keepdims: whether the spatial axes stay, with size 1.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.GlobalAveragePooling3D()(mt.ones([2, 8, 8, 8, 3])).shape
        TensorShape([2, 3])

    Source: keras.layers.GlobalAveragePooling3D
    """

    rank = 3

    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**given(locals()))
