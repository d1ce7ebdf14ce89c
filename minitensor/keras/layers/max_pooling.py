"""The maximum poolings with one, two and three spatial axes: their arguments."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.keras.engine.layer import Regularized
from minitensor.keras.layers.geometry import given
from minitensor.keras.layers.pooling_base import MaxPooling


class MaxPooling1D(MaxPooling):
    """The largest value of each window of signals.

    y[n, i, c] = max of x[n, i * stride + u, c] over u

    Args:
        pool_size: pixels of the window: a number or a tuple of one.
        strides: pixels between windows, in the same forms; None for `pool_size`.
        padding: "valid" or "same", in any case; padding never wins.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        name: the layer's name.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.MaxPooling1D(2)(mt.ones([2, 8, 3])).shape
        TensorShape([2, 4, 3])

    Source: keras.layers.MaxPooling1D
    """

    rank = 1

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[Regularized],
    ) -> None:
        super().__init__(**given(locals()))


class MaxPooling2D(MaxPooling):
    """The largest value of each window of images.

    y[n, i, j, c] = max of x[n, i * sh + u, j * sw + v, c] over u, v

    Args:
        pool_size: pixels of the window: (height, width), or one number for both axes.
        strides: pixels between windows, in the same forms; None for `pool_size`.
        padding: "valid" or "same", in any case; padding never wins.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        name: the layer's name.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.MaxPooling2D(2)(mt.ones([2, 8, 8, 3])).shape
        TensorShape([2, 4, 4, 3])

    Source: keras.layers.MaxPooling2D
    """

    rank = 2

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[Regularized],
    ) -> None:
        super().__init__(**given(locals()))


class MaxPooling3D(MaxPooling):
    """The largest value of each window of volumes.

    y[n, l, i, j, c] = max of x[n, l * sd + t, i * sh + u, j * sw + v, c] over t, u, v

    Args:
        pool_size: pixels of the window: (depth, height, width), or one number for all axes.
        strides: pixels between windows, in the same forms; None for `pool_size`.
        padding: "valid" or "same", in any case; padding never wins.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        name: the layer's name.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.MaxPooling3D(2)(mt.ones([2, 8, 8, 8, 3])).shape
        TensorShape([2, 4, 4, 4, 3])

    Source: keras.layers.MaxPooling3D
    """

    rank = 3

    def __init__(
        self,
        pool_size: Any = (2, 2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[Regularized],
    ) -> None:
        super().__init__(**given(locals()))
