"""Dense: every output sees every input."""

from __future__ import annotations

import math
from typing import Any, Unpack

from minitensor.array import reshape
from minitensor.keras.engine import InputSpec
from minitensor.keras.engine.layer import Named
from minitensor.keras.layers.affine import Affine, make_weight, read_rules
from minitensor.keras.layers.geometry import Sizes, as_floats, is_integer
from minitensor.linalg import matmul


class Dense(Affine):
    """A matrix and a bias over the last axis.

    y = activation(x @ kernel + bias)

    Args:
        units: number of outputs.
        activation: a name in `keras.activations`, a function, or None.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: names or functions of a shape.
        kernel_regularizer, bias_regularizer, activity_regularizer: added to the loss.
        kernel_constraint, bias_constraint: applied after every update.
        lora_rank, lora_alpha, quantization_config: must stay None.
        kwargs: what every Layer takes.

    Attributes:
        kernel: (inputs, units), made when the layer is built.
        bias: (units,) or None.

    Raises:
        ValueError: a setting, or the shape of an input, that is not legal.

    Example:
        >>> import minitensor as tf
        >>> layer = tf.keras.layers.Dense(4, activation="relu")
        >>> layer(tf.ones([2, 5, 3])).shape
        TensorShape([2, 5, 4])

    Source: keras.layers.Dense
    """

    _supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: int | None = None,
        quantization_config: Any = None,
        **kwargs: Unpack[Named],
    ) -> None:
        if not is_integer(units) or units <= 0:
            raise ValueError(
                "Received an invalid value for `units`, expected a positive integer. "
                f"Received: units={units!r}"
            )
        unused = {
            "lora_rank": lora_rank,
            "lora_alpha": lora_alpha,
            "quantization_config": quantization_config,
        }
        for name in (name for name, value in unused.items() if value is not None):
            raise ValueError(f"Dense: `{name}` must be None; a whole kernel is trained here.")
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        read_rules(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        read_rules(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self._read_affine(activation, use_bias)
        self.units = int(units)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        if input_shape[-1] is None:
            raise ValueError(
                f"The last axis of the inputs to {self.name} must be defined. "
                f"Full input shape received: {tuple(input_shape)}"
            )
        self.kernel = make_weight(self, "kernel", (input_shape[-1], self.units))
        self._make_bias(self.units)
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})

    def call(self, inputs: Any) -> Any:
        x = as_floats(inputs, self.compute_dtype)
        lead = inputs.shape[:-1]
        rows = x if len(lead) == 1 else reshape(x, (-1, inputs.shape[-1]))
        y = matmul(rows, self.kernel)
        # the activation may look along any axis, and a loss asks for the logits of what it gives
        return self._finished(y if len(lead) == 1 else reshape(y, (*lead, self.units)))

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        """The last axis becomes `units`."""
        return *input_shape[:-1], self.units

    def macs(self, output_shape: Any) -> int:
        """One for every input of every output."""
        return math.prod(output_shape[1:]) * self.kernel.shape[0]
