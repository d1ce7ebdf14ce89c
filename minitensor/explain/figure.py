"""Pictures of an explanation: planes of numbers, what is read outlined, padding hatched.

Every panel is placed by hand, in inches, so that nothing is clipped and no band is empty. Colours
are those of one signed scale for all panels of a picture, white at 0; the numbers stand in the
cells, so the picture is read in grey as well. `panels` is what is drawn, and what tests compare.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minitensor.explain import planes, text
from minitensor.explain.planes import Plane

if TYPE_CHECKING:
    from minitensor.explain.explanation import Explanation

STYLE = Path(__file__).with_name("style.mplstyle")
CELL, GAP, MARGIN, TITLE, BAR = 0.46, 0.75, 0.3, 0.62, 0.85  # inches
NOTE, LAW = 0.3, 0.16  # below a cropped panel; a line of the laws
DIGITS = 3  # of a number in a cell
CHINESE = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "SimHei"),
    *("WenQuanYi Micro Hei", "Microsoft YaHei", "PingFang SC", "Noto Sans CJK JP"),
)
FRAMES = 36  # of an animation, at most
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
    def scale(self) -> float:
        """The largest size of a number that is shown: the end of the colour scale."""
        arrays = [p.array for row in self.rows for p in row]
        arrays += [] if self.result is None else [self.result.array]
        largest = max((float(np.abs(a[np.isfinite(a)]).max(initial=0)) for a in arrays), default=0)
        return largest or 1.0

    @property
    def alt(self) -> str:
        """The picture in words, for who does not see it."""
        shown = [p for row in self.rows for p in row]
        shown += [] if self.result is None else [self.result]
        parts = [f"{p.role}: {p.array.shape[0]} rows, {p.array.shape[1]} columns, "
                 f"{len(p.cells)} cells outlined" for p in shown]  # fmt: skip
        return ". ".join([*parts, self.sum])


def panels(e: Explanation, at: tuple[int, ...] | None = None, lang: str = "en") -> Panels:
    """What the picture of the number at `at` shows."""
    found = e.terms(at)
    rows = planes.rows(e, found)
    if e.map.links is None:
        rows = [[_flat(step.blocks[0].factors[0], e)] for step in found.before[:1]]
    values = [v for b in found.blocks for v in b.values[slice(None) if b.real is None else b.real]]
    shown = " + ".join(text.number(v) for v in values[:9]).replace("+ -", "− ")
    shown += " + …" if len(values) > 9 else ""
    place = ", ".join(map(str, found.at))
    sides = [f"{found.name}[{place}]", *[shown][: len(values) > 1], text.number(found.total)]
    total = " = ".join(sides)
    laws = "\n".join(step.text(lang) for step in e.shape_steps)
    result = planes.asked(e, at) or _result(e, found.at)
    return Panels(rows, result, total, laws, e.map.links is not None)


def _flat(factor: Any, e: Explanation) -> Plane:
    """An array without a window, as rows: what a step reads of it is outlined."""
    name = "x" if "x" in e.call.arguments else "input" if "input" in e.call.arguments else "logits"
    return _rows("input", name, e.call.array(name), factor.index)


def _result(e: Explanation, at: tuple[int, ...]) -> Plane | None:
    if not e.call.numbers.ndim:
        return None
    return _rows(e.call.name, e.call.name, e.call.numbers, np.array([at]))


def _rows(role: str, name: str, array: Any, index: np.ndarray) -> Plane:
    """All axes but the last one below each other."""
    width = array.shape[-1]
    flat = np.ravel_multi_index(tuple(index.T), array.shape)
    cells = np.stack([flat // width, flat % width], axis=1)
    return planes.plane_of(role, name, array.reshape(-1, width), cells)


# ----- drawing -----


def figure(e: Explanation, at: tuple[int, ...] | None = None) -> Any:
    """A matplotlib Figure of one number."""
    from minitensor.extras import require

    require("explain's pictures", "matplotlib", "PIL")
    import matplotlib.style
    from matplotlib.figure import Figure

    font = _chinese_font() if e.lang == "zh" else None
    lang = "zh" if font else "en"  # without a font for it there would be empty boxes
    shown = panels(e, at, lang)
    fonts = {"font.family": ["DejaVu Sans", font]} if font else {}
    with matplotlib.style.context([STYLE, fonts]):
        width, height = _size(shown)
        drawn = Figure((width, height))
        for plane, x, y in _placed(shown, height):
            _draw(drawn, plane, x, y, shown.scale, lang)
        _signs(drawn, shown, height)
        _bar(drawn, shown, width, height)
        drawn.text(MARGIN / width, 1 - MARGIN / height, shown.sum, va="top", weight="bold")
        laws = shown.laws.replace("; ", "\n") if width < 9 else shown.laws
        drawn.text(MARGIN / width, MARGIN / 2 / height, laws, va="bottom", size=8, color="0.25")
    return drawn


def _chinese_font() -> str | None:
    """An installed font that has Chinese characters."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return next((name for name in CHINESE if name in installed), None)


def _extent(plane: Plane) -> tuple[float, float]:
    """Width and height of a panel, in inches."""
    top, left, bottom, right = plane.box
    return (right - left) * _cell(plane), (bottom - top) * CELL


def _below(plane: Plane) -> float:
    """The height of what is said below a panel."""
    return NOTE if plane.is_cropped else 0.0


def _cell(plane: Plane) -> float:
    """The width of its cells: as wide as its longest number."""
    top, left, bottom, right = plane.box
    part = plane.array[max(top, 0) : bottom, max(left, 0) : right]
    longest = max((len(text.number(float(v), DIGITS)) for v in part.ravel()), default=1)
    return max(CELL, 0.115 * longest + 0.1)


def _columns(shown: Panels) -> list[float]:
    """The widths of the columns of panels."""
    count = max(map(len, shown.rows), default=0)
    widths = [max(_extent(row[k])[0] for row in shown.rows if k < len(row)) for k in range(count)]
    return [max(w, 1.1) for w in widths]


def _heights(shown: Panels) -> list[float]:
    return [max((_extent(p)[1] + _below(p) for p in row), default=0) + TITLE for row in shown.rows]


def _law_lines(shown: Panels, width: float) -> int:
    return (shown.laws.count("\n") + (shown.laws.count("; ") if width < 9 else 0)) + bool(
        shown.laws
    )


def _size(shown: Panels) -> tuple[float, float]:
    result, below = (0.0, 0.0), 0.0
    if shown.result is not None:
        result, below = _extent(shown.result), _below(shown.result)
    width = sum(w + GAP for w in _columns(shown)) + max(result[0], 1.1) + BAR + 2 * MARGIN
    width = max(width, 0.085 * len(shown.sum) + 2 * MARGIN)
    width = max(width, 0.068 * max(map(len, shown.laws.replace("; ", "\n").split("\n"))) + MARGIN)
    height = max(sum(_heights(shown)), result[1] + TITLE + below, 1.5)
    return width, height + 0.4 + LAW * _law_lines(shown, width) + MARGIN


def _top(height: float) -> float:
    return height - MARGIN - 0.35


def _placed(shown: Panels, height: float) -> Iterator[tuple[Plane, float, float]]:
    """Each plane, and the inches of its lower left corner."""
    columns, y = _columns(shown), _top(height)
    for row, tall in zip(shown.rows, _heights(shown), strict=True):
        x = MARGIN
        for plane, wide in zip(row, columns, strict=False):
            yield plane, x, y - TITLE + 0.2 - _extent(plane)[1]
            x += wide + GAP
        y -= tall
    if shown.result is not None:
        x = MARGIN + sum(w + GAP for w in columns)
        yield shown.result, x, _top(height) - TITLE + 0.2 - _extent(shown.result)[1]


def _signs(drawn: Any, shown: Panels, height: float) -> None:
    """× between factors, + before further channels, = before the number."""
    width, columns, y = drawn.get_size_inches()[0], _columns(shown), _top(height)
    words = {"ha": "center", "va": "center", "size": 15}
    end = "" if shown.result is None else "=" if shown.is_product else "→"
    for row, tall in zip(shown.rows, _heights(shown), strict=True):
        middle = y - TITLE + 0.2 - max(_extent(p)[1] for p in row) / 2
        x = MARGIN
        for k, wide in enumerate(columns):
            x += wide + GAP
            last = k + 1 == len(row)
            sign = "×" if k + 1 < len(row) else end if last and y == _top(height) else ""
            drawn.text((x - GAP / 2) / width, middle / height, sign, **words)
        if y < _top(height):
            drawn.text(MARGIN / 2 / width, middle / height, "+", **words)
        y -= tall


def _draw(drawn: Any, plane: Plane, x: float, y: float, scale: float, lang: str) -> None:
    """One panel: coloured cells with their numbers, hatches, outlines, title and address."""
    from matplotlib.patches import Rectangle

    width, height = drawn.get_size_inches()
    wide, tall = _extent(plane)
    top, left, bottom, right = plane.box
    axes = drawn.add_axes((x / width, y / height, wide / width, tall / height))
    axes.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set_visible(False)
    colours = drawn.__dict__.setdefault("_colours", _colours(scale))
    size = 9 if _cell(plane) >= CELL else 8
    for i in range(top, bottom):
        for j in range(left, right):
            inside = plane.inside(i, j)
            value = float(plane.array[i, j]) if inside else 0.0
            shade = colours(value) if inside else (1, 1, 1, 1)
            axes.add_patch(Rectangle((j, i), 1, 1, facecolor=shade, edgecolor="0.75", linewidth=0.6,
                                     hatch=None if inside else "////"))  # fmt: skip
            if inside:
                dark = np.dot(shade[:3], (0.299, 0.587, 0.114)) < 0.55
                words = {"ha": "center", "va": "center", "size": size}
                ink = "white" if dark else "black"
                axes.text(j + 0.5, i + 0.5, text.number(value, DIGITS), color=ink, **words)
    for i, j in plane.cells.tolist():
        axes.add_patch(Rectangle((j + 0.05, i + 0.05), 0.9, 0.9, fill=False, edgecolor="black",
                                 linewidth=2, clip_on=False))  # fmt: skip
    axes.set_title(plane.role, loc="left", pad=16)
    axes.text(
        0, 1, f"{plane.address}", transform=axes.transAxes, va="bottom", size=7.5, color="0.35"
    )
    if plane.is_cropped:
        note = text.cropped(plane, lang).replace(", ", "\n")
        axes.text(0, -0.02, note, transform=axes.transAxes, va="top", size=7, color="0.35")


def _colours(scale: float) -> Any:
    """The colour of a number: blue below 0, white at 0, red above; pale enough to print on."""
    from matplotlib import colormaps

    shades = colormaps["RdBu_r"]
    return lambda value: shades(0.5 + 0.36 * value / scale if np.isfinite(value) else 0.5)


def _bar(drawn: Any, shown: Panels, width: float, height: float) -> None:
    """The bar of the one colour scale."""
    tall = max(min(1.8, _top(height) - TITLE - 0.9), 0.8)
    y = _top(height) - TITLE + 0.2 - tall
    axes = drawn.add_axes(
        ((width - MARGIN - 0.55) / width, y / height, 0.16 / width, tall / height)
    )
    colours = _colours(shown.scale)
    values = np.linspace(-shown.scale, shown.scale, 101)
    axes.imshow(np.array([[colours(v)] for v in values]), aspect="auto", origin="lower",
                extent=(0, 1, -shown.scale, shown.scale))  # fmt: skip
    axes.set(xticks=[], yticks=[-shown.scale, 0, shown.scale])
    axes.set_yticklabels([text.number(v, DIGITS) for v in (-shown.scale, 0, shown.scale)])
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
    start = every.index(e.at) if len(every) > FRAMES else 0
    start = min(start, len(every) - FRAMES) if len(every) > FRAMES else 0
    return every[start : start + FRAMES]


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
        path.write_text(page(e), "utf-8")
        return [path]
    if kind == ".gif":
        still = path.with_suffix(".svg")
        still.write_bytes(_bytes(e, e.at, "svg"))
        _animate(e, path)
        return [path, still]
    raise ValueError(f"{path.name}: legal are .svg, .png, .pdf, .gif, .html and .json")


def _bytes(e: Explanation, at: tuple[int, ...], kind: str) -> bytes:
    """One picture as a file of this kind; the same on every run."""
    import matplotlib.style

    alt = panels(e, at).alt
    metadata = {
        "svg": {"Title": e.call.op, "Description": alt, "Date": None},
        "png": {"Title": e.call.op, "Description": alt, "Software": None},
        "pdf": {"Title": e.call.op, "Subject": alt, "CreationDate": None},
    }[kind]
    buffer = BytesIO()
    with matplotlib.style.context(STYLE):
        figure(e, at).savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()


def _animate(e: Explanation, path: Path) -> None:
    """One frame for each number, all of one size."""
    from PIL import Image

    frames = [Image.open(BytesIO(_bytes(e, at, "png"))).convert("RGB") for at in positions(e)]
    width, height = (max(frame.size[k] for frame in frames) for k in (0, 1))
    canvases = []
    for frame in frames:
        canvas = Image.new("RGB", (width, height), "white")
        canvas.paste(frame)
        canvases.append(canvas.quantize(128))
    words: dict[str, Any] = {"duration": int(1000 * SECONDS), "loop": 0, "optimize": True}
    canvases[0].save(path, save_all=True, append_images=canvases[1:], **words)


def svg(e: Explanation, at: tuple[int, ...] | None = None) -> str:
    """One picture as an <svg> element with its words."""
    from html import escape

    shown = _bytes(e, e.at if at is None else at, "svg").decode()
    body = shown[shown.index("<svg") :]
    label = escape(panels(e, at).alt, quote=True)
    return body.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def page(e: Explanation) -> str:
    """One HTML file, without a request to anywhere: a frame for each number, scrubbed by keys."""
    out = StringIO()
    places = positions(e)
    out.write(PAGE_HEAD.format(lang=e.lang, title=e.call.op, last=len(places) - 1,
                               first=places.index(e.at) if e.at in places else 0))  # fmt: skip
    for at in places:
        out.write(f"<figure hidden>{_unique(svg(e, at), at)}</figure>\n")
    out.write(text.html(text.lines(e, (), e.lang)))
    out.write(PAGE_TAIL)
    return out.getvalue()


def _unique(picture: str, at: tuple[int, ...]) -> str:
    """Ids of one picture do not meet those of another on the same page."""
    mark = "f" + "-".join(map(str, at)) + "-"
    for word in ('id="', 'href="#', "url(#"):
        picture = picture.replace(word, word + mark)
    return picture


PAGE_HEAD = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font-family:sans-serif;margin:1rem;max-width:80rem}}figure{{margin:0;overflow-x:auto}}
input{{width:min(100%,30rem)}}</style></head><body>
<h1>{title}</h1>
<input type="range" min="0" max="{last}" value="{first}" aria-label="which number" autofocus>
"""
PAGE_TAIL = """
<script>
const slider = document.querySelector("input"), frames = document.querySelectorAll("figure");
const show = () => frames.forEach((frame, k) => { frame.hidden = k !== +slider.value; });
slider.addEventListener("input", show);
show();
</script></body></html>
"""
