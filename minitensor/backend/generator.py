"""The one random generator: every draw without a seed of its own comes from here.

`minitensor.random` and `nn.dropout` share it, so that `set_seed` makes a whole program repeatable.
Draws are made by NumPy and then moved to the backend that needs them: the numbers do not depend on
the device. `state` and `restore` let a training go on where it stopped; `using` gives a pipeline of
data its own generator, so that what it draws is independent of what dropout draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

_shared: np.random.Generator | None = None  # made by the first draw: numpy.random is slow to import
_inside: ContextVar[np.random.Generator | None] = ContextVar("generator", default=None)


def generator(seed: int | None = None) -> np.random.Generator:
    """The generator to draw from: a fresh one of this seed, that of `using`, or the shared one."""
    global _shared
    if seed is not None:
        return np.random.default_rng(seed)
    if (inside := _inside.get()) is not None:
        return inside
    if _shared is None:
        _shared = np.random.default_rng()
    return _shared


def set_seed(seed: int) -> None:
    """Starts the shared generator anew, at a place that `seed` decides."""
    global _shared
    _shared = np.random.default_rng(seed)


@contextmanager
def using(rng: np.random.Generator) -> Iterator[None]:
    """Draws inside come from `rng`, in this thread. Leave the block before a generator yields."""
    before = _inside.set(rng)
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
