"""The old HDF5 form, of Keras 1 and 2: a group for each layer, under the layer's own name.

    attribute layer_names        [b"conv2d", ...]
    conv2d: weight_names         [b"conv2d/kernel", ...], and the datasets of these names

In a file that holds a whole model this lies in `model_weights`, beside the attributes
`model_config` and `training_config`, which are JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from minitensor.autograd import Variable
from minitensor.keras.engine.layer import Layer
from minitensor.keras.engine.weight import path_of
from minitensor.keras.saving import architecture
from minitensor.keras.saving.hdf5 import Dataset, Group
from minitensor.keras.saving.stored_weights import StoredWeight, assign_all, raise_or_warn
from minitensor.keras.saving.weight_paths import weights_by_path

_LONGEST = 64000  # bytes of one attribute; HDF5 has room for little more
VERSION = "3.15.1"  # of Keras, whose form this is


def is_legacy(root: Group) -> bool:
    """Whether a file is in the old form."""
    return "model_weights" in root or bool(_texts(root, "layer_names"))


# ----- writing -----


def write_model(file: BinaryIO, model: Any, with_optimizer: bool) -> None:
    """Writes a whole model."""
    import h5py

    if not model._has_architecture:
        raise ValueError(
            f"{model.name} is a subclassed model ({type(model).__name__}): what it does is Python "
            "code, which an .h5 file cannot name. Save it as .keras, or its weights alone."
        )
    config = architecture.model_to_config(model)
    training = config.pop("compile_config", None)
    with h5py.File(file, "w") as inner:
        inner.attrs["model_config"] = architecture.json_text(config)
        inner.attrs["backend"], inner.attrs["keras_version"] = "tensorflow", VERSION
        write(inner.create_group("model_weights"), model)
        if with_optimizer and training is not None:
            training["optimizer_config"] = training.pop("optimizer")
            inner.attrs["training_config"] = json.dumps(training)
            state = model.optimizer.variables
            paths = {id(v): v.path for v in state}
            _write_weights(inner.create_group("optimizer_weights"), state, paths)


def write(group: Any, model: Any) -> None:
    """Writes the weights of a model into an h5py group."""
    names = {id(v): f"{model.name}/{name}" for name, v in weights_by_path(model).items()}
    layers = dict.fromkeys(model.layers)
    _write_texts(group, "layer_names", [layer.name for layer in layers])
    group.attrs["backend"], group.attrs["keras_version"] = "tensorflow", VERSION
    for layer in layers:
        _write_weights(group.create_group(layer.name), _in_order(layer.weights), names)
    _write_weights(group.create_group("top_level_model_weights"), model.own_variables, names)


def _write_weights(group: Any, variables: Sequence[Variable], names: dict[int, str]) -> None:
    _write_texts(group, "weight_names", [names[id(v)] for v in variables])
    for variable in variables:
        group[names[id(variable)]] = variable.numpy()


def _write_texts(group: Any, name: str, texts: list[str]) -> None:
    """A list of texts as an attribute, or as several if it is too long for one."""
    data = np.asarray([text.encode() for text in texts])
    parts = -(-data.nbytes // _LONGEST) or 1
    if parts == 1:
        group.attrs[name] = data
        return
    for i, part in enumerate(np.array_split(data, parts + 1)):
        group.attrs[f"{name}{i}"] = part


def _in_order(weights: Sequence[Variable]) -> list[Variable]:
    """What training changes first, as old files have it."""
    return sorted(weights, key=lambda v: not v.trainable)


# ----- reading -----


def read(root: Group, model: Any, skip_mismatch: bool, by_name: bool) -> None:
    """Gives layers, found `by_name` or by their order, the weights of an old file, all or none."""
    group = root.group("model_weights") if "model_weights" in root else root
    stored = {name: _weights(group.group(name)) for name in _texts(group, "layer_names")}
    if by_name:
        found = [(layer, layer.name) for layer in model.layers if layer.name in stored]
    else:
        found = _by_order(model, stored)
    pairs: list[StoredWeight] = []
    for layer, name in found:
        pairs += _pairs(_in_order(layer.weights), stored[name], layer.name, name, skip_mismatch)
    if "top_level_model_weights" in group and not by_name:
        extra = _weights(group.group("top_level_model_weights"))
        pairs += _pairs(model.own_variables, extra, model.name, "top level", skip_mismatch)
    assign_all(pairs, skip_mismatch)


def read_model(root: Group, compile_it: bool) -> Any:
    """Makes the model that an HDF5 file holds; a ValueError if it holds only weights."""
    config = _json(root, "model_config")
    if config is None:
        raise ValueError("No model config found in the file: it holds only weights.")
    model = architecture.model_from_config(config, root.nbytes)
    read(root, model, False, False)
    training = _json(root, "training_config") if compile_it else None
    if training is not None:
        training["optimizer"] = training.pop("optimizer_config", None)
        architecture.compile_again(model, training)
        _read_optimizer(root, model.optimizer)
    return model


def _read_optimizer(root: Group, optimizer: Any) -> None:
    """Gives an optimizer, built already, the state in the file if it is of the same form."""
    if "optimizer_weights" not in root:
        return
    stored, variables = _weights(root.group("optimizer_weights")), optimizer.variables
    pairs = _pairs(variables, stored, optimizer.name, "optimizer", True) if stored else []
    if any(pair.mismatch() for pair in pairs):
        problem = f"the state of optimizer '{optimizer.name}' has other shapes in the file"
        raise_or_warn(problem, skip_mismatch=True)
    else:
        assign_all(pairs, False)


def _by_order(model: Any, stored: dict[str, list[Dataset]]) -> list[tuple[Layer, str]]:
    layers = [layer for layer in dict.fromkeys(model.layers) if layer.weights]
    names = [name for name, data in stored.items() if data]
    if len(layers) != len(names):
        raise ValueError(
            "Layer count mismatch when loading weights from file. "
            f"Model expected {len(layers)} layers, found {len(names)} saved layers."
        )
    return list(zip(layers, names, strict=True))


def _pairs(
    variables: Sequence[Variable], stored: list[Dataset], layer: str, name: str, skip: bool
) -> list[StoredWeight]:
    if len(variables) != len(stored):
        raise_or_warn(
            f"Weight count mismatch for layer '{layer}' ({name!r} in the file): it expects "
            f"{len(variables)} weight(s), the file has {len(stored)}",
            skip,
        )
        return []
    return [StoredWeight.of(path_of(v), v, data) for v, data in zip(variables, stored, strict=True)]


def _weights(group: Group) -> list[Dataset]:
    return [group.dataset(name) for name in _texts(group, "weight_names")]


def _texts(group: Group, name: str) -> list[str]:
    """A list of texts, which may be in several attributes."""
    attributes, number = group.attributes, 0
    found = list(attributes.get(name, ()))
    while f"{name}{number}" in attributes:
        found += list(attributes[f"{name}{number}"])
        number += 1
    if len(set(found)) != len(found) or not all(isinstance(text, str) for text in found):
        raise ValueError(f"damaged: the attribute {name} must be a list of different texts")
    return found


def _json(root: Group, name: str) -> Any:
    """One of the attributes that are JSON; None if it is not there."""
    text = root.attributes.get(name)
    return None if text is None else architecture.parse_json(text)
