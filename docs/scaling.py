"""Writes docs/scaling.md from benchmarks/results/scale_cpu.json: `python docs/scaling.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.scale import LINKS, predicted

HERE = Path(__file__).parent
RESULTS = HERE.parent / "benchmarks" / "results" / "scale_cpu.json"
COUNTS = [2**n for n in range(1, 11)]

TEXT = """# Scaling: what more ranks bring

## Measured: two ranks on two cores

{about}. Each rank is kept on a core of its own; one and two ranks by turns, each in processes of
their own; medians of {rounds} rounds. `python -m benchmarks scale` measures it again.

{measured}

*strong*: the same batch for both numbers of ranks. *weak*: two ranks with a batch of this size
each. A step has parts that do not shrink with the batch (the optimizer, packing the filters) and
sums that one rank does not need: with 16 images a rank they weigh, with 64 they do not.
*overlap*: how much of the time that the sums would take alone is hidden behind the walk back; on
a CPU the same core computes and copies, so that hidden is not the same as free. What is waited
for includes the other rank, where that one is later: so it can be below 0. One rank alone slows
down with a batch of 128, whose arrays no longer lie in its caches: two ranks of 64 each do not.

![When the sums of gradients travel in a step](results/scale_cpu.png)

What a rank sends in a step, as Linux counts it when all goes over TCP, against the least that an
all-reduce of the gradients can send, 2 (p - 1) / p of their bytes:

{traffic}

## Predicted: ResNet50 on 2 to 1,024 computers

    T(p) = t / 3 + max(2 t / 3, S(p))
    S(p) = 2 (p - 1) (B / (p bandwidth) + latency)

t is the time of a step on one computer: a third of it forward, two thirds the walk back, beside
which the sums travel. B are the bytes of the parameters; a ring sums them in 2 (p - 1) messages
of B / p. Efficiency is t / T(p), each computer with its own batch.

With this machine's one core, t = {step:.1f} s for {batch} images of 224 x 224 and B = {size:.1f}
MB, measured:

{own}

The network never matters to so slow a computer. Were it 1,000 times as fast, t = {fast:.1f} ms,
about what a GPU of a data centre takes for so many images (nothing of that is measured here):

{faster}

Figures of links are their makers': {links}. To put in yours: `python -m benchmarks scale
--predict SECONDS BYTES`. Not in the formula: stragglers, data that come too slowly, links that
several computers share.
"""


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def efficiencies(step: float, size: float) -> str:
    """A row for each link, a column for each number of computers."""
    rows = [
        [link, *(f"{100 * step / predicted(step, size, p, *figures):.0f}" for p in COUNTS)]
        for link, figures in LINKS.items()
    ]
    return table(["%, by link", *(f"{p:,}" for p in COUNTS)], rows)


def page(found: dict[str, Any]) -> str:
    """The page."""
    head = ["", "one rank, ms", "two ranks, ms", "strong", "weak", "waited, ms", "overlap"]
    rows = [
        [
            *(row["name"], f"{row['one']:.0f}", f"{row['two']:.0f}", f"{row['strong']:.2f}"),
            *(f"{row['weak']:.2f}" if "weak" in row else "", f"{row['waited']:.0f}"),
            f"{100 * row['overlap']:.0f} %",
        ]
        for row in found["rows"]
    ]
    sent = [
        [r["name"], *(f"{r[k] / 1e6:.2f}" for k in ("over_tcp", "bound")), f"{r['ratio']:.4f}"]
        for r in found["bytes"]
    ]
    large, machine = found["resnet50"], found["machine"]
    step, size = large["step"] / 1e3, large["bytes"]
    links = "; ".join(f"{k} {b / 1e9:g} GB/s, {1e6 * s:g} us" for k, (b, s) in LINKS.items())
    return TEXT.format(
        about=f"{machine['cores']} cores of {machine['cpu']}, {found['date'][:10]}",
        rounds=found["rounds"],
        measured=table(head, rows),
        traffic=table(["", "MB sent", "MB at least", "ratio"], sent),
        own=efficiencies(step, size),
        faster=efficiencies(step / 1e3, size),
        step=step,
        batch=large["batch"],
        size=size / 1e6,
        fast=step,
        links=links,
    )


if __name__ == "__main__":
    (HERE / "scaling.md").write_text(page(json.loads(RESULTS.read_text())), encoding="utf-8")
