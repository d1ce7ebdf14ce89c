"""Who is recording, and what they are told: the bridge between ops and tapes.

Ops and variables report each computation here; the tapes of the thread that are recording get
it. Nothing here walks back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from minitensor.autograd.tensor import ArrayLike, Tensor

scope: ContextVar[str] = ContextVar("scope", default="")  # of `name_scope`: "outer/inner/"
PullBack = Callable[[list[Tensor | None], list[bool]], list[Tensor | None]]


class Record(NamedTuple):
    """One computation: what went in, what came out, and how a gradient goes back through it.

    `place` names where it was made, from the outside in: a name scope, layers, and GRADIENT for
    what a walk back computed.
    """

    inputs: tuple[ArrayLike, ...]
    outputs: tuple[Tensor, ...]
    pull_back: PullBack
    place: tuple[str, ...] = ()


GRADIENT = "gradient"


class _Active(threading.local):
    """The tapes of this thread that are recording, outermost first, and the layers it is in."""

    def __init__(self) -> None:
        self.tapes: list[Any] = []
        self.layers: list[str] = []


active = _Active()


def is_recording() -> bool:
    """Whether any tape of this thread records."""
    return bool(active.tapes)


@contextmanager
def paused() -> Iterator[None]:
    """No tape of this thread learns what runs inside."""
    tapes, active.tapes = active.tapes, []
    try:
        yield
    finally:
        active.tapes = tapes


def record(inputs: Sequence[ArrayLike], outputs: Sequence[Tensor], pull_back: PullBack) -> None:
    """Tells every recording tape of one computation."""
    place = (scope.get(), *active.layers)
    entry = Record(tuple(inputs), tuple(outputs), pull_back, place)
    for tape in active.tapes:
        tape.append(entry)


def read(variable: Any, array: Any) -> Tensor:
    """The tensor that reading `variable` gives; recording tapes start to watch the variable."""
    tensor = Tensor(array)
    if active.tapes:
        for tape in active.tapes:
            tape.notice(variable)
        record((variable,), (tensor,), lambda cotangents, wanted: cotangents)
    return tensor
