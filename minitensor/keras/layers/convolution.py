"""Convolutions with weights of their own.

A layer checks its settings when it is made, makes its weights when it first sees an input, and
leaves the computing to `minitensor.nn`. Errors name the value that came and the rule it breaks,
in Keras' words. Not here: regularizers, constraints, saving.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor import nn
from minitensor.autograd import Tensor, Variable, as_tensor
from minitensor.autograd.tensor import ArrayLike
from minitensor.keras.layers.settings import activation_of, choice, initializer_of, pair, positive
from minitensor.nn.conv import conv2d_biased
from minitensor.nn.noise import biased

_LAYOUTS = {"channels_last": "NHWC", "channels_first": "NCHW"}
_WITH_BIAS = ((None, "linear"), (nn.relu, "relu"), (nn.relu6, "relu6"))  # bias and this: one pass


class _Convolution:
    """What the layers share: settings, weights, and the way from an input to an output."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        kernel_initializer: Any,
        bias_initializer: Any,
    ) -> None:
        positive("filters", filters, "Expected a strictly positive value.")
        self.filters = int(filters)
        self.kernel_size = pair("kernel_size", kernel_size)
        self.strides = pair("strides", strides)
        self.dilation_rate = pair("dilation_rate", dilation_rate)
        self.padding = choice("padding", padding, ("valid", "same"))
        self.data_format = choice("data_format", data_format or "channels_last", _LAYOUTS)
        self.activation = activation_of(activation)
        self.use_bias = use_bias
        self._initializers = initializer_of(kernel_initializer), initializer_of(bias_initializer)
        self.kernel: Variable | None = None
        self.bias: Variable | None = None

    @property
    def trainable_variables(self) -> list[Variable]:
        """The kernel, and the bias if there is one; empty before the first call."""
        return [weight for weight in (self.kernel, self.bias) if weight is not None]

    def __call__(self, inputs: Any) -> Tensor:
        """The layer's output for a batch of images."""
        listed = not isinstance(inputs, ArrayLike)
        x = as_tensor(inputs, np.float32, "inputs", self.kernel) if listed else inputs
        self._check_input(x)
        if self.kernel is None:
            kernel, bias = self._initializers
            self.kernel = Variable(kernel(self._kernel_shape(x)), name="kernel")
            self.bias = Variable(bias((self.filters,)), name="bias") if self.use_bias else None
        after = next((word for function, word in _WITH_BIAS if function is self.activation), None)
        y = self._convolve(x) if self.bias is None else self._convolve_biased(x, after or "linear")
        if self.activation is None or (after and self.bias is not None):
            return y
        return self.activation(y)

    def _channels(self, x: ArrayLike) -> int:
        return x.shape[-1 if self.data_format == "channels_last" else 1]

    def _check_input(self, x: ArrayLike) -> None:
        layer = type(self).__name__
        if x.ndim != 4:
            raise ValueError(
                f"Input of layer {layer} is incompatible with the layer: expected ndim=4, found "
                f"ndim={x.ndim}. Full shape received: {x.shape!s}"
            )
        if self.kernel is not None and self._kernel_shape(x) != self.kernel.shape:
            raise ValueError(
                f"Input of layer {layer} is incompatible with the layer: its kernel of shape "
                f"{self.kernel.shape!s} was built for other channels. "
                f"Full shape received: {x.shape!s}"
            )

    def _kernel_shape(self, x: ArrayLike) -> tuple[int, ...]:
        raise NotImplementedError

    def _convolve(self, x: ArrayLike) -> Tensor:
        raise NotImplementedError

    def _convolve_biased(self, x: ArrayLike, after: str) -> Tensor:
        """With the bias, and "linear", "relu" or "relu6" after it."""
        return biased(self._convolve(x), self.bias, _LAYOUTS[self.data_format], after)


class Conv2D(_Convolution):
    """A bank of filters and a bias over images.

    y = activation(conv2d(x, kernel, strides, padding) + bias)

    Args:
        filters: number of output channels O.
        kernel_size: (kh, kw), or one number for both.
        strides: pixels between places: (sh, sw) or a number.
        padding: "valid" or "same", in any case.
        data_format: "channels_last" (default) or "channels_first".
        dilation_rate: pixels between taps: (dh, dw) or a number; together with strides as well.
        groups: number of groups; must divide `filters` and the input channels.
        activation: a function of a tensor, the name of one in `minitensor.nn`, or None.
        use_bias: whether a bias is added.
        kernel_initializer: "glorot_uniform", "zeros" or a function of a shape.
        bias_initializer: like `kernel_initializer`.

    Attributes:
        kernel: Variable (kh, kw, C/groups, O), made at the first call.
        bias: Variable (O,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.Conv2D(4, kernel_size=3, padding="SAME", activation="relu")
        >>> layer(mt.ones([2, 5, 5, 3])).shape
        TensorShape([2, 5, 5, 4])

    Source: tf.keras.layers.Conv2D
    """

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
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
        )
        positive("groups", groups, "The number of groups must be a positive integer.")
        if filters % groups:
            raise ValueError(
                "The number of filters must be evenly divisible by the number of groups. "
                f"Received: groups={groups}, filters={filters}."
            )
        self.groups = int(groups)

    def _kernel_shape(self, x: ArrayLike) -> tuple[int, ...]:
        channels = self._channels(x)
        if channels % self.groups:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number of groups. "
                f"Received groups={self.groups}, but the input has {channels} channels (full "
                f"input shape is {x.shape!s})."
            )
        return *self.kernel_size, channels // self.groups, self.filters

    def _convolve(self, x: ArrayLike) -> Tensor:
        return nn.conv2d(
            x,
            self.kernel,
            self.strides,
            self.padding.upper(),
            _LAYOUTS[self.data_format],
            self.dilation_rate,
        )

    def _convolve_biased(self, x: ArrayLike, after: str) -> Tensor:
        if self.data_format == "channels_first":
            return super()._convolve_biased(x, after)
        settings = self.strides, self.padding.upper(), self.dilation_rate
        return conv2d_biased(x, self.kernel, self.bias, *settings, after)


class Conv2DTranspose(_Convolution):
    """The transpose of a convolution, with a kernel and a bias: small images to larger ones.

    y = activation(conv2d_transpose(x, kernel, size) + bias), where each axis of size is, with
    k = (kernel_size - 1) * dilation_rate + 1 and n pixels of input,
        n * strides + max(k - strides, 0)  if "valid",  n * strides  if "same";
        with output_padding: (n - 1) * strides + k - 2 * p + output_padding, p = 0 or k // 2

    Args:
        filters: number of output channels.
        kernel_size: (kh, kw), or one number for both.
        strides: pixels between places: (sh, sw) or a number.
        padding: "valid" or "same", in any case.
        output_padding: (h, w) or a number, less than `strides`; None is not 0.
        data_format: "channels_last" (default) or "channels_first".
        dilation_rate: pixels between taps: (dh, dw) or a number.
        activation: a function of a tensor, the name of one in `minitensor.nn`, or None.
        use_bias: whether a bias is added.
        kernel_initializer: "glorot_uniform", "zeros" or a function of a shape.
        bias_initializer: like `kernel_initializer`.

    Attributes:
        kernel: Variable (kh, kw, filters, C), made at the first call.
        bias: Variable (filters,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as mt
        >>> layer = mt.keras.layers.Conv2DTranspose(4, 3, strides=2, padding="same")
        >>> layer(mt.ones([1, 5, 5, 2])).shape
        TensorShape([1, 10, 10, 4])

    Source: tf.keras.layers.Conv2DTranspose
    """

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
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
        )
        more = None if output_padding is None else pair("output_padding", output_padding, 0)
        if more is not None and any(p >= s for p, s in zip(more, self.strides, strict=True)):
            raise ValueError(
                "`output_padding` must be strictly less than `strides` for all dimensions. "
                f"Received: output_padding={more}, strides={self.strides}"
            )
        self.output_padding = more

    def _kernel_shape(self, x: ArrayLike) -> tuple[int, ...]:
        return *self.kernel_size, self.filters, self._channels(x)

    def _convolve(self, x: ArrayLike) -> Tensor:
        last = self.data_format == "channels_last"
        return nn.conv2d_transpose(
            x,
            self.kernel,
            [self._size(axis, n) for axis, n in enumerate(x.shape[1:3] if last else x.shape[2:])],
            self.strides,
            self.padding.upper(),
            _LAYOUTS[self.data_format],
            self.dilation_rate,
        )

    def _size(self, axis: int, n: int) -> int:
        """Output pixels along an axis, for n pixels of input."""
        stride, same = self.strides[axis], self.padding == "same"
        reach = (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1
        if self.output_padding is None:
            return n * stride + (0 if same else max(reach - stride, 0))
        crop = 2 * (reach // 2) if same else 0
        return (n - 1) * stride + reach - crop + self.output_padding[axis]
