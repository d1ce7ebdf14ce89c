"""TensorSpec: what is known of the tensors of an element before there are any.

An element is a tree of tuples and dictionaries. As in tf.data, a list of numbers is a tensor.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minitensor import backend
from minitensor.autograd import Tensor, TensorShape, as_tensor, tree
from minitensor.backend.text import Text
from minitensor.dtypes import element_type, float32

flatten = functools.partial(tree.flatten, lists=False, sort=False)
map_structure = functools.partial(tree.map_structure, lists=False)


class TensorSpec:
    """A shape and a type without values.

    Args:
        shape: sizes; None where one may vary. None for any shape at all.
        dtype: element type.
        name: kept.

    Example:
        >>> import minitensor as tf
        >>> tf.TensorSpec([None, 28, 28], "uint8")
        TensorSpec(shape=(None, 28, 28), dtype=uint8, name=None)

    Source: tf.TensorSpec
    """

    def __init__(self, shape: Any, dtype: Any = float32, name: str | None = None) -> None:
        self.shape: Any = None if shape is None else TensorShape(shape)
        self.dtype = element_type(dtype)
        self.name = name

    def is_compatible_with(self, value: Any) -> bool:
        """Whether an array, a tensor or another spec has this type and shape."""
        if value.dtype != self.dtype:
            return False
        if self.shape is None or value.shape is None:
            return True
        pairs = zip(self.shape, value.shape, strict=False)
        same_rank = len(self.shape) == len(value.shape)
        return same_rank and all(n is None or m is None or n == m for n, m in pairs)

    def batched(self, size: int | None) -> TensorSpec:
        """The same with one axis more in front."""
        return TensorSpec(None if self.shape is None else (size, *self.shape), self.dtype)

    def rows(self) -> TensorSpec:
        """The same without its first axis."""
        if self.shape is not None and not self.shape:
            raise ValueError(
                "elements have no axes where batches are expected: Expected dataset with rank of "
                ">= 1 but found a dataset with scalar elements."
            )
        return TensorSpec(None if self.shape is None else self.shape[1:], self.dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype, self.name))

    def __repr__(self) -> str:
        shape = "<unknown>" if self.shape is None else str(self.shape)
        return f"TensorSpec(shape={shape}, dtype={self.dtype.name}, name={self.name!r})"


class DatasetSpec:
    """What the elements of a dataset look like that is itself an element.

    Example:
        >>> import minitensor as tf
        >>> tf.data.DatasetSpec(tf.TensorSpec([], "int64"))
        DatasetSpec(TensorSpec(shape=(), dtype=int64, name=None), TensorShape([]))

    Source: tf.data.DatasetSpec
    """

    def __init__(self, element_spec: Any, dataset_shape: Any = ()) -> None:
        self.element_spec, self.dataset_shape = element_spec, TensorShape(dataset_shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatasetSpec) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"DatasetSpec({self.element_spec!r}, {self.dataset_shape!r})"


def host_array(value: Any) -> Any:
    """What a user gave, as an array in the memory of the CPU that nobody else writes into.

    What nobody can write into, such as a tensor or np.load(file, mmap_mode="r"), is not copied.
    """
    if isinstance(value, Tensor):
        return backend.of(value.array).to_numpy(value.array) if not _is_text(value) else value.array
    if isinstance(value, np.ndarray) and _sealed(value) and value.dtype.isnative:
        as_tensor(value[:0] if value.ndim else value, what="Dataset: element")  # a legal type?
        if value.dtype.kind not in "USO":
            return np.asarray(value)  # np.memmap is slow to cut
    array = as_tensor(value, what="Dataset: element").array
    return array if type(array) is Text else np.array(backend.of(array).to_numpy(array))


def _is_text(tensor: Tensor) -> bool:
    return type(tensor.array) is Text


def _sealed(array: Any) -> bool:
    """Whether neither an array nor one that it is a view of can be written into."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return True


def spec_of(leaf: Any) -> Any:
    """What is known of one leaf: an array, a tensor, a number or a dataset."""
    if hasattr(type(leaf), "element_spec"):
        return DatasetSpec(leaf.element_spec)
    array = leaf if isinstance(leaf, Tensor | Text) else np.asarray(leaf)
    return TensorSpec(array.shape, array.dtype)


def common(first: Any, other: Any) -> Any:
    """The spec of elements of two kinds: sizes that differ are None, ranks that differ unknown.

    Raises:
        TypeError: containers or types differ.
    """
    if isinstance(first, DatasetSpec) and isinstance(other, DatasetSpec):
        return DatasetSpec(common(first.element_spec, other.element_spec))
    if isinstance(first, dict) and isinstance(other, dict) and {*first} == {*other}:
        return {key: common(first[key], other[key]) for key in first}
    if isinstance(first, tuple) and isinstance(other, tuple) and len(first) == len(other):
        return tuple(common(a, b) for a, b in zip(first, other, strict=True))
    if not isinstance(first, TensorSpec) or not isinstance(other, TensorSpec):
        raise TypeError("the containers differ")
    if first.dtype != other.dtype:
        raise TypeError("the types differ")
    a, b = first.shape, other.shape
    if a is None or b is None or len(a) != len(b):
        return TensorSpec(None, first.dtype)
    pairs = zip(a, b, strict=True)
    return TensorSpec([n if n == m else None for n, m in pairs], first.dtype)


def signature_of(types: Any, shapes: Any) -> Any:
    """TensorSpecs of element types, and of shapes in the same containers; None for any shape."""
    if isinstance(types, dict):
        return {
            key: signature_of(kind, None if shapes is None else shapes[key])
            for key, kind in types.items()
        }
    if isinstance(types, tuple):
        given = (None,) * len(types) if shapes is None else shapes
        return tuple(signature_of(kind, shape) for kind, shape in zip(types, given, strict=True))
    return TensorSpec(shapes, types)
