"""Any number of replicas trains as one: weights, losses, metrics, evaluate, predict."""

import sys
from pathlib import Path

import numpy as np
import pytest
import ranks

import minitensor as tf

PROGRAMS = Path(__file__).parent / "programs"
sys.path.insert(0, str(PROGRAMS))
import trained  # noqa: E402

TOLERANCE = {"float64": 1e-12, "float32": 1e-5}


@pytest.fixture(scope="module")
def alone():
    """Without any strategy."""
    try:
        return trained.all_cases(tf.distribute.get_strategy())
    finally:
        tf.keras.config.set_floatx("float32")


def check(found, alone):
    assert found.keys() == alone.keys()
    for name, expected in alone.items():
        tolerance = TOLERANCE[name.partition("/")[0]]
        worst = np.abs(found[name] - expected).max()
        assert found[name].shape == expected.shape
        assert worst <= tolerance * max(1.0, np.abs(expected).max()), (name, worst)


@pytest.mark.parametrize("count", [2, 4])
def test_replicas_of_one_process(count, alone):
    strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)])
    try:
        check(trained.all_cases(strategy), alone)
    finally:
        tf.keras.config.set_floatx("float32")


@ranks.needs_mpi
@pytest.mark.parametrize("count", [1, 2, 4])
def test_ranks(count, alone, tmp_path):
    found = ranks.run(count, PROGRAMS / "trained.py", tmp_path / "found", seconds=240)
    assert found.returncode == 0, found.text
    for rank in range(count):
        with np.load(tmp_path / f"found.{rank}.npz") as found:
            check(dict(found), alone)


def model(strategy, *more, optimizer="sgd"):
    with strategy.scope():
        made = tf.keras.Sequential([tf.keras.Input((3,)), *more, tf.keras.layers.Dense(1)])
        made.compile(optimizer, "mse")
    return made


def test_replicas_on_the_emulator():
    """Weights, batches and sums lie where the replicas compute."""
    found = []
    for kind in ("CPU", "EMULATOR"):
        tf.keras.utils.set_random_seed(0)
        strategy = tf.distribute.MirroredStrategy([f"{kind}:0", f"{kind}:1"])
        with strategy.scope():
            layers = (tf.keras.layers.Conv2D(2, 3), tf.keras.layers.Flatten())
            made = tf.keras.Sequential([tf.keras.Input((5, 5, 1)), *layers])
            made.compile("sgd", "mse")
        x = np.random.default_rng(0).random((3, 5, 5, 1))
        made.fit(x, np.ones((3, 18)), batch_size=3, epochs=2, verbose=0)
        assert kind in made.weights[0].device
        found.append([*made.get_weights(), made.predict(x, verbose=0)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_the_mean_of_a_ragged_batch_is_that_of_its_samples():
    """Keras under TensorFlow takes the mean of the replicas' means, whatever their samples."""
    x, y = np.diag([1.0, 2.0, 4.0]).astype(np.float32), np.ones((3, 1), np.float32)
    losses = []
    for strategy in (
        tf.distribute.get_strategy(),
        tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
    ):
        made = model(strategy)
        made.set_weights([np.ones((3, 1)), np.zeros(1)])
        losses.append(made.fit(x, y, batch_size=3, verbose=0).history["loss"][0])
        kernel, bias = made.get_weights()
        # by hand: errors 0, 1, 3; d/dk = 2/3 x e, d/db = 2/3 sum e; rate 0.01
        np.testing.assert_allclose(kernel.ravel(), 1 - 0.01 * 2 / 3 * np.array([0, 2, 12]), 1e-6)
        np.testing.assert_allclose(bias, -0.01 * 2 / 3 * 4, 1e-6)
    np.testing.assert_allclose(losses, 10 / 3, 1e-6)


def test_statistics_of_replicas_become_their_mean():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    layer = tf.keras.layers.BatchNormalization(momentum=0.0)
    made = model(strategy, layer)
    x = np.repeat(np.array([[1.0], [3.0], [5.0], [9.0]], np.float32), 3, axis=1)
    made.fit(x, np.ones((4, 1)), batch_size=4, shuffle=False, verbose=0)
    np.testing.assert_allclose(layer.moving_mean.numpy(), (2 + 7) / 2)  # of (1, 3) and (5, 9)
    np.testing.assert_allclose(layer.moving_variance.numpy(), (1 + 4) / 2)


def test_synchronized_statistics_are_those_of_all_pixels():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    layer = tf.keras.layers.BatchNormalization(momentum=0.0, synchronized=True)
    made = model(strategy, layer)
    x = np.repeat(np.array([[1.0], [3.0], [5.0], [9.0]], np.float32), 3, axis=1)
    made.fit(x, np.ones((4, 1)), batch_size=4, shuffle=False, verbose=0)
    np.testing.assert_allclose(layer.moving_mean.numpy(), x[:, 0].mean())
    np.testing.assert_allclose(layer.moving_variance.numpy(), x[:, 0].var(), rtol=1e-6)


def test_a_replica_that_meets_nan_is_named():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    made = model(strategy, tf.keras.layers.BatchNormalization(synchronized=True))
    x = np.ones((40, 3), np.float32)
    x[27] = np.nan  # in the third batch of ten, of which replica 1 has the second half
    before = made.get_weights()
    with pytest.raises(FloatingPointError, match=r"on replica 1 at step 2 of epoch 0.*inputs"):
        made.fit(x, x[:, :1], batch_size=10, shuffle=False, verbose=0)
    assert not any(np.isnan(w).any() for w in made.get_weights())
    assert len(before) == len(made.get_weights())


def test_an_overflow_on_one_replica_leaves_the_step_out_on_all():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    scaled = tf.keras.optimizers.LossScaleOptimizer
    with strategy.scope():
        rule = scaled(tf.keras.optimizers.SGD(0.1), initial_scale=2.0**10)
    made = model(strategy, optimizer=rule)
    x = np.ones((2, 3), np.float32)
    x[1] = 1e38  # the second replica's gradient overflows
    before = made.get_weights()
    made.fit(x, np.zeros((2, 1)), batch_size=2, verbose=0)
    for a, b in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [float(np.asarray(v)) for v in rule.dynamic_scale.values] == [2.0**9] * 2
