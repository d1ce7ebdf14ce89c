"""Memory that kernels cannot leave unnoticed.

For a launch every argument is copied into a region between two guards that may not be touched, its
end as near to the second as its own place between multiples of 16 bytes allows: what is
misaligned for a GPU is misaligned here. The few bytes that remain, and the page before the array,
hold a pattern: a signalling NaN, so that a stray read shows as NaN and a stray write, even an
atomic add, changes the pattern. Then the launch is run once more with the array's start at the
first guard, to learn which thread wrote.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import numpy as np

from minitensor.backend.emulator.build import variant

PAGE = mmap.PAGESIZE
GUARD = 2**17  # bytes, whole pages everywhere: a stray access that is far off meets it too
ALIGNMENT = 16
KEPT = 2**20  # bytes; larger regions go back to the system, else each size ever used would stay
_PATTERN = np.full(PAGE // 4 + 4, 0x7FA5A5A5, np.uint32).view(np.uint8)
_unused: defaultdict[int, list[Region]] = defaultdict(list)


@cache
def libc() -> ctypes.CDLL:
    """The C library, what it takes declared."""
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    library.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    library.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return library


class Region:
    """Whole pages between two guards; one argument of one launch at a time."""

    def __init__(self, size: int) -> None:
        self.size = size
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        base = libc().mmap(None, size + 2 * GUARD, 0, flags, -1, 0)
        if base in (None, ctypes.c_void_p(-1).value):
            raise _no_memory(size)
        self.start = base + GUARD
        if libc().mprotect(self.start, size, mmap.PROT_READ | mmap.PROT_WRITE):
            error = _no_memory(size)
            self.unmap()
            raise error
        self.bytes = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(self.start))

    def put(self, data: np.ndarray, at_start: bool) -> int:
        """Copies bytes to one of the guards, the pattern around them; the address of the first."""
        phase = data.ctypes.data % ALIGNMENT  # a view that begins between packs does so here too
        room = self.size - data.size - phase
        first = phase + (0 if at_start else room // ALIGNMENT * ALIGNMENT)
        self._first, self._last = first, first + data.size
        for band, pattern in self._bands():
            band[:] = pattern
        self.bytes[self._first : self._last] = data
        return int(self.start + first)

    def data(self) -> np.ndarray:
        """The bytes that `put` put here, as they are now."""
        return self.bytes[self._first : self._last]

    def is_intact(self) -> bool:
        """Whether nobody wrote around the data."""
        return all(np.array_equal(band, pattern) for band, pattern in self._bands())

    def unmap(self) -> None:
        """Gives the pages back to the system; `bytes` must not be touched any more."""
        libc().munmap(self.start - GUARD, self.size + 2 * GUARD)

    def _bands(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """What lies before and behind the data, within a page, and the pattern it should hold."""
        before, after = max(self._first - PAGE, 0), min(self._last + PAGE, self.size)
        for start, end in ((before, self._first), (self._last, after)):
            phase = start % 4
            yield self.bytes[start:end], _PATTERN[phase : phase + end - start]


def _no_memory(size: int) -> MemoryError:
    reason = os.strerror(ctypes.get_errno())
    return MemoryError(f"the emulator found no {size} bytes for an argument: {reason}")


def is_guarded() -> bool:
    """Whether arguments go through guarded copies: ASan and TSan must see the arrays themselves."""
    return variant() not in ("asan", "tsan")


def take(size: int) -> Region:
    """A region with room for `size` bytes that may begin anywhere between multiples of 16."""
    pages = -(-(size + ALIGNMENT) // PAGE) * PAGE
    try:
        return _unused[pages].pop()
    except IndexError:
        return Region(pages)


def give(region: Region) -> None:
    """Back for the next launch, or to the system."""
    if region.size > KEPT:
        region.unmap()
    else:
        _unused[region.size].append(region)
