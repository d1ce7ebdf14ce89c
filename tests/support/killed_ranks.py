"""A training on several ranks, to be killed: it goes on when it is started again.

    mpiexec -n 2 python tests/support/killed_ranks.py FOLDER

`python tests/support/killed_ranks.py FOLDER --kills 60` starts it on two ranks again and again,
kills a random rank at a random moment, and prints what happened as JSON.
"""

import argparse
import contextlib
import json
import os
import random
import re
import signal
import time
from pathlib import Path

import numpy as np
import ranks

import minitensor as tf
from minitensor import keras
from minitensor.keras.callbacks import state_file

EPOCHS, SAMPLES, BATCH, PAUSE = 3, 48, 8, 0.06


def net(random_layers):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(3, 3, use_bias=False),  # it would only add to the noise
            layers.BatchNormalization(synchronized=True),
            layers.ReLU(),
            *([layers.Dropout(0.3)] if random_layers else []),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )


class Slowly(keras.callbacks.Callback):
    """Makes a step as long as a kill needs to hit it."""

    def on_train_batch_end(self, batch, logs=None):
        time.sleep(PAUSE)


def train(folder, random_layers):
    """Trains to the end; the chief writes the weights."""
    tf.random.set_seed(7)
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    (folder / f"rank{strategy.worker}").touch()
    rng = np.random.default_rng(0)
    x, y = rng.random((SAMPLES, 6, 6, 1), np.float32), rng.integers(0, 3, SAMPLES)
    rows = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(SAMPLES, seed=3).batch(BATCH)
    with strategy.scope():
        model = net(random_layers)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    backup = keras.callbacks.BackupAndRestore(
        folder / "backup", save_freq=2, delete_checkpoint=False
    )
    history = model.fit(rows, epochs=EPOCHS, verbose=0, callbacks=[backup, Slowly()])
    if strategy.worker == 0:
        arrays = [v.numpy() for v in (*model.weights, *model.optimizer.variables)]
        np.savez(folder / "end.npz", *arrays)
        (folder / "history").write_text(json.dumps(history.history))


# ----- killing -----


def place(folder):
    """Where the newest checkpoint is; all files that bear the name of one must be whole."""
    found = [state_file.read(path)["fit"] for path in state_file.paths(folder / "backup")]
    return max(((f["epoch"], f["step"]) for f in found), default=(-1, 0))


def newest(folder):
    """The name of the newest checkpoint of a training that runs, and may be deleting the others."""
    return max((path.name for path in state_file.paths(folder / "backup")), default="")


def processes(folder):
    """The ranks of a training that are alive: {rank: process}."""
    found = {}
    for proc in Path("/proc").glob("[0-9]*"):
        try:
            words = (proc / "cmdline").read_bytes().split(b"\0")
            given = dict(
                w.split(b"=", 1) for w in (proc / "environ").read_bytes().split(b"\0") if w
            )
        except (OSError, ValueError):
            continue  # it has ended
        rank = given.get(b"PMI_RANK", given.get(b"OMPI_COMM_WORLD_RANK"))
        if rank is not None and str(folder).encode() in words and b"-n" not in words:
            found[int(rank)] = int(proc.name)
    return found


def kill_one(rng, folder, seconds):
    """What kills a random rank at some moment: returns (rank, when, had it joined?), or None."""

    def kill(mpiexec):
        if rng.random() < 0.8:  # the imports are long, and not what a training is made of
            until(lambda: list(folder.glob("rank*")) or mpiexec.poll() is not None)
        time.sleep(rng.uniform(0, 0.7 * seconds))
        alive = processes(folder)
        if not alive or (folder / "history").exists() or mpiexec.poll() is not None:
            return None
        rank = rng.choice(sorted(alive))
        joined = (folder / f"rank{rank}").exists()
        with contextlib.suppress(ProcessLookupError):
            os.kill(alive[rank], signal.SIGKILL)
        return rank, time.monotonic(), joined

    return kill


def until(condition, seconds=30):
    """Waits until it holds."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds
        time.sleep(0.02)


def calm(folder, size, *options):
    """Trains without disturbance; how many seconds that takes."""
    folder.mkdir(parents=True)
    run = ranks.run(size, __file__, folder, *options)
    assert run.returncode == 0, run.text
    return run.seconds


def torture(folder, kills, seed, sizes=(2,), options=()):
    """Kills a rank of trainings until there were so many kills; returns a report.

    MPICH's mpiexec kills the others some milliseconds after the first has died: on a machine that
    is too busy to wake two lifelines in that order, a line may name another one; "misnamed".

    Args:
        sizes: numbers of ranks; each start takes one of them.
        options: of this program.
    """
    rng = random.Random(seed)
    seconds = calm(folder / "calm", sizes[0], *options)
    report = {
        "kills": 0,
        "while it was imported": 0,
        "unnamed": [],
        "misnamed": 0,
        "slowest end": 0.0,
        "trainings": 0,
    }
    report |= {"orphans": [], "lost": [], "different": []}
    while report["kills"] < kills:
        mad, before = folder / str(report["trainings"]), (-1, 0)
        mad.mkdir()
        while not (mad / "history").exists():
            for file in mad.glob("rank*"):
                file.unlink()
            size = rng.choice(sizes)
            run = ranks.run(size, __file__, mad, *options, meanwhile=kill_one(rng, mad, seconds))
            ended = time.monotonic()
            if run.met is None or run.returncode == 0:
                assert run.returncode == 0, run.text
                continue
            rank, when, joined = run.met
            named = re.search(r"^minitensor: .*rank (\d+)\b.* was killed", run.text, re.MULTILINE)
            report["kills"] += 1
            report["while it was imported"] += not joined
            if joined and size > 1:
                report["unnamed"] += [] if named else [run.text]
                report["misnamed"] += named is not None and int(named[1]) != rank
            report["slowest end"] = max(report["slowest end"], round(ended - when, 2))
            report["orphans"] += list(processes(mad).values())
            now = place(mad)
            if now < before:
                report["lost"].append([before, now])
            before = now
        report["trainings"] += 1
        report["different"] += differences(folder / "calm", mad, exactly=len(sizes) == 1)
    return report


def differences(calm, mad, exactly):
    """What differs between two trainings, in a list: of the weights nothing may, and of the logs
    the last bit, for a sum over replicas goes on as the first one's.

    Sums on another number of ranks are rounded otherwise: weights agree to 1e-5.
    """
    pairs = zip(np.load(calm / "end.npz").values(), np.load(mad / "end.npz").values(), strict=True)
    far = max(float(np.abs(a - b).max()) for a, b in pairs)
    logs = [json.loads((folder / "history").read_text()) for folder in (calm, mad)]
    same_logs = all(np.allclose(logs[0][name], logs[1][name], 1e-4, 1e-6) for name in logs[0])
    return [far] * (far > (0 if exactly else 1e-5)) + logs * (not same_logs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plain", action="store_true", help="nothing random in the layers")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", default=0, type=int)
    args = parser.parse_args()
    if args.kills is None:
        train(args.folder, not args.plain)
    else:
        print(json.dumps(torture(args.folder, args.kills, args.seed)))
        print(
            json.dumps(
                torture(args.folder / "sizes", args.kills // 3, args.seed, (1, 2), ("--plain",))
            )
        )


if __name__ == "__main__":
    main()
