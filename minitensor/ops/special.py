"""Functions of one or two floats beyond `math`: inverse hyperbolic, roots, Bessel's, the angle.

Each with one derivative per argument, as there.
"""

from __future__ import annotations

import math as constants
from typing import Any

from minitensor.autograd.walk import filled
from minitensor.backend import error_function
from minitensor.backend.half import in_float32
from minitensor.backend.protocol import Backend
from minitensor.ops.elementwise import FLOATS, elementwise, ufunc
from minitensor.ops.math import cosh, equal, exp, multiply, reciprocal, sign, sinh, square, where

asinh = ufunc("asinh", FLOATS, "arcsinh")
acosh = ufunc("acosh", FLOATS, "arccosh")
atanh = ufunc("atanh", FLOATS, "arctanh")
asinh.defvjp(lambda g, y, x: g / cosh(y))
acosh.defvjp(lambda g, y, x: g / sinh(y))
atanh.defvjp(lambda g, y, x: g * reciprocal(1 - square(x)))

cbrt = ufunc("cbrt")
cbrt.defvjp(lambda g, y, x: g / (3 * square(y)))

hypot = ufunc("hypot")
hypot.defvjp(lambda g, z, x, y: g * _share(x, z), lambda g, z, x, y: g * _share(y, z))


def _share(x: Any, z: Any) -> Any:
    """x / z, and 0 where both are."""
    return x / where(equal(z, 0), 1, z)


nextafter = ufunc("nextafter")
nextafter.defvjp(lambda g, z, x, y: g, lambda g, z, x, y: filled(y, 0))

atan2 = ufunc("atan2", FLOATS, "arctan2")
atan2.defvjp(
    lambda g, z, y, x: g * (x / (square(x) + square(y))),
    lambda g, z, y, x: g * (-y / (square(x) + square(y))),
)


@elementwise(FLOATS)
@in_float32
def erfinv(be: Backend, x: Any) -> Any:
    """The y whose erf is x: a guess (Winitzki 2008), then three of Halley's steps."""
    xp = be.xp
    size = xp.abs(x)
    log = xp.log1p(-(size * size))
    half = 2 / (constants.pi * 0.147) + log / 2
    y = xp.sqrt(xp.sqrt(half * half - log / 0.147) - half)
    for _ in range(3):
        # Beyond 1/2 the small number 1 - size, which is exact, is met: erf has no digits there.
        miss = xp.where(
            size < 0.5,
            error_function.erf(xp, y) - size,
            (1 - size) - error_function.erfc(xp, y),
        )
        step = miss * (constants.sqrt(constants.pi) / 2) * xp.exp(y * y)
        y = y - step / (1 + y * step)
    return xp.where(size < 1, xp.copysign(y, x), x / xp.sqrt(1 - size))  # inf at 1, then NaN


erfinv.defvjp(lambda g, y, x: g * (constants.sqrt(constants.pi) / 2 * exp(square(y))))


@elementwise(FLOATS)
@in_float32
def bessel(be: Backend, x: Any, *, order: int) -> Any:
    """I_order(x), the modified Bessel function of a whole order, by its series: all terms add."""
    return _series(be, be.xp.asarray(x, "float64"), order).astype(x.dtype)


def _series(be: Backend, x: Any, order: int) -> Any:
    half = x / 2
    term = half**order / constants.factorial(order)
    total = term
    largest = int(be.xp.fmin(be.xp.abs(half), 360).max()) if x.size else 0
    for k in range(1, 2 * largest + 30):
        term = term * (half / k) * (half / (k + order))
        total = total + term
    return total


bessel.defvjp(
    lambda g, y, x, *, order: multiply(
        g, 0.5 * (bessel(x, order=abs(order - 1)) + bessel(x, order=order + 1))
    )
)


NEAR, TERMS = 30, 16  # where the series ends, and terms of Hankel's beyond it: 1e-16 of the answer


@elementwise(FLOATS)
@in_float32
def scaled_bessel(be: Backend, x: Any, *, order: int) -> Any:
    """I_order(x) exp(-|x|): beyond NEAR by Hankel's expansion, where I_order alone overflows."""
    xp = be.xp
    wide = xp.asarray(x, "float64")
    size = xp.abs(wide)
    far = xp.maximum(size, NEAR)
    term = total = xp.ones_like(far)
    for k in range(1, TERMS):
        term = -term * (4 * order**2 - (2 * k - 1) ** 2) / (8 * k * far)
        total = total + term
    beyond = xp.sign(wide) ** order * total / xp.sqrt(2 * constants.pi * far)
    near = xp.clip(wide, -NEAR, NEAR)
    within = _series(be, near, order) * xp.exp(-xp.abs(near))
    return xp.where(size > NEAR, beyond, within).astype(x.dtype)


scaled_bessel.defvjp(
    lambda g, y, x, *, order: multiply(
        g,
        0.5 * (scaled_bessel(x, order=abs(order - 1)) + scaled_bessel(x, order=order + 1))
        - sign(x) * y,
    )
)
