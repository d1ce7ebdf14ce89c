"""Memory of large arrays that nobody holds any more, for the next of the same size.

The system gives memory in pages that it fills with zeros at the first touch, and takes it back when
an array goes: for an array of some megabytes that is as much work as to compute it. A training
makes arrays of the same sizes in each step.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

LINE = 64  # bytes that memory and caches exchange; a register that lies on two is loaded twice
LARGE = 2**17  # bytes from which on memory is kept; smaller ones the allocator keeps itself
MOST = 2**28  # bytes that are kept; the sizes that were not wanted for longest go first

_kept: dict[int, list[np.ndarray]] = {}


def scratch(size: int, dtype: Any) -> np.ndarray:
    """So many numbers, of any value, from the start of a line on."""
    kind = np.dtype(dtype)
    large = size * kind.itemsize >= LARGE
    memory = (
        _lent(size * kind.itemsize + LINE)
        if large
        else np.empty(size * kind.itemsize + LINE, np.uint8)
    )
    first = -memory.__array_interface__["data"][0] % LINE
    return memory[first : first + size * kind.itemsize].view(kind)


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """The same in a shape: what is returned, for the kernels that read it."""
    return scratch(prod(shape), dtype).reshape(shape)


def output(like: np.ndarray) -> np.ndarray:
    """An array of the same shape and dtype for a result; NumPy's own where it is small."""
    if like.nbytes < LARGE:
        return np.empty(like.shape, like.dtype)
    return empty(like.shape, like.dtype)


class _Loan:
    """Lends memory to an array; it comes back with the last view of that."""

    def __init__(self, memory: np.ndarray) -> None:
        self._memory = memory
        self.__array_interface__ = memory.__array_interface__

    def __del__(self, kept: dict[int, list[np.ndarray]] = _kept) -> None:
        _take_back(self._memory, kept)


def _lent(size: int) -> np.ndarray:
    try:  # each step by itself is safe in threads
        memory = _kept[size].pop()
    except (KeyError, IndexError):
        memory = np.empty(size, np.uint8)
    return np.asarray(_Loan(memory))


def _take_back(memory: np.ndarray, kept: dict[int, list[np.ndarray]]) -> None:
    same = kept.pop(memory.size, [])
    same.append(memory)
    kept[memory.size] = same  # the last in order
    sizes = list(kept.items())
    total = sum(size * len(blocks) for size, blocks in sizes)
    for size, blocks in sizes:
        if total <= MOST:
            break
        total -= size * len(blocks)
        kept.pop(size, None)
