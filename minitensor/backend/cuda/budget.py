"""What each kernel costs on the chip, held in kernels/budget.json: registers, bytes, spills.

    python -m minitensor.backend.cuda.budget            compare with the file; exit 1 if exceeded
    python -m minitensor.backend.cuda.budget --write    take today's figures

Every instance of every .cu is compiled for each architecture; ptxas says what it uses. No GPU and
no driver is needed. Shared memory asked for at launch is not in these figures.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from minitensor.backend.cuda import nvrtc
from minitensor.backend.host import source

ARCHITECTURES = ("sm_80", "sm_90")
Figures: TypeAlias = dict[str, int]  # registers, shared, stack, spill; bytes but for the first
Table: TypeAlias = dict[str, dict[str, Figures]]  # instance -> architecture -> figures

_ENTRY = re.compile(
    r"Compiling entry function '(?P<name>\S+)' for"
    r".*?(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, "
    r"(?P<loads>\d+) bytes spill loads"
    r".*?Used (?P<registers>\d+) registers(?P<rest>[^\n]*)",
    re.DOTALL,
)


def measured(file: str) -> Table:
    """Figures of every instance of a .cu."""
    table: Table = {name: {} for name in source.instances(file)}
    with ThreadPoolExecutor() as pool:  # NVRTC works outside of Python's lock
        cubins = list(pool.map(lambda arch: nvrtc.cubin(file, arch), ARCHITECTURES))
    for arch, built in zip(ARCHITECTURES, cubins, strict=True):
        by_symbol = figures(built.log)
        for name, symbol in built.lowered.items():
            table[name][arch] = by_symbol[symbol]
    return table


def figures(log: str) -> dict[str, Figures]:
    """What ptxas says of each kernel: mangled name -> figures."""
    found = {}
    for entry in _ENTRY.finditer(log):
        shared = re.search(r"(\d+) bytes smem", entry["rest"])
        found[entry["name"]] = {
            "registers": int(entry["registers"]),
            "shared": int(shared[1]) if shared else 0,
            "stack": int(entry["stack"]),
            "spill": int(entry["stores"]) + int(entry["loads"]),
        }
    return found


def held() -> Table:
    """The figures of kernels/budget.json."""
    table: Table = json.loads((source.folder() / "budget.json").read_text())["kernels"]
    return table


def complaints(table: Table, budget: Table) -> list[str]:
    """Where figures spill, exceed the budget, or have none."""
    said = []
    for name, by_arch in table.items():
        for arch, now in by_arch.items():
            allowed = budget.get(name, {}).get(arch)
            if now["spill"]:
                said.append(f"{name} {arch}: spills {now['spill']} bytes; none is allowed")
            if allowed is None:
                said.append(f"{name} {arch}: not in budget.json; run with --write")
                continue
            over = [k for k in now if now[k] > allowed[k]]
            said += [f"{name} {arch}: {k} {now[k]}, the budget is {allowed[k]}" for k in over]
    return said


def write(table: Table) -> None:
    """Makes `table` the budget."""
    rows = [
        f"    {json.dumps(name)}: {{\n"
        + ",\n".join(f"      {json.dumps(a)}: {json.dumps(f)}" for a, f in by_arch.items())
        + "\n    }"
        for name, by_arch in sorted(table.items())
    ]
    text = (
        f'{{\n  "nvrtc": "{nvrtc.version()}",\n  "kernels": {{\n' + ",\n".join(rows) + "\n  }\n}\n"
    )
    (source.folder() / "budget.json").write_text(text)


def main() -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="take today's figures as the budget")
    arguments = parser.parse_args()
    table: Table = {}
    for file in source.files():
        table |= measured(file)
    if arguments.write:
        write(table)
    said = complaints(table, held())
    said += [f"{name}: in budget.json, but no kernel" for name in held() if name not in table]
    for name, by_arch in table.items():
        costs = (f"{a} {f['registers']:3} registers {f['shared']:5} B" for a, f in by_arch.items())
        print(f"{name:56}", *costs, sep="  ")
    print(*said, f"{len(table)} kernels, {len(said)} complaints", sep="\n")
    return bool(said)


if __name__ == "__main__":
    sys.exit(main())
