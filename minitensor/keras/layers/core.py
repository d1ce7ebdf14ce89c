"""Layers that keep the shape, Elementwise; Identity, Masking, and Lambda: a function as a layer.

Args of all: kwargs, what every Layer takes. Source of all: keras.layers, by the same names.
"""

from __future__ import annotations

import inspect
from typing import Any, Unpack

from minitensor.array import expand_dims, where, zeros_like
from minitensor.autograd.tree import flatten
from minitensor.docstrings import examples_of
from minitensor.keras.engine import Layer, calling
from minitensor.keras.engine.layer import Common
from minitensor.keras.engine.masking import set_mask
from minitensor.keras.ops.tf_function import function_named
from minitensor.math import not_equal, reduce_any

example = examples_of("tf.keras.layers", "")


class Elementwise(Layer):
    """A layer that changes numbers and no shape; a subclass writes `call`."""

    _supports_masking = True

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


@example("Masking(9.0)([[[1.0], [9.0]]]).numpy().ravel()", "[1., 0.]")
class Masking(Elementwise):
    """Says which steps of a sequence count: those where not all features have one value.

    y[n, t] = x[n, t] if any(x[n, t] != mask_value) else 0; the condition is the mask of y

    Args:
        mask_value: of the features of a step that does not count.
    """

    _mask_calls = 2

    def __init__(self, mask_value: Any = 0.0, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """(N, T): whether a step counts."""
        return reduce_any(not_equal(inputs, self.mask_value), -1)

    def call(self, inputs: Any) -> Any:
        kept = self.compute_mask(inputs)  # (N, T)
        return set_mask(where(expand_dims(kept, -1), inputs, zeros_like(inputs)), kept)


@example("Lambda(lambda x: x * 2.0)([1.0]).numpy()", "[2.]")
class Lambda(Layer):
    """y = function(x, **arguments).

    It is for formulas without weights: variables that the function uses are not the layer's.

    Args:
        function: of a tensor, or of a list of them; it may take `training` too.
        output_shape: of one sample, or a function of the input's shape; None finds out by a trial.
        mask: of the output, or a function of the input and its mask; None: there is none.
        arguments: keywords for the function.

    Raises:
        TypeError: `function` is no function.
    """

    _says_shape = False  # it finds out by a call

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: Any = None,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**kwargs)
        self.function = function_named(function) if isinstance(function, str) else function
        self.output_shape, self.mask = output_shape, mask
        self.arguments, self._supports_masking = dict(arguments or {}), mask is not None
        self._takes_training = "training" in inspect.signature(self.function).parameters

    def call(self, inputs: Any, training: bool = False) -> Any:
        more = {"training": training} if self._takes_training else {}
        return self.function(inputs, **self.arguments, **more)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """`mask`, or what it says."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        """`output_shape` if there is one, else by a trial with zeros."""
        if callable(self.output_shape):
            return self.output_shape(input_shape)
        x = calling.symbols(input_shape, self.compute_dtype)
        if self.output_shape is not None:
            return flatten(x)[0].shape[0], *self.output_shape
        trial = calling.traced(self, (x,), {})
        return calling.shape_of(trial)
