"""How one step is timed: by the host's clock on a CPU, by device events on a GPU.

A maker returns a step that works on inputs of its own. On a GPU as many steps are made as it
takes to walk over more memory than the L2 cache holds, and they take turns, outputs kept, so
that no launch finds its data in the cache. Where it can be, a series of launches is recorded as
a CUDA graph and replayed: then Python's time between launches is not counted. What is not here:
medians over rounds, which the parent takes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, Protocol

Step = Callable[[], Any]
Maker = Callable[[], Step]

ROTATED = 128 * 2**20  # bytes that a series of launches touches; L2 holds 50 MB on an H100
COPIES = 64  # of the inputs of a small step, at most
WARM_UPS = 20  # launches before the first sample, fewer for a step slower than `SLOW`
SLOW = 0.02  # seconds
SERIES = 0.01  # seconds of launches between two events, about
SAMPLES = 7  # series in one answer


@dataclass
class Timer:
    """`sample()` is the seconds of one step; `how` says how they were taken."""

    sample: Callable[[], float]
    how: str


class HostClock:
    """The clock of the machine, for libraries that return when the numbers are there."""

    def timer(self, make: Maker, traffic: int, graph: bool) -> Timer:
        """Times single steps, or an epoch's mean; each sample runs one more first."""
        step = make()
        updates = getattr(step, "updates", 1)

        def sample() -> float:
            step()  # wakes caches and threads after the other side's turn
            start = time.perf_counter()
            step()
            return (time.perf_counter() - start) / updates

        return Timer(sample, "host clock" + f", mean of {updates}" * (updates > 1))


class Gpu(Protocol):
    """What a library must offer to have its launches timed."""

    def mark(self) -> Any:
        """An event, recorded now."""

    def seconds(self, start: Any, stop: Any) -> float:
        """Between two events; waits for the second."""

    def recorded(self, launch: Callable[[], None]) -> Callable[[], None]:
        """What `launch` launches as a CUDA graph, tried out before: call it to replay them."""


class DeviceClock:
    """Events of a GPU around a series of launches."""

    def __init__(self, gpu: Gpu) -> None:
        self.gpu = gpu

    def timer(self, make: Maker, traffic: int, graph: bool) -> Timer:
        """Times a series of steps over rotated inputs; `traffic` is the bytes that one touches."""
        copies = min(max(math.ceil(ROTATED / traffic), 1), COPIES)
        steps = [make() for _ in range(copies)]
        outputs: list[Any] = [None] * copies
        launches = self._series(steps)

        def launch() -> None:
            for i in range(launches):
                outputs[i % copies] = steps[i % copies]()

        series, how = self._recorded(launch) if graph else (launch, "events")
        series()

        def sample() -> float:
            return median(self._once(series) / launches for _ in range(SAMPLES))

        return Timer(sample, f"{how}, {launches} launches, {copies} copies")

    def _series(self, steps: list[Step]) -> int:
        """How many launches one sample takes: whole turns of all copies."""
        steps[0]()  # compiles
        pace = self._once(lambda: [step() for step in steps]) / len(steps)
        wanted = 3 if pace > SLOW else max(WARM_UPS, min(round(SERIES / pace), 4 * COPIES))
        return math.ceil(wanted / len(steps)) * len(steps)

    def _recorded(self, launch: Callable[[], None]) -> tuple[Callable[[], None], str]:
        try:
            return self.gpu.recorded(launch), "graph replay"
        except Exception as refusal:  # whatever a library says that cannot be captured
            return launch, f"events (no graph: {type(refusal).__name__} {refusal})"[:160]

    def _once(self, series: Callable[[], Any]) -> float:
        start = self.gpu.mark()
        series()
        return self.gpu.seconds(start, self.gpu.mark())
