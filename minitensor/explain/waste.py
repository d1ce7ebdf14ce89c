"""What of the memory that our kernels ask for is waste, held in kernels/memory.json.

    python -m minitensor.explain.waste            measured again and compared: exit 1 if it is more
    python -m minitensor.explain.waste --write    take today's figures

One problem for each kernel, on the emulator. A line is wasteful where less than 80 % of
the sectors that it moves was asked for (a number that a whole warp reads is one sector, and none
is), or where shared memory takes more than 1.2 wavefronts for each. The file of such a kernel says
why, in a sentence that begins with `Memory:`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from typing import Any, TypeAlias

from minitensor.backend.host import source
from minitensor.explain.launch_cases import LAUNCH_CASES, LaunchCase, Problem

LEAST, MOST, FEW = 0.8, 1.2, 2.0  # efficiency; wavefronts; sectors of a request that are no waste
TOLERANCE = 1.1
TYPICAL = Problem(shape=(1, 10, 10, 32), filter=(3, 3, 32))
Table: TypeAlias = dict[str, dict[str, list[float]]]  # instance -> access -> sectors, efficiency


def measured(base: str) -> Table:
    """The waste of all instances that the cases of a kernel launch."""
    from minitensor.backend import emulator
    from minitensor.explain import metrics, watch

    os.environ["MINITENSOR_EMULATOR"] = "trace"
    table: Table = {}
    for case in cases(base, TYPICAL):
        for launch in watch.launches(lambda case=case: case(emulator), case.kernel):  # type: ignore[misc]
            entry = table.setdefault(launch.kernel.name, {})
            for line in metrics.traffic(launch):
                wasted = (
                    line.conflicts > MOST
                    if line.is_shared
                    else line.efficiency < LEAST and line.sectors_per_request > FEW
                )
                if wasted:
                    access = f"{line.kind} {line.memory}"
                    figures = (
                        [round(line.conflicts, 2)]
                        if line.is_shared
                        else [round(line.sectors_per_request, 1), round(line.efficiency, 2)]
                    )
                    entry[access] = max(entry.get(access, [0.0]), figures)
    return {name: entry for name, entry in table.items() if entry}


def cases(base: str, sizes: Problem) -> list[LaunchCase]:
    """The ways to launch a kernel for these sizes, each once; float16 if it knows nothing else.

    Of convolutions but depthwise ones no instance is made for taps or strides.
    """
    found: dict[Any, LaunchCase] = {}
    for case in LAUNCH_CASES:
        was = case.problem
        dtype = "float16" if base == "conv_tensor_f16" else "float32"
        if case.kernel.partition("<")[0] != base or was.dtype != dtype:
            continue
        taps, channels = was.filter[:2], sizes.shape[-1]
        groups = channels if was.groups == was.shape[-1] else min(was.groups, 2)
        filter_ = *taps, channels
        problem = replace(sizes, filter=filter_, stride=was.stride, groups=groups, dtype=dtype)
        of = groups if base.startswith("conv_") else (taps, was.stride)
        key = case.kernel, case.run, case.algorithm, of
        found.setdefault(key, replace(case, problem=problem))
    return list(found.values())


def held() -> Table:
    """The figures of kernels/memory.json."""
    table: Table = json.loads((source.folder() / "memory.json").read_text())
    return table


def complaints(table: Table, allowed: Table) -> list[str]:
    """Where there is more waste than is held."""
    said = []
    for name, entry in table.items():
        for access, (most, *_) in entry.items():
            before = allowed.get(name, {}).get(access)
            if before is None or most > before[0] * TOLERANCE:
                said.append(f"{name}: {access} {most}, held are {before}")
    return said


def main() -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="take today's figures")
    write = parser.parse_args().write
    table: Table = {}
    for base in sorted({case.kernel.partition("<")[0] for case in LAUNCH_CASES}):
        table |= measured(base)
    if write:
        rows = [f"  {json.dumps(name)}: {json.dumps(table[name])}" for name in sorted(table)]
        (source.folder() / "memory.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")
    said = complaints(table, held())
    print(*said, f"{len(table)} kernels waste something, {len(said)} complaints", sep="\n")
    return bool(said)


if __name__ == "__main__":
    sys.exit(main())
