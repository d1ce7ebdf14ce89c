"""The course's programs with four lines of tf.distribute: the same losses here and in TensorFlow.

`programs/losses.json` holds what TensorFlow's two workers computed; the slow test asks it again,
`python tests/distribute/test_seed_programs.py` records it anew.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import ranks
import tf_workers

PROGRAMS = Path(__file__).parent / "programs"
RECORD = PROGRAMS / "losses.json"
CASES = [("lenet5", 1), ("lenet5", 2), ("resnet18", 2)]  # alone, batch norm is another function
NAMES = ["lenet5", "resnet18"]
SHAPES = [(3, 3, 1, 6), (6,), (3, 3, 6, 16), (16,), (400, 120), (120,), (120, 84), (84,), (84, 10)]


def write_data(folder):
    """Images, labels and LeNet-5's first weights."""
    random, path = np.random.default_rng(0), folder / "data.npz"
    images = random.normal(size=(120, 28, 28, 1)).astype(np.float32)
    labels = random.integers(0, 10, 120)
    weights = {
        f"w{i}": (random.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))).astype(np.float32)
        for i, shape in enumerate([*SHAPES, (10,)])
    }
    np.savez(path, x=images, y=labels, **weights)
    return path


def tolerance(name):
    """float32 sums over up to 4,608 products, through ten (LeNet-5) or six updates."""
    return {"lenet5": 1e-5, "resnet18": 5e-4}[name]


@ranks.needs_mpi
@pytest.mark.parametrize(("name", "count"), CASES)
def test_losses_are_tensorflows(tmp_path, name, count):
    recorded = json.loads(RECORD.read_text())
    found = ranks.run(count, PROGRAMS / f"{name}.py", write_data(tmp_path))
    assert found.returncode == 0, found.text
    lists = re.findall(r"\[\d.*?\]", found.text)  # mpiexec may join the lines of two ranks
    assert len(lists) == count
    for losses in map(json.loads, lists):
        np.testing.assert_allclose(losses, recorded[name], rtol=tolerance(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_record_is_what_tensorflow_computes(tmp_path, name):
    asked = tf_workers.under_tensorflow(2, PROGRAMS / f"{name}.py", write_data(tmp_path))
    recorded = json.loads(RECORD.read_text())
    for losses in asked:
        np.testing.assert_allclose(losses, recorded[name], rtol=tolerance(name))


if __name__ == "__main__":
    import tempfile

    import tensorflow

    with tempfile.TemporaryDirectory() as made:
        data = write_data(Path(made))
        record = {"tensorflow": tensorflow.__version__} | {
            name: tf_workers.under_tensorflow(2, PROGRAMS / f"{name}.py", data)[0] for name in NAMES
        }
    RECORD.write_text(json.dumps(record, indent=1) + "\n")
    sys.stdout.write(RECORD.read_text())
