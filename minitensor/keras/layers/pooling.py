"""Maxima and means over windows of signals, images and volumes.

The window has a size of its own, or is the whole input ("global"), or many of them share the
input out evenly, so that the output has the size asked for ("adaptive"): window i of o along an
axis of n pixels begins at floor(i n / o) and ends before ceil((i + 1) n / o); two neighbours may
share a pixel.
"""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.array import cast, expand_dims
from minitensor.keras.engine.layer import Common, Regularized
from minitensor.keras.layers import geometry
from minitensor.keras.layers.spatial import Spatial, of_each_rank, of_rank
from minitensor.keras.ops.nn import adaptive_average_pool, adaptive_max_pool
from minitensor.math import reduce_max, reduce_mean, reduce_sum
from minitensor.nn.arguments import moved_back, moved_last, tensors
from minitensor.nn.pooling import KINDS, MAX, windows

__all__ = [
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D", "AveragePooling1D",
    "AveragePooling2D", "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
    "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalAvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D",
    "GlobalMaxPool3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
    "MaxPool1D", "MaxPool2D", "MaxPool3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
]  # fmt: skip

_MAX = {"value": "The largest value", "rule": "max", "padding": "never wins"}
_MEAN = {"value": "The mean", "rule": "mean", "padding": "is not counted"}

# ----- a window of a size of its own -----

_POOLING = """{value} of each window of {images}.

y[n, {at}, c] = {rule} of x[n, {seen}, c] over {over}

Args:
    pool_size: pixels of the window: {numbers}.
    strides: pixels between windows, in the same forms; None for `pool_size`.
    padding: "valid" or "same", in any case; padding {padding}.
    data_format: "channels_last" or "channels_first"; default `keras.config`'s.
    name: the layer's name.
    kwargs: what every Layer takes.
"""
_POOLED = {
    "example": """>>> tf.keras.layers.{name}(2)(tf.ones([2, {each:8}, 3])).shape
    TensorShape([2, {each:4}, 3])"""
}


class Pooling(Spatial):
    """What the poolings have in common."""

    kind: str  # "MAX" or "AVG"

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Unpack[Regularized],
    ) -> None:
        super().__init__(data_format, name=name, **kwargs)
        self.pool_size: Any = pool_size
        self._slide(self.pool_size if strides is None else strides, padding)

    def _taps(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return self.pool_size, (1,) * self.rank

    def call(self, inputs: Any) -> Any:
        op, kind = self._title, KINDS[self.kind]
        (x,) = tensors(op, kind.ints, input=inputs)
        x = moved_last(x, self._last)  # (N, H, W, C)
        taps, apart = self._taps()
        depth, plane = windows(op, x.array.shape[1:-1], taps, self.strides, self._pads, apart)
        y = kind.compute(x, depth=depth, plane=plane)  # (N, h, w, C)
        return moved_back(y, self._last)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, output positions along each axis, channels)"""
        return self._output_shape(input_shape, self._split(input_shape)[2])


MaxPooling1D, MaxPooling2D, MaxPooling3D = of_each_rank(
    "MaxPooling", Pooling, _POOLING, _MAX | _POOLED, {"pool_size": 2}, kind="MAX"
)
AveragePooling1D, AveragePooling2D, AveragePooling3D = of_each_rank(
    "AveragePooling", Pooling, _POOLING, _MEAN | _POOLED, kind="AVG", floats_only=True
)

# ----- the whole input -----

_GLOBAL = """{value} of each channel of {images}.

y[n, c] = {rule} of x[n, {at}, c] over {at}

Args:
    data_format: "channels_last" or "channels_first"; default `keras.config`'s.
    keepdims: whether the spatial axes stay, with size 1.
    kwargs: what every Layer takes.
"""
_ONE_LEFT = {
    "example": """>>> tf.keras.layers.{name}()(tf.ones([2, {each:8}, 3])).shape
    TensorShape([2, 3])"""
}


class GlobalPooling(Spatial):
    """What the global poolings have in common."""

    kind: str  # "MAX" or "AVG"

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.keepdims = keepdims

    def call(self, inputs: Any) -> Any:
        start = 1 if self._last else 2
        axes = list(range(start, start + self.rank))
        if self.kind == "MAX":
            (x,) = tensors(self._title, MAX.ints, input=inputs)
            return reduce_max(x, axes, self.keepdims)
        x = geometry.as_floats(inputs, self.compute_dtype)
        return reduce_mean(x, axes, self.keepdims)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, channels), with a 1 for each spatial axis if they are kept"""
        batch, spatial, channels = self._split(input_shape)
        kept = (1,) * len(spatial) if self.keepdims else ()
        return self._joined(batch, kept, channels)


GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D = of_each_rank(
    "GlobalMaxPooling", GlobalPooling, _GLOBAL, _MAX | _ONE_LEFT, kind="MAX"
)


@of_rank(1, _GLOBAL, **_MEAN, **_ONE_LEFT)
class GlobalAveragePooling1D(GlobalPooling):
    kind = "AVG"

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The mean over the steps, those that a mask (N, T) leaves."""
        if mask is None:
            return super().call(inputs)
        axis = 1 if self._last else 2
        counts = expand_dims(cast(mask, inputs.dtype), 2 if self._last else 1)
        total = reduce_sum(inputs * counts, axis, self.keepdims)
        return total / reduce_sum(counts, axis, self.keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: no step is left."""


@of_rank(2, _GLOBAL, **_MEAN, **_ONE_LEFT)
class GlobalAveragePooling2D(GlobalPooling):
    kind = "AVG"


@of_rank(3, _GLOBAL, **_MEAN, **_ONE_LEFT)
class GlobalAveragePooling3D(GlobalPooling):
    kind = "AVG"


# ----- as many windows as the output has pixels -----

_ADAPTIVE = """{value} of each window of {images}, as many windows as the output has pixels.

y[n, i, c] = {rule} of x[n, u, c] over floor(i n / o) <= u < ceil((i + 1) n / o), on each axis

Args:
    output_size: pixels of the output: {numbers}.
    data_format: "channels_last" or "channels_first"; default `keras.config`'s.
    kwargs: what every Layer takes.
"""
_SHARED_OUT = {
    "example": """>>> tf.keras.layers.{name}(4)(tf.ones([2, {each:9}, 3])).shape
    TensorShape([2, {each:4}, 3])"""
}


class AdaptivePooling(Spatial):
    """What the adaptive poolings have in common."""

    kind: str  # "MAX" or "AVG"

    def __init__(
        self, output_size: Any, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.output_size = geometry.numbers("output_size", output_size, self.rank)

    def call(self, inputs: Any) -> Any:
        (inputs,) = tensors(self._title, MAX.ints, input=inputs)
        function = adaptive_max_pool if self.kind == "MAX" else adaptive_average_pool
        return function(inputs, self.output_size, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, output_size, channels)"""
        batch, _, channels = self._split(input_shape)
        return self._joined(batch, self.output_size, channels)


AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D = of_each_rank(
    "AdaptiveMaxPooling", AdaptivePooling, _ADAPTIVE, _MAX | _SHARED_OUT, kind="MAX"
)
AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D = of_each_rank(
    "AdaptiveAveragePooling",
    AdaptivePooling,
    _ADAPTIVE,
    _MEAN | _SHARED_OUT,
    kind="AVG",
    floats_only=True,
)

# ----- Keras' other names -----

AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
GlobalAvgPool1D, GlobalMaxPool1D = GlobalAveragePooling1D, GlobalMaxPooling1D
GlobalAvgPool2D, GlobalMaxPool2D = GlobalAveragePooling2D, GlobalMaxPooling2D
GlobalAvgPool3D, GlobalMaxPool3D = GlobalAveragePooling3D, GlobalMaxPooling3D
