"""Layers that make one tensor of several: number by number, or one behind the other; Dot.

Add, Subtract, Multiply, Average, Maximum and Minimum differ in one function, and are made from a
table. For each layer there is a short function: `add([x, y])` is `Add()([x, y])`, for tensors and
for the symbolic tensors of a model.

Args of all: kwargs, what every Layer takes. Raises of all: ValueError, for what is no list of
inputs, and for shapes that do not fit. Source of all: keras.layers, by the same names.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, Unpack

from minitensor import math, nn
from minitensor.array import concat, expand_dims, ones_like, where, zeros_like
from minitensor.docstrings import named
from minitensor.keras.engine import Layer
from minitensor.keras.engine.layer import Common
from minitensor.keras.engine.masking import mask_of
from minitensor.keras.layers.geometry import Sizes
from minitensor.ops.linalg import einsum

__all__ = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract", "add",
    "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract",
]  # fmt: skip

# ----- number by number -----


class Merge(Layer):
    """What they share: inputs of one batch, broadcast against each other.

    Inputs of fewer axes get axes of size 1 after the batch. A step counts if it does in any input;
    there is no mask if an input has none.
    """

    def build(self, input_shape: Any) -> None:
        """Refuses shapes that do not fit; there are no weights."""
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
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

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Whether a step counts in any of the inputs; None if one has no mask."""
        return _either(_masks(inputs, mask))

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


class _MergeTwo(Merge):
    """The same for two inputs only."""

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        """The shape that the two have together."""
        if len(shapes_of(self, input_shape)) != 2:
            raise ValueError(
                f"A `{type(self).__name__}` layer should be called on exactly 2 inputs. "
                f"Received: input_shape={input_shape}"
            )
        return super().compute_output_shape(input_shape)


_TEXT = """y = {formula}

Example:
    >>> import minitensor as tf
    >>> tf.keras.layers.{name}()([tf.constant([[3.0]]), tf.constant([[2.0]])]).numpy()
    array([[{result}]], dtype=float32)

Source: keras.layers.{name}
"""


def _layer(
    name: str, formula: str, result: str, merge: Callable[..., Any], base: type[Merge] = Merge
) -> Any:
    """A layer that merges its inputs x_1, x_2, ... by a function of their list."""

    def merged(self: Merge, inputs: list[Any]) -> Any:
        return merge(inputs)

    merged.__doc__ = f"{formula}, all x of as many axes."
    text = _TEXT.format(name=name, formula=formula, result=result)
    return type(name, (base,), {"merged": merged, "__module__": __name__, "__doc__": text})


def _reduce(function: Callable[[Any, Any], Any]) -> Callable[[list[Any]], Any]:
    return lambda inputs: functools.reduce(function, inputs)


def _product(inputs: list[Any]) -> Any:
    """The product of what counts; 0 where nothing does."""
    masks = [mask_of(x) for x in inputs]
    pairs = zip(inputs, masks, strict=True)
    factors = (x if m is None else where(_of_each(m, x), x, ones_like(x)) for x, m in pairs)
    y, mask = functools.reduce(operator.mul, factors), _either(masks)
    return y if mask is None else where(_of_each(mask, y), y, zeros_like(y))


def _chosen(function: Callable[[Any, Any], Any]) -> Callable[[list[Any]], Any]:
    """A choice between the inputs; where one does not count, of the others."""

    def merge(inputs: list[Any]) -> Any:
        y, known = inputs[0], mask_of(inputs[0])
        for x in inputs[1:]:
            mask = mask_of(x)
            x = x if mask is None else where(_of_each(mask, x), x, y)
            y = function(y if known is None else where(_of_each(known, y), y, x), x)
            known = _either([known, mask])
        return y

    return merge


_sum = _reduce(operator.add)
Add = _layer("Add", "x_1 + x_2 + ...", "5.", _sum)
Subtract = _layer("Subtract", "x_1 - x_2", "1.", _reduce(operator.sub), _MergeTwo)
Multiply = _layer("Multiply", "x_1 * x_2 * ...", "6.", _product)
Average = _layer("Average", "(x_1 + ... + x_n) / n", "2.5", lambda xs: _sum(xs) / len(xs))
Maximum = _layer("Maximum", "max(x_1, x_2, ...)", "3.", _chosen(math.maximum))
Minimum = _layer("Minimum", "min(x_1, x_2, ...)", "2.", _chosen(math.minimum))


def _function(layer: Any) -> Any:
    """The short function of a layer."""
    name = layer.__name__.lower()

    def function(inputs: Any, **kwargs: Any) -> Any:
        return layer(**kwargs)(inputs)

    text = f"`{layer.__name__}(**kwargs)(inputs)`. Source: keras.layers.{name}"
    return named(name, text, function)


add, subtract, multiply = map(_function, (Add, Subtract, Multiply))
average, maximum, minimum = map(_function, (Average, Maximum, Minimum))


# ----- one behind the other -----


class Concatenate(Layer):
    """The inputs one after the other along an axis, along which alone their sizes may differ.

    Args:
        axis: the axis.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.layers.Concatenate()([tf.zeros([2, 5, 3]), tf.zeros([2, 5, 4])]).shape
        TensorShape([2, 5, 7])
    """

    def __init__(self, axis: int = -1, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        """Refuses shapes that do not fit; there are no weights."""
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        return concat(inputs, self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Whether any feature of a step counts; all do of an input that has no mask."""
        masks = _masks(inputs, mask)
        if all(m is None for m in masks):
            return None
        found = [_of_each(m, x) for m, x in zip(masks, inputs, strict=True)]
        return math.reduce_any(concat(found, self.axis), -1)

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        """The sizes add up along the axis."""
        shapes = shapes_of(self, input_shape)
        rank = len(shapes[0])
        along = self.axis % rank
        sizes: list[int | None] = []
        for axis in range(rank):
            found = [shape[axis] for shape in shapes if len(shape) == rank]
            known = [n for n in found if n is not None]
            if len(found) < len(shapes) or (axis != along and len(set(known)) > 1):
                raise ValueError(
                    "A `Concatenate` layer requires inputs with matching shapes except for the "
                    f"concatenation axis. Received: input_shape={shapes}"
                )
            total = sum(known) if len(known) == len(found) else None
            sizes.append(total if axis == along else next(iter(known), None))
        return tuple(sizes)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis, **kwargs)(inputs)`. Source: keras.layers.concatenate"""
    return Concatenate(axis=axis, **kwargs)(inputs)


# ----- products -----


class Dot(Merge):
    """The sum of products along one axis of each of two inputs, sample by sample.

    y[n, ..., ...] = sum over k of x1[n, ..., k, ...] x2[n, ..., k, ...]; a number per sample is
    (N, 1)

    Args:
        axes: of both inputs, or one of each; never the batch's.
        normalize: whether the inputs are divided by their lengths along the axes first: cosines.

    Raises:
        TypeError: `axes` is neither an integer nor a list.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.layers.Dot(1)([tf.constant([[1.0, 2.0]]), tf.constant([[3.0, 4.0]])]).numpy()
        array([[11.]], dtype=float32)
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int | list | tuple):
            raise TypeError(
                "Invalid type for argument `axes`: it should be a list or an int. "
                f"Received: axes={axes}"
            )
        pair = [axes, axes] if isinstance(axes, int) else list(axes)
        if len(pair) != 2 or not all(isinstance(axis, int) for axis in pair):
            raise ValueError(
                "Invalid format for argument `axes`: it should contain two integers. "
                f"Received: axes={axes}"
            )
        self.axes, self.normalize, self._pair = axes, normalize, pair

    def _from_front(self, shapes: list[Sizes]) -> list[int]:
        """The axis of each of two inputs, counted from the front."""
        if len(shapes) != 2:
            raise ValueError(
                "A `Dot` layer should be called on a list of 2 inputs. "
                f"Received: input_shape={shapes}"
            )
        for axis, shape in zip(self._pair, shapes, strict=True):
            if not axis % len(shape) > 0 or not -len(shape) <= axis < len(shape):
                raise ValueError(
                    f"Dot: axes={self.axes} must be axes of the inputs, and not that of the batch. "
                    f"Received: input_shape={shapes}"
                )
        return [axis % len(shape) for axis, shape in zip(self._pair, shapes, strict=True)]

    def call(self, inputs: Any) -> Any:
        one, other = self._from_front([tuple(x.shape) for x in inputs])
        first, second = inputs
        if self.normalize:
            first = nn.l2_normalize(first, one, epsilon=1e-14)
            second = nn.l2_normalize(second, other, epsilon=1e-14)
        a = list(range(first.ndim))
        b = [0, *range(first.ndim, first.ndim + second.ndim - 1)]
        b[other] = a[one]
        rest = [x for x in a if x != a[one]] + [x for x in b[1:] if x != a[one]]
        terms = ("".join(chr(ord("a") + i) for i in letters) for letters in (a, b, rest))
        y = einsum(first, second, equation="{},{}->{}".format(*terms))
        return expand_dims(y, -1) if y.ndim == 1 else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: no step is left."""

    def compute_output_shape(self, input_shape: Any) -> Sizes:
        """The batch, then the other axes of the first, then those of the second."""
        shapes = shapes_of(self, input_shape)
        axes = self._from_front(shapes)
        sizes = [shape[axis] for shape, axis in zip(shapes, axes, strict=True)]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(
                f"Incompatible input shapes: axis values {sizes[0]} (at axis {axes[0]}) != "
                f"{sizes[1]} (at axis {axes[1]}). Full input shapes: {shapes[0]}, {shapes[1]}"
            )
        first, second = (
            [n for i, n in enumerate(shape) if i != axis]
            for shape, axis in zip(shapes, axes, strict=True)
        )
        found = (*first, *second[1:])
        return found if len(found) > 1 else (*found, 1)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """`Dot(axes, **kwargs)(inputs)`. Source: keras.layers.dot"""
    return Dot(axes=axes, **kwargs)(inputs)


# ----- masks, shapes -----


def _masks(inputs: Any, mask: Any) -> list[Any]:
    """The mask of each input, or None."""
    if mask is None:
        return [None] * len(inputs)
    if not isinstance(mask, list | tuple) or len(mask) != len(inputs):
        raise ValueError(f"`mask` should be a list of {len(inputs)} masks. Received: mask={mask}")
    return list(mask)


def _either(masks: list[Any]) -> Any:
    """What counts in any input; None if one has no mask."""
    return None if any(m is None for m in masks) else functools.reduce(math.logical_or, masks)


def _of_each(mask: Any, x: Any) -> Any:
    """A mask with an entry for each number of x; all count where there is none."""
    every = ones_like(x, dtype="bool")
    if mask is None or mask.ndim >= x.ndim:
        return every if mask is None else mask
    return math.logical_and(expand_dims(mask, -1), every)


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
