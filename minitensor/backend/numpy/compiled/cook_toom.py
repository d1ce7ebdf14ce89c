"""The small matrices of Winograd's minimal filtering, made from the points they stand on.

A filter of 3 taps and `outputs` places are polynomials: at outputs + 1 points and at infinity, the
values of a product are products of values, so outputs + 2 multiplications do for 3 * outputs.

    places = A^T [(G kernel) * (B^T pixels)]        Lavin and Gray 2016, after Toom and Cook

In two dimensions, one such set works along the rows and one along the columns. The gradient in the
kernel is the same sum read from another side: G^T [(A y) * (B^T pixels)].
"""

from __future__ import annotations

from math import sqrt

import numpy as np

TAPS = 3
DOWN, ACROSS = 2, 4  # places of a tile
POINTS_DOWN = (0.0, 1.0, -1.0)
POINTS_ACROSS = (0.0, sqrt(1 / 2), -sqrt(1 / 2), sqrt(2), -sqrt(2))  # half the error of 0, 1, 2
POINTS = (DOWN + TAPS - 1) * (ACROSS + TAPS - 1)


def _matrices(points: tuple[float, ...], outputs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A^T, G and B^T for these points and infinity."""
    p = np.array(points)
    others = [np.delete(p, i) for i in range(len(p))]
    infinity = len(p) * [0.0] + [1.0]
    values = np.vander(p, outputs, increasing=True)  # (points, outputs)
    kernel = np.vander(p, TAPS, increasing=True)  # (points, TAPS)
    kernel /= [[np.prod(q - other)] for q, other in zip(p, others, strict=True)]
    pixels = np.array([np.append(np.poly(other)[::-1], 0) for other in others] + [np.poly(p)[::-1]])
    pixels[abs(pixels) < 1e-9] = 0  # but for rounding
    a = np.vstack([values, infinity[-outputs:]])  # (points + 1, outputs)
    g = np.vstack([kernel, infinity[-TAPS:]])  # (points + 1, TAPS)
    return a.T, g, pixels


_SETS = _matrices(POINTS_DOWN, DOWN), _matrices(POINTS_ACROSS, ACROSS)
_A, _G, _B = zip(*_SETS, strict=True)
TABLES = {  # what is done down the columns of a grid of numbers, and then along its rows
    "pixels": _B,
    "kernel": _G,
    "places": _A,
    "places back": tuple(matrix.T for matrix in _A),
    "kernel back": tuple(matrix.T for matrix in _G),
}
