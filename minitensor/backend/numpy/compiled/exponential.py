"""The exponential of float32 as plain arithmetic, of which vectors can be made.

    exp(x) = 2^n exp(r),    n = round(x / ln 2),    r = x - n ln 2, at most ln 2 / 2 in size

exp(r) is its series to the seventh power: what is left out is below 2^-27.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import lower_builtin, type_callable

from minitensor.backend.numpy.compiled.jit import compiled

_PER_LN2 = np.float32(1 / math.log(2))
_LN2 = np.float32(355 / 512)  # so few bits that a product with n is exact
_REST = np.float32(math.log(2) - 355 / 512)
_LEAST = np.float32(-104)  # from here down it is 0
_S7, _S6, _S5, _S4, _S3, _S2 = (np.float32(1 / math.factorial(k)) for k in range(7, 1, -1))
_ONE, _HALF = np.float32(1), np.float32(0.5)


def fused(a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once where the processor can."""
    return a * b + c


type_callable(fused)(lambda context: lambda a, b, c: a if a == b == c else None)


@lower_builtin(fused, types.Float, types.Float, types.Float)
def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    kind = ir.FunctionType(values[0].type, [value.type for value in values])
    return builder.call(
        builder.module.declare_intrinsic("llvm.fmuladd", [values[0].type], kind), values
    )


@compiled
def exp_below(x):
    """exp(x) for x <= 0; NaN stays NaN."""
    return exp_of_sum(x, np.float32(0))


@compiled
def exp_of_sum(x, more):
    """exp(x + more) for a sum below 0 whose second part is small: no digit of it is lost."""
    bounded = x if x > _LEAST else _LEAST
    n = np.floor(fused(bounded, _PER_LN2, _HALF))
    r = fused(n, -_REST, fused(n, -_LN2, bounded)) + more
    series = fused(fused(fused(fused(fused(_S7, r, _S6), r, _S5), r, _S4), r, _S3), r, _S2)
    y = fused(series, r * r, r) + _ONE
    power = np.int32(n)
    half = power >> np.int32(1)  # in two steps: 2^-149 is less than one power can say
    y = y * _power_of_two(half) * _power_of_two(np.int32(power - half))
    return y if x == x else x


@compiled
def _power_of_two(n):
    return np.int32((n + np.int32(127)) << np.int32(23)).view(np.float32)
