"""TensorSpec: what is known of the tensors of an element before there are any.

An element is a tree of tuples and dictionaries. As in tf.data, a list of numbers is a tensor.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, TensorShape, as_tensor, tree
from minitensor.autograd.tensor import ArrayLike
from minitensor.dtypes import as_dtype, float32

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
        self.dtype = np.dtype(str) if dtype in (str, np.dtype(str)) else as_dtype(dtype)
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

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype, self.name))

    def __repr__(self) -> str:
        words = "string" if self.dtype.kind == "U" else self.dtype.name
        shape = "<unknown>" if self.shape is None else str(self.shape)
        return f"TensorSpec(shape={shape}, dtype={words}, name={self.name!r})"


def host_array(value: Any) -> Any:
    """What a user gave, as an array in the memory of the CPU; a NumPy array is not copied."""
    if isinstance(value, ArrayLike):
        return np.asarray(value)
    if isinstance(value, str | bytes) or _is_text(value):
        return np.asarray(value, str)
    if isinstance(value, np.ndarray) and value.dtype.isnative and value.dtype.kind != "O":
        as_tensor(value[:0] if value.ndim else value, what="Dataset: element")  # a legal type?
        return value
    return np.asarray(as_tensor(value, what="Dataset: element"))


def _is_text(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "US"
    return isinstance(value, list) and bool(value) and isinstance(value[0], str | bytes)


def spec_of(leaf: Any) -> TensorSpec:
    """What is known of one leaf: an array, a tensor, text or a number."""
    if isinstance(leaf, str):
        return TensorSpec((), str)
    array = leaf if isinstance(leaf, Tensor) else np.asarray(leaf)
    return TensorSpec(array.shape, str if array.dtype.kind == "U" else array.dtype)


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
