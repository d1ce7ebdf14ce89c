"""What is asked of a worker: a case as plain JSON, and the arrays that it stands for.

Every case has `bench` (the method of a side that answers), `name`, `group` (rows that are
averaged together; perhaps `also` in smaller groups), `precision`, and the least work it can be:
`operations` of floating point, and `traffic`, bytes if each input is read and each output written
as rarely as is possible.

    precision   fp32: true float32      tf32: float32, rounded to 10 bits before a product
                fp16: float16 in memory, sums in float32
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np

from benchmarks.layers import Layer

WIDTHS = {"fp32": 4, "tf32": 4, "fp16": 2}  # bytes of one number
PRECISIONS = tuple(WIDTHS)
PASSES = ("forward", "input", "filter")  # y; gradient of the input; of the filters

Case = dict[str, Any]


class NotOffered(Exception):  # noqa: N818 -- no error: a library that has no such thing
    """A side does not have the operation or the option; its cell stays empty."""


def conv_case(layer: Layer, conv_pass: str, precision: str) -> Case:
    """One pass of a convolution; "training" is all three, with the tape."""
    times, group = 3 if conv_pass == "training" else 1, f"{precision} {conv_pass}"
    dense = (*layer.filters[:2], layer.stride, layer.groups) == (3, 3, 1, 1)
    return {
        "bench": "conv",
        "group": group,
        "also": [f"{group}, 3x3 /1"] if dense else [],
        "pass": conv_pass,
        "precision": precision,
        "operations": times * layer.operations,
        "traffic": times * layer.traffic(WIDTHS[precision]),
        **asdict(layer),
    }


def layer_of(case: Case) -> Layer:
    """The layer of a `conv_case`, also after a journey through JSON."""
    padding = case["padding"]
    if not isinstance(padding, str):
        padding = tuple((before, after) for before, after in padding)
    shapes = tuple(case["input"]), tuple(case["filters"])
    return Layer(case["name"], *shapes, case["stride"], padding, case["count"])


def drawn(layer: Layer) -> tuple[np.ndarray, ...]:
    """Input, filters and a cotangent of the output, the same on every side; never zeros."""
    return normal(layer.input, layer.filters, layer.output)


def normal(*shapes: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Float32 arrays of normally distributed numbers, the same at every call.

    They repeat after a million: drawing a hundred times more takes longer than the timing.
    """
    starts = range(0, 1000 * len(shapes), 1000)
    return tuple(np.resize(_draws()[i:], shape) for i, shape in zip(starts, shapes, strict=True))


@cache
def _draws() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(1_000_003, np.float32)


def threaded(cases: list[Case], counts: Iterable[int]) -> list[Case]:
    """The cases for each number of threads in turn; their means are taken apart."""
    return [
        case
        | {"threads": count, "group": f"{case['group']}, {threads(count)}"}
        | {"also": [f"{group}, {threads(count)}" for group in case.get("also", ())]}
        for count in counts
        for case in cases
    ]


def threads(count: int) -> str:
    """ "1 thread", "2 threads"; nothing of a GPU's."""
    return f"{count} thread{'s' * (count > 1)}" if count else ""


def ceilings(device: str, quick: bool) -> list[Case]:
    """A copy and, in each precision, a matrix product: what this machine can do at most."""
    megabytes, side = (1, 64) if quick else (256, 4096 if device == "gpu" else 2048)
    size = megabytes * 2**20 // 4
    copy = {"bench": "copy", "name": f"copy of {megabytes} MiB", "size": size, "precision": "fp32"}
    copy |= {"group": "ceiling", "operations": 0, "traffic": 2 * 4 * size}
    products = [
        {
            "bench": "product",
            "group": "ceiling",
            "name": f"matrix product {side} x {side}, {precision}",
            "precision": precision,
            "size": side,
            "operations": 2 * side**3,
            "traffic": 3 * WIDTHS[precision] * side**2,
        }
        for precision in (PRECISIONS if device == "gpu" else ("fp32",))
    ]
    return [copy, *products]
