"""A sum as lines of text: each term with its addresses, or the products in their places."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minitensor.explain.planes import MOST, PARTS, Plane, rows
from minitensor.explain.text import DIM, HEAD, LIT, TOTAL, Line, grid, number
from minitensor.explain.trace import Block, Cell, Sum, Term, added
from minitensor.explain.words import say

if TYPE_CHECKING:
    from minitensor.explain.explanation import Explanation

Text = Callable[[Block, int], tuple[str, str]]

# ----- terms below each other -----


def terms(found: Sum, lang: str) -> list[Line]:
    """The terms of a sum; before them the sums that it needs."""
    out: list[Line] = []
    for step in found.before:
        out += [[(say("before", lang) + " ", DIM), *_result(step)], *listed(step, lang)]
    return [*out, *listed(found, lang), *_total(found, lang)]


def listed(found: Sum, lang: str) -> list[Line]:
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


# ----- terms in their places -----


def window(e: Explanation, lang: str) -> list[Line]:
    """The arrays with the cells that are read in brackets, and the products in their places."""
    found = e.terms()
    out: list[Line] = []
    block = found.blocks[0]
    for planes in rows(e, found):
        for plane in planes:
            out += [[(plane.address, HEAD)], *plane_lines(plane, lang), []]
    out += _products(e, block, lang)
    for other in found.blocks[1:]:
        out += [_term(other.term(k), lang) for k in range(min(len(other), MOST))]
    return [*out, *_total(found, lang)]


def plane_lines(plane: Plane, lang: str) -> list[Line]:
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
    return cropped_to(plane.box, plane.array.shape, lang)


def cropped_to(box: tuple[int, ...], shape: tuple[int, ...], lang: str) -> str:
    """Which rows and columns of how many; the box is (top, left, bottom, right)."""
    top, left, bottom, right = box
    words = {"top": top, "bottom": bottom - 1, "left": left, "right": right - 1}
    return say("cropped", lang, **words, rows=shape[0], columns=shape[1])


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
