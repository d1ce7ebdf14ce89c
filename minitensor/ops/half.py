"""Half precision for compositions: computed in float32, rounded once at the end."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd import Tensor
from minitensor.backend.half import is_half
from minitensor.ops import math


def rounded_once(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Lets a function of tensors see float32 wherever it is given float16 or bfloat16."""

    @functools.wraps(function)
    def widened(*inputs: Tensor, **settings: Any) -> Tensor:
        half = next((x.dtype for x in inputs if is_half(x.dtype)), None)
        if half is None:
            return function(*inputs, **settings)
        full = [math.cast(x, dtype=np.float32) if x.dtype == half else x for x in inputs]
        return math.cast(function(*full, **settings), dtype=half)

    return widened
