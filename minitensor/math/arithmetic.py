"""Arithmetic, element by element.

Two arguments x and y must have one type, where Python numbers, lists and NumPy arrays take the
type of a tensor beside them, and shapes that broadcast: counted from the right, sizes are equal
or 1. The result has the shape they broadcast to. Booleans and two different types are a TypeError,
shapes that do not broadcast a ValueError. `name` is ignored.
"""

from __future__ import annotations

import functools
from typing import Any

from minitensor.autograd import Tensor, align, as_tensor, first_tensor
from minitensor.ops import math

__all__ = [
    "add",
    "add_n",
    "divide",
    "divide_no_nan",
    "floordiv",
    "floormod",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "pow",
    "scalar_mul",
    "squared_difference",
    "subtract",
    "truediv",
    "xlogy",
]


def add(x: Any, y: Any, name: str | None = None) -> Tensor:
    """z = x + y.

    Example:
        >>> import minitensor as tf
        >>> tf.add([1, 2], 3).numpy()
        array([4, 5], dtype=int32)

    Source: tf.add
    """
    return math.add(x, y)


def subtract(x: Any, y: Any, name: str | None = None) -> Tensor:
    """z = x - y.

    Example:
        >>> import minitensor as tf
        >>> tf.subtract([1, 2], 3).numpy()
        array([-2, -1], dtype=int32)

    Source: tf.subtract
    """
    return math.subtract(x, y)


def multiply(x: Any, y: Any, name: str | None = None) -> Tensor:
    """z = x y.

    Example:
        >>> import minitensor as tf
        >>> tf.multiply([1, 2], 3).numpy()
        array([3, 6], dtype=int32)

    Source: tf.multiply
    """
    return math.multiply(x, y)


def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """z = x / y; integers become float64, of 16 bits or fewer float32.

    Example:
        >>> import minitensor as tf
        >>> tf.divide([1, 2], 4).numpy()
        array([0.25, 0.5 ])

    Source: tf.divide
    """
    return math.divide(x, y)


def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """z = x / y; integers become float64, of 16 bits or fewer float32.

    Example:
        >>> import minitensor as tf
        >>> tf.truediv([1, 2], 4).numpy()
        array([0.25, 0.5 ])

    Source: tf.truediv
    """
    return math.divide(x, y)


def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """z = x / y, and 0 where y is 0.

    Example:
        >>> import minitensor as tf
        >>> tf.math.divide_no_nan([1.0, 1.0], [0.0, 4.0]).numpy()
        array([0.  , 0.25], dtype=float32)

    Source: tf.math.divide_no_nan
    """
    x, y = align("divide_no_nan", x=x, y=y)
    nought = math.equal(y, 0)
    return math.where(nought, 0, math.divide(x, math.where(nought, 1, y)))


def floordiv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """z = floor(x / y).

    Example:
        >>> import minitensor as tf
        >>> tf.math.floordiv([-7, 7], 2).numpy()
        array([-4,  3], dtype=int32)

    Source: tf.math.floordiv
    """
    return math.floordiv(x, y)


def floormod(x: Any, y: Any, name: str | None = None) -> Tensor:
    """z = x - floor(x / y) y, which has the sign of y.

    Example:
        >>> import minitensor as tf
        >>> tf.math.floormod([-7, 7], 3).numpy()
        array([2, 1], dtype=int32)

    Source: tf.math.floormod
    """
    return math.mod(x, y)


def mod(x: Any, y: Any, name: str | None = None) -> Tensor:
    """z = x - floor(x / y) y, which has the sign of y.

    Example:
        >>> import minitensor as tf
        >>> tf.math.mod([-7, 7], 3).numpy()
        array([2, 1], dtype=int32)

    Source: tf.math.mod
    """
    return math.mod(x, y)


def pow(x: Any, y: Any, name: str | None = None) -> Tensor:
    """z = x^y; an integer to a negative integer is a ValueError.

    Example:
        >>> import minitensor as tf
        >>> tf.pow([2.0, 3.0], 2.0).numpy()
        array([4., 9.], dtype=float32)

    Source: tf.pow
    """
    return math.power(x, y)


def maximum(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The larger of x and y, NaN if one is; a tie sends its gradient to x.

    Example:
        >>> import minitensor as tf
        >>> tf.maximum([1, 5], 3).numpy()
        array([3, 5], dtype=int32)

    Source: tf.maximum
    """
    return math.maximum(x, y)


def minimum(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The smaller of x and y, NaN if one is; a tie sends its gradient to x.

    Example:
        >>> import minitensor as tf
        >>> tf.minimum([1, 5], 3).numpy()
        array([1, 3], dtype=int32)

    Source: tf.minimum
    """
    return math.minimum(x, y)


def squared_difference(x: Any, y: Any, name: str | None = None) -> Tensor:
    """z = (x - y)^2.

    Example:
        >>> import minitensor as tf
        >>> tf.math.squared_difference([1, 5], 3).numpy()
        array([4, 4], dtype=int32)

    Source: tf.math.squared_difference
    """
    return math.square(math.subtract(x, y))


def xlogy(x: Any, y: Any, name: str | None = None) -> Tensor:
    """z = x log(y), and 0 where x is 0.

    Example:
        >>> import minitensor as tf
        >>> tf.math.xlogy([0.0, 2.0], [0.0, 1.0]).numpy()
        array([0., 0.], dtype=float32)

    Source: tf.math.xlogy
    """
    x, y = align("xlogy", x=x, y=y)
    nought = math.equal(x, 0)
    return math.where(nought, 0, x * math.log(math.where(nought, 1, y)))


def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """The sum of a list of tensors of one shape and type; a ValueError if shapes differ.

    Example:
        >>> import minitensor as tf
        >>> tf.add_n([[1, 2], [3, 4], [5, 6]]).numpy()
        array([ 9, 12], dtype=int32)

    Source: tf.add_n
    """
    xs = align("add_n", **{f"inputs[{k}]": x for k, x in enumerate(inputs)}) if inputs else ()
    if len({x.shape for x in xs}) != 1:
        raise ValueError("add_n: inputs must be at least one tensor, and all of one shape")
    return functools.reduce(math.add, xs)


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Tensor:
    """y = scalar x; a ValueError if `scalar` has axes.

    Example:
        >>> import minitensor as tf
        >>> tf.scalar_mul(2, [1.0, 3.0]).numpy()
        array([2., 6.], dtype=float32)

    Source: tf.scalar_mul
    """
    tensor = as_tensor(x, None, "scalar_mul: x", first_tensor(scalar))
    factor = as_tensor(scalar, tensor.dtype, "scalar_mul: scalar", tensor)
    if factor.ndim:
        raise ValueError(f"scalar_mul: scalar must have no axes, got shape {factor.shape!s}")
    return math.multiply(factor, tensor)
