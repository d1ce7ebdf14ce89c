"""The arena: scratch memory that is asked for, given back and handed out again.

A conv needs the same scratch at every step; taking it from here costs a look into a list instead
of an allocation. Blocks are reused within one stream only, where launches run in order. Nothing
is given back to the system: a training step soon asks for nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Any

_GRAIN = 512  # bytes; sizes are rounded up so that near-equal requests share a block


class Arena:
    """Blocks of bytes, free or handed out."""

    def __init__(self, allocate: Callable[[int], Any], address: Callable[[Any], int]) -> None:
        self._allocate = allocate
        self._address = address
        self._free: dict[Hashable, list[_Block]] = {}  # by stream
        self._lock = Lock()  # threads may share a stream

    def take(self, size: int, stream: Hashable) -> Any:
        """The smallest free block of at least `size` bytes, else a new one."""
        with self._lock:
            free = self._free.setdefault(stream, [])
            fitting = [block for block in free if block.bytes.nbytes >= size]
            if fitting:
                smallest = min(fitting, key=lambda block: block.bytes.nbytes)
                free.remove(smallest)
                return smallest.bytes
        return self._allocate(max(-(-size // _GRAIN), 1) * _GRAIN)

    def give(self, array: Any, stream: Hashable) -> None:
        """Takes a block back."""
        start = self._address(array)
        self._free[stream].append(_Block(start, start + array.nbytes, array))

    def is_free(self, array: Any) -> bool:
        """Whether `array` lies in a block that was given back."""
        address = self._address(array)
        # Asked for each argument of each launch: a plain loop, over a copy instead of a lock.
        for free in list(self._free.values()):
            for block in free:
                if block.start <= address < block.stop:
                    return True
        return False


@dataclass(frozen=True, eq=False)
class _Block:
    """Addresses and bytes of a block."""

    start: int
    stop: int
    bytes: Any
