"""Functions that take functions, and elements picked by coordinates, against TensorFlow."""

import inspect
import io

import numpy as np
import pytest

import minitensor as mt

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
PLACES = np.random.default_rng(5).integers(0, 4, (2, 3, 5, 1))
CALLS = {
    "map_fn": lambda t: t.map_fn(lambda row: row * row, t.constant(X)),
    "map_fn to another type": lambda t: t.map_fn(
        lambda row: t.cast(row[0], t.int32), t.constant(X[0]), fn_output_signature=t.int32
    ),
    "map_fn over a tuple": lambda t: t.map_fn(
        lambda pair: pair[0] + pair[1], (t.constant(X), t.constant(X)), dtype=t.float32
    ),
    "map_fn to a tuple": lambda t: t.map_fn(
        lambda row: (row, -row), t.constant(X), fn_output_signature=(t.float32, t.float32)
    ),
    "cond true": lambda t: t.cond(t.constant(3) < 5, lambda: t.constant(1), lambda: t.constant(2)),
    "cond false": lambda t: t.cond(t.less(9, 5), lambda: t.constant(1), lambda: t.constant(2)),
    "case": lambda t: t.case(
        [(t.less(2, 1), lambda: t.constant(1)), (t.less(1, 2), lambda: t.constant(2))]
    ),
    "case by default": lambda t: t.case(
        [(t.less(2, 1), lambda: t.constant(1))], default=lambda: t.constant(7)
    ),
    "while_loop": lambda t: t.while_loop(
        lambda i, s: i < 5, lambda i, s: (i + 1, s * 2), (t.constant(0), t.constant(1))
    ),
    "while_loop that is stopped": lambda t: t.while_loop(
        lambda i: True, lambda i: [i + 1], [t.constant(0)], maximum_iterations=3
    ),
    "roll": lambda t: t.roll(X, 1, 0),
    "roll back": lambda t: t.roll(X, -5, 2),
    "roll along two axes": lambda t: t.roll(X, [1, 2], [0, -1]),
    "roll along one axis twice": lambda t: t.roll(X, [1, 2], [1, 1]),
    "repeat": lambda t: t.repeat(X, 2, axis=1),
    "repeat each": lambda t: t.repeat(X, [2, 0, 1], axis=1),
    "repeat all": lambda t: t.repeat(X, 3),
    "meshgrid": lambda t: t.meshgrid([1, 2, 3], [4, 5]),
    "meshgrid of three": lambda t: t.meshgrid([1.0, 2.0], [4.0, 5.0, 6.0], [7.0]),
    "meshgrid by rows": lambda t: t.meshgrid([1, 2, 3], [4, 5], [6, 7, 8, 9], indexing="ij"),
    "meshgrid of one": lambda t: t.meshgrid([1, 2, 3]),
    "gather_nd": lambda t: t.gather_nd(X, [[0, 1, 2], [1, 2, 3]]),
    "gather_nd of rows": lambda t: t.gather_nd(X, [[[0, 1]], [[1, 2]]]),
    "gather_nd of a row": lambda t: t.gather_nd(X, [1]),
    "gather_nd in batches": lambda t: t.gather_nd(X, [[[1], [0]], [[2], [2]]], batch_dims=1),
    "gather_nd in two batches": lambda t: t.gather_nd(X, PLACES, batch_dims=2),
    "unique": lambda t: t.unique([5, 3, 5, 1, 3]),
    "unique floats": lambda t: t.unique(np.array([2.0, 1.0, 2.0]), out_idx=t.int64),
}


@pytest.mark.parametrize("name", CALLS)
def test_results_are_tensorflows(name, tf):
    ours, theirs = (tf.nest.flatten(CALLS[name](library)) for library in (mt, tf))
    for a, b in zip(ours, theirs, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(a, b)


DIFFERENTIABLE = {
    "map_fn": lambda t, x: t.map_fn(lambda row: row * row, x),
    "roll": lambda t, x: t.roll(x, [1, 2], [0, -1]) * x,
    "repeat": lambda t, x: t.repeat(x, [2, 0, 1], axis=1) ** 2,
    "gather_nd": lambda t, x: t.gather_nd(x, [[[0, 1]], [[1, 2]], [[0, 1]]]) ** 2,
    "meshgrid": lambda t, x: t.meshgrid(x[0, 0], x[0, 1])[0] * t.meshgrid(x[0, 0], x[1, 1])[1],
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_are_tensorflows(name, tf):
    def gradient(library):
        x = library.constant(X)
        with library.GradientTape() as tape:
            tape.watch(x)
            y = library.reduce_sum(DIFFERENTIABLE[name](library, x))
        return np.asarray(library.convert_to_tensor(tape.gradient(y, x)))

    np.testing.assert_allclose(gradient(mt), gradient(tf), rtol=1e-6)


@pytest.mark.parametrize("name", ["map_fn", "cond", "case", "while_loop", "function", "print"])
def test_signatures_are_tensorflows(name, tf):
    def words(library):
        parameters = inspect.signature(getattr(library, name)).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters]

    assert words(mt) == words(tf)


def test_a_decorated_function_is_the_function():
    calls = []

    @mt.function
    def plain(x, y=1):
        """Words."""
        calls.append(x)
        return x + y

    @mt.function(input_signature=[mt.TensorSpec([None])], jit_compile=True)
    def told(x):
        return x * 2

    assert (plain(1), plain(1, y=5), told(4)) == (2, 6, 8)
    assert calls == [1, 1]
    assert (plain.__doc__, plain.__name__, plain.python_function(3)) == ("Words.", "plain", 4)
    assert mt.function(max)(1, 2) == 2


def test_print_writes_numbers_to_stderr(capsys):
    mt.print("step", mt.constant(3), mt.constant([1, 2]), sep=" | ")
    assert capsys.readouterr().err == "step | 3 | [1 2]\n"
    out = io.StringIO()
    mt.print("a", "b", output_stream=out, end="!")
    assert out.getvalue() == "a b!"


ERRORS = {
    "elems must have one length": lambda: mt.map_fn(lambda p: p, (X, X[:1])),
    "no condition holds": lambda: mt.case([(False, lambda: 1)]),
    "2 conditions hold": lambda: mt.case([(True, str), (True, str)], exclusive=True),
    "body gave 2 values": lambda: mt.while_loop(lambda i: True, lambda i: (i, i), (0,)),
    "roll: shift": lambda: mt.roll(X, [1, 2], 0),
    "repeats": lambda: mt.repeat(X, [1, 2], axis=1),
    "repeats must be at least 0": lambda: mt.repeat(X, -1, axis=1),
    "'xy' or 'ij'": lambda: mt.meshgrid([1], indexing="yx"),
    "do not fit params": lambda: mt.gather_nd(X, [[0, 0, 0, 0]]),
    "coordinate 1 goes from 3": lambda: mt.gather_nd(X, [[0, 3]]),
    "must be a vector": lambda: mt.unique(X),
}
TYPE_ERRORS = {
    "'true_fn' must be callable": lambda: mt.cond(True, 1, lambda: 2),
    "'false_fn' must be callable": lambda: mt.cond(True, lambda: 2),
    "cannot be called": lambda: mt.function(5),
    "unexpected keywords": lambda: mt.print("a", colour="red"),
    "legal: indexing": lambda: mt.meshgrid([1], order="ij"),
}


@pytest.mark.parametrize("words", ERRORS)
def test_illegal_values_are_value_errors(words):
    with pytest.raises(ValueError, match=words):
        ERRORS[words]()


@pytest.mark.parametrize("words", TYPE_ERRORS)
def test_wrong_kinds_are_type_errors(words):
    with pytest.raises(TypeError, match=words):
        TYPE_ERRORS[words]()


@pytest.mark.parametrize("name", ["py_function", "numpy_function"])
def test_with_its_type_alone_it_decorates(tf, name):
    found = []
    for lib in (mt, tf):
        op = getattr(lib, name)

        @op(Tout=lib.float32)
        def half(x, y):
            """Doc."""
            return np.float32(x) / 2 + np.float32(y)

        found.append([half(3.0, lib.constant(1.0)).numpy(), half.__name__, half.__doc__])
        rows = lib.data.Dataset.from_tensor_slices([1.0, 2.0]).map(lambda x, f=half: f(x, x))
        found[-1].append([float(x) for x in rows])
        for wrong in (
            {},
            {"func": max},
            {"func": max, "inp": [1.0]},
            {"inp": [1.0], "Tout": "int32"},
        ):
            with pytest.raises(TypeError):
                op(**wrong)
    assert found[0] == found[1]
