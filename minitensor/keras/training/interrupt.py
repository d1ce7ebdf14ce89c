"""Ctrl-C stops a training between two steps, never within one.

While a step runs the signal is only noted; KeyboardInterrupt comes when the step is whole. A second
Ctrl-C does not wait. Where the program handles the signal itself, nothing changes.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def whole_step() -> Iterator[None]:
    """Runs what is inside to its end before Ctrl-C is heard.

    Raises:
        KeyboardInterrupt: afterwards, if Ctrl-C came meanwhile.
    """
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not ours:
        yield
        return
    came: list[int] = []

    def note(number: int, frame: Any) -> None:
        if came:
            signal.default_int_handler(number, frame)
        came.append(number)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt
