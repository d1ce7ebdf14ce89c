"""Updates of weights in one pass over memory, in place: four arrays read, not seven."""

from __future__ import annotations

import numpy as np

from minitensor.backend.numpy.compiled.flat import each_piece, flat
from minitensor.backend.numpy.compiled.jit import compiled


def sgd_momentum(
    weight: np.ndarray,
    velocity: np.ndarray,
    gradient: np.ndarray,
    rate: float,
    momentum: float,
    nesterov: bool,
) -> None:
    """Changes weight and velocity, which are contiguous."""
    arrays = [flat(array) for array in (weight, velocity, gradient)]
    each_piece(_sgd_momentum, arrays, *map(weight.dtype.type, (rate, momentum)), nesterov)


def adam(
    weight: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    gradient: np.ndarray,
    size: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    """Changes weight, m and v, which are contiguous."""
    settings = (size, beta_1, 1 - beta_1, beta_2, 1 - beta_2, epsilon)
    arrays = [flat(array) for array in (weight, m, v, gradient)]
    each_piece(_adam, arrays, *map(weight.dtype.type, settings))


@compiled
def _sgd_momentum(weight, velocity, gradient, rate, momentum, nesterov):
    for i in range(weight.size):
        step = rate * gradient[i]
        fast = momentum * velocity[i] - step
        velocity[i] = fast
        weight[i] += momentum * fast - step if nesterov else fast


@compiled
def _adam(weight, m, v, gradient, size, beta_1, left_1, beta_2, left_2, epsilon):
    for i in range(weight.size):
        mean = beta_1 * m[i] + left_1 * gradient[i]
        square = beta_2 * v[i] + left_2 * (gradient[i] * gradient[i])
        m[i], v[i] = mean, square
        weight[i] -= size * mean / (np.sqrt(square) + epsilon)
