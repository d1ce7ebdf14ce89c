"""What a convolution costs beyond its arithmetic: a 3x3 image through `nn.conv2d` and a layer.

calls    Python functions of the package that one call enters, as a profiler counts them
files    in how many files they stand: what somebody opens who follows one call
µs       best and median of many repetitions; the sides take turns
above    microseconds above the backend's own call, best to best
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import minitensor as tf
from minitensor import backend
from minitensor.window import Window

PACKAGE = str(Path(tf.__file__).parent)
CALLS = 20  # between two readings of the clock


def sides() -> dict[str, Callable[[], Any]]:
    """The same convolution, from the layer down to the backend."""
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(size=(1, 3, 3, 1)).astype(np.float32))
    filters = tf.constant(rng.normal(size=(3, 3, 1, 1)).astype(np.float32))
    layer = tf.keras.layers.Conv2D(1, 3)
    layer(x)
    window = Window.of((3, 3), (3, 3))
    be = backend.of(x.array)
    return {
        "keras.layers.Conv2D": lambda: layer(x),
        "nn.conv2d": lambda: tf.nn.conv2d(x, filters, 1, "VALID"),
        "backend.conv2d": lambda: be.conv2d(x.array, filters.array, window),
    }


def entered(function: Callable[[], Any]) -> list[str]:
    """The file of each Python function of the package that `function` calls, in order."""
    files = []

    def note(frame: Any, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            files.append(frame.f_code.co_filename)

    function()  # what is done once only is not counted
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return files


def microseconds(functions: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Of one call, once per round; within a round the functions take turns."""
    found: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.perf_counter_ns()
            for _ in range(CALLS):
                function()
            found[name].append((time.perf_counter_ns() - start) / CALLS / 1e3)
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--rounds", type=int, help="how often each side is timed")
    parser.add_argument("--quick", action="store_true", help="a few rounds: no numbers")


def main(args: argparse.Namespace) -> int:
    functions = sides()
    times = microseconds(functions, args.rounds or (3 if args.quick else 500))
    least = min(times["backend.conv2d"])
    print(f"{'':20} {'calls':>6} {'files':>6} {'best µs':>8} {'median':>8} {'above':>8}")
    for name, function in functions.items():
        files = entered(function)
        best = min(times[name])
        print(
            f"{name:20} {len(files):6} {len(set(files)):6} {best:8.1f} "
            f"{median(times[name]):8.1f} {best - least:8.1f}"
        )
    return 0
