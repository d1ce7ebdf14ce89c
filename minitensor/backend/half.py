"""Half precision: what it is, and how it is computed: in float32, rounded once at the end.

So does TensorFlow. Kernels that take float16 themselves widen bfloat16 alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


def is_half(dtype: Any) -> bool:
    """Whether `dtype` is float16 or ml_dtypes' bfloat16, whose NumPy kind is a bare "V"."""
    return dtype.itemsize == 2 and dtype.kind in "fV"


def is_bfloat16(dtype: Any) -> bool:
    """Whether `dtype` is bfloat16, which no kernel takes."""
    return is_half(dtype) and bool(dtype.kind == "V")


def in_float32(function: Function) -> Function:
    """Let `function` see float32 wherever it is given float16 or bfloat16 arrays."""
    return _widened(function, is_half)


def bfloat16_in_float32(function: Function) -> Function:
    """The same for bfloat16 alone: `function` has a kernel for float16."""
    return _widened(function, is_bfloat16)


def _widened(function: Function, narrow: Callable[[Any], bool]) -> Function:
    @wraps(function)
    def widened(*args: Any, **settings: Any) -> Any:
        for arg in args:
            if getattr(arg, "itemsize", 0) == 2 and _is_array(arg) and narrow(arg.dtype):
                return rounded(arg.dtype, *args, **settings)
        return function(*args, **settings)

    def rounded(half: Any, *args: Any, **settings: Any) -> Any:
        wide = [a.astype("float32") if _is_array(a) and narrow(a.dtype) else a for a in args]
        result = function(*wide, **settings)
        if isinstance(result, tuple):
            return tuple(_rounded(part, half) for part in result)
        return _rounded(result, half)

    return cast(Function, widened)


def _is_array(value: Any) -> bool:
    return hasattr(value, "astype") and hasattr(value, "shape")


def _rounded(array: Any, half: Any) -> Any:
    return array.astype(half) if array.dtype == "float32" else array
