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
from minitensor.keras.layers.spatial import Spatial, of_each_rank
from minitensor.math import reduce_max, reduce_sum
from minitensor.nn.arguments import tensors
from minitensor.nn.pooling import MAX

__all__ = [
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
]  # fmt: skip

_ADAPTIVE = """{value} of each window of {images}, as many windows as the output has pixels.

y[n, i, c] = {rule} of x[n, u, c] over floor(i n / o) <= u < ceil((i + 1) n / o), on each axis

Args:
    output_size: pixels of the output: {numbers}.
    data_format: "channels_last" or "channels_first"; default `keras.config`'s.
    kwargs: what every Layer takes.
"""
_EXAMPLE = """>>> tf.keras.layers.{name}(4)(tf.ones([2, {each:9}, 3])).shape
    TensorShape([2, {each:4}, 3])"""
_MAX = {"value": "The largest value", "rule": "max", "example": _EXAMPLE}
_MEAN = {"value": "The mean", "rule": "mean", "example": _EXAMPLE}


class AdaptivePooling(Spatial):
    """What the adaptive poolings have in common."""

    kind: str  # "MAX" or "AVG"

    def __init__(
        self, output_size: Any, data_format: str | None = None, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.output_size = geometry.numbers("output_size", output_size, self.rank)

    def call(self, inputs: Any) -> Any:
        """One axis after the other."""
        (inputs,) = tensors(self._title, MAX.ints, input=inputs)
        for axis, size in enumerate(self.output_size, start=1 if self._last else 2):
            taps, counted = _windows(inputs.shape[axis], size)
            inputs = self._pooled(gather(inputs, taps, axis=axis), counted, axis + 1)
        return inputs

    def _pooled(self, x: Any, counted: np.ndarray, axis: int) -> Any:
        """`x` without `axis`, along which its taps lie; those not `counted` come twice."""
        if self.kind == "MAX":
            return reduce_max(x, axis)
        weights = counted / counted.sum(axis=1, keepdims=True)
        shape = (*counted.shape, *[1] * (x.ndim - axis - 1))
        return reduce_sum(x * weights.reshape(shape).astype(x.dtype), axis)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, output_size, channels)"""
        batch, _, channels = self._split(input_shape)
        return self._joined(batch, self.output_size, channels)


def _windows(n: int, o: int) -> tuple[np.ndarray, np.ndarray]:
    """(pixels that each window sees, whether they count): (o, longest window) each."""
    at = np.arange(o)
    start, end = at * n // o, -(-(at + 1) * n // o)
    taps = start[:, None] + np.arange((end - start).max())  # (o, longest)
    return np.minimum(taps, end[:, None] - 1), taps < end[:, None]


AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D = of_each_rank(
    "AdaptiveMaxPooling", AdaptivePooling, _ADAPTIVE, _MAX, kind="MAX"
)
AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D = of_each_rank(
    "AdaptiveAveragePooling", AdaptivePooling, _ADAPTIVE, _MEAN, kind="AVG", floats_only=True
)
