"""Fractional pooling: regions of unequal size, given by where they begin along each axis.

Regions are gathered into patches of the size of the largest; a shorter one repeats its last pixel,
which changes no maximum and is left out of a mean. All steps are linear readings, so derivatives
of every order follow.

    x (N, H, W, C)    rows (h + 1,) and columns (w + 1,) ints, from 0 to H and W
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, to_device_of
from minitensor.ops import array, reduce
from minitensor.ops.half import rounded_once


def max_pool(x: Tensor, *, rows: Any, columns: Any, overlapping: bool) -> Tensor:
    """The maximum of each region: the first of ties, or the first NaN."""
    patches, _ = _patches(x, rows, columns, overlapping)
    winner = reduce.argmax(patches, axis=3)
    n, h, w, c = winner.shape
    place = array.reshape(winner, shape=(n, h, w, 1, c))
    return array.reshape(array.take_along_axis(patches, place, axis=3), shape=(n, h, w, c))


@rounded_once
def avg_pool(x: Tensor, *, rows: Any, columns: Any, overlapping: bool) -> Tensor:
    """The mean of each region."""
    patches, real = _patches(x, rows, columns, overlapping)
    share = real / real.sum(2, keepdims=True)  # (h, w, L)
    return reduce.sum(patches * to_device_of(share[..., None].astype(x.dtype), x), axis=3)


def _patches(x: Tensor, rows: Any, columns: Any, overlapping: bool) -> tuple[Tensor, np.ndarray]:
    """(N, h, w, L, C) pixels of each region in row-major order, and which of the L are real."""
    n, height, width, c = x.shape
    row, row_is_real = _region(rows, height, overlapping)
    column, column_is_real = _region(columns, width, overlapping)
    (h, tall), (w, wide) = row.shape, column.shape
    x = array.gather(x, row.reshape(-1), axis=1)  # (N, h·tall, W, C)
    x = array.gather(x, column.reshape(-1), axis=2)  # (N, h·tall, w·wide, C)
    x = array.reshape(x, shape=(n, h, tall, w, wide, c))
    x = array.transpose(x, axes=(0, 1, 3, 2, 4, 5))  # (N, h, w, tall, wide, C)
    real = row_is_real[:, None, :, None] & column_is_real[None, :, None, :]
    return array.reshape(x, shape=(n, h, w, tall * wide, c)), real.reshape(h, w, tall * wide)


def _region(begins: Any, size: int, overlapping: bool) -> tuple[np.ndarray, np.ndarray]:
    """(regions, longest) pixels along one axis, the last repeated, and which are no repeats."""
    begins = np.asarray(begins, np.int64)
    last = np.minimum(begins[1:] - (not overlapping), size - 1)
    steps = np.arange(int((last - begins[:-1]).max()) + 1)
    pixel = begins[:-1, None] + steps
    return np.minimum(pixel, last[:, None]), pixel <= last[:, None]
