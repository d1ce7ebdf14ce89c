"""The mirror of keras.activations: functions of a tensor by name.

What they compute is in functions.py, how a name becomes one of them here.

Source of all: keras.activations, by the same names, and the papers named.
"""

from __future__ import annotations

import inspect
from typing import Any

from minitensor import symbolic
from minitensor.docstrings import examples_of
from minitensor.keras.activations import functions
from minitensor.keras.activations.functions import *
from minitensor.keras.serialization import identifiers, objects

example = examples_of("tf.keras.activations", "")
symbolic.install(globals(), but=("linear",))
_FUNCTIONS = [thing for thing in vars().values() if inspect.isfunction(thing)]  # imported above
swish, hard_swish = functions.silu, functions.hard_silu
_KNOWN = identifiers.table(*_FUNCTIONS, swish=swish, hard_swish=hard_swish)


@example('get("relu")([-1.0, 2.0]).numpy()', "[0., 2.]")
def get(identifier: Any) -> Any:
    """The function that a name or a config stands for; None is `linear`.

    Raises:
        ValueError: there is none of this name.
    """
    if identifier is None:
        return functions.linear
    return identifiers.resolve("activation function", _KNOWN, identifier)


@example("serialize(tf.keras.activations.swish)", "'silu'")
def serialize(activation: Any) -> Any:
    """The name of one of these functions, the config of another."""
    name = getattr(activation, "__name__", "")
    return name if _KNOWN.get(name) is activation else objects.serialize(activation)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The function of a name or a config."""
    return identifiers.resolve("activation function", _KNOWN | (custom_objects or {}), config)
