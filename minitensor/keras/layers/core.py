"""Layers that keep the shape, Elementwise; Identity, and Lambda: a function as a layer.

Args of all: kwargs, what every Layer takes. Source of all: keras.layers, by the same names.
"""

from __future__ import annotations

import inspect
from typing import Any, Unpack

from minitensor.autograd.tree import flatten
from minitensor.docstrings import examples_of
from minitensor.keras.engine import Layer, calling
from minitensor.keras.engine.layer import Common

example = examples_of("tf.keras.layers", "")


class Elementwise(Layer):
    """A layer that changes numbers and no shape; a subclass writes `call`."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        return tuple(input_shape)


@example("Identity()([1.0]).numpy()", "[1.]")
class Identity(Elementwise):
    """y = x; `kwargs` are what every Layer takes."""

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input, or the shapes."""
        return input_shape


@example("Lambda(lambda x: x * 2.0)([1.0]).numpy()", "[2.]")
class Lambda(Layer):
    """y = function(x, **arguments).

    It is for formulas without weights: variables that the function uses are not the layer's.

    Args:
        function: of a tensor, or of a list of them; it may take `training` too.
        output_shape: of one sample, or a function of the input's shape; None finds out by a trial.
        mask: must be None, as there are no masks.
        arguments: keywords for the function.

    Raises:
        ValueError: `mask`.
    """

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: Any = None,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**kwargs)
        if mask is not None:
            raise ValueError("Lambda: `mask` must be None; masks are not there.")
        self.function, self.output_shape = function, output_shape
        self.arguments = dict(arguments or {})
        self._takes_training = "training" in inspect.signature(function).parameters

    def call(self, inputs: Any, training: bool = False) -> Any:
        more = {"training": training} if self._takes_training else {}
        return self.function(inputs, **self.arguments, **more)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """`output_shape` if there is one, else by a trial with zeros."""
        if callable(self.output_shape):
            return self.output_shape(input_shape)
        if self.output_shape is not None:
            return flatten(calling.symbols(input_shape, self.dtype))[0].shape[0], *self.output_shape
        trial = calling.traced(self, (calling.symbols(input_shape, self.dtype),), {})
        return calling.shape_of(trial)
