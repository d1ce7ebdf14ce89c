"""One module for trees: what is a leaf, in which order leaves come, and what is put together."""

from collections import OrderedDict, namedtuple

import pytest

import minitensor as mt
from minitensor.autograd.tree import flatten, map_structure, pack

Pair = namedtuple("Pair", ["first", "second"])
TREES = [
    1,
    [],
    [1, (2, [3]), {"b": 4, "a": 5}],
    Pair(1, {"x": [2, 3]}),
    OrderedDict(b=1, a=(2, 3)),
    {10: 1, 2: 2, "a": 3},
]


def test_leaves_come_in_the_order_of_their_keys_or_as_they_were_put_in():
    tree = {"b": 1, "a": {"d": 2, "c": 3}}
    assert flatten(tree) == [3, 2, 1]
    assert flatten(tree, sort=False) == [1, 2, 3]
    assert flatten({10: "ten", 2: "two"}) == ["two", "ten"]
    assert flatten({"a": 1, 2: 2}) == [2, 1]  # of several kinds: by their names


def test_a_shape_is_one_leaf_and_so_is_a_list_where_lists_are_tensors():
    shape = mt.TensorShape([2, 3])
    assert flatten((shape, [1, 2])) == [shape, 1, 2]
    assert flatten((shape, [1, 2]), lists=False) == [shape, [1, 2]]
    assert map_structure(len, (shape, [1]), lists=False) == (2, 1)
    assert pack((shape, [1]), ["x", "y"]) == ("x", ["y"])


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_pack_is_the_inverse_of_flatten(tree):
    again = pack(tree, flatten(tree))
    assert again == tree
    assert type(again) is type(tree)
    if isinstance(tree, dict):
        assert list(again) == list(tree)


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_map_structure_reaches_every_leaf_and_keeps_the_order_of_keys(tree):
    mapped = map_structure(lambda leaf: -leaf, tree)
    assert flatten(mapped) == [-leaf for leaf in flatten(tree)]
    if isinstance(tree, dict):
        assert list(mapped) == list(tree)


def test_map_structure_of_several_trees_meets_leaves_of_one_position():
    first, second = Pair(1, {"b": 2, "a": [3]}), Pair(10, {"a": [30], "b": 20})
    assert map_structure(lambda x, y: x + y, first, second) == Pair(11, {"b": 22, "a": [33]})
    with pytest.raises(ValueError, match="zip"):
        map_structure(lambda x, y: x, [1, 2], [1])
