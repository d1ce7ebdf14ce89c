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

from minitensor.backend.numpy.compiled.jit import compiled, inner

_PER_LN2 = np.float32(1 / math.log(2))
_LN2 = np.float32(355 / 512)  # so few bits that a product with n is exact
_REST = np.float32(math.log(2) - 355 / 512)
_LEAST = np.float32(-104)  # from here down it is 0
_S7, _S6, _S5, _S4, _S3, _S2 = (np.float32(1 / math.factorial(k)) for k in range(7, 1, -1))
_ONE, _HALF = np.float32(1), np.float32(0.5)


def fused(a: Any, b: Any, c: Any) -> Any:
    """a * b + c of float32, rounded once where the processor can."""
    return type(c)(np.float64(a) * np.float64(b) + np.float64(c))


type_callable(fused)(lambda context: lambda a, b, c: a if a == b == c else None)


@lower_builtin(fused, types.Float, types.Float, types.Float)
def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    kind = ir.FunctionType(values[0].type, [value.type for value in values])
    return builder.call(
        builder.module.declare_intrinsic("llvm.fmuladd", [values[0].type], kind), values
    )


def in_whole_registers() -> None:
    """Said at the head of a kernel: LLVM's vectors may fill registers; it takes half by itself."""


type_callable(in_whole_registers)(lambda context: lambda: types.void)


@lower_builtin(in_whole_registers)
def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    set.add(builder.function.attributes, '"prefer-vector-width"="512"')
    return context.get_dummy_value()


@compiled
def exp_below(x):
    """exp(x) for x <= 0; NaN stays NaN."""
    y = exp_of_sum(x if x > _LEAST else _LEAST, np.float32(0))
    return y if x == x else x


@inner
def exp_of_sum(x, more):
    """exp(x + more), _LEAST <= x <= 0, where more is small: no digit of the sum is lost."""
    n = np.floor(fused(x, _PER_LN2, _HALF))
    r = fused(n, -_REST, fused(n, -_LN2, x)) + more
    series = fused(fused(fused(fused(fused(_S7, r, _S6), r, _S5), r, _S4), r, _S3), r, _S2)
    y = fused(series, r * r, r) + _ONE
    power = np.int32(n)
    half = power >> np.int32(1)  # in two steps: 2^-149 is less than one power can say
    return y * _power_of_two(half) * _power_of_two(np.int32(power - half))


@inner
def _power_of_two(n):
    return np.int32((n + np.int32(127)) << np.int32(23)).view(np.float32)
