"""The depthwise convolutions: each channel has filters of its own."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.keras.engine.layer import Named
from minitensor.keras.layers.depthwise_base import Depthwise
from minitensor.keras.layers.geometry import given


class DepthwiseConv1D(Depthwise):
    """Filters of its own for each channel of signals, and a bias.

    y = activation(z + bias), where channel c * depth_multiplier + m of z is
    conv1d(x[..., c], kernel[..., c, m], strides, padding, dilation_rate)

    Args:
        kernel_size: taps k: a number or a tuple of one.
        strides: pixels between places, in the same forms; unequal ones as well.
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
        kernel: (k, C, depth_multiplier), made when the layer is built.
        bias: (C * depth_multiplier,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.DepthwiseConv1D(3, depth_multiplier=2)
        >>> layer(mt.ones([2, 9, 3])).shape
        TensorShape([2, 7, 6])

    Source: keras.layers.DepthwiseConv1D
    """

    rank = 1

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
        super().__init__(**given(locals()))


class DepthwiseConv2D(Depthwise):
    """Filters of its own for each channel of images, and a bias.

    y = activation(z + bias), where channel c * depth_multiplier + m of z is
    conv2d(x[..., c], kernel[..., c, m], strides, padding, dilation_rate)

    Args:
        kernel_size: taps (kh, kw): a pair, or one number for both axes.
        strides: pixels between places, in the same forms; unequal ones as well.
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
        kernel: (kh, kw, C, depth_multiplier), made when the layer is built.
        bias: (C * depth_multiplier,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.DepthwiseConv2D(3, padding="same")
        >>> layer(mt.ones([2, 5, 5, 3])).shape
        TensorShape([2, 5, 5, 3])

    Source: keras.layers.DepthwiseConv2D
    """

    rank = 2

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
        super().__init__(**given(locals()))
