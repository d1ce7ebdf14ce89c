"""float16 and bfloat16 as float32 and back, by their bits: numba has no such numbers.

NumPy converts a float16 at a time, 1 to 3 ns each; these loops become vectors. Most processors
convert 16 float16 by one instruction, which LLVM is asked for; where none does, arithmetic does it.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba.core import types
from numba.extending import lower_builtin, type_callable

from minitensor.backend.numpy.compiled.flat import each_piece, flat
from minitensor.backend.numpy.compiled.jit import compiled, inner
from minitensor.backend.numpy.memory import empty

INFINITE = 0x7F800000  # the bits of a float32; of a NaN there are more
CONVERTS = binding.get_host_cpu_features().get("f16c", platform.machine() in ("arm64", "aarch64"))


def widened(x: np.ndarray) -> np.ndarray:
    """x, of float16 or bfloat16, in float32."""
    y = empty(x.shape, np.float32)
    kernel = (_extend if CONVERTS else _widen) if x.dtype == np.float16 else _widen_bfloat16
    each_piece(kernel, [flat(x).view(np.uint16), flat(y).view(np.uint32)])
    return y


def rounded(x: np.ndarray, half: Any) -> np.ndarray:
    """x, of float32, in float16 or bfloat16: the nearest, of two the even one."""
    y = empty(x.shape, half)
    kernel = (_truncate if CONVERTS else _round) if y.dtype == np.float16 else _round_bfloat16
    each_piece(kernel, [flat(x).view(np.uint32), flat(y).view(np.uint16)])
    return y


@inner
def _number(bits):
    return np.uint32(bits).view(np.float32)


@inner
def _bits(number):
    return np.float32(number).view(np.uint32)


# ----- by the processor -----


def extended(bits):
    """The bits of the float32 of the float16 of these bits."""
    return np.uint16(bits).view(np.float16).astype(np.float32).view(np.uint32)


type_callable(extended)(lambda context: lambda x: types.uint32 if x == types.uint16 else None)


@lower_builtin(extended, types.uint16)
def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    wide = builder.fpext(builder.bitcast(values[0], ir.HalfType()), ir.FloatType())
    return builder.bitcast(wide, ir.IntType(32))


def truncated(bits):
    """The bits of the float16 next to the float32 of these bits."""
    return np.uint32(bits).view(np.float32).astype(np.float16).view(np.uint16)


type_callable(truncated)(lambda context: lambda x: types.uint16 if x == types.uint32 else None)


@lower_builtin(truncated, types.uint32)
def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    near = builder.fptrunc(builder.bitcast(values[0], ir.FloatType()), ir.HalfType())
    return builder.bitcast(near, ir.IntType(16))


@compiled
def _extend(x, y):
    for k in range(len(y)):
        y[k] = extended(x[k])


@compiled
def _truncate(x, y):
    for k in range(len(y)):
        y[k] = truncated(x[k])


# ----- by arithmetic -----


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
