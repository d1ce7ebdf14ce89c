"""Convolution: every algorithm of ours beside the peers, layer by layer of known networks.

On a CPU one row is forward and both gradients with the tape, as a user runs it. On a GPU a row is
one pass in one precision: each rung of our ladder, im2col with cuBLAS, and cuDNN through PyTorch
in both layouts, of which the faster counts.
"""

from __future__ import annotations

from benchmarks.cases import PASSES, PRECISIONS, Case, conv_case
from benchmarks.layers import TABLES, Layer, table

CPU = ("minitensor:", "minitensor:im2col", "minitensor:direct", "tensorflow:")
TORCH = ("torch:nhwc", "torch:nchw")
RUNGS = {  # what is pinned in each precision; "" is our own choice
    "fp32": ("", "direct", "tiled", "register", "winograd", "im2col"),
    "tf32": ("", "tensor"),
    "fp16": ("", "tensor"),
}
QUICK = (
    Layer("3x3 /2", (1, 7, 6, 4), (3, 3, 4, 8), 2, ((1, 1), (1, 1))),
    Layer("3x3", (1, 6, 6, 4), (3, 3, 4, 8), 1, ((1, 1), (1, 1))),
    Layer("depthwise", (1, 6, 6, 4), (3, 3, 1, 4), 1, ((1, 1), (1, 1))),
)


def layers(tables: list[str], batch: int) -> list[Layer]:
    """The distinct layers of some tables."""
    return [layer for name in tables for layer in table(name, batch)]


def cases(chosen: list[Layer], device: str) -> list[Case]:
    """The questions, whole layers after one another; if time runs out, some of every table ran."""
    if device == "cpu":
        return [conv_case(layer, "training", "fp32") for layer in chosen]
    return [
        conv_case(layer, conv_pass, precision)
        for layer in chosen[0::3] + chosen[1::3] + chosen[2::3]
        for precision in PRECISIONS
        for conv_pass in PASSES
    ]


def columns(case: Case, device: str) -> list[str]:
    """Who answers a case."""
    if device == "cpu":
        return [*CPU, *TORCH]
    ours = [f"minitensor:{rung}" for rung in RUNGS[case["precision"]]]
    return ours if device == "emulator" else [*ours, *TORCH]


__all__ = ["QUICK", "TABLES", "cases", "columns", "layers"]
