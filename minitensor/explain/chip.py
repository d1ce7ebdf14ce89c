"""What NVIDIA's compiler makes of a kernel: registers, spills, the instructions of its inner loop.

Which loop is the inner one, and how often it turns, the trace tells: requests of warps at the lines
of its loads and stores, for each load and store that stands in it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from minitensor.backend.cuda import budget, nvrtc, sass
from minitensor.backend.errors import CompileError, DeviceError
from minitensor.explain.metrics import Traffic
from minitensor.explain.watch import Launch

MEMORY = {
    *("LDG", "STG", "LD", "ST", "RED", "REDG", "ATOM", "ATOMG"),
    *("LDGSTS", "LDS", "STS", "LDSM", "ATOMS"),
}


@dataclass(frozen=True)
class Chip:
    """A kernel on one architecture.

    Args:
        registers: of a thread; 0 where there is no compiler.
        shared: bytes of static shared memory.
        spilled: bytes that registers had no room for, stored and loaded.
        loop: the inner loop that does most; empty if there is none, or no disassembler.
        turns: how often a warp goes through it, over all warps.
        lack: why something is not known, in one line.
    """

    registers: int = 0
    shared: int = 0
    spilled: int = 0
    loop: sass.Code = ()
    turns: float = 0
    lack: str = ""

    @property
    def instructions(self) -> float:
        """That warps begin in the loop."""
        return len(self.loop) * self.turns

    @property
    def place(self) -> sass.Place | None:
        """Where the loop's branch stands: its `for`."""
        return self.loop[-1].places[0] if self.loop and self.loop[-1].places else None

    @property
    def mix(self) -> Counter[str]:
        """How often each opcode stands in the loop; those of memory with their width."""
        return Counter(_spelled(i) for i in self.loop)


def chip(launch: Launch, lines: list[Traffic], arch: str) -> Chip:
    """The launch's kernel, compiled for "sm_90" or another; `lines` are its `metrics.traffic`."""
    try:
        built = nvrtc.built(launch.kernel.program, arch)
    except DeviceError as lack:
        return Chip(lack=f"registers, spills, instructions are not counted: {lack}")
    except CompileError as problem:
        says = [line for line in str(problem).splitlines() if "error" in line] or [str(problem)]
        return Chip(lack=f"{arch}: NVRTC compiles it not: {says[0]}")
    symbol = built.lowered[launch.kernel.name]
    figures = budget.figures(built.log)[symbol]
    costs = figures["registers"], figures["shared"], figures["spill"]
    try:
        code = sass.listing(built.path)[symbol]
    except DeviceError as lack:
        return Chip(*costs, lack=f"instructions are not counted: {lack}")
    return Chip(*costs, *_hot(code, lines, launch.scale))


def _hot(code: sass.Code, lines: list[Traffic], scale: float) -> tuple[sass.Code, float]:
    """The inner loop in which most instructions begin, and its turns.

    Of the loops of the same lines, which are one that was unrolled and its rest, the larger: it
    needs fewer instructions for the same work.
    """
    requests: Counter[sass.Place] = Counter()
    for line in lines:
        if line.place:
            requests[_short(line.place)] += line.requests
    large: dict[frozenset[sass.Place], sass.Code] = {}
    for loop in sass.inner_loops(code):
        at = frozenset(_short(i.places[0]) for i in loop if i.base in MEMORY and i.places)
        large[at] = max(large.get(at, ()), loop, key=len)
    found = [(loop, _turns(loop, requests) * scale) for loop in large.values()]
    return max(found, key=lambda pair: (len(pair[0]) * pair[1], len(pair[0])), default=((), 0.0))


def _turns(loop: sass.Code, requests: Counter[sass.Place]) -> float:
    """Requests at the lines of its loads and stores, for each of these that stands there."""
    stands: Counter[sass.Place] = Counter()
    for instruction in (i for i in loop if i.base in MEMORY):
        where = map(_short, instruction.places)  # what is PTX there, the emulator has elsewhere
        stands.update(next(([place] for place in where if requests[place]), []))
    return sum(requests[place] for place in stands) / max(sum(stands.values()), 1)


def _short(place: sass.Place) -> sass.Place:
    """Compilers call the same file by other paths."""
    return Path(place[0]).name, place[1]


def _spelled(instruction: sass.Instruction) -> str:
    width = [part for part in instruction.opcode.split(".") if part in ("64", "128")]
    return ".".join([instruction.base, *width])
