"""Poolings whose window is the whole input."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.array import cast, expand_dims
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers import geometry
from minitensor.keras.layers.spatial import Spatial, of_rank
from minitensor.math import reduce_max, reduce_mean, reduce_sum
from minitensor.nn.arguments import tensors
from minitensor.nn.pooling import MAX

_GLOBAL = """{value} of each channel of {images}.

y[n, c] = {rule} of x[n, {at}, c] over {at}

Args:
    data_format: "channels_last" or "channels_first"; default `keras.config`'s.
    keepdims: whether the spatial axes stay, with size 1.
    kwargs: what every Layer takes.
"""
_EXAMPLE = """>>> tf.keras.layers.{name}()(tf.ones([2, {each:8}, 3])).shape
    TensorShape([2, 3])"""
_MAX = {"value": "The largest value", "rule": "max", "example": _EXAMPLE}
_MEAN = {"value": "The mean", "rule": "mean", "example": _EXAMPLE}


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


@of_rank(1, _GLOBAL, **_MAX)
class GlobalMaxPooling1D(GlobalPooling):
    kind = "MAX"


@of_rank(2, _GLOBAL, **_MAX)
class GlobalMaxPooling2D(GlobalPooling):
    kind = "MAX"


@of_rank(3, _GLOBAL, **_MAX)
class GlobalMaxPooling3D(GlobalPooling):
    kind = "MAX"


@of_rank(1, _GLOBAL, **_MEAN)
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


@of_rank(2, _GLOBAL, **_MEAN)
class GlobalAveragePooling2D(GlobalPooling):
    kind = "AVG"


@of_rank(3, _GLOBAL, **_MEAN)
class GlobalAveragePooling3D(GlobalPooling):
    kind = "AVG"
