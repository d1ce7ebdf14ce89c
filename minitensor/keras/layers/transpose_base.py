"""The transposed convolution of any rank: settings, weights, computing, cost."""

from __future__ import annotations

import math
from typing import Any

from minitensor import nn
from minitensor.keras.layers import geometry
from minitensor.keras.layers.windows import Windowed


class Transposed(Windowed):
    """What Conv1DTranspose, Conv2DTranspose and Conv3DTranspose have in common."""

    def __init__(self, *, filters: int, output_padding: Any, **rest: Any) -> None:
        super().__init__(**rest)
        self.filters = geometry.positive("filters", filters)
        more = output_padding
        if more is not None:
            more = geometry.numbers("output_padding", more, self.rank, least=0)
            if any(p >= s for p, s in zip(more, self.strides, strict=True)):
                raise ValueError(
                    "`output_padding` must be strictly less than `strides` for all dimensions. "
                    f"Received: output_padding={more}, strides={self.strides}"
                )
        self.output_padding = more

    def build(self, input_shape: Any) -> None:
        """Makes the kernel and the bias."""
        channels = self._known_channels(input_shape)
        self.kernel = self._weight("kernel", (*self.kernel_size, self.filters, channels))
        self._make_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """activation(transposed convolution + bias)"""
        window = self.strides, self.padding.upper(), self.layout, self.dilation_rate
        shape = self.compute_output_shape(inputs.shape)
        y = nn.conv_transpose(inputs, self.kernel, shape, *window)
        return self._finished(y, self.layout)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, pixels along each axis, filters)"""
        more = self._more()
        grown = self._resized(input_shape, lambda n, axis: n * self.strides[axis] + more[axis])
        batch, spatial, _ = self._split(grown)
        return self._joined(batch, spatial, self.filters)

    def _more(self) -> list[int]:
        """What the output has along each axis beyond input pixels times stride."""
        more = self.output_padding or (None,) * self.rank
        same = self.padding == "same"
        return [
            (0 if same else max(span - stride, 0))
            if extra is None
            else (span % 2 if same else span) - stride + extra
            for (span, stride), extra in zip(self.receptive_field, more, strict=True)
        ]

    def macs(self, output_shape: Any) -> int:
        """All of the kernel for every pixel that comes in."""
        sizes = self._pixels(output_shape), self._more(), self.strides
        places = [(size - more) // stride for size, more, stride in zip(*sizes, strict=True)]
        return math.prod(places) * math.prod(self.kernel.shape)
