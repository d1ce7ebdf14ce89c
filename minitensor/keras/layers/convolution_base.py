"""The convolution of any rank: settings, weights, computing, cost."""

from __future__ import annotations

import math
from typing import Any

from minitensor import nn
from minitensor.array import pad
from minitensor.autograd import align
from minitensor.keras.layers import geometry
from minitensor.keras.layers.windows import Windowed
from minitensor.nn.arguments import windows
from minitensor.ops.conv import conv2d_bias_activation


class Convolution(Windowed):
    """What Conv1D, Conv2D and Conv3D have in common."""

    def __init__(self, *, filters: int, groups: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.filters = geometry.positive("filters", filters)
        rule = "The number of groups must be a positive integer."
        self.groups = geometry.positive("groups", groups, rule)
        if filters % groups:
            raise ValueError(
                "The number of filters must be evenly divisible by the number of groups. "
                f"Received: groups={groups}, filters={filters}."
            )

    def build(self, input_shape: Any) -> None:
        """Makes the kernel and the bias."""
        channels = self._known_channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number of groups. "
                f"Received groups={self.groups}, but the input has {channels} channels (full "
                f"input shape is {tuple(input_shape)})."
            )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self._weight("kernel", shape)
        self._make_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """activation(convolution + bias)"""
        word = self._after
        if self.rank == 2 and self.layout == "NHWC" and self.bias is not None:
            op = f"{type(self).__name__} {self.name!r}"
            x, kernel = align(op, input=inputs, kernel=self.kernel)
            where = self.kernel_size, self.strides, self.padding.upper(), self.dilation_rate
            _, window = windows(op, x.array.shape[1:3], *where, self.groups)
            y = conv2d_bias_activation(
                x, kernel, self.bias, window=window, activation=word or "linear"
            )
            return y if word else self.activation(y)
        return self._finished(self._convolved(inputs), self.layout)

    def _convolved(self, x: Any) -> Any:
        padding = self.padding
        if padding == "causal":
            before = ((0, 0), ((self.kernel_size[0] - 1) * self.dilation_rate[0], 0), (0, 0))
            x = pad(x, before if self.layout == "NWC" else (before[0], before[2], before[1]))
            padding = "valid"
        window = self.strides, padding.upper(), self.layout, self.dilation_rate
        return nn.convolution(x, self.kernel, *window)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, places along each axis, filters)"""
        return self._shape_of(input_shape, self.filters)

    def macs(self, output_shape: Any) -> int:
        """Taps and channels of the kernel for every number that comes out."""
        return math.prod(output_shape[1:]) * math.prod(self.kernel.shape[:-1])
