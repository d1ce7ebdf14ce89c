"""How much memory new weights may take while a model is made from a file that nobody has vetted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

_left: ContextVar[int | None] = ContextVar("left", default=None)  # bytes; None: none are counted


@contextmanager
def memory_budget(size: int) -> Iterator[None]:
    """Inside the block new weights take no more than `size` bytes.

    Example:
        >>> from minitensor.keras.serialization.memory_budget import charge, memory_budget
        >>> with memory_budget(1000):
        ...     charge((300,), "float32")
        Traceback (most recent call last):
        ...
        ValueError: a weight of shape (300,) takes 1200 bytes, where 1000 are left
    """
    before = _left.set(size)
    try:
        yield
    finally:
        _left.reset(before)


def charge(shape: Sequence[int], dtype: str) -> None:
    """Notes a new weight; a ValueError if it is larger than what is left."""
    left = _left.get()
    if left is None:
        return
    size = math.prod(shape) * (2 if dtype == "bfloat16" else np.dtype(dtype).itemsize)
    if size > left:
        raise ValueError(
            f"a weight of shape {tuple(shape)} takes {size} bytes, where {left} are left"
        )
    _left.set(left - size)
