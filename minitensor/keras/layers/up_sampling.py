"""Larger signals, images and volumes, by repeating or by interpolating."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.array import broadcast_to, reshape
from minitensor.image import resize
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers import geometry
from minitensor.keras.layers.geometry import given
from minitensor.keras.layers.spatial import Spatial
from minitensor.nn.arguments import moved_back, moved_last

_METHODS = ("nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5")


class UpSampling(Spatial):
    """What the three have in common."""

    def __init__(self, *, size: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self._factors = geometry.numbers("size", size, self.rank)
        self.size: Any = self._factors if self.rank > 1 else self._factors[0]

    def call(self, inputs: Any) -> Any:
        """Every pixel as many times as `size` says."""
        shape = list(inputs.shape)
        start = 1 if self.data_format == "channels_last" else 2
        apart, spread = shape[:start], shape[:start]
        for n, factor in zip(shape[start:], self._factors, strict=False):
            apart, spread = [*apart, n, 1], [*spread, n, factor]
        rest = shape[start + self.rank :]
        y = broadcast_to(reshape(inputs, [*apart, *rest]), [*spread, *rest])
        return reshape(y, self.compute_output_shape(shape))

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, larger sizes, channels)"""
        return self._resized(input_shape, lambda n, axis: n * self._factors[axis])


class UpSampling1D(UpSampling):
    """Every step of signals several times.

    y[n, i, c] = x[n, i // size, c]

    Args:
        size: how many times, a number.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.UpSampling1D(2)([[[1.0], [2.0]]]).numpy().ravel()
        array([1., 1., 2., 2.], dtype=float32)

    Source: keras.layers.UpSampling1D
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Unpack[Common]) -> None:
        super().__init__(**given(locals()), data_format="channels_last")


class UpSampling2D(UpSampling):
    """Larger images.

    y[n, i, j, c] = x[n, i // sh, j // sw, c] if "nearest", else tf.image.resize of x

    Args:
        size: (sh, sw), or one number for both axes.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        interpolation: "nearest", "bilinear", "bicubic", "area", "lanczos3" or "lanczos5".
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.UpSampling2D((1, 2), interpolation="bilinear")
        >>> layer([[[[0.0], [1.0]]]]).numpy().ravel()
        array([0.  , 0.25, 0.75, 1.  ], dtype=float32)

    Source: keras.layers.UpSampling2D
    """

    rank = 2

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(size=size, data_format=data_format, **kwargs)
        self.interpolation = geometry.choice("interpolation", interpolation, _METHODS)

    def call(self, inputs: Any) -> Any:
        """The images, each pixel as large as `size` says."""
        if self.interpolation == "nearest":
            return super().call(inputs)
        last = self.data_format == "channels_last"
        x = moved_last(inputs, last)
        h, w = (n * factor for n, factor in zip(x.shape[1:3], self._factors, strict=True))
        return moved_back(geometry.like(resize(x, [h, w], self.interpolation), x.dtype), last)


class UpSampling3D(UpSampling):
    """Every voxel of volumes several times.

    y[n, l, i, j, c] = x[n, l // sd, i // sh, j // sw, c]

    Args:
        size: (sd, sh, sw), or one number for all axes.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        kwargs: what every Layer takes.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> mt.keras.layers.UpSampling3D((1, 2, 3))(mt.ones([1, 2, 2, 2, 4])).shape
        TensorShape([1, 2, 4, 6, 4])

    Source: keras.layers.UpSampling3D
    """

    rank = 3

    def __init__(
        self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(**given(locals()))
