"""How much a model may take while it is made from a file that nobody has vetted.

Counted are bytes of weights and of the state of metrics, values of JSON, and objects: layers,
their initializers, their calls.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

OBJECTS = 2**14  # of one model; DenseNet201 has 1820
LONGEST = 2**25  # bytes of JSON that are read
_VALUES = 2**19  # of one JSON text, of about 200 bytes each in memory; DenseNet201 has 31000


@dataclass
class _Left:
    """What may still be made."""

    size: int  # bytes
    objects: int = OBJECTS


_left: ContextVar[_Left | None] = ContextVar("left", default=None)  # None: nothing is counted


@contextmanager
def memory_budget(size: int) -> Iterator[None]:
    """Inside the block new weights and metrics take no more than `size` bytes.

    Example:
        >>> from minitensor.keras.serialization.memory_budget import charge, memory_budget
        >>> with memory_budget(1000):
        ...     charge((300,), "float32")
        Traceback (most recent call last):
        ...
        ValueError: a weight of shape (300,) takes 1200 bytes, where 1000 are left
    """
    before = _left.set(_Left(size))
    try:
        yield
    finally:
        _left.reset(before)


def charge(shape: Sequence[int], dtype: Any, what: str = "a weight") -> None:
    """Notes new numbers; a ValueError if they take more than is left."""
    left = _left.get()
    if left is None:
        return
    size = math.prod(shape) * (2 if dtype == "bfloat16" else np.dtype(dtype).itemsize)
    if size > left.size:
        raise ValueError(
            f"{what} of shape {tuple(shape)} takes {size} bytes, where {left.size} are left"
        )
    left.size -= size


def charge_object() -> None:
    """Notes a new object; a ValueError if there are too many."""
    left = _left.get()
    if left is None:
        return
    left.objects -= 1
    if left.objects < 0:
        raise ValueError(f"it describes more than {OBJECTS} layers, calls and other objects")


def why_too_long(text: str | bytes) -> str:
    """What a JSON text is, if it is longer than what is read; else nothing."""
    if len(text) > LONGEST:
        return f"JSON of {len(text)} bytes, where at most {LONGEST} are read"
    signs: Any = (b"{", b"[", b",") if isinstance(text, bytes) else ("{", "[", ",")
    values = sum(text.count(sign) for sign in signs)
    return f"JSON of {values} values, where at most {_VALUES} are read" if values > _VALUES else ""


def parse_json(text: str | bytes) -> Any:
    """The values of a JSON text.

    Raises:
        ValueError: it is none, or too long, or has too many values, or a key twice in one object.
    """
    if why := why_too_long(text):
        raise ValueError(why)
    return json.loads(text, object_pairs_hook=_pairs)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"damaged: a key stands twice in {[key for key, _ in pairs]}")
    return found
