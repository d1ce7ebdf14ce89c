"""Steps of a pipeline on threads: elements made ahead, and several of them side by side.

A thread computes on the CPU, and draws from a generator that belongs to its step or its element, so
that what comes does not depend on which thread was faster. An error travels to whoever asks for
the element. Threads end when nobody holds the iterator they work for.
"""

from __future__ import annotations

import functools
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from contextvars import copy_context
from itertools import islice
from threading import Semaphore, Thread
from time import perf_counter
from typing import Any, Self

import numpy as np

from minitensor.backend import generator
from minitensor.backend.devices import device
from minitensor.data.steps import Steps, interleaved, made, tried

_WORTH = 1e-3  # seconds of work that a thread is given at a time
_MOST = 64  # elements that it is given at a time


def _drawn() -> int:
    return int(generator.generator().integers(2**63))


def _apart(source: Iterator[Any]) -> Iterator[Any]:
    """The same elements, whose draws do not depend on when they are made."""
    rng = np.random.default_rng(_drawn())

    def step() -> Any:
        with generator.using(rng):
            return next(source)

    return Steps(step)


def _begin(work: Callable[..., None], *args: Any) -> None:
    def run() -> None:
        with device("/CPU:0"):
            work(*args)

    Thread(target=copy_context().run, args=(run,), name="minitensor data", daemon=True).start()


def _queue() -> Any:
    from queue import SimpleQueue  # a tenth of our import time, if at the top

    return SimpleQueue()


# ----- ahead -----


class _Shelf:
    """A queue of elements that a thread makes, never more than `size` that nobody took."""

    def __init__(self, source: Iterator[Any], size: int, ready: Any, gate: Any) -> None:
        self.room, self.ready = _queue(), ready
        for _ in range(size):
            self.room.put(True)
        _begin(_fill, self, source, gate)

    def end(self) -> None:
        """Nobody asks any more."""
        self.room.put(False)


def _fill(shelf: _Shelf, source: Iterator[Any], gate: Any) -> None:
    """What the thread does; the last that comes is an error, StopIteration."""
    while shelf.room.get():
        try:
            with gate:
                shelf.ready.put((shelf, next(source), None))
        except BaseException as problem:
            shelf.ready.put((shelf, None, problem))
            if isinstance(problem, StopIteration):
                return


class Ahead:
    """The elements of an iterator, up to `size` of them made before they are asked for.

    The thread begins with the first that is asked for, or with `begin`. `gate` is a context in
    which each is made.
    """

    def __init__(self, source: Iterator[Any], size: int, gate: Any = None) -> None:
        self._start = functools.partial(
            _Shelf, _apart(source), size, _queue(), gate or nullcontext()
        )
        self._shelf: _Shelf | None = None
        self._over = False

    def begin(self) -> Self:
        """Starts the thread."""
        self._shelf = self._start()
        weakref.finalize(self, self._shelf.end)
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if self._shelf is None:
            self.begin()
        if self._over:
            raise StopIteration
        shelf, element, problem = self._shelf.ready.get()  # type: ignore[union-attr]
        shelf.room.put(True)
        if problem is not None:
            self._over = isinstance(problem, StopIteration)
            raise problem
        return element


class _Hurried:
    """The elements of `slots` iterators at a time, whichever has one; the next takes a slot."""

    def __init__(self, sources: Iterator[Iterator[Any]], slots: int, size: int, gate: Any) -> None:
        self._sources, self._slots, self._size, self._gate = sources, slots, size, gate
        self._ready = _queue()
        self._open: set[_Shelf] = set()
        self._more = True
        weakref.finalize(self, _end_all, self._open)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        while True:
            while self._more and len(self._open) < self._slots:
                self._begin_next()
            if not self._open:
                raise StopIteration
            shelf, element, problem = self._ready.get()
            if isinstance(problem, StopIteration):
                self._open.discard(shelf)
                continue
            shelf.room.put(True)
            if problem is not None:
                raise problem
            return element

    def _begin_next(self) -> None:
        source = next(self._sources, None)
        self._more = source is not None
        if source is not None:
            self._open.add(_Shelf(_apart(source), self._size, self._ready, self._gate))


def _end_all(shelves: set[_Shelf]) -> None:
    for shelf in shelves:
        shelf.end()


def interleaved_ahead(
    sources: Iterator[Iterator[Any]],
    slots: int,
    block: int,
    calls: int,
    size: int,
    in_order: bool,
    spread: Callable[[Iterator[Any]], Iterator[Any]] = iter,
) -> Iterator[Any]:
    """As `steps.interleaved`, `slots` iterators each on a thread, of which `calls` run at once.

    Args:
        size: elements of each that are made before they are asked for.
        in_order: by turns, else whichever has one.
        spread: makes more elements of these; they take turns.
    """
    gate = Semaphore(calls) if calls < slots else nullcontext()
    if not in_order:
        return spread(_Hurried(sources, slots, size, gate))

    def begun(one: tuple[Any, Exception | None]) -> Iterator[Any]:
        source, problem = one
        if problem is not None:  # which takes a slot and a turn, as one of an element does
            return iter([one])
        return tried(spread(Ahead(source, size, gate).begin()))

    tries = interleaved(_early(map(begun, tried(sources)), slots), slots, block)
    return map(_one, tries)


def _one(tried_one: tuple[Any, Exception | None]) -> Any:
    return made([tried_one])[0]


def _early(sources: Iterator[Any], count: int) -> Iterator[Any]:
    """The same, begun early: `count` together at first, and later always the next one."""
    held: deque[Any] = deque()

    def step() -> Any:
        nonlocal count
        held.extend(islice(sources, max(count + 1 - len(held), 0)))
        count = 1
        if not held:
            raise StopIteration
        return held.popleft()

    return Steps(step)


# ----- side by side -----


class Mapped:
    """function(element) for each element, up to `calls` at the same time.

    Where a call takes less than what is worth a thread, several elements go together.
    """

    def __init__(
        self, function: Callable[[Any], Any], source: Iterator[Any], calls: int, in_order: bool
    ) -> None:
        self._source, self._calls = _apart(source), calls
        self._tasks, self._any = _queue(), None if in_order else _queue()
        self._pace = [_WORTH]  # seconds of the last call
        self._work = function, _drawn(), self._tasks, self._pace
        self._waiting: deque[Any] = deque()  # where results will come
        self._results: deque[tuple[Any, BaseException | None]] = deque()
        self._given, self._more = 0, True
        self._idle = calls  # threads that are still to begin

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if not self._results:
            self._hand_over()
            if not self._waiting:
                raise StopIteration
            self._results.extend(self._waiting.popleft().get())
            self._hand_over()
        element, problem = self._results.popleft()
        if problem is not None:
            raise problem
        return element

    def _hand_over(self) -> None:
        while self._idle:
            self._idle -= 1
            _begin(_serve, *self._work)
            weakref.finalize(self, self._tasks.put, None)
        while self._more and len(self._waiting) < self._calls:
            group = self._group()
            if group:
                self._waiting.append(self._any or _queue())
                self._tasks.put((self._given, group, self._waiting[-1]))
                self._given += len(group)

    def _group(self) -> list[tuple[Any, Exception | None]]:
        """As many elements as are worth a thread, and can be had soon."""
        group: list[tuple[Any, Exception | None]] = []
        size = min(max(int(_WORTH / max(self._pace[0], 1e-9)), 1), _MOST)
        begun = perf_counter()
        while len(group) < size and (not group or perf_counter() - begun < _WORTH):
            try:
                group.append((next(self._source), None))
            except StopIteration:
                self._more = False
                break
            except Exception as problem:
                group.append((None, problem))
        return group


def _serve(function: Callable[[Any], Any], seed: int, tasks: Any, pace: list[float]) -> None:
    while _served(function, seed, pace, tasks.get()):
        pass  # and holds nothing, not even an error, whose traceback holds the iterator


def _served(function: Callable[[Any], Any], seed: int, pace: list[float], task: Any) -> bool:
    """Does what was given, if it was anything."""
    if task is None:
        return False
    first, group, done = task
    begun = perf_counter()
    found = [_tried(function, seed, first + k, *each) for k, each in enumerate(group)]
    pace[0] = (perf_counter() - begun) / len(group)
    done.put(found)
    return True


def _tried(
    function: Callable[[Any], Any], seed: int, number: int, element: Any, problem: Any
) -> tuple[Any, BaseException | None]:
    if problem is not None:
        return None, problem
    try:
        with generator.using(functools.cache(lambda: np.random.default_rng([seed, number]))):
            return function(element), None
    except BaseException as error:
        return None, error
