"""x times the normal distribution function of x, and its slope, in one pass; float32.

    Phi(-z) = exp(-z^2 / 2) t P(t - 1/2),  t = 1 / (1 + 0.3 z),  0 <= z <= 15

P is the Chebyshev fit of degree 9 to what is left of the scaled complementary error function, to
4e-9. So tails keep their digits, where 1 + erf would cancel. The approximation by tanh is the
logistic function of v = 2 sqrt(2 / pi) (x + 0.044715 x^3), of which the same can be said.
"""

from __future__ import annotations

import math

import numpy as np

from minitensor.backend.numpy.compiled.exponential import (
    exp_below,
    exp_of_sum,
    fused,
    in_whole_registers,
)
from minitensor.backend.numpy.compiled.flat import each_piece, flat
from minitensor.backend.numpy.compiled.jit import compiled, inner
from minitensor.backend.numpy.memory import empty

_P0, _P1, _P2, _P3, _P4, _P5, _P6, _P7, _P8, _P9 = map(
    np.float32,
    (
        *(0.22197061777114868, 0.3291589617729187, 0.34619879722595215, 0.2220824509859085),
        *(0.029058709740638733, -0.07754818350076675, -0.03649571165442467, 0.035922400653362274),
        *(0.01981322094798088, -0.020833317190408707),
    ),
)
_NEAR, _FAR = np.float32(0.3), np.float32(14.4)  # beyond, Phi(-z) is 0 in float32
_ONE, _HALF = np.float32(1), np.float32(0.5)
_DENSITY = np.float32(1 / math.sqrt(2 * math.pi))  # of the normal distribution at 0


_RISE = np.float32(2 * math.sqrt(2 / math.pi))
_BEND, _BEND3 = np.float32(0.044715), np.float32(3 * 0.044715)


def gelu(x: np.ndarray, approximate: bool) -> np.ndarray:
    """x * Phi(x), or x * logistic(v)."""
    y = empty(x.shape, x.dtype)
    each_piece(_gelu_by_tanh if approximate else _gelu, [flat(x), flat(y)])
    return y


def gelu_grad(g: np.ndarray, x: np.ndarray, approximate: bool) -> np.ndarray:
    """g times the derivative: Phi(x) + x * exp(-x^2 / 2) / sqrt(2 pi), or that of the other."""
    y = empty(x.shape, x.dtype)
    each_piece(_gelu_by_tanh_grad if approximate else _gelu_grad, [flat(g), flat(x), flat(y)])
    return y


@inner
def _bell(z):
    """exp(-z^2 / 2), where what rounding takes from the square is not lost."""
    square = z * z
    return exp_of_sum(-_HALF * square, -_HALF * fused(z, z, -square))


@inner
def _phi(x, z, bell):
    """Phi(x), given z = |x| and exp(-z^2 / 2)."""
    t = _ONE / fused(_NEAR, z, _ONE)
    u = t - _HALF
    high = fused(fused(fused(fused(fused(_P9, u, _P8), u, _P7), u, _P6), u, _P5), u, _P4)
    tail = bell * t * fused(fused(fused(fused(high, u, _P3), u, _P2), u, _P1), u, _P0)
    return tail if x < 0 else _ONE - tail


@inner
def _size(x):
    z = abs(x)
    return z if z < _FAR else _FAR


@compiled
def _gelu(x, y):
    in_whole_registers()
    for k in range(len(x)):
        z = _size(x[k])
        y[k] = x[k] * _phi(x[k], z, _bell(z))


@compiled
def _gelu_grad(g, x, y):
    in_whole_registers()
    for k in range(len(x)):
        z = _size(x[k])
        bell = _bell(z)
        y[k] = g[k] * fused(x[k], bell * _DENSITY, _phi(x[k], z, bell))


@inner
def _falling(x):
    """exp(-|v|)"""
    z = abs(x)
    return exp_below(-_RISE * fused(_BEND * z, z * z, z))


@compiled
def _gelu_by_tanh(x, y):
    in_whole_registers()
    for k in range(len(x)):
        e = _falling(x[k])
        y[k] = x[k] * ((e if x[k] < 0 else _ONE) / (_ONE + e))


@compiled
def _gelu_by_tanh_grad(g, x, y):
    in_whole_registers()
    for k in range(len(x)):
        e = _falling(x[k])
        share = _ONE / (_ONE + e)
        rise = _RISE * fused(_BEND3 * x[k], x[k], _ONE)
        bell = e * share * share
        y[k] = g[k] * fused(x[k] * bell, rise, (e if x[k] < 0 else _ONE) * share)
