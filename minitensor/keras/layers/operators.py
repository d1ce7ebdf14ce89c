"""Arithmetic as a layer; `x * 0.5` of a symbolic tensor is an operation of keras.ops."""

from __future__ import annotations

import operator
from typing import Any, Unpack

import numpy as np

from minitensor.autograd import as_tensor
from minitensor.keras.engine import Layer
from minitensor.keras.engine.keras_tensor import Node
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers.geometry import Sizes, choice
from minitensor.keras.layers.merging import broadcast
from minitensor.keras.ops.table import FILES

_FUNCTIONS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
}


class Arithmetic(Layer):
    """y = x (operation) constant, or constant (operation) x; or x_1 (operation) x_2 for a list.

    Args:
        operation: "add", "subtract", "multiply" or "divide".
        constant: a number or an array; None for two inputs.
        reverse: whether the constant comes first.
        kwargs: what every Layer takes.

    Raises:
        ValueError: another operation.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.layers.Arithmetic("subtract", 1.0, reverse=True)([3.0]).numpy()
        array([-2.], dtype=float32)
    """

    def __init__(
        self, operation: str, constant: Any = None, reverse: bool = False, **kwargs: Unpack[Common]
    ) -> None:
        super().__init__(**kwargs)
        self.operation = choice("operation", operation, _FUNCTIONS)
        self.constant, self.reverse = constant, reverse

    def _config_entry(self) -> dict[str, Any]:
        """The operation that Keras has instead."""
        name = self.operation.capitalize()
        return {
            "module": f"{FILES}.numpy",
            "class_name": name,
            "config": {"name": self.name},
            "registered_name": name,
        }

    def _config_arguments(self, node: Node) -> tuple[Any, ...]:
        """Both sides, of which Keras keeps none."""
        both = list(node.args[0]) if self.constant is None else [node.args[0], self.constant]
        return tuple(reversed(both) if self.reverse else both)

    def call(self, inputs: Any) -> Any:
        if self.constant is None:
            left, right = inputs
        else:
            left, right = inputs, as_tensor(self.constant, inputs.dtype, "constant", inputs)
        function = _FUNCTIONS[self.operation]
        return function(right, left) if self.reverse else function(left, right)

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        """The shape that both sides have together."""
        sides = input_shape if self.constant is None else (input_shape, np.shape(self.constant))
        return broadcast(*(tuple(side) for side in sides))
