"""Which pixels each tap of a window reads: padding is simply where nobody reads.

A tap (u, v) of a window reads pixel (i * stride + u * dilation - pad) for output row i, and the
same along the width. Rows that fall on padding are left out, so the two slices given here pair
real pixels with the outputs that read them, and no padded image is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from minitensor.window import Window


class Tap(NamedTuple):
    """Tap number u * kw + v, its (u, v), and the pairs of slices over output and image."""

    number: int
    at: tuple[int, int]
    places: tuple[slice, slice]  # into (h, w)
    pixels: tuple[slice, slice]  # into (H, W)


@lru_cache(maxsize=256)
def taps(window: Window) -> tuple[Tap, ...]:
    """The taps of `window` that read at least one real pixel, in row-major order."""
    return tuple(_taps(window))


def _taps(window: Window) -> Iterator[Tap]:
    kh, kw = window.kernel
    for u in range(kh):
        for v in range(kw):
            rows, columns = _meet(window, 0, u), _meet(window, 1, v)
            if rows and columns:
                yield Tap(u * kw + v, (u, v), (rows[0], columns[0]), (rows[1], columns[1]))


def _meet(window: Window, axis: int, tap: int) -> tuple[slice, slice] | None:
    """Along one axis: the places whose tap lies on the image, and the pixels they read."""
    size, stride = window.size[axis], window.stride[axis]
    offset = tap * window.dilation[axis] - window.pad[axis][0]
    first = max(-(offset // stride), 0)  # smallest place with place * stride + offset >= 0
    end = min((size - 1 - offset) // stride + 1, window.out[axis])
    if first >= end:
        return None
    start = first * stride + offset
    return slice(first, end), slice(start, start + (end - first - 1) * stride + 1, stride)
