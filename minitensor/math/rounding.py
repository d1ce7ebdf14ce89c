"""Signs, squares and roundings, element by element.

Each takes numbers x of any shape and an ignored `name`, returns the same shape and type, and raises
TypeError for booleans; floor and ceil also for integers. Signs and roundings have no gradient.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.ops import math

__all__ = [
    "abs",
    "ceil",
    "floor",
    "negative",
    "rint",
    "round",
    "sign",
    "square",
]


def abs(x: Any, name: str | None = None) -> Tensor:
    """y = |x|, with slope 0 at 0.

    Example:
        >>> import minitensor as tf
        >>> tf.abs([-2, 3]).numpy()
        array([2, 3], dtype=int32)

    Source: tf.abs
    """
    return math.absolute(x)


def negative(x: Any, name: str | None = None) -> Tensor:
    """y = -x.

    Example:
        >>> import minitensor as tf
        >>> tf.negative([-2, 3]).numpy()
        array([ 2, -3], dtype=int32)

    Source: tf.negative
    """
    return math.negative(x)


def sign(x: Any, name: str | None = None) -> Tensor:
    """-1, 0 or 1; NaN for NaN.

    Example:
        >>> import minitensor as tf
        >>> tf.sign([-2.5, 0.0]).numpy()
        array([-1.,  0.], dtype=float32)

    Source: tf.sign
    """
    return math.sign(x)


def square(x: Any, name: str | None = None) -> Tensor:
    """y = x^2.

    Example:
        >>> import minitensor as tf
        >>> tf.square([-2, 3]).numpy()
        array([4, 9], dtype=int32)

    Source: tf.square
    """
    return math.square(x)


def round(x: Any, name: str | None = None) -> Tensor:
    """The nearest integer; a half goes to the even one.

    Example:
        >>> import minitensor as tf
        >>> tf.round([0.5, 1.5, -0.7]).numpy()
        array([ 0.,  2., -1.], dtype=float32)

    Source: tf.round
    """
    return math.round(x)


def rint(x: Any, name: str | None = None) -> Tensor:
    """The nearest integer; a half goes to the even one.

    Example:
        >>> import minitensor as tf
        >>> tf.math.rint([0.5, 1.5, -0.7]).numpy()
        array([ 0.,  2., -1.], dtype=float32)

    Source: tf.math.rint
    """
    return math.round(x)


def floor(x: Any, name: str | None = None) -> Tensor:
    """The largest integer that is not above x.

    Example:
        >>> import minitensor as tf
        >>> tf.floor([1.5, -1.5]).numpy()
        array([ 1., -2.], dtype=float32)

    Source: tf.floor
    """
    return math.floor(x)


def ceil(x: Any, name: str | None = None) -> Tensor:
    """The smallest integer that is not below x.

    Example:
        >>> import minitensor as tf
        >>> tf.math.ceil([1.5, -1.5]).numpy()
        array([ 2., -1.], dtype=float32)

    Source: tf.math.ceil
    """
    return math.ceil(x)
