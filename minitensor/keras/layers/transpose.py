"""The transposed convolutions with one, two and three spatial axes: their arguments."""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.keras.engine.layer import Named
from minitensor.keras.layers.geometry import given
from minitensor.keras.layers.transpose_base import Transposed


class Conv1DTranspose(Transposed):
    """The transpose of Conv1D, with a kernel and a bias: small signals to larger ones.

    y = activation(conv1d_transpose(x, kernel, size) + bias), each axis of size being, with
    k = (kernel_size - 1) * dilation_rate + 1 and n pixels of input,
        n * strides + max(k - strides, 0)  if "valid",  n * strides  if "same";
        with output_padding: (n - 1) * strides + k - 2 * p + output_padding, p = 0 or k // 2

    Args:
        filters: number of output channels.
        kernel_size: taps k: a number or a tuple of one.
        strides: pixels of output for a pixel of input, in the same forms.
        padding: "valid" or "same", in any case.
        output_padding: pixels, less than `strides`, in the same forms; None is not 0.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        dilation_rate: pixels between taps, in the same forms.
        activation: a name in `keras.activations`, a function, or None.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: names or functions of a shape.
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss.
        kernel_constraint, bias_constraint: applied after every update.
        kwargs: what every Layer takes.

    Attributes:
        kernel: (k, filters, C), made when the layer is built.
        bias: (filters,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.Conv1DTranspose(4, 3, strides=2, padding="same")
        >>> layer(mt.ones([1, 5, 2])).shape
        TensorShape([1, 10, 4])

    Source: keras.layers.Conv1DTranspose
    """

    rank = 1

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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


class Conv2DTranspose(Transposed):
    """The transpose of Conv2D, with a kernel and a bias: small images to larger ones.

    y = activation(conv2d_transpose(x, kernel, size) + bias), each axis of size being, with
    k = (kernel_size - 1) * dilation_rate + 1 and n pixels of input,
        n * strides + max(k - strides, 0)  if "valid",  n * strides  if "same";
        with output_padding: (n - 1) * strides + k - 2 * p + output_padding, p = 0 or k // 2

    Args:
        filters: number of output channels.
        kernel_size: taps (kh, kw): a pair, or one number for both axes.
        strides: pixels of output for a pixel of input, in the same forms.
        padding: "valid" or "same", in any case.
        output_padding: pixels, less than `strides`, in the same forms; None is not 0.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        dilation_rate: pixels between taps, in the same forms.
        activation: a name in `keras.activations`, a function, or None.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: names or functions of a shape.
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss.
        kernel_constraint, bias_constraint: applied after every update.
        kwargs: what every Layer takes.

    Attributes:
        kernel: (kh, kw, filters, C), made when the layer is built.
        bias: (filters,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.Conv2DTranspose(4, 3, strides=2, padding="same")
        >>> layer(mt.ones([1, 5, 5, 2])).shape
        TensorShape([1, 10, 10, 4])

    Source: keras.layers.Conv2DTranspose
    """

    rank = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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


class Conv3DTranspose(Transposed):
    """The transpose of Conv3D, with a kernel and a bias: small volumes to larger ones.

    y = activation(conv3d_transpose(x, kernel, size) + bias), each axis of size being, with
    k = (kernel_size - 1) * dilation_rate + 1 and n pixels of input,
        n * strides + max(k - strides, 0)  if "valid",  n * strides  if "same";
        with output_padding: (n - 1) * strides + k - 2 * p + output_padding, p = 0 or k // 2

    Args:
        filters: number of output channels.
        kernel_size: taps (kd, kh, kw): three numbers, or one for all axes.
        strides: pixels of output for a pixel of input, in the same forms.
        padding: "valid" or "same", in any case.
        output_padding: pixels, less than `strides`, in the same forms; None is not 0.
        data_format: "channels_last" or "channels_first"; default `keras.config`'s.
        dilation_rate: pixels between taps, in the same forms.
        activation: a name in `keras.activations`, a function, or None.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: names or functions of a shape.
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss.
        kernel_constraint, bias_constraint: applied after every update.
        kwargs: what every Layer takes.

    Attributes:
        kernel: (kd, kh, kw, filters, C), made when the layer is built.
        bias: (filters,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.Conv3DTranspose(4, 2, strides=2)
        >>> layer(mt.ones([1, 2, 3, 4, 2])).shape
        TensorShape([1, 4, 6, 8, 4])

    Source: keras.layers.Conv3DTranspose
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = (1, 1, 1),
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
