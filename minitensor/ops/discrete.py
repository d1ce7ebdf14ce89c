"""Functions of arrays that have no derivative: bits, divisors, orders, counts.

They are NumPy's own, by name; what they mean to a user is said where they are called.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import primitive
from minitensor.backend.protocol import Backend


@primitive
def discrete(be: Backend, *xs: Any, function: str, **settings: Any) -> Any:
    """NumPy's `function` of the arrays, which has one result."""
    return getattr(be.xp, function)(*xs, **settings)
