"""One side, one process: the parent asks for a timing, the worker answers in seconds.

Two thread pools in one process spoil both, two libraries on one GPU share a context, and a kernel
that faults takes its process with it; so each side has its own. A worker that dies or is silent
for too long is an answer too ("failed"), and the next question gets a fresh one.

    python -m benchmarks.worker SIDE DEVICE         answers one line of JSON per line of JSON
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import warnings
from functools import partial
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.cases import NotOffered
from benchmarks.clock import Timer

SILENCE = 240  # seconds after which a worker is taken for dead: XLA and torch.compile take long
ROOT = Path(__file__).parent.parent
Timers = dict[str, tuple[Timer, float | None]]  # by option, with the norm of the first result


# ----- the child -----


def serve(side: str, device: str) -> None:
    """Says who it is, then answers questions until its input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    warnings.filterwarnings("ignore")

    def say(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    try:
        here = import_module(f"benchmarks.sides.{side}").Side(device)
    except Exception as reason:  # any missing library or driver, named in the report
        say({"absent": f"{type(reason).__name__}: {reason}".splitlines()[0]})
        return
    say({"about": here.about()})
    case: dict[str, Any] = {}
    timers: Timers = {}
    for line in sys.stdin:
        question = json.loads(line)
        if question["case"] != case:
            timers.clear()  # its arrays too, before others are made
            case = question["case"]
        say(_answer(here, question, timers))


def _answer(side: Any, question: dict[str, Any], timers: Timers) -> dict[str, Any]:
    """Seconds of one step and the norm of its first result, or why there are none."""
    case, option = question["case"], question["option"]
    try:
        if option not in timers:
            make = getattr(side, case["bench"])(case, option)
            first = make()
            norm = side.norm(first())
            steps = chain([first], iter(make, None))
            graph = case["bench"] != "train"
            timers[option] = side.clock.timer(lambda: next(steps), case["traffic"], graph), norm
        timer, norm = timers[option]
        return {"seconds": timer.sample(), "how": timer.how, "norm": norm}
    except NotOffered as reason:
        return {"none": str(reason)}
    except Exception as failure:  # one cell fails, the table goes on
        return {"failed": f"{type(failure).__name__}: {failure}"[:300]}


# ----- the parent -----


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def pin(threads: int) -> None:
    """Keeps this process on so many cores, 0: on all it has; libraries take as many threads."""
    if threads and threads != cores():
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


class Worker:
    """A process that times one side on one device, on so many cores (0: all)."""

    def __init__(self, side: str, device: str, threads: int = 0) -> None:
        self.command = [sys.executable, "-m", "benchmarks.worker", side, device]
        self.pin = partial(pin, threads)  # before its first import: BLAS counts cores only then
        self.hello = self._start()

    def ask(self, case: dict[str, Any], option: str) -> dict[str, Any]:
        """{"seconds", "how", "norm"} of a step of `case`, or {"none"} or {"failed"} and why."""
        if self.process.poll() is not None:
            self._start()
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"case": case, "option": option}) + "\n")
        self.process.stdin.flush()
        answer = self._hear()
        if "failed" in answer:
            self.close()  # a kernel that faulted has spoilt its process
        return answer

    def close(self) -> None:
        """Ends the process."""
        if self.process.poll() is None:
            self.process.communicate()

    def _start(self) -> dict[str, Any]:
        environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "TQDM_DISABLE": "1"}
        pipe = subprocess.PIPE
        self.words = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self.process = subprocess.Popen(
            self.command, env=environment, cwd=ROOT, text=True,
            stdin=pipe, stdout=pipe, stderr=self.words, preexec_fn=self.pin,
        )  # fmt: skip
        return self._hear()

    def _hear(self) -> dict[str, Any]:
        assert self.process.stdout
        heard, _, _ = select.select([self.process.stdout], [], [], SILENCE)
        line = self.process.stdout.readline() if heard else ""
        if line:
            return json.loads(line)
        if not heard:
            self.process.kill()
        cause = f"status {self.process.wait()}" if heard else f"silent for {SILENCE} s"
        self.words.seek(0)
        cause = f"the process ended, {cause}; its last words: {self.words.read()[-200:].strip()}"
        return {"failed": cause, "absent": cause}


if __name__ == "__main__":
    serve(*sys.argv[1:])
