"""Loops over flat arrays: a kernel's one piece after the other, or several at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.backend.numpy.blocks import SHARES, num_threads_for
from minitensor.backend.numpy.threads import parallel_map

SLOWNESS = 20  # one number here takes as long as so many multiply-adds of a matrix product
FEWEST = 2**15  # numbers of one piece, about


def flat(x: np.ndarray) -> np.ndarray:
    """The numbers of x in a line."""
    return np.ascontiguousarray(x).reshape(-1)


def each_piece(kernel: Callable[..., None], arrays: list[np.ndarray], *settings: Any) -> None:
    """kernel(*arrays, *settings), where each number depends on those at its own place only."""
    size = len(arrays[0])
    num_threads = num_threads_for(SLOWNESS * size)
    pieces = max(min(size // FEWEST, SHARES * num_threads), 1) if num_threads > 1 else 1
    bounds = [size * k // pieces for k in range(pieces + 1)]

    def work(k: int) -> None:
        part = slice(bounds[k], bounds[k + 1])
        kernel(*[array[part] for array in arrays], *settings)

    parallel_map(work, range(pieces), num_threads)
