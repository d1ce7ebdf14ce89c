"""Convolution on the CPU: forward and both gradients, minitensor beside TensorFlow.

    python -m benchmarks.conv [--quick] [--algorithms] [--rounds N] [--out FILE]

Each side lives in a process of its own, because two thread pools in one process spoil both. The
parent asks one, then the other, layer by layer, round after round, so that a slow minute of the
machine falls on both; what counts is the median. Not here: the GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

RESULTS = Path(__file__).parent / "results" / "conv_cpu.json"
PINNED = ("im2col", "direct")  # the others do not serve these sizes
PACKAGES = ("numpy", "scipy", "threadpoolctl", "tensorflow", "tensorflow-cpu")


@dataclass(frozen=True)
class Layer:
    """One convolution of a known network; float32, NHWC, no bias."""

    name: str
    input: tuple[int, int, int, int]
    filters: tuple[int, int, int, int]
    stride: int = 1
    padding: str = "SAME"


LAYERS = (
    Layer("VGG first layer", (32, 32, 32, 3), (3, 3, 3, 64)),
    Layer("VGG 1_2", (32, 32, 32, 64), (3, 3, 64, 64)),
    Layer("VGG 2_1", (32, 16, 16, 64), (3, 3, 64, 128)),
    Layer("VGG 3_2", (32, 8, 8, 256), (3, 3, 256, 256)),
    Layer("VGG 4_2", (32, 4, 4, 512), (3, 3, 512, 512)),
    Layer("ResNet downsample /2", (32, 32, 32, 64), (3, 3, 64, 128), 2),
    Layer("ResNet 1x1", (32, 16, 16, 256), (1, 1, 256, 256)),
    Layer("LeNet 5x5", (256, 14, 14, 6), (5, 5, 6, 16), 1, "VALID"),
    Layer("ImageNet stem 7x7 /2", (4, 224, 224, 3), (7, 7, 3, 64), 2),
    Layer("ResNet 56x56", (4, 56, 56, 64), (3, 3, 64, 64)),
)

Step = Callable[[], None]


def main() -> None:
    """Reads the arguments and runs the benchmark, or serves as one of its workers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conv", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds instead of 15")
    parser.add_argument("--algorithms", action="store_true", help="also time each pinned one")
    parser.add_argument("--rounds", type=int, help="how often each side is asked for each layer")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the JSON file to write")
    parser.add_argument("--worker", choices=SIDES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        serve(args.worker)
        return
    rounds = args.rounds or (3 if args.quick else 15)
    columns = [side for side in SIDES if find_spec(side)]
    columns += [f"minitensor:{name}" for name in PINNED] if args.algorithms else []
    for side in set(SIDES) - set(columns):
        print(f"{side} is absent: no column for it")
    busy = os.getloadavg()[0]  # processes that wanted a core while we had not begun
    report = summary(measure(columns, rounds), rounds, busy)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    show(report)
    print(f"written to {args.out}")


# ----- the worker: one side, one process -----


def serve(side: str) -> None:
    """Answers each line of stdin, a layer's number and an algorithm, with seconds of one step."""
    steps: dict[tuple[int, str], Step] = {}
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        number, algorithm = json.loads(line)
        key = number, algorithm
        if key not in steps:
            steps[key] = SIDES[side](LAYERS[number], algorithm)
            steps[key]()
        steps[key]()  # wakes caches and threads after the other side's turn
        start = time.perf_counter()
        steps[key]()
        print(json.dumps(time.perf_counter() - start), flush=True)


def _minitensor(layer: Layer, algorithm: str) -> Step:
    """One step of ours: y, and the gradients of sum(y * g) in x and filters."""
    import minitensor as mt

    x, filters = (mt.constant(array) for array in _arrays(layer))

    def step() -> None:
        with mt.algorithm(algorithm) if algorithm else nullcontext():
            with mt.GradientTape() as tape:
                tape.watch([x, filters])
                y = mt.nn.conv2d(x, filters, layer.stride, layer.padding)
            tape.gradient(y, [x, filters])

    return step


def _tensorflow(layer: Layer, algorithm: str) -> Step:
    """The same step of TensorFlow, eager: on a CPU it returns when the numbers are there."""
    import tensorflow as tf

    x, filters = (tf.constant(array) for array in _arrays(layer))

    def step() -> None:
        with tf.GradientTape() as tape:
            tape.watch([x, filters])
            y = tf.nn.conv2d(x, filters, layer.stride, layer.padding)
        tape.gradient(y, [x, filters])

    return step


def _arrays(layer: Layer) -> Iterator[Any]:
    """The layer's input and filters, the same on every side."""
    import numpy as np

    random = np.random.default_rng(0)
    for shape in (layer.input, layer.filters):
        yield random.standard_normal(shape, np.float32)


SIDES: dict[str, Callable[[Layer, str], Step]] = {
    "minitensor": _minitensor,
    "tensorflow": _tensorflow,
}


# ----- the parent: asks in turn, sums up, shows -----


class Worker:
    """A process that times one side; ask it for a layer, it answers in seconds."""

    def __init__(self, column: str) -> None:
        side, _, self.algorithm = column.partition(":")
        command = [sys.executable, "-m", "benchmarks.conv", "--worker", side]
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._answer()

    def seconds(self, layer: int) -> float:
        """Times one step of layer number `layer`."""
        assert self.process.stdin
        print(json.dumps([layer, self.algorithm]), file=self.process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
        self.process.communicate()

    def _answer(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"worker ended with status {self.process.wait()}: see above")
        return json.loads(line)


def measure(columns: list[str], rounds: int) -> dict[str, list[list[float]]]:
    """For each column and layer, the seconds of each round."""
    from rich.progress import track

    workers = {column: Worker(column) for column in columns}
    times: dict[str, list[list[float]]] = {column: [[] for _ in LAYERS] for column in columns}
    turns = [(round, layer) for round in range(rounds) for layer in range(len(LAYERS))]
    for round, layer in track(turns, "convolutions"):
        for column in columns if round % 2 else reversed(columns):
            times[column][layer].append(workers[column].seconds(layer))
    for worker in workers.values():
        worker.close()
    return times


def summary(times: dict[str, list[list[float]]], rounds: int, busy: float) -> dict[str, Any]:
    """What is written down: medians, ratios, and the machine they were measured on."""
    rows = []
    for number, layer in enumerate(LAYERS):
        ms = {column: 1e3 * median(layers[number]) for column, layers in times.items()}
        base = ms.get("tensorflow")
        ratios = {column: ms[column] / base for column in ms if base and column != "tensorflow"}
        rows.append(asdict(layer) | {"milliseconds": _rounded(ms), "ratio": _rounded(ratios)})
    means = {c: geometric_mean(row["ratio"][c] for row in rows) for c in rows[0]["ratio"]}
    return {
        "what": "float32, forward + both gradients, median of interleaved rounds",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "busy_before": busy},
        "versions": {"python": sys.version.split()[0]} | _versions(),
        "rounds": rounds,
        "layers": rows,
        "geometric_mean_ratio": _rounded(means),
    }


def show(report: dict[str, Any]) -> None:
    """The report as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{report['what']}, ms; {report['machine']['cpu']}, {report['date']}")
    rows, means = report["layers"], report["geometric_mean_ratio"]
    for heading in ("layer", "input", "filters", "stride, padding"):
        table.add_column(heading)
    for column in (*rows[0]["milliseconds"], *(f"{c} / TF" for c in means)):
        table.add_column(column, justify="right")
    for row in rows:
        shapes = (str(tuple(row["input"])), str(tuple(row["filters"])))
        times = [f"{ms:.1f}" for ms in row["milliseconds"].values()]
        ratios = [f"{ratio:.2f}" for ratio in row["ratio"].values()]
        table.add_row(row["name"], *shapes, f"{row['stride']}, {row['padding']}", *times, *ratios)
    blanks = [""] * (3 + len(rows[0]["milliseconds"]))
    table.add_row("geometric mean", *blanks, *(f"{mean:.2f}" for mean in means.values()))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _rounded(numbers: dict[str, float]) -> dict[str, float]:
    return {name: round(number, 3) for name, number in numbers.items()}


def _versions() -> dict[str, str]:
    """Versions of what takes part, and "absent" for what does not."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def _cpu() -> str:
    """The processor's name and its widest vector instructions, where Linux tells."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines())
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    flags = set(fields.get("flags", "").split())
    widest = next((flag for flag in ("avx512f", "avx2", "avx") if flag in flags), "")
    return f"{fields.get('model name', platform.machine())} {widest}".strip()


if __name__ == "__main__":
    main()
