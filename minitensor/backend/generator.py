"""The one random generator: every draw without a seed of its own comes from here.

`minitensor.random` and `nn.dropout` share it, so that `set_seed` makes a whole program repeatable.
Draws are made by NumPy and then moved to the backend that needs them: the numbers do not depend on
the device. `state` and `restore` let a training go on where it stopped; `using` gives a pipeline of
data its own generator, so that what it draws is independent of what dropout draws. A forked child
draws other numbers than its parent and its siblings, the same in every run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

_shared: np.random.Generator | None = None  # made by the first draw: numpy.random is slow to import
_inside: ContextVar[Callable[[], np.random.Generator] | None] = ContextVar(
    "generator", default=None
)

_forks = 0  # how many children this process has made


def generator(seed: int | None = None) -> np.random.Generator:
    """The generator to draw from: a fresh one of this seed, that of `using`, or the shared one."""
    global _shared
    if seed is not None:
        return np.random.default_rng(seed)
    if (inside := _inside.get()) is not None:
        return inside()
    if _shared is None:
        _shared = np.random.default_rng()
    return _shared


def set_seed(seed: int) -> None:
    """Starts the shared generator anew, at a place that `seed` decides."""
    global _shared
    _shared = np.random.default_rng(seed)


@contextmanager
def using(rng: np.random.Generator | Callable[[], np.random.Generator]) -> Iterator[None]:
    """Draws inside come from `rng`, in this thread. Leave the block before a generator yields.

    A function gives the generator, always the same, when there is a first draw.
    """
    before = _inside.set(rng if callable(rng) else lambda: rng)
    try:
        yield
    finally:
        _inside.reset(before)


def state() -> dict[str, Any]:
    """Where the present generator stands, as values that JSON can hold."""
    return dict(generator().bit_generator.state)


def restore(saved: dict[str, Any]) -> None:
    """Puts the present generator where `state` found it."""
    try:
        generator().bit_generator.state = saved
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise ValueError(f"not the state of a generator (from state()): {saved!r}") from error


# ----- children -----


def _count_child() -> None:
    global _forks
    _forks += 1


def _go_own_way() -> None:
    """A child's generators go on from what the parent's would give next, and the child's number."""
    global _forks
    number, _forks = _forks, 0
    inside = _inside.get()
    for rng in (_shared, inside and inside()):
        if rng is not None:
            seeds = [int(rng.integers(2**63)), number]
            rng.bit_generator.state = np.random.default_rng(seeds).bit_generator.state


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_count_child, after_in_child=_go_own_way)
