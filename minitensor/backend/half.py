"""Half precision: what it is, and how it is computed: in float32, rounded once at the end.

So does TensorFlow. Kernels that take float16 themselves widen bfloat16 alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])

WIDE = np.dtype("float32")
WORTH = 2**10  # numbers from which on it is worth a call to convert them


def is_half(dtype: Any) -> bool:
    """Whether `dtype` is float16 or ml_dtypes' bfloat16, whose NumPy kind is a bare "V"."""
    return dtype.itemsize == 2 and dtype.kind in "fV"


def is_bfloat16(dtype: Any) -> bool:
    """Whether `dtype` is bfloat16, which no kernel takes."""
    return is_half(dtype) and bool(dtype.kind == "V")


def in_float32(function: Function) -> Function:
    """Let `function` see float32 wherever it is given float16 or bfloat16 arrays."""
    return through_float32(function, is_half)


def bfloat16_in_float32(function: Function) -> Function:
    """The same for bfloat16 alone: `function` has a kernel for float16."""
    return through_float32(function, is_bfloat16)


converters: dict[type, Callable[[Any, Any], Any]] = {}  # of arrays with a quicker way to float32


def astype(array: Any, dtype: Any = WIDE) -> Any:
    """The same numbers in another type, between half precision and float32 the quickest way."""
    convert = converters.get(type(array))
    return array.astype(dtype) if convert is None else convert(array, dtype)


def slow_in_float32(function: Function) -> Function:
    """`in_float32` for arrays that are converted quicker than NumPy computes in half precision.

    It computes a number at a time: to widen, to compute and to round takes a third of that.
    """
    return through_float32(function, is_half, slow=True)


def through_float32(
    function: Function,
    narrow: Callable[[Any], bool],
    slow: bool = False,
) -> Function:
    """`function`, which sees arrays of dtypes that are `narrow` widened, and whose are rounded.

    `slow`: only large ones that have a converter.
    """

    @wraps(function)
    def widened(*args: Any, **settings: Any) -> Any:
        for arg in args:
            if getattr(arg, "itemsize", 0) == 2 and _is_array(arg) and narrow(arg.dtype):
                if slow and (arg.size < WORTH or type(arg) not in converters):
                    continue
                return rounded(arg.dtype, *args, **settings)
        return function(*args, **settings)

    def rounded(half: Any, *args: Any, **settings: Any) -> Any:
        wide = [
            astype(a) if getattr(a, "itemsize", 0) == 2 and _is_array(a) and narrow(a.dtype) else a
            for a in args
        ]
        found = function(*wide, **settings)
        parts = found if isinstance(found, tuple) else (found,)
        parts = tuple(astype(p, half) if p.dtype == WIDE else p for p in parts)
        return parts if isinstance(found, tuple) else parts[0]

    return cast(Function, widened)


def _is_array(value: Any) -> bool:
    return hasattr(value, "astype") and hasattr(value, "shape")
