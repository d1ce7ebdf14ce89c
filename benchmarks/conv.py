"""Convolution: every algorithm of ours beside the peers, layer by layer of known networks.

On a CPU one row is forward and both gradients with the tape, as a user runs it, and exact as well
as "fast" (`config.set_conv_precision`); DeepBench's are one pass each, and beside them is the time
of NumPy's own matrix product of the same size. On a GPU a row is one pass in one precision: each
rung of our ladder, im2col with cuBLAS, and cuDNN through PyTorch in both layouts, of which the
faster counts. torch.compile calls the same convolution, so it is timed with whole steps.
"""

from __future__ import annotations

from typing import Any

from benchmarks.cases import PASSES, PRECISIONS, Case, conv_case
from benchmarks.layers import TABLES, Layer, table
from benchmarks.measure import digits
from benchmarks.report import PRODUCT, means

EXACT_AND_FAST = ("minitensor:", "minitensor:fast")
CPU = (*EXACT_AND_FAST, "minitensor:im2col", "tensorflow:", "tensorflow:tf.function")
CPU_PASS = (*EXACT_AND_FAST, "minitensor:product", "tensorflow:")
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
        return [
            conv_case(layer, conv_pass, "fp32")
            | ({"also": ["fp32 backward"]} if conv_pass in PASSES[1:] else {})
            for layer in chosen
            for conv_pass in (PASSES if layer.name.startswith("DeepBench") else ("training",))
        ]
    return [
        conv_case(layer, conv_pass, precision)
        for layer in chosen[0::3] + chosen[1::3] + chosen[2::3]
        for precision in PRECISIONS
        for conv_pass in PASSES
    ]


def columns(case: Case, device: str) -> list[str]:
    """Who answers a case."""
    if device == "cpu":
        return [*(CPU if case["pass"] == "training" else CPU_PASS), *TORCH]
    ours = [f"minitensor:{rung}" for rung in RUNGS[case["precision"]]]
    return ours if device == "emulator" else [*ours, *TORCH]


def add_products(content: dict[str, Any]) -> None:
    """Per row, NumPy's time for a product of the same size over ours; geometric means of that."""
    for row in content["rows"]:
        product = row["milliseconds"].get(PRODUCT)
        ours = (c for c in row.get("ratio", ()) if product)
        row["of_product"] = {c: digits(product / row["milliseconds"][c]) for c in ours}
    content["geometric_mean_of_product"] = means(content["rows"], "of_product")


__all__ = ["QUICK", "TABLES", "add_products", "cases", "columns", "layers"]
