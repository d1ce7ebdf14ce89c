"""One rank of `python -m benchmarks scale`: a network in `fit` by MultiWorkerMirroredStrategy.

Each rank is kept on a core of its own, so long as there are cores. The first one prints a line of
JSON: the median time of a step, what was sent in a step, what was waited for, and when in the last
step each bucket of gradients travelled.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def keep_on_a_core(rank: int) -> None:
    """Before NumPy's threads are counted."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[rank % len(cores)]})


class Clock:
    """When steps end, and when in the step each bucket leaves and arrives: a callback of fit.

    Args:
        communicator: whose sums are watched.
    """

    def __init__(self, callback: type, communicator: Any) -> None:
        self.ends: list[float] = []
        self.sums: list[dict[str, float]] = []  # of the present step
        self._start = communicator.start_all_reduce
        communicator.start_all_reduce = self._watched
        clock = self

        class Told(callback):  # type: ignore[misc, valid-type]
            def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
                clock.sums, clock.begun = [], time.perf_counter()

            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                clock.ends.append(time.perf_counter())

        self.callback = Told()

    begun = 0.0

    def _watched(self, array: Any) -> Any:
        return _Watched(self, array.nbytes, self._start(array))


class _Watched:
    """A sum on its way, whose arrival is noted."""

    def __init__(self, clock: Clock, size: int, pending: Any) -> None:
        self._pending = pending
        self._note = {"bytes": size, "left": 1e3 * (time.perf_counter() - clock.begun)}
        self._clock = clock
        clock.sums.append(self._note)

    def test(self) -> bool:
        over: bool = self._pending.test()
        return self._arrived() if over else False

    def wait(self) -> None:
        self._pending.wait()
        self._arrived()

    def _arrived(self) -> bool:
        now = 1e3 * (time.perf_counter() - self._clock.begun)
        self._note.setdefault("arrived", now)
        return True


def sent_over_loopback() -> int:
    """Bytes that all processes of this machine have sent to each other by TCP."""
    return int(Path("/sys/class/net/lo/statistics/tx_bytes").read_text())


def model_and_batch(tf: Any, network: str, batch: int) -> tuple[Any, Any]:
    """A compiled model, and (images, labels): a network of the benchmarks, or Keras' ResNet50."""
    from benchmarks import networks
    from benchmarks.keras_net import compiled

    if network != "resnet50":
        known = networks.NETWORKS[network]
        return compiled(tf, known), networks.batch(known, batch)
    model = tf.keras.applications.ResNet50(weights=None)
    model.compile(tf.keras.optimizers.SGD(1e-3, 0.9), "sparse_categorical_crossentropy")
    images = np.random.default_rng(0).random((batch, 224, 224, 3), np.float32)
    return model, (images, np.arange(batch))


def main(network: str, batch: int, steps: int) -> None:
    """Trains, and prints what was measured."""
    keep_on_a_core(int(os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK", "0"))))
    import minitensor as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    communicator = strategy.contexts[0].communicator
    with strategy.scope():
        model, images = model_and_batch(tf, network, batch)
    data = tf.data.Dataset.from_tensors(images).repeat()
    clock = Clock(tf.keras.callbacks.Callback, communicator)

    def fit(count: int) -> None:
        model.fit(data, steps_per_epoch=count, verbose=0, callbacks=[clock.callback])

    fit(2)  # what is made once is made
    communicator.barrier()
    before, waited, lo = communicator.bytes_sent, communicator.waited, sent_over_loopback()
    fit(steps)
    communicator.barrier()
    sent, lo = communicator.bytes_sent - before, sent_over_loopback() - lo
    times = np.diff(clock.ends[-steps:])
    last_step = [list(clock.sums), 1e3 * (clock.ends[-1] - clock.begun)]
    gradients = [v.array.copy() for v in model.trainable_variables]
    size = sum(g.nbytes for g in gradients)
    found = {
        "step": 1e3 * float(np.median(times)),
        "waited": 1e3 * (communicator.waited - waited) / steps,
        "parameters": size,
        "sent": sent / steps,
        "over_tcp": lo / steps / communicator.size,
        "bound": 2 * (communicator.size - 1) / communicator.size * size,
        "alone": _alone(communicator, gradients),
        "last_step": last_step,
    }
    if strategy.is_chief:
        print(json.dumps(found), flush=True)


def _alone(communicator: Any, gradients: list[Any]) -> float:
    """Milliseconds in which the same sums are made while nothing else is computed."""
    from minitensor.distribute.buckets import sums

    times = []
    for _ in range(5):
        communicator.barrier()
        begun = time.perf_counter()
        sums(communicator, gradients)
        times.append(time.perf_counter() - begun)
    return 1e3 * float(np.median(times))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
