"""An explanation as lines of text: readable without colour, coloured where rich is installed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from minitensor.explain.laws import AXES
from minitensor.explain.planes import MOST, PARTS, Plane, plane_of, rows
from minitensor.explain.trace import Block, Cell, Sum, Term, added
from minitensor.explain.views import STEPS
from minitensor.explain.words import say

if TYPE_CHECKING:
    from minitensor.explain.explanation import Explanation

Line = list[tuple[str, str]]  # pieces of text, each with a style of rich ("" for none)
HIDDEN = ("data_format", "output_dtype", "include_batch_in_index")  # settings not in the title
LIT, DIM, HEAD, TOTAL = "bold yellow", "dim", "bold", "bold green"


# ----- where lines go -----


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


# ----- the views -----


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
            words.append(f"{name} {_short(value)}")
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


def terms(found: Sum, lang: str) -> list[Line]:
    """The terms of a sum; before them the sums that it needs."""
    out: list[Line] = []
    for step in found.before:
        out += [[(say("before", lang) + " ", DIM), *_result(step)], *_listed(step, lang)]
    return [*out, *_listed(found, lang), *_total(found, lang)]


def _listed(found: Sum, lang: str) -> list[Line]:
    out: list[Line] = []
    left, rest = MOST, []
    for block in found.blocks:
        for k in range(min(len(block), left)):
            out.append(_term(block.term(k), lang))
        rest += list(block.values[left:]) if len(block) > left else []
        left = max(left - len(block), 0)
    if rest:
        more = say("more", lang, count=len(rest), value=number(added(rest)))
        out.append([(f"  {more}", DIM)])
    return out


def _term(term: Term, lang: str) -> Line:
    if not term.real:
        return [(f"  {say('padding', lang)} {_address(term.cells[0])} = 0", DIM)]
    factors = " * ".join(map(_cell, term.cells))
    return [(f"  {factors} = ", ""), (number(term.value), LIT)]


def _cell(cell: Cell) -> str:
    """Its address and its number; one of them where the name is the number."""
    is_number = cell.at is None and not cell.name.strip("-/.0123456789")
    return cell.name if is_number else f"{_address(cell)} {number(cell.value)}"


def _address(cell: Cell) -> str:
    return cell.name + ("" if cell.at is None else f"[{', '.join(map(str, cell.at))}]")


def _result(found: Sum) -> Line:
    place = f"[{', '.join(map(str, found.at))}]" if found.at else ""
    return [(f"{found.name}{place} = ", HEAD), (number(found.total), TOTAL)]


def _total(found: Sum, lang: str) -> list[Line]:
    """The sum, and that the engine says the same."""
    agrees = say("exactly", lang)
    if not found.is_exact:
        agrees = say("within", lang, bound=f"{found.bound:.2g}")
    engine = say("engine", lang, value=number(found.value))
    out = [[*_result(found), (f"   {engine}, {agrees}", DIM)]]
    if not len(found):
        out.append([(say("nothing", lang), "")])
    for key, numbers in found.notes:
        out.append([(say(key, lang, **numbers), "")])
    return out


# ----- grids -----


def _window(e: Explanation, lang: str) -> list[Line]:
    """The arrays with the cells that are read in brackets, and the products in their places."""
    found = e.terms()
    out: list[Line] = []
    block = found.blocks[0]
    for planes in rows(e, found):
        for plane in planes:
            out += [[(plane.address, HEAD)], *_plane(plane, lang), []]
    out += _products(e, block, lang)
    for other in found.blocks[1:]:
        out += [_term(other.term(k), lang) for k in range(min(len(other), MOST))]
    return [*out, *_total(found, lang)]


def _plane(plane: Plane, lang: str) -> list[Line]:
    """A plane with its lit cells in brackets; a dot is padding, outside of it."""
    top, left, bottom, right = plane.box
    lit = set(map(tuple, plane.cells.tolist()))

    def text(i: int, j: int) -> tuple[str, str]:
        inside = plane.inside(i, j)
        value = number(float(plane.array[i, j])) if inside else "·"
        return (f"[{value}]", LIT) if (i, j) in lit else (f" {value} ", "" if inside else DIM)

    out = grid([[text(i, j) for j in range(left, right)] for i in range(top, bottom)])
    if plane.is_cropped:
        out.append([(cropped(plane, lang), DIM)])
    return out


def cropped(plane: Plane, lang: str) -> str:
    """What is shown of a plane."""
    top, left, bottom, right = plane.box
    height, width = plane.array.shape
    words = {"top": top, "bottom": bottom - 1, "rows": height}
    return say("cropped", lang, **words, left=left, right=right - 1, columns=width)


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


def _products(e: Explanation, block: Block, lang: str) -> list[Line]:
    """The products as a grid for each channel, beside their factors, with partial sums."""
    if block.place is None or not len(block):
        return []
    part = block.part if block.part is not None else np.zeros(len(block), int)
    place = block.place
    if place.shape[1] == 1:
        place = np.insert(place, 0, 0, axis=1)
    if place.shape[1] == 3:
        part, place = part * (place[:, 0].max() + 1) + place[:, 0], place[:, 1:]
    out: list[Line] = []
    groups = list(dict.fromkeys(part.tolist()))
    for number_, group in enumerate(groups[:PARTS]):
        terms = np.flatnonzero(part == group)
        left, right = (_placed(block, terms, place, cell) for cell in (_factors, _value))
        title = f"{say('products', lang)}" + (f" {number_}" if len(groups) > 1 else "")
        out.append([(title, HEAD)])
        arrow = (" -> ", DIM)
        out += [[*a, arrow, *b[1:]] for a, b in zip(grid(left), grid(right), strict=True)]
        if len(groups) > 1:
            out[-1].append((f"  {say('sum', lang)} {number(added(block.values[terms]))}", TOTAL))
    if len(groups) > PARTS:
        rest = added(block.values[~np.isin(part, groups[:PARTS])])
        more = say("more_parts", lang, count=len(groups) - PARTS, value=number(rest))
        out.append([(f"  {more}", DIM)])
    return out


Text = Callable[[Block, int], tuple[str, str]]


def _placed(block: Block, terms: np.ndarray, place: np.ndarray, text: Text) -> list[Any]:
    """A grid of some terms; empty where no term is, cropped where there are too many."""
    at = {tuple(place[k]): k for k in terms}
    ranges = [list(dict.fromkeys(sorted(place[terms, axis].tolist())))[:MOST] for axis in (0, 1)]
    return [
        [text(block, at[i, j]) if (i, j) in at else ("", "") for j in ranges[1]] for i in ranges[0]
    ]


def _factors(block: Block, k: int) -> tuple[str, str]:
    real = block.real is None or bool(block.real[k])
    text = "*".join(number(float(factor.values[k])) for factor in block.factors)
    return (text, "") if real else (f"·{text[1:]}" if text.startswith("0") else text, DIM)


def _value(block: Block, k: int) -> tuple[str, str]:
    real = block.real is None or bool(block.real[k])
    return (number(float(block.values[k])), LIT if real else DIM)


# ----- im2col, W', the three ways to transpose -----


def _im2col(e: Explanation, lang: str) -> list[Line]:
    """Rows of patches; below, the pixel that each entry of the lit row points back to."""
    found = e.im2col
    lit = found.row(_place(e)) if _place(e) in found.positions else 0
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
    if found.total > len(shown) or found.array.shape[1] > shown.shape[1]:
        words = {"top": top, "bottom": top + len(shown) - 1, "rows": found.total, "left": 0}
        words |= {"right": shown.shape[1] - 1, "columns": found.array.shape[1]}
        out.append([(say("cropped", lang, **words), DIM)])
    pointers = [f"{list(map(int, p[1:-1]))}" for p in found.pointers[lit][: 2 * MOST]]
    return [*out, [(f"{say('pointers', lang)}: ", HEAD), (" ".join(pointers), "")]]


def _scatter(e: Explanation, lang: str) -> list[Line]:
    """A number of a transposed convolution in three ways, and how many inputs reach each output."""
    three = e.three_ways
    out: list[Line] = [[(say("scatter_add", lang), HEAD)], *_listed(e.terms(), lang)]
    out.append([(f"  = {number(three.scattered)}", TOTAL)])
    zeros = ", ".join(map(str, three.zeros))
    out += [[], [(say("inserted", lang, zeros=zeros), HEAD)]]
    out += [
        *_plane(plane_of("", "", three.stretched, three.cells), lang),
        [(say("turned", lang), DIM)],
    ]
    out += grid([[(number(float(v)), "") for v in row] for row in three.turned])
    out.append([(f"  = {number(three.slid)}", TOTAL)])
    out += [[], [(say("transposed_row", lang, row=three.row), HEAD)]]
    pairs = [f"{number(w)}*{number(v)}" for w, v in three.products[:MOST]]
    out.append([(f"  {' + '.join(pairs)}{' + ...' if len(three.products) > MOST else ''}", "")])
    out.append([(f"  = {number(three.multiplied)}", TOTAL)])
    values = three.scattered, three.slid, three.multiplied
    if not np.allclose(values, e.value, rtol=1e-5, atol=1e-5 * float(np.abs(e.value) + 1)):
        raise ArithmeticError(f"three ways, and not one number: {values}")
    out += [[], [(say("agree", lang, value=number(e.value)), TOTAL)], []]
    out.append([(say("overlap", lang), HEAD)])
    return [*out, *_plane(plane_of("", "", three.overlap, np.array([three.at])), lang)]


def _place(e: Explanation) -> tuple[int, ...]:
    from minitensor.explain.views import _position

    links, sides = e.map.links, e.map.sides
    assert links is not None
    assert sides is not None
    return _position(links, sides["image"].first, e.at)


def _matrix(e: Explanation, lang: str) -> list[Line]:
    """W' row by row; the row of the number is lit."""
    w, lit = e.matrix, _matrix_row(e)
    (rows, columns), wide = w.shape, 3 * MOST
    top = min(max(lit - MOST // 2, 0), max(rows - MOST, 0))
    start = 0 if columns <= wide else int(w.columns[w.rows == lit].min(initial=columns - wide))
    part = w.part(top, start, min(top + MOST, rows), min(start + wide, columns))
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
        words = {"top": top, "bottom": top + len(part) - 1, "rows": rows, "left": start}
        words |= {"right": start + part.shape[1] - 1, "columns": columns}
        out.append([(say("cropped", lang, **words), DIM)])
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
    out: list[Line] = [[(say("reach", lang), HEAD)]]
    names = AXES[len(AXES) - (e.map.rank or 0) :]
    for times in range(1, 5):
        for axis, counts in e.reach(times):
            words = {"span": len(counts), "read": np.count_nonzero(counts)}
            row = f"{say('times', lang, times=times)}: {say('sees', lang, **words)}"
            which = f" ({say(names[axis], lang)})" if len(e.reach(times)) > 1 else ""
            out.append([(f"  {row}{which}", "")])
            out.append(pattern(counts))
    return out


def pattern(counts: np.ndarray) -> Line:
    """Counts in a row, a dot for each 0; the middle of many."""
    start = max(len(counts) - 3 * MOST, 0) // 2
    cells = [(str(n), LIT) if n else ("·", DIM) for n in counts[start : start + 3 * MOST]]
    more = ("...", DIM) if start else ("", "")
    return [("    ", ""), more, *((f"{text} ", style) for text, style in cells), more]


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
    "window": _window,
    "im2col": _im2col,
    "matrix": _matrix,
    "scatter": _scatter,
    "reach": _reach,
    "moving": _moving,
    "cost": _cost,
    "code": _code,
}
