"""What each step of a pipeline does with the elements that come in, as iterators.

An element is a Row, or containers of arrays and tensors; see rows.py. An iterator goes on after an
error (a generator would be at its end): what comes next is what comes in TensorFlow.
"""

from __future__ import annotations

import sys
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count, islice
from typing import Any, Self

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.tensor import ArrayLike
from minitensor.data.rows import Rows, array_of, opened, stacked, tensors
from minitensor.data.spec import (
    TensorSpec,
    common,
    flatten,
    host_array,
    map_structure,
    spec_of,
)

_END = object()
_DRAWS = 1024  # numbers drawn at a time: one by one costs ten times as much


def called(function: Callable[..., Any], element: Any) -> Any:
    """What user code gives for an element: a tuple is spread over its arguments."""
    seen = tensors(element)
    result = function(*seen) if type(seen) is tuple else function(seen)
    return map_structure(_kept, tuple(result) if isinstance(result, list) else result)


def _kept(leaf: Any) -> Any:
    if type(leaf) is Tensor:
        return leaf
    if hasattr(type(leaf), "element_spec"):
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


class Steps:
    """An iterator that calls a function for each element, and goes on after one that fails."""

    def __init__(self, step: Callable[[], Any]) -> None:
        self._step = step

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        return self._step()


def later(start: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """The elements of an iterator that begins when the first is asked for."""
    source: Iterator[Any] | None = None

    def step() -> Any:
        nonlocal source
        if source is None:
            source = start()
        return next(source)

    return Steps(step)


def shuffled(elements: Iterator[Any], size: int, rng: np.random.Generator) -> Iterator[Any]:
    """Each time one of the next `size` elements, all equally likely."""
    if size == 1:
        return elements  # nothing is read ahead, so an error comes in its place
    waiting: list[Any] = []
    positions = _positions(rng, size)
    rest: Iterator[Any] | None = None  # what waits when no more comes, in its order

    def step() -> Any:
        nonlocal rest
        while rest is None:
            try:
                element = next(elements)
            except StopIteration:
                rng.shuffle(waiting)  # type: ignore[arg-type]
                rest = iter(waiting)
                break
            if len(waiting) == size:
                position = next(positions)
                chosen, waiting[position] = waiting[position], element
                return chosen
            waiting.append(element)
        return next(rest)

    return Steps(step)


def _positions(rng: np.random.Generator, count: int) -> Iterator[int]:
    while count:
        yield from rng.integers(count, size=_DRAWS).tolist()


def repeated(start: Callable[[], Iterator[Any]], times: int) -> Iterator[Any]:
    """What `start` gives, so many times in a row, without end if `times` is negative."""
    source, left, first = iter(()), times, False  # type: ignore[var-annotated]

    def step() -> Any:
        nonlocal source, left, first
        while True:
            empty, first = first, False
            try:
                return next(source)
            except StopIteration:
                if not left or (empty and times < 0):
                    left = 0
                    raise
                source, left, first = start(), left - 1, True

    return Steps(step)


def sliced(elements: Iterator[Any], first: int, most: int = -1, step: int = 1) -> Iterator[Any]:
    """Elements number first, first + step ..., `most` of them if that is not negative.

    An error among those that are passed over begins their count anew.
    """
    passed, left = first, most

    def one() -> Any:
        nonlocal passed, left
        if not left:
            raise StopIteration
        for _ in range(passed):
            next(elements)
        passed = 0
        element = next(elements)
        passed, left = step - 1, left - 1
        return element

    return Steps(one)


def mapped_batches(elements: Iterator[Any], size: int, drop_remainder: bool) -> Iterator[Any]:
    """`size` at a time, stacked; the last may be smaller. An error is a whole batch."""
    tries = tried(elements)

    def step() -> Any:
        group = made(list(islice(tries, size)))
        if len(group) < (size if drop_remainder else 1):
            raise StopIteration
        return stacked(group)

    return Steps(step)


def tried(elements: Iterator[Any]) -> Iterator[tuple[Any, Exception | None]]:
    """(element, None), or (None, why it could not be made), for each of them."""
    while True:
        try:
            yield next(elements), None
        except StopIteration:
            return
        except Exception as problem:
            yield None, problem


def made(tries: Sequence[tuple[Any, Exception | None]]) -> list[Any]:
    """The elements, or the first error among them."""
    for _, problem in tries:
        if problem is not None:
            raise problem
    return [element for element, _ in tries]


def windows(
    elements: Iterator[Any], size: int, shift: int, stride: int, drop_remainder: bool
) -> Iterator[list[Any]]:
    """`size` elements that are `stride` apart, each time `shift` further on.

    An element that could not be made holds its place, and is an error of the windows it is in.
    """
    span = (size - 1) * stride + 1
    tries = tried(elements)
    held: deque[tuple[Any, Exception | None]] = deque()

    def step() -> list[Any]:
        held.extend(islice(tries, span - len(held)))
        if len(held) < (span if drop_remainder else 1):
            raise StopIteration
        window = list(islice(held, 0, None, stride))
        between = max(shift - len(held), 0)  # how many lie between this window and the next
        for _ in range(shift - between):
            held.popleft()
        deque(islice(tries, between), maxlen=0)
        return made(window)

    return Steps(step)


def cut(
    elements: Iterator[Any],
    sizes: Sequence[int],
    drop_remainder: bool,
    stack: Callable[[list[Any]], Any] = stacked,
) -> Iterator[Any]:
    """So many at a time, by turns, stacked. An error loses what was gathered, and no turn.

    A size of 0 gives an empty batch; before the first element it looks what elements are like.
    """
    turn, over, source = 0, False, elements
    nothing: Any = None

    def step() -> Any:
        nonlocal turn, source, nothing, over
        if 0 in sizes and nothing is None:
            first = next(source)
            source = chain([first], elements)
            nothing = map_structure(lambda array: array[:0], stack([first]))
        size = sizes[turn]
        group = [] if over else list(islice(source, size))
        if over or len(group) < (size if drop_remainder else min(size, 1)):
            raise StopIteration
        turn, over = (turn + 1) % len(sizes), len(group) < size
        return stack(group) if group else nothing

    return Steps(step)


def unbatched(elements: Iterator[Any]) -> Iterator[Any]:
    """The rows of each element."""
    return interleaved(map(iter, map(_rows, elements)))


def _rows(element: Any) -> Rows:
    return Rows(map_structure(array_of, opened(element)))


def parted(elements: Iterator[Any], count: int) -> Iterator[Any]:
    """Each batch as `count` smaller ones, as many rows in each as fit, in the last what is left."""

    def parts(element: Any) -> Iterator[Any]:
        rows = _rows(element)
        size = -(-rows.length // count)
        for k in range(count):
            part = slice(k * size, (k + 1) * size)
            yield map_structure(lambda array, part=part: array[part], rows.arrays)

    return interleaved(map(parts, elements))


def numbered(elements: Iterable[Any], start: int) -> Iterator[Any]:
    """(index, element)."""
    return zip((np.array(n, np.int64) for n in count(start)), elements, strict=False)


def interleaved(sources: Iterator[Iterator[Any]], slots: int = 1, block: int = 1) -> Iterator[Any]:
    """`block` elements of each of `slots` iterators by turns; the next takes an empty slot.

    With one slot: the elements of one after the other.
    """
    open_ones: list[Iterator[Any] | None] = [None] * slots
    at, given, more = 0, 0, True

    def step() -> Any:
        nonlocal at, given, more
        while more or any(one is not None for one in open_ones):
            if open_ones[at] is None and more:
                open_ones[at] = next(sources, None)
                more = open_ones[at] is not None
            source = open_ones[at]
            element = _END if source is None else next(source, _END)
            given += 1
            if element is _END:
                open_ones[at] = None
            if element is _END or given == block:
                at, given = (at + 1) % slots, 0
            if element is not _END:
                return element
        raise StopIteration

    return Steps(step)


def chosen(
    sources: list[Iterator[Any]],
    choices: Iterator[int],
    stop_on_empty: bool,
    possible: Iterable[int],
) -> Iterator[Any]:
    """The next element of source k, for each k of `choices`, of which these are possible."""
    left = {*possible}

    def step() -> Any:
        while left:
            k = next(choices)
            if k not in left:
                continue
            element = next(sources[k], _END)
            if element is not _END:
                return element
            left.discard(k)
            if stop_on_empty:
                left.clear()
        raise StopIteration

    return Steps(step)


def grouped(
    elements: Iterator[Any], key_func: Callable[..., Any], full: Callable[[int], int]
) -> Iterator[tuple[int, list[Any]]]:
    """(key, elements of that key) whenever full(key) of them came; in the end what is left."""
    waiting: defaultdict[int, list[Any]] = defaultdict(list)

    def step() -> tuple[int, list[Any]]:
        for element in elements:
            key = int(called(key_func, element))
            waiting[key].append(element)
            if len(waiting[key]) >= full(key):
                return key, waiting.pop(key)
        if not waiting:
            raise StopIteration
        key = min(waiting)
        return key, waiting.pop(key)

    return Steps(step)


def alike(first: Iterator[Any], second: Iterator[Any]) -> Iterator[Any]:
    """The elements of two iterators, whose containers and types must agree."""
    before: Any = _END

    def noted(element: Any) -> Any:
        nonlocal before
        before = element
        return element

    def compared(element: Any) -> Any:
        nonlocal before
        if before is not _END:
            one, other = (map_structure(spec_of, opened(e)) for e in (before, element))
            try:
                common(one, other)
            except TypeError:
                raise TypeError(f"Incompatible dataset elements:\n  {one} vs.\n  {other}") from None
            before = _END
        return element

    return chain(map(noted, first), map(compared, second))


def check_unique(spec: Any) -> None:
    """A TypeError if elements of this kind are not told apart."""
    leaves = flatten(spec)
    if len(leaves) != 1:
        raise TypeError("`tf.data.Dataset.unique` is not supported for datasets of several tensors")
    leaf = leaves[0]
    if not isinstance(leaf, TensorSpec) or leaf.dtype.name not in ("int32", "int64", "string"):
        raise TypeError(
            f"`tf.data.Dataset.unique` does not support {leaf!r} -- only int32, int64 and string "
            "are supported."
        )


def distinct(elements: Iterable[Any]) -> Iterator[Any]:
    """Each element where it first comes."""
    seen = set()

    def new(element: Any) -> bool:
        check_unique(map_structure(spec_of, element))
        (array,) = map(array_of, flatten(element))
        key = array.shape, tuple(array.ravel().tolist())
        known = key in seen
        seen.add(key)
        return not known

    return filter(new, map(opened, elements))


def without_errors(
    elements: Iterator[Any], kinds: tuple[type[Exception], ...], log: bool
) -> Iterator[Any]:
    """The elements that could be made."""

    def step() -> Any:
        while True:
            try:
                return next(elements)
            except kinds as problem:
                if log:
                    print(f"ignore_errors: {problem}", file=sys.stderr)

    return Steps(step)


def scanned(function: Callable[..., Any], state: Any, element: Any) -> tuple[Any, Any]:
    """The new state and element that a scan's function gives."""
    found = function(tensors(state), tensors(element))
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise TypeError(
            "Invalid `scan_func`. `scan_func` should return a pair consisting of new state and the "
            f"output value but its return type is {type(found).__name__}."
        )
    new, result = (map_structure(_kept, part) for part in found)
    for before, after in zip(flatten(state), flatten(new), strict=True):
        if before.dtype != after.dtype:
            raise TypeError(
                "Invalid `scan_func`. The element types for the new state must match the initial "
                f"state. Expected {before.dtype.name}, got {after.dtype.name}."
            )
    return new, result


def zipped(iterators: Any) -> Iterator[Any]:
    """One element of each, in the containers that the iterators are in, until one has none."""

    def joined(*found: Any) -> Any:
        parts = iter(made(found))
        return map_structure(lambda _: next(parts), iterators)

    return map(joined, *map(tried, flatten(iterators)))


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
