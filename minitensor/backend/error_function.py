"""erf and erfc of arrays, with NumPy alone: erf to 2 units in the last place of float64.

Up to |x| = 1 by the series erf(x) = 2 / sqrt(pi) * sum over n of (-1)^n x^(2n+1) / (n! (2n+1)),
beyond by rational approximations of exp(x^2) erfc(x) on two intervals (W. J. Cody, "Rational
Chebyshev approximations for the error function", Math. Comp. 23, 1969).
"""

from __future__ import annotations

import math
from typing import Any

# erf(x) = x + x * series(x^2), highest power first; the next term is below 2^-56 at x = 1.
_SERIES = [
    2 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(19)
]
_SERIES[0] = 0.12837916709551257390  # 2 / sqrt(pi) - 1, which subtracting would round
_SERIES.reverse()

# P and Q, highest power first: in x up to 4, in 1 / x^2 beyond.
_MIDDLE_P = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e0,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_MIDDLE_Q = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)
_LARGE_P = (
    1.63153871373020978e-2,
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
)
_LARGE_Q = (
    1.0,
    2.56852019228982242e0,
    1.87295284992346725e0,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)
_SMALL, _MIDDLE = 1.0, 4.0


def erf(xp: Any, x: Any) -> Any:
    """2 / sqrt(pi) * integral of exp(-t^2) from 0 to x."""
    inner, tail = _parts(xp, x.astype(xp.float64).reshape(-1))
    y = xp.where(xp.isnan(tail), inner, xp.copysign(1.0 - tail, inner))
    return y.reshape(x.shape).astype(x.dtype)


def erfc(xp: Any, x: Any) -> Any:
    """1 - erf(x), without cancellation for large x."""
    inner, tail = _parts(xp, x.astype(xp.float64).reshape(-1))
    outer = xp.where(inner < 0, 2.0 - tail, tail)
    y = xp.where(xp.isnan(tail), 1.0 - inner, outer)
    return y.reshape(x.shape).astype(x.dtype)


def gelu_of(xp: Any, x: Any, approximate: bool) -> Any:
    """x times the standard normal distribution function of x, or its approximation by tanh."""
    if approximate:
        return 0.5 * x * (1 + xp.tanh(_inner(xp, x)))
    return 0.5 * x * erfc(xp, -math.sqrt(0.5) * x)  # 1 + erf would cancel for x < 0


def gelu_slope(xp: Any, x: Any, approximate: bool) -> Any:
    """The derivative of `gelu_of`."""
    if approximate:
        y = xp.tanh(_inner(xp, x))
        rise = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * xp.square(x))
        return 0.5 * (1 + y) + 0.5 * x * ((1 - y * y) * rise)
    bell = xp.exp(-0.5 * xp.square(x))
    return 0.5 * erfc(xp, -math.sqrt(0.5) * x) + x * (bell * (1 / math.sqrt(2 * math.pi)))


def _inner(xp: Any, x: Any) -> Any:
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x * xp.square(x))


def _parts(xp: Any, x: Any) -> tuple[Any, Any]:
    """erf(x) where |x| <= 1 and the sign elsewhere; erfc(|x|) where |x| > 1 and NaN elsewhere."""
    size = xp.abs(x)
    inner, tail = xp.sign(x), xp.full(x.shape, xp.nan)
    small, middle, large = size <= _SMALL, (size > _SMALL) & (size <= _MIDDLE), size > _MIDDLE
    t = x[small]
    inner[small] = t + t * _polynomial(_SERIES, t * t)
    t = size[middle]
    tail[middle] = _bell(xp, t) * _polynomial(_MIDDLE_P, t) / _polynomial(_MIDDLE_Q, t)
    t = size[large]
    tail[large] = _bell(xp, t) * _far(t)
    return inner, tail


def _far(x: Any) -> Any:
    """exp(x^2) erfc(x) for x > 4, near 1 / (x sqrt(pi))."""
    t = 1.0 / (x * x)
    correction = t * _polynomial(_LARGE_P, t) / _polynomial(_LARGE_Q, t)
    return (1.0 / math.sqrt(math.pi) - correction) / x


def _bell(xp: Any, x: Any) -> Any:
    """exp(-x^2), whose exponent is split so that rounding x^2 costs no digits."""
    x = xp.minimum(x, 30.0)  # exp(-900) is 0 already
    head = xp.trunc(x * 16.0) / 16.0
    return xp.exp(-head * head) * xp.exp(-(x - head) * (x + head))


def _polynomial(coefficients: Any, t: Any) -> Any:
    """Horner's rule, in place."""
    y = coefficients[0] * t + coefficients[1]
    for c in coefficients[2:]:
        y *= t
        y += c
    return y
