"""Functions of one or two tensors, element by element: one row of a table each.

A row says which op is called, what it computes, and an example with what it prints. `unary` and
`binary` make the public function of it: its name is the one that the example calls, and what all
have in common (Args, Returns, Raises) comes from ONE and TWO. Outside of its domain a function is
NaN or infinite, as in IEEE arithmetic. Answers (less, is_nan ...), signs and roundings have no
gradient. Source of all: tf or tf.math, under the same name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

from minitensor.autograd import Tensor, align, as_tensor, first_tensor
from minitensor.backend.errors import InvalidArgumentError
from minitensor.docstrings import examples_of, named
from minitensor.nn import checks
from minitensor.ops import math, special

__all__ = [
    "abs", "acos", "acosh", "add", "add_n", "asin", "asinh", "atan", "atan2", "atanh", "bessel_i0",
    "bessel_i0e", "bessel_i1", "bessel_i1e", "ceil", "cos", "cosh", "divide", "divide_no_nan",
    "equal", "erf", "erfc", "erfinv", "exp", "expm1", "floor", "floordiv", "floormod", "greater",
    "greater_equal", "is_finite", "is_inf", "is_nan", "less", "less_equal", "log", "log1p",
    "log_sigmoid", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum",
    "mod", "multiply", "multiply_no_nan", "negative", "nextafter", "not_equal", "pow", "reciprocal",
    "reciprocal_no_nan", "rint", "round", "rsqrt", "scalar_mul", "sign", "sin", "sinh", "sqrt",
    "square", "squared_difference", "subtract", "tan", "truediv", "xdivy", "xlog1py", "xlogy",
]  # fmt: skip
example = examples_of("tf")

ONE = """{says}

    Args:
        x: {takes} of any shape; a number, a list or an array will do.
        name: ignored.

    Returns:
        {gives} of the shape of `x`.

    Raises:
        TypeError: `x` holds something else than {takes}.
"""
TWO = """{says}

    Args:
        x, y: {takes} of one type, whose shapes broadcast: counted from the right, sizes are equal
            or 1. Python numbers, lists and NumPy arrays take the type of a tensor beside them.
        name: ignored.

    Returns:
        {gives} of the shape they broadcast to.

    Raises:
        TypeError: something else than {takes}, or two different types.
        ValueError: the shapes do not broadcast.
"""
EXAMPLE = """
    Example:
        >>> import minitensor as tf
        >>> {example}.numpy()
        {prints}

    Source: {path}
    """


class Unary(Protocol):
    """A public function of one tensor."""

    def __call__(self, x: Any, name: str | None = None) -> Tensor: ...


class Binary(Protocol):
    """A public function of two tensors."""

    def __call__(self, x: Any, y: Any, name: str | None = None) -> Tensor: ...


def unary(
    op: Callable[[Any], Tensor], says: str, example: str, prints: str, kinds: str = "floats"
) -> Unary:
    """The function of a row; `kinds` is what it takes, and "-> booleans" if it gives others."""

    def function(x: Any, name: str | None = None) -> Tensor:
        return op(x)

    return documented(function, filled(ONE, says, kinds), example, prints)


def binary(
    op: Callable[[Any, Any], Tensor],
    says: str,
    example: str,
    prints: str,
    kinds: str = "numbers",
    default_name: str | None = None,
) -> Binary:
    """The same for two tensors."""

    def function(x: Any, y: Any, name: str | None = default_name) -> Tensor:
        return op(x, y)

    return documented(function, filled(TWO, says, kinds), example, prints)


def filled(template: str, says: str, kinds: str) -> str:
    takes, _, gives = kinds.partition(" -> ")
    return template.format(
        says=says, takes=takes, gives=gives.capitalize() or "Elements of that type,"
    )


def documented(function: Any, text: str, example: str, prints: str) -> Any:
    """`function` under the name that its example calls, such as "tf.math.log", with a docstring."""
    path = example.partition("(")[0]
    text += EXAMPLE.format(example=example, prints=prints, path=path)
    return named(path.rpartition(".")[2], text, function)


def _divide_no_nan(x: Any, y: Any) -> Tensor:
    x, y = align("divide_no_nan", x=x, y=y)
    nought = math.equal(y, 0)
    return math.where(nought, 0, math.divide(x, math.where(nought, 1, y)))


def _nought_at_nought(op: str, function: Callable[[Tensor, Tensor], Tensor]) -> Any:
    """`function` of x and y, and 0 where x is 0, whatever y is."""

    def guarded(x: Any, y: Any) -> Tensor:
        x, y = align(op, x=x, y=y)
        nought = math.equal(checks.tensor(op, "x", x, "f"), 0)
        return math.where(nought, 0, function(x, math.where(nought, 1, y)))

    return guarded


def _reciprocal_no_nan(x: Any) -> Tensor:
    x = checks.tensor("reciprocal_no_nan", "x", x, "f")
    nought = math.equal(x, 0)
    return math.where(nought, 0, math.divide(1, math.where(nought, 1, x)))


def _rint(x: Any) -> Tensor:
    return math.round(checks.tensor("rint", "x", x, "f"))


def _squared_difference(x: Any, y: Any) -> Tensor:
    return math.square(math.subtract(x, y))


def _log_sigmoid(x: Any) -> Tensor:
    return math.negative(math.softplus(math.negative(x)))


# fmt: off

# ----- arithmetic -----
add = binary(math.add, "z = x + y.",
    "tf.add([1, 2], 3)", "array([4, 5], dtype=int32)")
subtract = binary(math.subtract, "z = x - y.",
    "tf.subtract([1, 2], 3)", "array([-2, -1], dtype=int32)")
multiply = binary(math.multiply, "z = x y.",
    "tf.multiply([1, 2], 3)", "array([3, 6], dtype=int32)")
divide = binary(math.divide, "z = x / y; integers become float64, of 16 bits or fewer float32.",
    "tf.divide([1, 2], 4)", "array([0.25, 0.5 ])")
truediv = binary(math.divide, "z = x / y; integers become float64, of 16 bits or fewer float32.",
    "tf.truediv([1, 2], 4)", "array([0.25, 0.5 ])")
divide_no_nan = binary(_divide_no_nan, "z = x / y, and 0 where y is 0.",
    "tf.math.divide_no_nan([1.0, 1.0], [0.0, 4.0])", "array([0.  , 0.25], dtype=float32)")
floordiv = binary(math.floordiv, "z = floor(x / y).",
    "tf.math.floordiv([-7, 7], 2)", "array([-4,  3], dtype=int32)")
floormod = binary(math.mod, "z = x - floor(x / y) y, which has the sign of y.",
    "tf.math.floormod([-7, 7], 3)", "array([2, 1], dtype=int32)")
mod = binary(math.mod, "z = x - floor(x / y) y, which has the sign of y.",
    "tf.math.mod([-7, 7], 3)", "array([2, 1], dtype=int32)")
truncatediv = binary(math.truncatediv, "z = x / y, cut off towards 0.",
    "tf.truncatediv([-7, 7], 2)", "array([-3,  3], dtype=int32)")
truncatemod = binary(math.truncatemod, "z = x - truncatediv(x, y) y, which has the sign of x.",
    "tf.truncatemod([-7, 7], 3)", "array([-1,  1], dtype=int32)")
pow = binary(math.power, "z = x^y; an integer to a negative integer is a ValueError.",
    "tf.pow([2.0, 3.0], 2.0)", "array([4., 9.], dtype=float32)")
maximum = binary(math.maximum, "The larger one, NaN if one is; a tie sends its gradient to x.",
    "tf.maximum([1, 5], 3)", "array([3, 5], dtype=int32)")
minimum = binary(math.minimum, "The smaller one, NaN if one is; a tie sends its gradient to x.",
    "tf.minimum([1, 5], 3)", "array([1, 3], dtype=int32)")
squared_difference = binary(_squared_difference, "z = (x - y)^2.",
    "tf.math.squared_difference([1, 5], 3)", "array([4, 4], dtype=int32)")
multiply_no_nan = binary(math.multiply_no_nan, "z = x y, and 0 where y is 0, whatever x is.",
    'tf.math.multiply_no_nan([float("inf"), 2.0], [0.0, 3.0])', "array([0., 6.], dtype=float32)",
    "floats")
xlogy = binary(_nought_at_nought("xlogy", lambda x, y: x * math.log(y)),
    "z = x log(y), and 0 where x is 0.",
    "tf.math.xlogy([0.0, 2.0], [0.0, 1.0])", "array([0., 0.], dtype=float32)", "floats")
xlog1py = binary(_nought_at_nought("xlog1py", lambda x, y: x * math.log1p(y)),
    "z = x log(1 + y), and 0 where x is 0.",
    "tf.math.xlog1py([0.0, 2.0], [-1.0, 0.0])", "array([0., 0.], dtype=float32)", "floats")
xdivy = binary(_nought_at_nought("xdivy", math.divide), "z = x / y, and 0 where x is 0.",
    "tf.math.xdivy([0.0, 1.0], [0.0, 4.0])", "array([0.  , 0.25], dtype=float32)", "floats")

# ----- elementary functions -----
exp = unary(math.exp, "y = e^x.",
    "tf.exp([0.0, 1.0])", "array([1.      , 2.718282], dtype=float32)")
expm1 = unary(math.expm1, "y = e^x - 1, without loss of digits near 0.",
    "tf.math.expm1(1e-10)", "np.float32(1e-10)")
log = unary(math.log, "The natural logarithm: e^y = x.",
    "tf.math.log([1.0, 0.0])", "array([  0., -inf], dtype=float32)")
log1p = unary(math.log1p, "y = log(1 + x), without loss of digits near 0.",
    "tf.math.log1p(1e-10)", "np.float32(1e-10)")
sqrt = unary(math.sqrt, "The square root: y^2 = x, y >= 0.",
    "tf.sqrt([4.0, -1.0])", "array([ 2., nan], dtype=float32)")
rsqrt = unary(math.rsqrt, "y = 1 / sqrt(x).",
    "tf.math.rsqrt([4.0, 0.0])", "array([0.5, inf], dtype=float32)")
reciprocal = unary(math.reciprocal, "y = 1 / x.",
    "tf.math.reciprocal([4.0, 0.0])", "array([0.25,  inf], dtype=float32)")
reciprocal_no_nan = unary(_reciprocal_no_nan, "y = 1 / x, and 0 where x is 0.",
    "tf.math.reciprocal_no_nan([4.0, 0.0])", "array([0.25, 0.  ], dtype=float32)")
sin = unary(math.sin, "The sine of an angle in radians.",
    "tf.sin(0.5)", "np.float32(0.47942555)")
cos = unary(math.cos, "The cosine of an angle in radians.",
    "tf.cos(0.5)", "np.float32(0.87758255)")
tan = unary(math.tan, "The tangent of an angle in radians.",
    "tf.tan(0.5)", "np.float32(0.5463025)")
asin = unary(math.asin, "The angle between -pi/2 and pi/2 whose sine is x.",
    "tf.asin([1.0, 2.0])", "array([1.5707964,       nan], dtype=float32)")
acos = unary(math.acos, "The angle between 0 and pi whose cosine is x.",
    "tf.acos(0.0)", "np.float32(1.5707964)")
atan = unary(math.atan, "The angle between -pi/2 and pi/2 whose tangent is x.",
    "tf.atan(1.0)", "np.float32(0.7853982)")
sinh = unary(math.sinh, "y = (e^x - e^-x) / 2.",
    "tf.sinh(1.0)", "np.float32(1.1752012)")
cosh = unary(math.cosh, "y = (e^x + e^-x) / 2.",
    "tf.cosh(1.0)", "np.float32(1.5430807)")
asinh = unary(special.asinh, "The number whose sinh is x.",
    "tf.asinh(1.0)", "np.float32(0.8813736)")
acosh = unary(special.acosh, "The number of 0 or more whose cosh is x.",
    "tf.acosh([1.0, 0.5])", "array([ 0., nan], dtype=float32)")
atanh = unary(special.atanh, "The number whose tanh is x.",
    "tf.atanh([0.5, 1.0])", "array([0.54930615,        inf], dtype=float32)")
bessel_i0 = unary(lambda x: special.bessel(x, order=0), "Bessel's modified function I_0.",
    "tf.math.bessel_i0(1.0)", "np.float32(1.2660658)")
bessel_i1 = unary(lambda x: special.bessel(x, order=1), "Bessel's modified function I_1.",
    "tf.math.bessel_i1(1.0)", "np.float32(0.5651591)")
bessel_i0e = unary(lambda x: special.scaled_bessel(x, order=0), "y = I_0(x) e^-|x|.",
    "tf.math.bessel_i0e(1000.0)", "np.float32(0.012617241)")
bessel_i1e = unary(lambda x: special.scaled_bessel(x, order=1), "y = I_1(x) e^-|x|.",
    "tf.math.bessel_i1e(1000.0)", "np.float32(0.01261093)")
erf = unary(math.erf, "y = 2 / sqrt(pi) * integral of exp(-t^2) from 0 to x.",
    "tf.math.erf([0.5, 3.0])", "array([0.5204999, 0.9999779], dtype=float32)")
erfc = unary(math.erfc, "y = 1 - erf(x), without loss of digits for large x.",
    "tf.math.erfc([0.5, 5.0])", "array([4.7950011e-01, 1.5374598e-12], dtype=float32)")
erfinv = unary(special.erfinv, "The number whose erf is x; infinite at -1 and 1.",
    "tf.math.erfinv([0.5, 1.0])", "array([0.47693628,        inf], dtype=float32)")
log_sigmoid = unary(_log_sigmoid, "y = log(1 / (1 + e^-x)) = -softplus(-x).",
    "tf.math.log_sigmoid([0.0, -1000.0])", "array([-6.931472e-01, -1.000000e+03], dtype=float32)")

# ----- signs, squares and roundings -----
abs = unary(math.absolute, "y = |x|, with slope 0 at 0.",
    "tf.abs([-2, 3])", "array([2, 3], dtype=int32)", "numbers")
negative = unary(math.negative, "y = -x.",
    "tf.negative([-2, 3])", "array([ 2, -3], dtype=int32)", "numbers")
sign = unary(math.sign, "-1, 0 or 1; NaN for NaN.",
    "tf.sign([-2.5, 0.0])", "array([-1.,  0.], dtype=float32)", "numbers")
square = unary(math.square, "y = x^2.",
    "tf.square([-2, 3])", "array([4, 9], dtype=int32)", "numbers")
round = unary(math.round, "The nearest integer; a half goes to the even one.",
    "tf.round([0.5, 1.5, -0.7])", "array([ 0.,  2., -1.], dtype=float32)", "numbers")
rint = unary(_rint, "The nearest integer; a half goes to the even one.",
    "tf.math.rint([0.5, 1.5, -0.7])", "array([ 0.,  2., -1.], dtype=float32)")
floor = unary(math.floor, "The largest integer that is not above x.",
    "tf.floor([1.5, -1.5])", "array([ 1., -2.], dtype=float32)")
ceil = unary(math.ceil, "The smallest integer that is not below x.",
    "tf.math.ceil([1.5, -1.5])", "array([ 2., -1.], dtype=float32)")

# ----- answers: true or false -----
equal = binary(math.equal, "x = y.",
    "tf.equal([1, 2], [1, 3])", "array([ True, False])", "elements -> booleans")
not_equal = binary(math.not_equal, "x != y.",
    "tf.not_equal([1, 2], [1, 3])", "array([False,  True])", "elements -> booleans")
less = binary(math.less, "x < y.",
    "tf.less([1, 2], 2)", "array([ True, False])", "numbers -> booleans")
less_equal = binary(math.less_equal, "x <= y.",
    "tf.less_equal([1, 2], 2)", "array([ True,  True])", "numbers -> booleans")
greater = binary(math.greater, "x > y.",
    "tf.greater([1, 2], 1)", "array([False,  True])", "numbers -> booleans")
greater_equal = binary(math.greater_equal, "x >= y.",
    "tf.greater_equal([1, 2], 2)", "array([False,  True])", "numbers -> booleans")
logical_and = binary(math.logical_and, "Both hold.",
    "tf.logical_and([True, False], True)", "array([ True, False])", "booleans")
logical_or = binary(math.logical_or, "At least one holds.",
    "tf.logical_or([True, False], True)", "array([ True,  True])", "booleans")
logical_xor = binary(math.logical_xor, "Exactly one holds.",
    "tf.math.logical_xor([True, False], True)", "array([False,  True])", "booleans", "LogicalXor")
logical_not = unary(math.logical_not, "x does not hold.",
    "tf.logical_not([True, False])", "array([False,  True])", "booleans")
is_nan = unary(math.isnan, "x is not a number.",
    'tf.math.is_nan([1.0, float("nan")])', "array([False,  True])", "floats -> booleans")
is_inf = unary(math.isinf, "x is infinite.",
    'tf.math.is_inf([1.0, float("-inf")])', "array([False,  True])", "floats -> booleans")
is_finite = unary(math.isfinite, "x is neither infinite nor NaN.",
    'tf.math.is_finite([1.0, float("inf")])', "array([ True, False])", "floats -> booleans")
# fmt: on


@example("atan2(1.0, -1.0)", "np.float32(2.3561945)")
def atan2(y: Any, x: Any, name: str | None = None) -> Tensor:
    """The angle between -pi and pi of the point (x, y).

    Args:
        y, x: floats of one type, whose shapes broadcast.
        name: ignored.

    Returns:
        Floats of the shape they broadcast to.

    Raises:
        TypeError: something else than floats, or two different types.
        ValueError: the shapes do not broadcast.
    """
    return special.atan2(y, x)


@examples_of("tf.math")("nextafter(1.0, 2.0)", "np.float32(1.0000001)")
def nextafter(x1: Any, x2: Any, name: str | None = None) -> Tensor:
    """The float next to x1 on the way to x2, with the slope of x1.

    Args:
        x1, x2: float32 or float64, one type, whose shapes broadcast.
        name: ignored.

    Returns:
        Floats of the shape they broadcast to.

    Raises:
        TypeError: something else than such floats, or two different types.
        ValueError: the shapes do not broadcast.
    """
    return special.nextafter(x1, x2)


@example("add_n([[1, 2], [3, 4], [5, 6]])", "array([ 9, 12], dtype=int32)")
def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """The sum of a list of tensors.

    Args:
        inputs: tensors of one shape and type.
        name: ignored.

    Returns:
        A tensor of that shape and type.

    Raises:
        TypeError: two different types.
        ValueError: shapes that differ, or no tensors.
    """
    xs = align("add_n", **{f"inputs[{k}]": x for k, x in enumerate(inputs)}) if inputs else ()
    if len({x.shape for x in xs}) != 1:
        raise InvalidArgumentError(
            "add_n: inputs must be at least one tensor, and all of one shape"
        )
    return functools.reduce(math.add, xs)


@example("scalar_mul(2, [1.0, 3.0])", "[2., 6.]")
def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Tensor:
    """y = scalar x.

    Args:
        scalar: a tensor without axes, of the type of `x`.
        x: numbers of any shape.
        name: ignored.

    Returns:
        The shape and type of `x`.

    Raises:
        TypeError: two different types.
        ValueError: `scalar` has axes.
    """
    tensor = as_tensor(x, None, "scalar_mul: x", first_tensor(scalar))
    factor = as_tensor(scalar, tensor.dtype, "scalar_mul: scalar", tensor)
    if factor.ndim:
        raise InvalidArgumentError(
            f"scalar_mul: scalar must have no axes, got shape {factor.shape!s}"
        )
    return math.multiply(factor, tensor)
