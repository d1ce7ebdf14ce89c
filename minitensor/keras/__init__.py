"""The mirror of tf.keras: layers, models, and all that trains, saves and describes them.

    engine/          Layer, Model, Sequential, Input: what everything is made of
    layers/          the layers; applications/ the networks of ImageNet
    activations/, initializers/, regularizers.py, constraints.py, losses/, metrics/, optimizers/
    training/        compile, fit, evaluate, predict; callbacks/ what they call
    serialization/   objects as JSON values; saving/ weights and models as files
    summary/         the table and the picture of a model
    ops/             functions of tensors, symbolic ones too
    mixed_precision.py, dtype_policies.py  the types that layers compute in
    datasets/, preprocessing/, utils/, config.py, backend.py, random.py, tree.py, models.py

Names, arguments, their order and their defaults are Keras 3's.
"""

import functools
import importlib
from typing import Any

from minitensor.keras.engine import (
    Functional,
    Input,
    KerasTensor,
    Layer,
    Model,
    Operation,
    Sequential,
)
from minitensor.keras.engine.dtype_policy import DTypePolicy
from minitensor.keras.engine.input_layer import InputLayer
from minitensor.keras.engine.weight import Weight as Variable
from minitensor.keras.serialization import registry
from minitensor.missing import refused

_MODULES = (
    *("activations", "applications", "backend", "callbacks", "config", "constraints", "datasets"),
    *("dtype_policies", "initializers", "layers", "losses", "metrics", "mixed_precision"),
    *("models", "ops", "optimizers"),
    *("preprocessing", "random", "regularizers", "saving", "tree", "utils"),
)
_NAMED_IN_FILES = (  # in the order in which a name without its module is looked up
    *("layers", "models", "initializers", "regularizers", "constraints"),
    *("optimizers.schedules", "optimizers", "losses", "metrics", "dtype_policies"),
)
registry.add_rooms(
    {
        room: functools.partial(importlib.import_module, f"minitensor.keras.{room}")
        for room in _NAMED_IN_FILES
    },
    {
        Layer: "keras.layers",
        InputLayer: "keras.layers",
        Model: "keras",
        Sequential: "keras",
        Functional: "keras.src.models.functional",
        DTypePolicy: "keras",
    },
)

_CLASSES = (
    *("Functional", "Input", "KerasTensor", "Layer", "Model", "Operation", "Sequential"),
    *("DTypePolicy", "FloatDTypePolicy", "Variable"),
)
FloatDTypePolicy = DTypePolicy


__all__ = [*_CLASSES, "Function", "from_keras", *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"minitensor.keras.{name}")
    if name == "Function":
        return importlib.import_module("minitensor.keras.engine.function").Function
    if name == "from_keras":
        return importlib.import_module("minitensor.keras.saving").from_keras
    raise refused("tf.keras", name, __all__)
