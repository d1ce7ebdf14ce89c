"""Zeros around signals, images and volumes, and what is left when their border is cut off."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.array import pad, slice
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers import geometry
from minitensor.keras.layers.spatial import Spatial, of_rank

_PADDING = """Zeros around {images}.

y[n, i, c] = x[n, i - before, c] where there is one, else 0; so on each axis

Args:
    padding: zeros around: {pairs}.
    data_format: "channels_last" or "channels_first"; default `keras.config`'s.
    kwargs: what every Layer takes.
"""
_CROPPING = """The inner part of {images}.

y[n, i, c] = x[n, i + before, c], so on each axis

Args:
    cropping: pixels to take off: {pairs}.
{layout}    kwargs: what every Layer takes.
"""
_LAYOUT = """\
    data_format: "channels_last" or "channels_first"; default `keras.config`'s.
"""


class ZeroPadding(Spatial):
    """What the three have in common."""

    def __init__(
        self, padding: Any = 1, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(data_format, **kwargs)
        self._pairs = geometry.pairs("padding", padding, self.rank)
        self.padding: Any = self._pairs if self.rank > 1 else self._pairs[0]

    def call(self, inputs: Any) -> Any:
        none = (0, 0)
        return pad(inputs, [none, *self._pairs, none] if self._last else [none, none, *self._pairs])

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, larger sizes, channels)"""
        return self._resized(input_shape, lambda n, axis: n + sum(self._pairs[axis]))


@of_rank(1, _PADDING)
class ZeroPadding1D(ZeroPadding):
    """>>> tf.keras.layers.ZeroPadding1D(2)(tf.ones([2, 4, 3])).shape
    TensorShape([2, 8, 3])
    """


@of_rank(2, _PADDING, {"padding": (1, 1)})
class ZeroPadding2D(ZeroPadding):
    """>>> tf.keras.layers.ZeroPadding2D(((1, 0), (2, 2)))(tf.ones([2, 4, 4, 3])).shape
    TensorShape([2, 5, 8, 3])
    """


@of_rank(3, _PADDING, {"padding": ((1, 1), (1, 1), (1, 1))})
class ZeroPadding3D(ZeroPadding):
    """>>> tf.keras.layers.ZeroPadding3D(1)(tf.ones([2, 4, 4, 4, 3])).shape
    TensorShape([2, 6, 6, 6, 3])
    """


class Cropping(Spatial):
    """What the three have in common."""

    def __init__(
        self, cropping: Any, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(data_format, **kwargs)
        self._pairs = geometry.pairs("cropping", cropping, self.rank)
        self.cropping = self._pairs if self.rank > 1 else self._pairs[0]

    def call(self, inputs: Any) -> Any:
        shape = self.compute_output_shape(inputs.shape)
        start = self._joined(0, tuple(before for before, _ in self._pairs), 0)
        return slice(inputs, start, shape)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, smaller sizes, channels)"""

        def left(n: int, axis: int) -> int:
            if sum(self._pairs[axis]) >= n:
                raise ValueError(
                    f"{self._title}: Values in `cropping` argument should be smaller than the "
                    "corresponding spatial dimension of the input. Received: "
                    f"input_shape={tuple(input_shape)}, cropping={self.cropping}"
                )
            return n - sum(self._pairs[axis])

        return self._resized(input_shape, left)


@of_rank(1, _CROPPING, layout="")
class Cropping1D(Cropping):
    """>>> tf.keras.layers.Cropping1D((0, 1))(tf.ones([2, 4, 3])).shape
    TensorShape([2, 3, 3])
    """

    def __init__(self, cropping: Any = (1, 1), **kwargs: Unpack[Common]) -> None:
        super().__init__(cropping, "channels_last", **kwargs)


@of_rank(2, _CROPPING, {"cropping": ((0, 0), (0, 0))}, layout=_LAYOUT)
class Cropping2D(Cropping):
    """>>> tf.keras.layers.Cropping2D(((1, 0), (1, 2)))(tf.ones([2, 4, 4, 3])).shape
    TensorShape([2, 3, 1, 3])
    """


@of_rank(3, _CROPPING, {"cropping": ((1, 1), (1, 1), (1, 1))}, layout=_LAYOUT)
class Cropping3D(Cropping):
    """>>> tf.keras.layers.Cropping3D()(tf.ones([2, 4, 4, 4, 3])).shape
    TensorShape([2, 2, 2, 2, 3])
    """
