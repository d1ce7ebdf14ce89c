"""The transposed convolutions of any rank: settings, weights, computing, cost."""

from __future__ import annotations

import math
from typing import Any, Unpack

from minitensor.autograd import align
from minitensor.keras.engine.layer import Named
from minitensor.keras.layers import geometry
from minitensor.keras.layers.affine import Affine, make_weight, read_rules
from minitensor.keras.layers.spatial import Spatial, of_rank
from minitensor.nn.arguments import moved_back, moved_last
from minitensor.nn.conv_transpose import windows
from minitensor.ops.conv import conv_transpose

_TRANSPOSED = """The transpose of Conv{rank}D, with a kernel and a bias: {images} to larger ones.

y = activation(conv{rank}d_transpose(x, kernel, size) + bias), each axis of size being, with
k = (kernel_size - 1) * dilation_rate + 1 and n pixels of input,
    n * strides + max(k - strides, 0)  if "valid",  n * strides  if "same";
    with output_padding: (n - 1) * strides + k - 2 * p + output_padding, p = 0 or k // 2

Args:
    filters: number of output channels.
    kernel_size: taps ({taps}): {numbers}.
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
    kernel: ({taps}, filters, C), made when the layer is built.
    bias: (filters,) or None.
"""


class Transposed(Affine, Spatial):
    """What Conv1DTranspose, Conv2DTranspose and Conv3DTranspose have in common."""

    floats_only = True

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
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._slide_kernel(kernel_size, strides, padding, dilation_rate)
        read_rules(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        read_rules(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._read_affine(activation, use_bias)
        self.filters = geometry.positive("filters", filters)
        self.output_padding = self._read_more(output_padding)

    def _read_more(self, output_padding: Any) -> tuple[int, ...] | None:
        if output_padding is None:
            return None
        more = geometry.numbers("output_padding", output_padding, self.rank, least=0)
        if any(p >= s for p, s in zip(more, self.strides, strict=True)):
            raise ValueError(
                "`output_padding` must be strictly less than `strides` for all dimensions. "
                f"Received: output_padding={more}, strides={self.strides}"
            )
        return more

    def build(self, input_shape: Any) -> None:
        channels = self._known_channels(input_shape)
        self.kernel = make_weight(self, "kernel", (*self.kernel_size, self.filters, channels))
        self._make_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        op = self._title
        x, kernel = align(op, input=inputs, kernel=self.kernel)
        if kernel.array.shape[: self.rank] != self.kernel_size:
            raise ValueError(
                f"{op}: its kernel has the shape {kernel.shape}, which does not begin with its "
                f"kernel_size {self.kernel_size}, from which the size of the output follows"
            )
        size = tuple(self._pixels(self.compute_output_shape(x.shape)))
        x = moved_last(x, self._last)  # (N, h, w, C)
        slide = self.kernel_size, self.strides, self._pads, self.dilation_rate
        depth, plane = windows(op, size, x.array.shape[1:-1], *slide, 1)
        y = conv_transpose(x, kernel, depth=depth, plane=plane)  # (N, H, W, filters)
        return self._finished(moved_back(y, self._last), self._last)

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
        positions = [(size - more) // stride for size, more, stride in zip(*sizes, strict=True)]
        return math.prod(positions) * math.prod(self.kernel.shape)


@of_rank(1, _TRANSPOSED)
class Conv1DTranspose(Transposed):
    """>>> layer = tf.keras.layers.Conv1DTranspose(4, 3, strides=2, padding="same")
    >>> layer(tf.ones([1, 5, 2])).shape
    TensorShape([1, 10, 4])
    """


@of_rank(2, _TRANSPOSED, {"strides": (1, 1), "dilation_rate": (1, 1)})
class Conv2DTranspose(Transposed):
    """>>> layer = tf.keras.layers.Conv2DTranspose(4, 3, strides=2, padding="same")
    >>> layer(tf.ones([1, 5, 5, 2])).shape
    TensorShape([1, 10, 10, 4])
    """


@of_rank(3, _TRANSPOSED)
class Conv3DTranspose(Transposed):
    """>>> layer = tf.keras.layers.Conv3DTranspose(4, 2, strides=2)
    >>> layer(tf.ones([1, 2, 3, 4, 2])).shape
    TensorShape([1, 4, 6, 8, 4])
    """

    def __init__(  # Keras has data_format before output_padding here
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
        super().__init__(
            *(filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate),
            *(activation, use_bias, kernel_initializer, bias_initializer),
            *(kernel_regularizer, bias_regularizer, activity_regularizer),
            *(kernel_constraint, bias_constraint),
            **kwargs,
        )
