"""Which pixel lies under which tap, for every place of a convolution: the tables that tiles read.

Along an axis, places that see the same taps at the same distances are one class; a group is a class
of rows with a class of columns. Neighbouring taps of a row that lie side by side on the image are
one run: with their channels they are so many numbers in a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from minitensor.backend.numpy.compiled.chain import pieces
from minitensor.backend.numpy.compiled.registers import ROWS
from minitensor.window import Window

BLOCK_BYTES = 2**19  # of images whose places are one piece of work: what a core keeps close

Range = tuple[int, int]


class Plan(NamedTuple):
    """The tables for some images; offsets count numbers of x and y, and rows of a packed kernel."""

    pixels: np.ndarray  # (tiles * ROWS,): where the first tap of each place reads
    targets: np.ndarray  # and where its sum belongs
    tiles: np.ndarray  # (tiles, 3): the classes of its rows and of its columns; if it is a `row`
    rows: np.ndarray  # (., 2): of each tap along the rows, its pixels, its kernel
    row_starts: np.ndarray  # where the taps of each class of rows begin in `rows`; and the end
    runs: np.ndarray  # (., 3): of each run along the columns, its pixels, its kernel, its length
    run_starts: np.ndarray
    done: np.ndarray  # (tiles,): the products of each place in the tiles so far, and one for each


class Class(NamedTuple):
    """Places along an axis that see the same taps at the same distances."""

    places: np.ndarray
    pixels: np.ndarray  # that the first of the taps sees from each
    taps: np.ndarray
    distances: np.ndarray  # of each tap's pixel from the first's


@lru_cache(maxsize=128)
def plan(window: Window, backwards: bool, images: int, channels: int, outputs: int) -> Plan:
    """Of a convolution from (images, H, W, channels) to (images, h, w, outputs); or its adjoint."""
    rows, columns = (_classes(_pixels(window, axis, backwards)) for axis in (0, 1))
    (height, width), (high, wide) = window.size, window.out
    if backwards:
        (height, width), (high, wide) = window.out, window.size
    inputs = channels // window.groups
    where, tiles = [], []
    for r, row in enumerate(rows):
        for k, column in enumerate(columns):
            pixels = _grid(images, height, width, row.pixels, column.pixels) * channels
            places = _grid(images, high, wide, row.places, column.places) * outputs
            more = -len(pixels) % ROWS  # the last place again, computed alike
            where.append(np.pad([pixels, places], ((0, 0), (0, more)), "edge"))
            starts = where[-1][0].reshape(-1, ROWS)
            apart = (1 if backwards else window.stride[1]) * channels
            evenly = (np.diff(starts) == apart).all(1) & _slides(column, window)
            tiles += [(r, k, even) for even in evenly.tolist()]
    taps = [
        [(d * width * channels, t * window.kernel[1] * inputs) for t, d in _seen(row)]
        for row in rows
    ]
    runs = [
        [
            (d * channels + c, t * inputs + c, many)
            for t, d, count in _runs(column, window.groups)
            for c, many in pieces(count * inputs)
        ]
        for column in columns
    ]
    starts, places = np.concatenate(where, axis=1)
    rows_table, row_starts = _joined(taps, 2)
    runs_table, run_starts = _joined(runs, 3)
    products = [1 + len(taps[r]) * sum(run[2] for run in runs[k]) for r, k, _ in tiles]
    return Plan(
        *(starts, places, np.array(tiles), rows_table, row_starts, runs_table, run_starts),
        np.cumsum(products),
    )


@lru_cache(maxsize=128)
def shares(wanted: int, *of: Any) -> list[Range]:
    """All tiles of a plan in ranges of about equal work: no more than `wanted`."""
    done = plan(*of).done
    ends = np.searchsorted(done, done[-1] * np.arange(1, wanted + 1) / wanted) + 1
    cuts = sorted({0, *np.minimum(ends, len(done)).tolist()})
    return list(pairwise(cuts))


def _pixels(window: Window, axis: int, backwards: bool) -> np.ndarray:
    """[place, tap]: the pixel that a tap sees along an axis, -1 where it sees none.

    Backwards, places are pixels of the image, what they see are outputs, and the taps are turned.
    """
    stride, dilation = window.stride[axis], window.dilation[axis]
    size, out, before = window.size[axis], window.out[axis], window.pad[axis][0]
    tap = np.arange(window.kernel[axis]) * dilation
    if not backwards:
        seen = np.arange(out)[:, None] * stride + tap - before
    else:
        seen = np.arange(size)[:, None] + before - tap[::-1]
        seen, size = np.where(seen % stride, -1, seen // stride), out
    return np.where((seen >= 0) & (seen < size), seen, -1)


def _classes(pixels: np.ndarray) -> list[Class]:
    seen = pixels >= 0
    first = np.where(seen.any(1), pixels[np.arange(len(pixels)), seen.argmax(1)], 0)
    never = np.iinfo(np.int64).min
    distances = np.where(seen, pixels - first[:, None], never)
    kinds, number = np.unique(distances, axis=0, return_inverse=True)
    found = []
    for k, kind in enumerate(kinds):
        places, taps = np.flatnonzero(number.reshape(-1) == k), np.flatnonzero(kind != never)
        found.append(Class(places, first[places], taps, kind[taps]))
    return found


def _grid(
    images: int, height: int, width: int, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """The numbers of all pixels at `rows` and `columns` of all images, in order."""
    lines = np.arange(images)[:, None] * height + rows  # (images, rows)
    pixels: np.ndarray = lines[..., None] * width + columns
    return pixels.reshape(-1)


def _slides(places: Class, window: Window) -> bool:
    """Whether all taps see neighbouring pixels, few and near enough to be held in registers."""
    taps, stride = window.kernel[1], window.stride[1]
    return max(taps, stride) <= ROWS and list(places.distances) == list(range(taps))


def _seen(places: Class) -> list[tuple[int, int]]:
    return list(zip(places.taps.tolist(), places.distances.tolist(), strict=True))


def _runs(places: Class, groups: int) -> list[tuple[int, int, int]]:
    """(first tap, its distance, how many): neighbouring taps on neighbouring pixels."""
    runs: list[tuple[int, int, int]] = []
    for tap, distance in _seen(places):
        if runs and groups == 1:
            first, start, count = runs[-1]
            if (tap, distance) == (first + count, start + count):
                runs[-1] = first, start, count + 1
                continue
        runs.append((tap, distance, 1))
    return runs


def _joined(
    parts: Sequence[Sequence[tuple[int, ...]]], width: int
) -> tuple[np.ndarray, np.ndarray]:
    """All rows in one table, and where those of each part start."""
    rows = [row for part in parts for row in part]
    starts = np.cumsum([0, *map(len, parts)])
    return np.array(rows, np.int64).reshape(-1, width), starts
