"""The word of the language of `registers` that only the gradient of maxima needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from minitensor.backend.numpy.compiled.registers import _Emitter, _lowered, _vector


def give(
    left: np.ndarray, top: np.ndarray, x: np.ndarray, y: np.ndarray, at: int, count: int
) -> np.ndarray:
    """y from `at` on += left, where x there is the top or NaN: of what is left, the rest.

    Tiles of one row, the first `count` numbers.
    """
    rest = left.copy()
    wins = (x[at : at + count] == top[0, :count]) | np.isnan(x[at : at + count])
    y[at : at + count] += np.where(wins, left[0, :count], 0)
    rest[0, :count][wins] = 0
    return rest


@_lowered(give, lambda left, top, x, y, at, count: left)
def _(m: _Emitter) -> Any:
    rest, vector = m.values[0], _vector(m.kinds[0])
    zeros = ir.Constant(vector, None)
    for v in range(m.kinds[0].columns):
        step = m.constant(v * vector.count)
        count = m.builder.sub(m.index(5), step)
        pixel = m.load_head(m.pointer(2, m.index(4), step), vector, count)
        wins = m.builder.or_(
            m.builder.fcmp_ordered("==", pixel, m.builder.extract_value(m.values[1], v)),
            m.builder.fcmp_unordered("uno", pixel, pixel),
        )
        left, where = m.builder.extract_value(rest, v), m.pointer(3, m.index(4), step)
        given = m.builder.select(wins, left, zeros)
        total = m.builder.fadd(m.load_head(where, vector, count), given)
        m.store_head(total, where, count)
        rest = m.builder.insert_value(rest, m.builder.select(wins, zeros, left), v)
    return rest
