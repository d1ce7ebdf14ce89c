"""A call that is given up after some seconds: a student's loop may never end.

The function runs in a thread of its own, which is told to stop; the caller goes on in any case.
"""

from __future__ import annotations

import contextvars
import ctypes
import threading
from collections.abc import Callable
from typing import Any

PATIENCE = 5.0  # seconds; a right answer takes thousandths


class EndlessError(Exception):
    """The call was still at work after so many seconds; its cause has the line it was at."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class _Stop(BaseException):
    """Raised in the thread; no `except Exception` of the student's holds it."""


def bounded(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns, or raises.

    Raises:
        EndlessError: it has not ended within `PATIENCE` seconds.

    Example:
        >>> from minitensor.lesson.bounded import bounded
        >>> bounded(max, 2, 3)
        3
    """
    results: list[Any] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(function(*arguments))
        except BaseException as error:  # the caller raises it
            errors.append(error)

    context = contextvars.copy_context()  # which tape records, which backend computes
    worker = threading.Thread(target=context.run, args=(work,), daemon=True)
    worker.start()
    try:
        worker.join(PATIENCE)
    finally:
        stopped = worker.is_alive()
        if stopped:
            _stop(worker)
    if stopped:
        raise EndlessError(PATIENCE) from (errors[0] if errors else None)
    if errors:
        raise errors[0]
    return results[0]


def _stop(worker: threading.Thread) -> None:
    """Again and again for a second: a bare `except` may hold the first."""
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    for _ in range(20):
        raise_in(ctypes.c_ulong(worker.ident or 0), ctypes.py_object(_Stop))
        worker.join(0.05)
        if not worker.is_alive():
            return
