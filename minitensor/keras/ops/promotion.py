"""In which element type several values meet, by Keras' rules, which are JAX's.

Floats win over integers, integers over booleans; among their own kind the type that holds both.
Python's numbers say only what kind they are: 1 beside uint8 is uint8, 1.5 beside it the float type.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor, first_tensor
from minitensor.autograd.tensor import is_float
from minitensor.dtypes import as_dtype
from minitensor.keras.engine import defaults
from minitensor.ops import math


def result_type(*kinds: Any) -> np.dtype[Any]:
    """The type of all together; `int` and `float` themselves stand for Python's numbers.

    Example:
        >>> from minitensor.keras.ops.promotion import result_type
        >>> result_type("uint8", "int8").name, result_type("int64", float).name
        ('int16', 'float32')

    Source: keras.backend.result_type
    """
    strong = [as_dtype(kind) for kind in kinds if kind is not int and kind is not float]
    floats = [dtype for dtype in strong if is_float(dtype)]
    whole = [dtype for dtype in strong if dtype.kind in "iu"]
    if floats:
        return functools.reduce(np.promote_types, floats)
    python = [kind for kind in kinds if kind is int or kind is float]
    if float in python or not kinds:
        return as_dtype(defaults.floatx())
    if not whole:
        return np.dtype("int32" if python else "bool")
    found = functools.reduce(np.promote_types, whole)
    return as_dtype(defaults.floatx()) if found.kind == "f" else found  # uint64 and a signed one


def cast(x: Tensor, dtype: Any) -> Tensor:
    """x in another type; itself if that is its own."""
    return x if x.array.dtype == dtype else math.cast(x, dtype=np.dtype(dtype))


def of_type(value: Any, dtype: Any, like: Any = None) -> Tensor:
    """The value cast to a type; a number of Python is rounded once, not by way of float32."""
    number = np.float64(value) if type(value) is float else value
    return cast(as_tensor(number, like=like), dtype)


def together(*values: Any, also: tuple[Any, ...] = ()) -> tuple[Tensor, ...]:
    """The values as tensors of the type that they meet in, and `also` these types."""
    like = first_tensor(*values)
    given = [v if type(v) in (int, float) else as_tensor(v, like=like) for v in values]
    dtype = result_type(*(getattr(v, "dtype", type(v)) for v in given), *also)
    return tuple(
        cast(v, dtype) if isinstance(v, Tensor) else as_tensor(v, dtype, like=like) for v in given
    )


def floats(*values: Any) -> tuple[Tensor, ...]:
    """The same, of a float type."""
    return together(*values, also=(float,))


def floating(x: Any, wide: bool = False) -> Tensor:
    """One value as floats: integers become the float type; if `wide`, int64 becomes float64."""
    tensor = as_tensor(x)
    if is_float(tensor.dtype):
        return tensor
    return cast(tensor, "float64" if wide and tensor.dtype == "int64" else defaults.floatx())
