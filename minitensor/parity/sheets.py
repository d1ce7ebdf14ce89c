"""The ledger as tables of words, the same whether a terminal, a README or a browser shows them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from minitensor.parity.cases import areas
from minitensor.parity.faults import explain
from minitensor.parity.ledger import CANNOT, DIFFER, MEANING, VERDICTS, WRONG, Row
from minitensor.parity.ops import describe

ORDERS = ("values", "gradients", "second")
DTYPES = ("float64", "float32", "float16", "bfloat16", "int32", "int64")


@dataclass(frozen=True)
class Sheet:
    """One table: a title, what it says, the names of its columns and its rows."""

    title: str
    text: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def by_area(rows: Sequence[Row]) -> Sheet:
    """The few lines for a README: part of the table, and how its verdicts fell."""
    area = areas()
    groups = _grouped(rows, lambda row: area[row.case.op])
    lines = [
        _line((name,), groups[name]) for name in dict.fromkeys(area.values()) if name in groups
    ]
    if len(lines) > 1:
        lines.append(_line(("all",), rows))
    text = (
        "One line of the ledger is one call in one dtype at one order: values, gradients, second "
        "order. Worst errors are in units of the bound derived in minitensor/parity/bounds.py."
    )
    names = ("", "ops", "lines", *MEANING.values(), "worst float64", "worst float32", "worst half")
    return Sheet("Parity with TensorFlow", text, names, lines)


def _line(names: tuple[str, ...], rows: Sequence[Row]) -> tuple[str, ...]:
    """Numbers of one part of the table."""
    count = Counter(row.verdict for row in rows)
    worst = [
        _worst(row for row in rows if row.dtype in dtypes)
        for dtypes in (("float64",), ("float32",), ("float16", "bfloat16"))
    ]
    ops = len({row.case.op for row in rows})
    return (*names, str(ops), str(len(rows)), *(str(count[v]) for v in VERDICTS), *worst)


def by_op(rows: Sequence[Row]) -> Sheet:
    """Op by op and dtype by dtype: the worst error at each order, and the verdicts."""
    lines = []
    for (op, dtype), group in _grouped(rows, lambda row: (row.case.op, row.dtype)).items():
        count = Counter(row.verdict for row in group)
        calls = len({row.case.key for row in group})
        worst = [_worst(row for row in group if row.order == order) for order in range(3)]
        shown = (str(count[verdict] or "") for verdict in VERDICTS)
        lines.append((op, dtype, str(calls), *worst, *shown))
    lines.sort(key=lambda line: (line[0], DTYPES.index(line[1])))
    text = "The worst error at each order, in units of the bound; then the lines by verdict."
    return Sheet("Op by op", text, ("op", "dtype", "calls", *ORDERS, *VERDICTS), lines)


def wrong(rows: Sequence[Row]) -> Sheet:
    """Where TensorFlow is wrong: the fault, how often, and one case with all three numbers."""
    found = [row for row in rows if row.verdict == WRONG]
    lines = []
    for fault, group in _grouped(found, explain).items():
        row = min(group, key=lambda row: (row.order, len(str(row.case))))
        numbers = [_number(row.witness.get(name)) for name in ("TF", "ours", "proof")]
        example = f"{row.case} {row.dtype}, {ORDERS[row.order]}"
        lines.append((fault, _ops(group), _where(group), *numbers, example, proof_name(row)))
    names = ("what", "ops", "lines", "TF", "ours", "proof", "for instance", "the proof is")
    text = "TensorFlow's number is not ours, and an independent computation gives ours."
    return Sheet(MEANING[WRONG], text, names, lines)


def cannot(rows: Sequence[Row]) -> Sheet:
    """Where TensorFlow has no answer: its words, how often, and what proves our number."""
    found = [row for row in rows if row.verdict == CANNOT]
    lines = []
    for (words, _), group in _grouped(found, lambda r: (_gist(r.words), proof_name(r))).items():
        row = min(group, key=lambda row: len(str(row.case)))
        example = f"{row.case} {row.dtype}, {ORDERS[row.order]}"
        lines.append((words, _ops(group), _where(group), example, proof_name(row)))
    names = ("TensorFlow says", "ops", "lines", "for instance", "the proof is")
    text = "TensorFlow refuses, or its process dies; our number is checked against a proof."
    return Sheet(MEANING[CANNOT], text, names, lines)


def differ(rows: Sequence[Row]) -> Sheet:
    """Where we differ: every one of them."""
    lines = [
        (
            str(row.case),
            row.dtype,
            ORDERS[row.order],
            f"{row.error:.3g}",
            row.words,
            *(_number(row.witness.get(name)) for name in ("TF", "ours", "proof")),
        )
        for row in rows
        if row.verdict == DIFFER
    ]
    names = ("case", "dtype", "order", "error", "words", "TF", "ours", "proof")
    return Sheet(MEANING[DIFFER], "Defects of ours, until shown to be none.", names, lines)


def proof_name(row: Row) -> str:
    """What stands behind our number where TensorFlow's answer does not."""
    if row.proof != "proof":
        return f"TensorFlow's own answer ({row.proof})"
    proof = describe(row.case.op).proof
    if proof is None:
        return "the same op in TensorFlow's float64"
    return f"{proof.__module__.removeprefix('minitensor.')}.{proof.__name__}"


def _grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    """Rows by a key, keys in order of appearance."""
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _worst(rows: Iterable[Row]) -> str:
    """The largest error of lines that are not defects, in units of the bound."""
    errors = [row.error for row in rows if row.verdict != DIFFER]
    return f"{max(errors):.2g}" if errors else ""


def _ops(rows: Iterable[Row]) -> str:
    return ", ".join(sorted({row.case.op for row in rows}))


def _where(rows: Sequence[Row]) -> str:
    """How many lines, in which dtypes."""
    dtypes = sorted({row.dtype for row in rows}, key=DTYPES.index)
    return f"{len(rows)} ({', '.join(dtypes)})"


def _number(value: Any) -> str:
    """A number to six digits, or a shape."""
    if value is None:
        return ""
    return f"shape {tuple(value)}" if isinstance(value, list) else f"{value:.6g}"


def _gist(words: str) -> str:
    """An error without the numbers of this one call."""
    return words.split(" Received")[0].split(". Please")[0][:90]
