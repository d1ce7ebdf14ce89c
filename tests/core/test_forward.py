"""Forward mode, recomputation, vectorized_map, and parts of variables: as in TensorFlow."""

import numpy as np
import pytest

import minitensor as mt
from minitensor.autograd import recording
from minitensor.backend import devices
from tests.support.backends import NAMES

X = np.random.default_rng(0).normal(size=(2, 3))
V = np.random.default_rng(1).normal(size=(2, 3))
IMAGE, KERNEL = (
    np.random.default_rng(k).normal(size=s) for k, s in enumerate([(1, 4, 4, 2), (3, 3, 2, 3)])
)

FUNCTIONS = {
    "curves": (lambda m, x: m.tanh(x) * m.exp(x) + m.sqrt(m.square(x) + 1), X),
    "masked root": (lambda m, x: m.where(x > 0, m.sqrt(x), 0), np.where(X > 0, X, 0)),
    "reductions": (lambda m, x: m.reduce_logsumexp(x, 1) * m.reduce_max(x), X),
    "products": (lambda m, x: m.matmul(x, x, transpose_b=True), X),
    "softmax": (lambda m, x: m.nn.log_softmax(x), X),
    "flat": (lambda m, x: m.sign(x) * 2.0, X),
    "conv": (lambda m, x: m.nn.relu(m.nn.conv2d(x, m.constant(KERNEL), 1, "SAME")), IMAGE),
    "pool": (lambda m, x: m.nn.max_pool2d(x, 2, 2, "VALID"), IMAGE),
    "indexed": (lambda m, x: m.gather(x, [1, 1, 0])[:, ::2], X),
    "scattered": (lambda m, x: m.tensor_scatter_nd_max(x, [[1]], x[:1] * 2.0), X),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_jacobian_times_a_vector_is_tensorflows(tf, name):
    function, x = FUNCTIONS[name]
    v = np.random.default_rng(2).normal(size=x.shape)
    found = []
    for m in (mt, tf):
        primal = m.constant(x)
        with m.autodiff.ForwardAccumulator(primal, m.constant(v)) as forward:
            y = function(m, primal)
        found.append(np.asarray(forward.jvp(y, unconnected_gradients="zero")))
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-9)


def nested(m):
    """Forward over backward, backward over forward, forward over forward; inside and after."""
    w, b = m.Variable(X), m.Variable(V[0])
    x = m.constant(V)
    tangents = [m.constant(V), m.constant(X[1])]

    def loss():
        return m.reduce_sum(m.tanh(w * x + b) ** 3)

    with m.autodiff.ForwardAccumulator([w, b], tangents) as forward:
        with m.GradientTape() as tape:
            y = loss()
        gradients = tape.gradient(y, [w, b])
        inside = forward.jvp(y)
    yield [inside, *forward.jvp(gradients)]
    with m.GradientTape() as tape:
        with m.autodiff.ForwardAccumulator([w, b], tangents) as forward:
            y = loss()
        along = forward.jvp(y)
    yield tape.gradient(along, [w, b])
    with m.autodiff.ForwardAccumulator(x, x) as outer:  # of variables TensorFlow cannot do it
        with m.autodiff.ForwardAccumulator(x, x) as inner:
            y = loss()
        first = inner.jvp(y)
    yield [outer.jvp(y), first, outer.jvp(first)]
    with m.autodiff.ForwardAccumulator(x, x) as forward:
        other = m.constant(1.0)
        nest = forward.jvp({"a": [x, x * x], "b": (x + 1.0,)})
    assert forward.jvp(other) is None
    yield [*nest["a"], *nest["b"], forward.jvp(other, unconnected_gradients="zero")]


def test_forward_and_backward_mode_nest_as_in_tensorflow(tf):
    for ours, theirs in zip(nested(mt), nested(tf), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("tangents", "words"),
    [([[1.0]], "shape"), ([[1.0, 2.0]] * 2, "2 tangents for 1"), ([["a", "b"]], "tangent")],
)
def test_tangents_fit_their_primals(tangents, words):
    with pytest.raises((ValueError, TypeError), match=words):
        mt.autodiff.ForwardAccumulator([mt.constant([1.0, 2.0])], [np.array(t) for t in tangents])
    x = mt.constant(1.0)
    with pytest.raises(ValueError, match="twice"):
        mt.autodiff.ForwardAccumulator([x, x], [x, x])


def recomputed(m, wrap):
    """A loss, its gradients in arguments and a variable, and the gradients of these; and runs."""
    w, runs = m.Variable(V), []

    def block(x, pair):
        runs.append(1)
        return {"y": m.tanh(x * w), "z": (x * pair[0], 2.0 * pair[1])}

    f = m.recompute_grad(block) if wrap else block
    x, y = m.constant(X), m.constant(V)
    with m.GradientTape(persistent=True) as outer:
        outer.watch([x, y])
        with m.GradientTape() as tape:
            tape.watch([x, y])
            result = f(x, (y, m.constant(V)))
            loss = m.reduce_sum(result["y"] ** 2) + m.reduce_sum(result["z"][0])
        first = tape.gradient(loss, [x, y, w])
        total = m.add_n([m.reduce_sum(g * g) for g in first])
    return [loss, *first, *outer.gradient(total, [x, y, w])], len(runs)


def test_what_is_recomputed_has_the_same_derivatives(tf):
    (ours, runs), (plain, once), (theirs, _) = (
        recomputed(mt, True), recomputed(mt, False), recomputed(tf, False),
    )  # fmt: skip
    assert once == 1
    assert runs == 3  # forward, and in each of two walks back
    for a, b, c in zip(ours, plain, theirs, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12)
        np.testing.assert_allclose(np.asarray(a), np.asarray(c), rtol=1e-9)


def test_inner_results_are_not_kept_for_the_walk_back():
    x = mt.constant(np.ones(10))
    long = mt.recompute_grad(lambda x: [x := mt.tanh(x) for _ in range(50)][-1])
    with mt.GradientTape() as tape:
        tape.watch(x)
        y = long(x)
        assert len(tape._records) == 1
    with mt.GradientTape() as plain:
        plain.watch(x)
        z = x
        for _ in range(50):
            z = mt.tanh(z)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), plain.gradient(z, x).numpy())


def test_vectorized_map_is_tensorflows(tf):
    calls = {
        "numbers": lambda m: m.vectorized_map(lambda x: x * x, m.constant(X)),
        "a nest": lambda m: m.vectorized_map(
            lambda d: (d["a"] @ d["b"], m.reduce_sum(d["a"])),
            {"a": m.constant(IMAGE[0]), "b": m.constant(np.moveaxis(IMAGE[0], 1, 2))},
        ),
        "one for all": lambda m: m.vectorized_map(
            lambda xs: xs[0] + xs[1], (m.constant(X), m.constant(V[:1]))
        ),
    }
    for call in calls.values():
        ours, theirs = (tf.nest.flatten(call(m)) for m in (mt, tf))
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)
    for bad in ((mt.zeros([2]), mt.zeros([3])), mt.zeros([0])):
        with pytest.raises(ValueError, match="vectorized_map: elems must have one length"):
            mt.vectorized_map(lambda x: x, bad)


PARTS = {
    "a number": lambda v: v[1].assign([7.0, 8.0, 9.0]),
    "broadcast": lambda v: v[:, 1].assign(5),
    "more axes": lambda v: v[:, 0].assign([[5.0, 6.0]]),
    "backwards": lambda v: v[::-1, ::2].assign([[1.0, 2.0], [3.0, 4.0]]),
    "ellipsis": lambda v: v[..., -1].assign([5.0, 6.0]),
    "a new axis": lambda v: v[None, 0].assign([[5.0, 6.0, 7.0]]),
    "nothing": lambda v: v[0:0].assign(np.zeros((0, 3))),
    "add": lambda v: v.scatter_nd_add([[0, 1], [0, 1]], [5.0, 6.0]),
    "sub": lambda v: v.scatter_nd_sub([[1]], [[1.0, 2.0, 3.0]]),
    "update": lambda v: v.scatter_nd_update([[1, 1], [0, 2]], [5.0, 6.0]),
    "max": lambda v: v.scatter_nd_max([[1, 1], [0, 2]], [0.0, 0.0]),
    "min": lambda v: v.scatter_nd_min([[1, 1], [0, 2]], [0.0, 0.0]),
}


@pytest.mark.parametrize("backend", NAMES)
def test_parts_of_a_variable_are_written_as_in_tensorflow(tf, backend):
    for name, write in PARTS.items():
        ours, theirs = (
            mt.Variable(mt.to_device(X, devices.kind_of_backend(backend))),
            tf.Variable(X),
        )
        assert write(ours) is ours, name
        write(theirs)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12, err_msg=name)


def test_a_part_of_a_variable_is_a_tensor_that_is_differentiated():
    v = mt.Variable(X)
    with mt.GradientTape() as tape:
        part = v[0]
        y = mt.reduce_sum(part * part)
    part.assign(mt.zeros([3], mt.float64))
    np.testing.assert_array_equal(part.numpy(), X[0])  # a tensor never changes
    np.testing.assert_allclose(tape.gradient(y, v).numpy(), [2 * X[0], 0 * X[0]])
    assert not hasattr(v[mt.constant([True, False])], "assign")
    assert not hasattr(v[0][1], "assign")
    with pytest.raises(ValueError, match=r"value has shape \(2,\) but that part"):
        v[0].assign(np.zeros(2))
    with mt.GradientTape() as tape:
        tape.watch(v[0])
    assert tape.watched_variables() == (v,)


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "uint64"])
def test_signs_of_logic_take_integers_bit_by_bit(tf, dtype):
    a, b = np.array([6, 5, 0, 127]).astype(dtype), np.array([3, 2, 9, 64]).astype(dtype)
    signs = (lambda x, y: x & y, lambda x, y: x | y, lambda x, y: x ^ y, lambda x, y: ~x)
    for sign in (*signs, lambda x, y: 6 & x, lambda x, y: x | 1):
        ours, theirs = (sign(m.constant(a), m.constant(b)) for m in (mt, tf))
        assert ours.dtype == theirs.dtype.name
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    for bad in (lambda: mt.constant([1.0]) & mt.constant([1.0]), lambda: ~mt.constant([1.0])):
        with pytest.raises(TypeError, match="legal"):
            bad()
    assert (mt.constant([True]) & True).numpy() == [True]


def in_graphs(m):
    """tf.gradients and tf.hessians inside of tf.function: lists, constants, cotangents, orders."""
    w, x, y = m.Variable(V), m.constant(X), m.constant(V)

    @m.function
    def plain(x, y):
        z = m.tanh(x * w) * y
        return m.gradients([z, x * x], [x, y, w], [m.ones_like(z), y])

    @m.function
    def cut(x):
        half = x * x
        return m.gradients(half * x, x, stop_gradients=half)

    @m.function
    def zero(x, y):
        return m.gradients(x * 1.0, [x, y], unconnected_gradients="zero")

    @m.function
    def twice(x):
        first = m.gradients(m.exp(x) * x, x)[0]
        return m.gradients(first, x)

    @m.function
    def curvature(x, y):
        return m.hessians(m.reduce_sum(m.tanh(x) * y * y * m.reduce_sum(x * x)), [x, y])

    for found in (plain(x, y), cut(x), zero(x, y), twice(x), curvature(x, y)):
        yield from found


def test_derivatives_inside_of_a_function_are_tensorflows(tf):
    for ours, theirs in zip(in_graphs(mt), in_graphs(tf), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-9, atol=1e-9)
    for m in (mt, tf):
        for name in ("gradients", "hessians"):
            with pytest.raises(RuntimeError, match=r"tf\.GradientTape"):
                getattr(m, name)(m.constant(1.0), m.constant(1.0))


def test_a_function_that_asks_for_no_gradients_keeps_nothing():
    @mt.function
    def plain(x):
        return x * x, len(recording.active.tapes)

    assert plain(mt.constant(2.0))[1] == 0
