"""Softmax cross entropy of rows, each of which stays in the cache; float32, as `exponential` is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from minitensor.backend.numpy.compiled.exponential import exp_below, in_whole_registers
from minitensor.backend.numpy.compiled.flat import add, each_piece, fill, raise_to
from minitensor.backend.numpy.compiled.jit import compiled, inner
from minitensor.backend.numpy.memory import empty

WIDTH = 64  # so many sums side by side, that vectors are made of them


def softmax_cross_entropy(labels: np.ndarray, x: np.ndarray) -> np.ndarray:
    """-sum of labels * log softmax(x) over the last axis."""
    loss = empty((*x.shape[:-1], 1), x.dtype)
    _each_row(_losses, labels, x, loss)
    return loss[..., 0]


def softmax_cross_entropy_grad(g: np.ndarray, labels: np.ndarray, x: np.ndarray) -> np.ndarray:
    """g * (softmax(x) * sum(labels) - labels)."""
    y = empty(x.shape, x.dtype)
    _each_row(_gradients, labels, x, g[..., None], y)
    return y


def _each_row(kernel: Callable[..., None], labels: np.ndarray, *arrays: np.ndarray) -> None:
    rows = [np.ascontiguousarray(a).reshape(-1, a.shape[-1]) for a in (labels, *arrays)]

    def work(*parts: np.ndarray) -> None:
        c = labels.shape[-1]
        kernel(*parts, np.empty(c, labels.dtype), np.empty(min(c, WIDTH), labels.dtype))

    each_piece(work, rows)


@inner
def _total(line, sums):
    """The sum of the line."""
    fill(sums, 0)
    for first in range(0, len(line), len(sums)):
        part = line[first : first + len(sums)]
        add(sums[: len(part)], part)
    total = sums[0]
    for k in range(1, len(sums)):
        total += sums[k]
    return total


@inner
def _shift(line, x, best):
    """line = x - its maximum."""
    fill(best, -np.inf)
    for first in range(0, len(x), len(best)):
        part = x[first : first + len(best)]
        raise_to(best[: len(part)], part)
    top = best[0]
    for k in range(1, len(best)):
        top = top if top >= best[k] or top != top else best[k]
    for k in range(len(line)):
        line[k] = x[k] - top


@inner
def _exponentials(line):
    in_whole_registers()
    for k in range(len(line)):
        line[k] = exp_below(line[k])


@compiled
def _losses(labels, x, loss, line, sums):
    in_whole_registers()
    for r in range(len(x)):
        _shift(line, x[r], sums)
        _exponentials(line)
        log = x.dtype.type(math.log(_total(line, sums)))
        _shift(line, x[r], sums)
        for k in range(len(line)):
            line[k] = (line[k] - log) * labels[r, k]
        loss[r, 0] = -_total(line, sums)


@compiled
def _gradients(labels, x, g, y, line, sums):
    in_whole_registers()
    for r in range(len(x)):
        _shift(line, x[r], sums)
        _exponentials(line)
        share = _total(labels[r], sums) / _total(line, sums)
        for k in range(len(line)):
            y[r, k] = (line[k] * share - labels[r, k]) * g[r, 0]
