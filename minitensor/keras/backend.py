"""The mirror of keras.backend: settings, and the few functions that older programs call from here.

Arithmetic is TensorFlow's under Keras' names; new programs write tf.reduce_mean for K.mean.
"""

# ruff: noqa: F401 (what is imported is public)

from __future__ import annotations

from inspect import isfunction as _isfunction
from typing import Any

import numpy as np

from minitensor import array as _array
from minitensor import math as _math
from minitensor import missing
from minitensor.array import (
    cast,
    ones_like,
    reshape,
    shape,
    squeeze,
    stack,
    tile,
    transpose,
    zeros_like,
)
from minitensor.autograd import Tensor, Variable
from minitensor.keras.activations import relu, sigmoid, softmax, tanh
from minitensor.keras.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from minitensor.keras.losses import binary_crossentropy as _mean_binary_crossentropy
from minitensor.keras.losses import categorical_crossentropy, sparse_categorical_crossentropy
from minitensor.keras.utils.seeds import clear_session, reset_uids
from minitensor.math import (
    abs,
    equal,
    exp,
    greater,
    less,
    log,
    maximum,
    minimum,
    not_equal,
    pow,
    round,
    sign,
    sqrt,
    square,
)
from minitensor.math.clip import clip_by_value as clip
from minitensor.nn import l2_normalize

all, any, max, min = _math.reduce_all, _math.reduce_any, _math.reduce_max, _math.reduce_min
mean, prod, sum = _math.reduce_mean, _math.reduce_prod, _math.reduce_sum
std, var = _math.reduce_std, _math.reduce_variance


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
    """The shape as a tuple. Source: keras.backend.int_shape"""
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


def argmax(x: Any, axis: int = -1) -> Tensor:
    """Where the largest is. Source: keras.backend.argmax"""
    return _math.argmax(x, axis)


def argmin(x: Any, axis: int = -1) -> Tensor:
    """Where the smallest is. Source: keras.backend.argmin"""
    return _math.argmin(x, axis)


def concatenate(tensors: Any, axis: int = -1) -> Tensor:
    """One behind the other. Source: keras.backend.concatenate"""
    return _array.concat(tensors, axis)


def expand_dims(x: Any, axis: int = -1) -> Tensor:
    """With one more axis. Source: keras.backend.expand_dims"""
    return _array.expand_dims(x, axis)


def one_hot(indices: Any, num_classes: int) -> Tensor:
    """Rows with a single 1. Source: keras.backend.one_hot"""
    return _array.one_hot(indices, num_classes)


def permute_dimensions(x: Any, pattern: Any) -> Tensor:
    """Axes in another order. Source: keras.backend.permute_dimensions"""
    return transpose(x, pattern)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """Of each element; no mean. Source: keras.backend.binary_crossentropy"""
    target, output = _array.expand_dims(target, -1), _array.expand_dims(output, -1)
    return _mean_binary_crossentropy(target, output, from_logits)


# Every function above but the ones with an underscore.
__all__ = [name for name, v in vars().items() if name[0] != "_" and _isfunction(v)]

__getattr__ = missing.refusing("tf.keras.backend", __name__)
