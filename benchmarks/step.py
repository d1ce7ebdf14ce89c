"""A whole training step, as a user runs it: forward, backward, update, on one batch.

Eager everywhere, in functions and as a Keras model with Keras' optimizer; beside that the whole
step recorded: our CUDA graph and PyTorch's on a GPU, tf.function on a CPU. Time here is all of it,
Python's too. "fit" is `Model.fit` over the same batch many times, per update; what it costs beyond
the step under a tape ("keras") for data, checks, the mean loss and hooks is said in percent.
"""

from __future__ import annotations

from typing import Any

from benchmarks.cases import Case, conv_case
from benchmarks.networks import NETWORKS, layers

UPDATES = {"lenet5": 32}  # of an epoch of fit; 4 of a larger network

COLUMNS = {
    "cpu": (
        *(
            "minitensor:eager",
            "minitensor:keras",
            "minitensor:fit",
            "tensorflow:eager",
            "tensorflow:keras",
        ),
        *("tensorflow:tf.function", "torch:eager"),
    ),
    "gpu": (
        *("minitensor:eager", "minitensor:keras", "minitensor:graph"),
        *("torch:eager", "torch:graph"),
    ),
    "emulator": ("minitensor:eager",),
}


def cases(batch: int, quick: bool) -> list[Case]:
    """One question per network; work and traffic are those of its convolutions and products."""
    found = []
    for name in ("lenet5",) if quick else NETWORKS:
        size = 2 if quick else batch
        work = [conv_case(layer, "training", "fp32") for layer in layers(NETWORKS[name], size)]
        found.append(
            {
                "bench": "train",
                "name": f"{name}, batch {size}",
                "group": "fp32 training step",
                "precision": "fp32",
                "network": name,
                "batch": size,
                "updates": 2 if quick else UPDATES.get(name, 4),
                "operations": sum(case["operations"] for case in work),
                "traffic": sum(case["traffic"] for case in work),
            }
        )
    return found


def add_cost_of_fit(rows: list[dict[str, Any]]) -> None:
    """Per row, by how many percent an update in `fit` takes longer than a step under a tape."""
    for row in rows:
        bare, fit = (row["milliseconds"].get(f"minitensor {name}") for name in ("keras", "fit"))
        if bare and fit:
            row["percent"] = {"fit above keras": round(100 * (fit / bare - 1), 1)}
