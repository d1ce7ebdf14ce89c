"""Maxima and means over windows of signals, images and volumes."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.keras.engine.layer import Regularized
from minitensor.keras.layers import geometry
from minitensor.keras.layers.spatial import Spatial, of_each_rank
from minitensor.nn.arguments import moved_back, moved_last, tensors
from minitensor.nn.pooling import KINDS, windows

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
_EXAMPLE = """>>> tf.keras.layers.{name}(2)(tf.ones([2, {each:8}, 3])).shape
    TensorShape([2, {each:4}, 3])"""
_MAX = {"value": "The largest value", "rule": "max", "padding": "never wins", "example": _EXAMPLE}
_MEAN = {"value": "The mean", "rule": "mean", "padding": "is not counted", "example": _EXAMPLE}


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
    "MaxPooling", Pooling, _POOLING, _MAX, {"pool_size": 2}, kind="MAX"
)
AveragePooling1D, AveragePooling2D, AveragePooling3D = of_each_rank(
    "AveragePooling", Pooling, _POOLING, _MEAN, kind="AVG", floats_only=True
)
