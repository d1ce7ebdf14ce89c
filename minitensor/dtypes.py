"""Element types under TensorFlow's names: NumPy's own, which know a little more.

bfloat16 belongs to the package ml_dtypes, which is imported when the name is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from minitensor import missing
from minitensor.autograd.dtype import of
from minitensor.backend.text import string
from minitensor.extras import install

if TYPE_CHECKING:
    DType = np.dtype[Any]  # all that NumPy's is
else:
    from minitensor.autograd.dtype import DType as DType

float16 = of(np.dtype("float16"))
float32 = of(np.dtype("float32"))
float64 = of(np.dtype("float64"))
half, double = float16, float64
int8 = of(np.dtype("int8"))
int16 = of(np.dtype("int16"))
int32 = of(np.dtype("int32"))
int64 = of(np.dtype("int64"))
uint8 = of(np.dtype("uint8"))
uint16 = of(np.dtype("uint16"))
uint32 = of(np.dtype("uint32"))
uint64 = of(np.dtype("uint64"))
bool = of(np.dtype("bool"))

_IN_ARRAY = ("cast",)  # of tf.dtypes, which stand elsewhere
__all__ = [
    "DType", "as_dtype", "bool", "double", "float16", "float32", "float64", "half", "int8", "int16",
    "int32", "int64", "string", "uint8", "uint16", "uint32", "uint64", *_IN_ARRAY,
]  # fmt: skip

_LEGAL = "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool"
_PYTHON: dict[Any, Any] = {float: float32, "float": float32}


def as_dtype(type_value: Any) -> np.dtype[Any]:
    """The element type that a name, a NumPy type or a Python type stands for.

    Args:
        type_value: such as `minitensor.float32`, "float32", np.float32 or float; Python's float is
            float32, as in TensorFlow.

    Returns:
        A DType.

    Raises:
        TypeError: no such type, or one that tensors do not have.

    Example:
        >>> import minitensor as tf
        >>> tf.as_dtype(float)
        tf.float32

    Source: tf.as_dtype
    """
    if type(type_value) is DType:
        return type_value  # type: ignore[no-any-return]
    if isinstance(type_value, str) and type_value == "bfloat16":
        return _bfloat16()
    try:
        dtype = np.dtype(_PYTHON.get(type_value, type_value))
    except TypeError:
        dtype = None
    if dtype is None or type_value is None or dtype.name not in (*_LEGAL.split(), "bfloat16"):
        raise TypeError(f"dtype: got {type_value!r}; legal: {_LEGAL} bfloat16")
    return of(dtype)  # type: ignore[no-any-return]


def element_type(type_value: Any) -> Any:
    """as_dtype, and `string` besides: the type of what may be text."""
    if isinstance(type_value, type) and type_value is str:
        return string
    try:
        return string if string == type_value else as_dtype(type_value)
    except TypeError as problem:
        raise TypeError(f"{problem} string") from None


def _bfloat16() -> Any:
    try:
        import ml_dtypes
    except ImportError:
        raise ImportError(f"bfloat16 needs ml_dtypes: {install('half')}") from None
    return of(np.dtype(ml_dtypes.bfloat16))


def __getattr__(name: str) -> Any:
    if name == "bfloat16":
        return _bfloat16()
    if name in _IN_ARRAY:
        return getattr(importlib.import_module("minitensor.array"), name)
    raise missing.refused("tf.dtypes", name, __all__)
