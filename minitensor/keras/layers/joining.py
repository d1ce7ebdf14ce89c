"""Concatenate, and the short functions of the layers that make one tensor of several.

`add([x, y])` is `Add()([x, y])`, for tensors and for the symbolic tensors of a model.
"""

from __future__ import annotations

from typing import Any, Unpack

from minitensor.array import concat
from minitensor.keras.engine import Layer
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers.geometry import Sizes
from minitensor.keras.layers.merging import (
    Add,
    Average,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    shapes_of,
)


class Concatenate(Layer):
    """The inputs one after the other along an axis.

    Args:
        axis: along which sizes may differ.
        kwargs: what every Layer takes.

    Raises:
        ValueError: no list of inputs, or other sizes that differ.

    Example:
        >>> import minitensor as mt
        >>> Concatenate()([mt.zeros([2, 5, 3]), mt.zeros([2, 5, 4])]).shape
        TensorShape([2, 5, 7])

    Source: keras.layers.Concatenate
    """

    def __init__(self, axis: int = -1, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        """Refuses shapes that do not fit; there are no weights."""
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        """The inputs as one."""
        return concat(inputs, self.axis)

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        """The sizes add up along the axis."""
        shapes = shapes_of(self, input_shape)
        rank = len(shapes[0])
        place = self.axis % rank
        sizes: list[int | None] = []
        for axis in range(rank):
            found = [shape[axis] for shape in shapes if len(shape) == rank]
            known = [n for n in found if n is not None]
            if len(found) < len(shapes) or (axis != place and len(set(known)) > 1):
                raise ValueError(
                    "A `Concatenate` layer requires inputs with matching shapes except for the "
                    f"concatenation axis. Received: input_shape={shapes}"
                )
            total = sum(known) if len(known) == len(found) else None
            sizes.append(total if axis == place else next(iter(known), None))
        return tuple(sizes)


def add(inputs: Any, **kwargs: Any) -> Any:
    """`Add(**kwargs)(inputs)`. Source: keras.layers.add"""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """`Subtract(**kwargs)(inputs)`. Source: keras.layers.subtract"""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """`Multiply(**kwargs)(inputs)`. Source: keras.layers.multiply"""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """`Average(**kwargs)(inputs)`. Source: keras.layers.average"""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """`Maximum(**kwargs)(inputs)`. Source: keras.layers.maximum"""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """`Minimum(**kwargs)(inputs)`. Source: keras.layers.minimum"""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis, **kwargs)(inputs)`. Source: keras.layers.concatenate"""
    return Concatenate(axis=axis, **kwargs)(inputs)
