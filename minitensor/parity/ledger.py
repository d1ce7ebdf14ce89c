"""The ledger: our engine's answers beside TensorFlow's, and one verdict per case, dtype and order.

    equal             every answer TensorFlow gives is ours, within the bound of `bounds.py`
    TF cannot         it refuses (or dies), and an independent proof gives our number
    TF is wrong       an answer of it is not ours, and an independent proof gives our number
    ours alone        TensorFlow has no such op: a composition of simpler ops gives our number, and
                      central differences our gradients
    we differ         anything else: a defect of ours until it is shown to be none

Verdicts are measured each time, never written down beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitensor.backend import devices
from minitensor.backend.settings import algorithm
from minitensor.parity.answers import DETOURS, DIRECT, Answer, Answers, attempt
from minitensor.parity.bounds import UNIT, bound, scales, their_slack
from minitensor.parity.case import FLOATS, HALVES, Case, draw
from minitensor.parity.driver import (
    Perturbation,
    Side,
    as_float64,
    differentiable,
    differentiate,
    flat,
    invoke,
    is_float,
    keep,
    rounded_through,
)

EQUAL, CANNOT, WRONG, ALONE = "equal", "TF cannot", "TF is wrong", "ours alone"
DIFFER = "we differ"
VERDICTS = (EQUAL, CANNOT, WRONG, ALONE, DIFFER)
MEANING = {
    EQUAL: "equal",
    CANNOT: "TF cannot (we compute it)",
    WRONG: "TF is wrong (shown, with the proof)",
    ALONE: "ours alone",
    DIFFER: "we differ",
}


@dataclass(frozen=True)
class Row:
    """One line of the ledger.

    Args:
        case: what was called.
        dtype: in which dtype.
        order: 0 values, 1 gradients, 2 gradients of gradients.
        verdict: one of VERDICTS.
        route: whose answer stands against ours; empty where TensorFlow has none.
        proof: what decided, where TensorFlow's answer did not.
        error: the largest difference, in units of its bound, from the answer or the proof.
        words: why TensorFlow cannot, or where answers differ.
        witness: the numbers at the element where they are furthest apart.
    """

    case: Case
    dtype: str
    order: int
    verdict: str
    route: str = ""
    proof: str = ""
    error: float = 0.0
    words: str = ""
    witness: dict[str, Any] = field(default_factory=dict)


def our_side(backend: str = "numpy") -> Side:
    """minitensor as a Side; an answer that does not lie on `backend` is an error."""
    import minitensor

    device = devices.full_name(backend)

    def array(tensor: Any) -> np.ndarray:
        if hasattr(tensor, "toarray"):  # W' as a sparse array, which is no tensor
            return tensor.toarray()
        if tensor.device != device:
            raise RuntimeError(f"the answer lies on {tensor.device}, not on {device}")
        return tensor.numpy()

    return Side(minitensor, minitensor.constant, array)


def judge(
    cases: Sequence[Case],
    dtypes: Sequence[str],
    answers: Answers,
    tick: Callable[[], None] = lambda: None,
    backend: str = "numpy",
) -> list[Row]:
    """The ledger of `cases` in `dtypes` on a backend, for those that `answers` speaks about."""
    side, ruler = our_side(backend), our_side()
    rows: list[Row] = []
    for case in cases:
        known = [d for d in case.dtypes if case.composition or (case.key, d) in answers]
        wanted = [d for d in known if d in dtypes]
        measured = scales(ruler, case) if any(d in UNIT for d in wanted) else []
        for dtype in wanted:
            with devices.device(devices.kind_of_backend(backend)):
                rows += judge_case(side, case, dtype, answers, measured)
            tick()
    return rows


def judge_case(
    side: Side, case: Case, dtype: str, answers: Answers, measured: list[list[np.ndarray]]
) -> Iterator[Row]:
    """The rows of one case in one dtype, one per order."""
    tensors = [side.tensor(array) for array in draw(case, dtype)]

    def run(order: int) -> list[list[Any]]:
        return differentiate(side, side.function(case.op), case, tensors, order)

    mine = attempt(run, side.array, case.orders(dtype))
    proof = composed(case, dtype) if case.composition else None
    for order in range(case.orders(dtype) + 1):
        scale = measured[order] if order < len(measured) else []
        if proof:
            yield alone(side, mine, proof, case, dtype, order, scale)
        else:
            yield verdict(mine, Claims.about(answers, case, dtype, order), scale)


@dataclass(frozen=True)
class Claims:
    """What is said about one case, dtype and order: by TensorFlow, and by the proof."""

    case: Case
    dtype: str
    order: int
    said: dict[str, list[np.ndarray]]
    proof: tuple[str, list[np.ndarray]] | None
    refusal: str

    @staticmethod
    def about(answers: Answers, case: Case, dtype: str, order: int) -> Claims:
        """Pick the claims out of the answers; what float64 says may prove float32 as well."""
        own = answers[case.key, dtype]
        wide = answers.get((case.key, "float64"), {}) if dtype in FLOATS else {}
        said = _at(own, DIRECT, order) or _at(wide, DETOURS, order)
        proofs = _at({**wide, **own}, ("proof",), order)
        if dtype == "float32":
            more = _at(wide, ("eigen", *DETOURS), order)
            proofs |= {f"{route} float64": arrays for route, arrays in more.items()}
        refusals = [own[route].errors.get(order, "") for route in DIRECT if route in own]
        refusal = next(filter(None, refusals), "")
        return Claims(case, dtype, order, said, next(iter(proofs.items()), None), refusal)


def verdict(mine: Answer, claims: Claims, scale: list[np.ndarray]) -> Row:
    """Judge our answer of one order against all claims about it."""
    ours = mine.at(claims.order)

    def row(name: str, route: str, found: Distance, proof: Distance | None = None) -> Row:
        shown = {} if name == EQUAL else found.witness(ours, claims.said.get(route), claims.proof)
        words = claims.refusal if name == CANNOT else found.words
        decided = claims.proof[0] if proof and claims.proof else ""
        size = (proof or found).size
        line = (claims.case, claims.dtype, claims.order)
        return Row(*line, name, route, decided, size, words, shown)

    if ours is None:
        return row(DIFFER, "", Distance(np.inf, mine.errors.get(claims.order, "no answer")))
    said = claims.said.items()
    errors = {route: distance(claims, ours, theirs, scale, route) for route, theirs in said}
    worst = max(errors, key=lambda route: errors[route].size, default="")
    agreed = bool(errors) and errors[worst].size <= 1
    if not claims.proof:
        nobody = Distance(np.inf, f"nobody answers: {claims.refusal}")
        return row(EQUAL if agreed else DIFFER, worst, errors.get(worst, nobody))
    proven = distance(claims, ours, claims.proof[1], scale, "proof")
    if proven.size > 1 and (claims.dtype in HALVES or not agreed):
        return row(DIFFER, worst, proven, proven)
    if agreed:
        return row(EQUAL, worst, errors[worst], proven if claims.dtype in HALVES else None)
    return row(WRONG if errors else CANNOT, worst, errors.get(worst, proven), proven)


# ----- ops that TensorFlow has not -----


def composed(case: Case, dtype: str) -> Answer:
    """What a case's composition of simpler ops gives: in float64, for the numbers of `dtype`.

    Convolutions in it are computed by the definition.
    """
    side, composition = our_side(), case.composition
    arrays = draw(case, dtype)
    perturb: Perturbation = keep
    if dtype in (*FLOATS, *HALVES):
        arrays, perturb = as_float64(arrays), rounded_through(dtype)

    def function(*args: Any, **settings: Any) -> Any:
        assert composition is not None
        return composition(side.module, *args, **settings)

    def run(order: int) -> list[list[Any]]:
        tensors = [side.tensor(array) for array in arrays]
        return differentiate(side, function, case, tensors, order, perturb)

    with devices.device(devices.kind_of_backend("numpy")), algorithm("direct"):
        return attempt(run, side.array, case.orders(dtype))


def alone(
    side: Side,
    mine: Answer,
    proof: Answer,
    case: Case,
    dtype: str,
    order: int,
    scale: list[np.ndarray],
) -> Row:
    """The row of an op that is ours alone; central differences check its gradients in float64."""
    name, ours, theirs = "composition", mine.at(order), proof.at(order)
    if ours is None or theirs is None:
        words = (mine if ours is None else proof).errors.get(order, "no answer")
        return Row(case, dtype, order, DIFFER, "", name, np.inf, words)
    claims = Claims(case, dtype, order, {}, (name, theirs), "")
    found = distance(claims, ours, theirs, scale, name)
    words = "" if order == 0 or dtype != "float64" else _wrong_gradients(side, case, order)
    if found.size > 1 or words:
        shown = found.witness(ours, None, claims.proof)
        return Row(case, dtype, order, DIFFER, "", name, found.size, words or found.words, shown)
    return Row(case, dtype, order, ALONE, "", name, found.size)


def _wrong_gradients(side: Side, case: Case, order: int) -> str:
    """What `check_gradients` has against the derivatives of a case; empty: nothing."""
    tf, tensors = side.module, [side.tensor(array) for array in draw(case, "float64")]
    function, sources, rebuilt = side.function(case.op), *differentiable(case, tensors)

    def in_one_row(*given: Any) -> Any:
        outputs = [y for y in flat(invoke(function, case, rebuilt(given))) if is_float(y)]
        return tf.concat([tf.reshape(y, [-1]) for y in outputs], 0)

    try:
        tf.check_gradients(in_one_row, *sources, order=order)
    except AssertionError as problem:
        return str(problem)
    return ""


# ----- how far apart -----


@dataclass(frozen=True)
class Distance:
    """How far two answers are apart, in units of the bound, and at which array and element."""

    size: float
    words: str = ""
    array: int = -1
    element: int = -1

    def witness(
        self,
        ours: list[np.ndarray] | None,
        theirs: list[np.ndarray] | None,
        proof: tuple[str, list[np.ndarray]] | None,
    ) -> dict[str, Any]:
        """The numbers at the element; shapes where those already differ."""
        named = {"TF": theirs, "ours": ours, "proof": proof[1] if proof else None}
        shown: dict[str, Any] = {}
        for name, arrays in named.items():
            if arrays is None or not 0 <= self.array < len(arrays):
                continue
            array = arrays[self.array]
            whole = self.element < 0 or self.element >= array.size
            shown[name] = list(array.shape) if whole else float(array.ravel()[self.element])
        return shown


def distance(
    claims: Claims,
    ours: list[np.ndarray],
    theirs: list[np.ndarray],
    scale: list[np.ndarray],
    route: str,
) -> Distance:
    """The largest difference between two lists of arrays, in units of the bound."""
    if len(ours) != len(theirs):
        return Distance(np.inf, f"{len(theirs)} tensors, ours {len(ours)}")
    worst = Distance(0.0)
    for i, (y, x) in enumerate(zip(ours, theirs, strict=True)):
        if y.shape != x.shape:
            return Distance(np.inf, f"tensor {i}: shape {x.shape}, ours {y.shape}", i)
        if route in DIRECT and y.dtype != x.dtype:
            return Distance(np.inf, f"tensor {i}: dtype {x.dtype}, ours {y.dtype}", i)
        allowed: Any = 0.0
        if "float" in y.dtype.name and i < len(scale) and scale[i].shape == x.shape:
            allowed = bound(claims.case, claims.dtype, x, scale[i])
            if route in DIRECT:
                allowed = allowed + their_slack(claims.case, claims.dtype, scale[i])
        worst = max(worst, _furthest(i, y, x, allowed), key=lambda found: found.size)
    return worst


def _furthest(array: int, y: np.ndarray, x: np.ndarray, allowed: Any) -> Distance:
    """Where two arrays of one shape differ most; NaN equals NaN and infinities themselves."""
    with np.errstate(invalid="ignore", divide="ignore"):
        y, x = y.astype("float64"), x.astype("float64")
        gap = np.where((y == x) | (np.isnan(y) & np.isnan(x)), 0.0, np.abs(y - x))
        ratio = np.where(gap == 0, 0.0, gap / allowed)
    ratio = np.where(np.isnan(ratio), np.inf, ratio)
    if not ratio.size:
        return Distance(0.0)
    element = int(ratio.argmax())
    words = f"tensor {array}, element {element}"
    return Distance(float(ratio.ravel()[element]), words, array, element)


def _at(routes: dict[str, Answer], names: Sequence[str], order: int) -> dict[str, list[np.ndarray]]:
    """The arrays that the named routes give at one order."""
    found = {name: routes[name].at(order) for name in names if name in routes}
    return {name: parts for name, parts in found.items() if parts is not None}
