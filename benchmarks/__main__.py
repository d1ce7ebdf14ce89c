"""The benchmarks: `python -m benchmarks BENCH [--device cpu|gpu]`, and for BENCH one of

    conv     convolutions of VGG13, ResNet18, ResNet50, MobileNetV2 and DeepBench
    memory   depthwise, pooling, batch normalisation, elementwise: fractions of a copy's speed
    step     whole training steps of LeNet-5, the MNIST CNN, VGG13, ResNet18, MobileNetV2, DenseNet
    mixed    steps of LeNet-5 and ResNet18 in `fit`: float32 and both mixed policies, on a CPU
    latency  the answer to one image by ResNet18 and MobileNetV2
    rss      resident memory over 10,000 steps, page faults of a step
    overhead  one convolution of a 3x3 image: Python calls, and µs beyond its arithmetic
    scale    training steps on two ranks against one: rates, bytes sent, overlap
    records  a million records of a train set that does not fit memory; TensorFlow beside
    kernels  each CUDA kernel: predicted beside measured, which stays empty without a GPU

Each of the first five prints a table and writes JSON and a roofline, {bench}_{device}.json and
.png. Ceilings (a copy, a matrix product) are measured in the same run, on a CPU all of it by one
thread and by all cores. Peers that are missing are named. Results that are committed
(benchmarks/results) are not touched unless --commit is given.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from typing import Any

from benchmarks import (
    conv,
    kernels,
    latency,
    memory,
    overhead,
    records,
    report,
    roofline,
    rss,
    scale,
    step,
)
from benchmarks.cases import Case, ceilings, threaded
from benchmarks.layers import spread_over
from benchmarks.measure import Plan, digits, measure
from benchmarks.networks import NETWORKS
from benchmarks.worker import cores
from minitensor.cli import stoppable

BATCH = {"cpu": 4, "gpu": 32, "emulator": 1}
TRAINING_BATCH = {"cpu": 32, "gpu": 128, "emulator": 2}
LIMIT = 340  # seconds: a command ends before anybody's patience does
METHODS = {
    "cpu": "each side in a process of its own, kept on so many cores as it has threads, "
    "interleaved, one step unmeasured before each measured one; medians",
    "gpu": "each side in a process of its own; CUDA graph replays of a series of launches between "
    "two events (plain series where a column's `how` says events), 20 launches of warm-up or "
    "more, inputs and outputs rotated over 128 MiB, medians of 7 series; cuDNN by trial "
    "(benchmark=True) in both layouts, the faster counts; TF32 on in tf32 rows only",
    "emulator": "run only, to show that the code works",
}


def main(arguments: list[str] | None = None) -> int:
    """Runs one benchmark; 1 if a cell failed."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.bench in ALONE:
        return ALONE[args.bench].main(args)
    out = report.destination(parser, args)
    timed = args.device != "emulator" and not args.quick
    cases, columns, what = BENCHES[args.bench](args)
    cases = [*ceilings(args.device, args.quick), *cases]
    if args.device == "cpu":
        cases = threaded(cases, _threads(args))
    rounds = args.rounds or (1 if args.quick else {"cpu": 15, "gpu": 2, "emulator": 1}[args.device])

    def answered_by(case: Case) -> list[str]:
        return ["minitensor:", "torch:"] if _is_ceiling(case) else columns(case)

    plan = Plan(cases, answered_by, args.device, rounds, args.limit, timed)
    found = measure(plan, args.bench)
    if not found.about:
        print(f"nobody can be timed on {args.device} here: nothing is written")
        return 2
    roofs = list(filter(_is_ceiling, found.rows))
    found.rows = [row for row in found.rows if not _is_ceiling(row)]
    content = report.report(what, METHODS[args.device], plan, found)
    content["ceilings"] = _rates(roofs) if timed else {}
    roofline.add_fractions(content)
    conv.add_products(content)
    if args.bench == "step":
        step.add_figures(content["rows"])
    report.show(content, {"conv": ("of_product",), "memory": ("fraction",)}.get(args.bench, ()))
    print(*roofline.beyond(content["rows"]), sep="\n")
    if args.out or not args.quick:
        name = "_".join([args.bench, *(getattr(args, "layers", None) or ()), args.device])
        report.write(out / f"{name}.json", content)
        roofline.draw(out / f"{name}.png", content)
    return int(bool(report.failures(content)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    benches = parser.add_subparsers(
        dest="bench", required=True, metavar="|".join([*BENCHES, *ALONE])
    )
    for name in BENCHES:
        bench = benches.add_parser(name)
        add = bench.add_argument
        add("--device", choices=BATCH, default="cpu")
        add("--batch", type=int, help="images at once")
        add("--rounds", type=int, help="how often each side is asked for each case")
        add("--limit", type=float, default=LIMIT, metavar="SECONDS", help=f"for all, {LIMIT}")
        add("--threads", nargs="+", metavar="N|all", help="on a CPU: 1 and all cores")
        add("--quick", action="store_true", help="tiny shapes, to see that it runs: no numbers")
        report.add_destination(bench)
        if name == "conv":
            add("--layers", nargs="+", choices=conv.TABLES, help="mixed on a CPU, all on a GPU")
            add("--count", type=int, help="only so many layers, evenly spaced by arithmetic")
        if name in ("step", "mixed"):
            add("--networks", nargs="+", choices=NETWORKS, help="all")
    for name, bench in ALONE.items():
        bench.add_arguments(benches.add_parser(name))
    return parser


def _threads(args: argparse.Namespace) -> list[int]:
    """How many threads, each number once."""
    words = args.threads or (["all"] if args.quick else ["1", "all"])
    counts = (cores() if word == "all" else int(word) for word in words)
    return list(dict.fromkeys(counts))


def _is_ceiling(case: Case) -> bool:
    return bool(case["group"].startswith("ceiling"))


def _conv(args: argparse.Namespace) -> tuple[Any, ...]:
    tables = args.layers or (["mixed"] if args.device == "cpu" else list(conv.TABLES[1:]))
    batch = args.batch or BATCH[args.device]
    every = list(conv.QUICK) if args.quick else conv.layers(tables, batch)
    chosen = every if args.count is None else spread_over(every, args.count)
    what = f"convolution: one pass in one precision, {len(chosen)} of the {len(every)} layers of "
    what += ", ".join(tables)
    if args.device == "cpu":
        what = f"float32, forward and both gradients ({', '.join(tables)}), medians of interleaved "
        what += "rounds"
    return conv.cases(chosen, args.device), lambda case: conv.columns(case, args.device), what


def _memory(args: argparse.Namespace) -> tuple[Any, ...]:
    cases = memory.cases(args.batch or BATCH[args.device], args.quick)
    return cases, lambda case: memory.SIDES[args.device], "operations bound by memory, float32"


def _step(args: argparse.Namespace) -> tuple[Any, ...]:
    batch = args.batch or TRAINING_BATCH[args.device]
    cases = step.cases(args.networks or list(NETWORKS), batch, args.quick)
    return cases, lambda case: step.COLUMNS[args.device], "training step, float32"


def _mixed(args: argparse.Namespace) -> tuple[Any, ...]:
    batch = args.batch or TRAINING_BATCH["cpu"]
    cases = step.cases(args.networks or list(step.MIXED), batch, args.quick)
    return cases, lambda case: step.POLICIES, "training step by policy"


def _latency(args: argparse.Namespace) -> tuple[Any, ...]:
    cases = latency.cases(args.batch or 1, args.quick)
    return cases, lambda case: latency.COLUMNS[args.device], "inference, float32"


BENCHES = {
    "conv": _conv, "memory": _memory, "step": _step, "mixed": _mixed, "latency": _latency
}  # fmt: skip
ALONE: dict[str, Any] = {
    "rss": rss,
    "records": records,
    "overhead": overhead,
    "kernels": kernels,
    "scale": scale,
}  # no times of cases


def _rates(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """By number of threads: bytes per second of the best copy, operations of the best products."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        if row["milliseconds"]:
            seconds = min(row["milliseconds"].values()) / 1e3
            copy = row["operations"] == 0
            name = "copy" if copy else row["precision"]
            rate = digits((row["traffic"] if copy else row["operations"]) / seconds)
            found[str(row.get("threads", 0))][name] = rate
    return found


if __name__ == "__main__":
    stoppable(main)
