"""Damaged files of weights and models: each loads with the right shapes, or is refused.

`python tests/keras/test_weight_fuzz.py SEED COUNT` tries COUNT files of each kind.
"""

import copy
import io
import json
import os
import resource
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

HEADROOM = 2**30  # bytes of address space beside what the libraries take
STRANGE = (None, True, -1, 0, 1.5, 10**6, 10**12, 10**30, 1e308, "", "relu", "x" * 999, [], {},
           [[]], [10**9, 10**9], {"class_name": "Dense", "config": {}})  # fmt: skip
HUGE = (2**16, 2**31, 2**40, 2**63 - 1, 2**64 - 1)


def mutated(draw, data):
    """A copy with some damage: flipped bits, a part moved, lost or repeated, a huge number."""
    data = bytearray(data)
    kind = draw.integers(6)
    at = int(draw.integers(len(data)))
    length = int(draw.integers(1, 64))
    if kind == 0:
        for place in draw.integers(len(data), size=draw.integers(1, 20)):
            data[place] ^= 1 << int(draw.integers(8))
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        start = int(draw.integers(len(data)))
        data[at : at + length] = data[start : start + length]
    elif kind == 3:
        data[at:at] = draw.bytes(length)
    elif kind == 4:
        del data[at : at + length]
    else:
        at -= at % 8
        data[at : at + 8] = HUGE[draw.integers(len(HUGE))].to_bytes(8, "little")
    return bytes(data)


def revalued(draw, data):
    """JSON with one to three of its values exchanged for others of any kind."""
    config = json.loads(data)
    for _ in range(draw.integers(1, 4)):
        spots = []
        waiting = [config]
        while waiting:
            value = waiting.pop()
            keys = range(len(value)) if isinstance(value, list) else list(value)
            spots += [(value, key) for key in keys]
            waiting += [value[key] for key in keys if isinstance(value[key], list | dict)]
        value, key = spots[draw.integers(len(spots))]
        value[key] = copy.deepcopy(STRANGE[draw.integers(len(STRANGE))])
    return json.dumps(config).encode()


def repacked(archive, name, data):
    """A .keras file with one of its parts exchanged, whose checksums are right."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(result, "w") as new:
        for other in old.namelist():
            new.writestr(other, data if other == name else old.read(other))
    return result.getvalue()


def campaign(seed, count):
    """Tries `count` files of each kind; prints how many were read and how many refused."""
    from minitensor import keras, train
    from minitensor.train import sorted_table
    from minitensor.train.bundle import write_bundle
    from minitensor.train.object_graph import KEY

    layers = keras.layers

    def make():
        parts = [layers.Conv2D(2, 3, name="c"), layers.BatchNormalization(name="b")]
        parts += [layers.Flatten(name="f"), layers.Dense(3, name="d")]
        model = keras.Sequential([keras.Input((6, 6, 1)), *parts])
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
        return model

    model = make()
    shapes = [w.shape for w in model.weights]
    whole, old, new, tensors = (
        Path(f"whole{end}") for end in (".keras", ".h5", ".weights.h5", ".safetensors")
    )
    model.save(whole)
    model.save(old)
    model.save_weights(new)
    model.save_weights(tensors)
    checkpoint = train.Checkpoint(model=model)
    files = [Path(checkpoint.write("ckpt") + end) for end in (".index", ".data-00000-of-00001")]
    index, numbers = (file.read_bytes() for file in files)
    reader = train.load_checkpoint("ckpt")
    tensors_of_checkpoint = {n: reader.get_tensor(n) for n, _ in train.list_variables("ckpt")}
    archive, text = whole.read_bytes(), model.to_json()
    with zipfile.ZipFile(whole) as inside:
        config, weights = inside.read("config.json"), inside.read("model.weights.h5")

    def load_weights(data):
        before = model.get_weights()
        try:
            model.load_weights(io.BytesIO(data))
        except BaseException:
            for a, b in zip(before, model.get_weights(), strict=True):
                np.testing.assert_array_equal(a, b)
            raise
        assert [w.shape for w in model.weights] == shapes

    def load_model(data):
        assert isinstance(keras.models.load_model(io.BytesIO(data)), keras.Model)

    def from_json(data):
        found = keras.models.model_from_json(data.decode("latin-1"))
        assert isinstance(found, keras.Model)

    def read_checkpoint():
        before = model.get_weights()
        try:
            checkpoint.read("ckpt").expect_partial()
        except BaseException:
            for a, b in zip(before, model.get_weights(), strict=True):
                np.testing.assert_array_equal(a, b)
            raise
        finally:
            files[0].write_bytes(index)
            files[1].write_bytes(numbers)

    def restore(file):
        return lambda data: (file.write_bytes(data), read_checkpoint())

    def without_sums(data):
        with mock.patch.object(sorted_table, "masked", return_value=mock.ANY):
            restore(files[0])(data)

    def with_graph(data):
        write_bundle("ckpt", tensors_of_checkpoint | {KEY: data})
        read_checkpoint()

    def parts(name):
        return lambda data: load_model(repacked(archive, name, data))

    kinds = {
        ".weights.h5": (new.read_bytes(), load_weights),
        ".h5, weights": (old.read_bytes(), load_weights),
        ".h5, whole": (old.read_bytes(), load_model),
        ".safetensors": (tensors.read_bytes(), load_weights),
        "checkpoint, .index": (index, restore(files[0])),
        "checkpoint, .data": (numbers, restore(files[1])),
        "checkpoint, .index, sums right": (index, without_sums),
        "checkpoint, graph": (tensors_of_checkpoint[KEY], with_graph),
        ".keras": (archive, load_model),
        "config.json": (config, parts("config.json")),
        "model.weights.h5": (weights, parts("model.weights.h5")),
        ".json": (text.encode(), from_json),
        "values of .json": (text.encode(), from_json),
    }
    warnings.simplefilter("ignore")
    for number, (kind, (data, load)) in enumerate(kinds.items()):
        load(data)
        read = 0
        for i in range(count):
            change = revalued if kind.startswith("values") else mutated
            broken = change(np.random.default_rng([seed, number, i]), data)
            try:
                load(broken)
                read += 1
            except (ValueError, OSError):
                continue
            except BaseException:
                print(f"{kind}: file {i} of seed {seed}", file=sys.stderr)
                raise
        print(f"{kind}: {read} read, {count - read} refused")


def limited(seed, count):
    """The campaign in a process that must do with little memory."""
    import minitensor.keras.saving  # noqa: F401 -- what it takes itself is not counted

    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmSize"):
            bound = int(line.split()[1]) * 1024 + HEADROOM
            resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    campaign(seed, count)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="counts memory as Linux does")
def test_728_damaged_files_are_read_or_refused_within_bounded_memory(tmp_path):
    pytest.importorskip("h5py")
    pytest.importorskip("safetensors")
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, __file__, "0", "56"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("refused") == 13
    assert done.stdout.count(" 0 refused") == 0


if __name__ == "__main__":
    limited(int(sys.argv[1]), int(sys.argv[2]))
