"""Layers around a layer: one call for each step of time, a kernel divided by its largest gain.

Args of all: layer, what is wrapped; kwargs, what every Layer takes. Raises of all: ValueError, for
what is no layer, and for inputs that do not fit. Source of all: keras.layers, by the same names,
and the papers named.
"""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from minitensor import nn
from minitensor.array import cast, reshape, stack, stop_gradient, transpose
from minitensor.keras import initializers
from minitensor.keras.engine import InputSpec, Layer, masking
from minitensor.keras.engine.layer import Common
from minitensor.keras.serialization.objects import serialize
from minitensor.ops.linalg import matmul


class Wrapper(Layer):
    """A layer that has another inside; for layers that add something to any layer.

    Attributes:
        layer: what is inside.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.layers.Wrapper(tf.keras.layers.ReLU(name="inside")).layer
        <ReLU name=inside, built=False>
    """

    def __init__(self, layer: Layer, **kwargs: Unpack[Common]) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                f"{type(self).__name__} wraps a layer, an instance of keras.layers.Layer. "
                f"Received: {layer!r}"
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)

    def get_config(self) -> dict[str, Any]:
        """What it was made with, the layer inside as its config."""
        return super().get_config() | {"layer": serialize(self.layer)}


class TimeDistributed(Wrapper):
    """Applies a layer to every step of time.

    y[n, t] = layer(x[n, t])

    Example:
        >>> import minitensor as tf
        >>> layer = tf.keras.layers.TimeDistributed(tf.keras.layers.Conv2D(64, 3))
        >>> layer(tf.ones([2, 10, 8, 8, 3])).shape
        TensorShape([2, 10, 6, 6, 64])
    """

    _supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        super().build(self._of_step(input_shape))

    def _of_step(self, shape: Any) -> tuple[int | None, ...]:
        """The shape of one step."""
        if not isinstance(shape, list | tuple) or len(shape) < 3:
            raise ValueError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 "
                f"dimensions, received: {shape}"
            )
        return (shape[0], *shape[2:])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The layer's, with the axis of time behind the batch."""
        batch, *rest = self.layer.compute_output_shape(self._of_step(input_shape))
        return (batch, input_shape[1], *rest)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None and tuple(mask.shape[:2]) != tuple(inputs.shape[:2]):
            raise ValueError(
                f"The `mask` passed to the `TimeDistributed` layer has a shape {tuple(mask.shape)} "
                f"that is incompatible with the input shape {tuple(inputs.shape)}: their batches "
                "and steps of time must be the same."
            )
        masked = mask is not None and masking.takes(self.layer, "mask")
        steps = []
        for t in range(inputs.shape[1]):
            given = {"mask": mask[:, t]} if masked else {}
            if masking.takes(self.layer, "training"):
                given["training"] = training
            steps.append(self.layer.call(inputs[:, t], **given))
        return stack(steps, 1)  # (N, T, ...)

    def macs(self, output_shape: Any) -> int:
        """The layer's, for every step."""
        return int(output_shape[1] * self.layer.macs((output_shape[0], *output_shape[2:])))


class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by its largest singular value, whenever it is called to train.

    kernel / (v W u^T), W the kernel as (inputs, outputs); u, v unit vectors of power iteration:
    v = u W^T / |u W^T|, u = v W / |v W|

    Args:
        power_iterations: steps of the iteration in a call.

    Attributes:
        vector_u: (1, outputs), kept from call to call.

    Raises:
        ValueError: iterations that are not positive, or a layer without a kernel.

    Example:
        >>> import minitensor as tf
        >>> layer = tf.keras.layers.SpectralNormalization(tf.keras.layers.Conv2D(2, 2))
        >>> layer(tf.ones([1, 10, 10, 1])).shape
        TensorShape([1, 9, 9, 2])

    Source: keras.layers.SpectralNormalization; Miyato et al. 2018
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Unpack[Common]) -> None:
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                "`power_iterations` should be greater than zero. Received: "
                f"`power_iterations={power_iterations}`"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        if not hasattr(self.layer, "kernel"):
            raise ValueError(f"{type(self.layer).__name__} object has no attribute 'kernel'")
        self.kernel = self.layer.kernel
        self.vector_u = self.add_weight(
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            name="vector_u",
            dtype=self.kernel.dtype.name,
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training and np.any(self.kernel.numpy()):
            u, kernel = self.normalized_weights()
            self.vector_u.assign(u)
            self.kernel.assign(kernel)
        return cast(self.layer(inputs), inputs.dtype)

    def normalized_weights(self) -> tuple[Any, Any]:
        """(u, the kernel divided by its largest singular value), after the next iterations."""
        weights = reshape(self.kernel, (-1, self.kernel.shape[-1]))  # (inputs, outputs)
        u: Any = self.vector_u
        for _ in range(self.power_iterations):
            v = nn.l2_normalize(matmul(u, transpose(weights)), epsilon=1e-14)  # (1, inputs)
            u = nn.l2_normalize(matmul(v, weights), epsilon=1e-14)  # (1, outputs)
        u, v = stop_gradient(u), stop_gradient(v)
        gain = matmul(matmul(v, weights), transpose(u))  # (1, 1)
        return u, reshape(weights / gain, self.kernel.shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The layer's."""
        return self.layer.compute_output_shape(input_shape)

    def macs(self, output_shape: Any) -> int:
        """The layer's."""
        return self.layer.macs(output_shape)
