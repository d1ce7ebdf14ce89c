"""What each kernel of ours does for one large problem, held in kernels/work.json.

    python -m minitensor.explain.work            counted again and compared: exit 1 if it is more
    python -m minitensor.explain.work --write    take today's figures

Counted on the emulator, in the middle block: bytes, sectors, wavefronts, operations, and
for sm_90 the instructions of the inner loop. `python -m benchmarks kernels` makes times of these,
for the GPU that it finds, and writes what it measures beside them; that machine needs no g++.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, TypeAlias

from minitensor.backend.host import source
from minitensor.explain.gpus import Work
from minitensor.explain.launch_cases import LAUNCH_CASES, Problem
from minitensor.explain.waste import cases

LARGE = Problem(shape=(32, 56, 56, 64), filter=(3, 3, 64))  # 26 MB of images, and as much again
ARCHITECTURE = "sm_90"
TOLERANCE = 1.1
Row: TypeAlias = dict[str, Any]  # grid, block, and the fields of Work that are not 0
Table: TypeAlias = dict[str, Row]  # instance -> its first launch


def measured(base: str) -> Table:
    """The work of all instances that the cases of a kernel launch."""
    from minitensor.backend import emulator
    from minitensor.explain import chip, metrics, watch

    os.environ["MINITENSOR_EMULATOR"] = "trace"
    table: Table = {}
    for case in cases(base, LARGE):
        for launch in watch.launches(lambda case=case: case(emulator), case.kernel, blocks=1):  # type: ignore[misc]
            if launch.kernel.name in table:
                continue
            lines = metrics.traffic(launch)
            built = chip.chip(launch, lines, ARCHITECTURE)
            done = vars(metrics.work(launch, lines, built.instructions))
            counts = {name: float(f"{count:.4g}") for name, count in done.items() if count}
            row = {"grid": list(launch.grid), "block": list(launch.block)}
            table[launch.kernel.name] = row | counts
    return table


def work(row: Row) -> Work:
    """What a row of the table says."""
    return Work(**{name: count for name, count in row.items() if name not in ("grid", "block")})


def held() -> Table:
    """The figures of kernels/work.json."""
    table: Table = json.loads((source.folder() / "work.json").read_text())
    return table


def complaints(table: Table, allowed: Table) -> list[str]:
    """Where a kernel is launched in another way, or does more, than is held."""
    said = []
    for name, row in table.items():
        before = allowed.get(name)
        if before is None:
            said.append(f"{name}: not in work.json; run with --write")
            continue
        for figure, now in row.items():
            was = before.get(figure, 0)
            if now != was if isinstance(now, list) else now > was * TOLERANCE:
                said.append(f"{name}: {figure} {now}, held are {was}")
    return said


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="take today's figures")
    write = parser.parse_args(arguments).write
    table: Table = {}
    for base in sorted({case.kernel.partition("<")[0] for case in LAUNCH_CASES}):
        table |= measured(base)
        print(f"{base}: {len(table)} instances so far", file=sys.stderr)
    if write:
        rows = [f"  {json.dumps(name)}: {json.dumps(table[name])}" for name in sorted(table)]
        (source.folder() / "work.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")
    said = complaints(table, held())
    print(*said, f"{len(table)} kernels, {len(said)} complaints", sep="\n")
    return bool(said)


if __name__ == "__main__":
    sys.exit(main())
