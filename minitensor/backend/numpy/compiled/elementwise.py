"""Elementwise formulas in one pass over memory; NaN stays NaN."""

from __future__ import annotations

import numpy as np

from minitensor.backend.numpy.compiled.flat import each_piece, flat
from minitensor.backend.numpy.compiled.jit import compiled, inner
from minitensor.backend.numpy.memory import empty


def bias_between(
    rows: np.ndarray, bias: np.ndarray, low: float, high: float, out: np.ndarray
) -> None:
    """out = rows + bias, no less than low and no more than high; out may be the rows themselves."""
    limits = [rows.dtype.type(limit) for limit in (low, high)]
    if out is rows:
        each_piece(_bias_in_place, [rows], bias, *limits)
    else:
        each_piece(_bias, [rows, out], bias, *limits)


def gate(g: np.ndarray, x: np.ndarray, high: float) -> np.ndarray:
    """g where 0 < x < high, else 0; a high of NaN is none."""
    y = empty(g.shape, g.dtype)
    each_piece(_gate, [flat(g), flat(x), flat(y)], x.dtype.type(high))
    return y


def choose(condition: np.ndarray, x: np.ndarray) -> np.ndarray:
    """x where the condition holds, else 0."""
    y = empty(x.shape, x.dtype)
    each_piece(_choose, [flat(condition), flat(x), flat(y)])
    return y


@inner
def _between(x, low, high):
    x = low if x <= low else x
    return high if x >= high else x


@compiled
def _bias(x, y, bias, low, high):
    for r in range(len(x)):
        for c in range(len(bias)):
            y[r, c] = _between(x[r, c] + bias[c], low, high)


@compiled
def _bias_in_place(y, bias, low, high):
    for r in range(len(y)):
        for c in range(len(bias)):
            y[r, c] = _between(y[r, c] + bias[c], low, high)


@compiled
def _gate(g, x, y, high):
    for k in range(len(y)):
        y[k] = g[k] if x[k] > 0 and not x[k] >= high else y.dtype.type(0)


@compiled
def _choose(condition, x, y):
    for k in range(len(y)):
        y[k] = x[k] if condition[k] else y.dtype.type(0)
