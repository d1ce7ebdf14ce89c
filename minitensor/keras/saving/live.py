"""Models that are in memory, from Keras and to Keras. Keras itself is never imported."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from minitensor.keras.engine.weight import path_of
from minitensor.keras.saving.architecture import described, made, parsed
from minitensor.keras.saving.pairs import Pair, fill
from minitensor.keras.serialization.registry import Objects, custom_object_scope


def from_keras(model: Any, custom_objects: Objects | None = None) -> Any:
    """A model of ours like a model of Keras: its layers, and a copy of its weights.

    Args:
        model: a Sequential or functional model of keras or tf.keras.
        custom_objects: {name: class or function} of ours for what is the program's own in it.

    Returns:
        The model, not compiled.

    Raises:
        ValueError: a subclassed model, or layers that we have not.

    Example:
        >>> from minitensor import keras  # in place of Keras itself
        >>> theirs = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> ours = from_keras(theirs)
        >>> bool((ours.get_weights()[0] == theirs.get_weights()[0]).all())
        True

    Source: keras.models.clone_model
    """
    if type(model).__name__ not in ("Functional", "Sequential"):
        raise ValueError(
            f"from_keras: {type(model).__name__} is subclassed; what it does is Python code. Make "
            "it by a class of ours, and give that the weights: set_weights(model.get_weights())"
        )
    with custom_object_scope(custom_objects or {}):
        ours = made(parsed(model.to_json()))
    values = [np.asarray(value) for value in model.get_weights()]
    if len(values) != len(ours.weights):
        raise ValueError(f"Keras' model has {len(values)} weights, ours {len(ours.weights)}")
    fill([_pair(w, value) for w, value in zip(ours.weights, values, strict=True)], False)
    return ours


def _pair(variable: Any, value: np.ndarray) -> Pair:
    return Pair(path_of(variable), variable, value.shape, value.dtype, value.copy)


def to_keras(model: Any, keras: Any) -> Any:
    """A model of Keras like ours: its layers, and a copy of its weights.

    Args:
        model: ours, Sequential or functional.
        keras: the module keras, or tf.keras.

    Returns:
        The model, not compiled.

    Raises:
        ValueError: a subclassed model.

    Example:
        >>> from minitensor import keras  # in place of Keras itself
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> to_keras(model, keras).count_params()
        9

    Source: keras.models.clone_model
    """
    theirs = keras.models.model_from_json(json.dumps(described(model, False)))
    theirs.set_weights(model.get_weights())
    return theirs
