"""What each step of a pipeline does with the elements that come in, as generators.

An element is a Row, or containers of arrays and tensors; see rows.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.tensor import ArrayLike
from minitensor.data.rows import Rows, array_of, opened, stacked, tensors
from minitensor.data.spec import TensorSpec, flatten, host_array, map_structure

_DRAWS = 1024  # numbers drawn at a time: one by one costs ten times as much


def called(function: Callable[..., Any], element: Any) -> Any:
    """What user code gives for an element: a tuple is spread over its arguments."""
    seen = tensors(element)
    result = function(*seen) if type(seen) is tuple else function(seen)
    return map_structure(_kept, tuple(result) if isinstance(result, list) else result)


def _kept(leaf: Any) -> Any:
    if type(leaf) is Tensor:
        return leaf
    if hasattr(leaf, "element_spec"):
        return leaf
    if leaf is None:
        raise TypeError("Dataset: the function returned None where a tensor is expected")
    return as_tensor(leaf, what="Dataset: what the function returned")


def accepted(predicate: Callable[..., Any], element: Any) -> bool:
    """Whether a filter lets an element through."""
    seen = tensors(element)
    verdict = predicate(*seen) if type(seen) is tuple else predicate(seen)
    if np.ndim(verdict.array if isinstance(verdict, ArrayLike) else verdict):
        raise ValueError("Invalid `predicate`. `predicate` must return a `tf.bool` scalar tensor.")
    return bool(verdict)


def shuffled(elements: Iterator[Any], size: int, rng: np.random.Generator) -> Iterator[Any]:
    """Each time one of the next `size` elements, all equally likely."""
    waiting = list(islice(elements, size))
    for position, element in zip(_positions(rng, len(waiting)), elements, strict=False):
        yield waiting[position]
        waiting[position] = element
    rng.shuffle(waiting)  # type: ignore[arg-type]
    yield from waiting


def _positions(rng: np.random.Generator, count: int) -> Iterator[int]:
    while count:
        yield from rng.integers(count, size=_DRAWS).tolist()


def batches(elements: Iterable[Any], size: int, drop_remainder: bool) -> Iterator[Any]:
    """`size` at a time, stacked; the last may be smaller."""
    elements = iter(elements)
    while group := list(islice(elements, size)):
        if len(group) == size or not drop_remainder:
            yield stacked(group)


def unbatched(elements: Iterable[Any]) -> Iterator[Any]:
    """The rows of each element."""
    for element in elements:
        yield from Rows(map_structure(array_of, opened(element)))


def numbered(elements: Iterable[Any], start: int) -> Iterator[Any]:
    """(index, element)."""
    for index, element in enumerate(elements, start):
        yield np.array(index, np.int64), element


_END = object()


def zipped(iterators: Any) -> Iterator[Any]:
    """One element of each, in the containers that the iterators are in, until one has none."""
    while True:
        element = map_structure(lambda iterator: next(iterator, _END), iterators)
        if any(leaf is _END for leaf in flatten(element)):
            return
        yield element


def yielded(element: Any, signature: Any) -> Any:
    """What a user's generator gave, in the types and shapes that were promised."""
    if signature is None:
        return map_structure(host_array, element)
    try:
        return map_structure(_fitted, signature, element)
    except (KeyError, TypeError, IndexError) as problem:
        raise ValueError(
            f"`generator` yielded an element that does not match the expected structure "
            f"{signature!r}: {problem}"
        ) from None


def _fitted(spec: TensorSpec, leaf: Any) -> np.ndarray:
    array = host_array(as_tensor(leaf, None if isinstance(leaf, ArrayLike) else spec.dtype))
    if not spec.is_compatible_with(array):
        raise ValueError(
            f"`generator` yielded an element of shape {array.shape} and type {array.dtype} where "
            f"{spec!r} was expected."
        )
    return array
