"""Objects as JSON values, in the form of Keras 3, and back.

    {"module": "keras.layers", "class_name": "Dense", "config": {...}, "registered_name": None}

A function of ours is its name. Nothing that a file says is imported or executed: names are looked
up in `registry.py`, and code in a file (a marshalled lambda) is refused.
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any

import numpy as np

from minitensor.autograd import Tensor
from minitensor.autograd.dtype import DType
from minitensor.keras.serialization import registry, sharing
from minitensor.keras.serialization.memory_budget import charge_object

Json = Any

# Settings of Keras that ours lack: a file may say them with values that change nothing.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "quantization_config": (None,),
    "synchronized": (False,),
    "renorm": (False,),
    "renorm_clipping": (None,),
    "renorm_momentum": (0.99,),
    "optional": (False,),
    "is_legacy_optimizer": (False,),
    "jit_compile": (False, True),
}


def serialize(value: Any) -> Json:
    """A value as JSON can hold it; tuples stay tuples, which JSON writes as lists.

    Raises:
        TypeError: an object without `get_config`, or a lambda.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> value = {"size": (3, np.int64(4)), "dtype": np.dtype("float32")}
        >>> tf.keras.saving.serialize_keras_object(value)
        {'size': (3, 4), 'dtype': 'float32'}

    Source: keras.saving.serialize_keras_object
    """
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        items = [serialize(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, dict):
        return {key: serialize(item) for key, item in value.items()}
    scalar = inspect.isclass(value) and issubclass(value, np.generic)
    if scalar or isinstance(value, np.dtype | DType):
        return np.dtype(value).name
    return _special(value) or _described(value)


def _special(value: Any) -> Json:
    """The values that Keras writes under a name of their own; None if it is another."""
    if isinstance(value, np.ndarray):
        return _form("__numpy__", value=value.tolist(), dtype=value.dtype.name)
    if isinstance(value, Tensor):
        return _form("__tensor__", value=value.numpy().tolist(), dtype=value.dtype.name)
    if isinstance(value, bytes):
        return _form("__bytes__", value=value.decode("utf-8"))
    if isinstance(value, slice):
        return _form("__slice__", start=value.start, stop=value.stop, step=value.step)
    return _form("__ellipsis__") if value is Ellipsis else None


def _form(name: str, **config: Any) -> Json:
    return {"class_name": name, "config": config}


def _described(thing: Any) -> Json:
    """A function by its name, an object by its class and its config."""
    if inspect.isroutine(thing) or not hasattr(thing, "get_config"):
        return _function(thing)
    cls = type(thing)
    module = registry.keras_module(cls)
    found = {
        "module": module or cls.__module__,
        "class_name": cls.__name__,
        "config": serialize(thing.get_config()),
        "registered_name": None if module else registry.get_registered_name(cls),
    }
    if getattr(thing, "_writes_build", False) and (built := thing.get_build_config()):
        found["build_config"] = serialize(built)
    return sharing.numbered(thing, found)


def _function(thing: Any) -> Json:
    name = getattr(thing, "__name__", None)
    if name is None or name == "<lambda>":
        raise TypeError(
            f"Cannot serialize {thing!r}: a lambda, or an object without `get_config`, cannot be "
            "written. Give a named function, registered by keras.saving.register_keras_serializable"
        )
    if thing.__module__.startswith("minitensor."):
        return name
    known = registry.get_registered_name(thing)
    return {
        "module": thing.__module__,
        "class_name": "function",
        "config": known,
        "registered_name": known,
    }


def deserialize(value: Json, custom_objects: registry.Objects | None = None) -> Any:
    """The object that JSON values describe: the inverse of `serialize`.

    Args:
        value: what `serialize` or Keras wrote.
        custom_objects: {name: class or function} that it may mention.

    Raises:
        ValueError: a class that is not known, code, or settings that the class does not take.

    Example:
        >>> import minitensor as tf
        >>> value = {"class_name": "Flatten", "config": {"name": "flat"}}
        >>> layer = tf.keras.saving.deserialize_keras_object(value)
        >>> layer.name
        'flat'

    Source: keras.saving.deserialize_keras_object
    """
    if custom_objects:
        with registry.custom_object_scope(custom_objects):
            return deserialize(value)
    if isinstance(value, list | tuple):
        return [deserialize(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value or "config" not in value:
        return {key: deserialize(item) for key, item in value.items()}
    name, config = value["class_name"], value["config"]
    if not isinstance(name, str):
        raise ValueError(f"class_name must be a text. Received: {name!r}")
    if name == "function":
        return _named_function(value)
    config = {} if config is None else config
    if not isinstance(config, dict):
        raise ValueError(f"Expected 'config' to be a dict for {name}. Received: {config!r}")
    return _SPECIAL[name](config) if name in _SPECIAL else _made(value, name, config)


def _made(value: Json, name: str, config: Json) -> Any:
    charge_object()
    module, registered = value.get("module"), value.get("registered_name")
    if not all(text is None or isinstance(text, str) for text in (module, registered)):
        raise ValueError(f"{name}: module and registered_name must be texts")
    if (known := sharing.made_before(value)) is not None:
        return known
    cls = registry.find_class(module, name, registered)
    if not hasattr(cls, "from_config"):
        return cls  # a function, passed under the name of a class
    try:
        made = cls.from_config(config)
    except TypeError as error:
        raise ValueError(f"{name} cannot be made from its config: {error}") from error
    built = value.get("build_config") or {}
    shape = built.get("input_shape")
    if built and getattr(made, "_reads_build", False):
        made.build_from_config(deserialize(built))
    elif shape is not None and not getattr(made, "built", True):
        made.build(_shape(shape))
    sharing.keep(made, value)
    return made


def _shape(value: Json) -> Any:
    """Lists of sizes as tuples, which is how a layer tells a shape from several."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if all(size is None or isinstance(size, int) for size in value):
        return tuple(value)
    return [_shape(item) for item in value]


def _named_function(value: Json) -> Any:
    """A function of the program; one of ours stays a name, which every layer understands."""
    name = value["config"]
    if not isinstance(name, str):
        raise ValueError(f"A function must be given by its name. Received: {name!r}")
    own = registry.get_registered_object(name)
    if own is not None:
        return own
    module = str(value.get("module"))
    if module == "builtins" or module.split(".")[0] in ("keras", "tensorflow", "minitensor"):
        return name
    raise ValueError(
        f"Could not locate function '{module}.{name}'. Register it by "
        f"`@keras.saving.register_keras_serializable()` or pass custom_objects={{'{name}': ...}}"
    )


def _array(config: Json) -> np.ndarray:
    kind = np.dtype(config["dtype"])
    if kind.kind not in "biuf":
        raise ValueError(f"An array in a config must hold numbers. Received: {kind}")
    return np.asarray(config["value"], kind)


def _refused(config: Json) -> Any:
    raise ValueError(
        "The config holds the code of a Python lambda. It is not run. Give the function a name, "
        "register it by keras.saving.register_keras_serializable, and save again."
    )


_SPECIAL = {
    "__numpy__": _array,
    "__tensor__": lambda config: Tensor(_array(config)),
    "__bytes__": lambda config: config["value"].encode("utf-8"),
    "__slice__": lambda config: slice(config["start"], config["stop"], config["step"]),
    "__ellipsis__": lambda config: Ellipsis,
    "__lambda__": _refused,
    "Policy": lambda config: config["name"],  # of Keras 2
}


@lru_cache(maxsize=1024)
def _taken(cls: type) -> frozenset[str]:
    """The names that the constructors of a class and its bases take."""
    inits = [vars(base)["__init__"] for base in cls.__mro__[:-1] if "__init__" in vars(base)]
    return frozenset(name for init in inits for name in inspect.signature(init).parameters)


def constructor_arguments(cls: type, config: Json) -> dict[str, Any]:
    """What the constructor of `cls` is given for a config, objects deserialized."""
    taken = _taken(cls)
    if "batch_shape" in taken and "batch_input_shape" in config:  # Keras 2
        name_now = {"batch_input_shape": "batch_shape"}
        config = {name_now.get(name, name): value for name, value in config.items()}
    return {
        name: deserialize(value)
        for name, value in config.items()
        if name in taken or value not in _NEUTRAL.get(name, ())
    }
