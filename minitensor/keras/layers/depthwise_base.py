"""Depthwise and separable convolutions with one or two spatial axes; a signal is a flat image."""

from __future__ import annotations

import math
from typing import Any

from minitensor import nn
from minitensor.array import expand_dims, squeeze
from minitensor.keras.layers import geometry
from minitensor.keras.layers.windows import Windowed


class Depthwise(Windowed):
    """What DepthwiseConv1D and DepthwiseConv2D have in common."""

    def __init__(self, *, depth_multiplier: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.depth_multiplier = geometry.positive("depth_multiplier", depth_multiplier)

    def build(self, input_shape: Any) -> None:
        """Makes the kernel and the bias."""
        channels = self._known_channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self._weight("kernel", shape, "depthwise")
        self._make_bias(channels * self.depth_multiplier)

    def call(self, inputs: Any) -> Any:
        """activation(depthwise convolution + bias)"""
        return self._finished(self._depthwise(inputs, self.kernel), self.layout)

    def _depthwise(self, x: Any, kernel: Any) -> Any:
        if self.rank == 2:
            return self._of_images(x, kernel, self.strides, self.dilation_rate)
        axis = 1 if self.layout == "NWC" else 2
        flat = expand_dims(x, axis), expand_dims(kernel, 0)
        y = self._of_images(*flat, self.strides * 2, (1, *self.dilation_rate))
        return squeeze(y, axis)

    def _of_images(self, x: Any, kernel: Any, stride: Any, dilation: Any) -> Any:
        last = self.data_format == "channels_last"
        steps = [1, *stride, 1] if last else [1, 1, *stride]
        word = "NHWC" if last else "NCHW"
        return nn.depthwise_conv2d(x, kernel, steps, self.padding.upper(), word, dilation)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, places along each axis, channels * depth_multiplier)"""
        channels = self._split(input_shape)[2]
        return self._shape_of(input_shape, channels and channels * self.depth_multiplier)

    def macs(self, output_shape: Any) -> int:
        """The taps of a window for every number that comes out."""
        return math.prod(output_shape[1:]) * math.prod(self.kernel_size)


class Separable(Depthwise):
    """What SeparableConv1D and SeparableConv2D have in common."""

    def __init__(self, *, filters: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.filters = geometry.positive("filters", filters)

    def build(self, input_shape: Any) -> None:
        """Makes both kernels and the bias."""
        channels = self._known_channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._weight("depthwise_kernel", shape, "depthwise")
        shape = (*[1] * self.rank, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = self._weight("pointwise_kernel", shape, "pointwise")
        self._make_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """activation(pointwise(depthwise convolution) + bias)"""
        y = self._depthwise(inputs, self.depthwise_kernel)
        y = nn.convolution(y, self.pointwise_kernel, data_format=self.layout)
        return self._finished(y, self.layout)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, places along each axis, filters)"""
        return self._shape_of(input_shape, self.filters)

    def macs(self, output_shape: Any) -> int:
        """The taps of a window and one for each filter, for every channel between the two."""
        between = self.pointwise_kernel.shape[-2]
        places = math.prod(self._pixels(output_shape))
        return places * between * (math.prod(self.kernel_size) + self.filters)
