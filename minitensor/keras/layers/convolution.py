"""The convolutions of signals, images and volumes: settings, weights, computing, cost."""

from __future__ import annotations

import math
from typing import Any, Unpack

from minitensor.autograd import Tensor, align
from minitensor.keras.engine.layer import Named
from minitensor.keras.layers import geometry
from minitensor.keras.layers.affine import Affine, make_weight, read_rules
from minitensor.keras.layers.spatial import Spatial, of_rank
from minitensor.nn.arguments import Padding, group_count, moved_back, moved_last, windows
from minitensor.ops.conv import conv, conv2d_bias_activation
from minitensor.window import Window

_CONVOLUTION = """A bank of filters and a bias over {images}.

y = activation(conv{rank}d(x, kernel, strides, padding, dilation_rate) + bias)

Args:
    filters: number of output channels.
    kernel_size: taps ({taps}): {numbers}.
    strides: pixels between output positions, in the same forms.
    padding: {paddings}, in any case.
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
    kernel: ({taps}, C/groups, filters), made when the layer is built.
    bias: (filters,) or None.
"""
_PADDINGS = '"valid" or "same"'


class Convolution(Affine, Spatial):
    """What Conv1D, Conv2D and Conv3D have in common: all but the rank."""

    floats_only = True

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
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._slide_kernel(kernel_size, strides, padding, dilation_rate)
        read_rules(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        read_rules(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._read_affine(activation, use_bias)
        self._read_filters(filters, groups)

    def _read_filters(self, filters: Any, groups: Any) -> None:
        self.filters = geometry.positive("filters", filters)
        rule = "The number of groups must be a positive integer."
        self.groups = geometry.positive("groups", groups, rule)
        if filters % groups:
            raise ValueError(
                "The number of filters must be evenly divisible by the number of groups. "
                f"Received: groups={groups}, filters={filters}."
            )

    def build(self, input_shape: Any) -> None:
        channels = self._known_channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number of groups. "
                f"Received groups={self.groups}, but the input has {channels} channels (full "
                f"input shape is {tuple(input_shape)})."
            )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = make_weight(self, "kernel", shape)
        self._make_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        """activation(convolution + bias), as one op for images with the channels last."""
        ours = getattr(self.convolution_op, "__func__", None) is Convolution.convolution_op
        if not ours or self.rank != 2 or not self._last or self.bias is None:
            return self._finished(self.convolution_op(inputs, self.kernel), self._last)
        x, kernel, _, plane = self._windows(inputs, self.kernel)
        word = self._fused
        y = conv2d_bias_activation(x, kernel, self.bias, window=plane, activation=word or "linear")
        return y if word else self.activation(y)

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """The convolution alone: what a program overrides that standardises its kernels, say."""
        x, kernel, depth, plane = self._windows(inputs, kernel)
        y = conv(x, kernel, depth=depth, plane=plane)  # (N, h, w, filters)
        return moved_back(y, self._last)

    def _windows(self, inputs: Any, kernel: Any) -> tuple[Tensor, Tensor, Window | None, Window]:
        """Input with its channels last, kernel, and the windows for planes and for the depth."""
        op = self._title
        x, kernel = align(op, input=inputs, kernel=kernel)
        x = moved_last(x, self._last)  # (N, H, W, C)
        size, channels = x.array.shape[1:-1], x.array.shape[-1]
        groups = group_count(op, channels, kernel.array.shape)
        # The kernel's own taps: a program may have put another kernel in the place of ours.
        slide = kernel.array.shape[: self.rank], self.strides, self._pads, self.dilation_rate
        return x, kernel, *windows(op, size, *slide, groups)

    @property
    def _pads(self) -> Padding:
        if self.padding == "causal":
            return (((self.kernel_size[0] - 1) * self.dilation_rate[0], 0),)
        return self.padding.upper()

    def compute_output_shape(self, input_shape: Any) -> geometry.Sizes:
        """(batch, output positions along each axis, filters)"""
        return self._output_shape(input_shape, self.filters)

    def macs(self, output_shape: Any) -> int:
        """Taps and channels of the kernel for every number that comes out."""
        return math.prod(output_shape[1:]) * math.prod(self.kernel.shape[:-1])


@of_rank(1, _CONVOLUTION, paddings='"valid", "same" or "causal" (zeros before the signal only)')
class Conv1D(Convolution):
    """>>> layer = tf.keras.layers.Conv1D(4, 3, padding="causal")
    >>> layer(tf.ones([2, 9, 3])).shape
    TensorShape([2, 9, 4])
    """

    words = ("valid", "same", "causal")


@of_rank(2, _CONVOLUTION, {"strides": (1, 1), "dilation_rate": (1, 1)}, paddings=_PADDINGS)
class Conv2D(Convolution):
    """>>> layer = tf.keras.layers.Conv2D(4, kernel_size=3, padding="SAME", activation="relu")
    >>> layer(tf.ones([2, 5, 5, 3])).shape
    TensorShape([2, 5, 5, 4])
    """


@of_rank(3, _CONVOLUTION, {"strides": (1, 1, 1), "dilation_rate": (1, 1, 1)}, paddings=_PADDINGS)
class Conv3D(Convolution):
    """>>> layer = tf.keras.layers.Conv3D(4, 3)
    >>> layer(tf.ones([1, 5, 5, 5, 2])).shape
    TensorShape([1, 3, 3, 3, 4])
    """
