"""A training that is killed goes on, and ends with the same weights, bit for bit."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import killed_training as killed
import ml_dtypes
import numpy as np
import pytest

import minitensor as mt
from minitensor import keras
from minitensor.backend import generator
from minitensor.keras.callbacks import state_file

ROOT = Path(__file__).parents[2]
KINDS = ["arrays", "dataset", "repeat"]


# ----- the generator -----


def test_the_generator_goes_on_from_its_state_after_a_trip_through_json():
    generator.set_seed(3)
    generator.generator().random(3, np.float32)  # leaves half a draw behind
    saved = json.loads(json.dumps(generator.state()))
    first = generator.generator().random(4, np.float32)
    generator.restore(saved)
    np.testing.assert_array_equal(generator.generator().random(4, np.float32), first)


@pytest.mark.parametrize("bad", [{}, {"bit_generator": "PCG64", "state": 3}, 5, None])
def test_a_state_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match="not the state of a generator"):
        generator.restore(bad)


def test_draws_inside_using_leave_the_shared_generator_alone():
    generator.set_seed(3)
    before = generator.state()
    with generator.using(np.random.default_rng(0)):
        inside = generator.generator().random(2)
        with generator.using(np.random.default_rng(1)):
            np.testing.assert_array_equal(
                generator.generator().random(2), np.random.default_rng(1).random(2)
            )
    np.testing.assert_array_equal(inside, np.random.default_rng(0).random(2))
    assert generator.state() == before


def test_another_thread_does_not_see_using():
    seen = []
    with generator.using(np.random.default_rng(0)) as _:
        mine = generator.generator()
        thread = threading.Thread(target=lambda: seen.append(generator.generator()))
        thread.start()
        thread.join()
    assert seen[0] is not mine


# ----- the file -----

STATE = {
    "weights": [("a", np.arange(6, dtype=np.float32).reshape(2, 3).T)],
    "kinds": [np.zeros((0, 3)), np.float64(1 / 3), np.ones(3, ml_dtypes.bfloat16), np.array(True)],
    "generator": {"state": 2**127 + 1, "none": None},
    "history": {"loss": [0.1, float("inf")], "stopped": False},
}


def same(a, b):
    """Equal to the bit, lists for tuples."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray | np.generic):
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    return type(a) is type(b) and a == b


def test_a_checkpoint_reads_as_it_was_written(tmp_path):
    path = state_file.write_next(tmp_path, STATE)
    assert same(STATE, state_file.read(path))


def test_every_damage_to_a_checkpoint_is_noticed(tmp_path):
    whole = state_file.write_next(tmp_path, STATE).read_bytes()
    rng, path = random.Random(0), tmp_path / "damaged"
    for trial in range(300):
        broken = bytearray(whole)
        if trial % 2:
            del broken[rng.randrange(len(whole)) :]
        else:
            broken[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="damaged"):
            state_file.read(path)


def test_the_last_two_checkpoints_are_kept(tmp_path):
    for _ in range(4):
        state_file.write_next(tmp_path, STATE)
    assert [path.name for path in state_file.paths(tmp_path)] == [
        "state-00000003.safetensors",
        "state-00000002.safetensors",
    ]


def test_what_a_process_left_that_was_killed_while_it_wrote_goes_with_the_next_checkpoint(tmp_path):
    (tmp_path / ".state-00000000.safetensors.x1").write_bytes(b"half")
    path = state_file.write_next(tmp_path, STATE)
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, capsys):
    state_file.write_next(tmp_path, {"number": 1})
    newest = state_file.write_next(tmp_path, {"number": 2})
    newest.write_bytes(newest.read_bytes()[:-1])
    assert state_file.read_newest(tmp_path) == {"number": 1}
    assert "state-00000001.safetensors is damaged" in capsys.readouterr().out


def test_if_all_checkpoints_are_damaged_it_says_so(tmp_path):
    state_file.write_next(tmp_path, {"number": 1}).write_bytes(b"")
    with pytest.raises(ValueError, match="all 1 are damaged"):
        state_file.read_newest(tmp_path)


def test_a_checkpoint_holds_no_objects(tmp_path):
    with pytest.raises(TypeError, match="a checkpoint holds arrays"):
        state_file.write(tmp_path / "x", {"a": {1, 2}})


# ----- Ctrl-C -----


class CtrlC(keras.callbacks.Callback):
    """Presses Ctrl-C at one moment of a training: at the nth call of a hook."""

    def __init__(self, hook, number):
        super().__init__()
        self._left = number
        setattr(self, hook, self._press)

    def _press(self, *args, **kwargs):
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    """Digests of trainings that nobody disturbs."""
    return {kind: killed.train(tmp_path_factory.mktemp(kind), kind, "epoch") for kind in KINDS}


MOMENTS = [
    ("on_train_batch_begin", 1),
    ("on_train_batch_begin", 7),
    ("on_train_batch_end", 8),
    ("on_train_batch_end", 10),
    ("on_test_begin", 2),
    ("on_test_batch_end", 1),
    ("on_epoch_end", 2),
    ("on_epoch_begin", 3),
    ("on_train_end", 1),
]


@pytest.mark.parametrize(
    ("kind", "hook"),
    [*(("dataset", hook) for hook in MOMENTS), ("arrays", MOMENTS[2]), ("repeat", MOMENTS[7])],
    ids=str,
)
def test_ctrl_c_leaves_the_last_step_that_was_finished(wanted, tmp_path, kind, hook):
    save_freq = "epoch" if hook[0] == "on_train_end" else False
    with pytest.raises(KeyboardInterrupt):
        killed.train(tmp_path, kind, save_freq, [CtrlC(*hook)])
    if hook[1] > 1 and "batch" in hook[0]:
        assert done(tmp_path, 4 if kind == "repeat" else 5) == hook[1] - 1
    assert killed.train(tmp_path, kind, save_freq) == wanted[kind]


def done(folder, steps):
    """Steps that the newest checkpoint knows of, of epochs of so many."""
    fit = state_file.read_newest(folder / "backup")["fit"]
    return fit["epoch"] * steps + fit["step"]


@pytest.mark.parametrize("how", ["signal", "at once"])
def test_ctrl_c_in_the_middle_of_a_step_leaves_a_whole_one(wanted, tmp_path, monkeypatch, how):
    dropout, calls = keras.layers.Dropout.call, []

    def call(self, inputs, training=False):
        calls.append(training)
        if sum(calls) == 7 and how == "signal":
            signal.raise_signal(signal.SIGINT)
        elif sum(calls) == 7:
            raise KeyboardInterrupt
        return dropout(self, inputs, training=training)

    with monkeypatch.context() as patch:
        patch.setattr(keras.layers.Dropout, "call", call)
        with pytest.raises(KeyboardInterrupt):
            killed.train(tmp_path, "dataset", False)
    assert done(tmp_path, 5) == (7 if how == "signal" else 6)
    assert killed.train(tmp_path, "dataset", False) == wanted["dataset"]


OPTIMIZERS = ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW", "Adamax", "Nadam", "Ftrl")


@pytest.mark.parametrize("name", [n for n in OPTIMIZERS if hasattr(keras.optimizers, n)])
def test_a_step_writes_into_no_array_that_is_remembered(name):
    model = killed.net()
    settings = {"momentum": 0.9} if name == "SGD" else {}
    model.compile(getattr(keras.optimizers, name)(0.1, **settings), "mse", metrics=["mae"])
    x, y = np.ones((4, 6, 6, 1), np.float32), np.ones((4, 3), np.float32)
    model.train_on_batch(x, y)
    every = [*model.weights, *model.optimizer.variables]
    arrays = [v.array for v in every]
    copies = [np.array(a) for a in arrays]
    model.train_on_batch(x, y)
    assert all(same(np.asarray(a), b) for a, b in zip(arrays, copies, strict=True))
    assert not all(same(v.numpy(), b) for v, b in zip(every, copies, strict=True))


# ----- BackupAndRestore -----


def fitted(folder, net=None, optimizer="sgd", epochs=1, **settings):
    """A small training with a backup that stays; returns the model."""
    layers = [keras.Input((2,)), keras.layers.Dense(3)] if net is None else net
    model = keras.Sequential(layers)
    model.compile(optimizer, "mse")
    settings = {"delete_checkpoint": False, **settings}
    x, y = np.ones((4, 2), np.float32), np.ones((4, 3), np.float32)
    backup = keras.callbacks.BackupAndRestore(folder, **settings)
    model.fit(x, y, batch_size=1, epochs=epochs, verbose=0, callbacks=[backup])
    return model


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"net": [keras.Input((2,)), keras.layers.Dense(3, use_bias=False)]}, "2 variables of"),
        ({"net": [keras.Input((2,)), keras.layers.Dense(3, dtype="float64")]}, "float64"),
        ({"optimizer": "adam"}, "variables of the optimizer"),
        ({"optimizer": "nadam"}, "variables of the optimizer"),
    ],
    ids=["layers", "type", "slots", "more slots"],
)
def test_the_checkpoint_of_another_training_is_refused(tmp_path, change, words):
    fitted(tmp_path)
    with pytest.raises(ValueError, match="belongs to another training") as error:
        fitted(tmp_path, **change)
    assert words in str(error.value)


def test_another_rule_with_the_same_variables_is_refused(tmp_path):
    fitted(tmp_path, optimizer=keras.optimizers.Adagrad())
    with pytest.raises(ValueError, match="optimizer Adagrad"):
        fitted(tmp_path, optimizer=keras.optimizers.SGD(0.001, momentum=0.5))


def test_a_training_that_was_finished_is_not_repeated_but_can_be_longer(tmp_path):
    first = fitted(tmp_path, epochs=2)
    again = fitted(tmp_path, epochs=2)
    assert again.history.epoch == [0, 1]
    assert all(map(same, first.get_weights(), again.get_weights()))
    assert fitted(tmp_path, epochs=3).history.epoch == [0, 1, 2]


def test_a_training_on_a_device_goes_on_there(tmp_path):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    with mt.device("emulator"):
        mt.random.set_seed(1)
        wanted = fitted(whole, optimizer="adam", epochs=2)
        mt.random.set_seed(1)
        fitted(halves, optimizer="adam", epochs=1)
        again = fitted(halves, optimizer="adam", epochs=2)
    assert again.weights[0].device == wanted.weights[0].device
    assert all(map(same, wanted.get_weights(), again.get_weights()))


def test_checkpoints_go_when_the_training_is_over_and_nothing_else(tmp_path):
    folder = tmp_path / "a"
    fitted(folder, delete_checkpoint=True)
    assert not folder.exists()
    folder.mkdir()
    (folder / "mine").touch()
    fitted(folder, delete_checkpoint=True)
    assert [path.name for path in folder.iterdir()] == ["mine"]


@pytest.mark.parametrize(("save_freq", "files"), [("epoch", 2), (1, 2), (7, 1), (9, 0), (False, 0)])
def test_steps_are_counted_over_epochs(tmp_path, save_freq, files):
    fitted(tmp_path, epochs=2, save_freq=save_freq)
    assert len(state_file.paths(tmp_path)) == files


def test_arguments_that_mean_nothing_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Empty `backup_dir`"):
        keras.callbacks.BackupAndRestore("")
    with pytest.raises(ValueError, match="save_freq"):
        keras.callbacks.BackupAndRestore(tmp_path, save_freq="batch")


# ----- kill -9 -----


def program(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, ROOT / "tests" / "support" / "killed_training.py", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if environment else None,
        text=True,
    )


def test_a_program_that_is_killed_and_run_again_ends_as_if_it_had_not_been(wanted, tmp_path):
    """Fresh interpreters: nothing that lives in a process helps."""
    deaths = []
    for kill, how in enumerate((signal.SIGKILL, signal.SIGINT, signal.SIGKILL)):
        with program(tmp_path, PYTHONHASHSEED=str(kill)) as run:
            newest = tmp_path / "backup" / f"state-{4 * kill + 3:08}.safetensors"
            while not newest.exists() and run.poll() is None:
                time.sleep(0.002)
            run.send_signal(how)
        deaths.append(-run.returncode)
    with program(tmp_path, PYTHONHASHSEED="7") as run:
        assert run.stdout.read().strip() == wanted["dataset"]
    assert signal.SIGKILL in deaths


def report(folder, kills, seed):
    with program(folder, "--kills", kills, "--seed", seed) as run:
        return json.loads(run.stdout.read())


def test_eight_kills_at_random_moments_lose_nothing(tmp_path):
    found = report(tmp_path, 8, seed=1)
    assert found["kills"] >= 8
    assert (found["different"], found["lost"]) == ([], [])


@pytest.mark.slow
def test_two_hundred_kills_at_random_moments_lose_nothing(tmp_path):
    """166 to 239 s on two cores shared with nine others."""
    found = report(tmp_path, 200, seed=2)
    assert found["kills"] >= 200
    assert min(found["in a write"], found["anywhere"]) >= 50
    assert (found["different"], found["lost"]) == ([], [])
