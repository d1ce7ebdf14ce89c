"""Strategies, contexts, variables and datasets answer as TensorFlow's: one program, run by both."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import ranks
from side_by_side import described, find

import minitensor as tf

PROBES = Path(__file__).parent / "programs" / "probes.py"


def answers(*command):
    said = subprocess.run(
        [sys.executable, *map(str, command)],
        env=ranks.environment(TF_CPP_MIN_LOG_LEVEL="3"), capture_output=True, text=True,
        timeout=200, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr[-3000:]
    return json.loads(said.stdout.strip().splitlines()[-1])


def test_probes_answer_as_in_tensorflow():
    theirs, ours = answers(PROBES), answers("-m", "minitensor", "run", PROBES)
    assert theirs.keys() == ours.keys()
    assert len(theirs) > 30
    for name, expected in theirs.items():
        assert near(ours[name], expected), (name, ours[name], expected)


def near(a, b):
    if isinstance(b, dict):
        return isinstance(a, dict) and a.keys() == b.keys() and all(near(a[k], b[k]) for k in b)
    if isinstance(b, list):
        return isinstance(a, list) and len(a) == len(b) and all(map(near, a, b))
    return np.isclose(a, b, rtol=1e-6) if isinstance(b, float) else a == b


@pytest.mark.parametrize(
    "name",
    [
        *("Strategy", "OneDeviceStrategy", "MirroredStrategy", "MultiWorkerMirroredStrategy"),
        *("ReplicaContext", "InputContext", "InputOptions", "RunOptions", "NcclAllReduce"),
        *("HierarchicalCopyAllReduce", "ReductionToOneDevice"),
        *("experimental.CommunicationOptions", "experimental.ValueContext"),
    ],
)
def test_methods_and_arguments_are_tensorflows(name):
    import tensorflow

    ours, theirs = (find(library.distribute, name) for library in (tf, tensorflow))
    for method in ["__init__", *(n for n in vars(ours) if n[0] != "_")]:
        mine, other = getattr(ours, method), getattr(theirs, method, None)
        own = method == "__init__" and name == "Strategy"  # TensorFlow's takes its own inside
        if inspect.isfunction(mine) and other is not None and not own:
            assert described(mine) == described(other), method


def two():
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def test_a_replica_that_stays_away_is_named():
    strategy = two()

    def uneven():
        context = tf.distribute.get_replica_context()
        if context.replica_id_in_sync_group == 1:
            context.all_reduce("SUM", tf.constant(1.0))

    with pytest.raises(RuntimeError, match="replica 1 waits in a collective that replica 0 never"):
        strategy.run(uneven)
    assert strategy.run(lambda: 1) == 1  # and the next run goes well


def test_what_a_layer_makes_in_its_first_call_is_made_once():
    strategy = two()
    with strategy.scope():
        layer = tf.keras.layers.Dense(2)

    def call():
        return layer(tf.ones([1, 3]))

    first, second = strategy.run(call).values
    np.testing.assert_array_equal(first, second)
    assert len(layer.weights) == 2
    assert len(layer.kernel.values) == 2


def test_replicas_draw_different_numbers_the_same_in_every_run():
    strategy = two()

    def drawn():
        tf.random.set_seed(3)
        return [np.asarray(v) for v in strategy.run(lambda: tf.random.normal([4])).values]

    first, second = drawn()
    assert not np.allclose(first, second)
    np.testing.assert_array_equal([first, second], drawn())
    layer = tf.keras.layers.Dropout(0.5, seed=1)
    a, b = strategy.run(lambda: layer(tf.ones([64]), training=True)).values
    assert not np.array_equal(a, b)


def test_devices_are_refused_by_name():
    with pytest.raises(ValueError, match="No duplicates allowed"):
        tf.distribute.MirroredStrategy(["CPU:0", "/cpu:0"])
    with pytest.raises(ValueError, match="mpiexec -n 2 minitensor run --device gpu"):
        tf.distribute.MirroredStrategy(["GPU:0", "GPU:1"])
    with pytest.raises(ValueError, match="TPU"):
        tf.distribute.MirroredStrategy(["TPU:0"])
    with pytest.raises(ValueError, match="legal names"):
        tf.distribute.OneDeviceStrategy("elsewhere")
    with pytest.raises(AttributeError, match="replicas hold the whole model"):
        tf.distribute.ParameterServerStrategy  # noqa: B018


def test_a_model_of_a_strategy_can_be_copied_and_saved(tmp_path):
    import copy

    with two().scope():
        model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
        model.compile("adam", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    model.save(tmp_path / "m.keras")
    again = tf.keras.models.load_model(tmp_path / "m.keras")
    for other in (again, copy.deepcopy(model)):
        for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
