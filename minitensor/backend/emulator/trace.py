"""What every thread of a launch loaded and stored; needs the "trace" build of the kernels.

An access belongs to an array, to shared memory, or to nothing we know (constants of the code).
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.backend.emulator.kernel import Function

ACCESS = np.dtype(
    [
        ("address", np.uint64),
        ("instruction", np.uint64),
        ("block", np.uint32, 3),
        ("thread", np.uint32, 3),
        ("round", np.uint32),  # barriers of the block that lie before it
        ("bytes", np.uint16),
        ("is_write", np.uint8),
        ("is_shared", np.uint8),
    ]
)  # runtime/trace.cpp


@dataclass(frozen=True)
class Span:
    """An array of a launch, where it lay while the kernel ran."""

    name: str
    address: int
    size: int


def accesses(function: Function) -> tuple[Any, int]:
    """The records of the last launch, as an array of `ACCESS`, and how many accesses there were.

    They are handed out once. No more than some millions are kept.
    """
    take = function.library.c.emu_trace
    size = ctypes.POINTER(ctypes.c_size_t)
    take.restype, take.argtypes = ctypes.c_void_p, [size, size]
    count, all_ = ctypes.c_size_t(), ctypes.c_size_t()
    start = take(count, all_)
    if not count.value:
        return np.empty(0, ACCESS), all_.value
    raw: Any = (ctypes.c_char * (count.value * ACCESS.itemsize)).from_address(start)
    return np.frombuffer(raw, ACCESS).copy(), all_.value


def at(place: tuple[str, int] | None) -> str:
    """A place as its file's name and line."""
    return f"{Path(place[0]).name}:{place[1]}" if place else "a line unknown"


def within(records: Any, span: Span) -> Any:
    """Which records touch `span`."""
    offset = records["address"].astype(np.int64) - span.address
    return (offset >= 0) & (offset < span.size)
