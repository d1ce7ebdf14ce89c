"""Poolings whose windows share an input out evenly, so that the output has the size asked for.

Window i of o along an axis of n pixels begins at floor(i n / o) and ends before
ceil((i + 1) n / o); two neighbours may share a pixel.
"""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from minitensor.array import gather
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers import geometry
from minitensor.keras.layers.geometry import given
from minitensor.keras.layers.spatial import Spatial
from minitensor.math import reduce_max, reduce_sum


class AdaptivePooling(Spatial):
    """What the adaptive poolings have in common."""

    def __init__(self, *, output_size: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.output_size = geometry.numbers("output_size", output_size, self.rank)

    def call(self, inputs: Any) -> Any:
        """One axis after the other."""
        first = 1 if self.data_format == "channels_last" else 2
        for axis, size in enumerate(self.output_size, start=first):
            taps, counted = _windows(inputs.shape[axis], size)
            inputs = self._pooled(gather(inputs, taps, axis=axis), counted, axis + 1)
        return inputs

    def _pooled(self, x: Any, counted: np.ndarray, axis: int) -> Any:
        """`x` without `axis`, along which its taps lie; those not `counted` come twice."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, output_size, channels)"""
        batch, _, channels = self._split(input_shape)
        return self._joined(batch, self.output_size, channels)


def _windows(n: int, o: int) -> tuple[np.ndarray, np.ndarray]:
    """(pixels that each window sees, whether they count): (o, longest window) each."""
    places = np.arange(o)
    start, end = places * n // o, -(-(places + 1) * n // o)
    taps = start[:, None] + np.arange((end - start).max())  # (o, longest)
    return np.minimum(taps, end[:, None] - 1), taps < end[:, None]


class AdaptiveMaxPooling(AdaptivePooling):
    """The largest value of each window."""

    def _pooled(self, x: Any, counted: np.ndarray, axis: int) -> Any:
        return reduce_max(x, axis)


class AdaptiveAveragePooling(AdaptivePooling):
    """The mean of each window."""

    def prepare(self, inputs: Any) -> None:
        """Checks an input."""
        geometry.floats_only(self, inputs)
        super().prepare(inputs)

    def _pooled(self, x: Any, counted: np.ndarray, axis: int) -> Any:
        weights = counted / counted.sum(axis=1, keepdims=True)
        shape = (*counted.shape, *[1] * (x.ndim - axis - 1))
        return reduce_sum(x * weights.reshape(shape).astype(x.dtype), axis)


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """The largest value of each window of signals, as many windows as the output has pixels.

    y[n, i, c] = max of x[n, u, c] over floor(i n / o) <= u < ceil((i + 1) n / o), on each axis

    Args:
        output_size: pixels of the output: a number, or a tuple of one.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.AdaptiveMaxPooling1D(4)(mt.ones([2, 7, 3])).shape
        TensorShape([2, 4, 3])

    Source: keras.layers.AdaptiveMaxPooling1D
    """

    rank = 1

    def __init__(
        self, output_size: Any, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(**given(locals()))


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """The largest value of each window of images, as many windows as the output has pixels.

    y[n, i, c] = max of x[n, u, c] over floor(i n / o) <= u < ceil((i + 1) n / o), on each axis

    Args:
        output_size: pixels of the output: (height, width), or one number for both.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.AdaptiveMaxPooling2D(4)(mt.ones([2, 7, 9, 3])).shape
        TensorShape([2, 4, 4, 3])

    Source: keras.layers.AdaptiveMaxPooling2D
    """

    rank = 2

    def __init__(
        self, output_size: Any, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(**given(locals()))


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """The largest value of each window of volumes, as many windows as the output has pixels.

    y[n, i, c] = max of x[n, u, c] over floor(i n / o) <= u < ceil((i + 1) n / o), on each axis

    Args:
        output_size: pixels of the output: (depth, height, width), or one number for all.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.AdaptiveMaxPooling3D(4)(mt.ones([2, 7, 8, 9, 3])).shape
        TensorShape([2, 4, 4, 4, 3])

    Source: keras.layers.AdaptiveMaxPooling3D
    """

    rank = 3

    def __init__(
        self, output_size: Any, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(**given(locals()))


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """The mean of each window of signals, as many windows as the output has pixels.

    y[n, i, c] = mean of x[n, u, c] over floor(i n / o) <= u < ceil((i + 1) n / o), on each axis

    Args:
        output_size: pixels of the output: a number, or a tuple of one.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.AdaptiveAveragePooling1D(4)(mt.ones([2, 7, 3])).shape
        TensorShape([2, 4, 3])

    Source: keras.layers.AdaptiveAveragePooling1D
    """

    rank = 1

    def __init__(
        self, output_size: Any, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(**given(locals()))


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """The mean of each window of images, as many windows as the output has pixels.

    y[n, i, c] = mean of x[n, u, c] over floor(i n / o) <= u < ceil((i + 1) n / o), on each axis

    Args:
        output_size: pixels of the output: (height, width), or one number for both.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.AdaptiveAveragePooling2D(4)(mt.ones([2, 7, 9, 3])).shape
        TensorShape([2, 4, 4, 3])

    Source: keras.layers.AdaptiveAveragePooling2D
    """

    rank = 2

    def __init__(
        self, output_size: Any, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(**given(locals()))


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """The mean of each window of volumes, as many windows as the output has pixels.

    y[n, i, c] = mean of x[n, u, c] over floor(i n / o) <= u < ceil((i + 1) n / o), on each axis

    Args:
        output_size: pixels of the output: (depth, height, width), or one number for all.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.AdaptiveAveragePooling3D(4)(mt.ones([2, 7, 8, 9, 3])).shape
        TensorShape([2, 4, 4, 4, 3])

    Source: keras.layers.AdaptiveAveragePooling3D
    """

    rank = 3

    def __init__(
        self, output_size: Any, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(**given(locals()))
