"""Convolution from the image itself, without columns: tiles of sums that stay in registers.

    y[place, o] = sum of x[pixel under tap, c] w[tap, c, o] over c and the taps on the image

`conv2d` and its adjoint both have this form; only which pixel lies under a tap differs, and the
tables of `places` say which. A tile is ROWS places that see alike, each with COLUMNS registers of
outputs. Padding is neither read nor copied: a tap that lies on it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from minitensor.backend.numpy.blocks import SHARES, num_threads_for
from minitensor.backend.numpy.compiled.jit import compiled, inner
from minitensor.backend.numpy.compiled.packing import Band, bands, cut, pack
from minitensor.backend.numpy.compiled.places import BLOCK_BYTES, Plan, Range, plan, shares
from minitensor.backend.numpy.compiled.registers import (
    HIGH,
    ROWS,
    outer,
    places,
    put,
    put_head,
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
    x = np.ascontiguousarray(x)
    flat_x, flat_y = x.reshape(-1), y.reshape(-1)
    num_threads = num_threads_for(len(x) * prod(window.out) * kernel.size)

    def work(piece: Piece) -> None:
        band, tiles, panels, xat, yat, w, tables = piece
        _convolve_tiles(
            *(flat_x, w, flat_y, tables, tiles, panels, band.registers, band.width),
            *(xat, yat + band.first, band.outputs),
        )

    pieces = _pieces(x, kernel, y, window, backwards, num_threads * SHARES)
    for batch in _batches(pieces, workspace_limit() // 4):
        parallel_map(work, batch, num_threads)


class Piece(NamedTuple):
    """What one thread computes at once: some tiles of some panels, of some images and a group."""

    band: Band
    tiles: Range
    panels: Range
    xat: int  # where the images and the group begin
    yat: int
    w: np.ndarray
    tables: Plan


def _pieces(
    x: np.ndarray, kernel: np.ndarray, y: np.ndarray, window: Window, backwards: bool, wanted: int
) -> Iterator[Piece]:
    """All the work, in about `wanted` pieces or more."""
    n, groups = len(x), window.groups
    images = max(min(n, BLOCK_BYTES // x[0].nbytes), 1)
    most = max(BLOCK_BYTES // (ROWS * x.shape[-1] * x.itemsize), 1)
    outputs = y.shape[-1] // groups
    panel = bands(outputs, x.dtype)[0].width * kernel.nbytes // kernel.shape[-1]
    parts = cut(bands(outputs, x.dtype), workspace_limit() // 4 // panel)
    for group, band in product(range(groups), parts):
        w = pack(kernel, groups, group, backwards, band)
        for first in range(0, n, images):
            count = min(images, n - first)
            of = window, backwards, count, x.shape[-1], y.shape[-1]
            tables = plan(*of)
            xat = first * x[0].size + group * (x.shape[-1] // groups)
            yat = first * y[0].size + group * (y.shape[-1] // groups)
            here = -(-wanted * count // n)
            ranges = shares(max(here, -(-len(tables.tiles) // most)), *of)
            across = max(band.panels * len(ranges) // here, 1)
            for tiles, panel in product(ranges, range(0, band.panels, across)):
                some = panel, min(panel + across, band.panels)
                yield Piece(band, tiles, some, xat, yat, w, tables)


def _batches(pieces: Iterator[Piece], room: int) -> Iterator[list[Piece]]:
    """The pieces in order; the packed kernels of a batch take no more than `room` bytes."""
    batch: list[Piece] = []
    held, last = 0, None
    for piece in pieces:
        if piece.w is not last:
            if batch and held + piece.w.nbytes > room:
                yield batch
                batch, held = [], 0
            held, last = held + piece.w.nbytes, piece.w
        batch.append(piece)
    yield batch


@compiled
def _convolve_tiles(x, w, y, tables, tiles, panels, registers, width, xat, yat, outputs):
    """y[places of a tile, a panel of outputs] for ranges of tiles and of panels."""
    size = w.size // ((outputs + width - 1) // width)
    for panel in range(*panels):
        at, left = panel * width, outputs - panel * width
        for tile in range(*tiles):
            sums = zeros(HIGH, registers, y)
            sums = _taps(sums, x, w, tables, tile, xat, panel * size, width)
            targets = places(tables.targets, tile * ROWS, yat, HIGH)
            if left >= width:
                put(y, targets, at, sums)
            else:
                put_head(y, targets, at, sums, left)


@inner
def _taps(sums, x, w, tables, tile, xat, wat, width):
    """sums + the sum over the taps that the tile's places see, and their channels, of x w."""
    pixels = places(tables.pixels, tile * ROWS, xat, HIGH)
    row, column, _ = tables.tiles[tile]
    for u in range(tables.row_starts[row], tables.row_starts[row + 1]):
        for v in range(tables.run_starts[column], tables.run_starts[column + 1]):
            c = tables.rows[u, 0] + tables.runs[v, 0]
            b = wat + (tables.rows[u, 1] + tables.runs[v, 1]) * width
            for k in range(c, c + tables.runs[v, 2]):
                sums = outer(sums, x, pixels, k, w, b)
                b += width
    return sums
