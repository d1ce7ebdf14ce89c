"""The parent's loop: asks every side in turn, case by case, and keeps medians.

The sides are interleaved, so that a slow minute of the machine falls on all of them, and their
order turns around from round to round. A case may take its share of the time that is left: when
that is up it has no further round; when all is up no further case is begun, and what is left out
is named. One number of threads comes after another, in processes of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import groupby
from statistics import median
from typing import Any, TypeVar

from benchmarks.cases import Case
from benchmarks.worker import Worker

T = TypeVar("T")
AGREEMENT = {"fp32": 1e-4, "tf32": 1e-2, "fp16": 1e-2}  # of the lengths of results, relative
HIDDEN = ("bench", "op", "network")  # of a case, not repeated in its row


@dataclass
class Measured:
    """What a run came to."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)  # versions and device, by all sides
    absent: dict[str, str] = field(default_factory=dict)  # side -> why it took no part
    left_out: list[str] = field(default_factory=list)  # cases for which there was no time


@dataclass(frozen=True)
class Plan:
    """What to ask: cases, who answers each, how often, and for how many seconds at most."""

    cases: Sequence[Case]
    columns: Callable[[Case], Sequence[str]]  # "side:option"
    device: str
    rounds: int
    limit: float
    timed: bool = True  # False: the code is run, and no number is kept


def measure(plan: Plan, title: str) -> Measured:
    """Runs the plan."""
    found, end = Measured(), time.monotonic() + plan.limit
    names = dict.fromkeys(c.split(":")[0] for case in plan.cases for c in plan.columns(case))
    left = len(plan.cases)
    print(f"{title}: {left} cases of {', '.join(names)}, in {plan.limit:.0f} s", flush=True)
    cases = progress(plan.cases, title)
    for threads, group in groupby(cases, key=lambda case: case.get("threads", 0)):
        workers = dict(_begin(names, plan.device, threads, found))
        for case in group:
            columns = [c for c in plan.columns(case) if c.split(":")[0] in workers]
            share = (end - time.monotonic()) / left
            answers = _asked(case, columns, workers, plan.rounds, share) if share > 0 else None
            left -= 1
            if answers is None:
                found.left_out.append(f"{case['name']} ({case['group']})")
            else:
                found.rows.append(_row(case, answers, plan.timed))
        for worker in workers.values():
            worker.close()
    return found


def _begin(
    names: Iterable[str], device: str, threads: int, found: Measured
) -> Iterator[tuple[str, Worker]]:
    """The sides that are there."""
    for name in names:
        worker = Worker(name, device, threads)
        if "absent" in worker.hello:
            if name not in found.absent:
                print(f"{name} takes no part: {worker.hello['absent']}", flush=True)
            found.absent[name] = worker.hello["absent"]
        else:
            found.about |= worker.hello["about"]
            yield name, worker


def _asked(
    case: Case, columns: list[str], workers: dict[str, Worker], rounds: int, seconds: float
) -> dict[str, list[dict[str, Any]]]:
    """Each column's answers, round by round: one round at least, no new one after the seconds.

    Who has no such operation, or failed at it, is not asked again.
    """
    answers: dict[str, list[dict[str, Any]]] = {column: [] for column in columns}
    end = time.monotonic() + seconds
    for round in range(rounds):
        if round and time.monotonic() > end:
            break
        for column in columns if round % 2 else reversed(columns):
            side, option = column.split(":")
            if not round or "seconds" in answers[column][-1]:
                answers[column].append(workers[side].ask(case, option))
    return answers


def _row(case: Case, answers: dict[str, list[dict[str, Any]]], timed: bool) -> dict[str, Any]:
    """One line of the table: milliseconds by column, and how they were taken, or why not.

    Where the columns' results are not of one length, their norms are told: one of them is wrong.
    """
    row = {key: value for key, value in case.items() if key not in HIDDEN}
    row |= {"milliseconds": {}, "how": {}, "rounds": max(map(len, answers.values()), default=0)}
    for column, given in answers.items():
        seconds = [answer["seconds"] for answer in given if "seconds" in answer]
        if seconds:
            row["milliseconds"][label(column)] = digits(1e3 * median(seconds)) if timed else None
        word = next(word for word in ("failed", "none", "how") if any(word in g for g in given))
        text = next(answer[word] for answer in given if word in answer)
        row["how"][label(column)] = text if word == "how" else f"{word}: {text}"
    norms = {label(c): given[0]["norm"] for c, given in answers.items() if given[0].get("norm")}
    if norms and max(norms.values()) > min(norms.values()) * (1 + AGREEMENT[case["precision"]]):
        row["norms"] = norms
    return row


def label(column: str) -> str:
    """ "minitensor:tiled" as "minitensor tiled"."""
    return column.replace(":", " ").strip()


def digits(number: float) -> float:
    """Four of them; more would be noise."""
    return float(f"{number:.4g}")


def progress(items: Sequence[T], title: str) -> Iterator[T]:
    """A bar by tqdm; without it, a line at every tenth."""
    if find_spec("tqdm"):
        from tqdm import tqdm

        yield from tqdm(items, desc=title, unit="case", disable=None)
        return
    for number, item in enumerate(items):
        if number % max(len(items) // 10, 1) == 0:
            print(f"{title}: {number} of {len(items)}", flush=True)
        yield item
