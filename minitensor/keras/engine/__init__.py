"""What layers and models are made of.

defaults.py           the float type and the data format that layers start from
dtype_policy.py       the types in which a layer computes and keeps its weights
annotations.py        what is known about a tensor beside its values
seed_stream.py        where a layer's random numbers come from
weight.py             a variable that belongs to a layer
keras_tensor.py       a tensor without values, and the call that made it
operation.py          a function without weights that may stand in a model
calling.py            a call: how arguments are read, shapes checked and found
weight_container.py   what has weights, and others like it inside
layer.py              Layer: building and calling
masking.py            masks of tensors, and how calls hand them on
input_layer.py        Input, where a functional model begins
model.py              Model: a layer that can be trained, saved and described
functional.py         a model of the calls between symbolic tensors
    function.py           such calls as a function, which cannot be trained
functional_config.py  the same, as JSON values
sequential.py         a model that is a list
"""

from minitensor.keras.engine.functional import Functional
from minitensor.keras.engine.input_layer import Input, InputLayer, KerasTensor
from minitensor.keras.engine.layer import InputSpec, Layer
from minitensor.keras.engine.model import Model
from minitensor.keras.engine.operation import Operation
from minitensor.keras.engine.sequential import Sequential
from minitensor.keras.engine.weight import Weight

__all__ = [
    "Functional",
    "Input",
    "InputLayer",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Model",
    "Operation",
    "Sequential",
    "Weight",
]
