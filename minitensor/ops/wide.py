"""Digits: half precision computed in float32, and sums that do not lose what they add.

One NumPy ufunc on float16 or bfloat16 already rounds once; sums, products of matrices and
formulas of several steps do not, and those carry `@wide`.
"""

from __future__ import annotations

from typing import Any

from minitensor.backend.half import in_float32 as wide

__all__ = ["added_up", "wide"]


def added_up(x: Any, axes: tuple[int, ...], keepdims: bool = False) -> Any:
    """The sum of an array over some axes.

    NumPy adds the elements of trailing axes in pairs of pairs, which loses no digits; along other
    axes it adds row after row, where a million rows of float32 would keep four digits.
    """
    trailing = sorted(axes) == list(range(x.ndim - len(axes), x.ndim))
    dtype = "float64" if x.dtype == "float32" and not trailing else x.dtype
    return x.sum(axis=axes, keepdims=keepdims, dtype=dtype).astype(x.dtype, copy=False)
