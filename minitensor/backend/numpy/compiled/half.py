"""float16 and bfloat16 as float32 and back, by their bits: numba has no such numbers.

NumPy converts a float16 at a time, 3 ns each; these loops become vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.backend.numpy.compiled.flat import each_piece, flat
from minitensor.backend.numpy.compiled.jit import compiled, inner
from minitensor.backend.numpy.memory import empty

INFINITE = 0x7F800000  # the bits of a float32; of a NaN there are more


def widened(x: np.ndarray) -> np.ndarray:
    """x, of float16 or bfloat16, in float32."""
    y = empty(x.shape, np.float32)
    kernel = _widen if x.dtype == np.float16 else _widen_bfloat16
    each_piece(kernel, [flat(x).view(np.uint16), flat(y).view(np.uint32)])
    return y


def rounded(x: np.ndarray, half: Any) -> np.ndarray:
    """x, of float32, in float16 or bfloat16: the nearest, of two the even one."""
    y = empty(x.shape, half)
    kernel = _round if y.dtype == np.float16 else _round_bfloat16
    each_piece(kernel, [flat(x).view(np.uint32), flat(y).view(np.uint16)])
    return y


@inner
def _number(bits):
    return np.uint32(bits).view(np.float32)


@inner
def _bits(number):
    return np.float32(number).view(np.uint32)


@compiled
def _widen(x, y):
    for k in range(len(y)):
        half = np.int64(x[k])
        bits = (half & 0x7FFF) << 13  # the exponent is 112 too small
        number = _bits(_number(bits) * np.float32(2.0**112))
        y[k] = (number if bits < 31 << 23 else bits | INFINITE) | (half & 0x8000) << 16


@compiled
def _widen_bfloat16(x, y):
    for k in range(len(y)):
        y[k] = np.uint32(x[k]) << 16


@compiled
def _round(x, y):
    for k in range(len(y)):
        sign, bits = np.int64(x[k]) >> 16 & 0x8000, np.int64(x[k]) & 0x7FFFFFFF
        large = (bits + 0xFFF + (bits >> 13 & 1) - (112 << 23)) >> 13
        small = _bits(_number(bits) + np.float32(0.5)) - 0x3F000000  # no normal float16
        number = large if bits >= 113 << 23 else small
        number = number if bits < 0x477FF000 else 0x7C00  # 65520 and more
        number = number if bits <= INFINITE else 0x7E00 | bits >> 13 & 0x3FF
        y[k] = number | sign


@compiled
def _round_bfloat16(x, y):
    for k in range(len(y)):
        bits = np.int64(x[k])
        near = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
        y[k] = near if bits & 0x7FFFFFFF <= INFINITE else bits >> 16 | 0x40
