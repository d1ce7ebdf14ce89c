"""Arrays in files, np.load(mmap_mode="r"): read row by row, and never as a whole."""

import subprocess
import sys

import numpy as np
import pytest

import minitensor as mt

PROGRAM = """
import sys
import numpy as np
import minitensor as tf

def owned():
    "MiB of this process that are no file."
    words = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(words["RssAnon"].split()[0]) / 1024

x = np.load(sys.argv[1], mmap_mode="r")
y = np.arange(len(x)) % 10
model = tf.keras.Sequential([
    tf.keras.layers.Rescaling(1 / 255), tf.keras.layers.AveragePooling2D(32),
    tf.keras.layers.Flatten(), tf.keras.layers.Dense(10),
])
model.compile("sgd", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(x[:128], y[:128], verbose=0)
before = owned()
dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x)).batch(32)
count = sum(len(label) for image, label in dataset.prefetch(2))
model.fit(dataset, verbose=0)
model.fit(x, y, validation_split=0.2, verbose=0)
model.evaluate(x, y, verbose=0)
print(count, len(model.predict(x, verbose=0)), owned() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what memory is whose")
def test_a_train_set_in_a_file_is_not_read_into_memory(tmp_path):
    path = tmp_path / "images.npy"
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (8000, 96, 96, 3))  # 211 MiB
    images[::100] = 7
    del images
    words = [sys.executable, "-c", PROGRAM, str(path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    count, predicted, grown = done.stdout.split()
    assert count == predicted == "8000"
    assert float(grown) < 60


def test_rows_are_those_of_the_file(tmp_path):
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    np.save(tmp_path / "some.npy", values)
    mapped = np.load(tmp_path / "some.npy", mmap_mode="r")
    dataset = mt.data.Dataset.from_tensor_slices({"x": mapped, "k": np.arange(50)})
    for made in (dataset, dataset.shuffle(50), dataset.batch(7), dataset.shuffle(9).batch(7)):
        for element in made:
            np.testing.assert_array_equal(element["x"], values[element["k"].numpy()])
            assert type(element["x"].numpy()) is not np.memmap
