"""Elementary functions, element by element.

Each takes floats x of any shape (numbers, lists, arrays, tensors) and an ignored `name`, returns
floats of the same shape and type, and raises TypeError for integers and booleans. Outside of its
domain a function is NaN or infinite, as in IEEE arithmetic.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.ops import math

__all__ = [
    "acos",
    "asin",
    "atan",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log_sigmoid",
    "reciprocal",
    "rsqrt",
    "sin",
    "sinh",
    "sqrt",
    "tan",
]


def exp(x: Any, name: str | None = None) -> Tensor:
    """y = e^x.

    Example:
        >>> import minitensor as tf
        >>> tf.exp([0.0, 1.0]).numpy()
        array([1.      , 2.718282], dtype=float32)

    Source: tf.exp
    """
    return math.exp(x)


def expm1(x: Any, name: str | None = None) -> Tensor:
    """y = e^x - 1, without loss of digits near 0.

    Example:
        >>> import minitensor as tf
        >>> tf.math.expm1(1e-10).numpy()
        np.float32(1e-10)

    Source: tf.math.expm1
    """
    return math.expm1(x)


def log(x: Any, name: str | None = None) -> Tensor:
    """The natural logarithm: e^y = x.

    Example:
        >>> import minitensor as tf
        >>> tf.math.log([1.0, 0.0]).numpy()
        array([  0., -inf], dtype=float32)

    Source: tf.math.log
    """
    return math.log(x)


def log1p(x: Any, name: str | None = None) -> Tensor:
    """y = log(1 + x), without loss of digits near 0.

    Example:
        >>> import minitensor as tf
        >>> tf.math.log1p(1e-10).numpy()
        np.float32(1e-10)

    Source: tf.math.log1p
    """
    return math.log1p(x)


def sqrt(x: Any, name: str | None = None) -> Tensor:
    """The square root: y^2 = x, y >= 0.

    Example:
        >>> import minitensor as tf
        >>> tf.sqrt([4.0, -1.0]).numpy()
        array([ 2., nan], dtype=float32)

    Source: tf.sqrt
    """
    return math.sqrt(x)


def rsqrt(x: Any, name: str | None = None) -> Tensor:
    """y = 1 / sqrt(x).

    Example:
        >>> import minitensor as tf
        >>> tf.math.rsqrt([4.0, 0.0]).numpy()
        array([0.5, inf], dtype=float32)

    Source: tf.math.rsqrt
    """
    return math.rsqrt(x)


def reciprocal(x: Any, name: str | None = None) -> Tensor:
    """y = 1 / x.

    Example:
        >>> import minitensor as tf
        >>> tf.math.reciprocal([4.0, 0.0]).numpy()
        array([0.25,  inf], dtype=float32)

    Source: tf.math.reciprocal
    """
    return math.reciprocal(x)


def sin(x: Any, name: str | None = None) -> Tensor:
    """The sine of an angle in radians.

    Example:
        >>> import minitensor as tf
        >>> tf.sin(0.5).numpy()
        np.float32(0.47942555)

    Source: tf.sin
    """
    return math.sin(x)


def cos(x: Any, name: str | None = None) -> Tensor:
    """The cosine of an angle in radians.

    Example:
        >>> import minitensor as tf
        >>> tf.cos(0.5).numpy()
        np.float32(0.87758255)

    Source: tf.cos
    """
    return math.cos(x)


def tan(x: Any, name: str | None = None) -> Tensor:
    """The tangent of an angle in radians.

    Example:
        >>> import minitensor as tf
        >>> tf.tan(0.5).numpy()
        np.float32(0.5463025)

    Source: tf.tan
    """
    return math.tan(x)


def asin(x: Any, name: str | None = None) -> Tensor:
    """The angle between -pi/2 and pi/2 whose sine is x.

    Example:
        >>> import minitensor as tf
        >>> tf.asin([1.0, 2.0]).numpy()
        array([1.5707964,       nan], dtype=float32)

    Source: tf.asin
    """
    return math.asin(x)


def acos(x: Any, name: str | None = None) -> Tensor:
    """The angle between 0 and pi whose cosine is x.

    Example:
        >>> import minitensor as tf
        >>> tf.acos(0.0).numpy()
        np.float32(1.5707964)

    Source: tf.acos
    """
    return math.acos(x)


def atan(x: Any, name: str | None = None) -> Tensor:
    """The angle between -pi/2 and pi/2 whose tangent is x.

    Example:
        >>> import minitensor as tf
        >>> tf.atan(1.0).numpy()
        np.float32(0.7853982)

    Source: tf.atan
    """
    return math.atan(x)


def sinh(x: Any, name: str | None = None) -> Tensor:
    """y = (e^x - e^-x) / 2.

    Example:
        >>> import minitensor as tf
        >>> tf.sinh(1.0).numpy()
        np.float32(1.1752012)

    Source: tf.sinh
    """
    return math.sinh(x)


def cosh(x: Any, name: str | None = None) -> Tensor:
    """y = (e^x + e^-x) / 2.

    Example:
        >>> import minitensor as tf
        >>> tf.cosh(1.0).numpy()
        np.float32(1.5430807)

    Source: tf.cosh
    """
    return math.cosh(x)


def erf(x: Any, name: str | None = None) -> Tensor:
    """y = 2 / sqrt(pi) * integral of exp(-t^2) from 0 to x.

    Example:
        >>> import minitensor as tf
        >>> tf.math.erf([0.5, 3.0]).numpy()
        array([0.5204999, 0.9999779], dtype=float32)

    Source: tf.math.erf
    """
    return math.erf(x)


def erfc(x: Any, name: str | None = None) -> Tensor:
    """y = 1 - erf(x), without loss of digits for large x.

    Example:
        >>> import minitensor as tf
        >>> tf.math.erfc([0.5, 5.0]).numpy()
        array([4.7950011e-01, 1.5374598e-12], dtype=float32)

    Source: tf.math.erfc
    """
    return math.erfc(x)


def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """y = log(1 / (1 + e^-x)) = -softplus(-x).

    Example:
        >>> import minitensor as tf
        >>> tf.math.log_sigmoid([0.0, -1000.0]).numpy()
        array([-6.931472e-01, -1.000000e+03], dtype=float32)

    Source: tf.math.log_sigmoid
    """
    return math.negative(math.softplus(math.negative(x)))
