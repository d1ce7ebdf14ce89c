"""Activations: the ones with corners say which side a corner belongs to.

    relu, relu6    slope 0 at 0, at 6 and at NaN
    leaky_relu     slope alpha at 0
    elu, selu      the slope of the right side at 0

sigmoid, tanh and softplus are plain functions and live in `math`. What follows a convolution, a
bias and an activation, is one op.
"""

from __future__ import annotations

import math as numbers
from typing import Any

from minitensor.autograd import Tensor, primitive
from minitensor.autograd.walk import filled
from minitensor.backend.half import in_float32, slow_in_float32
from minitensor.backend.protocol import Backend
from minitensor.ops import array, math
from minitensor.ops.elementwise import FLOATS, NUMBERS, elementwise
from minitensor.ops.math import rounded_once

# The fixed point of mean 0 and variance 1: Klambauer et al. 2017, equation 14.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


@elementwise(NUMBERS)
@slow_in_float32
def relu(be: Backend, x: Any) -> Any:
    """max(x, 0); NaN stays NaN"""
    return be.xp.maximum(x, x.dtype.type(0))


@elementwise(NUMBERS)
@slow_in_float32
def relu6(be: Backend, x: Any) -> Any:
    """min(max(x, 0), 6); NaN stays NaN"""
    y = be.xp.maximum(x, x.dtype.type(0))
    return be.xp.minimum(y, x.dtype.type(6), out=y if y.ndim else None)


@elementwise(FLOATS)
@in_float32
def softsign(be: Backend, x: Any) -> Any:
    """x / (1 + |x|)"""
    return x / (1 + be.xp.abs(x))


@primitive
def _gate(be: Backend, g: Any, x: Any, *, high: float | None) -> Any:
    """g where 0 < x < high, else 0."""
    return be.gate(g, x, high)


# In x a gate is flat, which is not the same as unconnected: a second derivative is 0, not None.
_gate.defvjp(
    lambda h, y, g, x, *, high: _gate(h, x, high=high), lambda h, y, g, x, *, high: filled(x, 0)
)
relu.defvjp(lambda g, y, x: _gate(g, x, high=None))
relu6.defvjp(lambda g, y, x: _gate(g, x, high=6.0))
softsign.defvjp(lambda g, y, x: g / math.square(1 + math.absolute(x)))


@primitive
def bias_activation(be: Backend, x: Any, bias: Any, *, activation: str) -> Any:
    """activation(x + bias), with one bias per channel: "linear", "relu" or "relu6"."""
    return be.bias_activation(x, bias, activation)


def through(g: Tensor, y: Tensor, activation: str) -> Tensor:
    """What of g passes back through an activation that gave y."""
    if activation == "linear":
        return g
    return _gate(g, y, high=6.0 if activation == "relu6" else None)


def _bias_activation_grads(
    wanted: list[bool], g: Tensor, y: Tensor, x: Tensor, bias: Tensor, *, activation: str
) -> list[Tensor | None]:
    """Where the result is at a corner nothing passes, so the result itself says what does."""
    g = through(g, y, activation)
    return [g if wanted[0] else None, array.sum_to(g, shape=bias.shape) if wanted[1] else None]


bias_activation.defvjp_jointly(_bias_activation_grads)


@primitive
@in_float32
def _sloped(be: Backend, g: Any, x: Any, *, alpha: float) -> Any:
    """g where x > 0, else alpha * g."""
    return be.where(x > 0, g, g * alpha)


_sloped.defvjp(
    lambda h, y, g, x, *, alpha: _sloped(h, x, alpha=alpha),
    lambda h, y, g, x, *, alpha: filled(x, 0),
)


def leaky_relu(x: Tensor, *, alpha: float) -> Tensor:
    """x where x > 0, else alpha * x."""
    return _sloped(x, x, alpha=alpha)


@rounded_once
def elu(x: Tensor) -> Tensor:
    """x where x >= 0, else exp(x) - 1."""
    left = x < 0
    return math.where(left, _curve(x, left), x)


@rounded_once
def selu(x: Tensor) -> Tensor:
    """SELU_SCALE * (x where x >= 0, else SELU_ALPHA * (exp(x) - 1))."""
    left = x < 0
    return SELU_SCALE * math.where(left, SELU_ALPHA * _curve(x, left), x)


def _curve(x: Tensor, left: Tensor) -> Tensor:
    """exp(x) - 1 where it is used; elsewhere 0, lest its derivative overflow unseen."""
    return math.expm1(math.where(left, x, 0))


@primitive
def gelu(be: Backend, x: Any, *, approximate: bool) -> Any:
    """x times the standard normal distribution function of x, or its approximation by tanh."""
    return be.gelu(x, approximate)


@primitive
def _gelu_grad(be: Backend, g: Any, x: Any, *, approximate: bool) -> Any:
    return be.gelu_grad(g, x, approximate)


@rounded_once
def _gelu_curvature(h: Tensor, g: Tensor, x: Tensor, *, approximate: bool) -> Tensor:
    """h g times the second derivative: of x F(x), 2 F' + x F''."""
    square = math.square(x)
    if not approximate:  # F' = exp(-x^2 / 2) / sqrt(2 pi)
        bell = math.exp(-0.5 * square) * (1 / numbers.sqrt(2 * numbers.pi))
        return h * g * (bell * (2 - square))
    k = 2 * numbers.sqrt(2 / numbers.pi)  # F = sigmoid(v)
    s = math.sigmoid(k * (x + 0.044715 * x * square))
    rise, bend = k * (1 + 3 * 0.044715 * square), k * 6 * 0.044715 * x  # v', v''
    return h * g * (s * (1 - s) * (2 * rise + x * (rise * rise * (1 - 2 * s) + bend)))


gelu.defvjp(lambda g, y, x, *, approximate: _gelu_grad(g, x, approximate=approximate))
_gelu_grad.defvjp(
    lambda h, y, g, x, *, approximate: _gelu_grad(h, x, approximate=approximate),
    lambda h, y, g, x, *, approximate: _gelu_curvature(h, g, x, approximate=approximate),
)


@elementwise(FLOATS)
@in_float32
def swish(be: Backend, x: Any, beta: Any) -> Any:
    """x * sigmoid(beta * x)"""
    return x * (1 / (1 + be.xp.exp(-(beta * x))))


# One factor for all of g: as a product's two slopes an infinite g would be inf - inf.
@rounded_once
def _swish_x(g: Tensor, y: Tensor, x: Tensor, beta: Tensor) -> Tensor:
    s = math.sigmoid(beta * x)
    return g * (s * (1 + beta * x * (1 - s)))


@rounded_once
def _swish_beta(g: Tensor, y: Tensor, x: Tensor, beta: Tensor) -> Tensor:
    s = math.sigmoid(beta * x)
    return g * (math.square(x) * (s * (1 - s)))


swish.defvjp(_swish_x, _swish_beta)
