"""What may stand for an object in an argument: its name, its config, its class, or itself."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from minitensor.keras.serialization.names import snake_case
from minitensor.keras.serialization.objects import deserialize
from minitensor.keras.serialization.registry import get_registered_object


def table(*things: Any, **aliases: Any) -> dict[str, Any]:
    """Classes and functions by name, and by their name in snake case; and aliases."""
    named = {thing.__name__: thing for thing in things}
    return named | {snake_case(thing.__name__): thing for thing in things} | aliases


def resolve(kind: str, known: Mapping[str, Any], identifier: Any) -> Any:
    """The object that `identifier` stands for; `kind` is said in the error.

    Raises:
        ValueError: nothing of this name, or it is no function.
    """
    thing = identifier
    if isinstance(identifier, dict):
        cls = known.get(str(identifier.get("class_name")))
        config = identifier.get("config") or {}
        thing = deserialize(identifier) if cls is None else cls.from_config(config)
    elif isinstance(identifier, str):
        thing = known.get(identifier) or get_registered_object(identifier)
    if inspect.isclass(thing):
        thing = thing()
    if not callable(thing):
        raise ValueError(
            f"Could not interpret {kind} identifier: {identifier!r}. "
            f"Known names: {', '.join(sorted(known))}"
        )
    return thing
