"""Under which names Keras and TensorFlow keep the parts of an object in a checkpoint.

A module or a layer has the attributes that hold variables, or hold what has some; a list its
places; a dictionary its keys. What Keras calls otherwise than we do, or keeps in places of its own,
stands here.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Variable
from minitensor.keras.engine import Functional, Layer, Sequential
from minitensor.keras.optimizers import Optimizer
from minitensor.module import Module

_OURS = {  # what layers mention for themselves: nodes, lists of what other attributes hold
    *(
        "_weights",
        "_nodes",
        "_built_for",
        "_call_losses",
        "_given",
        "_structure",
        "_stack",
        "_symbolic",
    ),
    *("operations", "nodes", "inputs", "outputs", "input_structure", "output_structure"),
}
_STATE = ("_variables", "_trainable_variables", "_iterations", "_learning_rate")  # of an optimizer
_KERNEL_IN_PARTS = {"Conv1D", "Conv2D", "Conv3D", "Dense", "EinsumDense"}  # Keras: `_kernel`


def parts(thing: Any) -> dict[str, Any]:
    """The parts of an object by their names; those that hold nothing too."""
    if isinstance(thing, Variable):
        return {}
    if isinstance(thing, dict):
        return {str(key): value for key, value in thing.items() if may_be_saved(value)}
    if isinstance(thing, list | tuple):
        return {str(i): value for i, value in enumerate(thing) if may_be_saved(value)}
    if isinstance(thing, Optimizer):
        state = {name: getattr(thing, name) for name in _STATE}
        inner = {name: v for name, v in vars(thing).items() if isinstance(v, Optimizer)}
        return {name: v for name, v in state.items() if may_be_saved(v)} | inner
    if hasattr(thing, "_trackable_children"):
        return thing._trackable_children()  # type: ignore[no-any-return]
    found = {k: v for k, v in vars(thing).items() if k not in _OURS and may_be_saved(v)}
    if isinstance(thing, Functional):
        found["_operations"] = list(thing.operations)
    if isinstance(thing, Sequential) and thing._symbolic:
        found["_functional"] = {"_operations": [None, *thing._stack]}  # its input has no weights
    if _KERNEL_IN_PARTS.intersection(cls.__name__ for cls in type(thing).__mro__):
        found = {"_kernel" if k == "kernel" else k: value for k, value in found.items()}
    return found


def may_be_saved(thing: Any) -> bool:
    """Whether it is, or may hold, something with a value."""
    kinds = (Variable, Layer, Optimizer, Module, list, tuple, dict)
    return isinstance(thing, kinds) or hasattr(thing, "_trackable_children")


def part(thing: Any, name: str, found: dict[str, Any]) -> Any:
    """Among the parts of an object that of this name, or what old files call so; or None."""
    if name in found:
        return found[name]
    if name == "kernel":
        return found.get("_kernel")
    head, _, index = name.partition("-")
    if index.isdecimal() and len(index) < 9:  # Keras 2: "layer-3", "layer_with_weights-1"
        layers = _layers(thing)
        if head == "layer_with_weights":
            layers = [layer for layer in layers if layer is not None and layer.weights]
        if head in ("layer", "layer_with_weights") and int(index) < len(layers):
            return layers[int(index)]
    return None


def _layers(thing: Any) -> list[Any]:
    if isinstance(thing, Sequential):
        return ([None] if thing._symbolic else []) + thing.layers
    return thing.layers if isinstance(thing, Functional) else []
