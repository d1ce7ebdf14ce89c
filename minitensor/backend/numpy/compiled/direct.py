"""Convolution from the image itself, without columns: tiles of sums that stay in registers.

    y[place, o] = sum of x[pixel under tap, c] w[tap, c, o] over c and the taps on the image

`conv2d` and its adjoint both have this form; only which pixel lies under a tap differs, and the
tables of `places` say which. A tile is ROWS places that see alike, each with COLUMNS registers of
outputs. Padding is neither read nor copied: a tap that lies on it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from minitensor.backend.numpy.blocks import num_threads_for, pieces_for
from minitensor.backend.numpy.compiled.chain import CHAIN, LEVELS, total, wait
from minitensor.backend.numpy.compiled.jit import compiled, inlined
from minitensor.backend.numpy.compiled.packing import Band, bands, cut, pack
from minitensor.backend.numpy.compiled.places import BLOCK_BYTES, Plan, Range, plan, shares
from minitensor.backend.numpy.compiled.registers import (
    HIGH,
    ROWS,
    outer,
    places,
    put,
    put_head,
    shelf,
    zeros,
)
from minitensor.backend.numpy.memory import empty
from minitensor.backend.numpy.threads import parallel_map
from minitensor.backend.settings import workspace_limit
from minitensor.window import Window


def conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """y = W' x."""
    y = empty((len(x), *window.out, kernel.shape[-1]), x.dtype)
    _convolve(x, kernel, y, window, backwards=False)
    return y


def conv2d_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """x = W'^T y."""
    x = empty((len(y), *window.size, kernel.shape[2] * window.groups), y.dtype)
    _convolve(y, kernel, x, window, backwards=True)
    return x


def _convolve(
    x: np.ndarray, kernel: np.ndarray, y: np.ndarray, window: Window, backwards: bool
) -> None:
    """y = W' x; or, backwards, y = W'^T x."""
    flat_x, flat_y = np.ascontiguousarray(x).reshape(-1), y.reshape(-1)
    work = len(x) * prod(window.out) * kernel.size
    num_threads = num_threads_for(work)
    wanted = pieces_for(work, num_threads)

    def compute(parts: list[tuple[int, Band]], pieces: list[Piece]) -> None:
        packed = [pack(kernel, window.groups, group, backwards, band) for group, band in parts]

        def one(piece: Piece) -> None:
            part, tables, tiles, panels, xat, yat = piece
            band = parts[part][1]
            _convolve_tiles(
                *(flat_x, packed[part], flat_y, tables, tiles, panels, band.registers, band.width),
                *(xat, yat + band.first, band.outputs),
            )

        parallel_map(one, pieces, num_threads)

    shapes, room = (x.shape, kernel.shape, y.shape), workspace_limit() // 4
    for batch in _batches(*shapes, x.dtype, window, backwards, wanted, room):
        compute(*batch)


class Piece(NamedTuple):
    """What one thread computes at once: some tiles of some panels, of some images and a group."""

    part: int  # of the kernel, of those that its batch packs
    tables: Plan
    tiles: Range
    panels: Range
    xat: int  # where the images and the group begin
    yat: int


Batch = tuple[list[tuple[int, Band]], list[Piece]]  # (group, outputs) of each packed kernel


@lru_cache(maxsize=256)
def _batches(
    x: tuple[int, ...],
    kernel: tuple[int, ...],
    y: tuple[int, ...],
    dtype: np.dtype[Any],
    window: Window,
    backwards: bool,
    wanted: int,
    room: int,
) -> list[Batch]:
    """All the work, of arrays of these shapes, in about `wanted` pieces or more.

    The packed kernels of a batch take no more than `room` bytes.
    """
    groups = window.groups
    parts = bands(y[-1] // groups, dtype)
    row = kernel[0] * kernel[1] * (x[-1] // groups) * dtype.itemsize  # bytes of one output
    batches: list[Batch] = []
    held = room
    for group, band in product(range(groups), cut(parts, room // (row * parts[0].width))):
        size = band.panels * band.width * row
        if held + size > room:
            batches.append(([], []))
            held = 0
        held += size
        packed, pieces = batches[-1]
        pieces += _pieces(len(packed), group, band, x, y, dtype.itemsize, window, backwards, wanted)
        packed.append((group, band))
    return batches


def _pieces(
    part: int,
    group: int,
    band: Band,
    x: tuple[int, ...],
    y: tuple[int, ...],
    itemsize: int,
    window: Window,
    backwards: bool,
    wanted: int,
) -> Iterator[Piece]:
    """Those of one packed kernel."""
    n, channels, outputs = x[0], x[-1], y[-1]
    images = max(min(n, BLOCK_BYTES // (prod(x[1:]) * itemsize)), 1)
    most = max(BLOCK_BYTES // (ROWS * channels * itemsize), 1)
    for first in range(0, n, images):
        count = min(images, n - first)
        of = window, backwards, count, channels, outputs
        tables, here = plan(*of), -(-wanted * count // n)
        ranges = shares(max(here, -(-len(tables.tiles) // most)), *of)
        across = max(band.panels * len(ranges) // here, 1)
        xat = first * prod(x[1:]) + group * (channels // window.groups)
        yat = first * prod(y[1:]) + group * (outputs // window.groups)
        for tiles, panel in product(ranges, range(0, band.panels, across)):
            some = panel, min(panel + across, band.panels)
            yield Piece(part, tables, tiles, some, xat, yat)


@compiled
def _convolve_tiles(x, w, y, tables, tiles, panels, registers, width, xat, yat, outputs):
    """y[places of a tile, a panel of outputs] for ranges of tiles and of panels."""
    size = w.size // ((outputs + width - 1) // width)
    for panel in range(*panels):
        at, left = panel * width, outputs - panel * width
        for tile in range(*tiles):
            sums = _taps(x, w, tables, tile, registers, xat, panel * size, width)
            targets = places(tables.targets, tile * ROWS, yat, HIGH)
            if left >= width:
                put(y, targets, at, sums)
            else:
                put_head(y, targets, at, sums, left)


@inlined
def _taps(x, w, tables, tile, registers, xat, wat, width):
    """The sum over the taps that the tile's places see, and their channels, of x w."""
    nothing = zeros(HIGH, registers, w)
    sums, chains, done, waiting = nothing, 0, 0, shelf(LEVELS, nothing)
    pixels = places(tables.pixels, tile * ROWS, xat, HIGH)
    row, column, _ = tables.tiles[tile]
    for u in range(tables.row_starts[row], tables.row_starts[row + 1]):
        for v in range(tables.run_starts[column], tables.run_starts[column + 1]):
            c = tables.rows[u, 0] + tables.runs[v, 0]
            b = wat + (tables.rows[u, 1] + tables.runs[v, 1]) * width
            done += tables.runs[v, 2]
            if done > CHAIN:
                chains, done = wait(sums, chains, waiting), tables.runs[v, 2]
                sums = nothing
            for k in range(c, c + tables.runs[v, 2]):
                sums = outer(sums, x, pixels, k, w, b)
                b += width
    return total(sums, chains, waiting)
