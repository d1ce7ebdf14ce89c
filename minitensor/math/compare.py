"""Questions, element by element, answered by booleans.

Two arguments must have one type and shapes that broadcast, as in arithmetic; another type is a
TypeError, another shape a ValueError. Answers have no gradient. `name` is ignored.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.ops import math

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "is_finite",
    "is_inf",
    "is_nan",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
]


def equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x = y.

    Example:
        >>> import minitensor as tf
        >>> tf.equal([1, 2], [1, 3]).numpy()
        array([ True, False])

    Source: tf.equal
    """
    return math.equal(x, y)


def not_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x != y.

    Example:
        >>> import minitensor as tf
        >>> tf.not_equal([1, 2], [1, 3]).numpy()
        array([False,  True])

    Source: tf.not_equal
    """
    return math.not_equal(x, y)


def less(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x < y.

    Example:
        >>> import minitensor as tf
        >>> tf.less([1, 2], 2).numpy()
        array([ True, False])

    Source: tf.less
    """
    return math.less(x, y)


def less_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x <= y.

    Example:
        >>> import minitensor as tf
        >>> tf.less_equal([1, 2], 2).numpy()
        array([ True,  True])

    Source: tf.less_equal
    """
    return math.less_equal(x, y)


def greater(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x > y.

    Example:
        >>> import minitensor as tf
        >>> tf.greater([1, 2], 1).numpy()
        array([False,  True])

    Source: tf.greater
    """
    return math.greater(x, y)


def greater_equal(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x >= y.

    Example:
        >>> import minitensor as tf
        >>> tf.greater_equal([1, 2], 2).numpy()
        array([False,  True])

    Source: tf.greater_equal
    """
    return math.greater_equal(x, y)


def logical_and(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Both hold; booleans only.

    Example:
        >>> import minitensor as tf
        >>> tf.logical_and([True, False], True).numpy()
        array([ True, False])

    Source: tf.logical_and
    """
    return math.logical_and(x, y)


def logical_or(x: Any, y: Any, name: str | None = None) -> Tensor:
    """At least one holds; booleans only.

    Example:
        >>> import minitensor as tf
        >>> tf.logical_or([True, False], True).numpy()
        array([ True,  True])

    Source: tf.logical_or
    """
    return math.logical_or(x, y)


def logical_xor(x: Any, y: Any, name: str = "LogicalXor") -> Tensor:
    """Exactly one holds; booleans only.

    Example:
        >>> import minitensor as tf
        >>> tf.math.logical_xor([True, False], True).numpy()
        array([False,  True])

    Source: tf.math.logical_xor
    """
    return math.logical_xor(x, y)


def logical_not(x: Any, name: str | None = None) -> Tensor:
    """x does not hold; booleans only.

    Example:
        >>> import minitensor as tf
        >>> tf.logical_not([True, False]).numpy()
        array([False,  True])

    Source: tf.logical_not
    """
    return math.logical_not(x)


def is_nan(x: Any, name: str | None = None) -> Tensor:
    """x is not a number; floats only.

    Example:
        >>> import minitensor as tf
        >>> tf.math.is_nan([1.0, float("nan")]).numpy()
        array([False,  True])

    Source: tf.math.is_nan
    """
    return math.isnan(x)


def is_inf(x: Any, name: str | None = None) -> Tensor:
    """x is infinite; floats only.

    Example:
        >>> import minitensor as tf
        >>> tf.math.is_inf([1.0, float("-inf")]).numpy()
        array([False,  True])

    Source: tf.math.is_inf
    """
    return math.isinf(x)


def is_finite(x: Any, name: str | None = None) -> Tensor:
    """x is neither infinite nor NaN; floats only.

    Example:
        >>> import minitensor as tf
        >>> tf.math.is_finite([1.0, float("inf")]).numpy()
        array([ True, False])

    Source: tf.math.is_finite
    """
    return math.isfinite(x)
