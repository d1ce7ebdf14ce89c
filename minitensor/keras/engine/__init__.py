"""What layers and models are made of.

settings.py       the float type and the data format that layers start from
weight.py         a variable that belongs to a layer
tree.py           tensors inside lists and dictionaries
context.py        what one call tells the calls inside it
notes.py          what is known about a tensor beside its values
chance.py         where a layer's random numbers come from
owner.py          what has weights, and others like it inside
calling.py        how arguments are read, shapes checked and found
node.py           a symbolic tensor, and the call that made it
layer.py          Layer: building and calling
symbolic.py       Input, where a drawn model begins
graph.py          the order in which the layers of a drawn model run
model.py          Model: a layer that can be trained, saved and described
functional.py     a model drawn with Input
functional_config.py   the same, as JSON values
sequential.py     a model that is a list
"""

from minitensor.keras.engine.functional import Functional
from minitensor.keras.engine.layer import InputSpec, Layer
from minitensor.keras.engine.model import Model
from minitensor.keras.engine.sequential import Sequential
from minitensor.keras.engine.symbolic import Input, InputLayer, KerasTensor
from minitensor.keras.engine.weight import Weight

__all__ = [
    "Functional",
    "Input",
    "InputLayer",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Model",
    "Sequential",
    "Weight",
]
