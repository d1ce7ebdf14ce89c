"""Damaged files of weights, models, checkpoints and records: each is read right or refused clearly.

    python tests/fuzz/files.py --count 5000 --seed 0

Every file is read within 10 seconds of processor time and a gigabyte of memory, to the shapes that
the model has; or it is a ValueError or an OSError, and the model keeps the weights it had.
"""

import argparse
import copy
import io
import json
import os
import resource
import signal
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np

HEADROOM = 2**30  # bytes of address space beside what the libraries take
SECONDS = 10  # of processor time, for one file
STRANGE = (None, True, -1, 0, 1.5, 10**6, 2 * 10**9, 10**12, 10**30, 1e308, "", "relu", "x" * 999,
           [], {}, [[]], [10**9, 10**9], {"class_name": "Dense", "config": {}},
           {"class_name": "MeanIoU", "config": {"num_classes": 10**5}},
           {"class_name": "AUC", "config": {"num_thresholds": 10**9}})  # fmt: skip
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


def simple(keras):
    """A Sequential, which each kind of file holds."""
    layers = keras.layers
    parts = [layers.Conv2D(2, 3, name="c"), layers.BatchNormalization(name="b")]
    parts += [layers.Flatten(name="f"), layers.Dense(3, name="d")]
    model = keras.Sequential([keras.Input((6, 6, 1)), *parts])
    model.compile("adam", "mse")
    return model


def rich(keras):
    """A functional model of many layers, objects and settings."""
    layers, metrics = keras.layers, keras.metrics
    x = start = keras.Input((8, 8, 2), name="image")
    x = layers.Conv2D(4, 3, padding="same", kernel_regularizer=keras.regularizers.L2(0.1))(x)
    x = layers.LayerNormalization()(layers.PReLU(shared_axes=[1, 2])(x))
    y = layers.SeparableConv2D(4, (3, 1), dilation_rate=2, padding="same")(x)
    y = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(layers.MaxPooling2D(2)(y))
    x = layers.Concatenate()(
        [layers.Add()([x, y]), layers.ZeroPadding2D(1)(layers.Cropping2D(1)(x))]
    )
    x = layers.GroupNormalization(2)(layers.SpatialDropout2D(0.1)(layers.UpSampling2D(2)(x)))
    x = layers.Reshape((-1, 8))(layers.AveragePooling2D(3, 2, "same")(x))
    x = layers.Conv1D(3, 2, kernel_initializer="he_normal", kernel_constraint="max_norm")(x)
    a = layers.Dense(3, activation="softmax", name="a")(layers.GlobalAveragePooling1D()(x))
    b = layers.Dense(1, name="b")(layers.Flatten()(x))
    model = keras.Model(start, {"a": a, "b": b})
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([3, 9], [0.1, 0.01, 0.001])
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9, clipnorm=1.0),
        loss={"a": keras.losses.CategoricalCrossentropy(label_smoothing=0.1), "b": "mse"},
        metrics={"a": [metrics.AUC(num_thresholds=9), metrics.MeanIoU(3)], "b": ["mae"]},
    )
    return model


def kinds(keras, model, name):
    """{kind of file: (an undamaged one, what reads it)} of one model, written to this folder."""
    model.optimizer.build(model.trainable_variables)
    shapes = [w.shape for w in model.weights]
    whole, old, new, tensors = (
        Path(f"{name}{end}") for end in (".keras", ".h5", ".weights.h5", ".safetensors")
    )
    model.save(whole)
    model.save(old)
    model.save_weights(new)
    model.save_weights(tensors)
    archive, text = whole.read_bytes(), model.to_json()
    with zipfile.ZipFile(whole) as inside:
        config, weights = inside.read("config.json"), inside.read("model.weights.h5")

    def unchanged_or(load):
        """Reads into the model; what is refused leaves its weights as they were."""

        def reading(data):
            before = model.get_weights()
            try:
                load(data)
            except BaseException:
                for a, b in zip(before, model.get_weights(), strict=True):
                    np.testing.assert_array_equal(a, b)
                raise
            assert [w.shape for w in model.weights] == shapes

        return reading

    load_weights = unchanged_or(lambda data: model.load_weights(io.BytesIO(data)))

    def load_model(data):
        assert isinstance(keras.models.load_model(io.BytesIO(data)), keras.Model)

    def from_json(data):
        found = keras.models.model_from_json(data.decode("latin-1"))
        assert isinstance(found, keras.Model)

    def parts(member):
        return lambda data: load_model(repacked(archive, member, data))

    return {
        ".weights.h5": (new.read_bytes(), load_weights),
        ".h5, weights": (old.read_bytes(), load_weights),
        ".h5, whole": (old.read_bytes(), load_model),
        ".safetensors": (tensors.read_bytes(), load_weights),
        ".keras": (archive, load_model),
        "config.json": (config, parts("config.json")),
        "values of config.json": (config, parts("config.json")),
        "model.weights.h5": (weights, parts("model.weights.h5")),
        ".json": (text.encode(), from_json),
        "values of .json": (text.encode(), from_json),
        **checkpoint(model, name, unchanged_or),
    }


def checkpoint(model, name, unchanged_or):
    """The two files of tf.train.Checkpoint."""
    import minitensor as tf

    saved = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
    path = saved.write(f"{name}.ckpt")
    files = {end: Path(f"{path}.{end}") for end in ("index", "data-00000-of-00001")}
    whole = {end: file.read_bytes() for end, file in files.items()}

    def restore(end):
        def load(data):
            for other, file in files.items():
                file.write_bytes(data if other == end else whole[other])
            saved.read(path)

        return unchanged_or(load)

    return {f"checkpoint, {end}": (data, restore(end)) for end, data in whole.items()}


def records():
    """Files of records, packed and not, and one of their examples."""
    import minitensor as tf

    train, io = tf.train, tf.io
    feature = {
        "png": train.Feature(bytes_list=train.BytesList(value=[bytes(range(256))])),
        "box": train.Feature(float_list=train.FloatList(value=[0.1, 0.2, 0.3, 0.4])),
        "ids": train.Feature(int64_list=train.Int64List(value=[3, -1, 2**40])),
    }
    features = {
        "png": io.FixedLenFeature([], tf.string),
        "box": io.FixedLenFeature([4], tf.float32),
        "ids": io.FixedLenSequenceFeature([], tf.int64, allow_missing=True),
    }
    example = train.Example(features=train.Features(feature=feature)).SerializeToString()

    def parse(data):
        assert io.parse_single_example(data, features)["box"].shape == (4,)
        assert str(train.Example.FromString(data))

    def file(packed):
        def load(data):
            Path("some.tfrecord").write_bytes(data)
            for record in tf.data.TFRecordDataset("some.tfrecord", packed):
                parse(record.numpy())

        with io.TFRecordWriter("whole.tfrecord", packed) as writer:
            for _ in range(3):
                writer.write(example)
        return Path("whole.tfrecord").read_bytes(), load

    kinds = {f"records {packed}".strip(): file(packed) for packed in ("", "GZIP", "ZLIB")}
    return {"example": (example, parse), **kinds}


def out_of_time(*_):
    raise TimeoutError(f"more than {SECONDS} seconds")


def campaign(seed, count):
    """Tries `count` files, of each kind as many; prints how many were read and how many refused."""
    from minitensor import keras

    signal.signal(signal.SIGPROF, out_of_time)
    every = [
        (f"{model.__name__} {kind}", *rest)
        for model in (simple, rich)
        for kind, rest in kinds(keras, model(keras), model.__name__).items()
    ]
    every += [(kind, *rest) for kind, rest in records().items()]
    warnings.simplefilter("ignore")
    faults = 0
    for number, (kind, data, load) in enumerate(every):
        load(data)
        read, tried = 0, len(range(number, count, len(every)))
        for i in range(tried):
            change = revalued if "values" in kind else mutated
            broken = change(np.random.default_rng([seed, number, i]), data)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                load(broken)
                read += 1
            except (ValueError, OSError) as refusal:
                if isinstance(refusal, TimeoutError) or not str(refusal):
                    faults += 1
                    print(f"{kind}: file {i} of seed {seed}: {refusal!r}")
            except BaseException as fault:
                faults += 1
                print(f"{kind}: file {i} of seed {seed}: {type(fault).__name__}: {fault}")
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
        print(f"{kind}: {read} read, {tried - read} refused", flush=True)
    print(f"{count} files, {faults} faults")
    return faults


def limited(seed, count):
    """The campaign in a folder of its own, and with little memory where that can be counted."""
    import minitensor.keras.saving
    import minitensor.train  # noqa: F401

    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmSize"):
            bound = int(line.split()[1]) * 1024 + HEADROOM
            resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        faults = campaign(seed, count)
        os.chdir("/")
    return faults


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    sys.exit(bool(limited(chosen.seed, chosen.count)))
