"""The convolutions that are timed: those of known networks, from the networks' definitions.

A table is a list of distinct `Layer`s with the number of times the network has each. Paddings
are the networks' own, in pixels; classification heads, being matrix products, are left out.

    mixed         ten layers of several networks, with batches for a CPU: the table of docs/speed.md
    ten           the same, but for LeNet's: 32 filters on gray images, as in the course's CNN
    vgg13         Simonyan and Zisserman 2015, configuration B
    resnet18, 50  He et al. 2016; in the 50 the 3x3 has the stride, as in torchvision ("v1.5")
    mobilenetv2   Sandler et al. 2018, table 2
    deepbench     Baidu's DeepBench, training set (deepbench.py)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import prod

from benchmarks.deepbench import TRAINING
from minitensor.window import Window

Pads = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Layer:
    """One convolution, NHWC, no bias; `filters` is (kh, kw, C / groups, O)."""

    name: str
    input: tuple[int, int, int, int]
    filters: tuple[int, int, int, int]
    stride: int = 1
    padding: str | Pads = "SAME"
    count: int = 1  # how often its network has it

    @property
    def groups(self) -> int:
        """1, or the number of channels in a depthwise convolution."""
        return self.input[-1] // self.filters[2]

    @property
    def window(self) -> Window:
        """Its geometry."""
        size, kernel, stride = self.input[1:3], self.filters[:2], (self.stride, self.stride)
        return Window.of(size, kernel, stride, self.padding, groups=self.groups)

    @property
    def output(self) -> tuple[int, int, int, int]:
        """(N, h, w, O)."""
        return (self.input[0], *self.window.out, self.filters[-1])

    @property
    def operations(self) -> int:
        """Floating-point operations of one pass: a multiply and an add per tap and output."""
        return 2 * prod(self.output) * prod(self.filters[:3])

    def traffic(self, width: int) -> int:
        """Bytes if each number, `width` bytes wide, is read or written once."""
        return width * (prod(self.input) + prod(self.filters) + prod(self.output))


MIXED = (
    Layer("VGG first layer", (32, 32, 32, 3), (3, 3, 3, 64)),
    Layer("VGG 1_2", (32, 32, 32, 64), (3, 3, 64, 64)),
    Layer("VGG 2_1", (32, 16, 16, 64), (3, 3, 64, 128)),
    Layer("VGG 3_2", (32, 8, 8, 256), (3, 3, 256, 256)),
    Layer("VGG 4_2", (32, 4, 4, 512), (3, 3, 512, 512)),
    Layer("ResNet downsample /2", (32, 32, 32, 64), (3, 3, 64, 128), 2),
    Layer("ResNet 1x1", (32, 16, 16, 256), (1, 1, 256, 256)),
    Layer("LeNet 5x5", (256, 14, 14, 6), (5, 5, 6, 16), 1, "VALID"),
    Layer("ImageNet stem 7x7 /2", (4, 224, 224, 3), (7, 7, 3, 64), 2),
    Layer("ResNet 56x56", (4, 56, 56, 64), (3, 3, 64, 64)),
)
TEN = tuple(
    Layer("LeNet 5x5", (64, 28, 28, 1), (5, 5, 1, 32)) if layer.name == "LeNet 5x5" else layer
    for layer in MIXED
)


def table(name: str, batch: int) -> list[Layer]:
    """The distinct layers of one table; only networks ask for a batch."""
    if name not in NETWORKS:
        return {"mixed": list(MIXED), "ten": list(TEN), "deepbench": list(_deepbench())}[name]
    layers = list(NETWORKS[name](batch))
    counts = Counter(layers)
    return [replace(layer, count=count) for layer, count in counts.items()]


def spread_over(layers: list[Layer], count: int) -> list[Layer]:
    """`count` layers evenly spaced in the order of arithmetic per byte, the ends included."""
    if count >= len(layers):
        return layers
    ordered = sorted(layers, key=lambda layer: layer.operations / layer.traffic(4))
    last, gaps = len(layers) - 1, max(count - 1, 1)
    chosen = {ordered[round(i * last / gaps)] for i in range(count)}
    return [layer for layer in layers if layer in chosen]


def _conv(
    network: str, batch: int, size: int, channels: int, out: int, taps: int, stride: int, groups=1
) -> Layer:
    """A square convolution as networks have it: padded by half its kernel on every side."""
    pads = ((taps // 2, taps // 2),) * 2
    kind = f"depthwise {taps}x{taps}, {out}" if groups > 1 else f"{taps}x{taps}, {channels}-{out}"
    name = f"{network} {kind}, {size}x{size}{f' /{stride}' if stride > 1 else ''}"
    filters = (taps, taps, channels // groups, out)
    return Layer(name, (batch, size, size, channels), filters, stride, pads)


def _vgg13(batch: int) -> Iterator[Layer]:
    size, channels = 224, 3
    for out in (64, 128, 256, 512, 512):
        for _ in range(2):
            yield _conv("VGG13", batch, size, channels, out, 3, 1)
            channels = out
        size //= 2  # max-pool


def _resnet(batch: int, name: str, blocks: tuple[int, ...], bottleneck: bool) -> Iterator[Layer]:
    conv = partial(_conv, name, batch)
    yield conv(224, 3, 64, 7, 2)
    size, channels = 56, 64  # after a max-pool
    for stage, repeats in enumerate(blocks):
        width = 64 * 2**stage
        out = 4 * width if bottleneck else width
        for block in range(repeats):
            stride = 2 if stage and not block else 1
            small = size // stride
            if bottleneck:
                yield conv(size, channels, width, 1, 1)
                yield conv(size, width, width, 3, stride)
                yield conv(small, width, out, 1, 1)
            else:
                yield conv(size, channels, width, 3, stride)
                yield conv(small, width, width, 3, 1)
            if channels != out:
                yield conv(size, channels, out, 1, stride)  # the shortcut
            size, channels = small, out


MOBILENETV2 = (  # table 2: expansion, channels, how often, stride of the first
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)


def _mobilenetv2(batch: int) -> Iterator[Layer]:
    conv = partial(_conv, "MobileNetV2", batch)
    yield conv(224, 3, 32, 3, 2)
    size, channels = 112, 32
    for expansion, out, repeats, first_stride in MOBILENETV2:
        for block in range(repeats):
            stride, wide = (1 if block else first_stride), expansion * channels
            if expansion > 1:
                yield conv(size, channels, wide, 1, 1)
            yield conv(size, wide, wide, 3, stride, groups=wide)
            size //= stride
            yield conv(size, wide, out, 1, 1)
            channels = out
    yield conv(size, channels, 1280, 1, 1)


def _deepbench() -> Iterator[Layer]:
    for line in TRAINING.strip().splitlines():
        numbers, batches = line.split(":")
        W, H, C, out, kw, kh, pad_w, pad_h, stride, same = map(int, numbers.split())
        assert stride == same
        for batch in map(int, batches.split()):
            image, slash = f"N{batch} {H}x{W}", f" /{stride}" if stride > 1 else ""
            name = f"DeepBench {image}, {C}-{out}, {kh}x{kw}{slash}"
            pads = ((pad_h, pad_h), (pad_w, pad_w))
            yield Layer(name, (batch, H, W, C), (kh, kw, C, out), stride, pads)


NETWORKS: dict[str, Callable[[int], Iterator[Layer]]] = {
    "vgg13": _vgg13,
    "resnet18": partial(_resnet, name="ResNet18", blocks=(2, 2, 2, 2), bottleneck=False),
    "resnet50": partial(_resnet, name="ResNet50", blocks=(3, 4, 6, 3), bottleneck=True),
    "mobilenetv2": _mobilenetv2,
}
TABLES = ("mixed", "ten", *NETWORKS, "deepbench")
