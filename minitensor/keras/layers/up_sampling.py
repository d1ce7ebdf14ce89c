"""Larger signals, images and volumes, by repeating or by interpolating."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.array import broadcast_to, reshape
from minitensor.image import resize
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers import geometry
from minitensor.keras.layers.spatial import Spatial, of_rank
from minitensor.nn.arguments import moved_back, moved_last, tensors
from minitensor.nn.pooling import MAX

_METHODS = ("nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5")

_UP_SAMPLING = """{value}

y[n, {at}, c] = x[n, {scaled}, c]{also}

Args:
    size: how many times: {numbers}.
{layout}    kwargs: what every Layer takes.
"""
_LAYOUT = """\
    data_format: "channels_last" or "channels_first"; default `keras.config`'s.
"""
_METHOD = """\
    interpolation: "nearest", "bilinear", "bicubic", "area", "lanczos3" or "lanczos5".
"""


class UpSampling(Spatial):
    """What the three have in common."""

    def __init__(self, size: Any, data_format: str | None = None, **kwargs: Unpack[Common]) -> None:
        super().__init__(data_format, **kwargs)
        self._factors = geometry.numbers("size", size, self.rank)
        self.size: Any = self._factors if self.rank > 1 else self._factors[0]

    def call(self, inputs: Any) -> Any:
        shape = list(inputs.shape)
        start = 1 if self._last else 2
        apart, repeated = shape[:start], shape[:start]
        for n, factor in zip(shape[start:], self._factors, strict=False):
            apart, repeated = [*apart, n, 1], [*repeated, n, factor]
        rest = shape[start + self.rank :]
        y = broadcast_to(reshape(inputs, [*apart, *rest]), [*repeated, *rest])
        return reshape(y, self.compute_output_shape(shape))

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, larger sizes, channels)"""
        return self._resized(input_shape, lambda n, axis: n * self._factors[axis])


@of_rank(1, _UP_SAMPLING, value="Every step of signals several times.", also="", layout="")
class UpSampling1D(UpSampling):
    """>>> tf.keras.layers.UpSampling1D(2)([[[1.0], [2.0]]]).numpy().ravel()
    array([1., 1., 2., 2.], dtype=float32)
    """

    def __init__(self, size: int = 2, **kwargs: Unpack[Common]) -> None:
        geometry.integer("size", size)
        super().__init__(size, "channels_last", **kwargs)


@of_rank(
    2,
    _UP_SAMPLING,
    value="Larger images.",
    also=' if "nearest", else tf.image.resize of x',
    layout=_LAYOUT + _METHOD,
)
class UpSampling2D(UpSampling):
    """>>> layer = tf.keras.layers.UpSampling2D((1, 2), interpolation="bilinear")
    >>> layer([[[[0.0], [1.0]]]]).numpy().ravel()
    array([0.  , 0.25, 0.75, 1.  ], dtype=float32)
    """

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        self.interpolation = geometry.choice("interpolation", interpolation, _METHODS)

    def call(self, inputs: Any) -> Any:
        if self.interpolation == "nearest":
            return super().call(inputs)
        (x,) = tensors(self._title, MAX.ints, input=inputs)
        x = moved_last(x, self._last)  # (N, H, W, C)
        h, w = (n * factor for n, factor in zip(x.shape[1:3], self._factors, strict=True))
        y = geometry.like(resize(x, [h, w], self.interpolation), x.dtype)
        return moved_back(y, self._last)


@of_rank(
    3,
    _UP_SAMPLING,
    {"size": (2, 2, 2)},
    value="Every voxel of volumes several times.",
    also="",
    layout=_LAYOUT,
)
class UpSampling3D(UpSampling):
    """>>> tf.keras.layers.UpSampling3D((1, 2, 3))(tf.ones([1, 2, 2, 2, 4])).shape
    TensorShape([1, 2, 4, 6, 4])
    """
