"""The one random generator: every draw without a seed of its own comes from here.

`minitensor.random` and `nn.dropout` share it, so that `set_seed` makes a whole program repeatable.
Draws are made by NumPy and then moved to the backend that needs them: the numbers do not depend on
the device.
"""

from __future__ import annotations

import numpy as np

_shared: np.random.Generator | None = None  # made by the first draw: numpy.random is slow to import


def generator(seed: int | None = None) -> np.random.Generator:
    """The shared generator; with a seed, a fresh one that starts the same way every time."""
    global _shared
    if seed is not None:
        return np.random.default_rng(seed)
    if _shared is None:
        _shared = np.random.default_rng()
    return _shared


def set_seed(seed: int) -> None:
    """Starts the shared generator anew, at a place that `seed` decides."""
    global _shared
    _shared = np.random.default_rng(seed)
