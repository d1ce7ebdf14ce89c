"""A roofline: what each step reached, below what this machine can do at most.

Across, operations per byte that must be moved, and up, operations per second; a number stands
above the dots of a row. The slanted roof is the copy bandwidth and the flat one a matrix product,
measured in the same run by as many threads. Below, the same rows by name and number, and which
part of the roof each dot reached. Beyond 1 are three kinds, and `beyond` says which is which:
what fits in a cache, updates in place (a copy's target is read before it is written), and
Winograd's algorithm, which multiplies less than the definition that is counted; and the flat roof
is no law, but what BLAS reaches. Needs matplotlib; without it there is no picture, and that is
said. From results that are there: python -m benchmarks.roofline FILE.json...

Source: Williams, Waterman and Patterson 2009
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import threads
from benchmarks.report import PRODUCT, short
from minitensor import pictures

OURS, PEERS = "osDhp*", "^v<>PXd8"  # markers: filled and hollow, told apart in grey
NEAR, WIDE = 0.035, 0.09  # of the width: dots that share a number; numbers not to stand abreast
Row = dict[str, Any]


def draw(path: Path, content: dict[str, Any]) -> None:
    """Writes the picture of a report that has times; a column of it per number of threads."""
    if not content["ceilings"]:
        return
    if find_spec("matplotlib") is None:
        print("no picture: matplotlib is not installed")
        return
    with pictures.style():
        picture(content).savefig(path, dpi=110)
    print(f"written to {path}")


def picture(content: dict[str, Any]) -> Any:
    """The picture of a report as a matplotlib Figure; made inside of `pictures.style()`."""
    from matplotlib.figure import Figure

    groups = {
        count: sorted(
            (row for row in content["rows"] if str(row.get("threads", 0)) == count), key=_intensity
        )
        for count in content["ceilings"]
    }
    longest = max(map(len, groups.values()))
    high = (4.2, max(1.2, 0.17 * longest + 0.3))
    figure = Figure((max(8, 1.5 + 5 * len(groups)), sum(high) + 2), layout="constrained")
    device = content["versions"].get("gpu", content["machine"]["cpu"])
    figure.suptitle(f"{content['what']}\n{device}, {content['date'][:10]}")
    panels = figure.subplots(2, len(groups), squeeze=False, height_ratios=high)
    names: list[str] = []  # of the rows of the group on the left
    for (count, rows), (above, below) in zip(groups.items(), panels.T, strict=True):
        above.set_title(threads(int(count)))
        _roofs(above, content["ceilings"][count], rows)
        _points(above, rows)
        left, names = names, [row["name"] for row in rows]
        _listed(below, rows, named=names != left)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4 * len(groups))
    return figure


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


def _style(rows: list[Row], column: str) -> dict[str, Any]:
    """Filled markers are ours, hollow ones the peers'."""
    columns, ours = _columns(rows), column.startswith("minitensor")
    alike = [c for c in columns if c.startswith("minitensor") == ours]
    color = f"C{columns.index(column) % 8}"
    marker = (OURS if ours else PEERS)[alike.index(column)]
    face = color if ours else "none"
    return {"marker": marker, "facecolors": face, "edgecolors": color, "label": short(column)}


def _points(axes: Any, rows: list[Row]) -> None:
    """A dot per row and column, and above each place the numbers of its rows."""
    axes.set(xscale="log", xlabel="operations per byte that must be moved")
    axes.set(yscale="log", ylabel="1e9 operations per second")
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_major_locator().set_params(subs=(1, 2, 5))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")
    axes.grid(visible=True)
    for column in _columns(rows):
        timed = [row for row in rows if column in row["milliseconds"]]
        y = [_rate(row, row["milliseconds"][column]) for row in timed]
        axes.scatter(list(map(_intensity, timed)), y, s=22, zorder=3, **_style(rows, column))
    low, high = np.log(axes.get_xlim())
    places: list[list[int]] = []
    for number, row in enumerate(rows):
        gap = np.log(_intensity(row) / _intensity(rows[places[-1][-1]])) if places else np.inf
        if gap > NEAR * (high - low):
            places.append([])
        places[-1].append(number)
    low_before, reach = False, -np.inf
    for numbers in places:
        at = [rows[number] for number in numbers]
        top = max(_rate(row, min(row["milliseconds"].values())) for row in at)
        words = "-".join(str(n + 1) for n in dict.fromkeys((numbers[0], numbers[-1])))
        style = {"ha": "center", "textcoords": "offset points", "fontsize": 8, "zorder": 4}
        middle = np.sqrt(_intensity(at[0]) * _intensity(at[-1]))
        around = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        low_before = not low_before or np.log(middle) - reach > WIDE * (high - low)
        reach = np.log(middle)
        axes.annotate(words, (middle, top), (0, 6 if low_before else 18), bbox=around, **style)


def _rate(row: Row, milliseconds: float) -> float:
    """1e9 operations per second."""
    return float(row["operations"] / milliseconds / 1e6)


def _listed(axes: Any, rows: list[Row], named: bool) -> None:
    """Every row by its number, and its name, with the part of the roof each dot reached."""
    for column in _columns(rows):
        timed = [(i, row["fraction"]) for i, row in enumerate(rows) if column in row["fraction"]]
        x = [fractions[column] for _, fractions in timed]
        axes.scatter(x, [i for i, _ in timed], s=18, zorder=3, **_style(rows, column))
    axes.axvline(1, color="black", linewidth=1)
    axes.grid(visible=True)
    names = [f"{row['name']}  {i}" if named else str(i) for i, row in enumerate(rows, 1)]
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
        axes.plot(x, np.minimum(bandwidth * x, rate) / 1e9, color="black", linewidth=1)
        axes.annotate(name, (high, rate / 1e9), (0, 3), textcoords="offset points", ha="right")
    words = ", ".join(f"{name} {rate / 1e9:,.0f} GFLOP/s" for name, rate in rates.items())
    title = f"{axes.get_title()}\ncopy {bandwidth / 1e9:,.0f} GB/s, matrix product {words}"
    axes.set_title(title, fontsize=9, weight="normal")


if __name__ == "__main__":  # again, from what was measured
    for name in sys.argv[1:]:
        draw(Path(name).with_suffix(".png"), json.loads(Path(name).read_text()))
