"""IndexedSlices, the methods of variables that take them, tf.nest, and other names."""

import collections
import inspect

import numpy as np
import pytest

import minitensor as mt

START = np.arange(8, dtype=np.float32).reshape(4, 2) + 1
NAMES = ("add", "sub", "mul", "div", "max", "min", "update")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("indices", [[3], [1, 2, 0], [1, 1, 3], []])
def test_slices_change_a_variable_as_in_tensorflow(name, indices, tf):
    if name == "update" and len(set(indices)) < len(indices):
        return  # which of two stays is open there
    values = np.random.default_rng(0).uniform(1, 9, (len(indices), 2)).astype(np.float32)
    found = []
    for t in (mt, tf):
        v = t.Variable(START)
        slices = t.IndexedSlices(t.constant(values), t.constant(np.int32(indices)))
        getattr(v, f"scatter_{name}")(slices)
        found.append(v.numpy())
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_slices_change_each_part_of_a_batch_as_in_tensorflow(tf):
    values, places = np.float32([[7, 8], [9, 10], [11, 12]]), np.int32([[1, 0], [0, 1], [1, 0]])
    found = []
    for t in (mt, tf):
        v = t.Variable(np.zeros((3, 2), np.float32))
        v.batch_scatter_update(t.IndexedSlices(t.constant(values), t.constant(places)))
        found.append(v.numpy())
    np.testing.assert_array_equal(*found)


def test_variables_methods_have_tensorflows_signatures(tf):
    for name in dir(tf.Variable):
        if "scatter" in name or name in ("sparse_read", "gather_nd"):
            ours, theirs = (
                [str(p) for p in inspect.signature(getattr(t.Variable, name)).parameters]
                for t in (mt, tf)
            )
            assert ours == theirs, name


def test_slices_are_a_tensor_as_in_tensorflow(tf):
    def answers(t):
        w = t.Variable([1.0, 2.0, 3.0])
        slices = t.IndexedSlices(t.constant([2.0, 6.0, 2.0]), t.constant([0, 2, 0]), [3])
        yield t.convert_to_tensor(slices)
        yield t.reduce_sum(slices)
        yield slices.values
        yield slices.indices
        yield w.sparse_read([2, 0])
        yield w.gather_nd([[1]])
        w.scatter_sub(slices)
        yield w

    for ours, theirs in zip(answers(mt), answers(tf), strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    with mt.GradientTape() as tape:
        values = mt.Variable([2.0, 6.0, 2.0])
        y = mt.convert_to_tensor(mt.IndexedSlices(values, [0, 2, 0], [3])) * [1.0, 2.0, 3.0]
    np.testing.assert_array_equal(tape.gradient(y, values).numpy(), [1, 3, 1])


def test_a_program_that_asks_for_slices_gets_a_whole_gradient(tf):
    found = []
    for t in (mt, tf):
        w = t.Variable([1.0, 2.0, 3.0])
        with t.GradientTape() as tape:
            y = t.gather(w, [0, 2, 0]) ** 2
        g = tape.gradient(y, w)
        if isinstance(g, t.IndexedSlices):
            g = t.convert_to_tensor(g)
        t.keras.optimizers.SGD(0.5).apply_gradients([(g, w)])
        found.append(w.numpy())
    np.testing.assert_array_equal(*found)


BAD = {
    "a whole tensor": lambda v: v.scatter_add(mt.ones([4, 2])),
    "an index out of range": lambda v: v.scatter_sub(mt.IndexedSlices([[5.0, 6.0]], [9])),
    "a factor out of range": lambda v: v.scatter_mul(mt.IndexedSlices([[5.0, 6.0]], [-1])),
    "slices too short": lambda v: v.scatter_update(mt.IndexedSlices([[5.0]], [1])),
    "another type": lambda v: v.scatter_add(mt.IndexedSlices(mt.constant([[1, 2]]), [1])),
    "indices that are floats": lambda v: mt.IndexedSlices([1.0], [1.0]),
    "no shape": lambda v: mt.convert_to_tensor(mt.IndexedSlices([1.0], [1])),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_refused_and_the_variable_stays(what):
    v = mt.Variable(START)
    with pytest.raises((ValueError, TypeError), match=r"\w+: "):
        BAD[what](v)
    np.testing.assert_array_equal(v.numpy(), START)


def test_tensors_are_rounded_by_python():
    x = [2.5, 3.5, -1.25, 0.333]
    np.testing.assert_array_equal(round(mt.constant(x)).numpy(), np.round(np.float32(x)))
    np.testing.assert_allclose(round(mt.Variable(x), 1).numpy(), np.round(np.float32(x), 1))
    assert round(mt.constant(7)).numpy() == 7


Point = collections.namedtuple("Point", "x y")
TREES = [
    5,
    [1, (2, {"b": 3, "a": 4})],
    {"z": [1], "a": Point(2, (3,))},
    (),
    [],
    {},
    [[], 1],
    Point(1, [2, 3]),
    "ab",
]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_nested_structures_are_read_and_made_as_in_tensorflow(tree, tf):
    ours, theirs = mt.nest, tf.nest
    assert ours.is_nested(tree) == theirs.is_nested(tree)
    leaves = ours.flatten(tree)
    assert leaves == theirs.flatten(tree)
    other = list(range(10, 10 + len(leaves)))
    assert ours.pack_sequence_as(tree, other) == theirs.pack_sequence_as(tree, other)
    for function, *trees in ((str, tree), (lambda a, b: (a, b), tree, tree)):
        made = [nest.map_structure(function, *trees) for nest in (ours, theirs)]
        assert made[0] == made[1]
        assert type(made[0]) is type(made[1])


@pytest.mark.parametrize("first", TREES, ids=str)
@pytest.mark.parametrize("check", [True, False])
def test_structures_differ_where_tensorflow_says_so(first, check, tf):
    for second in [*TREES, (1, [2, {"b": 3, "a": 4}]), [1, (2, {"b": 3, "c": 4})]]:
        said = []
        for nest in (mt.nest, tf.nest):
            try:
                nest.assert_same_structure(first, second, check_types=check)
                said.append(None)
            except (TypeError, ValueError) as error:
                said.append(type(error))
        assert said[0] == said[1] or None not in said, (first, second)


def test_names_of_tensorflow_1_do_nothing_or_say_why():
    assert mt.group(mt.constant(1), name="all") is None
    mt.debugging.set_log_device_placement(True)
    assert mt.nn.top_k is mt.math.top_k
    for name in ("trace_on", "trace_export"):
        with pytest.raises(AttributeError, match="everything runs when it is called"):
            getattr(mt.summary, name)
