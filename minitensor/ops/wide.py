"""Digits: half precision computed in float32, and sums that do not lose what they add.

One NumPy ufunc on float16 or bfloat16 already rounds once; sums, products of matrices and
formulas of several steps do not, and those carry `@wide`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minitensor.backend.half import is_half


def wide(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Lets `forward(be, *arrays, **settings)` see float32 where arrays are float16 or bfloat16."""

    @functools.wraps(forward)
    def widened(be: Any, *arrays: Any, **settings: Any) -> Any:
        half = next((array.dtype for array in arrays if is_half(array.dtype)), None)
        if half is None:
            return forward(be, *arrays, **settings)
        float32 = be.xp.float32
        full = [a.astype(float32) if a.dtype == half else a for a in arrays]
        result = forward(be, *full, **settings)
        return result.astype(half) if result.dtype == float32 else result

    return widened


def added_up(x: Any, axes: tuple[int, ...], keepdims: bool = False) -> Any:
    """The sum of an array over some axes.

    NumPy adds the elements of trailing axes in pairs of pairs, which loses no digits; along other
    axes it adds row after row, where a million rows of float32 would keep four digits.
    """
    trailing = sorted(axes) == list(range(x.ndim - len(axes), x.ndim))
    dtype = "float64" if x.dtype == "float32" and not trailing else x.dtype
    return x.sum(axis=axes, keepdims=keepdims, dtype=dtype).astype(x.dtype, copy=False)
