"""How values go into variables: a gradient that fits, a setting in a variable's type."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.array import cast
from minitensor.autograd import Tensor, Variable, as_tensor


def put(variable: Variable, value: Tensor) -> None:
    """Assigns what was just computed: nobody else holds it, so it is not copied."""
    variable.array = value.array


def rounded(value: float, like: Variable) -> float:
    """A setting in the variable's type, float32 at least: Keras rounds first and computes then."""
    kind = np.dtype(np.float32) if like.dtype.itemsize < 4 else like.dtype
    return float(kind.type(value))


def fitting(gradient: Any, variable: Variable) -> Tensor:
    """The gradient in the variable's type; a ValueError if it has another shape."""
    g = as_tensor(gradient, None, "gradient", variable)
    if g.shape != variable.shape:
        raise ValueError(
            f"The gradient of {variable.name} has shape {g.shape}, the variable {variable.shape}; "
            "they must be equal"
        )
    return g if g.dtype == variable.dtype else cast(g, variable.dtype)
