"""Updates of weights: each reads a weight, its state and its gradient, and returns new ones.

They are of one shape and dtype; what they are called is what Keras and the papers call them.
"""

from __future__ import annotations

import numpy as np

from minitensor.backend.half import in_float32


@in_float32
def sgd_momentum(
    weight: np.ndarray,
    velocity: np.ndarray,
    gradient: np.ndarray,
    rate: float,
    momentum: float,
    nesterov: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """velocity = momentum * velocity - rate * gradient; weight += velocity.

    With `nesterov` it looks one step ahead: weight += momentum * velocity - rate * gradient.

    Source: tf.keras.optimizers.SGD; Sutskever et al. 2013
    """
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
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, weight -= size * m / (sqrt(v) + epsilon).

    size = rate * sqrt(1 - b2^step) / (1 - b1^step), where `step` counts this one too

    Source: tf.keras.optimizers.Adam; Kingma and Ba 2015, end of section 2
    """
    size = rate * (1 - beta_2**step) ** 0.5 / (1 - beta_1**step)
    m = beta_1 * m + (1 - beta_1) * gradient
    v = beta_2 * v + (1 - beta_2) * np.square(gradient)
    return weight - size * m / (np.sqrt(v) + epsilon), m, v
