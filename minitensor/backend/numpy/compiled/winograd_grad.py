"""The gradient in a 3x3 kernel by Winograd's filtering: the sum over tiles of v^T d at each point.

    dw = G^T [sum of (B^T pixels) (A y)] G      x and y at the points: v and d, as in `winograd`

One tile's v and d serve 9 taps. A sum that is not finite is computed again by `filter_grad`.
"""

from __future__ import annotations

import numpy as np

from minitensor.backend.numpy.blocks import num_threads_for
from minitensor.backend.numpy.compiled import filter_grad
from minitensor.backend.numpy.compiled.cook_toom import POINTS, TAPS
from minitensor.backend.numpy.compiled.jit import compiled
from minitensor.backend.numpy.compiled.packing import Band, cut
from minitensor.backend.numpy.compiled.places import Range
from minitensor.backend.numpy.compiled.points import (
    APART,
    Grid,
    grid_of,
    kernel_from_points,
    pixels_to_points,
    places_to_points,
    spaced,
)
from minitensor.backend.numpy.compiled.registers import ROWS, add, in_line, lanes, outer, put, zeros
from minitensor.backend.numpy.compiled.winograd import Scratch, panels_of, share, tiles_of_block
from minitensor.backend.numpy.memory import empty, scratch
from minitensor.backend.numpy.threads import parallel_map
from minitensor.backend.settings import workspace_limit
from minitensor.window import Window

CHANNELS, REGISTERS = 8, 2  # of a tile
TALL = tuple(range(CHANNELS))
OWN_SUM = 2**21  # bytes of gradient that each share of the tiles may sum by itself
SHARES = 8  # for any number of threads: so the bits are the same


def conv2d_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    """kernel = the sum over images and places of x^T y."""
    kernel = empty((TAPS, TAPS, x.shape[-1], y.shape[-1]), x.dtype)
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    whole = panels_of(y.shape[-1], REGISTERS, lanes(x.dtype))
    panel_bytes = POINTS * spaced(x.shape[-1], CHANNELS) * whole.width * x.itemsize
    parts = cut([whole], workspace_limit() // 4 // panel_bytes)
    if all(_gradient(x, y, window, band, kernel) for band in parts):
        return kernel
    return filter_grad.conv2d_kernel_grad(x, y, window)


def _gradient(x: np.ndarray, y: np.ndarray, window: Window, band: Band, kernel: np.ndarray) -> bool:
    """The same for a band of outputs; whether all of it is finite."""
    lane, inputs = lanes(x.dtype), x.shape[-1]
    grid, seen, made = grid_of(x, y, (window.pad[0][0], window.pad[1][0]))
    row, wide = spaced(inputs, max(lane, CHANNELS), ROWS), band.panels * band.width
    size = spaced(row * wide, lane)
    shares = max(min(SHARES, grid.tiles, OWN_SUM // (POINTS * size * x.itemsize)), 1)
    shares = 1 << shares.bit_length() - 1  # which threads share evenly
    block = tiles_of_block(row, wide, x.itemsize, workspace_limit() // (2 * SHARES))
    sums = scratch(shares * POINTS * size, x.dtype).reshape(shares, -1)

    def work(own: Scratch, piece: tuple[int, Range]) -> None:
        number, columns = piece
        tiles = grid.tiles * number // shares, grid.tiles * (number + 1) // shares
        _sum_tiles(
            *(x.reshape(-1), y.reshape(-1), sums[number], *own, grid, seen, made, tiles, block),
            *(columns, band.first, row, across, wide, size, band.registers, band.width, lane),
        )

    work_size = y.size // y.shape[-1] * TAPS**2 * inputs * band.outputs
    num_threads = min(num_threads_for(work_size), SHARES)
    step = max(band.panels * shares // num_threads, 1) * band.width
    across = spaced(min(step, wide), lane, ROWS)
    pieces = [
        (number, (first, min(first + step, wide)))
        for first in range(0, wide, step)
        for number in range(shares)
    ]
    share(
        work,
        pieces,
        num_threads,
        (block * row, block * across),
        x.dtype,
    )
    return _from_points(sums.reshape(shares, POINTS, size), kernel, band, wide, lane, num_threads)


def _from_points(
    sums: np.ndarray, kernel: np.ndarray, band: Band, wide: int, lane: int, num_threads: int
) -> bool:
    """kernel[..., band] = what all shares have summed; whether it is finite."""
    inputs, outputs = kernel.shape[2:]

    def work(some: Range) -> bool:
        part = slice(some[0] * wide, some[1] * wide)
        with np.errstate(all="ignore"):  # `filter_grad` computes what is not finite, and says so
            for share in sums[1:]:
                sums[0, :, part] += share[:, part]
        steps = outputs, inputs * outputs, band.first, band.outputs
        fine: bool = kernel_from_points(
            sums.reshape(-1), kernel.reshape(-1), some, *steps, wide, sums.shape[-1], lane
        )
        return fine

    step = -(-inputs // num_threads)
    return all(
        parallel_map(
            work, [(c, min(c + step, inputs)) for c in range(0, inputs, step)], num_threads
        )
    )


@compiled
def _sum_tiles(
    x, y, sums, v, d, spots, grid, seen, made, tiles, block,
    columns, output, row, across, wide, size, registers, width, lane,
):  # fmt: skip
    """sums[point, c, o] = v^T d: a range of tiles and of columns of outputs, block by block."""
    mine = columns[1] - columns[0]
    for first in range(tiles[0], tiles[1], block):
        end = min(first + block, tiles[1])
        groups, some = (end - first + ROWS - 1) // ROWS, Grid(end, grid.high, grid.wide)
        pixels_to_points(x, v, spots, some, seen, first, groups, row, lane)
        places_to_points(
            y, d, spots, some, made, first, groups, across, lane, output + columns[0], mine
        )
        for point in range(POINTS):
            for o in range(0, mine, width):
                for c in range(0, seen.channels, CHANNELS):
                    total = zeros(TALL, registers, v)
                    for group in range(groups):
                        at = (group * APART + point) * ROWS
                        for t in range(at, at + ROWS):
                            pixels = in_line(t * row + c, 1, TALL)
                            total = outer(total, v, pixels, 0, d, t * across + o)
                    targets = in_line(point * size + c * wide + columns[0] + o, wide, TALL)
                    if first == tiles[0]:
                        put(sums, targets, 0, total)
                    else:
                        add(sums, targets, 0, total)
