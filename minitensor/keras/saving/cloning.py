"""Copies of models: the same layers, drawn again, with fresh weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.autograd.tree import flatten, map_structure
from minitensor.keras.engine import Functional, Input, Layer, Sequential
from minitensor.keras.engine.input_layer import InputLayer
from minitensor.keras.engine.keras_tensor import KerasTensor

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
        >>> from minitensor import keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> clone_model(model).count_params()
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
    copy = _recursive(clone_function) if recursive else clone_function or copied
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


def _recursive(clone_function: Clone | None) -> Clone:
    def copy(layer: Layer) -> Layer:
        if isinstance(layer, Functional | Sequential):
            return clone_model(layer, clone_function=clone_function, recursive=True)
        return (clone_function or copied)(layer)

    return copy


def _sequential(model: Sequential, inputs: Any, copy: Clone) -> Sequential:
    start = [t for t in flatten(inputs) if t is not None]
    if not start and model._symbolic:
        start = [_input(model.inputs[0])]
    return Sequential([*start, *(copy(layer) for layer in model.layers)], name=model.name)


def _functional(model: Functional, inputs: Any, copy: Clone, call: Any) -> Functional:
    given = map_structure(_input, model.input_structure) if inputs is None else inputs
    copies = {layer: copy(layer) for layer in model.layers if not isinstance(layer, InputLayer)}

    def apply(layer: Layer, args: Any, kwargs: Any) -> Any:
        new = copies[layer]
        return new(*args, **kwargs) if call is None else call(new, *args, **kwargs)

    outputs = model._run(flatten(given), apply)
    return Functional(given, outputs, name=model.name, trainable=model.trainable)


def _input(tensor: KerasTensor) -> KerasTensor:
    name = tensor.node.layer.name if tensor.node is not None else None
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)
