"""Where a layer's random numbers come from.

Without a seed they come from the generator that `tf.random.set_seed` starts. With one, a layer
has numbers of its own: others at every call, and the same in every run.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.backend.generator import generator
from minitensor.keras.layers.settings import is_integer


class Chance:
    """A layer's source of random numbers.

    Args:
        seed: None, or an integer.

    Attributes:
        calls: how often it was asked; with the seed it is the whole state.

    Raises:
        ValueError: a seed that is neither.
    """

    def __init__(self, seed: Any = None) -> None:
        if seed is not None and not is_integer(seed):
            raise ValueError(f"`seed` argument should be an integer or None. Received: seed={seed}")
        self.seed, self.calls = seed, 0

    def generator(self) -> np.random.Generator:
        """The generator for one call."""
        return generator(self.next_seed())

    def next_seed(self) -> int | None:
        """A seed for one call, another each time; None means the shared generator."""
        if self.seed is None:
            return None
        self.calls += 1
        return int(np.random.SeedSequence([self.seed, self.calls]).generate_state(1)[0])
