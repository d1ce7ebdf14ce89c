"""Layers that make one tensor of several, number by number. Not here: Dot."""

from __future__ import annotations

import functools
from typing import Any

from minitensor import math
from minitensor.array import expand_dims
from minitensor.keras.engine import Layer
from minitensor.keras.layers.geometry import Sizes


class Merge(Layer):
    """What they share: inputs of one batch, broadcast against each other.

    Inputs of fewer axes get axes of size 1 after the batch.
    """

    def build(self, input_shape: Any) -> None:
        """Refuses shapes that do not fit; there are no weights."""
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        """The inputs as one."""
        if not isinstance(inputs, list | tuple):
            raise ValueError(
                "A merge layer should be called on a list of inputs. "
                f"Received: inputs={inputs} (not a list of tensors)"
            )
        rank = max(x.ndim for x in inputs)
        return self.merged([_with_axes(x, rank) for x in inputs])

    def merged(self, inputs: list[Any]) -> Any:
        """The inputs, all of as many axes, as one; what a subclass writes."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        """The shape that the inputs have together."""
        shapes = shapes_of(self, input_shape)
        batches = {shape[0] for shape in shapes if shape} - {None}
        if len(batches) > 1:
            raise ValueError(
                "Cannot merge tensors with different batch sizes. "
                f"Received tensors with shapes {shapes}"
            )
        rest = functools.reduce(broadcast, (shape[1:] for shape in shapes))
        return next(iter(batches), None), *rest


class Add(Merge):
    """y = x_1 + x_2 + ...

    Args:
        kwargs: what every Layer takes.

    Raises:
        ValueError: no list of inputs, or shapes that do not fit.

    Example:
        >>> import minitensor as mt
        >>> Add()([mt.constant([[1.0]]), mt.constant([[2.0]])]).numpy()
        array([[3.]], dtype=float32)

    Source: keras.layers.Add
    """

    def merged(self, inputs: list[Any]) -> Any:
        """The sum."""
        return functools.reduce(lambda x, y: x + y, inputs)


class Subtract(Merge):
    """y = x_1 - x_2

    Args:
        kwargs: what every Layer takes.

    Raises:
        ValueError: not two inputs, or shapes that do not fit.

    Example:
        >>> import minitensor as mt
        >>> Subtract()([mt.constant([[1.0]]), mt.constant([[2.0]])]).numpy()
        array([[-1.]], dtype=float32)

    Source: keras.layers.Subtract
    """

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        """The shape that the two have together."""
        if len(shapes_of(self, input_shape)) != 2:
            raise ValueError(
                "A `Subtract` layer should be called on exactly 2 inputs. "
                f"Received: input_shape={input_shape}"
            )
        return super().compute_output_shape(input_shape)

    def merged(self, inputs: list[Any]) -> Any:
        """The difference."""
        return inputs[0] - inputs[1]


class Multiply(Merge):
    """y = x_1 * x_2 * ...

    Args:
        kwargs: what every Layer takes.

    Raises:
        ValueError: no list of inputs, or shapes that do not fit.

    Example:
        >>> import minitensor as mt
        >>> Multiply()([mt.constant([[3.0]]), mt.constant([[2.0]])]).numpy()
        array([[6.]], dtype=float32)

    Source: keras.layers.Multiply
    """

    def merged(self, inputs: list[Any]) -> Any:
        """The product."""
        return functools.reduce(lambda x, y: x * y, inputs)


class Average(Merge):
    """y = (x_1 + ... + x_n) / n

    Args:
        kwargs: what every Layer takes.

    Raises:
        ValueError: no list of inputs, or shapes that do not fit.

    Example:
        >>> import minitensor as mt
        >>> Average()([mt.constant([[1.0]]), mt.constant([[2.0]])]).numpy()
        array([[1.5]], dtype=float32)

    Source: keras.layers.Average
    """

    def merged(self, inputs: list[Any]) -> Any:
        """The mean."""
        return functools.reduce(lambda x, y: x + y, inputs) / len(inputs)


class Maximum(Merge):
    """y = max(x_1, x_2, ...)

    Args:
        kwargs: what every Layer takes.

    Raises:
        ValueError: no list of inputs, or shapes that do not fit.

    Example:
        >>> import minitensor as mt
        >>> Maximum()([mt.constant([[1.0]]), mt.constant([[2.0]])]).numpy()
        array([[2.]], dtype=float32)

    Source: keras.layers.Maximum
    """

    def merged(self, inputs: list[Any]) -> Any:
        """The greatest."""
        return functools.reduce(math.maximum, inputs)


class Minimum(Merge):
    """y = min(x_1, x_2, ...)

    Args:
        kwargs: what every Layer takes.

    Raises:
        ValueError: no list of inputs, or shapes that do not fit.

    Example:
        >>> import minitensor as mt
        >>> Minimum()([mt.constant([[1.0]]), mt.constant([[2.0]])]).numpy()
        array([[1.]], dtype=float32)

    Source: keras.layers.Minimum
    """

    def merged(self, inputs: list[Any]) -> Any:
        """The least."""
        return functools.reduce(math.minimum, inputs)


def shapes_of(layer: Layer, shapes: Any) -> list[Sizes]:
    """The shapes of at least one input in a list."""
    if (
        not isinstance(shapes, list | tuple)
        or not shapes
        or not isinstance(shapes[0], list | tuple)
    ):
        raise ValueError(
            f"A `{type(layer).__name__}` layer should be called on a list of at least 1 input. "
            f"Received: input_shape={shapes} (not a list of shapes)"
        )
    return [tuple(shape) for shape in shapes]


def broadcast(one: Sizes, other: Sizes) -> Sizes:
    """The shape of both together; a size that may vary stays open."""
    rank = max(len(one), len(other))
    longer = [(1,) * (rank - len(shape)) + tuple(shape) for shape in (one, other)]
    sizes: list[int | None] = []
    for n, m in zip(*longer, strict=True):
        if None not in (n, m) and n != m and 1 not in (n, m):
            raise ValueError(
                f"Inputs have incompatible shapes. Received shapes {tuple(one)} and {tuple(other)}"
            )
        sizes.append(None if None in (n, m) else m if n == 1 else n)
    return tuple(sizes)


def _with_axes(x: Any, rank: int) -> Any:
    """x with axes of size 1 after the batch, up to `rank` axes."""
    for _ in range(rank - x.ndim):
        x = expand_dims(x, 1)
    return x
