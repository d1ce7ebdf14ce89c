"""3x3 convolutions of stride 1 by Winograd's minimal filtering: 3 multiplications where 9 are.

Places are computed in tiles of DOWN x ACROSS. At each of POINTS points, what a tile sees is one
number for each channel and the kernel is a matrix (C, O): so many small products, whose sums are
then turned into places (`points` says how). For a block of tiles

    v[group of ROWS tiles, point, tile, C]   u[panel, point, C, width]   m[group, point, tile, O]

and a block is so small that v and m stay in the cache. One size of tile serves all shapes: F(2x4)
was 5 to 20 % faster than F(2x2) on each that was measured, and F(4x4) doubles the error, which
`settings.set_conv_precision` states.

Where a sum is not finite, `direct` computes its image again, as an infinity reaches a whole tile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise, product
from math import prod
from typing import Any

import numpy as np

from minitensor.backend.numpy.blocks import num_threads_for, pieces_for
from minitensor.backend.numpy.compiled import direct
from minitensor.backend.numpy.compiled.chain import dot
from minitensor.backend.numpy.compiled.cook_toom import ACROSS, DOWN, POINTS, TAPS
from minitensor.backend.numpy.compiled.jit import compiled, inner
from minitensor.backend.numpy.compiled.packing import Band, cut, pack
from minitensor.backend.numpy.compiled.places import Range
from minitensor.backend.numpy.compiled.points import (
    APART,
    grid_of,
    kernel_to_points,
    pixels_to_points,
    places_from_points,
    spaced,
)
from minitensor.backend.numpy.compiled.registers import (
    COLUMNS,
    HIGH,
    ROWS,
    in_line,
    lanes,
    put,
)
from minitensor.backend.numpy.memory import empty, scratch
from minitensor.backend.numpy.threads import parallel_map
from minitensor.backend.settings import conv_precision, pinned_algorithm, workspace_limit
from minitensor.window import Pair, Window

BLOCK_BYTES = 700_000  # of v and m
FAR = 2**17  # inputs by outputs from which on a transformed kernel is too large for any cache

Scratch = tuple[np.ndarray, np.ndarray, np.ndarray]  # v, m, where the pixels of a tile lie


def fits(window: Window) -> bool:
    """Whether this serves a window."""
    geometry = (window.kernel, window.stride, window.dilation, window.groups)
    return geometry == ((TAPS, TAPS), (1, 1), (1, 1), 1)


def chosen(images: int, channels: tuple[int, ...], window: Window) -> bool:
    """Whether it is pinned; or wanted by `conv_precision`, and faster for a shape."""
    pinned = pinned_algorithm()
    if not fits(window) or pinned is not None or conv_precision() == "exact":
        return fits(window) and pinned == "winograd"
    taps = prod(map(_taps_on_image, window.size, window.out, window.pad))
    tiles = images * -(-window.out[0] // DOWN) * -(-window.out[1] // ACROSS)
    # In multiplications for each number of the kernel, of which `direct` has as many as taps on the
    # image: to transform the kernel is worth a thousand, or more if what it becomes is written to
    # memory and read again; a tile's pixels and places the others.
    tile = POINTS + 400 * sum(1 / many for many in channels)
    return images * taps >= tiles * tile + (1000 if prod(channels) < FAR else 2500)


def _taps_on_image(size: int, out: int, pad: Pair) -> int:
    """Along an axis, how many taps of all windows lie on the image."""
    ranges = [(max(pad[0] - t, 0), min(size + pad[0] - t, out)) for t in range(TAPS)]
    return sum(max(end - first, 0) for first, end in ranges)


def conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """y = W' x."""
    y = empty((len(x), *window.out, kernel.shape[-1]), x.dtype)
    (top, _), (left, _) = window.pad
    for n in _convolve(x, kernel, y, (top, left), backwards=False):
        y[n : n + 1] = direct.conv2d(x[n : n + 1], kernel, window)
    return y


def conv2d_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """x = W'^T y: of y, padded by 2 less what x was, and the kernel turned around."""
    x = empty((len(y), *window.size, kernel.shape[2]), y.dtype)
    (top, _), (left, _) = window.pad
    for n in _convolve(y, kernel, x, (TAPS - 1 - top, TAPS - 1 - left), backwards=True):
        x[n : n + 1] = direct.conv2d_transpose(y[n : n + 1], kernel, window)
    return x


def _convolve(
    x: np.ndarray, kernel: np.ndarray, y: np.ndarray, before: Pair, backwards: bool
) -> np.ndarray:
    """y = W' x; returns the numbers of the images in which something is not finite."""
    x, lost, lane = np.ascontiguousarray(x), np.zeros(len(x), np.bool_), lanes(x.dtype)
    fit = workspace_limit() // 4 // (POINTS * x.shape[-1] * lane * x.itemsize)  # registers of u
    whole = panels_of(y.shape[-1], max(min(COLUMNS, fit), 1), lane)
    for band in cut([whole], fit // len(whole.registers)):
        _convolve_band(x, kernel, y, before, backwards, band, lost)
    return np.flatnonzero(lost)


def _convolve_band(
    x: np.ndarray,
    kernel: np.ndarray,
    y: np.ndarray,
    before: Pair,
    backwards: bool,
    band: Band,
    lost: np.ndarray,
) -> None:
    """The same for a band of outputs; marks such images in `lost`."""
    lane, inputs = lanes(x.dtype), x.shape[-1]
    grid, seen, made = grid_of(x, y, before)
    work_size = y.size // y.shape[-1] * TAPS**2 * inputs * band.outputs
    num_threads = num_threads_for(work_size)
    u, size = _kernel_at_points(kernel, band, backwards, num_threads)
    row, wide = spaced(inputs, lane, ROWS), spaced(band.panels * band.width, lane, ROWS)
    block = tiles_of_block(row, wide, x.itemsize, workspace_limit() // 2 // num_threads)

    def work(own: Scratch, piece: tuple[Range, Band]) -> None:
        tiles, some = piece
        _convolve_tiles(
            *(x.reshape(-1), u[(some.first - band.first) // band.width * POINTS * size :]),
            *(y.reshape(-1), *own, lost, grid, seen, made, tiles, block, row, wide, size),
            *(band.registers, band.width, lane, some.first, some.outputs),
        )

    groups, count = -(-grid.tiles // ROWS), pieces_for(work_size, num_threads)
    parts = [band]
    if grid.tiles < count * block:  # few: then each thread has its own outputs
        count, parts = -(-grid.tiles // block), cut([band], -(-band.panels // num_threads))
    ends = [min(groups * i // count * ROWS, grid.tiles) for i in range(count + 1)]
    pieces = list(product(pairwise(ends), parts))
    share(work, pieces, num_threads, (block * row, block * wide), x.dtype)


def share(
    work: Callable[[Scratch, Any], None],
    pieces: Sequence[Any],
    num_threads: int,
    tiles: Pair,
    dtype: Any,
) -> None:
    """work(own scratch, piece) of all pieces; so many numbers of v and of m at each point."""
    free = [
        (
            scratch(APART * tiles[0], dtype),
            scratch(APART * tiles[1], dtype),
            np.empty(POINTS, np.int64),
        )
        for _ in range(num_threads)
    ]

    def take_scratch(piece: Any) -> None:
        own = free.pop()
        work(own, piece)
        free.append(own)

    parallel_map(take_scratch, pieces, num_threads)


def panels_of(outputs: int, columns: int, lane: int) -> Band:
    """All outputs, in panels of one width: at most `columns` registers."""
    registers = -(-outputs // lane)
    width = -(-registers // -(-registers // columns)) * lane
    return Band(0, outputs, width, tuple(range(0, width, lane)))


def tiles_of_block(inputs: int, outputs: int, itemsize: int, room: int) -> int:
    """How many tiles are computed at once, in `room` bytes or less if that is one group of them."""
    tile = APART * (inputs + outputs) * itemsize
    as_large_as_u = inputs * outputs // (inputs + outputs)  # which every block reads
    wanted = max(BLOCK_BYTES // tile, min(as_large_as_u, 16 * ROWS))
    return max(min(wanted, room // tile) // ROWS, 1) * ROWS


def _kernel_at_points(
    kernel: np.ndarray, band: Band, backwards: bool, num_threads: int
) -> tuple[np.ndarray, int]:
    """u[panel, point, c * width + output] of a band of outputs; numbers from point to point."""
    _, _, channels, outputs = kernel.shape
    inputs, width, lane = (outputs if backwards else channels), band.width, lanes(kernel.dtype)
    size = spaced(inputs * width, lane)
    u = scratch(band.panels * POINTS * size, kernel.dtype).reshape(band.panels, -1)
    flat = np.ascontiguousarray(kernel).reshape(-1)

    def forward(some: Range) -> None:
        steps = outputs, channels * outputs, band.first, band.outputs
        kernel_to_points(flat, u.reshape(-1), some, *steps, width, size, lane)

    def turned(panel: int) -> None:
        packed = pack(kernel, 1, 0, True, panels[panel])
        steps = width, inputs * width, 0, width
        kernel_to_points(packed, u[panel], (0, inputs), *steps, width, size, lane)

    panels = cut([band], 1)
    if backwards:
        parallel_map(turned, range(band.panels), num_threads)
    else:
        step = -(-inputs // num_threads)
        ranges = [(c, min(c + step, inputs)) for c in range(0, inputs, step)]
        parallel_map(forward, ranges, num_threads)
    return u.reshape(-1), size


@compiled
def _convolve_tiles(
    x, u, y, v, m, spots, lost, grid, seen, made, tiles, block, row, wide,
    size, registers, width, lane, output, outputs,
):  # fmt: skip
    """y[places of a range of tiles, a band of outputs], block by block."""
    for first in range(tiles[0], tiles[1], block):
        count = min(block, tiles[1] - first)
        groups = (count + ROWS - 1) // ROWS
        pixels_to_points(x, v, spots, grid, seen, first, groups, row, lane)
        _multiply(v, u, m, groups, row, seen.channels, wide, size, outputs, registers, width)
        places_from_points(m, y, spots, grid, made, first, count, wide, lane, output, outputs, lost)


@inner
def _multiply(v, u, m, groups, row, inputs, wide, size, outputs, registers, width):
    """m = v u at every point."""
    for point in range(POINTS):
        for panel in range(0, outputs, width):
            for group in range(groups):
                at = (group * APART + point) * ROWS
                pixels, b = in_line(at * row, row, HIGH), (panel // width * POINTS + point) * size
                sums = dot(registers, v, pixels, inputs, u, b, width, ())
                put(m, in_line(at * wide + panel, wide, HIGH), 0, sums)
