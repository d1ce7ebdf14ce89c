"""The mirror of keras.tree: nested lists, tuples and dictionaries of anything.

Source: keras.tree, under the same name.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import Any

__all__ = [
    "MAP_TO_NONE", "assert_same_paths", "assert_same_structure", "flatten", "flatten_with_path",
    "is_nested", "lists_to_tuples", "map_shape_structure", "map_structure",
    "map_structure_up_to", "pack_sequence_as", "traverse",
]  # fmt: skip


class MAP_TO_NONE:  # noqa: N801  Keras' name
    """What a function of `traverse` gives where None is meant."""


def is_nested(structure: Any) -> bool:
    """Whether it is a list, a tuple or a dictionary."""
    return isinstance(structure, list | tuple | dict)


def _items(structure: Any) -> list[tuple[Any, Any]]:
    """Its parts and under which key each is: of dictionaries in the order of the keys."""
    if isinstance(structure, collections.OrderedDict):
        return list(structure.items())
    if isinstance(structure, dict):
        try:
            return sorted(structure.items(), key=lambda item: item[0])
        except TypeError:
            return list(structure.items())
    return list(enumerate(structure))


def _rebuilt(structure: Any, parts: Sequence[Any]) -> Any:
    """The same kind of structure with other parts, given in the order of `_items`."""
    if isinstance(structure, dict):
        found = dict(zip((key for key, _ in _items(structure)), parts, strict=True))
        in_order = {key: found[key] for key in structure}
        if isinstance(structure, collections.defaultdict):
            return collections.defaultdict(structure.default_factory, in_order)
        return type(structure)(in_order)
    if hasattr(structure, "_fields"):
        return type(structure)(*parts)
    return type(structure)(parts)


def flatten(structure: Any) -> list[Any]:
    """The leaves, one after the other."""
    return [leaf for _, leaf in flatten_with_path(structure)]


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves, and the keys that lead to each."""
    if not is_nested(structure):
        return [((), structure)]
    found = []
    for key, part in _items(structure):
        found += [((key, *path), leaf) for path, leaf in flatten_with_path(part)]
    return found


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """The same structure with func of the leaves that stand in one place."""
    if not callable(func):
        raise TypeError(f"`func` must be callable. Received: func={func!r}")
    if not structures:
        raise ValueError("Must provide at least one structure")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    return map_structure_up_to(structures[0], func if none_is_leaf else _passing(func), *structures)


def _passing(func: Callable[..., Any]) -> Callable[..., Any]:
    """func, but None of None."""
    return lambda *leaves: None if all(leaf is None for leaf in leaves) else func(*leaves)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """As `map_structure`, for the places of the shallow structure; below it may be anything."""
    if not is_nested(shallow_structure):
        return func(*structures)
    for structure in structures:
        if not is_nested(structure) or not _alike(shallow_structure, structure):
            raise ValueError(
                f"Structures don't have the same nested structure: {shallow_structure} "
                f"and {structure}"
            )
    parts = [
        map_structure_up_to(part, func, *(structure[key] for structure in structures))
        for key, part in _items(shallow_structure)
    ]
    return _rebuilt(shallow_structure, parts)


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """A ValueError unless both have the same kinds of containers in the same places."""
    if is_nested(a) or is_nested(b):
        if not (is_nested(a) and is_nested(b) and _alike(a, b)):
            raise ValueError(f"`a` and `b` don't have the same structure. Received: {a} and {b}")
        for (_, x), (_, y) in zip(_items(a), _items(b), strict=True):
            assert_same_structure(x, y)


def _alike(a: Any, b: Any) -> bool:
    """Whether two containers are of one kind, with the same keys."""
    kinds = type(a) is type(b) or (isinstance(a, dict) and isinstance(b, dict))
    return kinds and [key for key, _ in _items(a)] == [key for key, _ in _items(b)]


def assert_same_paths(a: Any, b: Any) -> None:
    """A ValueError unless the same keys lead to the leaves of both, lists or tuples."""
    paths = [{path for path, _ in flatten_with_path(x)} for x in (a, b)]
    if paths[0] != paths[1]:
        raise ValueError(f"`a` and `b` don't have the same paths. Received: {a} and {b}")


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """The structure with these leaves, in the order of `flatten`."""
    if not isinstance(flat_sequence, Sequence):
        raise TypeError(f"flat_sequence must be a sequence, got {flat_sequence!r}")
    leaves = list(flat_sequence)
    count = len(flatten(structure))
    if count != len(leaves):
        raise ValueError(
            f"Could not pack sequence. The structure had {count} atoms, but flat_sequence had "
            f"{len(leaves)} items. Structure: {structure}, flat_sequence: {flat_sequence}."
        )
    given = iter(leaves)
    return map_structure(lambda leaf: next(given), structure)


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples where it has lists."""
    if not is_nested(structure):
        return structure
    parts = [lists_to_tuples(part) for _, part in _items(structure)]
    return tuple(parts) if isinstance(structure, list) else _rebuilt(structure, parts)


def map_shape_structure(func: Callable[..., Any], structure: Any) -> Any:
    """As `map_structure`, where a list or tuple of sizes, or None, is a leaf."""
    if isinstance(structure, list | tuple) and all(
        size is None or isinstance(size, int) for size in structure
    ):
        return func(structure)
    if not is_nested(structure):
        return func(structure)
    parts = [map_shape_structure(func, part) for _, part in _items(structure)]
    return _rebuilt(structure, parts)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """The structure with what func gives for a part in its place; None leaves the part.

    Args:
        func: a function of a leaf or a container; MAP_TO_NONE stands for None.
        top_down: whether containers come before what is in them, which then is not looked at.
    """
    if top_down:
        found = func(structure)
        if found is not None:
            return None if found is MAP_TO_NONE else found
    rebuilt = structure
    if is_nested(structure):
        parts = [traverse(func, part, top_down) for _, part in _items(structure)]
        rebuilt = _rebuilt(structure, parts)
    if not top_down:
        found = func(rebuilt)
        if found is not None:
            return None if found is MAP_TO_NONE else found
    return rebuilt
