"""Every kernel of ours: the time that its work asks for, beside the time that it takes.

Predicted are the bounds of docs/kernel-metrics.md, of the counts in kernels/work.json, with the
figures of the GPU that is there. Measured is a launch with the same grid, repeated between two
events: arrays are larger than the L2 cache, but what one launch leaves there the next one finds.
Without a GPU the column stays empty, and the report says why.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import report
from minitensor.backend import devices
from minitensor.backend.host import source
from minitensor.explain import work
from minitensor.explain.gpus import GPUS, bounds
from minitensor.explain.launch_cases import LAUNCH_CASES, Problem
from minitensor.explain.waste import cases

NAME = "kernels_gpu.json"
LIMIT = 60  # seconds
WARM_UPS, SERIES = 3, 0.02  # launches; seconds of launches between two events, about
Launch = Callable[[], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = parser.add_argument
    add("--gpu", choices=GPUS, help="whose time is predicted; else of the one that is there, H100")
    add("--limit", type=float, default=LIMIT, metavar="SECONDS", help=f"for all, {LIMIT}")
    report.add_destination(parser)


def main(args: argparse.Namespace) -> int:
    """Writes and prints the table."""
    out = report.destination(argparse.ArgumentParser(), args)
    lack = devices.lack_of("GPU")
    name, clock = args.gpu or "H100", None
    if not lack:
        from benchmarks.sides import cupy_events

        clock, found = cupy_events.Gpu(), cupy_events.machine()["gpu"]
        name = args.gpu or next((known for known in GPUS if known in found), "")
    content = compared(work.held(), name, clock, lack, args.limit)
    show(content)
    report.write(out / NAME, content)
    return 0


def compared(
    table: work.Table,
    name: str,
    clock: Any,
    lack: str,
    limit: float = LIMIT,
    problem: Problem = work.LARGE,
) -> dict[str, Any]:
    """The report: a row for each kernel.

    Args:
        table: what each kernel does, for `problem`.
        name: the GPU whose figures are taken; empty where they are not known.
        clock: its events (`clock.Gpu`); None to measure nothing.
        lack: why nothing is measured.
        limit: seconds; kernels that come later have no measured time.
        problem: of the launches.
    """
    times = dict(measured(table, clock, time.monotonic() + limit, problem)) if clock else {}
    rows = []
    for kernel, held in sorted(table.items()):
        asked = bounds(GPUS[name], work.work(held)) if name else {}
        (bound, least), *_ = asked.items() or [("", None)]
        row = {"name": kernel, "grid": held["grid"], "block": held["block"], "bound": bound}
        found = times.get(kernel)
        row |= {"predicted_us": _digits(least), "measured_us": _digits(found)}
        row["measured_over_predicted"] = _digits(found / least) if found and least else None
        rows.append(row)
    facts = {"date": report.today(), "commit": report.commit(), "machine": report.machine()}
    problem_words = f"{problem.shape} by {problem.filter}, float32"
    return facts | {
        "what": f"kernels of one problem, {problem_words}: microseconds, predicted and measured",
        "predicted_for": name or "a GPU that minitensor/explain/gpus.py does not know",
        "timed": bool(clock),
        "not_measured": lack,
        "rows": rows,
    }


def measured(
    table: work.Table, clock: Any, end: float, problem: Problem
) -> Iterator[tuple[str, float]]:
    """(kernel, microseconds of a launch), for those that are launched as the table has them."""
    from minitensor.backend import cuda

    told: set[str] = set()
    for base in sorted({case.kernel.partition("<")[0] for case in LAUNCH_CASES}):
        for case in cases(base, problem):
            for name, grid, launch in _launches(cuda, case):
                if time.monotonic() > end:
                    return
                if name in told or name not in table or list(grid) != table[name]["grid"]:
                    continue
                told.add(name)
                yield name, _microseconds(launch, clock)


def _launches(be: Any, case: Any) -> list[tuple[str, tuple[int, ...], Launch]]:
    """What a case launches, each to be launched again."""
    found: list[tuple[str, tuple[int, ...], Launch]] = []
    plain = be.device.launch

    def noted(kernel: Any, grid: Any, block: Any, *arguments: Any, shared: int = 0) -> None:
        def again() -> None:
            plain(kernel, grid, block, *arguments, shared=shared)

        again()
        extent = (grid,) if isinstance(grid, int) else tuple(grid)
        declared = source.kernel(kernel) if isinstance(kernel, str) else kernel
        found.append((declared.name, (*extent, 1, 1)[:3], again))

    be.device.launch = noted
    try:
        case(be)
    finally:
        del be.device.launch  # the class's own again
    return found


def _microseconds(launch: Launch, clock: Any) -> float:
    """Of one launch, in the mean of a series."""

    def series(count: int) -> float:
        start = clock.mark()
        for _ in range(count):
            launch()
        return float(clock.seconds(start, clock.mark())) / count

    pace = series(WARM_UPS)
    return series(max(WARM_UPS, min(round(SERIES / max(pace, 1e-9)), 1000))) * 1e6


def _digits(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")


def show(content: dict[str, Any]) -> None:
    """The rows as text, and why a column is empty."""
    print(content["what"])
    print(f"{'predicted for ' + content['predicted_for']:60}  predicted  measured   ratio  bound")
    for row in content["rows"]:
        cells = [row[k] for k in ("predicted_us", "measured_us", "measured_over_predicted")]
        told = "  ".join(f"{'-' if cell is None else cell:>8}" for cell in cells)
        print(f"{row['name']:60}  {told}  {row['bound']}")
    if content["not_measured"]:
        print(f"nothing was measured: {content['not_measured']}")
