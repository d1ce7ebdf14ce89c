"""What every figure of the project shares: one style sheet, and boxes joined by arrows. A leaf.

Boxes stand in rows, each below all that it needs; a row's order is the mean place of its
neighbours, swept down and up, and so are its places, without overlap (Sugiyama, Tagawa and Toda
1981). An arrow that passes rows by goes between their boxes. matplotlib is imported when drawn.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html import escape
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

STYLE = Path(__file__).parent / "explain" / "style.mplstyle"
CHINESE = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "SimHei"),
    *("WenQuanYi Micro Hei", "Microsoft YaHei", "PingFang SC", "Noto Sans CJK JP"),
)
FONT = 8  # points; the first line of a box is bold
LINE, PAD = 0.155, 0.1  # inches: from one line of text to the next; around the text
BETWEEN, ROWS, MARGIN = 0.25, 0.32, 0.15  # inches: boxes side by side, rows, the picture's edge
SWEEPS = 12
THIN = 0.05  # inches that an arrow takes in a row that it passes by
INK = "#5b6570"
KINDS = {  # face, edge, style of the edge, corners: told apart in grey
    "op": ("#eef3f8", "#0072B2", "-", 0.05),
    "gradient": ("#fdf1e7", "#D55E00", "--", 0.05),
    "variable": ("#d9dde1", "#333333", "-", 0.12),
    "input": ("white", "#333333", ":", 0.12),
}


@dataclass(frozen=True)
class Box:
    """What stands in a box, line by line, and which kind of box it is: a key of KINDS."""

    lines: tuple[str, ...]
    kind: str = "op"

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in inches."""
        widths = [_width(line, k == 0) for k, line in enumerate(self.lines)]
        return max([*widths, 0.5]) + 2 * PAD, LINE * len(self.lines) + 2 * PAD - 0.04


Arrow = tuple[int, int]  # from the box of this number to the one of that


# ----- the sheet -----


@contextmanager
def style(lang: str = "en") -> Iterator[None]:
    """The block in which a figure of the project is made and saved."""
    import matplotlib.style

    font = chinese_font() if lang == "zh" else None
    fonts = {"font.family": ["DejaVu Sans", font]} if font else {}
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    log.setLevel(logging.ERROR)  # a Chinese font without a bold face is warned of at each text
    try:
        with matplotlib.style.context([STYLE, fonts]):
            yield
    finally:
        log.setLevel(level)


def language(lang: str) -> str:
    """The language of a picture: without a font for Chinese it would be empty boxes."""
    return "zh" if lang == "zh" and chinese_font() else "en"


@cache
def chinese_font() -> str | None:
    """An installed font that has Chinese characters."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return next((name for name in CHINESE if name in installed), None)


@cache
def signed() -> Any:
    """The colour map of signed numbers: blue below 0, white at 0, red above; pale, for print."""
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    shades = [colormaps["RdBu_r"](0.14 + 0.72 * k / 256) for k in range(257)]
    return LinearSegmentedColormap.from_list("signed", shades, 257)


def ink(shade: Sequence[float]) -> str:
    """The colour of a number on a cell of this colour."""
    red, green, blue = shade[:3]
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.55 else "black"


def written(figure: Any, kind: str, title: str, alt: str, **settings: Any) -> bytes:
    """A figure as a file of this kind, with what it shows in words; the same on every run."""
    metadata = {
        "svg": {"Title": title, "Description": alt, "Date": None},
        "png": {"Title": title, "Description": alt, "Software": None},
        "pdf": {"Title": title, "Subject": alt, "CreationDate": None},
    }[kind]
    buffer = BytesIO()
    with style():
        figure.savefig(buffer, format=kind, metadata=metadata, **settings)
    return buffer.getvalue()


def element(svg: bytes, alt: str) -> str:
    """An SVG file as an element of a page, with its words."""
    text = svg.decode()
    label = escape(alt, quote=True)
    return text[text.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _width(text: str, bold: bool) -> float:
    """Inches of a text; a little more, for browsers that have another font."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font = FontProperties(size=FONT, weight="bold" if bold else "normal")
    return float(1.06 * TextToPath().get_text_width_height_descent(text, font, False)[0] / 72)


# ----- where boxes stand -----


@dataclass
class _Place:
    """A box, or a bend of an arrow that passes a row by."""

    row: int
    size: tuple[float, float]  # across the row, along the arrows
    x: float = 0.0
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)

    @property
    def weight(self) -> float:
        """A box in a chain is moved last, then a bend; what begins a chain gives way."""
        return 0.3 if self.size[0] == THIN else 1.0 if self.above else 0.02


def rows_of(count: int, arrows: Sequence[Arrow]) -> list[int]:
    """The row of each box: below all that lead to it; what nothing leads to, by its goal."""
    if not arrows:
        return list(range(count))
    row = [0] * count
    for _ in range(count):
        before = list(row)
        for a, b in arrows:
            row[b] = max(row[b], row[a] + 1)
        if row == before:
            break
    led_to = {b for _, b in arrows}
    for a in {a for a, _ in arrows} - led_to:
        row[a] = min(row[b] for source, b in arrows if source == a) - 1
    return row


def _placed(sizes: list[tuple[float, float]], arrows: Sequence[Arrow]) -> tuple[Any, Any]:
    """Every place, and for each arrow the places it goes through."""
    places = [_Place(r, s) for r, s in zip(rows_of(len(sizes), arrows), sizes, strict=True)]
    ways = []
    for a, b in arrows:
        way = [a]
        for row in range(places[a].row + 1, places[b].row):
            way.append(len(places))
            places.append(_Place(row, (THIN, 0.0)))
        way.append(b)
        for upper, lower in pairwise(way):
            places[upper].below.append(lower)
            places[lower].above.append(upper)
        ways.append(way)
    rows: list[list[int]] = [[] for _ in range(max(p.row for p in places) + 1)]
    for k, place in enumerate(places):
        rows[place.row].append(k)
    _sweep(places, rows)
    return places, ways


def _sweep(places: list[_Place], rows: list[list[int]]) -> None:
    """Orders the rows, then moves what stands in them, each time as the neighbours have it."""
    for row in rows:
        _move(places, row, [0.0] * len(row))
    for turn in range(2 * SWEEPS + 1):
        down = turn % 2 == 0
        for row in rows if down else reversed(rows):
            wanted = [_mean(places, places[k], down) for k in row]
            if turn < SWEEPS:
                pairs = sorted(zip(wanted, range(len(row)), strict=True))
                row[:] = [row[i] for _, i in pairs]
                wanted = [w for w, _ in pairs]
            _move(places, row, wanted)
    for row in rows:  # what nothing leads to stands by what reads it
        _move(places, row, [places[k].x if places[k].above else _mean(places, places[k], False)
                            for k in row])  # fmt: skip


def _mean(places: list[_Place], place: _Place, down: bool) -> float:
    """The mean x of the neighbours on one side; a chain of boxes stays straight."""
    near = [places[n] for n in (place.above if down else place.below)]
    total = sum(n.weight for n in near)
    return sum(n.weight * n.x for n in near) / total if near else place.x


def _move(places: list[_Place], row: list[int], wanted: list[float]) -> None:
    """Puts a row as near to what is wanted as its order and widths let it: a monotone fit."""
    offset, offsets = 0.0, [0.0]
    for left, right in pairwise(row):
        offset += (places[left].size[0] + places[right].size[0]) / 2 + BETWEEN
        offsets.append(offset)
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many
    for k, w, o in zip(row, wanted, offsets, strict=True):
        blocks.append((w - o, places[k].weight, 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (x, v, n), (y, w2, m) = blocks.pop(), blocks.pop()
            blocks.append(((x * v + y * w2) / (v + w2), v + w2, n + m))
    fitted = [mean for mean, _, n in blocks for _ in range(n)]
    for k, x, o in zip(row, fitted, offsets, strict=True):
        places[k].x = x + o


# ----- drawing -----


def boxes(shown: Sequence[Box], arrows: Sequence[Arrow], title: str = "",
          across: bool = False) -> Any:  # fmt: skip
    """A matplotlib Figure of boxes and arrows, from top to bottom, or across: left to right.

    Made and saved inside of `style()`.
    """
    from matplotlib.figure import Figure

    sizes = [box.size for box in shown]
    places, ways = _placed([s[::-1] if across else s for s in sizes], arrows)
    deep = [
        max(p.size[1] for p in places if p.row == r) for r in range(1 + max(p.row for p in places))
    ]
    centres, extent = _centres(places, deep, across)
    top = (title.count("\n") + 1) * 0.2 + 0.1 if title else 0.0
    width = max(extent[0], *(_width(line, True) * 1.15 for line in title.split("\n")))
    figure = Figure((width + 2 * MARGIN, extent[1] + top + 2 * MARGIN))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-MARGIN, width + MARGIN), ylim=(extent[1] + MARGIN, -MARGIN - top))
    axes.axis("off")
    axes.text(0, -top, title, va="top", size=FONT + 1, weight="bold")
    for way, (first, last) in zip(ways, _ends(places, ways, centres, across), strict=True):
        points = [first]
        for k in way[1:-1]:  # straight past the boxes of the row
            x, y = centres[k]
            half = deep[places[k].row] / 2
            points += [(x - half, y), (x + half, y)] if across else [(x, y - half), (x, y + half)]
        _arrow(axes, [*points, last], across)
    for box, size, centre in zip(shown, sizes, centres, strict=False):
        _box(axes, box, size, centre)
    return figure


def _centres(places: list[_Place], deep: list[float], across: bool) -> tuple[Any, Any]:
    """The middle of each place, in inches from the top left corner, and the size of all."""
    middle = [sum(deep[:r]) + deep[r] / 2 + ROWS * r for r in range(len(deep))]
    left = min(p.x - p.size[0] / 2 for p in places)
    wide = max(p.x + p.size[0] / 2 for p in places) - left
    spots = [(p.x - left, middle[p.row]) for p in places]
    extent = (wide, sum(deep) + ROWS * (len(deep) - 1))
    return ([s[::-1] for s in spots], extent[::-1]) if across else (spots, extent)


def _ends(places: list[_Place], ways: Any, centres: Any, across: bool) -> Any:
    """Where each arrow leaves its first box and meets its last, side by side on the border."""
    side = 1 if across else 0  # the coordinate along the border

    def ports(which: int, neighbour: int, sign: int) -> dict[int, tuple[float, float]]:
        at: dict[int, list[int]] = {}
        for number, way in enumerate(ways):
            at.setdefault(way[which], []).append(number)
        found = {}
        for k, numbers in at.items():
            numbers.sort(key=lambda n: centres[ways[n][neighbour]][side])
            width, deep = places[k].size
            for i, number in enumerate(numbers):
                spot = list(centres[k])
                spot[side] += width * ((i + 1) / (len(numbers) + 1) - 0.5)
                spot[1 - side] += sign * deep / 2
                found[number] = (spot[0], spot[1])
        return found

    leave, meet = ports(0, 1, 1), ports(-1, -2, -1)
    return [(leave[n], meet[n]) for n in range(len(ways))]


def _arrow(axes: Any, points: list[tuple[float, float]], across: bool) -> None:
    """A curve through the points, at right angles to the borders it leaves and meets."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Curve

    corners, codes = [points[0]], [Curve.MOVETO]
    for (x, y), (u, v) in pairwise(points):
        bends = (
            [((x + u) / 2, y), ((x + u) / 2, v)] if across else [(x, (y + v) / 2), (u, (y + v) / 2)]
        )
        corners += [*bends, (u, v)]
        codes += [Curve.CURVE4] * 3
    axes.add_patch(FancyArrowPatch(path=Curve(corners, codes), arrowstyle="-|>", mutation_scale=8,
                                   shrinkA=0, shrinkB=0, linewidth=1, color=INK))  # fmt: skip


def _box(axes: Any, box: Box, size: tuple[float, float], centre: tuple[float, float]) -> None:
    from matplotlib.patches import FancyBboxPatch

    (width, height), (x, y) = size, centre
    face, edge, line, corners = KINDS[box.kind]
    shape = f"round,pad=0,rounding_size={corners}"
    axes.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle=shape,
                                  facecolor=face, edgecolor=edge, linestyle=line))  # fmt: skip
    first = y - LINE * (len(box.lines) - 1) / 2
    for k, text in enumerate(box.lines):
        weight = "bold" if k == 0 else "normal"
        axes.text(x, first + k * LINE, text, ha="center", va="center", size=FONT, weight=weight)
