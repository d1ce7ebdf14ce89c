"""Models that are made from models in memory: fresh copies, and from Keras and to Keras."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd.tree import flatten, map_structure
from minitensor.keras.engine import Functional, Input, Layer, Sequential
from minitensor.keras.engine.input_layer import InputLayer
from minitensor.keras.engine.keras_tensor import KerasTensor
from minitensor.keras.engine.weight import path_of
from minitensor.keras.saving.architecture import model_from_config, model_to_config, parse_json
from minitensor.keras.saving.stored_weights import StoredWeight, assign_all
from minitensor.keras.serialization.registry import Objects, custom_object_scope

Clone = Callable[[Layer], Layer]


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Clone | None = None,
    call_function: Any = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A model of new layers like those of `model`.

    Args:
        model: a Sequential, or functional.
        input_tensors: symbolic tensors to draw it from; default new ones.
        clone_function: gives the copy of a layer; default one made from its config.
        call_function: (layer, *args, **kwargs) -> what a copied layer gives; default it is called.
        recursive: whether models inside are taken apart, too, for `clone_function`.
        kwargs: none.

    Raises:
        ValueError: a subclassed model.

    Example:
        >>> import minitensor as tf
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(3)])
        >>> tf.keras.models.clone_model(model).count_params()
        9

    Source: keras.models.clone_model
    """
    if kwargs:
        raise ValueError(f"Unexpected keyword argument(s): {sorted(kwargs)}")
    if not isinstance(model, Functional | Sequential):
        raise ValueError(
            f"Expected `model` argument to be a Sequential or functional model, but got {model}: "
            "make a subclassed one by its class"
        )

    def copy(layer: Layer) -> Layer:
        if recursive and isinstance(layer, Functional | Sequential):
            return clone_model(layer, clone_function=clone_function, recursive=True)
        return (clone_function or copied)(layer)

    if isinstance(model, Sequential):
        return _sequential(model, input_tensors, copy)
    return _functional(model, input_tensors, copy, call_function)


def copied(layer: Layer) -> Layer:
    """A new layer with the settings of another; functions without names stay what they are."""
    if isinstance(layer, Functional | Sequential):
        return clone_model(layer)
    try:
        return type(layer).from_config(layer.get_config())
    except TypeError:  # a lambda, which no config can hold
        return type(layer)(**layer._given | {"name": layer.name})


def _sequential(model: Sequential, inputs: Any, copy: Clone) -> Sequential:
    start = [t for t in flatten(inputs) if t is not None]
    if not start and model._symbolic:
        start = [_input(model.inputs[0])]
    return Sequential([*start, *(copy(layer) for layer in model.layers)], name=model.name)


def _functional(model: Functional, inputs: Any, copy: Clone, call: Any) -> Functional:
    given = map_structure(_input, model.input_structure) if inputs is None else inputs
    copies = {layer: copy(layer) for layer in model.layers if not isinstance(layer, InputLayer)}
    copies |= {x: copied(x) for x in model.operations if not isinstance(x, Layer)}

    def apply(layer: Layer, args: Any, kwargs: Any) -> Any:
        new = copies[layer]
        return new(*args, **kwargs) if call is None else call(new, *args, **kwargs)

    outputs = model._run(flatten(given), apply)
    return Functional(given, outputs, name=model.name, trainable=model.trainable)


def _input(tensor: KerasTensor) -> KerasTensor:
    name = tensor.node.layer.name if tensor.node is not None else None
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)


# ----- Keras' own models, in memory; Keras itself is never imported -----


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
        >>> import minitensor as tf  # and tf.keras stands for Keras itself
        >>> theirs = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(3)])
        >>> ours = tf.keras.saving.from_keras(theirs)
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
        ours = model_from_config(parse_json(model.to_json()))
    values = [np.asarray(value) for value in model.get_weights()]
    if len(values) != len(ours.weights):
        raise ValueError(f"Keras' model has {len(values)} weights, ours {len(ours.weights)}")
    pairs = zip(ours.weights, values, strict=True)
    assign_all([StoredWeight(path_of(w), w, v.shape, v.dtype, v.copy) for w, v in pairs], False)
    return ours


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
        >>> import minitensor as tf  # and tf.keras stands for Keras itself
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(3)])
        >>> tf.keras.saving.to_keras(model, tf.keras).count_params()
        9

    Source: keras.models.clone_model
    """
    theirs = keras.models.model_from_json(json.dumps(model_to_config(model, False)))
    theirs.set_weights(model.get_weights())
    return theirs
