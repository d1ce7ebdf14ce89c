"""The mirror of tf.nest: lists, tuples, named tuples and dictionaries of anything.

For all of them:
    Args: `expand_composites`: ignored; there are no tensors made of several here.
    Raises: TypeError or ValueError for two structures that differ.
    Source: tf.nest, under the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minitensor import missing
from minitensor.autograd import TensorShape, tree
from minitensor.docstrings import examples_of

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]
example = examples_of("tf.nest", "")


@example("is_nested([1]), tf.nest.is_nested('ab')", "(True, False)")
def is_nested(seq: Any) -> bool:
    """Whether it is a list, a tuple or a dictionary."""
    return isinstance(seq, list | tuple | dict) and not isinstance(seq, TensorShape)


@example('flatten({"b": 1, "a": [2, (3,)]})', "[2, 3, 1]")
def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves, from left to right; of dictionaries in the order of their keys."""
    return tree.flatten(structure)


@example('map_structure(max, [1, {"a": 2}], [3, {"a": 0}])', "[3, {'a': 2}]")
def map_structure(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """The first structure with func(leaf, the others' leaves in the same place) in it.

    Args:
        func: a function of as many arguments as there are structures.
        structure: one or more.
        kwargs: check_types, expand_composites.
    """
    unknown = sorted(set(kwargs) - {"check_types", "expand_composites"})
    if not callable(func) or not structure or unknown:
        raise (TypeError if not callable(func) else ValueError)(
            f"map_structure: takes a function, then structures, got {func!r}, {structure!r}, "
            f"{', '.join(unknown)}"
        )
    for other in structure[1:]:
        assert_same_structure(structure[0], other, kwargs.get("check_types", True))
    leaves = zip(*(tree.flatten(part) for part in structure), strict=True)
    return tree.pack(structure[0], [func(*row) for row in leaves])


@example('pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3])', "{'b': 3, 'a': (1, 2)}")
def pack_sequence_as(
    structure: Any, flat_sequence: Sequence[Any], expand_composites: bool = False
) -> Any:
    """The inverse of `flatten`: the structure with other leaves."""
    places = len(tree.flatten(structure))
    if places != len(flat_sequence):
        raise ValueError(
            f"pack_sequence_as: {len(flat_sequence)} leaves for a structure with {places} places"
        )
    return tree.pack(structure, flat_sequence)


@example("assert_same_structure([1, (2,)], [3, (4,)])", "", "")
def assert_same_structure(
    nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False
) -> None:
    """Raises unless both have the same places.

    Args:
        nest1, nest2: two structures.
        check_types: whether a list and a tuple differ.
    """
    says = f"assert_same_structure: {nest1!r} and {nest2!r} don't have the same nested structure"
    if is_nested(nest1) != is_nested(nest2):
        raise ValueError(says)
    if not is_nested(nest1):
        return
    kinds = [dict if isinstance(part, dict) else type(part) for part in (nest1, nest2)]
    if check_types and kinds[0] is not kinds[1]:
        raise TypeError(f"{says}: {type(nest1).__name__} is no {type(nest2).__name__}")
    if len(nest1) != len(nest2) or (check_types and dict in kinds and nest1.keys() != nest2.keys()):
        raise ValueError(says)
    for pair in zip(_items(nest1), _items(nest2), strict=True):
        assert_same_structure(*pair, check_types)


def _items(nest: Any) -> list[Any]:
    """Its parts; of a dictionary in the order of the keys."""
    return [nest[key] for key in sorted(nest)] if isinstance(nest, dict) else list(nest)


__getattr__ = missing.refusing("tf.nest", __name__)
