"""`minitensor puzzle list | start N | check N | hint N`: kernels to write, checked without a GPU.

lessons/puzzles has, in the order of `puzzles.toml`, a task per puzzle with an empty kernel, what it
should compute in NumPy (`reference.py`), and what it may cost. `check` is `minitensor check`, then
the costs, counted as `minitensor kernel --metrics` counts them. What was reached, and how many
hints were read, stands in .puzzles.json beside the student's files.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

from minitensor.backend.errors import CompileError, DeviceError
from minitensor.backend.host.source import Kernel
from minitensor.explain import check
from minitensor.lesson import shelf

RIGHT, SAFE, CHEAP = 4, 2, 1  # points: the values; no race, nothing unset; each cost
COSTS = {  # what the file of puzzles says -> what a person reads
    "loads": "reads of arrays per thread",
    "shared": "uses of shared memory per thread",
    "sectors": "sectors per request",
    "conflicts": "wavefronts of shared memory where one would do (bank conflicts)",
    "registers": "registers per thread",
}
ADVICE = {  # what to do where it costs more
    "loads": "read each number once; keep it in a variable, or for the block in shared memory",
    "shared": "keep in a variable what is used again, or pass it on in the warp by a shuffle",
    "sectors": "let neighbours by threadIdx.x touch neighbours in memory",
    "conflicts": "threads of a warp want different words of one bank, the index % 32 of floats",
    "registers": "keep less at once in variables of a thread",
}
SECONDS = 20  # that a build of a puzzle may run; it needs one
ARCHITECTURE = "sm_80"  # whose registers are counted
_STATE = ".puzzles.json"


@dataclass(frozen=True)
class Puzzle:
    """One entry of puzzles.toml; `number` counts from 1, `costs` are what is allowed."""

    number: int
    name: str
    title: str
    launch: str
    costs: dict[str, float]
    hints: list[str]

    @property
    def file(self) -> str:
        """What the task and the student's kernel are called."""
        return f"{self.number:02}_{self.name}.cu"

    @property
    def points(self) -> int:
        """All that can be had."""
        return RIGHT + SAFE + CHEAP * len(self.costs)

    def arguments(self, file: str) -> argparse.Namespace:
        """What `minitensor check` is told for a solution."""
        parser = argparse.ArgumentParser()
        check.add_arguments(parser)
        against = f"--against={folder() / 'reference.py'}:{self.name}"
        told = f"--launch={self.name}", f"--seconds={SECONDS}", against
        return parser.parse_args([file, *shlex.split(self.launch), *told])

    def task(self) -> str:
        """The text and the empty kernel, with how it is launched and what is counted."""
        lines = (folder() / self.file).read_text().splitlines(keepends=True)
        text = next(i for i, line in enumerate(lines) if not line.startswith("//"))
        costs = ", ".join(f"{COSTS[name]} at most {most:g}" for name, most in self.costs.items())
        how = " ".join(self.launch.replace("--arg ", "").replace("--", "").split())
        told = f"//\n{_comment(f'Launch: {how}')}{_comment(f'Costs: {costs}.')}"
        return "".join([*lines[:text], told, *lines[text:]])


def _comment(text: str) -> str:
    return textwrap.indent(textwrap.fill(text, 97), "// ") + "\n"


def folder() -> Path:
    """Where the tasks lie."""
    return shelf.folder() / "puzzles"


@cache
def puzzles() -> list[Puzzle]:
    """All, in order."""
    entries = tomllib.loads((folder() / "puzzles.toml").read_text())["puzzle"]
    return [Puzzle(number, **entry) for number, entry in enumerate(entries, 1)]


def puzzle(word: str) -> Puzzle:
    """The puzzle of a number or a name."""
    found = [p for p in puzzles() if word.lstrip("0") == str(p.number) or word == p.name]
    if not found:
        raise ValueError(f"puzzle {word}: there are 1 to {len(puzzles())}; `list` has their names")
    return found[0]


# ----- the command -----


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="list|start|check|hint")
    verbs.add_parser("list", help="all puzzles, and the points reached in this folder")
    for name, purpose in (
        ("start", "write the task and an empty kernel into this folder"),
        ("check", "run the kernel and say what is wrong with it, or what it costs"),
        ("hint", "say one thing more, each time; no points are lost"),
    ):
        sub = verbs.add_parser(name, help=purpose)
        sub.add_argument("puzzle", metavar="N", help="its number or its name")
        if name == "check":
            sub.add_argument("file", nargs="?", help="the kernel, if it is not what `start` wrote")
            sub.add_argument("--json", action="store_true", help="as JSON, for a grader")


def run(args: argparse.Namespace) -> int:
    """Does what the word says; 1 if a checked puzzle is not solved."""
    if args.action == "list":
        return _list()
    return {"start": _start, "check": _check, "hint": _hint}[args.action](puzzle(args.puzzle), args)


def _list() -> int:
    state = _state()
    for p in puzzles():
        points = f"{state.get(p.name, {}).get('points', 0):2} of {p.points:2}"
        print(f"{p.number:2}  {p.name:14} {points}  {p.title}")
    return 0


def _start(p: Puzzle, _: argparse.Namespace) -> int:
    try:
        with open(p.file, "x") as file:
            file.write(p.task())
    except FileExistsError:
        raise ValueError(f"{p.file} is here already: nothing was written") from None
    print(f"{p.file}: {p.title}. Write it, then: minitensor puzzle check {p.number}")
    print(f"To watch it: minitensor kernel {p.file} {p.launch}")
    return 0


def _hint(p: Puzzle, _: argparse.Namespace) -> int:
    shown = min(_state().get(p.name, {}).get("hints", 0) + 1, len(p.hints))
    for number, hint in enumerate(p.hints[:shown], 1):
        print(f"{number} of {len(p.hints)}: {hint}")
    _note(p, hints=shown)
    return 0


def _check(p: Puzzle, args: argparse.Namespace) -> int:
    file = args.file or p.file
    if not Path(file).is_file():
        raise ValueError(f"no {file} here: minitensor puzzle start {p.number} writes one")
    told = p.arguments(file)
    try:
        found = dict(check.findings(told))
    except ValueError as problem:
        raise ValueError(f"{problem}; keep the name and the arguments that `start` wrote") from None
    verdicts = list(verdict(p, told, found))
    reached = sum(v.points for v in verdicts)
    solved = all(v.held for v in verdicts)
    if args.json:
        facts = {"puzzle": p.name, "solved": solved, "points": reached, "of": p.points}
        print(json.dumps(facts | {"verdicts": [vars(v) for v in verdicts]}))
    else:
        for v in verdicts:
            print(f"{'ok' if v.held else 'NO':3} {v.what}")
        print(f"{p.name}: {'solved, ' * solved}{reached} of {p.points} points")
        if place := next((m[1] for v in verdicts if (m := _OUTPUT.search(v.what))), None):
            print(f"To look inside: minitensor kernel {file} {p.launch} --output {place}")
    _note(p, points=max(reached, _state().get(p.name, {}).get("points", 0)))
    return int(not solved)


_OUTPUT = re.compile(r"minitensor kernel \.\.\. --output (\S+)")  # as check says it


def _state() -> dict[str, dict[str, int]]:
    """What was reached in this folder."""
    path = Path(_STATE)
    return json.loads(path.read_text()) if path.exists() else {}


def _note(p: Puzzle, **facts: int) -> None:
    state = _state()
    state[p.name] = state.get(p.name, {}) | facts
    Path(_STATE).write_text(json.dumps(state, indent=1) + "\n")


# ----- what is found -----


@dataclass(frozen=True)
class Verdict:
    """One line of the answer."""

    what: str
    held: bool
    points: int


def verdict(p: Puzzle, args: argparse.Namespace, found: dict[str, list[str]]) -> Iterator[Verdict]:
    """Whether a solution is right; if so, whether it is safe; if so, what it costs.

    Args:
        p: the puzzle.
        args: how it is launched, `p.arguments(file)`.
        found: `dict(check.findings(args))`.
    """
    if not found["checked"]:
        yield Verdict("right, in five orders of threads", True, RIGHT)
    if wrong := [line for lines in found.values() for line in lines]:
        yield from (Verdict(line, False, 0) for line in wrong)
        return
    yield Verdict("no race, nothing read that nobody wrote", True, SAFE)
    yield from costs(p, args)


def costs(p: Puzzle, args: argparse.Namespace) -> Iterator[Verdict]:
    """What a solution costs beside what it may; what cannot be counted here is said, and given."""
    os.environ["MINITENSOR_EMULATOR"] = "trace"
    launch, _ = check.traced(args)
    for name, most in p.costs.items():
        registers = name == "registers"
        count, where = (_registers(launch.kernel), "") if registers else _counted(launch, name)
        if count is None:
            yield Verdict(f"{COSTS[name]}: not counted, as there is no NVRTC here", True, CHEAP)
            continue
        held = count <= most + 0.005
        at = f", {where}" if where else ""
        more = "" if held else f"{at}: {ADVICE[name]}"
        what = f"{COSTS[name]}: {round(count, 2):g}, at most {most:g}{more}"
        yield Verdict(what, held, CHEAP * held)


def _counted(launch: Any, name: str) -> tuple[float | None, str]:
    """A cost, and the line that causes it."""
    from minitensor.backend.emulator.trace import at
    from minitensor.explain import metrics

    lines = [line for line in metrics.traffic(launch) if line.is_shared == (name in _OF_SHARED)]
    if name in ("loads", "shared"):
        uses = [line for line in lines if name == "shared" or line.kind == "load"]
        threads = prod(launch.grid) * prod(launch.block)
        return sum(line.threads for line in uses) * launch.scale / threads, ""
    worth = [line.conflicts if name == "conflicts" else line.sectors_per_request for line in lines]
    if not lines:
        return 0, ""
    worst = max(range(len(lines)), key=worth.__getitem__)
    return worth[worst], f"{at(lines[worst].place)}, {lines[worst].kind} of {lines[worst].memory}"


_OF_SHARED = ("shared", "conflicts")


def _registers(kernel: Kernel) -> int | None:
    """As NVRTC's compiler counts them; None without it."""
    from minitensor.backend.cuda import budget, nvrtc

    try:
        built = nvrtc.built(kernel.program, ARCHITECTURE)
    except DeviceError:
        return None
    except CompileError as problem:
        raise ValueError(str(problem)) from None
    return budget.figures(built.log)[built.lowered[kernel.name]]["registers"]
