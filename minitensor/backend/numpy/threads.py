"""Our own worker threads: independent pieces of work.

NumPy and compiled kernels leave the interpreter lock while they copy and multiply, so plain threads
use all cores. Where they multiply by BLAS it must stay on one thread: many small products on many
threads each spend their time waiting for one another. threadpoolctl sets that; without it there is
one worker and BLAS keeps its own threads.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from queue import SimpleQueue

Item = TypeVar("Item")
Result = TypeVar("Result")

_lock = Lock()
_calls_inside = 0
_saved: list[int] = []
_wanted = 0  # threads; all cores


def workers() -> int:
    """How many pieces of work run at once: the cores we may use, or 1 without threadpoolctl."""
    return num_threads() or cores() if _blas_libraries() else 1


def num_threads() -> int:
    """What `set_num_threads` set last; 0 at first: all cores that we may use."""
    return _wanted


def set_num_threads(number: int) -> None:
    """Let one call share its work among so many threads, ours and BLAS's; 0 for all cores."""
    global _wanted
    _wanted = number
    with _lock:
        for library in _blas_libraries():
            _set_threads(library, number or cores())
        _saved[:] = [number or cores() for _ in _saved]


def parallel_map(
    function: Callable[[Item], Result], items: Sequence[Item], num_threads: int
) -> list[Result]:
    """[function(item) for item in items], by `num_threads`.

    Each has its own neighbouring items, the same in every call of so many: what it wrote in one is
    close to its core in the next. When they are done it takes the last of another's.
    """
    num_threads = min(num_threads, len(items))
    if num_threads == 1:
        return list(map(function, items))
    results: dict[int, Result] = {}
    numbers = range(len(items))
    queues = [
        deque(numbers[len(items) * own // num_threads : len(items) * (own + 1) // num_threads])
        for own in range(num_threads)
    ]

    def work(own: int) -> None:
        for number in _taken(queues, own):
            results[number] = function(items[number])

    helpers = [Helper(work, own) for own in range(1, num_threads)]
    for inbox, helper in zip(_crew(os.getpid(), workers()), helpers, strict=False):
        inbox.put(helper)
    try:
        work(0)
    finally:  # even if ours failed: what they write to must stay until they are done
        errors = [helper.wait() for helper in helpers]
    for error in filter(None, errors):
        raise error
    return [results[number] for number in numbers]


def parallel_products(
    function: Callable[[Item], Result], items: Sequence[Item], num_threads: int
) -> list[Result]:
    """The same of a function that multiplies matrices: BLAS gives each thread one of its own."""
    if min(num_threads, len(items)) == 1:
        return list(map(function, items))
    with one_blas_thread():
        return parallel_map(function, items, num_threads)


def _taken(queues: Sequence[deque[int]], own: int) -> Iterator[int]:
    """The numbers of our own queue, from the first; then of the others, from the last."""
    for take in (queues[own].popleft, *(queue.pop for queue in queues)):
        while True:
            try:
                number = take()
            except IndexError:  # none is left there
                break
            yield number


class Helper:
    """work(own) by another thread, in a copy of our context; unless that comes too late.

    NumPy keeps in the context what to do about overflow and NaN.
    """

    def __init__(self, work: Callable[[int], None], own: int) -> None:
        context = copy_context()

        def run() -> None:
            context.run(work, own)

        self._run = [run]  # whoever pops it decides
        self._error: BaseException | None = None
        self._done = Lock()
        self._done.acquire()

    def __call__(self) -> None:
        """What the thread does with it."""
        try:
            run = self._run.pop()
        except IndexError:
            return
        try:
            run()
        except BaseException as error:
            self._error = error
        self._done.release()

    def wait(self) -> BaseException | None:
        """Until the work is done; if it was not begun it will not be, and nothing holds it."""
        try:
            self._run.pop()
        except IndexError:
            self._done.acquire()
        return self._error


@cache
def cores() -> int:
    """How many cores we may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _crew(process: int, size: int) -> list[SimpleQueue[Helper]]:
    """What the threads of this process take work from; after a fork the child starts its own."""
    from queue import SimpleQueue  # a tenth of our import time, if at the top

    inboxes: list[SimpleQueue[Helper]] = [SimpleQueue() for _ in range(max(size - 1, 1))]
    for number, inbox in enumerate(inboxes):
        Thread(target=_serve, args=(inbox,), name=f"minitensor {number}", daemon=True).start()
    return inboxes


def _serve(inbox: SimpleQueue[Helper]) -> None:
    while True:
        inbox.get()()


@cache
def _blas_libraries() -> list[Any]:
    """What threadpoolctl can steer; it scans every loaded library, so it is asked once."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return []
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS at one thread until the last of all overlapping calls has left."""
    global _calls_inside, _saved
    with _lock:
        _calls_inside += 1
        if _calls_inside == 1:
            _saved = [library.get_num_threads() for library in _blas_libraries()]
            for library in _blas_libraries():
                _set_threads(library, 1)
    try:
        yield
    finally:
        with _lock:
            _calls_inside -= 1
            if _calls_inside == 0:
                for library, threads in zip(_blas_libraries(), _saved, strict=True):
                    _set_threads(library, threads)


def _set_threads(library: Any, number: int) -> None:
    """Set, though newer threadpoolctl lets only the first thread that ever set do so again."""
    if library.get_num_threads() == number:  # which is sooner asked than set
        return
    release = getattr(library, "clear_controlling_thread", lambda force: None)
    release(force=True)
    library.set_num_threads(number)
    release(force=True)
