"""Our own worker threads: independent pieces of work, one BLAS thread each.

NumPy leaves the interpreter lock while it copies and multiplies, so plain threads use all cores.
BLAS must then stay on one thread: many small products on many threads each spend their time
waiting for one another. threadpoolctl sets that; without it there is one worker and BLAS keeps
its own threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from threading import Lock
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_lock = Lock()
_calls_inside = 0
_saved: list[int] = []
_wanted = 0  # threads; all cores


def workers() -> int:
    """How many pieces of work run at once: the cores we may use, or 1 without threadpoolctl."""
    return num_threads() or _cores() if _blas_libraries() else 1


def num_threads() -> int:
    """What `set_num_threads` set last; 0 at first: all cores that we may use."""
    return _wanted


def set_num_threads(number: int) -> None:
    """Let one call share its work among so many threads, ours and BLAS's; 0 for all cores."""
    global _wanted
    _wanted = number
    with _lock:
        for library in _blas_libraries():
            _set_threads(library, number or _cores())
        _saved[:] = [number or _cores() for _ in _saved]


def parallel_map(
    function: Callable[[Item], Result], items: Sequence[Item], num_threads: int
) -> list[Result]:
    """[function(item) for item in items]; each of `num_threads` takes the next when free."""
    num_threads = min(num_threads, len(items))
    if num_threads == 1:
        return list(map(function, items))
    from concurrent.futures import wait

    results: dict[int, Result] = {}
    queue, task = iter(enumerate(items)), [function]

    def work() -> None:
        for number, item in queue:
            results[number] = task[0](item)

    with _one_blas_thread():
        # In a copy of our context: NumPy keeps there what to do about overflow and NaN.
        others = [
            _pool(os.getpid(), workers()).submit(copy_context().run, work)
            for _ in range(num_threads - 1)
        ]
        try:
            work()
        finally:  # even if ours failed: while any still works, BLAS must stay as it is
            begun = [other for other in others if not other.cancel()]
            wait(begun)
        for other in begun:
            other.result()
    found = [results[number] for number in range(len(items))]
    results.clear()  # a thread that is busy elsewhere keeps `work` until it sees that we cancelled
    task.clear()
    return found


@cache
def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool(process: int, size: int) -> Any:
    """The threads of this process; after a fork the child starts its own."""
    from concurrent.futures import ThreadPoolExecutor  # a tenth of our import time, if at the top

    return ThreadPoolExecutor(max(size - 1, 1), "minitensor")


@cache
def _blas_libraries() -> list[Any]:
    """What threadpoolctl can steer; it scans every loaded library, so it is asked once."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return []
    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


@contextmanager
def _one_blas_thread() -> Iterator[None]:
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
    release = getattr(library, "clear_controlling_thread", lambda force: None)
    release(force=True)
    library.set_num_threads(number)
    release(force=True)
