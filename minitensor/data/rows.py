"""Elements that wait: a row of arrays is cut out only when somebody looks at it.

Shuffling moves rows, not pixels; a batch of rows of the same arrays is one indexing of each array.
Everything else that flows through a pipeline is containers of arrays and tensors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minitensor import backend
from minitensor.autograd import Tensor, to_device_of
from minitensor.autograd.tensor import ArrayLike
from minitensor.backend import text
from minitensor.backend.text import Text, plain
from minitensor.data.spec import flatten, map_structure


class Rows:
    """Arrays in containers, all of one length."""

    def __init__(self, arrays: Any) -> None:
        self.arrays = arrays
        first, *rest = (array.shape for array in flatten(arrays))
        for shape in (first, *rest):
            if not shape:
                raise ValueError("Unbatching a tensor is only supported for rank >= 1")
            if shape[0] != first[0]:
                raise ValueError(
                    f"Dimensions {first[0]} and {shape[0]} are not compatible: all that is sliced "
                    "must have the same length"
                )
        self.length = first[0]

    def __iter__(self) -> Iterator[Row]:
        return (Row(self, i) for i in range(self.length))


class Row:
    """One row of them: a promise of an element."""

    __slots__ = ("index", "rows")

    def __init__(self, rows: Rows, index: int) -> None:
        self.rows, self.index = rows, index

    def values(self) -> Any:
        """The element itself: copies, which later changes of the arrays do not reach."""
        return map_structure(
            lambda array: np.array(array[self.index], subok=True), self.rows.arrays
        )


def array_of(leaf: Any) -> Any:
    """A leaf as an array in the memory of the CPU."""
    if isinstance(leaf, Tensor):
        return leaf.array if type(leaf.array) is Text else np.asarray(leaf)
    return leaf


def opened(element: Any) -> Any:
    """An element of arrays and tensors, from one that may have rows in it."""
    if type(element) is Row:
        return element.values()
    return map_structure(lambda leaf: leaf.values() if type(leaf) is Row else leaf, element)


def tensors(element: Any) -> Any:
    """An element as user code sees it: tensors on the present device, and datasets."""
    return map_structure(_tensor, opened(element))


def _tensor(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        if type(leaf.array) is Text or backend.of(leaf.array) is backend.current():
            return leaf
        return to_device_of(leaf.numpy())
    return leaf if hasattr(type(leaf), "element_spec") else to_device_of(leaf)


def stacked(elements: Sequence[Any]) -> Any:
    """Elements side by side along a new first axis.

    Raises:
        ValueError: their containers, shapes or types differ.
    """
    if any(isinstance(element, Row) for element in elements):
        return _joined(elements)
    first = elements[0]
    if isinstance(first, dict):
        return {key: stacked([element[key] for element in elements]) for key in first}
    if isinstance(first, tuple):
        parts = [stacked(column) for column in zip(*elements, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    return _stacked_leaves([array_of(element) for element in elements])


def _joined(elements: Sequence[Any]) -> Any:
    """Rows of the same arrays by one indexing of each; others after they were cut out."""
    rows = {element.rows if isinstance(element, Row) else None for element in elements}
    source = rows.pop()
    if rows or source is None:
        return stacked([opened(element) for element in elements])
    chosen = [element.index for element in elements]
    start, count = chosen[0], len(chosen)
    if chosen == list(range(start, start + count)):  # neighbours: one copy of memory
        return map_structure(lambda array: array[start : start + count].copy(), source.arrays)
    return map_structure(lambda array: array[chosen], source.arrays)  # (n, ...)


def _stacked_leaves(arrays: list[Any]) -> np.ndarray:
    first = arrays[0]
    for k, array in enumerate(arrays):
        if array.shape != first.shape:
            raise ValueError(
                "Cannot batch tensors with different shapes. First element had shape "
                f"{list(first.shape)} and element {k} had shape {list(array.shape)}."
            )
        if array.dtype != first.dtype:
            raise ValueError(f"Cannot batch tensors of types {first.dtype} and {array.dtype}.")
    if type(first) is Text and not first.ndim:
        return text.stacked(arrays)  # (n,)
    return np.stack(arrays)  # (n, ...)


def numbers(element: Any) -> Any:
    """An element as NumPy arrays and scalars."""
    return map_structure(_number, opened(element))


def _number(leaf: Any) -> Any:
    if isinstance(leaf, ArrayLike):
        return leaf.numpy()
    if type(leaf) is Text:
        return plain(leaf).copy()[()]
    if hasattr(type(leaf), "element_spec"):
        raise TypeError(
            "`tf.data.Dataset.as_numpy_iterator()` is not supported for datasets of datasets"
        )
    return np.array(leaf)[()]
