"""Arrays of the emulator: NumPy arrays that say where they belong.

The mark is the type; memory and arithmetic are NumPy's. The door of `minitensor.backend` sends ops
on such arrays to the kernels, run on this CPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class Array(np.ndarray):
    """A NumPy array whose windowed ops run as CUDA kernels on the emulator."""

    __slots__ = ()


def marked(value: Any, dtype: Any = None) -> Array:
    """`value` as an array of the emulator, sharing its memory where possible."""
    return np.asarray(value, dtype=dtype).view(Array)
