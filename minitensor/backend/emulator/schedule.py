"""How the emulator runs threads and blocks: forward, in reverse, or in a random order.

A GPU promises no order. A kernel whose result depends on it lacks a barrier or an atomic. Also:
which blocks run, and at which end of an array its guard lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

ORDERS = ("forward", "reverse", "random")
_order: ContextVar[tuple[str, int]] = ContextVar("order", default=("forward", 1))
_starts: ContextVar[bool] = ContextVar("starts", default=False)
_only: ContextVar[tuple[int, ...]] = ContextVar("only", default=())


@contextmanager
def order(name: str, seed: int = 1) -> Iterator[None]:
    """Runs threads and blocks in another order inside the `with` block.

    Args:
        name: "forward", "reverse" or "random".
        seed: of the random order.

    Raises:
        ValueError: another name.
    """
    if name not in ORDERS:
        raise ValueError(f"order: got {name!r}; legal: {', '.join(ORDERS)}")
    token = _order.set((name, seed))
    try:
        yield
    finally:
        _order.reset(token)


@contextmanager
def guarded_starts() -> Iterator[None]:
    """Puts the starts of arrays at the guards, not their ends: reads before them are faults."""
    token = _starts.set(True)
    try:
        yield
    finally:
        _starts.reset(token)


def at_start() -> bool:
    """Whether that is in force."""
    return _starts.get()


@contextmanager
def only_blocks(*numbers: int) -> Iterator[None]:
    """Runs some blocks of each launch, by their numbers x + gridDim.x * (y + gridDim.y * z)."""
    token = _only.set(numbers)
    try:
        yield
    finally:
        _only.reset(token)


def now() -> tuple[int, int, tuple[int, ...]]:
    """What is in force: the order's place in ORDERS, its seed, the blocks to run; none: all."""
    name, seed = _order.get()
    return ORDERS.index(name), seed, _only.get()
