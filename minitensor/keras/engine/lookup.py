"""Objects by their names: "adam" or {"class_name": "Adam", "config": {...}} instead of Adam()."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any


def found(kind: str, identifier: Any, known: Mapping[str, Any]) -> Any:
    """What an identifier means: an instance of a class of `known`, a function of it, or itself.

    Args:
        kind: in words, for errors.
        identifier: a name in any case, a configuration, a class, or a thing itself.
        known: classes and functions by name.

    Raises:
        ValueError: nothing has that name.
    """
    if isinstance(identifier, Mapping):
        return revived(identifier, known)
    if isinstance(identifier, str):
        identifier = named(kind, identifier, known)
    return identifier() if inspect.isclass(identifier) else identifier


def named(kind: str, name: str, known: Mapping[str, Any]) -> Any:
    """The class or function of this name, exactly so written if there is one."""
    folded = {key.lower(): value for key, value in known.items()} | dict(known)
    value = folded.get(name, folded.get(name.lower()))
    if value is None:
        near = get_close_matches(name.lower(), folded, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"Could not interpret {kind} identifier: {name!r}.{hint}")
    return value


def revived(config: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
    """The object that a configuration describes."""
    cls = known.get(str(config.get("class_name")))
    if inspect.isclass(cls) and "module" not in config:
        return cls.from_config(config.get("config", {}))
    from minitensor.keras.saving import objects

    return objects.revived(dict(config))
