"""`minitensor warm-up`: compiles the CPU's kernels before somebody waits for them.

Small steps of known networks call the kernels as their large ones do; what numba makes of them is
kept for all processes to come.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from minitensor.backend.numpy.choice import compiled
from minitensor.backend.settings import algorithm
from minitensor.extras import require
from minitensor.keras.losses import CategoricalCrossentropy
from minitensor.keras.optimizers import SGD, Adam

USUAL = ("mnist_cnn", "lenet5", "vgg13", "resnet18", "mobilenet_v2", "densenet")
SIDE = 32  # pixels, where a network leaves it open


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `minitensor warm-up`."""
    names = f"whose kernels: names of tf.models.NETWORKS (default: {', '.join(USUAL)})"
    parser.add_argument("networks", nargs="*", default=USUAL, metavar="NETWORK", help=names)


def run(args: argparse.Namespace) -> int:
    """Compiles what is not compiled yet, and says where it is kept and how long it took."""
    require("minitensor warm-up", "numba", "threadpoolctl", "tqdm")
    from tqdm import tqdm

    from minitensor.models import NETWORKS

    if unknown := sorted(set(args.networks) - set(NETWORKS)):
        raise ValueError(f"no network {', '.join(unknown)}; there are {', '.join(NETWORKS)}")
    start = time.perf_counter()
    with algorithm("tile"):
        room = compiled(1, np.float32)
        for name in tqdm(args.networks, unit="network", leave=False, disable=None):
            _train(NETWORKS[name]())
    seconds = time.perf_counter() - start
    print(f"{', '.join(args.networks)}: compiled in {seconds:.0f} s, kept in {room.folder()}")
    return 0


def _train(model: Any) -> None:
    """One step on two images, with either of the compiled optimizers."""
    size = [side or SIDE for side in model.input_shape[1:]]
    image = np.random.default_rng(0).standard_normal((2, *size), np.float32)
    label = model(image).numpy()
    for optimizer in (SGD(0.0, momentum=0.9), Adam(0.0)):
        model.compile(optimizer, CategoricalCrossentropy(from_logits=True))
        model.train_on_batch(image, label)
