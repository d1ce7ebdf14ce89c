"""From images to Winograd's points and back, a tile of places at a time.

    numbers[group of ROWS tiles, point, tile, channel]

A tile is DOWN x ACROSS places, which see SEEN_DOWN x SEEN_ACROSS pixels. Its grid of numbers lies
in registers, one for so many channels, while a matrix of `cook_toom` works on it from either side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minitensor.backend.numpy.compiled.cook_toom import ACROSS, DOWN, POINTS, TAPS
from minitensor.backend.numpy.compiled.jit import compiled, inner
from minitensor.backend.numpy.compiled.registers import (
    ROWS,
    finite,
    in_line,
    mix,
    places,
    put,
    put_head,
    take,
    take_head,
)
from minitensor.window import Pair

SEEN_DOWN, SEEN_ACROSS = DOWN + TAPS - 1, ACROSS + TAPS - 1
PLACES, SEEN, WINDOW = (tuple(range(n)) for n in (DOWN * ACROSS, POINTS, TAPS * TAPS))  # grids
ONE = (0,)  # register in each row
APART = POINTS + 1  # from group to group: 24 points of 64 channels would be whole pages
NOWHERE = -(2**62)


class Grid(NamedTuple):
    """The tiles of all images, in order; how many one image has."""

    tiles: int
    high: int
    wide: int


class Field(NamedTuple):
    """Images, and how far above and left of its corner the first tile of each begins."""

    height: int
    width: int
    channels: int
    top: int = 0
    left: int = 0


def grid_of(x: np.ndarray, y: np.ndarray, before: Pair) -> tuple[Grid, Field, Field]:
    """The tiles of places y, and how they lie on x and on y."""
    high, wide = -(-y.shape[1] // DOWN), -(-y.shape[2] // ACROSS)
    seen, made = Field(*x.shape[1:])._replace(top=before[0], left=before[1]), Field(*y.shape[1:])
    return Grid(len(y) * high * wide, high, wide), seen, made


def spaced(row: int, lane: int, rows: int = 1) -> int:
    """A length for so many numbers: whole registers, and `rows` of it no multiple of a page's half.

    What lies so far apart would share a few lines of the nearest cache.
    """
    row = -(-row // lane) * lane
    return row if rows * row % (32 * lane) else row + lane


@compiled
def kernel_to_points(kernel, u, inputs, row, tap, first, outputs, width, size, lane):
    """u[panel, point, c * width + output], of a range of inputs c; zeros beyond the outputs."""
    for c in range(*inputs):
        for o in range(0, (outputs + width - 1) // width * width, lane):
            taps = _some(kernel, in_line(first + c * row + o, tap, WINDOW), 0, outputs - o, lane)
            at = o // width * POINTS * size + c * width + o % width
            put(u, in_line(at, size, SEEN), 0, mix("kernel", taps))


@compiled
def kernel_from_points(sums, kernel, inputs, row, tap, first, outputs, wide, size, lane):
    """The gradient in a range of inputs and a band of outputs; whether all of it is finite."""
    fine = True
    for c in range(*inputs):
        for o in range(0, outputs, lane):
            taps = mix("kernel back", take(ONE, sums, in_line(c * wide + o, size, SEEN), 0))
            put_head(kernel, in_line(first + c * row + o, tap, WINDOW), 0, taps, outputs - o)
            fine = fine and finite(taps)
    return fine


@inner
def pixels_to_points(x, v, spots, grid, field, first, groups, row, lane):
    """v, of a block of tiles that begins with the first; zeros for those beyond the last."""
    for t in range(groups * ROWS):
        whole = _find(spots, first + t, grid, field, SEEN_DOWN, SEEN_ACROSS)
        pixels, at = places(spots, 0, 0, SEEN), _start(t, row)
        for c in range(0, field.channels, lane):
            left = field.channels - c
            seen = _some(x, pixels, c, left, lane) if whole else take_head(ONE, x, pixels, c, left)
            put(v, in_line(at + c, ROWS * row, SEEN), 0, mix("pixels", seen))


@inner
def _some(x, rows, c, count, lane):
    """`take_head` of rows that are all inside."""
    return take(ONE, x, rows, c) if count >= lane else take_head(ONE, x, rows, c, count)


@inner
def places_to_points(y, d, spots, grid, field, first, groups, row, lane, output, outputs):
    """d, of a block and some outputs: what the places of a tile give to its points."""
    for t in range(groups * ROWS):
        _find(spots, first + t, grid, field, DOWN, ACROSS)
        targets, at = places(spots, 0, output, PLACES), _start(t, row)
        for o in range(0, outputs, lane):
            given = take_head(ONE, y, targets, o, field.channels - output - o)
            put(d, in_line(at + o, ROWS * row, SEEN), 0, mix("places back", given))


@inner
def places_from_points(m, y, spots, grid, field, first, count, row, lane, output, outputs, lost):
    """y, of `count` tiles and a band of outputs; the images where it is not finite are lost."""
    for t in range(count):
        _find(spots, first + t, grid, field, DOWN, ACROSS)
        targets, at, fine = places(spots, 0, output, PLACES), _start(t, row), True
        for o in range(0, outputs, lane):
            sums = mix("places", take(ONE, m, in_line(at + o, ROWS * row, SEEN), 0))
            put_head(y, targets, o, sums, outputs - o)
            fine = fine and finite(sums)
        if not fine:
            lost[(first + t) // (grid.high * grid.wide)] = True


@inner
def _start(t, row):
    """Where the numbers of tile t of a block begin; those of the next point lie ROWS rows on."""
    return (t // ROWS * APART * ROWS + t % ROWS) * row


@inner
def _find(spots, tile, grid, field, high, wide):
    """Where the pixels of a tile lie, far below 0 for one on no image; whether none is such."""
    n, i = tile // (grid.high * grid.wide), tile // grid.wide % grid.high
    top, left = i * DOWN - field.top, tile % grid.wide * ACROSS - field.left
    k, whole = 0, True
    for h in range(top, top + high):
        for w in range(left, left + wide):
            inside = 0 <= h < field.height and 0 <= w < field.width and tile < grid.tiles
            whole = whole and inside
            spots[k] = ((n * field.height + h) * field.width + w) * field.channels
            if not inside:
                spots[k] = NOWHERE
            k += 1
    return whole
