"""The ledger as tables of words, and how a terminal, Markdown, an HTML page or JSON shows them."""

from __future__ import annotations

import html
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from minitensor.parity.answers import DETOURS
from minitensor.parity.cases import areas
from minitensor.parity.known_tf_bugs import explain
from minitensor.parity.ledger import ALONE, CANNOT, DIFFER, EQUAL, MEANING, VERDICTS, WRONG, Row
from minitensor.parity.ops import describe

ORDERS = ("values", "gradients", "second")
DTYPES = ("float64", "float32", "float16", "bfloat16", "int32", "int64", "uint8")
TERMINAL = 120  # columns: narrower, and the tables of numbers fold into towers of letters
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 78rem; padding: 0 1rem;
  color: #1b1b1b; background: #fff }
table { border-collapse: collapse; margin: .5rem 0 2rem; display: block; overflow-x: auto }
th, td { text-align: left; padding: .25rem .7rem; vertical-align: top }
th, td { border-bottom: 1px solid #ddd }
th { position: sticky; top: 0; background: #f4f4f4 } td { font-variant-numeric: tabular-nums }
@media (prefers-color-scheme: dark) {
  body { color: #e6e6e6; background: #161616 }
  th { background: #262626 }
  th, td { border-color: #333 }
}
"""


@dataclass(frozen=True)
class Table:
    """One table: a title, what it says, the names of its columns and its rows."""

    title: str
    text: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def by_area(rows: Sequence[Row]) -> Table:
    """The few lines for a README: part of the case table, and how its verdicts fell."""
    area = areas()
    groups = _grouped(rows, lambda row: area[row.case.op])
    lines = [_line(name, groups[name]) for name in dict.fromkeys(area.values()) if name in groups]
    if len(lines) > 1:
        lines.append(_line("all", rows))
    text = (
        "One line of the ledger is one call in one dtype at one order: values, gradients, second "
        "order. Worst errors are in units of the bound derived in minitensor/parity/bounds.py."
    )
    names = ("", "ops", "lines", *MEANING.values(), "worst float64", "worst float32", "worst half")
    return Table("Parity with TensorFlow", text, names, lines)


def _line(name: str, rows: Sequence[Row]) -> tuple[str, ...]:
    """Numbers of one part of the table."""
    count = Counter(row.verdict for row in rows)
    kinds = (("float64",), ("float32",), ("float16", "bfloat16"))
    worst = [_worst(row for row in rows if row.dtype in dtypes) for dtypes in kinds]
    ops = len({row.case.op for row in rows})
    return (name, str(ops), str(len(rows)), *(str(count[v]) for v in VERDICTS), *worst)


def by_op(rows: Sequence[Row]) -> Table:
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
    return Table("Op by op", text, ("op", "dtype", "calls", *ORDERS, *VERDICTS), lines)


def wrong(rows: Sequence[Row]) -> Table:
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
    return Table(MEANING[WRONG], text, names, lines)


def cannot(rows: Sequence[Row]) -> Table:
    """Where TensorFlow has no answer: its words, how often, and what proves our number."""
    found = [row for row in rows if row.verdict == CANNOT]
    lines = []
    for (words, _), group in _grouped(found, lambda r: (_gist(r.words), proof_name(r))).items():
        row = min(group, key=lambda row: len(str(row.case)))
        example = f"{row.case} {row.dtype}, {ORDERS[row.order]}"
        lines.append((words, _ops(group), _where(group), example, proof_name(row)))
    names = ("TensorFlow says", "ops", "lines", "for instance", "the proof is")
    text = "TensorFlow refuses, or its process dies; our number is checked against a proof."
    return Table(MEANING[CANNOT], text, names, lines)


def alone(rows: Sequence[Row]) -> Table:
    """What TensorFlow has not: the op, how often it was called, and what proves it."""
    lines = []
    found = [row for row in rows if row.verdict == ALONE]
    for op, group in _grouped(found, lambda row: row.case.op).items():
        example = f"{group[0].case} {group[0].dtype}"
        lines.append((op, _where(group), example, proof_name(group[0])))
    names = ("op", "lines", "for instance", "the proof is")
    text = (
        "TensorFlow has no such op: a composition of simpler ops gives our values and derivatives, "
        "and central differences (check_gradients) our derivatives."
    )
    return Table(MEANING[ALONE], text, names, lines)


def differ(rows: Sequence[Row]) -> Table:
    """Where we differ: every one of them."""
    lines = []
    for row in (row for row in rows if row.verdict == DIFFER):
        numbers = (_number(row.witness.get(name)) for name in ("TF", "ours", "proof"))
        what = (str(row.case), row.dtype, ORDERS[row.order], f"{row.error:.3g}", row.words)
        lines.append((*what, *numbers))
    names = ("case", "dtype", "order", "error", "words", "TF", "ours", "proof")
    return Table(MEANING[DIFFER], "Defects of ours, until shown to be none.", names, lines)


def proof_name(row: Row) -> str:
    """What stands behind our number where TensorFlow's answer does not."""
    if row.case.composition:
        return _name(row.case.composition)
    if row.proof != "proof":
        return f"TensorFlow's own answer ({row.proof})"
    proof = describe(row.case.op).proof
    return _name(proof) if proof else "the same op in TensorFlow's float64"


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.removeprefix('minitensor.')}.{function.__name__}"


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


# ----- shown -----


def everything(rows: Sequence[Row]) -> list[Table]:
    """All tables that have something to say."""
    tables = [by_area(rows), by_op(rows), wrong(rows), cannot(rows), alone(rows), differ(rows)]
    return [table for table in tables if table.rows]


def show(rows: Sequence[Row], about: str) -> None:
    """Print the tables to the terminal: numbers as tables, stories as paragraphs."""
    from rich.console import Console

    console = Console(highlight=False, width=max(Console().width, TERMINAL))
    for table in everything(rows):
        if table.title in MEANING.values():
            _show_stories(console, table)
        else:
            _show_table(console, table)
    console.print(f"{about}\n{tally(rows)}", markup=False)


def _show_table(console: Any, table: Table) -> None:
    """A table; columns of numbers stand to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as Grid

    grid = Grid(title=table.title, caption=table.text, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for i, name in enumerate(table.columns):
        short = name.partition(" (")[0]
        grid.add_column(short, justify="right" if i > 1 else "left", overflow="fold", no_wrap=i < 2)
    for row in table.rows:
        grid.add_row(*row)
    console.print(grid)


def _show_stories(console: Any, table: Table) -> None:
    """A paragraph per row: its first column, then the rest by name."""
    console.print(f"\n[bold]{table.title}[/bold]  {table.text}")
    for first, *rest in table.rows:
        console.print(f"\n  {first}", markup=False, style="bold")
        for name, value in zip(table.columns[1:], rest, strict=True):
            if value:
                console.print(f"    {name:>14}  {value}", markup=False, soft_wrap=True)


def tally(rows: Sequence[Row]) -> str:
    """One sentence: how many lines got which verdict."""
    counts = [f"{sum(row.verdict == name for row in rows)} {name}" for name in VERDICTS]
    around = sum(row.verdict == EQUAL and row.route in DETOURS for row in rows)
    if around:
        counts[0] += f" ({around} of them by TensorFlow's XLA or space_to_batch alone)"
    return f"{len(rows)} lines: {', '.join(counts)}."


def markdown(rows: Sequence[Row], about: str) -> str:
    """The summary for a README: parts of the table, TensorFlow's bugs, and what is ours alone."""
    short = [by_area(rows)]
    bugs = wrong(rows)
    if bugs.rows:
        kept = [(line[0], line[1], line[2], f"`{line[6]}`") for line in bugs.rows]
        short.append(Table(bugs.title, bugs.text, ("what", "ops", "lines", "for instance"), kept))
    if alone(rows).rows:
        short.append(alone(rows))
    parts = [about, tally(rows)]
    for table in short:
        parts += [f"**{table.title}.** {table.text}", _markdown_table(table)]
    return "\n\n".join(parts) + "\n"


def page(rows: Sequence[Row], about: str) -> str:
    """One HTML page without scripts or outside files."""
    body = "".join(
        f"<h2>{html.escape(table.title)}</h2><p>{html.escape(table.text)}</p>{_html_table(table)}"
        for table in everything(rows)
    )
    head = f"<h1>Parity ledger</h1><p>{html.escape(about)}</p><p>{html.escape(tally(rows))}</p>"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>minitensor parity ledger</title><style>{STYLE}</style>{head}{body}</html>\n"
    )


def as_json(rows: Sequence[Row], about: dict[str, Any]) -> str:
    """Every line of the ledger."""
    lines = [
        {
            "op": row.case.op,
            "case": str(row.case),
            "dtype": row.dtype,
            "order": ORDERS[row.order],
            "verdict": row.verdict,
            "route": row.route,
            "proof": row.proof,
            "error in bounds": _json_number(row.error),
            "words": row.words,
            "witness": {name: _json_number(value) for name, value in row.witness.items()},
        }
        for row in rows
    ]
    counts = {name: sum(row.verdict == name for row in rows) for name in VERDICTS}
    return json.dumps({"about": about, "counts": counts, "lines": lines}, indent=1) + "\n"


def failed(rows: Sequence[Row]) -> bool:
    """Whether any line is a defect of ours."""
    return any(row.verdict == DIFFER for row in rows)


def _json_number(value: Any) -> Any:
    """JSON has no NaN and no infinity: those become words."""
    finite = isinstance(value, list) or abs(value) < float("inf")
    return value if finite else str(value)


def _markdown_table(table: Table) -> str:
    rule = ("---",) * len(table.columns)
    cells = [table.columns, rule, *table.rows]
    return "\n".join(f"| {' | '.join(c.replace('|', '&#124;') for c in row)} |" for row in cells)


def _html_table(table: Table) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"

    rows = "".join(line(row, "td") for row in table.rows)
    return f"<table><thead>{line(table.columns, 'th')}</thead><tbody>{rows}</tbody></table>"
