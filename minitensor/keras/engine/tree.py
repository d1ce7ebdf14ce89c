"""Tensors inside lists, tuples and dictionaries: the three ways a model takes and returns many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def leaves(value: Any) -> Iterator[Any]:
    """What is inside, from left to right; a dictionary in the order of its keys."""
    if isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from leaves(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def members(value: Any) -> Iterator[Any]:
    """What is inside in the order in which it was put there, dictionaries too."""
    if isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from members(item)
    else:
        yield value


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """The same lists and dictionaries with `function` of each leaf in it."""
    if isinstance(value, dict):
        return {key: mapped(function, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [mapped(function, item) for item in value]
        if hasattr(value, "_fields"):
            return type(value)(*items)
        return tuple(items) if isinstance(value, tuple) else items
    return function(value)
