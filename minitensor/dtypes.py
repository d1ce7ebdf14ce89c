"""Element types: NumPy's own dtypes under TensorFlow's names.

bfloat16 belongs to the package ml_dtypes, which is imported when the name is first used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.backend.text import string
from minitensor.extras import install

DType = np.dtype[Any]

float16: DType = np.dtype("float16")
float32: DType = np.dtype("float32")
float64: DType = np.dtype("float64")
half, double = float16, float64
int8: DType = np.dtype("int8")
int16: DType = np.dtype("int16")
int32: DType = np.dtype("int32")
int64: DType = np.dtype("int64")
uint8: DType = np.dtype("uint8")
uint16: DType = np.dtype("uint16")
uint32: DType = np.dtype("uint32")
uint64: DType = np.dtype("uint64")
bool: DType = np.dtype("bool")

_LEGAL = "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool"
_PYTHON: dict[Any, DType] = {float: float32, "float": float32}


def as_dtype(type_value: Any) -> DType:
    """The element type that a name, a NumPy type or a Python type stands for.

    Args:
        type_value: such as `minitensor.float32`, "float32", np.float32 or float; Python's float is
            float32, as in TensorFlow.

    Returns:
        A NumPy dtype.

    Raises:
        TypeError: no such type, or one that tensors do not have.

    Example:
        >>> import minitensor as tf
        >>> tf.as_dtype(float)
        dtype('float32')

    Source: tf.as_dtype
    """
    if isinstance(type_value, str) and type_value == "bfloat16":
        return _bfloat16()
    try:
        dtype = _PYTHON[type_value] if type_value in _PYTHON else np.dtype(type_value)
    except TypeError:
        dtype = None
    if dtype is None or type_value is None or dtype.name not in (*_LEGAL.split(), "bfloat16"):
        raise TypeError(f"dtype: got {type_value!r}; legal: {_LEGAL} bfloat16")
    return dtype


def element_type(type_value: Any) -> Any:
    """as_dtype, and `string` besides: the type of what may be text."""
    if isinstance(type_value, type) and type_value is str:
        return string
    try:
        return string if string == type_value else as_dtype(type_value)
    except TypeError as problem:
        raise TypeError(f"{problem} string") from None


def _bfloat16() -> DType:
    try:
        import ml_dtypes
    except ImportError:
        raise ImportError(f"bfloat16 needs ml_dtypes: {install('half')}") from None
    return np.dtype(ml_dtypes.bfloat16)


def __getattr__(name: str) -> DType:
    if name == "bfloat16":
        return _bfloat16()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
