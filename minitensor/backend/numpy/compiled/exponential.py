"""The exponential of float32 as plain arithmetic, of which vectors can be made.

    exp(x) = 2^n exp(r),    n = round(x / ln 2),    r = x - n ln 2, at most ln 2 / 2 in size

exp(r) is its series to the seventh power: what is left out is below 2^-27.
"""

from __future__ import annotations

import math

import numpy as np

from minitensor.backend.numpy.compiled.jit import compiled

_PER_LN2 = np.float32(1 / math.log(2))
_LN2 = np.float32(355 / 512)  # so few bits that a product with n is exact
_REST = np.float32(math.log(2) - 355 / 512)
_LEAST = np.float32(-104)  # from here down it is 0
_S7, _S6, _S5, _S4, _S3, _S2 = (np.float32(1 / math.factorial(k)) for k in range(7, 1, -1))
_ONE, _HALF = np.float32(1), np.float32(0.5)


@compiled
def exp_below(x):
    """exp(x) for x <= 0; NaN stays NaN."""
    return exp_of_sum(x, np.float32(0))


@compiled
def exp_of_sum(x, more):
    """exp(x + more) for a sum below 0 whose second part is small: no digit of it is lost."""
    bounded = x if x > _LEAST else _LEAST
    n = np.floor(bounded * _PER_LN2 + _HALF)
    r = ((bounded - n * _LN2) - n * _REST) + more
    series = ((((_S7 * r + _S6) * r + _S5) * r + _S4) * r + _S3) * r + _S2
    y = (series * r * r + r) + _ONE
    power = np.int32(n)
    half = power >> np.int32(1)  # in two steps: 2^-149 is less than one power can say
    y = y * _power_of_two(half) * _power_of_two(np.int32(power - half))
    return y if x == x else x


@compiled
def _power_of_two(n):
    return np.int32((n + np.int32(127)) << np.int32(23)).view(np.float32)
