"""Functions of keras.activations as operations: what they become on symbolic tensors, as in Keras.

Most are functions of keras.ops; two are operations of their own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from minitensor.autograd import Tensor
from minitensor.keras import activations
from minitensor.keras.ops.table import Operand, operation


@operation
def relu(
    x: Operand, negative_slope: float = 0.0, max_value: Any = None, threshold: float = 0.0
) -> Tensor:
    """A bent line. Source: keras.activations.relu"""
    return activations.relu(x, negative_slope, max_value, threshold)


@operation
def mish(x: Operand) -> Tensor:
    """x tanh(softplus(x)). Source: keras.activations.mish"""
    return activations.mish(x)


def operation_for(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """What makes the operation of a function of keras.activations; None of any other."""
    if not function.__module__.startswith(activations.__name__):
        return None
    from minitensor.keras import ops

    own = {"exponential": ops.exp, "mish": mish, "relu": relu}
    known = own.get(function.__name__) or getattr(ops, function.__name__)

    def drawn(*args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.apply_defaults()  # which are others in keras.ops
        return known(*bound.args, **bound.kwargs)

    return drawn
