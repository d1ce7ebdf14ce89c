"""The mirror of keras.random: draws that repeat themselves with a seed.

A seed of its own makes a call give the same every time; a SeedGenerator makes a row of calls
repeatable; without either, `keras.utils.set_random_seed` decides.

Source of all: keras.random, by the same names.
"""

from __future__ import annotations

from typing import Any

from minitensor import nn
from minitensor import random as draws
from minitensor.array import transpose
from minitensor.autograd import Tensor, as_tensor
from minitensor.backend.generator import generator
from minitensor.keras.engine import defaults
from minitensor.keras.serialization.config import Configurable

__all__ = [
    "SeedGenerator", "dropout", "normal", "randint", "shuffle", "truncated_normal", "uniform",
]  # fmt: skip


class SeedGenerator(Configurable):
    """A row of seeds.

    Args:
        seed: where it starts; None draws it.
        name: kept.

    Example:
        >>> import minitensor as tf
        >>> one, other = tf.keras.random.SeedGenerator(5), tf.keras.random.SeedGenerator(5)
        >>> [one.next(), one.next()] == [other.next(), other.next()]
        True
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        if seed is not None and not isinstance(seed, int):
            raise ValueError(f"Argument `seed` must be an integer. Received: seed={seed}")
        self.name = name or "seed_generator"
        start = int(generator().integers(2**31)) if seed is None else seed
        self._seeds = generator(start)

    def next(self, ordered: bool = True) -> int:
        """The next seed."""
        return int(self._seeds.integers(2**31))


def _seed(seed: Any) -> int | None:
    return seed.next() if isinstance(seed, SeedGenerator) else seed


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Gaussian numbers."""
    return draws.normal(shape, mean, stddev, dtype or defaults.floatx(), _seed(seed))


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Gaussian numbers within two standard deviations."""
    return draws.truncated_normal(shape, mean, stddev, dtype or defaults.floatx(), _seed(seed))


def uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Numbers from minval on and below maxval."""
    return draws.uniform(shape, minval, maxval, dtype or defaults.floatx(), _seed(seed))


def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Integers from minval on and below maxval."""
    return draws.uniform(shape, minval, maxval, dtype, _seed(seed))


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """The slices along an axis in a random order."""
    tensor = as_tensor(x)
    order = list(range(tensor.ndim))
    order[0], order[axis] = order[axis], order[0]
    return transpose(draws.shuffle(transpose(tensor, order), _seed(seed)), order)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """Numbers at random as 0, the others larger."""
    return nn.dropout(inputs, rate, noise_shape, _seed(seed))
