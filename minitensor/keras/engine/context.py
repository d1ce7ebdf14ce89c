"""What one call tells the calls inside it: whether this is training, and where losses gather."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Call:
    """A call of a layer by a program, and all calls inside it.

    Attributes:
        training: what the innermost call was told.
        losses: what layers have added to the loss so far.
        observer: has `begins(layer)` and `ends(layer, inputs, outputs)`, or None.
        path: names of the layers being called, from the outside in.
        depth: how many calls are around the present one.
    """

    training: bool | None = None
    losses: list[Any] = field(default_factory=list)
    observer: Any = None
    path: list[str] = field(default_factory=list)

    @property
    def depth(self) -> int:
        return len(self.path)


class _Calls(threading.local):
    """Each thread has its own."""

    def __init__(self) -> None:
        self.current: Call | None = None

    @contextmanager
    def entered(self, name: str) -> Iterator[Call]:
        """One call more, of the layer of this name."""
        outer = self.current
        call = outer or Call()
        self.current, before = call, call.training
        call.path.append(name)
        try:
            yield call
        finally:
            call.path.pop()
            call.training, self.current = before, outer


calls = _Calls()
