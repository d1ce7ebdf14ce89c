"""Lines of text, with styles: readable without colour, coloured where rich is installed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

Line = list[tuple[str, str]]  # pieces of text, each with a style of rich ("" for none)
LIT, DIM, HEAD, TOTAL = "bold yellow", "dim", "bold", "bold green"
WIDEST = 36  # counts of a pattern


def plain(found: Sequence[Line]) -> str:
    """The lines without colour."""
    return "\n".join("".join(piece for piece, _ in line).rstrip() for line in found)


def show(found: Sequence[Line]) -> None:
    """Prints them, in colour if rich is installed and the terminal has colours."""
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        print(plain(found))
        return
    console = Console(highlight=False, soft_wrap=True)
    for line in found:
        console.print(Text.assemble(*line))


def html(found: Sequence[Line]) -> str:
    """For a notebook: the lines in a box, coloured by CSS of its own."""
    styles = {LIT: "background:#ffd54f;color:#000", DIM: "opacity:.55"}

    def piece(text: str, style: str) -> str:
        css = styles.get(style, "font-weight:bold" if style else "")
        return f'<span style="{css}">{escape(text)}</span>' if css else escape(text)

    body = "\n".join("".join(piece(*part) for part in line) for line in found)
    own = "line-height:1.3;white-space:pre-wrap;overflow-wrap:anywhere"
    jupyter = "margin:.5em 0;padding:0;word-break:normal"  # whose own would break within a word
    return f'<pre style="{own};{jupyter}">{body}</pre>'


# ----- numbers -----


def number(value: float, digits: int = 5) -> str:
    """A number as short as it can be: integers whole, others with so many digits."""
    if not math.isfinite(value):
        return str(value)
    whole = value == round(value) and abs(value) < 1e7
    return f"{value + 0.0:.0f}" if whole else f"{value:.{digits}g}"


def short(value: float) -> str:
    """A number in six characters, for a cell."""
    said = number(value, 3)
    if len(said) <= 6 or said.lstrip("-").isdigit():
        return said
    rounded = f"{value:.3f}"
    return rounded if float(rounded) and len(rounded) <= 6 else f"{value:.0e}".replace("e-0", "e-")


# ----- numbers beside and below each other -----


def grid(cells: Sequence[Sequence[tuple[str, str]]], indent: int = 2) -> list[Line]:
    """Cells in columns, each as wide as its widest."""
    widths = [max(map(len, (row[k][0] for row in cells))) for k in range(len(cells[0]))]
    return [
        [
            (" " * indent, ""),
            *((text.rjust(w) + " ", style) for (text, style), w in zip(row, widths, strict=True)),
        ]
        for row in cells
    ]


def pattern(counts: np.ndarray) -> Line:
    """Counts in a row, a dot for each 0; the middle of many."""
    start = max(len(counts) - WIDEST, 0) // 2
    cells = [(str(n), LIT) if n else ("·", DIM) for n in counts[start : start + WIDEST]]
    more = ("...", DIM) if start else ("", "")
    return [("    ", ""), more, *((f"{text} ", style) for text, style in cells), more]
