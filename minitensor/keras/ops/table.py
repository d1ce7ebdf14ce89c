"""A function of keras.ops, and the Operation that a call of it on KerasTensors leaves in a model.

`operation` decorates the function. Its signature says the rest: arguments annotated `Operand` are
what the Operation is called with, all others are its settings, which its config keeps (one number
that is annotated `Sizes` as a tuple). Keras divides them so in its files, and
`tests/keras/test_ops_symbolic.py` compares every one with Keras'.
"""

from __future__ import annotations

import functools
import inspect
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Self, TypeVar, cast

from minitensor.autograd.tree import map_structure
from minitensor.keras.engine.keras_tensor import KerasTensor
from minitensor.keras.engine.operation import Operation
from minitensor.keras.serialization.objects import deserialize
from minitensor.symbolic import first_symbolic

F = TypeVar("F", bound=Callable[..., Any])
Operand = Any
Sizes = Any
FILES = "keras.src.ops"  # what Keras' files call the home of these classes
_ELSEWHERE = {"activations": "keras.src.activations.activations"}

# Where Keras' class is not called as the function is: mean -> Mean, top_k -> TopK.
_CLASSES = {
    "activations.relu": "ReLU",
    "abs": "Absolute",
    "allclose": "AllClose",
    "batch_normalization": "BatchNorm",
    "cdist": "CDist",
    "conj": "Conjugate",
    "hard_swish": "HardSilu",
    "isin": "IsIn",
    "jvp": "JVP",
    "layer_normalization": "LayerNorm",
    "psnr": "PSNR",
    "rgb_to_hsv": "RGBToHSV",
    "hsv_to_rgb": "HSVToRGB",
    "rgb_to_grayscale": "RGBToGrayscale",
    "rms_normalization": "RMSNorm",
    "ssim": "SSIM",
    "searchsorted": "SearchSorted",
    "swish": "Silu",
}
_DIVIDING = {"FloorDivide", "Fmod", "Mod"}
_COUNTING = {"Nonzero", "Unique"}
classes: dict[str, dict[str, Any]] = {}  # {"numpy": {"Mean": ...}, "nn": ...}


class FromFunction(Operation):
    """What the Operations of the table share: a function, and its settings."""

    function: Callable[..., Any]
    home: str

    def __init__(self, name: str | None = None, **settings: Any) -> None:
        taken = self._signature().parameters
        unknown = sorted(set(settings) - set(taken))
        if unknown and not any(p.kind is p.VAR_KEYWORD for p in taken.values()):
            raise TypeError(f"{type(self).__name__} takes no {unknown}")
        super().__init__(name)
        self._given = settings

    @classmethod
    @functools.cache
    def _signature(cls) -> inspect.Signature:
        return inspect.signature(cls.function)

    @classmethod
    def of_call(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What a call of the function gives for KerasTensors: an Operation more in the model."""
        bound = cls._signature().bind(*args, **kwargs)
        bound.apply_defaults()
        settings: dict[str, Any] = {}
        operands: list[Any] = []
        named: dict[str, Any] = {}
        for parameter in bound.signature.parameters.values():
            value, taken = bound.arguments[parameter.name], parameter.annotation == "Operand"
            if parameter.kind is parameter.VAR_POSITIONAL:
                operands += value
            elif parameter.kind is parameter.VAR_KEYWORD:
                (named if taken else settings).update(value)
            elif taken:
                operands.append(value)
            elif parameter.annotation == "Sizes" and not isinstance(value, list | tuple):
                settings[parameter.name] = (value,)
            else:
                settings[parameter.name] = value
        return cls(**settings)(*operands, **named)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The function of these operands, with the settings."""
        signature, left, named = self._signature(), list(args), {**self._given, **kwargs}
        given: dict[str, Any] = {}
        for name, parameter in signature.parameters.items():
            if parameter.kind is parameter.VAR_POSITIONAL:
                given[name], left = tuple(left), []
            elif parameter.kind is parameter.VAR_KEYWORD:
                given[name] = {key: named[key] for key in named if key not in given}
            elif parameter.annotation == "Operand" and left:
                given[name] = left.pop(0)
            elif name in named:
                given[name] = named[name]
            else:
                given[name] = parameter.default
        bound = inspect.BoundArguments(signature, OrderedDict(given))
        return type(self).function(*bound.args, **bound.kwargs)

    def symbolic_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """By a trial; how many places hold something, and how many values differ, is left open."""
        found = super().symbolic_call(args, kwargs)
        where = type(self).__name__ == "Where" and args[1] is None
        if (not where and type(self).__name__ not in _COUNTING) or self._given.get("size"):
            return found
        return map_structure(lambda t: KerasTensor((None, *t.shape[1:]), t.dtype), found)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The Operation that a config describes."""
        return cls(**{name: deserialize(value) for name, value in config.items()})

    def __reduce__(self) -> Any:
        return _bare, (self.home, type(self).__name__), self.__dict__

    def _config_entry(self) -> dict[str, Any]:
        name = type(self).__name__
        module = _ELSEWHERE.get(self.home, f"{FILES}.{self.home}")
        home = {"module": module, "class_name": name, "registered_name": name}
        return {**home, "config": self.get_config()}


def found(entry: dict[str, Any]) -> type[FromFunction] | None:
    """The class of an entry in a file, "keras.src.ops.numpy" and "Mean"; None if it is no such."""
    module, name = entry.get("module"), entry.get("class_name")
    home = module.removeprefix(f"{FILES}.") if isinstance(module, str) else ""
    home = next((ours for ours, theirs in _ELSEWHERE.items() if theirs == home), home)
    return classes.get(home, {}).get(name) if isinstance(name, str) else None


def _bare(home: str, name: str) -> FromFunction:
    """An object of a class that no module has under its name, before its attributes are set."""
    cls: type[FromFunction] = classes[home][name]
    return cls.__new__(cls)


def operation(function: F) -> F:
    """Makes a function take KerasTensors too."""
    name = function.__name__
    home = function.__module__.removeprefix("minitensor.keras.ops.").split(".")[0]
    made = _CLASSES.get(f"{home}.{name}") or _CLASSES.get(name)
    made = made or "".join(word.capitalize() for word in name.split("_"))
    of_home = classes.setdefault(home, {})
    if made not in of_home:
        members = {"function": staticmethod(function), "home": home, "__module__": __name__}
        of_home[made] = type(made, (FromFunction,), members | {"divides": made in _DIVIDING})
    cls = of_home[made]

    @functools.wraps(function)
    def public(*args: Any, **kwargs: Any) -> Any:
        if first_symbolic(args, kwargs) is not None:
            return cls.of_call(args, kwargs)
        return function(*args, **kwargs)

    return cast(F, public)
