"""A roofline: what each step reached, below what this machine can do at most.

Across, operations per byte that must be moved; up, operations per second. The slanted roof is the
copy bandwidth and the flat ones are matrix products, all measured in the same run. Needs
matplotlib; without it there is no picture, and that is said.

Source: Williams, Waterman and Patterson 2009
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

COLORS = ("#1f5fa8", "#d9730d", "#3c8c4a", "#8e44ad", "#b5443c", "#6b7280", "#0f9bb3", "#a3812b")


def draw(path: Path, content: dict[str, Any]) -> None:
    """Writes the picture of a report that has times."""
    if "copy" not in content["ceilings"]:
        return
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no picture: matplotlib is not installed")
        return
    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots()
    device = content["versions"].get("gpu", content["machine"]["cpu"])
    axes.set_title(f"{content['what']}\n{device}, {content['date'][:10]}")
    axes.set(xscale="log", xlabel="operations per byte that must be moved")
    axes.set(yscale="log", ylabel="operations per second")
    _points(axes, content["rows"])
    _roofs(axes, content["ceilings"], content["rows"])
    axes.grid(color="#e3e5e8", which="both", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    figure.savefig(path, dpi=120)
    print(f"written to {path}")


def _points(axes: Any, rows: list[dict[str, Any]]) -> None:
    """A dot per row and column: circles are ours, triangles the peers'."""
    columns = dict.fromkeys(c for row in rows for c in row["milliseconds"])
    for number, column in enumerate(columns):
        timed = [row for row in rows if column in row["milliseconds"]]
        x = [row["operations"] / row["traffic"] for row in timed]
        y = [1e3 * row["operations"] / row["milliseconds"][column] for row in timed]
        style = {"color": COLORS[number % len(COLORS)], "alpha": 0.75, "linewidths": 0}
        marker = "o" if column.startswith("minitensor") else "^"
        axes.scatter(x, y, s=22, marker=marker, label=column, **style)


def _roofs(axes: Any, ceilings: dict[str, float], rows: list[dict[str, Any]]) -> None:
    """The copy bandwidth, cut by each matrix product; wide enough to show where they meet."""
    bandwidth = ceilings["copy"]
    rates = {name: rate for name, rate in ceilings.items() if name != "copy"}
    reached = [row["operations"] / row["traffic"] for row in rows]
    reached += [rate / bandwidth for rate in rates.values()]
    low, high = min(reached) / 2, 2 * max(reached)
    x = np.geomspace(low, high, 200)
    for name, rate in rates.items():
        axes.plot(x, np.minimum(bandwidth * x, rate), color="#111827", linewidth=1)
        text = f"matrix product {name}: {rate / 1e9:,.0f} GFLOP/s"
        axes.annotate(text, (high, rate), ha="right", va="bottom", fontsize=8)
    axes.annotate(f"  copy: {bandwidth / 1e9:,.0f} GB/s", (low, bandwidth * low), fontsize=8)
