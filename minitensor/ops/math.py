"""Arithmetic, elementary functions and comparisons, element by element.

Below each op stands one derivative per argument: g is the cotangent of the result, z of two
arguments and y of one. Broadcasting is undone by `Elementwise`. Where a slope does not exist
TensorFlow's choice is taken: 0 for |0|; the first argument of a tied maximum or minimum. A slope
that may be infinite where nobody asks for it (that of a root at 0, masked by `where`) is
multiplied by `multiply_no_nan`: a cotangent of 0 stays 0.
Comparisons and roundings have no derivative. `operators.py` puts these ops on Tensor.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, align, as_tensor, first_tensor, primitive
from minitensor.autograd.walk import filled
from minitensor.backend import error_function
from minitensor.backend.half import astype, in_float32, is_half
from minitensor.backend.protocol import Backend
from minitensor.ops.elementwise import (
    BOOLS,
    FLOATS,
    INTEGERS,
    NUMBERS,
    SIGNED,
    TEXT,
    check_broadcast,
    elementwise,
    ufunc,
    unbroadcast,
)

# ----- arithmetic of two arguments -----

add = ufunc("add", NUMBERS + TEXT)
add.defvjp(lambda g, z, x, y: g, lambda g, z, x, y: g)

subtract = ufunc("subtract", NUMBERS)
subtract.defvjp(lambda g, z, x, y: g, lambda g, z, x, y: -g)

multiply = ufunc("multiply", NUMBERS)
multiply.defvjp(lambda g, z, x, y: g * y, lambda g, z, x, y: x * g)

_ratio = ufunc("divide", FLOATS)
_ratio.defvjp(lambda g, z, x, y: g / y, lambda g, z, x, y: g * (-x / y / y))


@elementwise(FLOATS)
def multiply_no_nan(be: Backend, x: Any, y: Any) -> Any:
    """x y, and 0 where y is 0, whatever x is."""
    return be.where(y == 0, be.xp.zeros((), y.dtype), x * y)


multiply_no_nan.defvjp(
    lambda g, z, x, y: multiply_no_nan(g, y), lambda g, z, x, y: multiply_no_nan(x, g)
)

maximum = ufunc("maximum", NUMBERS)
maximum.defvjp(lambda g, z, x, y: where(x >= y, g, 0), lambda g, z, x, y: where(x >= y, 0, g))

minimum = ufunc("minimum", NUMBERS)
minimum.defvjp(lambda g, z, x, y: where(x <= y, g, 0), lambda g, z, x, y: where(x <= y, 0, g))


def divide(x: Any, y: Any) -> Tensor:
    """x / y; integers give float64, or float32 if they have 16 bits or fewer."""
    x, y = align("divide", x=x, y=y)
    if x.dtype.kind in "iu":
        dtype = np.float32 if x.dtype.itemsize <= 2 else np.float64
        x, y = cast(x, dtype=dtype), cast(y, dtype=dtype)
    return _ratio(x, y)


@elementwise(NUMBERS)
def floordiv(be: Backend, x: Any, y: Any) -> Any:
    """floor(x / y)"""
    _check_divisor("floordiv", x, y)
    return be.xp.floor_divide(x, y) if y.dtype.kind in "iu" else be.xp.floor(x / y)


@elementwise(NUMBERS)
@in_float32
def mod(be: Backend, x: Any, y: Any) -> Any:
    """x - floor(x / y) y, which has the sign of y; a 0 has the sign of x, as in TensorFlow"""
    _check_divisor("mod", x, y)
    z = be.xp.mod(x, y)
    return z if z.dtype.kind in "iu" else be.where(z == 0, be.xp.copysign(z, x), z)


def _check_divisor(op: str, x: Any, y: Any) -> None:
    if y.dtype.kind in "iu" and x.size and not y.all():  # nothing is divided by anything
        raise ValueError(f"{op}: integer division by zero; cast to float for inf and nan")


@elementwise(NUMBERS)
def truncatediv(be: Backend, x: Any, y: Any) -> Any:
    """x / y cut off towards 0"""
    _check_divisor("truncatediv", x, y)
    xp = be.xp
    return (x - xp.fmod(x, y)) // y if y.dtype.kind in "iu" else xp.trunc(x / y)


@elementwise(NUMBERS)
@in_float32
def truncatemod(be: Backend, x: Any, y: Any) -> Any:
    """x - truncatediv(x, y) y, which has the sign of x"""
    _check_divisor("truncatemod", x, y)
    return be.xp.fmod(x, y)


mod.defvjp(lambda g, z, x, y: g, lambda g, z, x, y: -g * floordiv(x, y))
truncatemod.defvjp(lambda g, z, x, y: g, lambda g, z, x, y: -g * truncatediv(x, y))


# ----- arithmetic of one argument -----

negative = ufunc("negative", SIGNED)  # of unsigned ones it would wrap: -5 as 251
negative.defvjp(lambda g, y, x: -g)

sign = ufunc("sign", NUMBERS)
sign.defvjp(lambda g, y, x: filled(x, 0))  # flat, and not unconnected: what |x| has for a slope

absolute = ufunc("abs", NUMBERS, "absolute")
absolute.defvjp(lambda g, y, x: g * sign(x))

square = ufunc("square", NUMBERS)
square.defvjp(lambda g, y, x: g * (2 * x))

reciprocal = ufunc("reciprocal")
reciprocal.defvjp(lambda g, y, x: multiply_no_nan(-y * y, g))

sqrt = ufunc("sqrt")
sqrt.defvjp(lambda g, y, x: multiply_no_nan(0.5 * reciprocal(y), g))


@elementwise(FLOATS)
@in_float32
def rsqrt(be: Backend, x: Any) -> Any:
    """1 / sqrt(x)"""
    return 1 / be.xp.sqrt(x)


rsqrt.defvjp(lambda g, y, x: multiply_no_nan(-0.5 * y * y * y, g))

floor = ufunc("floor")
ceil = ufunc("ceil")


@elementwise(NUMBERS)
def round(be: Backend, x: Any) -> Any:
    """The nearest integer; halves go to the even one."""
    return x if x.dtype.kind in "iu" else be.xp.rint(x)


# ----- exponentials and logarithms -----

exp = ufunc("exp")
exp.defvjp(lambda g, y, x: g * y)

expm1 = ufunc("expm1")
expm1.defvjp(lambda g, y, x: g * exp(x))

log = ufunc("log")
log.defvjp(lambda g, y, x: g * reciprocal(x))

log1p = ufunc("log1p")
log1p.defvjp(lambda g, y, x: g * reciprocal(1 + x))


@elementwise(NUMBERS)
@in_float32
def power(be: Backend, x: Any, y: Any) -> Any:
    """x^y"""
    if y.dtype.kind == "i" and x.size and (y < 0).any():
        raise ValueError("power: an integer to a negative power is no integer; cast to float")
    if y.size == 1 and isinstance(y, np.ndarray) and y == 0.5:  # NumPy takes the root instead:
        x = np.where(np.isneginf(x), np.inf, x).astype(x.dtype) + 0  # NaN, and -0 of -0
    return be.xp.power(x, y)


power.defvjp(
    lambda g, z, x, y: g * y * power(x, y - 1),
    lambda g, z, x, y: g * z * where(x > 0, log(where(x > 0, x, 1)), 0),
)


@elementwise(FLOATS)
@in_float32
def sigmoid(be: Backend, x: Any) -> Any:
    """1 / (1 + exp(-x))"""
    return 1 / (1 + be.xp.exp(-x))


sigmoid.defvjp(lambda g, y, x: g * (y * (1 - y)))


@elementwise(FLOATS)
@in_float32
def softplus(be: Backend, x: Any) -> Any:
    """log(1 + exp(x))"""
    return be.xp.maximum(x, 0) + be.xp.log1p(be.xp.exp(-be.xp.abs(x)))


softplus.defvjp(lambda g, y, x: g * sigmoid(x))


@elementwise(FLOATS)
@in_float32
def erf(be: Backend, x: Any) -> Any:
    """2 / sqrt(pi) * integral of exp(-t^2) from 0 to x"""
    return error_function.erf(be.xp, x)


@elementwise(FLOATS)
@in_float32
def erfc(be: Backend, x: Any) -> Any:
    """1 - erf(x)"""
    return error_function.erfc(be.xp, x)


_BELL = 2 / math.sqrt(math.pi)
erf.defvjp(lambda g, y, x: g * (_BELL * exp(-square(x))))
erfc.defvjp(lambda g, y, x: g * (-_BELL * exp(-square(x))))

# ----- circles and hyperbolas -----

sin, cos, tan = ufunc("sin"), ufunc("cos"), ufunc("tan")
sin.defvjp(lambda g, y, x: g * cos(x))
cos.defvjp(lambda g, y, x: -g * sin(x))
tan.defvjp(lambda g, y, x: g * (1 + square(y)))

asin, acos, atan = (
    ufunc("asin", FLOATS, "arcsin"),
    ufunc("acos", FLOATS, "arccos"),
    ufunc("atan", FLOATS, "arctan"),
)
asin.defvjp(lambda g, y, x: g * reciprocal(sqrt(1 - square(x))))
acos.defvjp(lambda g, y, x: -g * reciprocal(sqrt(1 - square(x))))
atan.defvjp(lambda g, y, x: g / (1 + square(x)))

sinh, cosh, tanh = ufunc("sinh"), ufunc("cosh"), ufunc("tanh")
sinh.defvjp(lambda g, y, x: g * cosh(x))
cosh.defvjp(lambda g, y, x: g * sinh(x))
tanh.defvjp(lambda g, y, x: g * (1 - square(y)))

# ----- questions -----

equal = ufunc("equal", NUMBERS + BOOLS + TEXT)
not_equal = ufunc("not_equal", NUMBERS + BOOLS + TEXT)
less, less_equal = ufunc("less", NUMBERS), ufunc("less_equal", NUMBERS)
greater, greater_equal = ufunc("greater", NUMBERS), ufunc("greater_equal", NUMBERS)
logical_and, logical_or = ufunc("logical_and", BOOLS), ufunc("logical_or", BOOLS)
logical_xor, logical_not = ufunc("logical_xor", BOOLS), ufunc("logical_not", BOOLS)

# ----- bits -----

bitwise_and, bitwise_or = ufunc("bitwise_and", INTEGERS), ufunc("bitwise_or", INTEGERS)
bitwise_xor, invert = ufunc("bitwise_xor", INTEGERS), ufunc("invert", INTEGERS)


@elementwise(INTEGERS)
def left_shift(be: Backend, x: Any, y: Any) -> Any:
    """x 2^y, whose upper bits are lost; y is kept between 0 and the last bit."""
    return be.xp.left_shift(x, _places(be, y))


@elementwise(INTEGERS)
def right_shift(be: Backend, x: Any, y: Any) -> Any:
    """floor(x / 2^y); y is kept between 0 and the last bit."""
    return be.xp.right_shift(x, _places(be, y))


def _places(be: Backend, y: Any) -> Any:
    return be.xp.clip(y, 0, 8 * y.dtype.itemsize - 1).astype(y.dtype)


# ----- what numbers are -----

isnan, isinf = ufunc("is_nan", function="isnan"), ufunc("is_inf", function="isinf")
isfinite = ufunc("is_finite", function="isfinite")


@primitive
def _where(be: Backend, condition: Any, x: Any, y: Any) -> Any:
    return be.where(condition, x, y)


_where.defvjp(
    None,
    lambda g, z, condition, x, y: unbroadcast(where(condition, g, 0), x.shape),
    lambda g, z, condition, x, y: unbroadcast(where(condition, 0, g), y.shape),
)


def where(condition: Any, x: Any, y: Any) -> Tensor:
    """x where `condition` holds, else y; the three broadcast."""
    like = first_tensor(condition, x, y)
    condition = as_tensor(condition, np.bool_, "where: condition", like)
    x, y = align("where", like, x=x, y=y)
    check_broadcast("where", condition.shape, x.shape, y.shape)
    return _where(condition, x, y)


# ----- the same elements -----


@primitive
def identity(be: Backend, x: Any) -> Any:
    """x itself, as another tensor."""
    return x


identity.defvjp(lambda g, y, x: g)


@primitive
def stop_gradient(be: Backend, x: Any) -> Any:
    """x itself, which no gradient passes."""
    return x


@primitive
def cast(be: Backend, x: Any, *, dtype: Any) -> Any:
    """x with elements of another type; floats are cut off towards 0 to become integers."""
    return astype(x, dtype)


cast.defvjp(lambda g, y, x, *, dtype: cast(g, dtype=x.dtype))


def rounded_once(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Lets a composition of ops see float32 wherever it is given float16 or bfloat16.

    Its result is rounded once, at the end. What one array op computes has `in_float32` instead.
    """

    @functools.wraps(function)
    def widened(*inputs: Tensor, **settings: Any) -> Tensor:
        half = next((x.dtype for x in inputs if is_half(x.dtype)), None)
        if half is None:
            return function(*inputs, **settings)
        full = [cast(x, dtype=np.float32) if x.dtype == half else x for x in inputs]
        return cast(function(*full, **settings), dtype=half)

    return widened
