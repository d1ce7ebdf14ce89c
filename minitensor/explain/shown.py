"""Every view of an explanation as lines of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitensor.explain.laws import AXES
from minitensor.explain.listing import cropped_to, listed, plane_lines, terms, window
from minitensor.explain.planes import MOST, plane_of
from minitensor.explain.text import DIM, HEAD, LIT, TOTAL, Line, grid, number, pattern
from minitensor.explain.trace import added
from minitensor.explain.views import INPUTS, STEPS, position
from minitensor.explain.words import say

if TYPE_CHECKING:
    from minitensor.explain.explanation import Explanation

HIDDEN = ("data_format", "output_dtype", "include_batch_in_index")  # settings not in the title


def lines(e: Explanation, views: Sequence[str], lang: str) -> list[Line]:
    """The title, the laws, and the views asked for; by default the window, or the terms."""
    default = ("window",) if e.map.rank is not None else ("terms",)
    found = head(e, lang)
    known(views)
    for view in views or default:
        found += [[], *VIEWS[view](e, lang)]
    return found


def known(views: Sequence[str]) -> None:
    """Refuses a view that there is not."""
    for view in views:
        if view not in VIEWS:
            raise ValueError(f"no view {view!r}; there are {', '.join(VIEWS)}")


def head(e: Explanation, lang: str) -> list[Line]:
    """The call and the laws of its sizes."""
    first = say("size", lang).ljust(9)
    steps = [step.text(lang) for step in e.shape_steps]
    laws: list[Line] = [
        [(first if k == 0 else " " * 9, HEAD), (step, "")] for k, step in enumerate(steps)
    ]
    return [_title(e), *laws]


def _title(e: Explanation) -> Line:
    call, arrays, words = e.call, [], []
    for name, value in call.arguments.items():
        if hasattr(value, "numpy"):
            arrays.append(f"{name} {_shape(value.shape)}")
        elif value is not None and name not in HIDDEN:
            shape = _shape(call.output.shape) if name == "output_shape" else ""
            words.append(f"{name} {shape or _short(value)}")
    inside = ", ".join([*arrays, *words])
    asked = "" if call.asked == "output" else f"   {call.name}"
    return [(call.op, HEAD), (f"({inside}) -> {_shape(call.output.shape)}", ""), (asked, HEAD)]


def _short(value: Any) -> Any:
    """[1, 2, 2, 1] as 2, [1, 2, 3, 1] as [2, 3]: what is the same of all axes, once."""
    if isinstance(value, list | tuple) and len(value) > 2 and value[0] == value[-1] == 1:
        value = value[1:-1]
    return value[0] if isinstance(value, list | tuple) and len(set(map(str, value))) == 1 else value


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))})"


def _terms(e: Explanation, lang: str) -> list[Line]:
    """Each term on a line, with addresses."""
    return terms(e.terms(), lang)


def _im2col(e: Explanation, lang: str) -> list[Line]:
    """Rows of patches; below, the pixel that each entry of the lit row points back to."""
    found = e.im2col
    assert e.map.links is not None
    assert e.map.sides is not None
    here = position(e.map.links, e.map.sides["image"].first, e.at)
    lit = found.row(here) if here in found.positions else 0
    top = min(max(lit - MOST // 2, 0), max(len(found.array) - MOST, 0))
    shown = found.array[top : top + MOST, : 2 * MOST]
    cells = [
        [
            (str(list(found.positions[top + r])), HEAD),
            *((number(float(v)), LIT if top + r == lit else "") for v in row),
        ]
        for r, row in enumerate(shown)
    ]
    shape = f"({found.total}, {found.array.shape[1]})"
    out: list[Line] = [[(f"{say('im2col', lang)} {shape}", HEAD)], *grid(cells)]
    whole = found.total, found.array.shape[1]
    if whole != shown.shape:
        box = found.start + top, 0, found.start + top + len(shown), shown.shape[1]
        out.append([(cropped_to(box, whole, lang), DIM)])
    pointers = [f"{list(map(int, p[1:-1]))}" for p in found.pointers[lit][: 2 * MOST]]
    return [*out, [(f"{say('pointers', lang)}: ", HEAD), (" ".join(pointers), "")]]


def _scatter(e: Explanation, lang: str) -> list[Line]:
    """A number of a transposed convolution in three ways, and how many inputs reach each output."""
    three = e.three_ways
    out: list[Line] = [[(say("scatter_add", lang), HEAD)], *listed(e.terms(), lang)]
    out.append([(f"  = {number(three.scattered)}", TOTAL)])
    zeros = ", ".join(map(str, three.zeros))
    out += [[], [(say("inserted", lang, zeros=zeros), HEAD)]]
    out += [
        *plane_lines(plane_of("", "", three.stretched, three.cells), lang),
        [(say("turned", lang), DIM)],
    ]
    out += grid([[(number(float(v)), "") for v in row] for row in three.turned])
    out.append([(f"  = {number(three.slid)}", TOTAL)])
    out += [[], [(say("transposed_row", lang, row=three.row), HEAD)]]
    pairs = [f"{number(w)}*{number(v)}" for w, v in three.products[:MOST]]
    out.append([(f"  {' + '.join(pairs)}{' + ...' if len(three.products) > MOST else ''}", "")])
    out.append([(f"  = {number(three.multiplied)}", TOTAL)])
    values = three.scattered, three.slid, three.multiplied
    own = added(e.terms().blocks[0].values)  # without a bias
    if not np.allclose(values, own, rtol=1e-5, atol=1e-5 * (abs(own) + 1)):
        raise ArithmeticError(f"three ways, and not one number: {values}")
    out += [[], [(say("agree", lang, value=number(own)), TOTAL)], []]
    out.append([(say("overlap", lang), HEAD)])
    return [*out, *plane_lines(plane_of("", "", three.overlap, np.array([three.at])), lang)]


def _matrix(e: Explanation, lang: str) -> list[Line]:
    """W' row by row; the row of the number is lit."""
    w, lit = e.matrix, _matrix_row(e)
    (rows, columns), wide = w.shape, 3 * MOST
    top = min(max(lit - MOST // 2, 0), max(rows - MOST, 0))
    start = 0 if columns <= wide else int(w.columns[w.rows == lit].min(initial=columns - wide))
    box = top, start, min(top + MOST, rows), min(start + wide, columns)
    part = w.part(*box)
    cells = [
        [
            (number(float(v)) if v else "·", LIT if top + r == lit and v else DIM if not v else "")
            for v in row
        ]
        for r, row in enumerate(part)
    ]
    head = (
        f"{say('matrix', lang)} {_shape(w.shape)}, {np.count_nonzero(w.values)} / {rows * columns}"
    )
    out: list[Line] = [[(head, HEAD)], *grid(cells)]
    if part.shape != w.shape:
        out.append([(cropped_to(box, w.shape, lang), DIM)])
    return out


def _matrix_row(e: Explanation) -> int:
    """Of W', the row of the output explained; 0 where something else is."""
    if e.call.asked != "output" or e.map.transposed:
        return 0
    links, sides = e.map.links, e.map.sides
    assert links is not None
    assert sides is not None
    _, *place, channel = sides["positions"].hidden(e.at)
    sizes = (*links.out, links.filters or 1)
    return int(np.ravel_multi_index((*place, channel), sizes))


def _reach(e: Explanation, lang: str) -> list[Line]:
    """How often a number of the op, applied once to four times, reads each pixel of an axis."""
    head, row = ("overlap", "reached") if e.map.transposed else ("reach", "sees")
    out: list[Line] = [[(say(head, lang), HEAD)]]
    names = AXES[len(AXES) - (e.map.rank or 0) :]
    for times in range(1, 5):
        axes = e.reach(times)
        for axis, counts in axes:
            inner = counts[len(counts) // 3 : -len(counts) // 3 or None]
            words = {"span": len(counts), "read": np.count_nonzero(counts)}
            words |= {"inputs": INPUTS, "low": inner.min(), "high": inner.max()}
            which = f" ({say(names[axis], lang)})" if len(axes) > 1 else ""
            line = f"  {say('times', lang, times=times)}: {say(row, lang, **words)}{which}"
            out += [[(line, "")], pattern(counts)]
    return out


def _moving(e: Explanation, lang: str) -> list[Line]:
    """Mean and variance after so many steps, for two momenta."""
    found = e.moving
    words = {"mean": number(found.mean), "variance": number(found.variance), "count": found.count}
    unbiased = found.variance * found.count / max(found.count - 1, 1)
    out: list[Line] = [[(say("moving", lang, **words, unbiased=number(unbiased)), "")]]
    table = [[(word, HEAD) for word in say("moving_head", lang).split("|")]]
    for row, step in enumerate(STEPS):
        kept = [value for pairs in found.kept.values() for value in pairs[row]]
        table.append([(str(step), ""), *((number(value), "") for value in kept)])
    return [*out, *grid(table)]


def _cost(e: Explanation, lang: str) -> list[Line]:
    """Multiply-adds, bytes and times of each algorithm."""
    head = say("cost_head", lang).split("|")
    table = [[(word, HEAD) for word in head]]
    for cost in e.cost:
        measured = "-" if cost.measured is None else _seconds(cost.measured)
        texts = (
            cost.algorithm,
            f"{cost.macs:,}",
            _bytes(cost.extra_bytes),
            _seconds(cost.predicted),
            measured,
        )
        table.append([(text, "") for text in texts])
    return grid(table)


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} µs" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"


def _bytes(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"


def _code(e: Explanation, lang: str) -> list[Line]:
    """The program in four libraries."""
    out: list[Line] = []
    for language in ("numpy", "tf", "keras", "torch"):
        out.append([(f"# {language}", HEAD)])
        try:
            out += [[(line, "")] for line in e.code(language).splitlines()]
        except ValueError as none:
            out.append([(f"# {none}", DIM)])
    return out


VIEWS: dict[str, Callable[[Explanation, str], list[Line]]] = {
    "terms": _terms,
    "window": window,
    "im2col": _im2col,
    "matrix": _matrix,
    "scatter": _scatter,
    "reach": _reach,
    "moving": _moving,
    "cost": _cost,
    "code": _code,
}
