"""Asking TensorFlow: which routes a case is sent along, and the processes that answer.

Two workers run at once, one per TF_ENABLE_ONEDNN_OPTS: "eigen" (0) takes every case and also the
detours and proofs, "onednn" (1) takes float32 and the halves, where oneDNN answers instead. A
worker that dies is an outcome ("killed by SIGABRT"), and the next case gets a fresh one.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from importlib import metadata

from minitensor.parity.answers import DETOURS, Answer, Answers, Job, without_repeats
from minitensor.parity.case import HALVES, Case
from minitensor.parity.ops import describe

COMMAND = (sys.executable, "-m", "minitensor.parity.reference")


def version() -> str:
    """The version of TensorFlow, without importing it; empty where it is not installed."""
    for name in ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "tf-nightly"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return ""


class Worker:
    """A process with TensorFlow in it that answers one job after the other."""

    def __init__(self, onednn: bool, command: Sequence[str] = COMMAND) -> None:
        self.onednn = onednn
        self.command = command
        self.deaths = 0
        self._start()

    def ask(self, job: Job) -> Answer:
        """The answer to a job; if the process dies of it, that is noted and a lower order asked."""
        try:
            pickle.dump(job, self.jobs)
            self.jobs.flush()
            return pickle.load(self.answers)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            cause = self._restart()
            lower = Job(job.case, job.dtype, job.route, job.order - 1)
            found = self.ask(lower) if job.order else Answer()
            found.errors[job.order] = cause
            return found

    def close(self) -> None:
        """Let the process end: its stdin closes."""
        self.jobs.close()
        self.answers.close()
        self.process.wait()

    def _start(self) -> None:
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **quiet, "TF_ENABLE_ONEDNN_OPTS": str(int(self.onednn))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.jobs, self.answers = self.process.stdin, self.process.stdout
        self.version = pickle.load(self.answers)

    def _restart(self) -> str:
        """Why the process died; a fresh one stands in its place."""
        code = self.process.wait()
        self.jobs.close()
        self.answers.close()
        self.deaths += 1
        self._start()
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def ask(cases: Sequence[Case], dtypes: Sequence[str], tick: Callable[[], None]) -> Answers:
    """All of TensorFlow's answers; `tick` is called once per case, dtype and worker."""
    samples = [(case, dtype) for case in cases for dtype in case.dtypes if dtype in dtypes]
    answers: Answers = {(case.key, dtype): {} for case, dtype in samples}

    def eigen() -> None:
        worker = Worker(onednn=False)
        for case, dtype in samples:
            answers[case.key, dtype].update(ask_eigen(worker, case, dtype))
            tick()
        worker.close()

    def onednn() -> None:
        worker = Worker(onednn=True)
        for case, dtype in samples:
            if dtype in ("float32", *HALVES):
                job = Job(case, dtype, "direct", case.orders(dtype))
                answers[case.key, dtype]["onednn"] = worker.ask(job)
            tick()
        worker.close()

    run_together(eigen, onednn)
    return {key: without_repeats(routes, key[1]) for key, routes in answers.items()}


def ask_eigen(worker: Worker, case: Case, dtype: str) -> dict[str, Answer]:
    """The op itself; where it stops short, the detours; and its proof."""
    top, op = case.orders(dtype), describe(case.op)
    found = {"eigen": worker.ask(Job(case, dtype, "direct", top))}
    if dtype == "float64" and op.windowed:
        for route in DETOURS:
            if any(len(answer.orders) > top for answer in found.values()):
                break
            if route == "xla" or "dilations" in case.settings:
                found[route] = worker.ask(Job(case, dtype, route, top))
    proven_wide = dtype == "float32" and "float64" in case.dtypes  # float64's proof does for it
    if dtype in HALVES or (op.proof and not proven_wide):
        found["proof"] = worker.ask(Job(case, dtype, "proof", top))
    return found


def run_together(*tasks: Callable[[], None]) -> None:
    """Run tasks in threads; the first failure of any is raised here."""
    failures: list[BaseException] = []

    def guarded(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
