"""Depthwise and separable convolutions of signals and images: each channel has its own filters."""

from __future__ import annotations

import math
from typing import Any, Unpack

from minitensor.autograd import Tensor, align
from minitensor.keras.engine.layer import Named
from minitensor.keras.layers import geometry
from minitensor.keras.layers.affine import Affine, make_weight, read_rules
from minitensor.keras.layers.spatial import Spatial, of_rank
from minitensor.nn.arguments import moved_back, moved_last, windows
from minitensor.nn.depthwise import grouped
from minitensor.ops.conv import conv

_DEPTHWISE = """Filters of its own for each channel of {images}, and a bias.

y = activation(z + bias), where channel c * depth_multiplier + m of z is
conv{rank}d(x[..., c], kernel[..., c, m], strides, padding, dilation_rate)

Args:
    kernel_size: taps ({taps}): {numbers}.
    strides: pixels between output positions, in the same forms; unequal ones as well.
    padding: "valid" or "same", in any case.
    depth_multiplier: filters for each channel.
    data_format: "channels_last" or "channels_first"; default `keras.config`'s.
    dilation_rate: pixels between taps, in the same forms; together with strides as well.
    activation: a name in `keras.activations`, a function, or None.
    use_bias: whether a bias is added.
    depthwise_initializer, bias_initializer: names or functions of a shape.
    depthwise_regularizer, bias_regularizer, activity_regularizer: added to the loss.
    depthwise_constraint, bias_constraint: applied after every update.
    kwargs: what every Layer takes.

Attributes:
    kernel: ({taps}, C, depth_multiplier), made when the layer is built.
    bias: (C * depth_multiplier,) or None.
"""

_SEPARABLE = """A depthwise convolution of {images}, then one of a single tap over the channels.

y = activation(conv{rank}d(depthwise(x, depthwise_kernel), pointwise_kernel) + bias)

Args:
    filters: number of output channels.
    kernel_size: taps ({taps}): {numbers}.
    strides: pixels between output positions of the first, in the same forms.
    padding: "valid" or "same", in any case.
    data_format: "channels_last" or "channels_first"; default `keras.config`'s.
    dilation_rate: pixels between taps of the first, in the same forms.
    depth_multiplier: filters for each channel in the first.
    activation: a name in `keras.activations`, a function, or None.
    use_bias: whether a bias is added.
    depthwise_initializer, pointwise_initializer, bias_initializer: names or functions of a
        shape.
    depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer:
        added to the loss.
    depthwise_constraint, pointwise_constraint, bias_constraint: applied after every update.
    kwargs: what every Layer takes.

Attributes:
    depthwise_kernel: ({taps}, C, depth_multiplier), made when the layer is built.
    pointwise_kernel: ({each:1}, C * depth_multiplier, filters).
    bias: (filters,) or None.
"""


def _depthwise(layer: Spatial, x: Tensor, kernel: Tensor) -> Tensor:
    """Each channel with its own filters; the channels are last."""
    if 0 in kernel.array.shape:
        raise ValueError(
            f"{layer._title}: filter must not have zero elements, got shape {kernel.shape}"
        )
    slide = kernel.array.shape[: layer.rank], layer.strides, layer._pads, layer.dilation_rate
    depth, plane = windows(layer._title, x.array.shape[1:-1], *slide, x.array.shape[-1])
    return conv(x, grouped(kernel), depth=depth, plane=plane)


class Depthwise(Affine, Spatial):
    """What DepthwiseConv1D and DepthwiseConv2D have in common."""

    floats_only = True

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[Named],
    ) -> None:
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._slide_kernel(kernel_size, strides, padding, dilation_rate)
        read_rules(
            self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint
        )
        read_rules(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._read_affine(activation, use_bias)
        self.depth_multiplier = geometry.positive("depth_multiplier", depth_multiplier)

    def build(self, input_shape: Any) -> None:
        channels = self._known_channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = make_weight(self, "kernel", shape, "depthwise")
        self._make_bias(channels * self.depth_multiplier)

    def call(self, inputs: Any) -> Any:
        x, kernel = align(self._title, input=inputs, kernel=self.kernel)
        y = _depthwise(self, moved_last(x, self._last), kernel)  # (N, h, w, C * multiplier)
        return self._finished(moved_back(y, self._last), self._last)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, output positions along each axis, channels * depth_multiplier)"""
        channels = self._split(input_shape)[2]
        return self._output_shape(input_shape, channels and channels * self.depth_multiplier)

    def macs(self, output_shape: Any) -> int:
        """The taps of a window for every number that comes out."""
        return math.prod(output_shape[1:]) * math.prod(self.kernel_size)


class Separable(Affine, Spatial):
    """What SeparableConv1D and SeparableConv2D have in common."""

    floats_only = True

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[Named],
    ) -> None:
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._slide_kernel(kernel_size, strides, padding, dilation_rate)
        read_rules(
            self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint
        )
        read_rules(
            self, "pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint
        )
        read_rules(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._read_affine(activation, use_bias)
        self.depth_multiplier = geometry.positive("depth_multiplier", depth_multiplier)
        self.filters = geometry.positive("filters", filters)

    def build(self, input_shape: Any) -> None:
        channels = self._known_channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = make_weight(self, "depthwise_kernel", shape, "depthwise")
        shape = (*[1] * self.rank, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = make_weight(self, "pointwise_kernel", shape, "pointwise")
        self._make_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        op, kernels = self._title, (self.depthwise_kernel, self.pointwise_kernel)
        x, first, second = align(
            op, input=inputs, depthwise_kernel=kernels[0], pointwise_kernel=kernels[1]
        )
        y = _depthwise(self, moved_last(x, self._last), first)  # (N, h, w, C * multiplier)
        one = (1,) * self.rank
        depth, plane = windows(op, y.array.shape[1:-1], one, one, "VALID", one)
        y = conv(y, second, depth=depth, plane=plane)  # (N, h, w, filters)
        return self._finished(moved_back(y, self._last), self._last)

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, output positions along each axis, filters)"""
        return self._output_shape(input_shape, self.filters)

    def macs(self, output_shape: Any) -> int:
        """The taps of a window and one for each filter, for every channel between the two."""
        between = self.pointwise_kernel.shape[-2]
        positions = math.prod(self._pixels(output_shape))
        return positions * between * (math.prod(self.kernel_size) + self.filters)


@of_rank(1, _DEPTHWISE)
class DepthwiseConv1D(Depthwise):
    """>>> layer = tf.keras.layers.DepthwiseConv1D(3, depth_multiplier=2)
    >>> layer(tf.ones([2, 9, 3])).shape
    TensorShape([2, 7, 6])
    """


@of_rank(2, _DEPTHWISE, {"strides": (1, 1), "dilation_rate": (1, 1)})
class DepthwiseConv2D(Depthwise):
    """>>> layer = tf.keras.layers.DepthwiseConv2D(3, padding="same")
    >>> layer(tf.ones([2, 5, 5, 3])).shape
    TensorShape([2, 5, 5, 3])
    """


@of_rank(1, _SEPARABLE)
class SeparableConv1D(Separable):
    """>>> layer = tf.keras.layers.SeparableConv1D(4, 3)
    >>> layer(tf.ones([2, 9, 3])).shape
    TensorShape([2, 7, 4])
    """


@of_rank(2, _SEPARABLE, {"strides": (1, 1), "dilation_rate": (1, 1)})
class SeparableConv2D(Separable):
    """>>> layer = tf.keras.layers.SeparableConv2D(4, 3, padding="same")
    >>> layer(tf.ones([2, 5, 5, 3])).shape
    TensorShape([2, 5, 5, 4])
    """
