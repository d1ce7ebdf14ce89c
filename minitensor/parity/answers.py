"""What travels between the ledger and whoever computes: a Job goes out, an Answer comes back.

Also what is thrown away before answers are judged or recorded: an answer that only repeats
another one. What is left is the op's own answer, and every answer that contradicts it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from minitensor.parity.case import HALVES, Case
from minitensor.parity.driver import Orders

DIRECT = ("eigen", "onednn")  # the op itself, by TensorFlow's two builds
DETOURS = ("convolution", "xla")  # the op by another way through TensorFlow
REPEATS = {"float64": 1e-12, "float32": 1e-6, "float16": 1e-3, "bfloat16": 1e-2}


@dataclass(frozen=True)
class Job:
    """One case in one dtype by one route, up to one order of differentiation."""

    case: Case
    dtype: str
    route: str
    order: int


@dataclass
class Answer:
    """Arrays for orders 0 ... k (None: left out), and why the orders above k did not come."""

    orders: list[list[np.ndarray] | None] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)

    def at(self, order: int) -> list[np.ndarray] | None:
        """The arrays of one order, if there are any."""
        return self.orders[order] if order < len(self.orders) else None


Answers = dict[tuple[str, str], dict[str, Answer]]  # (case key, dtype) -> route -> answer


def attempt(run: Callable[[int], Orders], array: Callable[..., np.ndarray], top: int) -> Answer:
    """The answer at `top`, or at the highest order below it where `run` does not raise."""
    found = Answer()
    for order in range(top, -1, -1):
        try:
            found.orders = [[np.asarray(array(y)) for y in part] for part in run(order)]
            return found
        except Exception as problem:
            found.errors[order] = f"{type(problem).__name__}: {_gist(problem)}"
    return found


def without_repeats(routes: dict[str, Answer], dtype: str) -> dict[str, Answer]:
    """The answers of one case and dtype, less those that another answer already gives."""
    kept = dict(routes)
    orders = max((len(answer.orders) for answer in routes.values()), default=0)
    for order in range(orders):
        said = {route: answer.at(order) for route, answer in kept.items()}
        direct = [route for route in DIRECT if said.get(route) is not None]
        for route in DETOURS:
            if direct and route in kept:
                kept[route] = _less(kept[route], order)
        heard = direct or [route for route in DETOURS if said.get(route) is not None]
        first = said[heard[0]] if heard else None
        alone = all(_repeats(said[route], said.get("proof"), dtype) for route in heard)
        if heard and alone and "proof" in kept and dtype not in HALVES:
            kept["proof"] = _less(kept["proof"], order)
        if len(direct) == 2 and _repeats(said["onednn"], first, dtype):
            kept["onednn"] = _less(kept["onednn"], order)
    return kept


def _less(answer: Answer, order: int) -> Answer:
    """`answer` with nothing at `order`."""
    orders = [None if i == order else part for i, part in enumerate(answer.orders)]
    return Answer(orders, answer.errors)


def _repeats(answer: list[np.ndarray] | None, first: list[np.ndarray] | None, dtype: str) -> bool:
    """Whether two answers are the same for all that a recording needs to know."""
    if answer is None or first is None:
        return True
    if [y.shape for y in answer] != [y.shape for y in first]:
        return False
    return all(_near(y, x, REPEATS.get(dtype, 0.0)) for y, x in zip(answer, first, strict=True))


def _near(y: np.ndarray, x: np.ndarray, share: float) -> bool:
    """Same NaN and infinities, and the rest within `share` of the largest."""
    with np.errstate(invalid="ignore"):  # uninitialised memory holds signalling NaN
        x, y = x.astype("float64"), y.astype("float64")
    finite = np.isfinite(x) & np.isfinite(y)
    if not np.array_equal(x[~finite], y[~finite], equal_nan=True):
        return False
    room = share * np.abs(x[finite]).max(initial=0.0)
    return bool((np.abs(x[finite] - y[finite]) <= room).all())


def _gist(problem: Exception) -> str:
    """The words of an error that matter: one line, without TensorFlow's wrapping."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()] or [""]
    line = lines[-1] if lines[0] == "in user code:" else lines[0]
    return line.split("}} ")[-1].split(" [Op:")[0][:160]
