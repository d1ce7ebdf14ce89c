"""Batch normalisation in two passes over memory: the sums of a block come from the cache.

    rows, out (rows, W): pixels, or a few side by side    mean, factor, ... (W,)

Sums of at most BLOCK rows are of x's dtype, and are added up in float64.
"""

from __future__ import annotations

import numpy as np

from minitensor.backend.numpy.compiled.flat import each_piece, sum_pieces
from minitensor.backend.numpy.compiled.jit import compiled, inner

BLOCK = 64


def moments(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of pieces of the rows: how many, their means, the sums of squared distances from these."""

    def work(bounds: np.ndarray, sums: np.ndarray, scratch: np.ndarray) -> None:
        _moments(rows, bounds, sums, scratch)

    bounds, sums = sum_pieces(work, rows, (3, rows.shape[1]))
    return np.diff(bounds), sums[:, 0], sums[:, 1]


def batch_norm(
    rows: np.ndarray, mean: np.ndarray, factor: np.ndarray, shift: np.ndarray, out: np.ndarray
) -> None:
    """out = (rows - mean) * factor + shift."""
    each_piece(_batch_norm, [rows, out], mean, factor, shift)


def batch_norm_sums(g: np.ndarray, rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """(2, W): the sums of g, and of g * (rows - mean)."""

    def work(bounds: np.ndarray, sums: np.ndarray, scratch: np.ndarray) -> None:
        _batch_norm_sums(g, rows, mean, bounds, sums, scratch)

    total: np.ndarray = sum_pieces(work, rows, (2, rows.shape[1]))[1].sum(0)
    return total


def sum_rows(rows: np.ndarray) -> np.ndarray:
    """(W,): the sum of the rows."""

    def work(bounds: np.ndarray, sums: np.ndarray, scratch: np.ndarray) -> None:
        _sum_rows(rows, bounds, sums, scratch)

    total: np.ndarray = sum_pieces(work, rows, (rows.shape[1],))[1].sum(0)
    return total


def batch_norm_grad(
    g: np.ndarray, rows: np.ndarray, vectors: list[np.ndarray], out: np.ndarray
) -> None:
    """out = (g - ((rows - mean) * tilt + level)) * factor; `vectors` are these four."""
    each_piece(_batch_norm_grad, [g, rows, out], np.stack(vectors))


@compiled
def _moments(x, bounds, sums, scratch):
    """Distances of a block are those from the mean of the block before, if it is near enough."""
    guess, rest, squares = scratch[0], scratch[1], scratch[2]
    for k in range(len(sums)):
        for c in range(len(guess)):
            guess[c] = x[bounds[k], c]
        for first in range(bounds[k], bounds[k + 1], BLOCK):
            block = x[first : min(first + BLOCK, bounds[k + 1])]
            _add_distances(rest, squares, block, guess)
            if _is_far(rest, squares, len(block)):
                _move(guess, rest, len(block))
                _add_distances(rest, squares, block, guess)
            _merge(sums[k, 0], sums[k, 1], first - bounds[k], scratch, len(block))
            _move(guess, rest, len(block))


@inner
def _add_distances(rest, squares, x, guess):
    """The sums of x - guess, and of its squares."""
    rest[:] = 0
    squares[:] = 0
    fours = len(x) // 4 * 4
    for r in range(0, fours, 4):
        for c in range(x.shape[1]):
            a, b = x[r, c] - guess[c], x[r + 1, c] - guess[c]
            e, f = x[r + 2, c] - guess[c], x[r + 3, c] - guess[c]
            rest[c] += (a + b) + (e + f)
            squares[c] += (a * a + b * b) + (e * e + f * f)
    for r in range(fours, len(x)):
        for c in range(x.shape[1]):
            a = x[r, c] - guess[c]
            rest[c] += a
            squares[c] += a * a


@inner
def _is_far(rest, squares, rows):
    """Whether a guess is further from the mean than the numbers are: half the digits are lost."""
    far = False
    for c in range(len(rest)):
        far |= 2 * np.float64(rest[c]) * rest[c] > rows * squares[c] or squares[c] == np.inf
    return far


@inner
def _move(guess, rest, rows):
    for c in range(len(guess)):
        guess[c] += rest[c] / guess.dtype.type(rows)


@inner
def _merge(mean, square, rows, scratch, more):
    """Adds a block to the mean and the squares of the rows before: Chan's formula."""
    each, share = 1.0 / more, more / (rows + more)
    for c in range(len(mean)):
        left = np.float64(scratch[1, c]) * each
        away = scratch[0, c] + left - mean[c]
        mean[c] += away * share
        square[c] += scratch[2, c] - more * left * left + away * away * (rows * share)


@compiled
def _batch_norm(x, y, mean, factor, shift):
    for r in range(len(x)):
        for c in range(x.shape[1]):
            y[r, c] = (x[r, c] - mean[c]) * factor[c] + shift[c]


@compiled
def _batch_norm_sums(g, x, mean, bounds, sums, scratch):
    for k in range(len(sums)):
        for first in range(bounds[k], bounds[k + 1], BLOCK):
            end = min(first + BLOCK, bounds[k + 1])
            scratch[:] = 0
            _add_products(scratch[0], scratch[1], g[first:end], x[first:end], mean)
            for row in range(2):
                for c in range(len(mean)):
                    sums[k, row, c] += scratch[row, c]


@inner
def _add_products(total, slope, g, x, mean):
    """Adds the rows of g, and of g * (x - mean), two at once."""
    pairs = len(x) // 2 * 2
    for r in range(0, pairs, 2):
        for c in range(x.shape[1]):
            total[c] += g[r, c] + g[r + 1, c]
            slope[c] += g[r, c] * (x[r, c] - mean[c]) + g[r + 1, c] * (x[r + 1, c] - mean[c])
    for r in range(pairs, len(x)):
        for c in range(x.shape[1]):
            total[c] += g[r, c]
            slope[c] += g[r, c] * (x[r, c] - mean[c])


@compiled
def _batch_norm_grad(g, x, y, vectors):
    mean, tilt, level, factor = vectors[0], vectors[1], vectors[2], vectors[3]
    for r in range(len(x)):
        for c in range(x.shape[1]):
            y[r, c] = (g[r, c] - ((x[r, c] - mean[c]) * tilt[c] + level[c])) * factor[c]


@compiled
def _sum_rows(x, bounds, sums, total):
    for k in range(len(sums)):
        for first in range(bounds[k], bounds[k + 1], BLOCK):
            end = min(first + BLOCK, bounds[k + 1])
            total[:] = 0
            _add_rows(total, x[first:end])
            for c in range(len(total)):
                sums[k, c] += total[c]


@inner
def _add_rows(total, x):
    fours = len(x) // 4 * 4
    for r in range(0, fours, 4):
        for c in range(x.shape[1]):
            total[c] += (x[r, c] + x[r + 1, c]) + (x[r + 2, c] + x[r + 3, c])
    for r in range(fours, len(x)):
        for c in range(x.shape[1]):
            total[c] += x[r, c]
