"""A small file takes little: what it is compiled with, its JSON and its layers are bounded.

Weights were bounded before (tests/fuzz/files.py). Here a few kilobytes ask for much, in each way
that a config has, and are refused by a clear error in little time and memory.
"""

import io
import json
import resource
import sys
import time
import zipfile

import numpy as np
import pytest

from minitensor import keras
from minitensor.keras.saving import model_from_json
from minitensor.keras.serialization import memory_budget

pytest.importorskip("h5py")
INPUT = {"class_name": "InputLayer", "config": {"batch_shape": [None, 8, 8, 1], "name": "i"}}


def thing(name, **config):
    return {"module": "keras.metrics", "class_name": name, "config": config}


def peak():
    """Megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**10 if sys.platform != "darwin" else 2**20
    )


def load_little(load, match, megabytes=300):
    """Refused, in little time and memory."""
    begin, before = time.process_time(), peak()
    with pytest.raises(ValueError, match=match):
        load()
    assert time.process_time() - begin < 10
    assert peak() - before < megabytes


@pytest.fixture(scope="module")
def saved():
    layers = [keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    model.compile("adam", "mse", metrics=["mae"])
    file = io.BytesIO()
    model.save(file)
    return file.getvalue()


def with_compiled(saved, **changes):
    """The file with another compile config."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved)) as old, zipfile.ZipFile(result, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                config["compile_config"] |= changes
                data = json.dumps(config)
            new.writestr(name, data)
    return io.BytesIO(result.getvalue())


METRICS = [
    *(thing("MeanIoU", num_classes=n) for n in (20_000, 2 * 10**9)),
    *(thing("IoU", num_classes=n, target_class_ids=[0]) for n in (20_000, 10**12)),
    *(thing(f"OneHot{name}", num_classes=20_000, **more) for name, more in
      (("MeanIoU", {}), ("IoU", {"target_class_ids": [0]}))),
    *(thing("AUC", num_thresholds=n) for n in (5 * 10**7, 2 * 10**9, 10**30)),
    thing("AUC", multi_label=True, num_labels=10**8),
]  # fmt: skip


@pytest.mark.parametrize("where", ["metrics", "weighted_metrics"])
@pytest.mark.parametrize(
    "metric", METRICS, ids=lambda m: str([m["class_name"], *m["config"].values()])
)
def test_a_metric_in_a_file_takes_no_more_than_its_share(saved, metric, where):
    file = with_compiled(saved, **{where: [metric]})
    load_little(lambda: keras.models.load_model(file), r"the file: a metric's .* are left")
    keras.models.load_model(file, compile=False)


def test_metrics_of_a_file_share_one_budget(saved):
    file = with_compiled(saved, metrics=[thing("MeanIoU", num_classes=1000)] * 100)
    load_little(lambda: keras.models.load_model(file), r"a metric's state .* are left")
    model = keras.models.load_model(
        with_compiled(saved, metrics=[thing("MeanIoU", num_classes=1000)])
    )
    assert model.compiled


@pytest.mark.parametrize("key", ["metrics", "loss", "optimizer", "loss_weights"])
def test_a_layer_in_a_compile_config_is_counted_too(saved, key):
    layer = {"class_name": "Dense", "config": {"units": 10**9}}
    layer["build_config"] = {"input_shape": [None, 10]}
    file = with_compiled(saved, **{key: layer})
    load_little(lambda: keras.models.load_model(file), r"a weight of shape .* are left")


TEXTS = {
    "objects": '{"a":[' + "{}," * 4_000_000 + "{}]}",
    "lists": '{"a":[' + "[]," * 4_000_000 + "[]]}",
    "numbers": '{"a":[' + "1.5," * 7_000_000 + "1]}",
    "keys": "{" + ",".join(f'"{i}":1.5' for i in range(2_000_000)) + "}",
    "one text": '{"a":"' + "x" * 2**25 + '"}',
    "depth": '{"a":' + "[" * 10**5 + "]" * 10**5 + "}",
}


@pytest.mark.parametrize("kind", TEXTS)
def test_json_is_bounded_by_its_values(saved, kind):
    text = TEXTS[kind]
    load_little(lambda: model_from_json(text), r"JSON of .* are read|recursion depth")
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved)) as old:
        parts = {name: old.read(name) for name in old.namelist()} | {"config.json": text}
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)
    load_little(
        lambda: keras.models.load_model(result), r"JSON of .* are read|recursion depth|are unpacked"
    )


def chain(calls):
    """A model of one layer, called so often in a row."""

    def call(i):
        history = ["i", 0, 0] if i == 0 else ["a", i - 1, 0]
        config = {"shape": [None, 8, 8, 1], "dtype": "float32", "keras_history": history}
        return {"args": [{"class_name": "__keras_tensor__", "config": config}], "kwargs": {}}

    layer = {"class_name": "Activation", "config": {"activation": "relu", "name": "a"}, "name": "a"}
    layers = [
        INPUT | {"name": "i", "inbound_nodes": []},
        layer | {"inbound_nodes": [call(i) for i in range(calls)]},
    ]
    ends = {"input_layers": ["i", 0, 0], "output_layers": ["a", calls - 1, 0]}
    return {"class_name": "Functional", "config": {"name": "f", "layers": layers, **ends}}


def stack(*layers):
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [INPUT, *layers]}}


NAMED = [{"class_name": "Flatten", "config": {"name": f"l{i}"}} for i in range(40_000)]
DENSE = {"class_name": "Dense", "config": {"units": 1}}
ZEROS = {"class_name": "Zeros", "config": {}}
MODELS = {
    "layers": stack(*NAMED),
    "calls": chain(20_000),
    "initializers": stack(
        {**DENSE, "config": {"units": 1, "kernel_initializer": [ZEROS] * 40_000}}
    ),
    "weights": stack({**DENSE, "config": {"units": 10**8}}, DENSE),
    "weights of many": stack(*[{**DENSE, "config": {"units": 5000}}] * 20),
}


@pytest.mark.parametrize("kind", MODELS)
def test_layers_calls_and_other_objects_are_counted(kind):
    text = json.dumps(MODELS[kind])
    load_little(lambda: model_from_json(text), r"it describes more than|are left", 900)


def test_what_could_not_be_read_again_is_not_saved(monkeypatch, tmp_path):
    model = keras.Sequential([keras.Input((2,)), *(keras.layers.Flatten() for _ in range(20))])
    monkeypatch.setattr(memory_budget, "OBJECTS", 20)
    with pytest.raises(ValueError, match="at most 20 are read"):
        model.save(tmp_path / "a.keras")
    assert not list(tmp_path.iterdir())


def test_what_people_make_is_far_below_the_bounds():
    """The deepest of Keras' networks, a table of thresholds, a budget that ends with the file."""
    deep = keras.applications.DenseNet201(weights=None)
    assert len(model_from_json(deep.to_json()).layers) == len(deep.layers)
    keras.metrics.AUC(num_thresholds=100_000)
    assert np.prod(keras.metrics.MeanIoU(num_classes=5000).total_cm.shape) == 25 * 10**6
