"""The ledger's sheets as a terminal, Markdown, an HTML page or JSON shows them."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any

from minitensor.parity.answers import DETOURS
from minitensor.parity.ledger import DIFFER, EQUAL, MEANING, VERDICTS, Row
from minitensor.parity.sheets import ORDERS, Sheet, by_area, by_op, cannot, differ, wrong

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


def everything(rows: Sequence[Row]) -> list[Sheet]:
    """All sheets that have something to say."""
    sheets = [by_area(rows), by_op(rows), wrong(rows), cannot(rows), differ(rows)]
    return [sheet for sheet in sheets if sheet.rows]


def show(rows: Sequence[Row], about: str) -> None:
    """Print the sheets to the terminal: numbers as tables, stories as paragraphs."""
    from rich.console import Console

    console = Console(highlight=False, width=max(Console().width, TERMINAL))
    for sheet in everything(rows):
        if sheet.title in MEANING.values():
            _show_stories(console, sheet)
        else:
            _show_table(console, sheet)
    console.print(f"{about}\n{tally(rows)}", markup=False)


def _show_table(console: Any, sheet: Sheet) -> None:
    """A table; columns of numbers stand to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=sheet.title, caption=sheet.text, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for i, name in enumerate(sheet.columns):
        short = name.partition(" (")[0]
        table.add_column(
            short, justify="right" if i > 1 else "left", overflow="fold", no_wrap=i < 2
        )
    for row in sheet.rows:
        table.add_row(*row)
    console.print(table)


def _show_stories(console: Any, sheet: Sheet) -> None:
    """A paragraph per row: its first column, then the rest by name."""
    console.print(f"\n[bold]{sheet.title}[/bold]  {sheet.text}")
    for first, *rest in sheet.rows:
        console.print(f"\n  {first}", markup=False, style="bold")
        for name, value in zip(sheet.columns[1:], rest, strict=True):
            if value:
                console.print(f"    {name:>14}  {value}", markup=False, soft_wrap=True)


def tally(rows: Sequence[Row]) -> str:
    """One sentence: how many lines got which verdict."""
    counts = [f"{sum(row.verdict == name for row in rows)} {name}" for name in VERDICTS]
    around = sum(row.verdict == EQUAL and row.route in DETOURS for row in rows)
    counts[0] += (
        f" ({around} of them by TensorFlow's XLA or space_to_batch alone)" if around else ""
    )
    return f"{len(rows)} lines: {', '.join(counts)}."


def markdown(rows: Sequence[Row], about: str) -> str:
    """The summary for a README: the parts of the table, and TensorFlow's faults."""
    short = [by_area(rows)]
    faults = wrong(rows)
    if faults.rows:
        kept = [(line[0], line[1], line[2], line[6]) for line in faults.rows]
        short.append(
            Sheet(faults.title, faults.text, ("what", "ops", "lines", "for instance"), kept)
        )
    parts = [about, tally(rows)]
    for sheet in short:
        parts += [f"**{sheet.title}.** {sheet.text}", _markdown_table(sheet)]
    return "\n\n".join(parts) + "\n"


def page(rows: Sequence[Row], about: str) -> str:
    """One HTML page without scripts or outside files."""
    body = "".join(
        f"<h2>{html.escape(sheet.title)}</h2><p>{html.escape(sheet.text)}</p>{_html_table(sheet)}"
        for sheet in everything(rows)
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


def _markdown_table(sheet: Sheet) -> str:
    """A table of GitHub's Markdown."""
    rule = ("---",) * len(sheet.columns)
    cells = [sheet.columns, rule, *sheet.rows]
    return "\n".join(f"| {' | '.join(c.replace('|', '&#124;') for c in row)} |" for row in cells)


def _html_table(sheet: Sheet) -> str:
    """A table of HTML."""

    def line(cells: tuple[str, ...], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"

    rows = "".join(line(row, "td") for row in sheet.rows)
    return f"<table><thead>{line(sheet.columns, 'th')}</thead><tbody>{rows}</tbody></table>"
