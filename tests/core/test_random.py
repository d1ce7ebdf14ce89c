"""minitensor.random: what a seed decides is TensorFlow's; the rest by distribution."""

import inspect

import numpy as np
import pytest

import minitensor as mt

SEEDS = ([1, 2], [-5, 2**40], [2**62, -1])
SIZES = (1, 7, 1000, 20001)
FLOATS = ("float16", "bfloat16", "float32", "float64")


def arrays(call, tf):
    """What a call gives here and there, NumPy's types alike."""
    ours, theirs = (np.asarray(call(library).numpy()) for library in (mt, tf))
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    return ours, theirs


def equal(call, tf):
    np.testing.assert_array_equal(*arrays(call, tf))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("size", SIZES)
def test_integers_and_uniform_numbers_are_tensorflows_to_the_last_bit(seed, size, tf):
    for dtype in ("int32", "int64", "uint32", "uint64"):
        equal(lambda t: t.random.stateless_uniform([size], seed, None, None, dtype), tf)  # noqa: B023
    for dtype in ("int32", "int64"):
        for low, high in ((0, 10), (-7, 5), (-(2**31), 2**31 - 1)):
            equal(lambda t: t.random.stateless_uniform([size], seed, low, high, dtype), tf)  # noqa: B023
    for dtype in FLOATS:
        equal(lambda t: t.random.stateless_uniform([size], seed, -2, 3.5, dtype), tf)  # noqa: B023


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["stateless_normal", "stateless_truncated_normal"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_numbers_are_tensorflows_but_for_a_last_bit_in_fifty(seed, name, dtype, tf):
    for size in SIZES:
        ours, theirs = arrays(lambda t: getattr(t.random, name)([size], seed, dtype=dtype), tf)  # noqa: B023
        apart = np.abs(ours.astype(float) - theirs.astype(float))
        bits = {"float32": 24, "float64": 53}.get(dtype, 60)
        assert apart.max() <= 2.0 ** (3 - bits)
        assert (apart > 0).mean() < 0.03 or size == 1
    moved = lambda t: getattr(t.random, name)([2, 9], seed, 3.0, [0.5] * 9)  # noqa: E731
    np.testing.assert_allclose(*arrays(moved, tf), rtol=1e-6)


def test_what_is_made_of_seeds_is_tensorflows(tf):
    for seed in (*SEEDS, [7, 8]):
        for dtype in ("int32", "int64") if max(seed) < 2**31 > -min(seed) else ("int64",):
            given = np.array(seed, dtype)
            equal(lambda t: t.random.split(given, 5), tf)  # noqa: B023
            equal(lambda t: t.random.fold_in(given, 9), tf)  # noqa: B023
            equal(lambda t: t.random.experimental.stateless_fold_in(given, np.int64(9)), tf)  # noqa: B023
        for count in (0, 1, 2, 1000):
            rows = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
            equal(lambda t: t.random.experimental.stateless_shuffle(rows, seed), tf)  # noqa: B023
        for rows, count in ((1, 5), (3, 6), (16, 33)):
            logits = np.random.default_rng(0).normal(size=(rows, 7)).astype(np.float32)
            logits[0, 2] = -np.inf
            equal(lambda t: t.random.stateless_categorical(logits, count, seed, "int32"), tf)  # noqa: B023


def test_algorithms_have_tensorflows_names(tf):
    assert {a.name: a.value for a in mt.random.Algorithm} == {
        a.name: a.value for a in tf.random.Algorithm
    }
    for alg in ("philox", "Phil-Ox", "auto_select", 1, 3, mt.random.Algorithm.PHILOX):
        other = tf.random.Algorithm.PHILOX if isinstance(alg, mt.random.Algorithm) else alg
        ours = mt.random.stateless_normal([3], [1, 2], alg=alg).numpy()
        np.testing.assert_allclose(ours, tf.random.stateless_normal([3], [1, 2], alg=other).numpy())


# ----- Generator -----


def drawn(library, seed):
    """Everything that a generator can do, one after the other."""
    g = library.random.Generator.from_seed(seed)
    yield g.state
    yield g.uniform([3, 2])
    yield g.uniform([5], -3, 12, "int32")
    yield g.uniform([5], 0, 2**40, "int64")
    yield g.uniform([4], None, None, "int64")
    yield g.uniform_full_int([5])
    yield g.uniform_full_int([], "uint32")
    yield g.normal([2, 3], 5.0, 0.5)
    yield g.normal([7], dtype="float64")
    yield g.truncated_normal([4, 4], -1.0, 2.0)
    yield g.uniform([2], dtype="float16")
    yield g.make_seeds(3)
    yield g.skip(5)
    yield g.key
    for part in g.split(2):
        yield part.state
        yield part.normal([3])
    yield g.state
    copied = library.random.Generator(g)
    yield copied.normal([2])
    yield g.normal([2])
    again = library.random.Generator.from_state(g.state.numpy(), alg="philox")
    yield again.uniform([2])
    again.reset_from_seed(seed)
    yield again.state
    again.reset([1, 2, 3])
    yield again.normal([1])
    again.reset_from_key_counter(7, [8, 9])
    yield again.state
    yield library.random.Generator.from_key_counter(2**63 - 1, [1, -1], "philox").uniform([9])


@pytest.mark.parametrize("seed", [0, 1234, -1, 2**100 + 5, [1, 2], [1, 2, 3, 4]])
def test_a_generator_gives_tensorflows_numbers_in_tensorflows_order(seed, tf):
    for step, (ours, theirs) in enumerate(zip(drawn(mt, seed), drawn(tf, seed), strict=True)):
        a, b = np.asarray(ours.numpy()), np.asarray(theirs.numpy())
        assert (a.shape, a.dtype) == (b.shape, b.dtype), step
        if a.dtype.kind in "iu":
            np.testing.assert_array_equal(a, b, err_msg=str(step))
        else:
            np.testing.assert_allclose(a, b, rtol=2e-6, atol=2e-6, err_msg=str(step))


def test_generators_have_tensorflows_signatures(tf):
    for name in ("__init__", *(n for n in vars(tf.random.Generator) if not n.startswith("_"))):
        ours, theirs = (getattr(t.random.Generator, name) for t in (mt, tf))
        if callable(theirs):
            ours, theirs = (list(inspect.signature(f).parameters) for f in (ours, theirs))
            assert ours == theirs, name


def test_the_global_generator_and_one_of_no_seed():
    first, second = (mt.random.Generator.from_non_deterministic_state() for _ in range(2))
    assert (first.state.numpy() != second.state.numpy()).any()
    mt.random.set_global_generator(first)
    assert mt.random.get_global_generator() is first
    assert mt.random.experimental.get_global_generator() is first


def test_a_generator_draws_on_where_its_variable_was_saved(tmp_path):
    g = mt.random.Generator.from_seed(3)
    path = mt.train.Checkpoint(g=g).write(str(tmp_path / "g"))
    before = g.normal([4]).numpy()
    mt.train.Checkpoint(g=g).read(path).assert_consumed()
    np.testing.assert_array_equal(g.normal([4]).numpy(), before)


# ----- by distribution -----

MOMENTS = {
    "gamma": (lambda n: mt.random.stateless_gamma([n, 2], [1, 2], [0.7, 4.0], 2.0), [0.35, 2.0]),
    "poisson": (lambda n: mt.random.stateless_poisson([n, 2], [1, 2], [0.7, 30.0]), [0.7, 30.0]),
    "binomial": (
        lambda n: mt.random.stateless_binomial([n, 2], [1, 2], [9.0, 300.0], 0.3),
        [2.7, 90.0],
    ),
    "Generator": (
        lambda n: mt.random.Generator.from_seed(1).binomial([n, 2], [9.0, 300.0], 0.3),
        [2.7, 90.0],
    ),
    "random.poisson": (lambda n: mt.random.poisson([n], [0.7, 30.0], seed=1), [0.7, 30.0]),
    "random.categorical": (
        lambda n: mt.random.categorical(np.log([[0.5, 0.3, 0.2]] * 2), n, seed=1).numpy().T,
        [0.7, 0.7],
    ),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_means_are_those_of_the_distribution(name):
    draw, means = MOMENTS[name]
    first, again = (np.asarray(draw(20000)) for _ in range(2))
    np.testing.assert_array_equal(first, again)  # the seed decides
    assert first.shape == (20000, 2)
    error = first.std(0) / np.sqrt(len(first))
    assert (np.abs(first.mean(0) - means) < 5 * error).all()


def test_shapes_and_types_are_tensorflows(tf):
    for call in (
        lambda t: t.random.stateless_gamma([3, 2], [1, 2], [1.0, 2.0], dtype="float64"),
        lambda t: t.random.stateless_poisson([3, 2], [1, 2], [1.0, 2.0], "int64"),
        lambda t: t.random.stateless_binomial([3, 2], [1, 2], 5.0, [0.1, 0.2], "float32"),
        lambda t: t.random.poisson([3], [1.0, 2.0]),
        lambda t: t.random.categorical([[0.0, 1.0]], 3),
        lambda t: t.random.categorical([[0.0, 1.0]], 3, "int32"),
        lambda t: t.random.experimental.create_rng_state([5], "philox"),
    ):
        arrays(call, tf)


BAD = {
    "three seeds": lambda: mt.random.stateless_uniform([2], [1, 2, 3]),
    "a seed alone": lambda: mt.random.stateless_uniform([2], 1),
    "seeds that are floats": lambda: mt.random.stateless_normal([2], [1.0, 2.0]),
    "seeds of 8 bits": lambda: mt.random.stateless_normal([2], np.array([1, 2], np.int8)),
    "no such algorithm": lambda: mt.random.Generator.from_seed(1, alg="mersenne"),
    "an algorithm of TPUs": lambda: mt.random.Generator.from_seed(1, alg="threefry"),
    "a negative size": lambda: mt.random.stateless_normal([-1], [1, 2]),
    "only one limit": lambda: mt.random.stateless_uniform([2], [1, 2], dtype="int32"),
    "limits in reverse": lambda: mt.random.stateless_uniform([2], [1, 2], 5, 2, "int32"),
    "limits that are vectors": lambda: mt.random.stateless_uniform([2], [1, 2], [0, 1], 5, "int32"),
    "unsigned with a limit": lambda: mt.random.stateless_uniform([2], [1, 2], 0, 5, "uint32"),
    "integers that are normal": lambda: mt.random.stateless_normal([2], [1, 2], dtype="int32"),
    "a short state": lambda: mt.random.Generator.from_state([1, 2], "philox"),
    "nothing to start from": lambda: mt.random.Generator(),
    "a copy and a state": lambda: mt.random.Generator(
        mt.random.Generator.from_seed(1), [1, 2, 3], "philox"
    ),
    "logits of one axis": lambda: mt.random.categorical([0.0, 1.0], 2),
    "a shape that does not end so": lambda: mt.random.stateless_poisson([2], [1, 2], [1.0] * 3),
    "a probability above 1": lambda: mt.random.stateless_binomial([2], [1, 2], 3.0, 1.5),
    "a negative rate": lambda: mt.random.poisson([2], -1.0),
    "no generator": lambda: mt.random.set_global_generator(1),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_refused(what):
    with pytest.raises((ValueError, TypeError), match=r"\w+: "):
        BAD[what]()
