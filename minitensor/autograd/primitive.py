"""Primitive: an op is a function of raw arrays and one derivative per tensor argument.

The function sees arrays and the backend that owns them. A derivative sees Tensors and is written
with ops only, so it is differentiable again: that is all it takes to have every order.
Tensors are positional arguments, settings are keywords. Every primitive has one output.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from minitensor import backend
from minitensor.autograd import recording
from minitensor.autograd.convert import as_tensor, first_tensor
from minitensor.autograd.tensor import Tensor

Derivative = Callable[..., Tensor]


class Primitive:
    """A differentiable op; make one with the decorator `primitive`.

    Example:
        >>> import minitensor as mt
        >>> @primitive
        ... def cube(be, x):
        ...     return x * x * x
        >>> cube.defvjp(lambda g, y, x: g * 3.0 * x * x)
        >>> cube(mt.constant(2.0)).numpy()
        np.float32(8.0)
    """

    def __init__(self, forward: Callable[..., Any]) -> None:
        functools.update_wrapper(self, forward)
        self.__name__: str = forward.__name__.lstrip("_")  # users read it in errors
        self._forward = forward
        self.defvjp_each(lambda i, *_, **__: None)

    def __call__(self, *inputs: Any, **settings: Any) -> Tensor:
        like = first_tensor(*inputs)
        tensors = tuple(as_tensor(value, like=like) for value in inputs)
        arrays = [tensor.array for tensor in tensors]
        be = self._backend(arrays)
        with np.errstate(all="ignore"):  # inf and NaN are values here, as in TensorFlow
            # A NumPy op on 0-d arrays returns a scalar, one on the emulator's may drop their
            # mark; a Tensor always holds an array of its backend.
            output = Tensor(be.asarray(self._forward(be, *arrays, **settings)))
        if recording.is_recording():
            pull = functools.partial(self._pull_back, tensors, settings, output)
            recording.record(tensors, (output,), pull)
        return output

    def _backend(self, arrays: list[Any]) -> ModuleType:
        try:
            return backend.of(*arrays)
        except TypeError as mixed:
            raise TypeError(f"{self.__name__}: {mixed}") from None

    def defvjp(self, *derivatives: Derivative | None) -> None:
        """One derivative per argument, `f(g, y, *inputs, **settings)`; None: it has none."""

        def derivative(i: int, *args: Any, **settings: Any) -> Tensor | None:
            function = derivatives[i]
            return None if function is None else function(*args, **settings)

        self.defvjp_each(derivative)

    def defvjp_each(self, derivative: Callable[..., Tensor | None]) -> None:
        """For ops of many arguments: `f(i, g, y, *inputs, **settings)` for argument number i."""

        def each(wanted: list[bool], *args: Any, **settings: Any) -> list[Tensor | None]:
            return [
                derivative(i, *args, **settings) if want else None for i, want in enumerate(wanted)
            ]

        self.defvjp_jointly(each)

    def defvjp_jointly(self, derivatives: Callable[..., list[Tensor | None]]) -> None:
        """For derivatives that share work: `f(wanted, g, y, *inputs, **settings)`, all at once."""
        self._derivatives = derivatives

    def _pull_back(
        self,
        inputs: tuple[Tensor, ...],
        settings: dict[str, Any],
        output: Tensor,
        cotangents: list[Tensor | None],
        wanted: list[bool],
    ) -> list[Tensor | None]:
        """Gradients for the wanted inputs, given that of the output."""
        gradients = self._derivatives(wanted, cotangents[0], output, *inputs, **settings)
        for i, (tensor, g) in enumerate(zip(inputs, gradients, strict=True)):
            assert g is None or g.shape == tensor.shape, (self.__name__, i, g.shape, tensor.shape)
        return gradients


def primitive(forward: Callable[..., Any]) -> Primitive:
    """Makes an op of `forward(be, *arrays, **settings) -> array`."""
    return Primitive(forward)
