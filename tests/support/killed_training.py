"""A training to be killed: `python tests/support/killed_training.py FOLDER` runs it, or goes on.

It has all that a resumed training may forget: moving statistics, dropout, random augmentation in
the data and in a layer, shuffling with and without a seed, an optimizer with slots and gradient
accumulation, callbacks that change the learning rate, count, and keep the best weights.

`python tests/support/killed_training.py FOLDER --kills N` runs it to the end in child
processes, again and again, kills each at a random moment, and prints what happened as JSON.
Children are forked after the imports, so that two hundred kills take seconds, not minutes.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

import minitensor as mt
from minitensor import data, keras
from minitensor.keras.callbacks import state_file

EPOCHS, SAMPLES, BATCH = 4, 40, 8


def net():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.RandomFlip("horizontal"),
            layers.GaussianNoise(0.1),
            layers.Conv2D(3, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.3, seed=5),
            layers.Flatten(),
            layers.Dense(3, kernel_regularizer="l2"),
        ]
    )


def samples():
    rng = np.random.default_rng(0)
    return rng.random((SAMPLES, 6, 6, 1), np.float32), rng.integers(0, 3, SAMPLES)


def batches(kind):
    """The data in one of three ways, as arguments of fit."""
    x, y = samples()
    if kind == "arrays":
        return {"x": x, "y": y, "batch_size": BATCH}
    rows = data.Dataset.from_tensor_slices((x, y))

    def changed(image, label):
        return mt.image.random_brightness(image, 0.3), label

    if kind == "dataset":
        return {"x": rows.shuffle(16, seed=3).map(changed).batch(BATCH)}
    return {"x": rows.map(changed).shuffle(16).repeat().batch(BATCH), "steps_per_epoch": 4}


def train(folder, kind, save_freq, also=()):
    """Trains until the end; returns a digest of all that came out."""
    mt.random.set_seed(7)
    model = net()
    optimizer = keras.optimizers.Adam(0.01, gradient_accumulation_steps=3)
    model.compile(
        optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["acc"]
    )
    x, y = samples()
    callbacks = keras.callbacks
    history = model.fit(
        **batches(kind),
        epochs=EPOCHS,
        verbose=0,
        validation_data=(x[:8], y[:8]),
        callbacks=[
            callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
            callbacks.BackupAndRestore(folder / "backup", save_freq, delete_checkpoint=False),
            callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True),
            callbacks.ReduceLROnPlateau("loss", patience=1, factor=0.5, min_delta=1.0),
            callbacks.CSVLogger(folder / "log.csv"),
            *also,
        ],
    )
    found = hashlib.sha256()
    for variable in (*model.weights, *optimizer.variables):
        found.update(np.ascontiguousarray(variable.numpy()))
    found.update(json.dumps([history.epoch, history.history]).encode())
    found.update((folder / "log.csv").read_bytes())
    found.update(json.dumps(mt.backend.generator.state()).encode())
    return found.hexdigest()


# ----- killing -----


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def torn(path, mode):
    """`open` for a file of which only half is written."""
    file = open(path, mode)  # noqa: SIM115

    class Half:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            file.close()

        def write(self, content):
            file.write(content[: len(content) // 2])
            file.flush()
            die()

    return Half()


def at_call(number, before, function):
    """`function`, that kills its process before or after a call of this number."""
    calls = iter(range(number))

    def deadly(*args, **kwargs):
        if next(calls, None) is not None:
            return function(*args, **kwargs)
        if not before:
            function(*args, **kwargs)
        return die()

    return deadly


def set_trap(rng, save_freq):
    """Plans a death within a write of a checkpoint."""
    number = rng.randrange(12 if save_freq == 1 else 3)
    trap, before = rng.choice(["torn", "fsync", "replace", "unlink"]), rng.random() < 0.5
    if trap == "torn":
        opened = iter(range(number))
        state_file.open = lambda path, mode: (torn if next(opened, None) is None else open)(
            path, mode
        )
    else:
        home = Path if trap == "unlink" else os
        setattr(home, trap, at_call(number, before, getattr(home, trap)))


def child(folder, kind, save_freq, seed):
    """Starts the training in a forked process, with a trap if there is a seed; returns its pid."""
    pid = os.fork()
    if pid == 0:
        try:
            if seed is not None:
                set_trap(random.Random(seed), save_freq)
            (folder / "digest").write_text(train(folder, kind, save_freq))
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return pid


def place(folder):
    """Where the newest checkpoint is; every file that bears the name of one must be whole."""
    found = [state_file.read(path)["fit"] for path in state_file.paths(folder / "backup")]
    return max(((f["epoch"], f["step"]) for f in found), default=(-1, 0))


def kill_one(folder, kind, save_freq, rng, seconds):
    """Starts the training and kills it; returns how, or None if it came to an end before."""
    trapped = rng.random() < 0.5
    pid = child(folder, kind, save_freq, rng.random() if trapped else None)
    if not trapped:
        time.sleep(rng.uniform(0, 0.7 * seconds))
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0
        return None
    return "in a write" if trapped else "anywhere"


def calm(folder, kind):
    """The digest of a training that nobody disturbs, and how many seconds it takes."""
    folder.mkdir()
    began = time.perf_counter()
    os.waitpid(child(folder, kind, 1, None), 0)
    return (folder / "digest").read_text(), time.perf_counter() - began


def torture(folder, kills, seed):
    """Kills trainings until there were so many kills; returns a report."""
    rng = random.Random(seed)
    kinds = ("arrays", "dataset", "repeat")
    wanted = {kind: calm(folder / kind, kind) for kind in kinds}
    report = {"kills": 0, "in a write": 0, "anywhere": 0, "trainings": 0}
    report |= {"different": [], "lost": []}
    while report["kills"] < kills:
        kind, save_freq = kinds[report["trainings"] % 3], rng.choice([1, 3, "epoch"])
        digest, seconds = wanted[kind]
        place_before, mad = (-1, 0), folder / str(report["trainings"])
        mad.mkdir()
        while cause := kill_one(mad, kind, save_freq, rng, seconds):
            report["kills"] += 1
            report[cause] += 1
            if (now := place(mad)) < place_before:
                report["lost"].append([kind, save_freq, place_before, now])
            place_before = now
        report["trainings"] += 1
        if (mad / "digest").read_text() != digest:
            report["different"].append([kind, save_freq])
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", default="dataset", choices=["arrays", "dataset", "repeat"])
    parser.add_argument("--save-freq", default=1, type=int)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", default=0, type=int)
    args = parser.parse_args()
    if args.kills:
        print(json.dumps(torture(args.folder, args.kills, args.seed)))
    else:
        print(train(args.folder, args.kind, args.save_freq))


if __name__ == "__main__":
    main()
