"""Trees of tensors: lists, tuples, named tuples and dictionaries, with leaves in them.

Everything else is a leaf, and so is a TensorShape. With `lists=False` a list is a leaf as well, as
in tf.data, where a list of numbers is one tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from minitensor.autograd.tensor import TensorShape

_BRANCHES = dict, tuple, list


def flatten(tree: Any, *, lists: bool = True, sort: bool = True) -> list[Any]:
    """The leaves, from left to right.

    Dictionaries are read in the order of their keys, as TensorFlow does (keys that cannot be
    compared, in that of their names), or with `sort=False` in the order in which they were filled.

    Example:
        >>> from minitensor.autograd import tree
        >>> tree.flatten([1, {"b": 2, "a": (3, 4)}])
        [1, 3, 4, 2]
    """
    if not isinstance(tree, _BRANCHES):  # what most are
        return [tree]
    if isinstance(tree, dict):
        items: Iterable[Any] = [tree[key] for key in (_sorted(tree) if sort else tree)]
    elif _is_sequence(tree, lists):
        items = tree
    else:
        return [tree]
    return [leaf for item in items for leaf in flatten(item, lists=lists, sort=sort)]


def map_structure(
    function: Callable[..., Any], first: Any, *others: Any, lists: bool = True
) -> Any:
    """The tree `first` with function(leaf, leaf of the others in the same position) in it.

    Dictionaries keep the order in which they were filled.

    Example:
        >>> from minitensor.autograd import tree
        >>> tree.map_structure(max, [1, {"a": 2}], [3, {"a": 0}])
        [3, {'a': 2}]
    """
    if not isinstance(first, _BRANCHES):  # what most are
        return function(first, *others)
    if type(first) is tuple and not others:  # what most elements of a pipeline of data are
        return tuple([map_structure(function, item, lists=lists) for item in first])
    if isinstance(first, dict):
        return {
            key: map_structure(function, item, *(other[key] for other in others), lists=lists)
            for key, item in first.items()
        }
    if not _is_sequence(first, lists):
        return function(first, *others)
    rows = zip(first, *others, strict=True)
    items = [map_structure(function, *row, lists=lists) for row in rows]
    if hasattr(first, "_fields"):
        return type(first)(*items)
    return tuple(items) if isinstance(first, tuple) else items


def pack(tree: Any, leaves: Iterable[Any]) -> Any:
    """The inverse of `flatten`: a tree like `tree` with these leaves.

    Example:
        >>> from minitensor.autograd import tree
        >>> tree.pack({"b": 0, "a": (0, 0)}, [1, 2, 3])
        {'b': 3, 'a': (1, 2)}
    """
    return _pack(tree, iter(leaves))


def _pack(tree: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(tree, dict):
        packed = {key: _pack(tree[key], leaves) for key in _sorted(tree)}
        return type(tree)((key, packed[key]) for key in tree)
    if not _is_sequence(tree, True):
        return next(leaves)
    items = [_pack(item, leaves) for item in tree]
    return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)


def _is_sequence(tree: Any, lists: bool) -> bool:
    if isinstance(tree, tuple):
        return not isinstance(tree, TensorShape)
    return lists and isinstance(tree, list)


def _sorted(tree: dict[Any, Any]) -> list[Any]:
    try:
        return sorted(tree)
    except TypeError:  # keys of several kinds
        return sorted(tree, key=str)
