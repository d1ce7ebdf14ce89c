"""Which class a name in a file means: ours by room and name, a program's own by its registration.

Nothing is imported because a file says so: a name is looked up among the public classes of the
rooms that `add_rooms` was told of, and among those that the program has registered or passed as
`custom_objects`. A room's classes are asked for when the first name is looked up in it.
Source of what is public: keras.saving, under the same name.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Objects = dict[str, Any]

_LIBRARIES = ("keras", "tensorflow", "tf_keras", "minitensor")

_rooms: dict[str, Callable[[], Any]] = {}  # "layers": what imports the module
_modules: dict[type, str] = {}  # classes that Keras has elsewhere than in one of the rooms
_registered: Objects = {}
_names: dict[Any, str] = {}
_scopes: list[Objects] = []


# ----- a program's own -----


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Any], Any]:
    """A decorator that lets files mention a class or a function of the program.

    Args:
        package: prefix of its name in files, "Custom>Scale".
        name: in files; default its own.

    Raises:
        ValueError: a class without `get_config`.

    Example:
        >>> import minitensor as tf
        >>> @tf.keras.saving.register_keras_serializable("docs")
        ... class Scale(tf.keras.layers.Layer):
        ...     pass
        >>> tf.keras.saving.get_registered_name(Scale)
        'docs>Scale'
    """

    def register(thing: Any) -> Any:
        if inspect.isclass(thing) and not hasattr(thing, "get_config"):
            raise ValueError("Cannot register a class that does not have a get_config() method.")
        known = f"{package}>{name or thing.__name__}"
        _registered[known], _names[thing] = thing, known
        return thing

    return register


@contextmanager
def custom_object_scope(*args: Objects) -> Iterator[None]:
    """Inside the block files may also mention what these dictionaries name.

    Example:
        >>> import minitensor as tf
        >>> with tf.keras.saving.custom_object_scope({"half": lambda x: x / 2}):
        ...     tf.keras.saving.get_registered_object("half")(4)
        2.0
    """
    added = [dict(objects) for objects in args]
    _scopes.extend(added)
    try:
        yield
    finally:
        del _scopes[len(_scopes) - len(added) :]


def get_custom_objects() -> Objects:
    """What is registered, by name; it may be changed. Source: keras.saving.get_custom_objects"""
    return _registered


def get_registered_name(obj: Any) -> str:
    """The name of a class or function in files. Source: keras.saving.get_registered_name"""
    return _names.get(obj, obj.__name__)


def get_registered_object(
    name: str, custom_objects: Objects | None = None, module_objects: Objects | None = None
) -> Any:
    """What a name in a file means; None if nothing. Source: keras.saving.get_registered_object"""
    for objects in (*reversed(_scopes), _registered, custom_objects, module_objects):
        if objects and name in objects:
            return objects[name]
    return None


# ----- ours -----


def add_rooms(rooms: Mapping[str, Callable[[], Any]], modules: Mapping[type, str]) -> None:
    """Tells where the classes are that a file may mention.

    `rooms` is {"layers": a function that gives the module}, in the order in which a name without
    a module is looked up; `modules` {class: what Keras calls its module}, for those elsewhere.
    """
    _rooms.update(rooms)
    _modules.update(modules)


def keras_module(cls: type) -> str | None:
    """The module that Keras has the class in: "keras.layers"; None for a program's own class."""
    if cls in _modules:
        return _modules[cls]
    rooms = (room for room in _rooms if cls.__module__.startswith(f"minitensor.keras.{room}"))
    return next((f"keras.{room}" for room in rooms if _room(room).get(cls.__name__) is cls), None)


def find_class(module: str | None, name: str, registered: str | None = None) -> Any:
    """The class `name` of "keras.layers", "keras.src.layers.core.dense", ..., or of any module.

    `registered` is what a program calls it.

    Raises:
        ValueError: neither we nor the program have it; says what is nearest.
    """
    own = get_registered_object(registered or name)
    if own is not None:
        return own
    rooms = [_room(room) for room in _rooms_named_by(module)]
    for room in rooms:
        if name in room:
            return room[name]
    dotted = f"{module}.{name}" if module else name
    nearest = difflib.get_close_matches(name, [n for room in rooms for n in room], 1, 0.5)
    hint = f" The nearest that there is: {nearest[0]}." if nearest else ""
    raise ValueError(
        f"Could not locate class '{dotted}'.{hint} A class of your own must be registered by "
        f"`@keras.saving.register_keras_serializable()` or passed: custom_objects={{'{name}': ...}}"
    )


def _rooms_named_by(module: str | None) -> list[str]:
    if not module:
        return list(_rooms)
    parts = module.split(".")
    if parts[0] not in _LIBRARIES:
        return []
    chosen = [room for room in _rooms if room in module or room.split(".")[0] in parts]
    return chosen or ["models", "dtype_policies"]  # classes of "keras" itself


@functools.cache
def _room(room: str) -> Objects:
    """The public classes of one of our modules, by name."""
    return {
        name: thing
        for name, thing in vars(_rooms[room]()).items()
        if name[0] != "_" and inspect.isclass(thing) and hasattr(thing, "from_config")
    }
