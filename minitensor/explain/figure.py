"""Pictures of an explanation: planes of numbers, what is read outlined, padding hatched.

Every panel is placed by hand, in inches, so that nothing is clipped and no band is empty. Colours
are those of one signed scale for all panels of a picture, white at 0; the numbers stand in the
cells, so the picture is read in grey as well. `panels` is what is drawn, and what tests compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from itertools import chain, zip_longest
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from minitensor import pictures
from minitensor.explain import listing, planes, text
from minitensor.explain.planes import Plane

if TYPE_CHECKING:
    from minitensor.explain.explanation import Explanation
    from minitensor.explain.trace import Sum

CELL, GAP, MARGIN, TITLE, BAR = 0.46, 0.75, 0.3, 0.62, 0.85  # inches
NARROWEST = 1.1  # a panel, for its title
NOTE, LINE = 0.3, 0.16  # below a cropped panel; a line of the laws
SUM_LETTER, LAW_LETTER = 0.085, 0.062  # the width of a letter
FRAMES, FEW = 36, 12  # of an animation, at most; of so many if there were more
DOTS, PIXELS = 150, 1800  # an inch; of a large picture's longer side, at most
SECONDS = 0.8  # that each is shown


@dataclass(frozen=True)
class Panels:
    """What a picture shows: rows of factor planes, the plane of the number, and words."""

    rows: list[list[Plane]]
    result: Plane | None
    sum: str
    laws: str
    is_product: bool  # whether the number is the sum of the factors' products

    @property
    def every(self) -> list[Plane]:
        """All planes."""
        return [*chain.from_iterable(self.rows), *([self.result] if self.result else [])]

    @cached_property
    def scale(self) -> float:
        """The largest size of a number that is shown: the end of the colour scale."""
        arrays = (p.array[np.isfinite(p.array)] for p in self.every)
        return max((float(np.abs(a).max(initial=0)) for a in arrays), default=0) or 1.0

    @property
    def alt(self) -> str:
        """The picture in words, for who does not see it."""
        parts = [f"{p.role}: {p.array.shape[0]} rows, {p.array.shape[1]} columns, "
                 f"{len(p.cells)} cells outlined" for p in self.every]  # fmt: skip
        return ". ".join([*parts, self.sum])


def panels(e: Explanation, at: tuple[int, ...] | None = None, lang: str = "en") -> Panels:
    """What the picture of the number at `at` shows."""
    found = e.terms(at)
    rows, is_product = planes.rows(e, found), e.map.rank is not None
    if not is_product:
        is_product = len(found.blocks[0]) > 1
        rows = _flat(e, found)
    values = [v for b in found.blocks for v in b.values[slice(None) if b.real is None else b.real]]
    shown = " + ".join(text.number(v) for v in values[:9]).replace("+ -", "− ")
    shown += " + …" if len(values) > 9 else ""
    place = ", ".join(map(str, found.at))
    sides = [f"{found.name}[{place}]", *[shown][: len(values) > 1], text.number(found.total)]
    total = " = ".join(sides)
    laws = "\n".join(step.text(lang) for step in e.shape_steps)
    result = planes.asked(e, at) or _result(e, found.at)
    return Panels(rows, result, total, laws, is_product)


def _flat(e: Explanation, found: Sum) -> list[list[Plane]]:
    """Without a window: the factors of a sum of many terms; else what its first step reads."""
    block = found.blocks[0]
    if len(block) > 1:
        every = np.array([(0, k) for k in range(len(block))])
        of = f"of {found.name}{list(found.at)}"
        return [[planes.plane_of(f.name, of, f.values[None], every) for f in block.factors]]
    name = next(n for n in ("x", "input", "logits") if n in e.call.arguments)
    read = [step.blocks[0].factors[0].index for step in found.before[:1]]
    return [[_rows("input", name, e.call.array(name), index)] for index in read]


def _result(e: Explanation, at: tuple[int, ...]) -> Plane:
    numbers = np.atleast_1d(e.call.numbers)
    return _rows(e.call.name, e.call.name, numbers, np.array([at or (0,)]))


def _rows(role: str, name: str, array: Any, index: Any) -> Plane:
    """All axes but the last one below each other."""
    width = array.shape[-1]
    flat = np.ravel_multi_index(tuple(index.T), array.shape)
    cells = np.stack([flat // width, flat % width], axis=1)
    return planes.plane_of(role, name, array.reshape(-1, width), cells)


# ----- where everything stands -----


@dataclass(frozen=True)
class Layout:
    """Places in inches, x to the right and y downwards from the upper left corner."""

    size: tuple[float, float]
    panels: list[tuple[Plane, float, float, float]]  # x, y of its cells; the width of a cell
    signs: list[tuple[str, float, float]]
    laws: list[str]

    @property
    def bottom(self) -> float:
        """Where the panels end."""
        return max((y + _height(p) for p, _, y, _ in self.panels), default=TITLE + MARGIN)


def layout(shown: Panels) -> Layout:
    """Factors beside each other, channels below each other, the number's plane at the right."""
    columns = [*zip_longest(*shown.rows)] + ([(shown.result,)] if shown.result else [])
    cells = [max(_cell(p) for p in column if p) for column in columns]
    widths = [max(NARROWEST, *(_columns(p) * cell for p in column if p))
              for column, cell in zip(columns, cells, strict=True)]  # fmt: skip
    xs = np.cumsum([MARGIN, *(w + GAP for w in widths)]).tolist()
    first = y = MARGIN + 0.15 + TITLE
    placed: list[tuple[Plane, float, float, float]] = []
    signs: list[tuple[str, float, float]] = []
    for k, row in enumerate(shown.rows):
        placed += [(p, xs[j], y, cells[j]) for j, p in enumerate(row)]
        middle = y + min(map(_rows_tall, row)) / 2
        signs += [("×", x - GAP / 2, middle) for x in xs[1 : len(row)]]
        signs += [("+", MARGIN / 2, middle)] if k else []
        y += max(map(_height, row)) + TITLE
    if shown.result is not None:  # beside one channel; in the middle of several
        spare = y - first - TITLE - _height(shown.result)
        top = first + max(spare / 2, 0) * (len(shown.rows) > 1)
        placed.append((shown.result, xs[-2], top, cells[-1]))
        smallest = min((_rows_tall(p) for p in shown.every), default=0)
        half = (smallest if len(shown.rows) == 1 else _rows_tall(shown.result)) / 2
        sign = "" if not shown.rows else "=" if shown.is_product else "→"
        signs.append((sign, xs[-2] - GAP / 2, top + half))
    width = max(xs[-1] - GAP + BAR + MARGIN, SUM_LETTER * len(shown.sum) + 2 * MARGIN, 5.0)
    room = int((width - 2 * MARGIN) / LAW_LETTER / (1 if shown.laws.isascii() else 1.5))
    laws = [line for law in shown.laws.splitlines() for line in wrap(law, room)]
    found = Layout((width, 0), placed, signs, laws)
    height = max(found.bottom, MARGIN + 1.6) + LINE * len(laws) + 1.5 * MARGIN
    return Layout((width, height), placed, signs, laws)


def _columns(plane: Plane) -> int:
    return plane.box[3] - plane.box[1]


def _rows_tall(plane: Plane) -> float:
    return (plane.box[2] - plane.box[0]) * CELL


def _height(plane: Plane) -> float:
    """The height of a panel, with what is said below it."""
    return _rows_tall(plane) + NOTE * plane.is_cropped


def _cell(plane: Plane) -> float:
    """The width of its cells: as wide as its longest number."""
    longest = max((len(text.short(float(v))) for v in plane.shown.ravel()), default=1)
    return max(CELL, 0.09 * longest + 0.12)


# ----- drawing -----


def figure(e: Explanation, at: tuple[int, ...] | None = None) -> Any:
    """A matplotlib Figure of one number."""
    from minitensor.extras import require

    require("explain's pictures", "matplotlib", "PIL")
    from matplotlib.figure import Figure

    lang = pictures.language(e.lang)
    shown = panels(e, at, lang)
    places = layout(shown)
    width, height = places.size
    with pictures.style(lang):
        drawn = Figure(places.size)

        def inches(x: float, y: float, wide: float, tall: float) -> Any:
            """Axes with their upper left corner at (x, y)."""
            where = (x / width, 1 - (y + tall) / height, wide / width, tall / height)
            return drawn.add_axes(where, xticks=[], yticks=[])

        for plane, x, y, cell in places.panels:
            axes = inches(x, y, _columns(plane) * cell, _rows_tall(plane))
            _draw(axes, plane, shown.scale, lang)
        for sign, x, y in places.signs:
            drawn.text(x / width, 1 - y / height, sign, ha="center", va="center", size=15)
        plane, _, y, _ = places.panels[-1]
        tall = min(1.8, max(_rows_tall(plane), 0.8))
        _bar(inches(width - MARGIN - 0.55, y, 0.16, tall), shown.scale)
        edge, weight = MARGIN / width, "normal" if lang == "zh" else "bold"
        drawn.text(edge, 1 - MARGIN / height, shown.sum, va="top", weight=weight)
        laws = "\n".join(places.laws)
        drawn.text(edge, MARGIN / 2 / height, laws, va="bottom", size=8, color="0.25")
    return drawn


def _draw(axes: Any, plane: Plane, scale: float, lang: str) -> None:
    """One panel: coloured cells with their numbers, hatches, outlines, title and address."""
    from matplotlib.collections import LineCollection

    top, left, bottom, right = plane.box
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.spines[:].set_visible(False)
    (y, x), (rows, columns) = plane.corner, plane.shown.shape
    shades = np.zeros((bottom - top, right - left, 4))  # what is no number lets the hatch through
    shades[y - top : y - top + rows, x - left : x - left + columns] = _colours(plane.shown, scale)
    if plane.shown.size < shades[..., 0].size:
        words = {"facecolor": "white", "hatch": "////", "edgecolor": "0.55", "linewidth": 0}
        axes.fill([left, right, right, left], [top, top, bottom, bottom], **words)
    lines = np.arange(left, right + 1), np.arange(top, bottom + 1)
    axes.pcolormesh(*lines, shades, edgecolors="0.75", linewidth=0.6, antialiased=True)
    for i, j in np.ndindex(rows, columns):
        ink = pictures.ink(shades[i + y - top, j + x - left])
        number = text.short(float(plane.shown[i, j]))
        axes.text(x + j + 0.5, y + i + 0.5, number, color=ink, ha="center", va="center", size=9)
    axes.add_collection(LineCollection(_outline(plane), colors="black", linewidths=2,
                                       capstyle="projecting", clip_on=False))  # fmt: skip
    axes.set_title(plane.role, loc="left", pad=16)
    small = {"xycoords": "axes fraction", "textcoords": "offset points", "size": 7.5}
    axes.annotate(plane.address, (0, 1), (0, 3), va="bottom", color="0.35", **small)
    if plane.is_cropped:
        note = listing.cropped(plane, lang).replace(", ", "\n")
        axes.annotate(note, (0, 0), (0, -4), va="top", color="0.35", **small)


def _outline(plane: Plane) -> list[Any]:
    """The edges between cells that are read and cells that are not, as two ends (x, y)."""
    top, left, bottom, right = plane.box
    lit = set(map(tuple, plane.cells.tolist()))
    return [
        [(j + b, i + a), (j + d, i + c)]
        for i, j in sorted(lit)
        if top <= i < bottom and left <= j < right
        for (u, v), (a, b, c, d) in SIDES.items()
        if (i + u, j + v) not in lit
    ]


SIDES = {  # of a cell: towards which neighbour it lies, and its ends (row, column, row, column)
    (-1, 0): (0, 0, 0, 1),
    (1, 0): (1, 0, 1, 1),
    (0, -1): (0, 0, 1, 0),
    (0, 1): (0, 1, 1, 1),
}


def _colours(values: np.ndarray, scale: float) -> np.ndarray:
    """The colours of numbers; white for what is not finite."""
    shades: np.ndarray = pictures.signed()(0.5 + 0.5 * np.nan_to_num(values) / scale)
    return shades


def _bar(axes: Any, scale: float) -> None:
    """The bar of the one colour scale."""
    ends = (-scale, 0, scale)
    colours = _colours(np.linspace(-scale, scale, 101), scale)[:, None]
    axes.imshow(colours, aspect="auto", origin="lower", extent=(0, 1, -scale, scale))
    axes.set_yticks(ends, [text.short(v) for v in ends])
    axes.yaxis.tick_right()
    axes.tick_params(labelsize=8, length=2)


# ----- files -----


def positions(e: Explanation) -> list[tuple[int, ...]]:
    """The numbers of an animation: those of one plane in row-major order; of many, some."""
    if not e.call.numbers.ndim:
        return [e.at]
    axes = e.spatial_axes or [e.call.numbers.ndim - 1]
    sizes = [e.call.numbers.shape[axis] for axis in axes]
    every = []
    for place in np.ndindex(*sizes):
        at = list(e.at)
        for axis, i in zip(axes, place, strict=True):
            at[axis] = i
        every.append(tuple(at))
    if len(every) <= FRAMES:
        return every
    start = min(every.index(e.at), len(every) - FEW)
    return every[start : start + FEW]


def save(e: Explanation, path: Path) -> list[Path]:
    """Writes a file of the kind that the name asks for; beside a GIF also a still SVG.

    Raises:
        ValueError: another kind of file.
    """
    kind = path.suffix.lower()
    if kind in (".svg", ".png", ".pdf"):
        path.write_bytes(_bytes(e, e.at, kind[1:]))
        return [path]
    if kind == ".json":
        path.write_text(e.to_json() + "\n", "utf-8")
        return [path]
    if kind == ".html":
        from minitensor.explain.page import page

        path.write_text(page(e), "utf-8")
        return [path]
    if kind == ".gif":
        still = path.with_suffix(".svg")
        still.write_bytes(_bytes(e, e.at, "svg"))
        _animate(e, path)
        return [path, still]
    raise ValueError(f"{path.name}: legal are .svg, .png, .pdf, .gif, .html and .json")


def _bytes(e: Explanation, at: tuple[int, ...], kind: str, size: float = 0.0) -> bytes:
    """One picture as a file of this kind; the same on every run. `size`: inches of the largest."""
    drawn = figure(e, at)
    dots = min(DOTS, PIXELS / max(size, *drawn.get_size_inches()))
    words = {"dpi": dots} if kind == "png" else {}
    return pictures.written(drawn, kind, e.call.op, panels(e, at).alt, **words)


def _animate(e: Explanation, path: Path) -> None:
    """One frame for each number, all of one size; of each only its palette's image is kept."""
    from PIL import Image

    lang, places = pictures.language(e.lang), positions(e)
    inches = np.max([layout(panels(e, at, lang)).size for at in places], axis=0)
    largest = float(inches.max())
    pixels = np.ceil(inches * min(DOTS, PIXELS / largest)).astype(int).tolist()
    frames = []
    for at in places:
        canvas = Image.new("RGB", tuple(pixels), "white")
        canvas.paste(Image.open(BytesIO(_bytes(e, at, "png", largest))).convert("RGB"))
        frames.append(canvas.quantize(128))
    words: dict[str, Any] = {"duration": int(1000 * SECONDS), "loop": 0, "optimize": True}
    frames[0].save(path, save_all=True, append_images=frames[1:], **words)
