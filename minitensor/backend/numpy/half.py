"""Half precision: compute in float32, round once at the end, as TensorFlow does."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from minitensor.backend.half import is_half


def in_float32(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Let `function` see float32 wherever it is given float16 or bfloat16 arrays."""

    @wraps(function)
    def widened(*args: Any) -> np.ndarray:
        halves = [a.dtype for a in args if isinstance(a, np.ndarray) and is_half(a.dtype)]
        if not halves:
            return function(*args)
        wide = [a.astype(np.float32) if getattr(a, "dtype", None) in halves else a for a in args]
        return function(*wide).astype(halves[0])

    return widened
