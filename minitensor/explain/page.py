"""An explanation as HTML: planes as tables, for a notebook; and a page that steps through numbers.

A table is written once, however many numbers read it: a frame only says which tables are shown and
which of their cells are lit. The page is one file and asks nobody for anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from minitensor.explain import listing, text
from minitensor.explain.figure import Panels, panels, positions
from minitensor.explain.planes import Plane
from minitensor.explain.shown import head, lines
from minitensor.explain.words import say

if TYPE_CHECKING:
    from minitensor.explain.explanation import Explanation

Place = tuple[int, int]  # a row of panels, and which of its panels
RESULT = 99  # the row of the number's own panel, after all others


def fragment(e: Explanation) -> str:
    """What a notebook shows of one number."""
    words = text.html(lines(e, ("terms",), e.lang))
    return f"<style>{CSS}</style>{_Pages(e, [e.at]).body}{words}"


def page(e: Explanation) -> str:
    """A whole file: the number explained, and by a slider those of the rest of its plane."""
    places = positions(e)
    pages, first = _Pages(e, places), places.index(e.at)
    label = escape(say("which", e.lang))
    slider = (
        f'<input type="range" max="{len(places) - 1}" value="{first}" aria-label="{label}" '
        "autofocus>"
    )
    frames = json.dumps([pages.frame(k) for k in range(len(places))], ensure_ascii=False)
    script = SCRIPT.replace("FRAMES", frames.replace("</", "<\\/"))
    words = text.html(head(e, e.lang))
    terms = f'<div id="terms">{pages.frame(first)["terms"]}</div>'
    start = PAGE_HEAD.format(lang=e.lang, title=escape(e.call.op), css=CSS)
    return f"{start}{words}{slider}{pages.body}{terms}<script>{script}</script></body></html>\n"


class _Pages:
    """The panels of several numbers, and in which of them each table is."""

    def __init__(self, e: Explanation, places: Sequence[tuple[int, ...]]) -> None:
        self.e, self.places = e, places
        self.every = [panels(e, at, e.lang) for at in places]
        self.scale = max(shown.scale for shown in self.every)
        self.slots: dict[Place, dict[Any, Plane]] = {}
        for shown in self.every:
            for place, plane in _placed(shown):
                self.slots.setdefault(place, {}).setdefault(_key(plane), plane)
        self.slots = dict(sorted(self.slots.items()))

    def frame(self, number: int) -> dict[str, Any]:
        """What a number shows: of each slot the table and its lit cells; the sum; the terms."""
        here = dict(_placed(self.every[number]))
        shown = [[[*tables].index(_key(here[place])), _lit(here[place])] if place in here
                 else [-1, []] for place, tables in self.slots.items()]  # fmt: skip
        terms = text.html(listing.terms(self.e.terms(self.places[number]), self.e.lang))
        return {"slots": shown, "sum": self.every[number].sum, "terms": terms}

    @property
    def body(self) -> str:
        """The sum and all tables; visible are those of the number that is explained."""
        number = [*self.places].index(self.e.at)
        now, slots = self.every[number], self.frame(number)["slots"]
        rows: dict[int, list[str]] = {}
        for (place, tables), (chosen, lit) in zip(self.slots.items(), slots, strict=True):
            shown = [
                _table(plane, self.scale, lit if k == chosen else None, self.e.lang)
                for k, plane in enumerate(tables.values())
            ]
            rows.setdefault(place[0], []).append(f'<div class="slot">{"".join(shown)}</div>')
        result = "".join(rows.pop(RESULT, []))
        signs = [""] if len(rows) == 1 else ["<b></b>", *["<b>+</b>"] * len(rows)]
        factors = [
            f'<div class="row">{sign}{"<b>×</b>".join(row)}</div>'
            for sign, row in zip(signs, rows.values(), strict=False)
        ]
        sign = f"<b>{'=' if now.is_product else '→'}</b>" if result and factors else ""
        planes = f'<div class="panels"><div>{"".join(factors)}</div>{sign}{result}</div>'
        return f'<div class="explain"><p class="sum">{escape(now.sum)}</p>{planes}</div>'


def _placed(shown: Panels) -> Iterator[tuple[Place, Plane]]:
    for r, row in enumerate(shown.rows):
        yield from (((r, k), plane) for k, plane in enumerate(row))
    if shown.result is not None:
        yield (RESULT, 0), shown.result


def _key(plane: Plane) -> tuple[Any, ...]:
    return plane.role, plane.address, plane.box


def _lit(plane: Plane) -> list[int]:
    """Which cells of its table, counted row by row, are read."""
    top, left, bottom, right = plane.box
    return [(i - top) * (right - left) + j - left for i, j in plane.cells.tolist()
            if top <= i < bottom and left <= j < right]  # fmt: skip


def _table(plane: Plane, scale: float, lit: Sequence[int] | None, lang: str) -> str:
    """The cells in their colours, hatched where there is padding; hidden if `lit` is None."""
    top, left, bottom, right = plane.box

    def cell(i: int, j: int) -> str:
        word = " lit" if (i - top) * (right - left) + j - left in (lit or ()) else ""
        if not plane.inside(i, j):
            return f'<td class="pad{word}">'
        value = float(plane.array[i, j])
        share = min(abs(value) / scale, 1) if value == value else 0
        colour = f"rgba({'178,24,43' if value > 0 else '33,102,172'},{share:.2f})"
        style = f"background:{colour}{';color:#fff' if share > 0.6 else ''}"
        return f'<td class="{word}" style="{style}">{text.short(value)}'

    rows = ["".join(cell(i, j) for j in range(left, right)) for i in range(top, bottom)]
    note = f"<small>{escape(listing.cropped(plane, lang))}</small>" if plane.is_cropped else ""
    # no <caption>: one that is wider than the table would stretch its cells
    title = f'<p class="title">{escape(plane.role)} <small>{escape(plane.address)}</small></p>'
    hidden = " hidden" if lit is None else ""
    table = f'<table aria-label="{escape(plane.role)}"><tr>{"<tr>".join(rows)}</table>'
    return f"<div{hidden}>{title}{table}{note}</div>"


CSS = """
.explain{color-scheme:light dark;font-family:sans-serif}.explain .sum{font-weight:bold}
.explain .panels,.explain .row{display:flex;flex-wrap:wrap;align-items:center;gap:.8rem}
.explain .row>b{min-width:.7rem}.explain .row{margin:.5rem 0}
.explain .slot,.explain .panels>div{max-width:100%;overflow-x:auto}
.explain .panels table{border-collapse:collapse;font-size:.8rem;width:auto;margin:.1rem 0}
.explain .title{font-weight:bold;font-size:.8rem;white-space:nowrap;margin:0}
.explain small{font-weight:normal;font-size:.7rem;opacity:.75}
.explain td{border:1px solid #9998;padding:.15rem .3rem;min-width:1.3rem;height:1.3rem}
.explain .panels td{text-align:center}
.explain .pad{background:repeating-linear-gradient(45deg,#8888 0 1px,transparent 1px 6px)}
@media(max-width:30rem){.explain td{padding:.1rem;font-size:.65rem}}
.explain .lit{outline:2px solid;outline-offset:-2px;font-weight:bold}
"""
PAGE_HEAD = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root{{color-scheme:light dark}}body{{font-family:sans-serif;margin:1rem}}
input{{width:min(100%,30rem)}}{css}</style></head><body>
<h1>{title}</h1>
"""
SCRIPT = """
const frames = FRAMES;
const slider = document.querySelector("input"), sum = document.querySelector(".sum");
const slots = document.querySelectorAll(".slot"), terms = document.getElementById("terms");
slider.addEventListener("input", () => {
  const frame = frames[slider.value];
  slots.forEach((slot, k) => {
    const [shown, lit] = frame.slots[k];
    [...slot.children].forEach((panel, i) => {
      panel.hidden = i !== shown;
      panel.querySelectorAll("td").forEach(
        (cell, n) => cell.classList.toggle("lit", lit.includes(n)));
    });
  });
  sum.textContent = frame.sum;
  terms.innerHTML = frame.terms;
});
"""
