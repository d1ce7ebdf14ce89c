"""Modules that answer to `import tensorflow`, `import keras` and `import tensorflow_datasets`.

A mirror hands out what minitensor has under TensorFlow's dotted name. A name that minitensor lacks
is an error that gives the dotted name and the nearest one that is there.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from minitensor.missing import told
from minitensor.version import VERSION

TARGETS = {
    "tensorflow": "minitensor",
    "keras": "minitensor.keras",
    "tensorflow_datasets": "minitensor.data.tfds",
}
_SHORT = {"tensorflow": "tf", "tensorflow_datasets": "tfds"}  # what programs call them
_ALSO = {"tensorflow": ("python",)}  # tensorflow.python.keras, which many programs import
_MISSING = object()  # None is a value: tf.newaxis


class Mirror(ModuleType):
    """A module of TensorFlow's name with minitensor's contents.

    Args:
        name: "tensorflow.keras.layers".
        target: the module, or the class used as one, that has the contents.
    """

    def __init__(self, name: str, target: Any) -> None:
        super().__init__(name, target.__doc__)
        self.__path__: list[str] = []  # so that `import tensorflow.keras.layers` looks further
        self.__dict__["_target"] = target

    def __getattr__(self, attribute: str) -> Any:
        if attribute == "__all__":  # from tensorflow.keras.layers import *
            return list(_names(self._target))
        if attribute.startswith("__") and attribute != "__version__":
            raise AttributeError(attribute)
        if attribute == "__version__":
            return f"{VERSION}+minitensor{sys.modules['minitensor'].__version__}"
        value = _found(self, attribute)
        if value is _MISSING:
            raise AttributeError(lack(self.__name__, attribute, self._target))
        return importlib.import_module(f"{self.__name__}.{attribute}") if _holds(value) else value

    def __dir__(self) -> list[str]:
        return list(_names(self._target))


def lack(module: str, name: str, target: Any) -> str:
    """What is said of `module.name`, which is not there: its dotted name, and the nearest."""
    prefix = _prefix(module)
    there = [f"{prefix.partition('.')[0]}.{other}" for other in _elsewhere(name)]
    return told(f"{prefix}.{name}", _names(target), there)


def _prefix(module: str) -> str:
    """The module's name as programs write it: "tf.keras"."""
    head, _, rest = module.partition(".")
    return ".".join(part for part in (_SHORT.get(head, head), rest) if part)


def _found(mirror: Any, name: str) -> Any:
    """What a mirror has under a name; `_MISSING` for what it lacks, or has for itself alone."""
    if name in _ALSO.get(mirror.__name__, ()):
        return _python()
    target = mirror._target
    if name not in _names(target):
        return _MISSING
    return getattr(target, name, _MISSING)


@functools.cache
def _python() -> ModuleType:
    """TensorFlow's inside as far as programs reach into it: its keras."""
    inside = ModuleType("minitensor.python", "TensorFlow's inside: only `keras` is here.")
    inside.keras = importlib.import_module("minitensor.keras")  # type: ignore[attr-defined]
    inside.__all__ = ["keras"]  # type: ignore[attr-defined]
    return inside


def _elsewhere(name: str) -> list[str]:
    """Dotted names of tf under which the last part of `name` is found, if it is."""
    root = importlib.import_module("minitensor")
    rooms = ["nn", "math", "image", "random", "linalg", "train", "keras"]
    rooms += [f"keras.{room}" for room in ("layers", "models", "callbacks", "utils")]
    found = {room: functools.reduce(getattr, room.split("."), root) for room in rooms}
    return [f"{room}.{name}" for room, module in found.items() if name in _names(module)][:2]


@functools.cache  # asked for each attribute that a program names
def _names(target: Any) -> tuple[str, ...]:
    """What a program may see of a module or class: never what the file imports for its own use."""
    found = tuple(name for name in dir(target) if not name.startswith("_"))
    if not isinstance(target, ModuleType):
        return found
    listed = getattr(target, "__all__", None)
    if listed is not None:
        return tuple(sorted({*listed, *(found if "__dir__" in vars(target) else ())}))
    homes = {name: getattr(vars(target)[name], "__module__", None) for name in found}
    return tuple(name for name, home in homes.items() if home and home.startswith("minitensor"))


def _holds(value: Any) -> bool:
    """Whether a value is a room to look into: a module of ours, or a class used as one."""
    if isinstance(value, ModuleType):
        return value.__name__.partition(".")[0] == "minitensor"
    room = isinstance(value, type) and value.__name__.islower() and "__init__" not in vars(value)
    return room and value.__module__ != "builtins"


class Finder(MetaPathFinder, Loader):
    """Finds mirrors for the import system."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec for the names of `TARGETS` and what is in them."""
        if fullname.partition(".")[0] not in TARGETS:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> Mirror:
        """The mirror; an ImportError that names the nearest if minitensor has no such module."""
        home, _, name = spec.name.rpartition(".")
        if not home:
            return Mirror(spec.name, importlib.import_module(TARGETS[spec.name]))
        around = sys.modules[home]
        value = _found(around, name)
        if not _holds(value):
            raise ImportError(lack(home, name, around._target), name=spec.name)  # type: ignore
        return Mirror(spec.name, value)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: a mirror has no code of its own."""


@contextmanager
def installed() -> Iterator[None]:
    """Inside the block the names of `TARGETS` mean minitensor, TensorFlow installed or not."""
    finder, hidden = Finder(), _taken()
    for name in hidden:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in _taken():
            del sys.modules[name]
        sys.modules.update(hidden)


def _taken() -> dict[str, ModuleType]:
    return {n: m for n, m in sys.modules.items() if n.partition(".")[0] in TARGETS}
