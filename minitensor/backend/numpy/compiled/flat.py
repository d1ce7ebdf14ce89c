"""How a loop over memory is cut into pieces, which threads share.

Pieces that are added up follow from the size alone, and are added in their order: so a sum has the
same bits for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitensor.backend.numpy.blocks import SLOWNESS, num_threads_for, pieces_for
from minitensor.backend.numpy.compiled.jit import inner
from minitensor.backend.numpy.threads import parallel_map

PIECE = 2**18  # numbers in a piece of a sum, at least
PIECES = 32  # at most


def flat(x: np.ndarray) -> np.ndarray:
    """The numbers of x in a line."""
    return np.ascontiguousarray(x).reshape(-1)


def each_piece(kernel: Callable[..., None], arrays: Sequence[np.ndarray], *settings: Any) -> None:
    """kernel(*arrays, *settings), some rows of all the arrays at a time."""
    rows, work = len(arrays[0]), SLOWNESS * arrays[0].size
    num_threads = num_threads_for(work)
    pieces = min(pieces_for(work, num_threads), rows) if num_threads > 1 else 1
    if pieces == 1:
        kernel(*arrays, *settings)
        return

    def one(k: int) -> None:
        part = slice(rows * k // pieces, rows * (k + 1) // pieces)
        kernel(*[array[part] for array in arrays], *settings)

    parallel_map(one, range(pieces), num_threads)


def sum_pieces(
    kernel: Callable[..., None], x: np.ndarray, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Where pieces of the rows of x begin, and the end; and their sums, (pieces, *shape).

    kernel(bounds, sums, scratch) adds up some neighbouring pieces; scratch is of x's dtype.
    """
    num_threads = num_threads_for(SLOWNESS * x.size)
    pieces = max(min(x.size // PIECE, PIECES, len(x)), 1)
    bounds, sums = len(x) * np.arange(pieces + 1) // pieces, np.zeros((pieces, *shape))

    def work(share: int) -> None:
        first, end = pieces * share // num_threads, pieces * (share + 1) // num_threads
        kernel(bounds[first : end + 1], sums[first:end], np.empty(shape, x.dtype))

    parallel_map(work, range(num_threads), num_threads)
    return bounds, sums


@inner
def fill(y, value):
    for k in range(len(y)):
        y[k] = value


@inner
def add(y, a):
    for k in range(len(y)):
        y[k] += a[k]


@inner
def raise_to(y, a):
    """y = max(y, a): y if they are equal, NaN if either is.

    What a loop reads and writes has one name, or no vectors are made of it.
    """
    for k in range(len(y)):
        y[k] = y[k] if y[k] >= a[k] or y[k] != y[k] else a[k]
