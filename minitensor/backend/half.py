"""What half precision is: one question, asked by every room that computes wider and rounds once."""

from __future__ import annotations

from typing import Any


def is_half(dtype: Any) -> bool:
    """Whether `dtype` is float16 or ml_dtypes' bfloat16, whose NumPy kind is a bare "V"."""
    return dtype.itemsize == 2 and dtype.kind in "fV"
