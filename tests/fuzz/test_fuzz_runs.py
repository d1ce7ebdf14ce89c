"""Short runs of the generators beside this file; CONTRIBUTING has the commands of the long ones."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minitensor as mt

HERE = Path(__file__).parent


def run(name, count, seed=0):
    """What a generator prints, if it found nothing."""
    done = subprocess.run(
        [sys.executable, HERE / name, "--count", str(count), "--seed", str(seed)],
        env=os.environ | {"PYTHONPATH": str(HERE.parents[1]), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_560_damaged_files_are_read_or_refused_in_little_time_and_memory():
    pytest.importorskip("h5py")
    pytest.importorskip("safetensors")
    found = re.findall(r"(\d+) read, (\d+) refused", run("files.py", 560))
    assert len(found) == 28
    assert all(int(refused) > 0 for _, refused in found)
    assert sum(int(read) for read, _ in found) > 20


def test_200_random_taped_programs_give_what_tensorflow_gives(tf):
    assert "200 programs, 0 differences" in run("tape.py", 200, seed=300)


def test_20_random_chains_give_what_tensorflow_gives(tf):
    assert "20 chains, 0 differ" in run("data.py", 20)


def test_chosen_elements_are_concatenated_though_tensorflow_takes_them_for_scalars(tf):
    """The reason of `TF_FAULTS` in data.py."""
    found = []
    for engine in (tf, mt):
        d = engine.data.Dataset
        plain = d.from_tensor_slices([[1, 2], [3, 4]])
        chosen = d.choose_from_datasets([plain, plain], d.range(2))
        assert chosen.element_spec.shape == plain.element_spec.shape == (2,)
        assert len(list(plain.concatenate(plain))) == 4
        found.append(chosen.concatenate(chosen))
    theirs, ours = found
    assert [x.numpy().tolist() for x in ours] == [[1, 2]] * 4
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"expected \[2\] but got \[\]"):
        list(theirs)


def test_rows_without_numbers_are_unbatched_though_tensorflow_dies(tf):
    """The reason of `unbatches_nothing` in data.py."""
    program = (
        "import numpy as np, {} as tf\n"
        "d = tf.data.Dataset.from_tensor_slices(np.zeros((4, 0), np.float32))\n"
        "print([x.shape for x in d.batch(2).unbatch().as_numpy_iterator()])"
    )
    ours, theirs = (
        subprocess.run(
            [sys.executable, "-c", program.format(engine)],
            env=os.environ | {"PYTHONPATH": str(HERE.parents[1]), "CUDA_VISIBLE_DEVICES": "-1"},
            capture_output=True,
            text=True,
            check=False,
        )
        for engine in ("minitensor", "tensorflow")
    )
    assert ours.stdout == "[(0,), (0,), (0,), (0,)]\n"
    assert theirs.returncode < 0


def test_windows_of_a_refused_batch_are_refused_though_tensorflow_has_none(tf):
    """The reason of `lost_in_a_window` in data.py."""
    for engine, refusal in ((tf, tf.errors.InvalidArgumentError), (mt, ValueError)):
        rows = engine.data.Dataset.range(2).map(lambda n, tf=engine: tf.fill([n], n))
        batch = rows.take(9).batch(4)  # one, of two rows of different lengths
        with pytest.raises(refusal, match="Cannot batch tensors with different shapes"):
            list(batch)
        if engine is tf:
            assert list(batch.window(1)) == []
        else:
            with pytest.raises(refusal, match="Cannot batch tensors with different shapes"):
                list(batch.window(1))


def test_6_random_models_are_those_of_keras(tf):
    assert "6 models ({'1 axes': 2, '2 axes': 3, '3 axes': 1}), 0 differ" in run("models.py", 6)


def test_6_random_trainings_go_as_in_keras(tf):
    assert re.search(r"6 trainings \(.*\), 0 differ", run("trainings.py", 6))


def test_a_training_may_differ_as_far_as_keras_does_from_itself_and_no_further(monkeypatch):
    monkeypatch.syspath_prepend(HERE)
    from trainings import assert_same, beside, room_of

    keras = {"loss": [1.0, 2.0], "weights": [np.array([3.0, 4.0])], "files": ["a"]}
    others = [keras | {"weights": [np.array([3.0, 4.0 + step])]} for step in (1e-6, -2e-6)]
    room = room_of(keras, others)
    assert_same(others[0], keras, room)
    assert_same(keras | {"weights": [np.array([3.0, 4.0 + 7e-6])]}, keras, room)
    for wrong in (
        {"weights": [np.array([3.0, 4.0 + 9e-6])]},  # beyond four times
        {"weights": [np.array([3.0, np.nan])]},
        {"loss": [1.0, 2.000001]},  # where Keras agrees with itself
        {"files": ["b"]},
    ):
        with pytest.raises(AssertionError, match="here"):
            assert_same(keras | wrong, keras, room)
    assert room_of(keras, [keras | {"files": []}]) is None
    moved = beside([np.array([1.0, 1.5, -3.0])], 0)[0]
    assert (np.abs(moved - [1.0, 1.5, -3.0]) <= np.spacing([1.0, 1.5, 3.0])).all()
