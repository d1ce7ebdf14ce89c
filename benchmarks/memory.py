"""Operations bound by memory: how much of the copy bandwidth, measured in the same run, each has.

The bytes of an operation are the fewest that it must move if no tensor fits in a cache: every
input read once and every output written once, and batch normalisation in training reads its
images twice, because no pixel can be normalised before all were seen (its gradient likewise). So
1.00 is a copy's speed, and traffic that an implementation adds lowers its fraction.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from benchmarks.cases import PASSES, Case
from minitensor.window import Window

SIDES = {
    "cpu": ("minitensor:", "tensorflow:", "torch:nhwc", "torch:nchw"),
    "gpu": ("minitensor:", "torch:nhwc", "torch:nchw"),
    "emulator": ("minitensor:",),
}
PLAIN = {  # arrays of the size of the input that are read or written
    "relu": 2,
    "relu_grad": 3,
    "gelu": 2,
    "add": 3,
    "bias_relu": 2,
    "cross_entropy": 3,  # the loss and its gradient; logits and labels in, gradient out
    "sgd_momentum": 5,  # weight, velocity and gradient in; weight and velocity out
    "adam": 7,  # weight, two means and gradient in; weight and two means out
    "transpose": 2,
    "batch_norm": 3,
    "batch_norm_inference": 2,
    "batch_norm_grad": 5,  # images and cotangents twice
}
DEPTHWISE = tuple(f"depthwise_{conv_pass}" for conv_pass in PASSES)
POOLS = ("max_pool", "max_pool_grad", "avg_pool", "avg_pool_grad")
PLAIN_GOAL = ("relu_grad", "gelu", "bias_relu", "cross_entropy", "sgd_momentum", "adam")
GOAL = (*POOLS, "batch_norm", "batch_norm_grad", *PLAIN_GOAL)  # one geometric mean


@dataclass(frozen=True)
class Operation:
    """One operation on images (N, H, W, C), with its window if it has one."""

    op: str
    shape: tuple[int, int, int, int]
    taps: int = 1
    stride: int = 1

    @property
    def window(self) -> Window:
        """Square, padded by half its size rounded down where it overlaps (odd, small sizes)."""
        pad = self.taps // 2 if self.taps % 2 and self.taps < self.shape[1] else 0
        pads, pair = ((pad, pad),) * 2, (self.stride, self.stride)
        groups = self.shape[-1] if self.op in DEPTHWISE else 1
        return Window.of(self.shape[1:3], (self.taps,) * 2, pair, pads, groups=groups)

    @property
    def traffic(self) -> int:
        """The fewest bytes in float32; see the top of this file."""
        images = prod(self.shape)
        places = self.shape[0] * prod(self.window.out) * self.shape[-1]
        if self.op in PLAIN:
            return 4 * PLAIN[self.op] * images
        if self.op == "max_pool_grad":  # images are read to find who won, and written
            return 4 * (2 * images + places)
        outputs = {"im2col": self.taps**2, "col2im": self.taps**2}
        return 4 * (images + outputs.get(self.op, 1) * places)

    @property
    def operations(self) -> int:
        """Multiplies and adds of a depthwise convolution; of the rest one per number moved."""
        if self.op in DEPTHWISE:
            return 2 * self.taps**2 * self.shape[0] * prod(self.window.out) * self.shape[-1]
        return self.traffic // 4


def operations(batch: int, quick: bool) -> list[Operation]:
    """What is timed: sizes from ResNet-50, VGG, MobileNetV2 and ConvNeXt."""
    if quick:
        return _table(1, {"wide": (1, 6, 6, 8), "deep": (1, 4, 4, 8), "first": (1, 8, 8, 8)})
    sizes = {"wide": (batch, 56, 56, 256), "deep": (batch, 14, 14, 1024)}
    return _table(batch, sizes | {"first": (batch, 112, 112, 64)})


def _table(batch: int, sizes: dict[str, tuple[int, int, int, int]]) -> list[Operation]:
    first, wide = sizes["first"], sizes["wide"]
    twelve = [((batch, 56, 56, 144), taps, stride) for taps in (3, 5) for stride in (1, 2)]
    others = [((batch, 112, 112, 32), 3, 1), ((batch, 14, 14, 384), 3, 1)]
    depthwise = [*twelve, *others, ((batch, 56, 56, 96), 7, 1)]
    if first[1] == 8:  # quick
        depthwise = [(first, 3, 2)]
    pools = [(first, 2, 2), (first, 3, 2), (first, 8, 8), (wide, wide[1], wide[1])]
    return [
        *(Operation(op, size, *rest) for size, *rest in depthwise for op in DEPTHWISE),
        *(Operation(op, size, *rest) for size, *rest in pools for op in POOLS),
        *(
            Operation(op, sizes[size])
            for size in ("wide", "deep")
            for op in PLAIN
            if op.startswith("batch")
        ),
        *(Operation(op, wide) for op in PLAIN if not op.startswith("batch")),
        *(Operation(op, first, 3, stride) for stride in (1, 2) for op in ("im2col", "col2im")),
    ]


def cases(batch: int, quick: bool) -> list[Case]:
    """The operations as questions to a worker."""
    return [
        {
            "bench": "memory",
            "name": _name(each),
            "group": _group(each),
            "also": ["pools, norms, updates, elementwise"] if each.op in GOAL else [],
            "precision": "fp32",
            "op": each.op,
            "shape": each.shape,
            "taps": each.taps,
            "stride": each.stride,
            "operations": each.operations,
            "traffic": each.traffic,
        }
        for each in operations(batch, quick)
    ]


def shares(shape: tuple[int, ...]) -> np.ndarray:
    """Labels of `cross_entropy`, (pixels, channels): one class each, in turn."""
    pixels = np.arange(prod(shape[:-1]))
    return np.eye(shape[-1], dtype=np.float32)[pixels % shape[-1]]


def operation_of(case: Case) -> Operation:
    """The operation of a case, also after a journey through JSON."""
    return Operation(case["op"], tuple(case["shape"]), case["taps"], case["stride"])


def _group(each: Operation) -> str:
    word = each.op.split("_")[0]
    twelve = each.shape[1] == 56 and each.taps in (3, 5)
    return f"{word} 3x3, 5x5" if word == "depthwise" and twelve else word


def _name(each: Operation) -> str:
    window = f" {each.taps}x{each.taps} /{each.stride}" if each.taps > 1 else ""
    if each.taps == each.shape[1]:
        window = " global"
    return f"{each.op.replace('_', ' ')}{window}, {'x'.join(map(str, each.shape))}"
