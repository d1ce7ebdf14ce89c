"""What travels between the ledger and whoever computes: a Job goes out, an Answer comes back.

What is thrown away before answers are judged or recorded: an answer that only repeats another one.
What is left is the op's own answer, and every answer that contradicts it.

What is kept in a file, so that the ledger can be drawn up where TensorFlow is not installed:
`recorded/answers.npz` holds one flat array per dtype, an index that cuts it up, and where the
answers come from: the TensorFlow version, the two builds, the machine.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.parity.case import HALVES, Case
from minitensor.parity.driver import Orders

PATH = Path(__file__).parent / "recorded" / "answers.npz"
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
    allowed = share * np.abs(x[finite]).max(initial=0.0)
    return bool((np.abs(x[finite] - y[finite]) <= allowed).all())


def _gist(problem: Exception) -> str:
    """The words of an error that matter: one line, without TensorFlow's wrapping."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()] or [""]
    line = lines[-1] if lines[0] == "in user code:" else lines[0]
    return line.split("}} ")[-1].split(" [Op:")[0][:160]


# ----- in a file -----


def save(path: Path, answers: Answers, about: dict[str, Any]) -> None:
    """Write `answers` to `path`, with `about` beside them."""
    pieces: dict[str, list[np.ndarray]] = defaultdict(list)
    index = []
    for (key, dtype), routes in answers.items():
        for route, answer in routes.items():
            orders = [None if part is None else _put(part, pieces) for part in answer.orders]
            index.append([key, dtype, route, orders, answer.errors])
    flat = {name: np.concatenate(parts) for name, parts in pieces.items()}
    text = json.dumps({"about": about, "index": index}, separators=(",", ":"))
    path.parent.mkdir(exist_ok=True)
    flat["text"] = np.frombuffer(text.encode(), "uint8")
    np.savez_compressed(path, allow_pickle=False, **flat)


def load(path: Path = PATH) -> tuple[Answers, dict[str, Any]]:
    """The recorded answers and what they say about themselves."""
    with np.load(path) as file:
        flat = dict(file)
    head = json.loads(flat.pop("text").tobytes())
    starts = dict.fromkeys(flat, 0)
    answers: Answers = defaultdict(dict)
    for key, dtype, route, orders, errors in head["index"]:
        parts = [None if part is None else _take(part, flat, starts) for part in orders]
        answers[key, dtype][route] = Answer(parts, {int(k): text for k, text in errors.items()})
    return dict(answers), head["about"]


def _put(arrays: list[np.ndarray], pieces: dict[str, list[np.ndarray]]) -> list[Any]:
    """Append arrays to the flat ones; [dtype, shape] of each."""
    for array in arrays:
        raw = array.view("uint16") if array.dtype.name == "bfloat16" else array
        pieces[array.dtype.name].append(raw.ravel())
    return [[array.dtype.name, list(array.shape)] for array in arrays]


def _take(
    shapes: list[Any], flat: dict[str, np.ndarray], starts: dict[str, int]
) -> list[np.ndarray]:
    """The next arrays, in the order they were put."""
    found = []
    for name, shape in shapes:
        start = starts[name]
        starts[name] += int(np.prod(shape))
        raw = flat[name][start : starts[name]]
        found.append(_as_dtype(raw, name).reshape(shape))
    return found


def _as_dtype(raw: np.ndarray, name: str) -> np.ndarray:
    """bfloat16 from its 16 bits; float32 holds every bfloat16 where ml_dtypes is missing."""
    if name != "bfloat16":
        return raw
    try:
        import ml_dtypes
    except ModuleNotFoundError:
        return (raw.astype("uint32") << 16).view("float32")
    return raw.view(ml_dtypes.bfloat16)
