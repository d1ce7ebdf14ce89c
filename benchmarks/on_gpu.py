"""The one GPU command: tests, sanitizers and benchmarks, in under nine minutes.

    python -m benchmarks.on_gpu --out DIR [--only NAME ...] [--count N]

Jobs run one after the other, each in a process of its own. The clock is shared out: a job may
take its share of what is left, so time that one leaves over goes to the later ones, and what no
longer fits is skipped by name. DIR gets summary.json, log.txt and the benchmarks' JSON, eight
files at most, for `python -m benchmarks.roofline` to draw. Without a GPU the plan is printed, and
nothing is written.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from benchmarks import report
from benchmarks.report import ROOT, commit, machine, versions
from minitensor.backend import devices
from minitensor.cli import stoppable

TOTAL = 520  # seconds for all jobs
LEAST = 15  # with less left a job is not begun
CLOSING = 15  # seconds a benchmark may need for the cell it has begun
SANITIZER = "compute-sanitizer"
PARITY = (
    "tests/parity/test_parity_emulator.py"  # TensorFlow's recorded answers, on every backend here
)
KEPT = "*.json"  # what a job's files are, of those that are handed back


@dataclass(frozen=True)
class Job:
    """A command, its weight in the sharing of the clock, and what it cannot do without."""

    name: str
    command: tuple[str, ...]
    share: float
    modules: tuple[str, ...] = ()
    program: str = ""

    def lack(self) -> str:
        """What is missing here, or nothing."""
        gone = [module for module in self.modules if find_spec(module) is None]
        if self.program and not _program(self.program):
            gone.append(self.program)
        return f"{' and '.join(gone)} not found" if gone else ""


def jobs(count: int) -> list[Job]:
    """All jobs, in the order in which they run."""
    together = ("-n", "6") if find_spec("xdist") else ()
    pytest = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml={xml}", *together)
    bench = ("-m", "benchmarks")
    ends = ("--device", "gpu", "--limit", "{limit}", "--out", "{out}")
    check = (SANITIZER, "--error-exitcode", "3", "--tool")
    watched = ("{python}", "-m", "benchmarks.sanitize_set")
    gpu, tests = ("cupy",), ("cupy", "pytest", "hypothesis")
    return [
        Job("compile", ("-m", "benchmarks.warm_up"), 2, gpu),
        Job("tests", (*pytest, *_tests()), 2, tests),
        Job("rungs", watched[1:], 1, gpu),
        Job("nccl", (*pytest, "tests/distribute/test_nccl.py"), 1, tests),
        Job("allreduce", ("-m", "benchmarks.nccl"), 1, gpu),
        Job("conv", (*bench, "conv", "--count", str(count), *ends), 7, gpu),
        Job("memory", (*bench, "memory", *ends), 3, gpu),
        Job("step", (*bench, "step", *ends), 3, gpu),
        Job("kernels", (*bench, "kernels", "--limit", "{limit}", "--out", "{out}"), 1, gpu),
        Job("parity", (*pytest, PARITY), 4, tests),
        *(
            Job(tool, (*check, tool, *watched), 2, gpu, SANITIZER)
            for tool in ("memcheck", "racecheck", "synccheck")
        ),
    ]


def _tests() -> list[str]:
    """The test files that ask which backends are here, but for the long one."""
    files = sorted(ROOT.glob("tests/*/test_*.py"))
    asking = [file for file in files if "from backends import" in file.read_text(encoding="utf-8")]
    return [name for file in asking if (name := str(file.relative_to(ROOT))) != PARITY]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the jobs, or says what would be run."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.on_gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [job.name for job in jobs(0)]
    report.add_destination(parser)
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these jobs alone")
    parser.add_argument("--count", type=int, default=10, help="layers in the table of convolutions")
    args = parser.parse_args(arguments)
    out = report.destination(parser, args)
    chosen = [job for job in jobs(args.count) if job.name in args.only]
    lack = devices.lack_of("GPU")
    if lack:
        _dry_run(chosen, lack)
        return 0
    out.mkdir(parents=True, exist_ok=True)
    results = run(chosen, out)
    return int(any(result["status"] == "failed" for result in results))


def _dry_run(chosen: list[Job], lack: str) -> None:
    print(f"No GPU here ({lack}).\nDry run: nothing is measured, nothing is written. The plan:")
    clock = Clock(TOTAL)
    for number, job in enumerate(chosen):
        limit = clock.share(chosen[number:])
        print(f"  {job.name:13} {limit:4.0f} s  {' '.join(_filled(job, limit, Path('DIR')))}")
        if job.lack():
            print(f"                      not here: {job.lack()}")
        clock.end -= limit


def run(chosen: list[Job], out: Path) -> list[dict[str, Any]]:
    """Runs the jobs and keeps summary.json up to date, whatever happens later."""
    clock, results = Clock(TOTAL), []
    with tempfile.TemporaryDirectory() as folder, (out / "log.txt").open("w") as log:
        for number, job in enumerate(chosen):
            result = _run_job(job, clock.share(chosen[number:]), Path(folder), log)
            print(f"{job.name}: {result['status']}, {result.get('seconds', 0)} s", flush=True)
            results.append(result)
            for file in Path(folder).glob(KEPT):
                shutil.copy(file, out / file.name)
            summary = {"commit": commit(), "machine": machine(), "versions": versions()}
            text = json.dumps(summary | {"jobs": results}, indent=1)
            (out / "summary.json").write_text(text + "\n", encoding="utf-8")
    return results


class Clock:
    """What is left of the time, and how much of it the next job may take."""

    def __init__(self, total: float) -> None:
        self.end = time.monotonic() + total

    def share(self, rest: list[Job]) -> float:
        """Seconds for the first job of `rest`."""
        left = self.end - time.monotonic()
        return left * rest[0].share / sum(job.share for job in rest)


def _run_job(job: Job, limit: float, folder: Path, log: Any) -> dict[str, Any]:
    """One job: status "passed", "failed", "out of time" or "skipped", and what is to be told."""
    result: dict[str, Any] = {"name": job.name, "limit": round(limit)}
    if job.lack() or limit < LEAST:
        return result | {"status": "skipped", "why": job.lack() or "no time left"}
    command = _filled(job, limit, folder)
    print(f"\n===== {job.name}: {' '.join(command)}", file=log, flush=True)
    start, place = time.monotonic(), log.tell()
    code = _until(command, limit, log)
    status = {0: "passed", None: "out of time"}.get(code, "failed")
    log.flush()
    words = Path(log.name).read_bytes()[place:].decode(errors="replace").strip()
    result |= {"status": status, "seconds": round(time.monotonic() - start, 1)}
    result |= {"exit_code": code, "last_words": words[-1500:]}
    return result | _counts(folder / f"{job.name}.xml")


def _until(command: list[str], limit: float, log: Any) -> int | None:
    """The exit code, or None if the time was up: then its whole process group is ended."""
    environment = os.environ | {"MINITENSOR_BACKENDS": "cuda", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
    )
    try:
        return process.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def _filled(job: Job, limit: float, folder: Path) -> list[str]:
    """The command with its files, its time and its interpreter."""
    values = {
        "xml": folder / f"{job.name}.xml",
        "out": folder,
        "limit": round(max(limit - CLOSING, 1)),
        "python": sys.executable,
    }
    words = [word.format(**values) for word in job.command]
    return [_program(words[0]) or words[0], *words[1:]] if job.program else [sys.executable, *words]


def _program(name: str) -> str:
    """Where a program is; CUDA's are often not on the path."""
    return shutil.which(name) or shutil.which(name, path="/usr/local/cuda/bin") or ""


def _counts(xml: Path) -> dict[str, Any]:
    """From pytest's report: how many tests, and the names of those that failed."""
    try:
        suite = next(ElementTree.parse(xml).iter("testsuite"))
    except (OSError, ElementTree.ParseError):  # no tests, or ended before it was written
        return {}
    bad = [
        c
        for c in suite.iter("testcase")
        if c.find("failure") is not None or c.find("error") is not None
    ]
    names = [f"{case.get('classname')}::{case.get('name')}" for case in bad]
    counts = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
    return {"counts": counts, "failed": names[:50]}


if __name__ == "__main__":
    stoppable(main)
