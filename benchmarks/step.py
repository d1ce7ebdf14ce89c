"""A whole training step, as a user runs it: forward, backward, update, on one batch.

On a CPU a Keras model, the same text for both libraries: under a tape ("keras"), by tf.function,
and in `Model.fit` over the same batch many times, per update, which tf.keras compiles; "fast" is
our `fit` with Winograd's algorithm. PyTorch eager and by torch.compile. On a GPU functions, eager
and recorded as a graph. Time is all of it, Python's too; what `fit` costs beyond the step under a
tape for data, checks, the mean loss and hooks is said in percent.
"""

from __future__ import annotations

from typing import Any

from benchmarks.cases import Case, conv_case
from benchmarks.measure import digits
from benchmarks.networks import NETWORKS, layers

UPDATES = {"lenet5": 32, "mnist_cnn": 8}  # of an epoch of fit; 2 of a larger network
BATCHES = {"mnist_cnn": (32, 128)}  # of the others the one that is asked for

COLUMNS = {
    "cpu": (
        *("minitensor:keras", "minitensor:fit", "minitensor:fast"),
        *("tensorflow:fit", "tensorflow:tf.function", "torch:eager", "torch:compile"),
    ),
    "gpu": (
        *("minitensor:eager", "minitensor:keras", "minitensor:graph"),
        *("torch:eager", "torch:graph"),
    ),
    "emulator": ("minitensor:eager",),
}
MIXED = ("lenet5", "resnet18")
POLICIES = ("minitensor:fit", "minitensor:mixed_float16", "minitensor:mixed_bfloat16")


def cases(names: list[str], batch: int, quick: bool) -> list[Case]:
    """One question per network and batch."""
    if quick:
        return [question("train", "lenet5", 2) | {"updates": 2}]
    return [
        question("train", name, size) | {"updates": UPDATES.get(name, 2)}
        for name in names
        for size in BATCHES.get(name, (batch,))
    ]


def question(bench: str, network: str, batch: int) -> Case:
    """A network to "train" or "infer"; work and traffic are its convolutions' and products'."""
    train = bench == "train"
    each = "training" if train else "forward"
    work = [conv_case(layer, each, "fp32") for layer in layers(NETWORKS[network], batch)]
    return {
        "bench": bench,
        "name": f"{network}, batch {batch}",
        "group": "fp32 training step" if train else "fp32 inference",
        "precision": "fp32",
        "network": network,
        "batch": batch,
        "operations": sum(case["operations"] for case in work),
        "traffic": sum(case["traffic"] for case in work),
    }


def add_figures(rows: list[dict[str, Any]]) -> None:
    """Per row, by how many percent an update in `fit` takes longer than a step under a tape; where
    there are batches, images per second of our `fit` and of tf.keras'.
    """
    fits = ("minitensor fit", "minitensor fast", "tensorflow fit")
    for row in rows:
        times = row["milliseconds"]
        bare, fit = times.get("minitensor keras"), times.get("minitensor fit")
        if bare and fit:
            row["percent"] = {"fit above keras": round(100 * (fit / bare - 1), 1)}
        found = {c: digits(1e3 * row["batch"] / times[c]) for c in fits if times.get(c)}
        if found:
            row["images_per_second"] = found
