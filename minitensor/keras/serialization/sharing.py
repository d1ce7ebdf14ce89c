"""Objects that stand in a config more than once: a layer in a model and in a model inside it.

Each place holds the whole config and one number, `shared_object_id`, as Keras writes it; whoever
reads makes the object at the first and finds it at the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Json = Any
_KEY = "shared_object_id"

_written: ContextVar[dict[int, tuple[Any, int]] | None] = ContextVar("written", default=None)
_made: ContextVar[dict[int, Any] | None] = ContextVar("made", default=None)


def shared_numbered(write: Callable[[], Json]) -> Json:
    """What `write` serializes; objects that stand in it more than once have numbers.

    Example:
        >>> import minitensor as tf
        >>> from minitensor.keras.serialization.objects import deserialize, serialize
        >>> from minitensor.keras.serialization.sharing import shared_found, shared_numbered
        >>> flat = tf.keras.layers.Flatten()
        >>> config = shared_numbered(lambda: serialize([flat, flat]))
        >>> with shared_found():
        ...     one, other = deserialize(config)
        >>> one is other
        True
    """
    token = _written.set({})
    try:
        found = write()
    finally:
        _written.reset(token)
    numbered = [config for config in _objects(found) if _KEY in config]
    counts = Counter(config[_KEY] for config in numbered)
    for config in (config for config in numbered if counts[config[_KEY]] == 1):
        del config[_KEY]
    return found


def _objects(found: Json) -> Iterator[dict[str, Any]]:
    waiting = [found]
    for value in waiting:  # grows
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)


def numbered(thing: Any, config: Json) -> Json:
    """The config of an object with its number, while a whole is written."""
    written = _written.get()
    if written is None:
        return config
    _, number = written.setdefault(id(thing), (thing, len(written)))  # kept: ids are used again
    return config | {_KEY: number}


@contextmanager
def shared_found() -> Iterator[None]:
    """What is deserialized in the block is of one config."""
    token = _made.set({})
    try:
        yield
    finally:
        _made.reset(token)


def keep(made: Any, config: Json) -> None:
    """Keeps an object under the number that its config says."""
    known, number = _made.get(), config.get(_KEY)
    if known is not None and isinstance(number, int):
        known[number] = made


def made_before(config: Json) -> Any:
    """The object that was made of another config with this number and class, or None."""
    known, number = _made.get(), config.get(_KEY)
    found = known.get(number) if known and isinstance(number, int) else None
    return found if type(found).__name__ == config["class_name"] else None
