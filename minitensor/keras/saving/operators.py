"""Operators between drawn tensors (+, -, *, /), which Keras writes as operations, not as layers.

    {"module": "keras.src.ops.numpy", "class_name": "Multiply", "config": {"name": "multiply"}}

with both sides among the arguments of the call. Ours are layers that keep a constant side.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minitensor.keras.engine.node import KerasTensor, Node
from minitensor.keras.layers.operators import Arithmetic

Json = Any

_MODULE = "keras.src.ops.numpy"
_OPERATIONS = {
    "Add": "add",
    "Subtract": "subtract",
    "Multiply": "multiply",
    "Divide": "divide",
    "TrueDivide": "divide",
}


def described(layer: Any) -> Json:
    """An operator as Keras describes it; None for any other layer."""
    if not isinstance(layer, Arithmetic):
        return None
    name = layer.operation.capitalize()
    return {
        "module": _MODULE,
        "class_name": name,
        "config": {"name": layer.name},
        "registered_name": name,
    }


def sides(node: Node) -> tuple[Any, ...]:
    """The arguments of a call as Keras writes them: both sides of an operator."""
    layer = node.layer
    if not isinstance(layer, Arithmetic):
        return node.args
    both = list(node.args[0]) if layer.constant is None else [node.args[0], layer.constant]
    return tuple(reversed(both) if layer.reverse else both)


def operator(entry: Json) -> Callable[[Any, Any], KerasTensor] | None:
    """What an entry of a config does to two sides; None if it is no operator."""
    operation = _OPERATIONS.get(entry["class_name"])
    if operation is None or entry.get("module") != _MODULE:
        return None
    return functools.partial(KerasTensor.operate, operation)
