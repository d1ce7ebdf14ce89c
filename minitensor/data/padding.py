"""How padded_batch makes elements of different shapes equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.backend import text
from minitensor.data.rows import array_of, opened
from minitensor.data.spec import TensorSpec, flatten, map_structure

_NOTHING = object()


@dataclass(frozen=True)
class Plan:
    """What shapes are filled up to, and with what.

    Attributes:
        shapes: None, or a shape for each tensor in the containers of the elements.
        values: None, one value for all, or values in these containers.
    """

    shapes: Any
    values: Any

    def check(self, spec: Any) -> None:
        """Raises what `leaves` raises, as far as a spec tells."""
        for part, shape, value in self.leaves(spec):
            _fill(part.dtype, value)
            known = part.shape
            if shape is not None and known is not None and not _fits(shape, known):
                raise ValueError(
                    f"The padded shape {shape} is not compatible with the shape {tuple(known)} of "
                    "the corresponding input component."
                )

    def leaves(self, element: Any) -> list[tuple[Any, Any, Any]]:
        """(leaf, its shape, its padding value) of an element or a spec."""
        parts = flatten(element)
        shapes = [None] * len(parts) if self.shapes is None else _shapes(self.shapes, element)
        values = flatten(self.values) if isinstance(self.values, tuple | dict) else [self.values]
        values = values * len(parts) if not isinstance(self.values, tuple | dict) else values
        if not len(parts) == len(shapes) == len(values):
            raise ValueError(
                f"The two structures don't have the same sequence length: {len(parts)} tensors, "
                f"{len(shapes)} padded_shapes, {len(values)} padding_values."
            )
        return list(zip(parts, shapes, values, strict=True))

    def spec(self, spec: Any, seen: bool) -> Any:
        """The spec of a padded element; of a spec that was only seen, every axis may vary."""
        found = iter(
            TensorSpec(shape if shape is not None else _varying(part, seen), part.dtype)
            for part, shape, _ in self.leaves(spec)
        )
        return map_structure(lambda _: next(found), spec)

    def stacked(self, elements: Sequence[Any]) -> Any:
        """Elements filled up to one shape, side by side along a new first axis."""
        rows = [opened(element) for element in elements]
        columns = list(zip(*(self.leaves(row) for row in rows), strict=True))
        joined = iter([_joined(column) for column in columns])
        return map_structure(lambda _: next(joined), rows[0])


def _shapes(shapes: Any, element: Any) -> list[Any]:
    """The shapes in the order of the leaves."""
    if isinstance(element, dict):
        return [s for key in element for s in _shapes(shapes[key], element[key])]
    if isinstance(element, tuple):
        if len(shapes) != len(element):
            raise ValueError(
                "The two structures don't have the same sequence length. Input structure has "
                f"length {len(shapes)}, while shallow structure has length {len(element)}."
            )
        return [s for one, part in zip(shapes, element, strict=True) for s in _shapes(one, part)]
    sizes = np.asarray(shapes).tolist() if isinstance(shapes, Tensor | np.ndarray) else shapes
    return [tuple(None if n in (None, -1) else int(n) for n in sizes)]


def _varying(part: TensorSpec, seen: bool) -> Any:
    return [None] * len(part.shape) if seen and part.shape is not None else part.shape


def _fits(shape: Any, known: Any) -> bool:
    pairs = zip(shape, known, strict=False)
    return len(shape) == len(known) and all(n is None or m is None or n >= m for n, m in pairs)


def _joined(column: Sequence[tuple[Any, Any, Any]]) -> Any:
    """One tensor of each element: (n, ...)"""
    arrays = [array_of(leaf) for leaf, _, _ in column]
    _, shape, value = column[0]
    ranks = {array.ndim for array in arrays} | (set() if shape is None else {len(shape)})
    if len(ranks) != 1:
        raise ValueError(
            f"padded_batch: tensors and shape have {sorted(ranks)} axes; all must agree"
        )
    longest = np.max([array.shape for array in arrays], axis=0).tolist() if ranks != {0} else []
    target = [m if n is None else n for n, m in zip(shape or longest, longest, strict=True)]
    if any(m > n for n, m in zip(target, longest, strict=True)):
        raise ValueError(
            f"Attempted to pad to a smaller size than the input element: {longest} to {target}."
        )
    first = arrays[0].dtype
    whole = np.full((len(arrays), *target), _fill(first, value), np.dtype(first))
    for k, array in enumerate(arrays):
        if array.dtype != first:
            raise ValueError(f"Cannot batch tensors of types {first} and {array.dtype}.")
        place: Any = (k, *[slice(size) for size in array.shape])
        whole[place] = text.plain(array)[()]  # an element, not an array that holds it
    return whole.view(text.Text) if first == text.string else whole  # (n, *target)


def _fill(dtype: Any, value: Any) -> Any:
    """The padding value, which has the tensor's own type."""
    if value is None:
        return b"" if dtype == text.string else 0
    given = as_tensor(value)
    if given.dtype != dtype:
        raise TypeError(
            f"Invalid `padding_values`. `padding_values` values type {given.dtype.name} does not "
            f"match type {dtype.name} of the corresponding input component."
        )
    return given.numpy()
