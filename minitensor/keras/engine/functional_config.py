"""Functional models as configs: every layer once, with the calls of it that the model is made of.

A tensor is written as [layer, which call of it, which output of that call]. Where it is an end of
the model and the layer is a functional model itself, Keras counts its calls from 1, else from 0.

    functional_config(model) -> {"name", "trainable", "layers", "input_layers", "output_layers"}
    functional_arguments(config) -> the arguments of Functional

The old form, in which Keras 2 wrote calls as lists, is read too.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from typing import Any

from minitensor.autograd.tree import flatten, map_structure
from minitensor.keras.engine.input_layer import InputLayer
from minitensor.keras.engine.keras_tensor import KerasTensor, Node
from minitensor.keras.serialization.memory_budget import charge_object
from minitensor.keras.serialization.objects import deserialize, serialize

Json = Any
Key = tuple[str, int]  # name of a layer, number of a call of it

# ----- writing -----


def functional_config(model: Any) -> Json:
    """What `Functional.get_config` gives."""
    calls = _numbered(model.nodes)
    end, written = (functools.partial(form, calls=calls) for form in (_end, _written))
    layers = []
    for layer in model.operations:
        inbound = [
            {
                "args": map_structure(written, layer._config_arguments(node)),
                "kwargs": map_structure(written, node.kwargs),
            }
            for node in calls
            if node.layer is layer and node.inputs
        ]
        layers.append({**layer._config_entry(), "name": layer.name, "inbound_nodes": inbound})
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": map_structure(end, model.input_structure),
        "output_layers": map_structure(end, model.output_structure),
    }


def _history(tensor: KerasTensor, calls: dict[Node, int]) -> list[Any]:
    """[layer, which call of it, which output of that call]"""
    node = tensor.node
    assert node is not None  # the model begins or ends with it
    which = [id(t) for t in node.tensors].index(id(tensor))
    return [node.layer.name, calls[node], which]


def _end(tensor: KerasTensor, calls: dict[Node, int]) -> Json:
    """An input or an output of the model; calls of functional models count from 1 there."""
    name, number, which = _history(tensor, calls)
    return [name, number + tensor.node.layer._first_call, which]  # type: ignore[union-attr]


def _written(value: Any, calls: dict[Node, int]) -> Json:
    """An argument of a call."""
    if inspect.isfunction(value) and isinstance(name := serialize(value), str):
        home = {"module": "builtins", "registered_name": "function"}  # as Keras writes its own
        return {**home, "class_name": "function", "config": name}
    if not isinstance(value, KerasTensor):
        return serialize(value)
    history = _history(value, calls)
    config = {"shape": value.shape, "dtype": value.dtype, "keras_history": history}
    return {"class_name": "__keras_tensor__", "config": config}


def _numbered(nodes: list[Node]) -> dict[Node, int]:
    """Each call and its number among the calls of its layer, in the order of drawing."""
    layers = {node.layer for node in nodes}
    place = {id(node): i for layer in layers for i, node in enumerate(layer._nodes)}
    found: dict[Node, int] = {}
    counts: dict[Any, int] = {}
    for node in sorted(nodes, key=lambda node: place[id(node)]):
        found[node] = counts.get(node.layer, 0)
        counts[node.layer] = found[node] + 1
    return found


# ----- reading -----


def functional_arguments(config: Json) -> dict[str, Any]:
    """Makes the layers of a config, calls them, and gives the arguments of `Functional`.

    Raises:
        ValueError: a layer stands twice, or a call needs a tensor that nothing makes.
    """
    drawing = _Drawing(config["layers"])
    return {
        "inputs": drawing.tensors(config["input_layers"]),
        "outputs": drawing.tensors(config["output_layers"]),
        "name": config.get("name"),
        "trainable": config.get("trainable", True),
    }


class _Drawing:
    """The layers of a config, and their calls, each made when it is first asked for."""

    def __init__(self, entries: Json) -> None:
        self.layers: dict[str, Any] = {}
        self.pending: dict[Key, Json] = {}
        self.made: dict[Key, list[KerasTensor]] = {}
        for entry in entries:
            name = entry.get("name") or entry["config"]["name"]
            if name in self.layers:
                raise ValueError(f"The name {name!r} is used twice in the model's config.")
            self.layers[name] = layer = _operation(entry) or deserialize(entry)
            if isinstance(layer, InputLayer):
                self.made[name, 0] = [layer.output]
            for number, call in enumerate(entry.get("inbound_nodes") or ()):
                self.pending[name, number] = _call(call)

    def tensors(self, value: Json) -> Any:
        """The tensors that ["dense", 0, 0] means, or lists or dictionaries of such."""
        if isinstance(value, dict):
            return {key: self.tensors(item) for key, item in value.items()}
        if _is_history(value):
            name, number, which = value
            first_call = getattr(self.layers.get(name), "_first_call", 0)
            return self.tensor([name, number - first_call, which])
        return [self.tensors(item) for item in value]

    def tensor(self, history: Json) -> KerasTensor:
        """The tensor of [layer, call, output]; makes all the calls that lead to it."""
        name, number, which = history[:3]
        self._ensure((name, number))
        found = self.made[name, number]
        if not 0 <= which < len(found):
            raise ValueError(f"The config asks for output {which} of {len(found)} of {name!r}.")
        return found[which]

    def _ensure(self, key: Key) -> None:
        """Makes a call after all those it needs, without recursion: a model may be deep."""
        waiting, open_calls = [key], set()
        while waiting:
            key = waiting[-1]
            if key in self.made:
                waiting.pop()
                continue
            if key not in self.pending:
                raise ValueError(f"The model's config lacks call {key[1]} of layer {key[0]!r}.")
            missing = [other for other in self._needed(key) if other not in self.made]
            if not missing:
                self._make(key)
            elif key in open_calls:
                raise ValueError(f"Layer {key[0]!r} of the config needs its own output.")
            open_calls.add(key)
            waiting.extend(missing)

    def _needed(self, key: Key) -> list[Key]:
        name, number = key
        before = [(name, number - 1)] if number else []
        return before + [(h[0], h[1]) for h in _histories(self.pending[key])]

    def _make(self, key: Key) -> None:
        charge_object()
        layer, call = self.layers[key[0]], self.pending[key]
        args, kwargs = self._value(call["args"]), self._value(call["kwargs"])
        taken = inspect.signature(getattr(layer, "call", layer)).parameters
        kwargs = {k: v for k, v in kwargs.items() if v is not None or k in taken}
        self.made[key] = flatten(layer(*args, **kwargs))

    def _value(self, value: Json) -> Any:
        if isinstance(value, list | tuple):
            return [self._value(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get("class_name") == "__keras_tensor__":
            return self.tensor(value["config"]["keras_history"])
        if value.get("class_name") == "function":
            return _function(value)
        if "class_name" in value:
            return deserialize(value)
        return {key: self._value(item) for key, item in value.items()}


def _operation(entry: Json) -> Any:
    """What an entry of a config stands for, if that is a function of keras.ops or of tf."""
    from minitensor.keras import ops

    return ops.operation_of(entry)


def _function(entry: Json) -> Any:
    """A function among the arguments of a call."""
    from minitensor.keras.ops.tf_function import function_named

    found = deserialize(entry)
    return function_named(found) if isinstance(found, str) else found


def _is_history(value: Json) -> bool:
    return len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int)


def _histories(value: Json) -> Iterator[Json]:
    """What every tensor in the arguments of a call is made by."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict) and item.get("class_name") == "__keras_tensor__":
            yield item["config"]["keras_history"]
        elif isinstance(item, dict | list | tuple):
            waiting.extend(item.values() if isinstance(item, dict) else item)


def _call(call: Json) -> Json:
    """A call in the form of Keras 3; Keras 2 wrote [[layer, call, output, kwargs], ...]."""
    if isinstance(call, dict):
        return {"args": call["args"], "kwargs": call["kwargs"]}
    tensors = [_old_tensor(item) for item in ([call] if _is_history(call) else call)]
    items = call if _is_history(call[0]) else [call]
    kwargs = {name: value for item in items if len(item) > 3 for name, value in item[3].items()}
    new = {k: _old_argument(v) for k, v in kwargs.items()}
    return {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": new}


def _old_argument(value: Json) -> Json:
    """["layer", 0, 0], also in a list, is a tensor."""
    if not isinstance(value, list):
        return value
    return _old_tensor(value) if _is_history(value) else [_old_argument(v) for v in value]


def _old_tensor(item: Json) -> Json:
    if item[0] == "_CONSTANT_VALUE":
        return item[2]
    return {"class_name": "__keras_tensor__", "config": {"keras_history": item[:3]}}
