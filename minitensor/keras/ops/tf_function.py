"""A function of tf.* as an operation of a model: what `tf.nn.relu(keras.Input((3,)))` makes.

Keras 2 had it under this name. A file holds the function's dotted name, which is looked up among
the public functions of tensors alone.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any, Self

from minitensor.keras.engine.operation import Operation
from minitensor.keras.serialization import names, registry

_ROOMS = ("nn", "math", "linalg", "image")


class TFOpLambda(Operation):
    """y = function(x, ...), a function of tf.*.

    Args:
        function: its dotted name, "math.reduce_mean".
        name: default "tf.math.reduce_mean", with a number from the second one on.

    Raises:
        ValueError: there is no such function of tensors.

    Example:
        >>> import minitensor as tf
        >>> y = tf.reduce_mean(tf.keras.Input((4, 3)), axis=1)
        >>> y.shape, y.node.layer.get_config()["function"]
        ((None, 3), 'reduce_mean')

    Source: tf.keras 2, TFOpLambda
    """

    def __init__(self, function: str, name: str | None = None) -> None:
        self.function = _found(function)
        self.divides = self.function.__name__ in ("floordiv", "floormod", "mod")
        super().__init__(name or names.fresh(f"tf.{function}"))

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Self:
        """The operation of a public function."""
        name = function.__name__
        if vars(_top()).get(name) is function:
            return cls(name)
        return cls(f"{function.__module__.split('.')[1]}.{name}")

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The function of these arguments."""
        return self.function(*args, **kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The operation that a config describes, also one of Keras 2."""
        return cls(config["function"], config.get("name"))


def _getitem(tensor: Any, slice_spec: Any) -> Any:
    """tensor[slice_spec], with {"start", "stop", "step"} for a slice."""
    key = slice_spec if isinstance(slice_spec, list | tuple) else [slice_spec]
    return tensor[tuple(_index(part) for part in key)]


def _add(x: Any, y: Any, name: str | None = None) -> Any:
    return x + y


_OF_KERAS_2 = {f"__operators__.{f.__name__[1:]}": f for f in (_add, _getitem)}


def _index(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    if part.get("class_name") == "__ellipsis__":
        return Ellipsis
    return slice(part["start"], part["stop"], part["step"])


def function_named(name: str) -> Callable[..., Any]:
    """The function that a name in a file means: one of the program, of tf.* or of keras.ops.

    Raises:
        ValueError: there is no such function of tensors.
    """
    own = registry.get_registered_object(name)
    if own is not None:
        return own  # type: ignore[no-any-return]
    of_keras = vars(importlib.import_module("minitensor.keras.ops"))
    found = (vars(home).get(name) for home in (_top(), *map(_room, _ROOMS)))
    for function in (*found, of_keras.get(name)):
        if _of_tensors(function):
            return function  # type: ignore[no-any-return]
    raise ValueError(
        f"Could not locate function '{name}'. Register it by "
        f"`@keras.saving.register_keras_serializable()` or pass custom_objects={{'{name}': ...}}"
    )


def _of_tensors(function: Any) -> bool:
    """Those that ask symbolic tensors are the functions of tensors: none reads or writes a file."""
    return inspect.isfunction(function) and hasattr(function, "__wrapped__")


def _room(name: str) -> Any:
    return importlib.import_module(f"minitensor.{name}")


def _top() -> Any:
    return importlib.import_module("minitensor")


def _found(dotted: str) -> Callable[..., Any]:
    if dotted in _OF_KERAS_2:
        return _OF_KERAS_2[dotted]
    room, _, name = dotted.removeprefix("compat.v1.").rpartition(".")
    known = room in ("", *_ROOMS) and not name.startswith("_")
    function = vars(_room(room) if room else _top()).get(name) if known else None
    if not _of_tensors(function):
        raise ValueError(f"TFOpLambda: there is no function of tensors tf.{dotted}")
    return function  # type: ignore[return-value]
