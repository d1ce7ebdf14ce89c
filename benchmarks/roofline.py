"""A roofline: what each step reached, below what this machine can do at most.

Left, operations per byte that must be moved, and up, operations per second; a number stands
above the dots of a row. The slanted roof is the copy bandwidth and the flat one a matrix product,
measured in the same run by as many threads. Right, the same rows by number and name, and which
part of the roof each dot reached. Beyond 1 are three kinds, and `beyond` says which is which:
what fits in a cache, updates in place (a copy's target is read before it is written), and
Winograd's algorithm, which multiplies less than the definition that is counted; and the flat roof
is no law, but what BLAS reaches. Needs matplotlib; without it there is no picture, and that is
said.

Source: Williams, Waterman and Patterson 2009
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import threads
from benchmarks.report import PRODUCT, short

COLORS = ("#1f5fa8", "#d9730d", "#3c8c4a", "#8e44ad", "#b5443c", "#6b7280", "#0f9bb3", "#a3812b")
Row = dict[str, Any]


def draw(path: Path, content: dict[str, Any]) -> None:
    """Writes the picture of a report that has times; one line of it per number of threads."""
    if not content["ceilings"]:
        return
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no picture: matplotlib is not installed")
        return
    groups = {
        count: [row for row in content["rows"] if str(row.get("threads", 0)) == count]
        for count in content["ceilings"]
    }
    longest = max(map(len, groups.values()))
    height = max(5.0, 1.5 + 0.19 * longest) * len(groups)
    figure = Figure(figsize=(15, height), layout="constrained")
    device = content["versions"].get("gpu", content["machine"]["cpu"])
    figure.suptitle(f"{content['what']}\n{device}, {content['date'][:10]}")
    panels = figure.subplots(len(groups), 2, squeeze=False, width_ratios=(3, 2))
    for (count, rows), (left, right) in zip(groups.items(), panels, strict=True):
        rows.sort(key=_intensity)
        _points(left, rows)
        _roofs(left, content["ceilings"][count], rows)
        left.set_title(threads(int(count)), fontsize=10)
        _listed(right, rows)
        for axes in (left, right):
            axes.grid(color="#e3e5e8", which="major", linewidth=0.5)
            axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].legend(frameon=False, fontsize=8, loc="lower right")
    figure.savefig(path, dpi=100)
    print(f"written to {path}")


def add_fractions(content: dict[str, Any]) -> None:
    """Of each cell, which part of its roof it reached; the roof is that of as many threads."""
    for row in content["rows"]:
        roof = content["ceilings"].get(str(row.get("threads", 0)), {})
        rate = roof.get(row["precision"])  # operations per second
        if "copy" in roof and rate:
            moved, computed = row["traffic"] / roof["copy"], row["operations"] / rate
            row["bound"] = "memory" if moved > computed else "arithmetic"
            least = 1e3 * max(moved, computed)
            cells = row["milliseconds"].items()
            row["fraction"] = {c: float(f"{least / ms:.4g}") for c, ms in cells if c != PRODUCT}


def beyond(rows: list[Row]) -> list[str]:
    """What lies above the roof, by a tenth or more, and why."""
    cache = _cache()
    return [
        f"{row['name']}, {short(column)}: {fraction:.2f} of the roof, {_why(row, column, cache)}"
        for row in rows
        for column, fraction in row.get("fraction", {}).items()
        if fraction > 1.1
    ]


def _why(row: Row, column: str, cache: int) -> str:
    if column.endswith("fast"):
        return "Winograd multiplies less than is counted"
    if row["bound"] == "arithmetic":
        return "which is only BLAS' product of large matrices"
    if row["name"].startswith(("sgd", "adam")):
        return "in place: a copy also reads what it overwrites"
    if row["traffic"] < cache:
        return f"its {row['traffic'] / 2**20:.0f} MiB fit in the cache"
    return "not explained"


def _cache() -> int:
    """Bytes of the largest cache, where Linux tells."""
    sizes = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    return max((int(file.read_text().strip()[:-1]) * 1024 for file in sizes), default=0)


def _intensity(row: Row) -> float:
    return row["operations"] / row["traffic"]


def _columns(rows: list[Row]) -> list[str]:
    return [
        c for c in dict.fromkeys(c for row in rows for c in row["milliseconds"]) if c != PRODUCT
    ]


def _style(number: int, column: str) -> dict[str, Any]:
    """Circles are ours, triangles the peers'."""
    marker = "o" if column.startswith("minitensor") else "^"
    color = COLORS[number % len(COLORS)]
    return {
        "marker": marker,
        "color": color,
        "alpha": 0.75,
        "linewidths": 0,
        "label": short(column),
    }


def _points(axes: Any, rows: list[Row]) -> None:
    """A dot per row and column, and above each place the numbers of its rows."""
    axes.set(xscale="log", xlabel="operations per byte that must be moved")
    axes.set(yscale="log", ylabel="operations per second")
    for number, column in enumerate(_columns(rows)):
        timed = [row for row in rows if column in row["milliseconds"]]
        y = [1e3 * row["operations"] / row["milliseconds"][column] for row in timed]
        axes.scatter(list(map(_intensity, timed)), y, s=22, **_style(number, column))
    places: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        places.setdefault(round(np.log(_intensity(row)) / 0.1), []).append(number)
    for numbers in places.values():
        at = [rows[number] for number in numbers]
        top = max(1e3 * row["operations"] / min(row["milliseconds"].values()) for row in at)
        first, last = numbers[0] + 1, numbers[-1] + 1
        words = str(first) if first == last else f"{first}-{last}"
        style = {"ha": "center", "textcoords": "offset points", "fontsize": 7}
        axes.annotate(words, (_intensity(at[0]), top), (0, 5), **style)


def _listed(axes: Any, rows: list[Row]) -> None:
    """Every row by number and name, with the part of the roof that each of its dots reached."""
    for number, column in enumerate(_columns(rows)):
        timed = [(i, row["fraction"]) for i, row in enumerate(rows) if column in row["fraction"]]
        x = [fractions[column] for _, fractions in timed]
        axes.scatter(x, [i for i, _ in timed], s=16, **_style(number, column))
    axes.axvline(1, color="#111827", linewidth=1)
    names = [f"{i}  {row['name']}" for i, row in enumerate(rows, 1)]
    axes.set_yticks(range(len(rows)), names, fontsize=7)
    axes.set(xlabel="part of the roof", xlim=(0, None), ylim=(len(rows) - 0.5, -0.5))


def _roofs(axes: Any, ceilings: dict[str, float], rows: list[Row]) -> None:
    """The copy bandwidth, cut by each matrix product; wide enough to show where they meet."""
    bandwidth = ceilings["copy"]
    rates = {name: rate for name, rate in ceilings.items() if name != "copy"}
    reached = list(map(_intensity, rows)) + [rate / bandwidth for rate in rates.values()]
    low, high = min(reached) / 2, 2 * max(reached)
    x = np.geomspace(low, high, 200)
    for name, rate in rates.items():
        axes.plot(x, np.minimum(bandwidth * x, rate), color="#111827", linewidth=1)
        text = f"matrix product {name}: {rate / 1e9:,.0f} GFLOP/s"
        axes.annotate(text, (low, rate), ha="left", va="bottom", fontsize=8)
    axes.annotate(f"  copy: {bandwidth / 1e9:,.0f} GB/s", (low, bandwidth * low), fontsize=8)
