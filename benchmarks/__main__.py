"""The benchmarks: `python -m benchmarks conv|memory|step|overhead [--device cpu|gpu]`.

    conv     convolutions of VGG13, ResNet18, ResNet50, MobileNetV2 and DeepBench
    memory   depthwise, pooling, batch normalisation, elementwise: fractions of a copy's speed
    step     whole training steps of LeNet-5, VGG13, ResNet18
    overhead  one convolution of a 3x3 image: Python calls, and µs beyond its arithmetic

Each of the first three prints a table and writes JSON and a roofline, {bench}_{device}.json and
.png. Ceilings (a copy, a matrix product) are measured in the same run. Peers that are missing are
named. Results that are committed (benchmarks/results) are not touched unless --commit is given.
"""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks import conv, memory, overhead, report, roofline, step
from benchmarks.cases import Case, ceilings
from benchmarks.layers import spread_over
from benchmarks.measure import Plan, digits, measure
from minitensor.cli import stoppable

BATCH = {"cpu": 4, "gpu": 32, "emulator": 1}
TRAINING_BATCH = {"cpu": 32, "gpu": 128, "emulator": 2}
METHODS = {
    "cpu": "each side in a process of its own, interleaved, one step unmeasured before each "
    "measured one; medians",
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
    if args.bench == "overhead":
        return overhead.main(args)
    out = report.destination(parser, args)
    timed = args.device != "emulator" and not args.quick
    cases, columns, what = BENCHES[args.bench](args)
    roofs = ceilings(args.device, args.quick)
    rounds = args.rounds or (1 if args.quick else {"cpu": 15, "gpu": 2, "emulator": 1}[args.device])

    def answered_by(case: Case) -> list[str]:
        return ["minitensor:", "torch:"] if case["group"] == "ceiling" else columns(case)

    plan = Plan([*roofs, *cases], answered_by, args.device, rounds, args.limit, timed)
    found = measure(plan, args.bench)
    if not found.about:
        print(f"nobody can be timed on {args.device} here: nothing is written")
        return 2
    roof_rows = [row for row in found.rows if row["group"] == "ceiling"]
    found.rows = found.rows[len(roof_rows) :]
    content = report.report(what, METHODS[args.device], plan, found)
    content["ceilings"] = _rates(roof_rows) if timed else {}
    if args.bench == "memory":
        _add_fractions(content)
    if args.bench == "step":
        step.add_cost_of_fit(content["rows"])
    more = {"memory": ("fraction",), "step": ("percent",)}.get(args.bench, ())
    report.show(content, (*more, "ratio"))
    if args.out or not args.quick:
        report.write(out / f"{args.bench}_{args.device}.json", content)
        roofline.draw(out / f"{args.bench}_{args.device}.png", content)
        print(f"written to {out}/{args.bench}_{args.device}.json and .png")
    return int(bool(report.failures(content)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    benches = parser.add_subparsers(
        dest="bench", required=True, metavar="conv|memory|step|overhead"
    )
    for name in BENCHES:
        bench = benches.add_parser(name)
        add = bench.add_argument
        add("--device", choices=BATCH, default="cpu")
        add("--batch", type=int, help="images at once")
        add("--rounds", type=int, help="how often each side is asked for each case")
        add("--limit", type=float, default=3600, metavar="SECONDS", help="begin no case after it")
        add("--quick", action="store_true", help="tiny shapes, to see that it runs: no numbers")
        report.add_destination(bench)
        if name == "conv":
            add("--layers", nargs="+", choices=conv.TABLES, help="mixed on a CPU, all on a GPU")
            add("--count", type=int, help="only so many layers, evenly spaced by arithmetic")
    add = benches.add_parser("overhead").add_argument
    add("--rounds", type=int, help="how often each side is timed")
    add("--quick", action="store_true", help="a few rounds, to see that it runs: no numbers")
    return parser


def _conv(args: argparse.Namespace) -> tuple[Any, ...]:
    tables = args.layers or (["mixed"] if args.device == "cpu" else list(conv.TABLES[1:]))
    batch = args.batch or BATCH[args.device]
    every = list(conv.QUICK) if args.quick else conv.layers(tables, batch)
    chosen = every if args.count is None else spread_over(every, args.count)
    what = f"convolution: one pass in one precision, {len(chosen)} of the {len(every)} layers of "
    what += ", ".join(tables)
    if args.device == "cpu":
        what = "float32, forward + both gradients, median of interleaved rounds"
    return conv.cases(chosen, args.device), lambda case: conv.columns(case, args.device), what


def _memory(args: argparse.Namespace) -> tuple[Any, ...]:
    cases = memory.cases(args.batch or BATCH[args.device], args.quick)
    sides = [c for c in memory.SIDES if args.device != "emulator" or c.startswith("minitensor")]
    return cases, lambda case: sides, "operations bound by memory, float32"


def _step(args: argparse.Namespace) -> tuple[Any, ...]:
    cases = step.cases(args.batch or TRAINING_BATCH[args.device], args.quick)
    return cases, lambda case: step.COLUMNS[args.device], "training step, float32"


BENCHES = {"conv": _conv, "memory": _memory, "step": _step}


def _rates(rows: list[dict[str, Any]]) -> dict[str, float]:
    """The best copy in bytes per second, and the best products in operations per second."""
    found = {}
    for row in rows:
        if row["milliseconds"]:
            seconds = min(row["milliseconds"].values()) / 1e3
            copy = row["operations"] == 0
            name = "copy" if copy else row["precision"]
            found[name] = digits((row["traffic"] if copy else row["operations"]) / seconds)
    return found


def _add_fractions(content: dict[str, Any]) -> None:
    """How much of the copy's bandwidth each cell has."""
    for row in content["rows"] if "copy" in content["ceilings"] else ():
        least = row["traffic"] / content["ceilings"]["copy"]  # seconds
        cells = row["milliseconds"].items()
        row["fraction"] = {column: digits(1e3 * least / ms) for column, ms in cells}


if __name__ == "__main__":
    stoppable(main)
