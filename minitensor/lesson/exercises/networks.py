"""Lesson 11: the classic networks as tables, and how their parameters are counted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from minitensor import keras, models
from minitensor.keras import layers
from minitensor.keras.summary.facts import rows_of
from minitensor.lesson.exercise import Exercise, say_in

TITLE = (
    "Classic networks as tables: count them",
    "经典网络列成表: 数一数参数",
)

NETWORKS = {  # in the order of their years; those for 32 x 32 first
    "LeNet-5": models.lenet5,
    "AlexNet, 32 x 32": models.alexnet_cifar,
    "VGG13": models.vgg13,
    "GoogLeNet": models.googlenet,
    "ResNet18": models.resnet18,
    "ResNet34": models.resnet34,
    "DenseNet": models.densenet,
    "AlexNet, 2012": models.alexnet,
    "GoogLeNet, 2014": models.inception_v1,
}


@dataclass
class Stage:
    """The layers with weights whose outputs have one size; the dense ones together."""

    size: str
    kernels: int = 0  # convolutions or dense layers
    norms: int = 0
    widest: int = 0  # channels
    parameters: int = 0
    products: int = 0


@cache
def counted(name: str) -> tuple[list[Stage], int]:
    """One of `NETWORKS` from its image to its answer, and all its parameters."""
    net = NETWORKS[name]()
    found: dict[str, Stage] = {}
    for row in rows_of(net, True, None):
        if row.facts is None or not row.layer.count_params():
            continue
        _, *place, channels = row.facts.shapes[0]
        size = "x".join(map(str, place)) or "dense"
        stage = found.setdefault(size, Stage(size))
        norm = isinstance(row.layer, layers.BatchNormalization)
        stage.norms += norm
        stage.kernels += not norm
        stage.widest = max(stage.widest, channels or 0)
        stage.parameters += row.layer.count_params()
        stage.products += row.facts.macs
    return list(found.values()), int(net.count_params())


def of_ones() -> Any:
    """LeNet-5 with every weight 1 and every bias 0: a number counts the ways that lead to it."""
    net = models.lenet5()
    net.set_weights([np.full_like(w, w.ndim > 1) for w in net.get_weights()])
    return net


@dataclass(frozen=True)
class Logits:
    """A network with fresh weights, asked as an explanation is: does Keras answer the same?"""

    name: str

    def check(self, library: str = "tf") -> str:
        """The network's description and weights go to Keras, and so does a batch of two images."""
        from minitensor.parity.reference import tensorflow

        ours = NETWORKS[self.name]()
        there = tensorflow().keras.models.model_from_json(ours.to_json())
        there.set_weights(ours.get_weights())
        x = np.random.default_rng(0).normal(size=(2, *ours.input_shape[1:])).astype(np.float32)
        off = float(np.abs(there(x).numpy() - ours(x).numpy()).max())
        if not off < 1e-4:
            raise ArithmeticError(f"{self.name}: Keras' logits differ by {off:g}")
        return (
            f"keras, {self.name}: {there.count_params():,} parameters, logits differ by {off:.1g}"
        )


# ----- vgg_parameters -----


def vgg_parameters(blocks, dense, channels):
    """Of blocks [(convolutions, filters), ...] of 3 x 3 and dense layers, all with biases."""
    total, inputs = 0, channels
    for number, filters in blocks:
        for _ in range(number):
            total += 3 * 3 * inputs * filters + filters
            inputs = filters
    for units in dense:
        total += inputs * units + units
        inputs = units
    return total


def _engine_vgg(blocks: Any, dense: Any, channels: int) -> int:
    """For an image that the pools halve down to one place."""
    numbers, filters = zip(*blocks, strict=True)
    *hidden, last = dense
    side = 2 ** len(blocks)
    return int(models.vgg(numbers, filters, last, hidden, (side, side, channels)).count_params())


def _layers_of(arguments: Any, index: Any, lang: str) -> str:
    blocks, dense, channels = arguments
    inputs, told = channels, []
    for number, filters in blocks:
        for _ in range(number):
            told.append(f"9 x {inputs} x {filters} + {filters}")
            inputs = filters
    for units in dense:
        told.append(f"{inputs} x {units} + {units}")
        inputs = units
    shown = told if len(told) < 6 else [*told[:3], "…", *told[-2:]]
    return say_in(lang, "layer by layer ", "逐层为 ") + ", ".join(shown)


def _each_conv_reads(blocks: Any, dense: Any, inputs: Any) -> int:
    """The count if the channels that each convolution of a block reads were these."""
    convs = sum(
        number * (9 * inputs(block) * filters + filters)
        for block, (number, filters) in enumerate(blocks)
    )
    return convs + vgg_parameters([], dense, blocks[-1][1])


VGG13 = ([(2, 64), (2, 128), (2, 256), (2, 512), (2, 512)], [256, 128, 10], 3)
VGG_PARAMETERS = Exercise(
    lesson="11",
    solution=vgg_parameters,
    cases=(([(1, 4)], [2], 1), ([(2, 4), (1, 8)], [3, 2], 3), VGG13),
    expected=_engine_vgg,
    terms=_layers_of,
    mistakes=(
        (
            ("it leaves out the biases", "漏了偏置"),
            lambda blocks, dense, channels: (
                vgg_parameters(blocks, dense, channels)
                - sum(number * filters for number, filters in blocks)
                - sum(dense)
            ),
        ),
        (
            (
                "every convolution reads the channels of the image; from the second on it reads "
                "the filters before it",
                "每个卷积都按图像的通道数计算; 从第二个起, 输入通道数是前一层的卷积核个数",
            ),
            lambda blocks, dense, channels: _each_conv_reads(blocks, dense, lambda _: channels),
        ),
        (
            (
                "all convolutions of a block read what comes into the block; the second one reads "
                "the first",
                "同一块里的卷积都按进入该块的通道数计算; 第二个卷积读的是第一个的输出",
            ),
            lambda blocks, dense, channels: _each_conv_reads(
                blocks, dense, lambda block: blocks[block - 1][1] if block else channels
            ),
        ),
        (
            ("the dense layers are missing", "漏了全连接层"),
            lambda blocks, dense, channels: vgg_parameters(blocks, [], channels),
        ),
    ),
    hints=(
        (
            "Keep the number of channels in a variable, and change it after every layer.",
            "用一个变量记住当前通道数, 每过一层就更新。",
        ),
        (
            "A convolution has 3 * 3 * inputs * filters weights and a bias for each filter.",
            "一个卷积层有 3 * 3 * 输入通道 * 卷积核个数 个权重, 每个卷积核再加一个偏置。",
        ),
        (
            "The pools have no parameters. At the end one place is left, so the first dense layer "
            "reads as many numbers as the last block has filters.",
            "池化没有参数。最后只剩一个位置, 所以第一个全连接层的输入数就是最后一块的卷积核个数。",
        ),
    ),
)

# ----- inception_module -----


def inception_module(c, widths):
    """Channels that come out of c, and parameters, of GoogLeNet's module with biases."""
    d0_1, d1_1, d1_3, d2_1, d2_5, d3_1 = widths
    parameters = (
        (c * d0_1 + d0_1)
        + (c * d1_1 + d1_1 + 9 * d1_1 * d1_3 + d1_3)
        + (c * d2_1 + d2_1 + 25 * d2_1 * d2_5 + d2_5)
        + (c * d3_1 + d3_1)
    )
    return d0_1 + d1_3 + d2_5 + d3_1, parameters


def _built(c: int, widths: Any, as_printed: bool = False) -> tuple[int, int]:
    """By the engine: the module as a model of its own."""

    def conv(x: Any, filters: int, taps: int) -> Any:
        return layers.Conv2D(filters, taps, padding="same")(x)

    inputs = keras.Input((8, 8, c))
    outputs = models.inception(inputs, widths, conv, as_printed)
    return outputs.shape[-1], int(keras.Model(inputs, outputs).count_params())


def _branches(arguments: Any, index: Any, lang: str) -> str:
    c, (d0_1, d1_1, d1_3, d2_1, d2_5, d3_1) = arguments
    if index[0] == 0:
        return say_in(
            lang,
            f"the four branches end with {d0_1}, {d1_3}, {d2_5} and {d3_1} channels",
            f"四个分支最后分别有 {d0_1}、{d1_3}、{d2_5}、{d3_1} 个通道",
        )
    five = 25 * d2_1 * d2_5 + d2_5
    return say_in(
        lang,
        f"of these 1x1 over {c} channels, 3x3 over {d1_1}, and 5x5 over {d2_1}, which alone has "
        f"{five}",
        f"其中 1x1 读 {c} 个通道, 3x3 读 {d1_1} 个, 5x5 读 {d2_1} 个 (仅它就有 {five} 个参数)",
    )


MODULE_3A = (192, (64, 96, 128, 16, 32, 32))
INCEPTION_MODULE = Exercise(
    lesson="11",
    solution=inception_module,
    cases=((6, (1, 2, 3, 2, 4, 5)), MODULE_3A, (480, (192, 96, 208, 16, 48, 64))),
    expected=_built,
    terms=_branches,
    mistakes=(
        (
            (
                "the 5x5 has d2_1 filters: that is the course text's own mistake; it has d2_5",
                "5x5 卷积用了 d2_1 个卷积核: 这正是教材自己的错误; 应为 d2_5 个",
            ),
            lambda c, widths: _built(c, widths, as_printed=True),
        ),
        (
            (
                "all six widths are added; only the last layer of each branch comes out",
                "把六个宽度全加起来了; 只有每个分支的最后一层输出到外面",
            ),
            lambda c, widths: (sum(widths), inception_module(c, widths)[1]),
        ),
        (
            (
                "3x3 and 5x5 read all c channels; the 1x1 before them has left fewer",
                "让 3x3 和 5x5 读取全部 c 个通道; 它们前面的 1x1 已经把通道减少了",
            ),
            lambda c, widths: (
                inception_module(c, widths)[0],
                inception_module(c, widths)[1]
                + 9 * (c - widths[1]) * widths[2]
                + 25 * (c - widths[3]) * widths[4],
            ),
        ),
    ),
    hints=(
        (
            "Draw the four branches; write beside each layer what it reads and how many filters "
            "it has.",
            "画出四个分支, 在每层旁边写上它读几个通道、有几个卷积核。",
        ),
        (
            "Side by side (Concatenate) means: channels are added, but no parameters.",
            "并排拼接 (Concatenate): 通道数相加, 不增加参数。",
        ),
        (
            "Six convolutions, each taps * taps * inputs * filters + filters; the pool has none.",
            "六个卷积, 各为 taps * taps * 输入 * 卷积核个数 + 卷积核个数; 池化没有参数。",
        ),
    ),
)

# ----- dense_channels -----


def dense_channels(start, growth, depths):
    """Channels after each dense block; between two blocks a transition halves them."""
    found, channels = [], start
    for block, depth in enumerate(depths):
        if block:
            channels //= 2
        channels += depth * growth
        found.append(channels)
    return found


def _engine_channels(start: int, growth: int, depths: Any) -> list[int]:
    side, found = 2 ** len(depths), []
    x: Any = keras.Input((side, side, start))
    for block, depth in enumerate(depths):
        x = models.transition(x, x.shape[-1] // 2) if block else x
        x = models.dense_block(x, growth, depth)
        found.append(int(x.shape[-1]))
    return found


def _grown(arguments: Any, index: Any, lang: str) -> str:
    start, growth, depths = arguments
    block = index[0]
    before = _engine_channels(start, growth, depths)[block - 1] if block else start
    comes = f"{before} / 2 = {before // 2}" if block else str(before)
    return say_in(
        lang,
        f"{comes} channels come into block {block}, and each of its {depths[block]} layers adds "
        f"{growth}",
        f"进入第 {block} 块的是 {comes} 个通道, 它的 {depths[block]} 层各增加 {growth} 个",
    )


DENSE_CHANNELS = Exercise(
    lesson="11",
    solution=dense_channels,
    cases=((8, 4, (2, 3)), (64, 32, (6, 12, 24, 16)), (16, 12, (3, 3, 3))),
    expected=_engine_channels,
    terms=_grown,
    mistakes=(
        (
            (
                "a block adds its growth once; each of its layers adds it",
                "每块只增加了一次; 应当每层都增加",
            ),
            lambda start, growth, depths: dense_channels(start, growth, [1] * len(depths)),
        ),
        (
            (
                "nothing is halved between the blocks",
                "块与块之间没有减半",
            ),
            lambda start, growth, depths: [start + int(d) * growth for d in np.cumsum(depths)],
        ),
        (
            (
                "it halves after the block has grown; asked for are the channels before the "
                "transition",
                "增长之后又减了半; 要的是过渡层之前的通道数",
            ),
            lambda start, growth, depths: [n // 2 for n in dense_channels(start, growth, depths)],
        ),
        (
            (
                "each layer gives growth channels and what came in is dropped: that would be no "
                "dense block",
                "每层只输出 growth 个通道, 丢掉了输入: 那就不是稠密块了",
            ),
            lambda start, growth, depths: [growth] * len(depths),
        ),
    ),
    hints=(
        (
            "A layer of a block puts `growth` new channels beside all that it read.",
            "块中的一层把 `growth` 个新通道拼在它读到的全部通道旁边。",
        ),
        (
            "So a block of d layers adds d * growth. The transition stands between blocks only.",
            "所以 d 层的块共增加 d * growth 个。过渡层只在两块之间。",
        ),
    ),
)

EXERCISES = (VGG_PARAMETERS, INCEPTION_MODULE, DENSE_CHANNELS)
