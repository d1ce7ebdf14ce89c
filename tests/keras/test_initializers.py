"""Initializers, regularizers and constraints: bounds, variances, values, names, against Keras."""

import math

import numpy as np
import pytest
from keras_peer import close

import minitensor as mt

INITIALIZERS = mt.keras.initializers
KERNEL = (3, 3, 32, 64)  # fan in 288, fan out 576
DENSE = (100, 300)

# The deviation of N(0, 1) without what lies beyond 2: 1 - 4 * pdf(2) / (cdf(2) - cdf(-2)), rooted.
CUT = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


@pytest.mark.parametrize(
    ("name", "variance", "of_bound"),
    [
        ("glorot_uniform", lambda i, o: 2 / (i + o), math.sqrt(3)),
        ("glorot_normal", lambda i, o: 2 / (i + o), 2 / CUT),
        ("he_uniform", lambda i, o: 2 / i, math.sqrt(3)),
        ("he_normal", lambda i, o: 2 / i, 2 / CUT),
        ("lecun_uniform", lambda i, o: 1 / i, math.sqrt(3)),
        ("lecun_normal", lambda i, o: 1 / i, 2 / CUT),
    ],
)
@pytest.mark.parametrize(
    ("shape", "inputs", "outputs"), [(KERNEL, 288, 576), (DENSE, 100, 300), ((9000,), 9000, 9000)]
)
def test_variance_and_bound_follow_from_the_fans(name, variance, of_bound, shape, inputs, outputs):
    w = INITIALIZERS.get(name)(shape, "float64").numpy()
    deviation = math.sqrt(variance(inputs, outputs))
    assert abs(w.mean()) < 5 * deviation / math.sqrt(w.size)
    assert abs(w.std() / deviation - 1) < 5 / math.sqrt(w.size)
    assert 0.98 < np.abs(w).max() / (deviation * of_bound) <= 1


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["uniform", "truncated_normal", "untruncated_normal"])
def test_variance_scaling_has_the_moments_and_bounds_of_keras(tf, mode, distribution):
    ours, theirs = (
        np.asarray(k.initializers.VarianceScaling(1.5, mode, distribution, seed=1)(KERNEL))
        for k in (mt.keras, tf.keras)
    )
    assert ours.dtype == theirs.dtype
    assert abs(ours.std() / theirs.std() - 1) < 0.02
    if distribution != "untruncated_normal":
        assert abs(np.abs(ours).max() / np.abs(theirs).max() - 1) < 0.02


def test_fans_are_those_of_keras_for_every_shape(tf):
    from keras.src.initializers import random_initializers as theirs

    from minitensor.keras.initializers.random_initializers import compute_fans

    for shape in ((), (3,), (3, 5), (7, 3, 5), (3, 3, 4, 8), (2, 3, 3, 4, 8)):
        assert compute_fans(shape) == theirs.compute_fans(shape)
    axes = ((2, 3, 4), (0, 1), (2,))
    assert compute_fans(*axes) == theirs.compute_fans(*axes) == (6, 4)


def test_normal_uniform_and_truncated_numbers_have_their_moments():
    n = 40_000
    normal = INITIALIZERS.RandomNormal(1.0, 2.0)((n,)).numpy()
    assert abs(normal.mean() - 1) < 10 / math.sqrt(n)
    assert abs(normal.std() / 2 - 1) < 5 / math.sqrt(n)
    uniform = INITIALIZERS.RandomUniform(-1.0, 3.0)((n,)).numpy()
    assert -1 <= uniform.min() < -0.99 < 2.99 < uniform.max() < 3
    truncated = INITIALIZERS.TruncatedNormal(1.0, 2.0)((n,)).numpy()
    assert 3.9 < np.abs(truncated - 1).max() <= 4
    assert abs(truncated.std() / (2 * CUT) - 1) < 5 / math.sqrt(n)


@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8), (3, 2, 4, 5)])
def test_orthogonal_matrices_have_orthogonal_rows_or_columns(shape):
    w = INITIALIZERS.Orthogonal(gain=2.0)(shape, "float64").numpy().reshape(-1, shape[-1])
    product = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_constants_and_identities_are_those_of_keras(tf):
    for make in (
        lambda i: i.Zeros()((2, 3)),
        lambda i: i.Ones()((2, 3), "float64"),
        lambda i: i.Constant(1.5)((2, 3)),
        lambda i: i.Constant([1.0, 2.0, 3.0])((2, 3)),
        lambda i: i.Identity(2.0)((3, 4)),
        lambda i: i.get("identity")((2, 2)),
        lambda i: i.get("one")((2, 2)),
    ):
        close(np.asarray(make(INITIALIZERS)), np.asarray(make(tf.keras.initializers)), 0)


def test_an_array_with_as_many_elements_as_the_weight_is_laid_out_anew():
    value = np.arange(9.0).reshape(1, 3, 3)  # seed 002 gives a kernel so
    w = INITIALIZERS.Constant(value)((3, 3, 1, 1)).numpy()
    assert w.ravel().tolist() == list(range(9))
    layer = mt.keras.layers.Conv2D(1, 3, kernel_initializer=INITIALIZERS.constant(value))
    assert layer(mt.ones([1, 3, 3, 1])).numpy().item() == 36
    assert (INITIALIZERS.get(value)((1, 3, 3)).numpy() == value).all()
    with pytest.raises(ValueError, match="does not fit a weight of shape"):
        INITIALIZERS.Constant(value)((2, 2))


def test_a_seed_gives_the_same_numbers_and_none_gives_others():
    for name in ("GlorotUniform", "HeNormal", "RandomNormal", "RandomUniform", "Orthogonal"):
        cls = getattr(INITIALIZERS, name)
        assert (cls(seed=3)((4, 4)).numpy() == cls(seed=3)((4, 4)).numpy()).all()
        assert (cls()((4, 4)).numpy() != cls()((4, 4)).numpy()).any()
    runs = []
    for _ in range(2):
        mt.random.set_seed(7)
        runs.append(INITIALIZERS.HeNormal()((4, 4)).numpy())
    assert (runs[0] == runs[1]).all()


def test_new_weights_have_the_float_type_of_the_configuration():
    mt.keras.config.set_floatx("float64")
    try:
        for name in ("zeros", "glorot_uniform", "identity", "orthogonal", "truncated_normal"):
            assert INITIALIZERS.get(name)((2, 2)).dtype == np.float64
    finally:
        mt.keras.config.set_floatx("float32")


def test_everything_keras_finds_by_name_is_found(tf):
    for module, lacking in (
        ("initializers", {"STFT", "STFTInitializer", "stft", "Initializer", "initializer"}),
        ("regularizers", set()),
        ("constraints", set()),
    ):
        import importlib

        known = importlib.import_module(f"keras.src.{module}").ALL_OBJECTS_DICT
        for name in set(known) - lacking - {"Constant", "constant"}:  # Keras needs a value there
            ours = getattr(mt.keras, module).get(name)
            assert type(ours).__name__ == type(getattr(tf.keras, module).get(name)).__name__
        with pytest.raises(ValueError, match="Could not interpret"):
            getattr(mt.keras, module).get("nothing")
        assert getattr(mt.keras, module).get(None) is None


def test_module_names_are_those_of_keras(tf):
    for module in ("initializers", "regularizers", "constraints", "activations"):
        public = {n for n in dir(getattr(tf.keras, module)) if not n.startswith("_")}
        ours = set(dir(getattr(mt.keras, module)))
        assert public - ours <= {"STFT", "STFTInitializer", "stft"}, module


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda i: i.VarianceScaling(0.0), "scale"),
        (lambda i: i.VarianceScaling(mode="fan"), "mode"),
        (lambda i: i.VarianceScaling(distribution="cauchy"), "distribution"),
        (lambda i: i.GlorotUniform(seed="a"), "seed"),
        (lambda i: i.Orthogonal()((3,)), "two-dimensional"),
        (lambda i: i.Identity()((3,)), "2D matrices"),
    ],
)
def test_what_keras_refuses_is_refused(tf, make, message):
    for initializers in (INITIALIZERS, tf.keras.initializers):
        with pytest.raises(ValueError, match=message):
            make(initializers)


# ----- regularizers, constraints -----

W = np.random.default_rng(0).normal(size=(4, 5))


@pytest.mark.parametrize(
    "make",
    [
        lambda r: r.L1(0.3),
        lambda r: r.L2(0.3),
        lambda r: r.l2(0.01),
        lambda r: r.L1L2(0.1, 0.2),
        lambda r: r.l1_l2(l2=0.2),
        lambda r: r.get("l1"),
        lambda r: r.get("l2"),
        lambda r: r.get("l1l2"),
        lambda r: r.OrthogonalRegularizer(0.5),
        lambda r: r.OrthogonalRegularizer(0.5, mode="columns"),
    ],
)
def test_penalties_and_their_gradients_are_those_of_keras(tf, make):
    results = []
    for library in (mt, tf):
        w = library.Variable(W.astype("float32"))
        with library.GradientTape() as tape:
            loss = make(library.keras.regularizers)(w)
        gradient = tape.gradient(loss, w, unconnected_gradients="zero")
        results.append((np.asarray(loss), np.asarray(gradient)))
    for a, b in zip(*results, strict=True):
        close(a, b, 1e-6)


def test_l2_is_the_factor_times_the_sum_of_squares_and_not_half_of_it():
    assert mt.keras.regularizers.l2(0.5)([3.0, 4.0]).numpy() == 12.5


@pytest.mark.parametrize(
    "make",
    [
        lambda c: c.NonNeg(),
        lambda c: c.MaxNorm(1.0),
        lambda c: c.MaxNorm(1.0, axis=[0, 1]),
        lambda c: c.UnitNorm(),
        lambda c: c.UnitNorm(axis=1),
        lambda c: c.MinMaxNorm(0.5, 1.0, rate=0.3, axis=1),
        lambda c: c.get("max_norm"),
        lambda c: c.get("min_max_norm"),
        lambda c: c.get("unit_norm"),
    ],
)
def test_constraints_are_those_of_keras(tf, make):
    ours = make(mt.keras.constraints)(mt.constant(W.astype("float32")))
    theirs = make(tf.keras.constraints)(tf.constant(W.astype("float32")))
    close(np.asarray(ours), np.asarray(theirs), 1e-6)


def test_negative_factors_are_refused():
    for make in (mt.keras.regularizers.L1, mt.keras.regularizers.L2):
        for value in (-1.0, math.nan, "much"):
            with pytest.raises(ValueError, match="non-negative float"):
                make(value)
    with pytest.raises(ValueError, match="mode"):
        mt.keras.regularizers.OrthogonalRegularizer(mode="diagonals")
