"""The mirror of keras.backend: settings, and the few functions that older programs call from here.

Arithmetic is TensorFlow's under Keras' names; new programs write tf.reduce_mean for K.mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.array import cast, reshape
from minitensor.autograd import Tensor, Variable
from minitensor.keras.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from minitensor.keras.utils.seeds import clear_session, reset_uids
from minitensor.math import abs, exp, log, maximum, minimum, sqrt, square
from minitensor.math import reduce_max as max
from minitensor.math import reduce_mean as mean
from minitensor.math import reduce_min as min
from minitensor.math import reduce_sum as sum
from minitensor.math.clip import clip_by_value as clip

__all__ = [
    "abs",
    "backend",
    "cast",
    "cast_to_floatx",
    "clear_session",
    "clip",
    "count_params",
    "epsilon",
    "exp",
    "flatten",
    "floatx",
    "get_value",
    "image_data_format",
    "int_shape",
    "log",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "ndim",
    "reset_uids",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_value",
    "sqrt",
    "square",
    "sum",
]


def backend() -> str:
    """What computes: "minitensor". Source: keras.backend.backend"""
    return "minitensor"


def cast_to_floatx(x: Any) -> Any:
    """Floats of the float type. Source: keras.backend.cast_to_floatx"""
    return cast(x, floatx()) if isinstance(x, Tensor | Variable) else np.asarray(x, floatx())


def flatten(x: Any) -> Tensor:
    """All elements in a row. Source: keras.backend.flatten"""
    return reshape(x, [-1])


def int_shape(x: Any) -> tuple[int | None, ...]:
    """The shape as a plain tuple. Source: keras.backend.int_shape"""
    return tuple(x.shape)


def ndim(x: Any) -> int:
    """The number of axes. Source: keras.backend.ndim"""
    return len(x.shape)


def count_params(x: Any) -> int:
    """The number of elements. Source: keras.backend.count_params"""
    return int(np.prod(x.shape))


def get_value(x: Any) -> Any:
    """A variable's value as a NumPy array. Source: keras.backend.get_value"""
    return x.numpy()


def set_value(x: Any, value: Any) -> None:
    """Gives a variable a value. Source: keras.backend.set_value"""
    x.assign(np.asarray(value, x.dtype))
