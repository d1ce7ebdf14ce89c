"""Where a layer's random numbers come from.

Without a seed they come from the generator that `tf.random.set_seed` starts. With one, a layer
has numbers of its own: others at every call, and the same in every run.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import replicas
from minitensor.backend.generator import generator


class SeedStream:
    """A layer's source of random numbers.

    Args:
        seed: None, or an integer.

    Attributes:
        calls: how often it was asked; with the seed it is the whole state.

    Raises:
        ValueError: a seed that is neither.
    """

    def __init__(self, seed: Any = None) -> None:
        self.seed, self.calls = checked(seed), 0

    def generator(self) -> np.random.Generator:
        """The generator for one call."""
        return generator(self.next_seed())

    def next_seed(self) -> int | None:
        """A seed for one call, another each time; None means the shared generator."""
        if self.seed is None:
            return None
        self.calls += 1
        here = replicas.shared()
        each = [] if here is None else [here.replica_id_in_sync_group]
        seeds = np.random.SeedSequence([self.seed % 2**64, self.calls, *each])
        return int(seeds.generate_state(1)[0])


def checked(seed: Any) -> int | None:
    """An integer or None; anything else is no seed."""
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int | np.integer)):
        raise ValueError(f"`seed` argument should be an integer or None. Received: seed={seed}")
    return None if seed is None else int(seed)
