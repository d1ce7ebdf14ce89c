"""The separable convolutions: depthwise, then across the channels."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.keras.engine.layer import Named
from minitensor.keras.layers.depthwise_base import Separable
from minitensor.keras.layers.geometry import given


class SeparableConv1D(Separable):
    """A depthwise convolution of signals, then one with a single tap that mixes the channels.

    y = activation(conv1d(depthwise(x, depthwise_kernel), pointwise_kernel) + bias)

    Args:
        filters: number of output channels.
        kernel_size: taps k: a number or a tuple of one.
        strides: pixels between places of the first, in the same forms.
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
        depthwise_kernel: (k, C, depth_multiplier), made when the layer is built.
        pointwise_kernel: (1, C * depth_multiplier, filters).
        bias: (filters,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.SeparableConv1D(4, 3)
        >>> layer(mt.ones([2, 9, 3])).shape
        TensorShape([2, 7, 4])

    Source: keras.layers.SeparableConv1D
    """

    rank = 1

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
        super().__init__(**given(locals()))


class SeparableConv2D(Separable):
    """A depthwise convolution of images, then one with a single tap that mixes the channels.

    y = activation(conv2d(depthwise(x, depthwise_kernel), pointwise_kernel) + bias)

    Args:
        filters: number of output channels.
        kernel_size: taps (kh, kw): a pair, or one number for both axes.
        strides: pixels between places of the first, in the same forms.
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
        depthwise_kernel: (kh, kw, C, depth_multiplier), made when the layer is built.
        pointwise_kernel: (1, 1, C * depth_multiplier, filters).
        bias: (filters,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.SeparableConv2D(4, 3, padding="same")
        >>> layer(mt.ones([2, 5, 5, 3])).shape
        TensorShape([2, 5, 5, 4])

    Source: keras.layers.SeparableConv2D
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
        super().__init__(**given(locals()))
