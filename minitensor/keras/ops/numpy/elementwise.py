"""Functions of one or two tensors, element by element: one row of a table each.

A row says what is called, after which promotion. `unary` keeps the type that comes, `floating`
makes floats of integers and booleans, `binary` lets both sides meet in one type.
"""

from __future__ import annotations

import math as constants
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.tensor import is_float
from minitensor.keras.engine import defaults
from minitensor.keras.ops import promotion
from minitensor.keras.ops.promotion import cast, floats, of_type, together
from minitensor.keras.ops.table import Operand, operation
from minitensor.ops import math, reduce, special
from minitensor.ops.discrete import discrete

__all__ = [
    "abs", "absolute", "add", "allclose", "angle", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctan2", "arctanh", "bitwise_and", "bitwise_invert", "bitwise_left_shift",
    "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "cbrt", "ceil", "clip",
    "conj", "conjugate", "copy", "cos", "cosh", "deg2rad", "divide", "divide_no_nan", "equal",
    "exp", "exp2", "expm1", "fabs", "floor", "floor_divide", "fmax", "fmin", "fmod", "gcd",
    "greater", "greater_equal", "heaviside", "hypot", "i0", "imag", "isclose", "isfinite",
    "isinf", "isnan", "isneginf", "isposinf", "isreal", "lcm", "ldexp", "left_shift", "less",
    "less_equal", "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2", "logical_and",
    "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "mod", "multiply",
    "nan_to_num", "negative", "nextafter", "not_equal", "power", "rad2deg", "real",
    "reciprocal", "right_shift", "round", "sign", "signbit", "sin", "sinc", "sinh", "sqrt",
    "square", "subtract", "tan", "tanh", "true_divide", "trunc",
]  # fmt: skip

Function = Callable[..., Any]


def named(function: Any, name: str, says: str) -> Any:
    """A function of the table, called `name`."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{says} Source: keras.ops.{name}"
    return operation(function)


def unary(name: str, op: Function, says: str) -> Callable[[Any], Tensor]:
    """A function of one tensor, in the type that comes."""

    def function(x: Operand) -> Tensor:
        return op(as_tensor(x))

    return named(function, name, says)


def floating(
    name: str, op: Function, says: str, wide: bool = False, module: str = __name__
) -> Callable[[Any], Tensor]:
    """A function of one tensor of floats, in a module; if `wide`, int64 becomes float64."""

    def function(x: Operand) -> Tensor:
        return op(promotion.floating(x, wide))

    function.__module__ = module
    return named(function, name, says)


def binary(
    name: str, op: Function, says: str, *also: Any, letters: str = "x1 x2"
) -> Callable[[Any, Any], Tensor]:
    """A function of two tensors in the type that they meet in, and `also` these."""
    if letters == "x y":

        def of_x_y(x: Operand, y: Operand) -> Tensor:
            return op(*together(x, y, also=also))

        return named(of_x_y, name, says)

    def function(x1: Operand, x2: Operand) -> Tensor:
        return op(*together(x1, x2, also=also))

    return named(function, name, says)


def logical(name: str, op: Function, says: str) -> Callable[[Any, Any], Tensor]:
    """A function of two truths."""

    def function(x1: Operand, x2: Operand) -> Tensor:
        return op(*(cast(x, bool) for x in together(x1, x2)))

    return named(function, name, says)


def bits(name: str, function: str, says: str) -> Callable[[Any, Any], Tensor]:
    """NumPy's function of two integers."""
    return binary(name, lambda x, y: discrete(x, y, function=function), says, letters="x y")


def kept_whole(op: Function) -> Function:
    """What leaves integers and booleans as they are."""
    return lambda x: op(x) if is_float(x.dtype) else math.identity(x)


def truth(op: Function, otherwise: bool) -> Function:
    """A question about floats; all else answers alike."""
    return lambda x: op(x) if is_float(x.dtype) else math.equal(x, x) if otherwise else x != x


# ----- how some of them are computed -----


def _constant(value: float, x: Tensor) -> Tensor:
    return as_tensor(value, x.dtype, like=x)


def _absolute(x: Tensor) -> Tensor:
    return math.identity(x) if x.dtype.kind in "ub" else math.absolute(x)


def _inverted(x: Tensor) -> Tensor:
    return discrete(x, function="invert")


def _nought(x: Tensor) -> Tensor:
    return as_tensor(np.zeros(x.shape, x.dtype), like=x)


def _square(x: Tensor) -> Tensor:
    return math.square(cast(x, "int32") if x.dtype.kind == "b" else x)


def _sinc(x: Tensor) -> Tensor:
    angle = x * constants.pi
    nought = math.equal(x, 0)
    return math.where(nought, 1, math.sin(angle) / math.where(nought, 1, angle))


def _floor_divide(x: Tensor, y: Tensor) -> Tensor:
    return math.floordiv(x, y)


def _mod(x: Tensor, y: Tensor) -> Tensor:
    return math.mod(*((cast(t, "int32") for t in (x, y)) if x.dtype.kind == "b" else (x, y)))


def _fmod(x: Tensor, y: Tensor) -> Tensor:
    whole = not is_float(x.dtype)
    ratio = math.divide(x, y)
    steps = cast(_trunc(ratio), x.dtype) if whole else _trunc(ratio)
    return math.subtract(x, math.multiply(steps, y))


def _trunc(x: Tensor) -> Tensor:
    return math.multiply(math.sign(x), math.floor(math.absolute(x)))


def _power(x: Tensor, y: Tensor) -> Tensor:
    return math.power(x, y)


def _extreme(op: Function) -> Function:
    """The larger or the smaller, also of booleans."""
    by_number = {"maximum": math.logical_or, "minimum": math.logical_and}
    return lambda x, y: (by_number[op.__name__] if x.dtype.kind == "b" else op)(x, y)


def _without_nan(op: Function) -> Function:
    """The larger or the smaller number, of a number and NaN the number."""

    def chosen(x: Tensor, y: Tensor) -> Tensor:
        if not is_float(x.dtype):
            return _extreme(op)(x, y)
        one, other = math.isnan(x), math.isnan(y)
        return math.where(one, y, math.where(other, x, op(x, y)))

    return chosen


def _added(x: Tensor, y: Tensor) -> Tensor:
    return math.logical_or(x, y) if x.dtype.kind == "b" else math.add(x, y)


def _multiplied(x: Tensor, y: Tensor) -> Tensor:
    return math.logical_and(x, y) if x.dtype.kind == "b" else math.multiply(x, y)


def _divide_no_nan(x: Tensor, y: Tensor) -> Tensor:
    nought = math.equal(y, 0)
    return math.where(nought, 0, math.divide(x, math.where(nought, 1, y)))


def _logaddexp(base: float) -> Function:
    """log of the sum of two powers, shifted by the larger exponent."""
    scale = constants.log(base)

    def added(x: Tensor, y: Tensor) -> Tensor:
        top = math.maximum(x, y)
        apart = math.where(math.equal(x, y), 0, math.negative(math.absolute(x - y)))
        return top + math.log1p(math.exp(apart * scale)) / scale

    return added


def _heaviside(x: Tensor, y: Tensor) -> Tensor:
    return math.where(math.less(x, 0), 0, math.where(math.greater(x, 0), 1, y))


def _wide(op: Function) -> Function:
    """A function of floats, where int64 becomes float64."""
    return lambda x, y: op(promotion.floating(x, True), promotion.floating(y, True))


def _angle(x: Tensor) -> Tensor:
    flat = math.multiply(x, 0)
    return math.where(math.less(x, 0), constants.pi, flat)


def _log_of(base: float) -> Function:
    return lambda x: math.divide(math.log(x), _constant(constants.log(base), x))


def _infinite(side: float) -> Function:
    return truth(lambda x: math.equal(x, side * constants.inf), False)


# fmt: off

# ----- one tensor, as it comes -----
absolute = unary("absolute", _absolute, "y = |x|.")
abs = unary("abs", _absolute, "y = |x|.")
conj = unary("conj", math.identity, "x, as all tensors are real.")
conjugate = unary("conjugate", math.identity, "x, as all tensors are real.")
copy = unary("copy", math.identity, "The same elements in another tensor.")
negative = unary("negative", math.negative, "y = -x.")
real = unary("real", math.identity, "x, as all tensors are real.")
imag = unary("imag", _nought, "0, as all tensors are real.")
sign = unary("sign", math.sign, "-1, 0 or 1.")
square = unary("square", _square, "y = x^2; booleans become int32.")
trunc = unary("trunc", kept_whole(_trunc), "The integer part.")
isfinite = unary("isfinite", truth(math.isfinite, True), "Neither infinite nor NaN.")
isinf = unary("isinf", truth(math.isinf, False), "Infinite.")
isnan = unary("isnan", truth(math.isnan, False), "Not a number.")
isneginf = unary("isneginf", _infinite(-1), "Minus infinity.")
isposinf = unary("isposinf", _infinite(1), "Plus infinity.")
isreal = unary("isreal", lambda x: truth(math.isnan, True)(x) | True, "True, as all are real.")
logical_not = unary("logical_not", lambda x: math.logical_not(cast(x, bool)), "x does not hold.")
bitwise_invert = unary("bitwise_invert", _inverted, "All bits other.")
bitwise_not = unary("bitwise_not", _inverted, "All bits other.")

# ----- one tensor of floats -----
angle = floating("angle", _angle, "0, or pi where x < 0.")
arccos = floating("arccos", math.acos, "The angle whose cosine is x.")
arccosh = floating("arccosh", special.acosh, "cosh(y) = x, y >= 0.")
arcsin = floating("arcsin", math.asin, "The angle whose sine is x.")
arcsinh = floating("arcsinh", special.asinh, "sinh(y) = x.")
arctan = floating("arctan", math.atan, "The angle whose tangent is x.")
arctanh = floating("arctanh", special.atanh, "tanh(y) = x.")
cbrt = floating("cbrt", special.cbrt, "The cube root: y^3 = x.", True)
ceil = floating("ceil", math.ceil, "The smallest integer not below x.")
cos = floating("cos", math.cos, "The cosine.")
cosh = floating("cosh", math.cosh, "y = (e^x + e^-x) / 2.")
deg2rad = floating("deg2rad", lambda x: x * (constants.pi / 180), "Degrees in radians.", True)
exp = floating("exp", math.exp, "y = e^x.")
exp2 = floating("exp2", lambda x: math.power(_constant(2.0, x), x), "y = 2^x.")
expm1 = floating("expm1", math.expm1, "y = e^x - 1.")
fabs = floating("fabs", math.absolute, "y = |x|, of floats.")
floor = floating("floor", math.floor, "The largest integer not above x.")
i0 = floating("i0", lambda x: special.bessel(x, order=0), "Bessel's modified I_0.", True)
log = floating("log", math.log, "e^y = x.")
log10 = floating("log10", _log_of(10), "10^y = x.")
log1p = floating("log1p", math.log1p, "y = log(1 + x).")
log2 = floating("log2", _log_of(2), "2^y = x.")
rad2deg = floating("rad2deg", lambda x: x * (180 / constants.pi), "Radians in degrees.", True)
reciprocal = floating("reciprocal", math.reciprocal, "y = 1 / x.")
sin = floating("sin", math.sin, "The sine.")
sinc = floating("sinc", _sinc, "y = sin(pi x) / (pi x), 1 at 0.")
sinh = floating("sinh", math.sinh, "y = (e^x - e^-x) / 2.")
sqrt = floating("sqrt", math.sqrt, "y^2 = x, y >= 0.")
tan = floating("tan", math.tan, "The tangent.")
tanh = floating("tanh", math.tanh, "y = sinh(x) / cosh(x).")

# ----- two tensors -----
add = binary("add", _added, "x1 + x2.")
subtract = binary("subtract", math.subtract, "x1 - x2.")
multiply = binary("multiply", _multiplied, "x1 x2.")
divide = binary("divide", math.divide, "x1 / x2, of floats.", float)
true_divide = binary("true_divide", math.divide, "x1 / x2, of floats.", float)
divide_no_nan = binary("divide_no_nan", _divide_no_nan, "x1 / x2, and 0 where x2 is 0.", float)
floor_divide = binary("floor_divide", _floor_divide, "floor(x1 / x2).")
mod = binary("mod", _mod, "x1 - floor(x1 / x2) x2.")
fmod = binary("fmod", _fmod, "x1 - trunc(x1 / x2) x2, which has the sign of x1.")
power = binary("power", _power, "x1^x2.")
maximum = binary("maximum", _extreme(math.maximum), "The larger, NaN if one is.")
minimum = binary("minimum", _extreme(math.minimum), "The smaller, NaN if one is.")
fmax = binary("fmax", _without_nan(math.maximum), "The larger number.")
fmin = binary("fmin", _without_nan(math.minimum), "The smaller number.")
arctan2 = binary("arctan2", special.atan2, "The angle of the point (x2, x1).", float)
hypot = binary("hypot", _wide(special.hypot), "sqrt(x1^2 + x2^2).")
heaviside = binary("heaviside", _wide(_heaviside), "0 below 0, 1 above, x2 at 0.")
logaddexp = binary("logaddexp", _logaddexp(constants.e), "log(e^x1 + e^x2).", float)
logaddexp2 = binary("logaddexp2", _logaddexp(2), "log2(2^x1 + 2^x2).", float)
nextafter = binary("nextafter", special.nextafter, "The float next to x1 towards x2.", float)
equal = binary("equal", math.equal, "x1 = x2.")
not_equal = binary("not_equal", math.not_equal, "x1 != x2.")
less = binary("less", math.less, "x1 < x2.")
less_equal = binary("less_equal", math.less_equal, "x1 <= x2.")
greater = binary("greater", math.greater, "x1 > x2.")
greater_equal = binary("greater_equal", math.greater_equal, "x1 >= x2.")
logical_and = logical("logical_and", math.logical_and, "Both hold.")
logical_or = logical("logical_or", math.logical_or, "At least one holds.")
logical_xor = logical("logical_xor", math.logical_xor, "Exactly one holds.")
bitwise_and = bits("bitwise_and", "bitwise_and", "Bits set in both.")
bitwise_or = bits("bitwise_or", "bitwise_or", "Bits set in one at least.")
bitwise_xor = bits("bitwise_xor", "bitwise_xor", "Bits set in exactly one.")
bitwise_left_shift = bits("bitwise_left_shift", "left_shift", "Bits moved y places up.")
bitwise_right_shift = bits("bitwise_right_shift", "right_shift", "Bits moved y places down.")
left_shift = bits("left_shift", "left_shift", "Bits moved y places up.")
right_shift = bits("right_shift", "right_shift", "Bits moved y places down.")
gcd = binary("gcd", lambda x, y: discrete(x, y, function="gcd"), "The greatest common divisor.")
lcm = binary("lcm", lambda x, y: discrete(x, y, function="lcm"), "The least common multiple.")
# fmt: on


@operation
def ldexp(x1: Operand, x2: Operand) -> Tensor:
    """x1 2^x2, for integers x2. Source: keras.ops.ldexp"""
    x, exponent = as_tensor(x1), as_tensor(x2)
    if exponent.dtype.kind not in "iu":
        raise TypeError(f"ldexp exponent must be an integer type. Received: {exponent.dtype.name}")
    (x,) = floats(x)
    return x * math.power(_constant(2.0, x), cast(exponent, x.dtype))


@operation
def signbit(x: Operand) -> Tensor:
    """Whether the sign is minus, that of -0 too. Source: keras.ops.signbit"""
    return discrete(as_tensor(x), function="signbit")


@operation
def round(x: Operand, decimals: int = 0) -> Tensor:
    """The nearest multiple of 10^-decimals, halves to the even one. Source: keras.ops.round"""
    x = as_tensor(x)
    if not is_float(x.dtype):
        if decimals >= 0:
            return math.identity(x)
        return cast(round(cast(x, defaults.floatx()), decimals), x.dtype)
    if not decimals:
        return math.round(x)
    scale = 10.0**decimals
    return math.round(x * scale) / scale


@operation
def clip(x: Operand, x_min: Any, x_max: Any) -> Tensor:
    """x within [x_min, x_max]. Source: keras.ops.clip"""
    x = as_tensor(x)
    if x.dtype.kind == "b":
        x = cast(x, "int32")
    for op, limit in ((math.maximum, x_min), (math.minimum, x_max)):
        if limit is not None:
            x = op(x, of_type(limit, x.dtype, x))
    return x


@operation
def nan_to_num(
    x: Operand, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Numbers in place of NaN and infinities. Source: keras.ops.nan_to_num"""
    x = as_tensor(x)
    if not is_float(x.dtype):
        return math.identity(x)
    limits = np.finfo(x.dtype) if x.dtype.kind == "f" else None
    top = 3.3895313892515355e38 if limits is None else float(limits.max)  # bfloat16's
    x = math.where(math.isnan(x), nan, x)
    x = math.where(math.equal(x, constants.inf), top if posinf is None else posinf, x)
    return math.where(math.equal(x, -constants.inf), -top if neginf is None else neginf, x)


@operation
def isclose(
    x1: Operand,
    x2: Operand,
    rtol: Operand = 1e-5,
    atol: Operand = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """|x1 - x2| <= atol + rtol |x2|. Source: keras.ops.isclose"""
    x, y = together(x1, x2)
    if not is_float(x.dtype):
        return math.equal(x, y)
    near = math.less_equal(math.absolute(x - y), math.absolute(y) * rtol + atol)
    same = math.equal(x, y)
    answer = (near & math.isfinite(x) & math.isfinite(y)) | same
    return answer | (math.isnan(x) & math.isnan(y)) if equal_nan else answer


@operation
def allclose(
    x1: Operand, x2: Operand, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Whether all elements are close. Source: keras.ops.allclose"""
    return reduce.all(isclose(x1, x2, rtol, atol, equal_nan))
