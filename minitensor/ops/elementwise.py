"""Elementwise: primitives of one or two tensors that broadcast.

They add three things to a Primitive: numbers beside a tensor take its dtype, the wrong kind of
element is a TypeError before anything is computed, and each derivative is summed over the axes
that broadcasting had repeated, so that derivatives themselves may ignore broadcasting.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd import Primitive, Tensor, align, as_tensor
from minitensor.autograd.primitive import Derivative
from minitensor.autograd.tensor import is_float
from minitensor.backend.errors import InvalidArgumentError
from minitensor.backend.half import slow_in_float32
from minitensor.backend.protocol import Backend
from minitensor.ops.array import sum_to

FLOATS, NUMBERS, SIGNED, INTEGERS, BOOLS = "f", "iuf", "if", "iu", "b"
TEXT = "O"  # see backend/text.py
_WORDS = {FLOATS: "floats", SIGNED: "numbers with a sign", INTEGERS: "integers", BOOLS: "booleans"}


class Elementwise(Primitive):
    """A primitive y = f(x) or y = f(x, y) of elements, whose dtype must be one of `kinds`."""

    def __init__(self, forward: Callable[..., Any], kinds: str) -> None:
        super().__init__(forward)
        self._kinds = kinds

    def __call__(self, *inputs: Any, **settings: Any) -> Tensor:
        tensors = self._aligned(inputs)
        self._check_kind(tensors[0].array.dtype)
        if len(tensors) == 2 and tensors[0].array.shape != tensors[1].array.shape:
            check_broadcast(self.__name__, *(tensor.array.shape for tensor in tensors))
        return super().__call__(*tensors, **settings)

    def defvjp(self, *derivatives: Derivative | None) -> None:
        super().defvjp(*(d and _summed(k, d) for k, d in enumerate(derivatives)))

    def _aligned(self, inputs: tuple[Any, ...]) -> tuple[Tensor, ...]:
        if len(inputs) == 1:
            return (as_tensor(inputs[0], what=f"{self.__name__}: x"),)
        x, y = inputs
        return align(self.__name__, x=x, y=y)

    def _check_kind(self, dtype: np.dtype[Any]) -> None:
        kind = "f" if is_float(dtype) else dtype.kind
        if kind not in self._kinds:
            words = _WORDS.get(self._kinds, "numbers")
            wanted = {BOOLS: "bool", INTEGERS: "int32", SIGNED: "int32"}.get(self._kinds, "float32")
            raise TypeError(
                f"{self.__name__}: x is {dtype.name} but only {words} are legal; "
                f"use minitensor.cast(x, '{wanted}')"
            )


def elementwise(kinds: str) -> Callable[[Callable[..., Any]], Elementwise]:
    """Makes an elementwise primitive for elements of these kinds."""
    return lambda forward: Elementwise(forward, kinds)


def _summed(k: int, derivative: Derivative) -> Derivative:
    """`derivative` for argument k, summed to the argument's shape."""

    @functools.wraps(derivative)
    def summed(g: Tensor, y: Tensor, *inputs: Tensor, **settings: Any) -> Tensor:
        return unbroadcast(derivative(g, y, *inputs, **settings), inputs[k].shape)

    return summed


def unbroadcast(g: Tensor, shape: tuple[int, ...]) -> Tensor:
    """g summed over the axes along which an argument of this shape was repeated."""
    return g if g.array.shape == shape else sum_to(g, shape=shape)


def check_broadcast(op: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to; ValueError if they do not."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise InvalidArgumentError(
            f"{op}: shapes {' and '.join(str(tuple(shape)) for shape in shapes)} do not broadcast; "
            "counted from the right, sizes must be equal or 1"
        ) from None


def ufunc(name: str, kinds: str = FLOATS, function: str | None = None) -> Elementwise:
    """The op `name` made of the NumPy function of that name, or of another one."""

    def forward(be: Backend, *arrays: Any) -> Any:
        return getattr(be.xp, function or name)(*arrays)

    forward.__name__ = name
    return Elementwise(slow_in_float32(forward), kinds)
