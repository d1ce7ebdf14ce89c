"""The convolutions with one, two and three spatial axes: their arguments. The work is elsewhere."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.keras.engine.layer import Named
from minitensor.keras.layers.convolution_base import Convolution
from minitensor.keras.layers.geometry import given


class Conv1D(Convolution):
    """A bank of filters and a bias over signals.

    y = activation(conv1d(x, kernel, strides, padding, dilation_rate) + bias)

    Args:
        filters: number of output channels.
        kernel_size: taps k: a number or a tuple of one.
        strides: pixels between places, in the same forms.
        padding: "valid", "same" or "causal" (zeros before the signal only), in any case.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        dilation_rate: pixels between taps, in the same forms; together with strides as well.
        groups: number of groups; must divide `filters` and the input channels.
        activation: a name in `keras.activations`, a function, or None.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: names or functions of a shape.
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss.
        kernel_constraint, bias_constraint: applied after every update.
        kwargs: what every Layer takes.

    Attributes:
        kernel: (k, C/groups, filters), made when the layer is built.
        bias: (filters,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.Conv1D(4, 3, padding="causal")
        >>> layer(mt.ones([2, 9, 3])).shape
        TensorShape([2, 9, 4])

    Source: keras.layers.Conv1D
    """

    rank = 1
    words = ("valid", "same", "causal")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[Named],
    ) -> None:
        super().__init__(**given(locals()))


class Conv2D(Convolution):
    """A bank of filters and a bias over images.

    y = activation(conv2d(x, kernel, strides, padding, dilation_rate) + bias)

    Args:
        filters: number of output channels.
        kernel_size: taps (kh, kw): a pair, or one number for both axes.
        strides: pixels between places, in the same forms.
        padding: "valid" or "same", in any case.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        dilation_rate: pixels between taps, in the same forms; together with strides as well.
        groups: number of groups; must divide `filters` and the input channels.
        activation: a name in `keras.activations`, a function, or None.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: names or functions of a shape.
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss.
        kernel_constraint, bias_constraint: applied after every update.
        kwargs: what every Layer takes.

    Attributes:
        kernel: (kh, kw, C/groups, filters), made when the layer is built.
        bias: (filters,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.Conv2D(4, kernel_size=3, padding="SAME", activation="relu")
        >>> layer(mt.ones([2, 5, 5, 3])).shape
        TensorShape([2, 5, 5, 4])

    Source: keras.layers.Conv2D
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
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[Named],
    ) -> None:
        super().__init__(**given(locals()))


class Conv3D(Convolution):
    """A bank of filters and a bias over volumes.

    y = activation(conv3d(x, kernel, strides, padding, dilation_rate) + bias)

    Args:
        filters: number of output channels.
        kernel_size: taps (kd, kh, kw): three numbers, or one for all axes.
        strides: pixels between places, in the same forms.
        padding: "valid" or "same", in any case.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        dilation_rate: pixels between taps, in the same forms; together with strides as well.
        groups: number of groups; must divide `filters` and the input channels.
        activation: a name in `keras.activations`, a function, or None.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: names or functions of a shape.
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss.
        kernel_constraint, bias_constraint: applied after every update.
        kwargs: what every Layer takes.

    Attributes:
        kernel: (kd, kh, kw, C/groups, filters), made when the layer is built.
        bias: (filters,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.Conv3D(4, 3)
        >>> layer(mt.ones([1, 5, 5, 5, 2])).shape
        TensorShape([1, 3, 3, 3, 4])

    Source: keras.layers.Conv3D
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1, 1),
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Unpack[Named],
    ) -> None:
        super().__init__(**given(locals()))
