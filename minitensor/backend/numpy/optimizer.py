"""Updates of weights: each reads a weight, its state and its gradient, and returns new ones.

They are of one shape and dtype; what they are called is what Keras and the papers call them.
`in_place` gives the memory of the old ones away, for the new: nobody else may hold it.
"""

from __future__ import annotations

import numpy as np

from minitensor.backend.half import in_float32
from minitensor.backend.numpy.blocks import SLOWNESS
from minitensor.backend.numpy.choice import compiled


@in_float32
def sgd_momentum(
    weight: np.ndarray,
    velocity: np.ndarray,
    gradient: np.ndarray,
    rate: float,
    momentum: float,
    nesterov: bool,
    in_place: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """velocity = momentum * velocity - rate * gradient; weight += velocity.

    With `nesterov` it looks one step ahead: weight += momentum * velocity - rate * gradient.

    Source: tf.keras.optimizers.SGD; Sutskever et al. 2013
    """
    room = compiled(SLOWNESS * weight.size, weight.dtype)
    if room is not None:
        weight, velocity = _ours(in_place, weight, velocity)
        room.optimizer.sgd_momentum(weight, velocity, gradient, rate, momentum, nesterov)
        return weight, velocity
    step = rate * gradient
    velocity = momentum * velocity - step
    return weight + (momentum * velocity - step if nesterov else velocity), velocity


@in_float32
def adam(
    weight: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    gradient: np.ndarray,
    rate: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    step: int,
    in_place: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, weight -= size * m / (sqrt(v) + epsilon).

    size = rate * sqrt(1 - b2^step) / (1 - b1^step), where `step` counts this one too

    Source: tf.keras.optimizers.Adam; Kingma and Ba 2015, end of section 2
    """
    size = rate * (1 - beta_2**step) ** 0.5 / (1 - beta_1**step)
    room = compiled(SLOWNESS * weight.size, weight.dtype)
    if room is not None:
        weight, m, v = _ours(in_place, weight, m, v)
        room.optimizer.adam(weight, m, v, gradient, size, beta_1, beta_2, epsilon)
        return weight, m, v
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * np.square(gradient)
    return weight - size * m / (np.sqrt(v) + epsilon), m, v


def _ours(in_place: bool, *arrays: np.ndarray) -> list[np.ndarray]:
    """The arrays where they may be written into, else copies."""
    return [a if in_place and a.flags.carray else a.copy() for a in arrays]
