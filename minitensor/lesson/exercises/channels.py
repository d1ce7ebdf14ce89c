"""Lesson 4: channels, filters, bias, the order of a kernel's axes, and where its weights begin."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as tf
from minitensor.explain.text import number
from minitensor.keras import initializers
from minitensor.lesson.exercise import Exercise, say_in

TITLE = (
    "Channels, filters, bias: one kernel has four axes",
    "通道、多个卷积核与偏置: 卷积核张量的四个轴",
)

IMAGE = np.stack(  # (5, 5, 3); its first plane is that of the course text
    [
        [[1, -1, 0, 2, 0], [-1, -2, 2, 3, 1], [1, 2, -2, 1, 0], [0, -1, -1, 1, 2], [1, 0, 2, 1, 0]],
        [[2, 0, 1, 1, 0], [1, -2, 0, 1, 2], [0, 1, 3, 0, -1], [1, 1, 0, 2, 0], [0, 2, -1, 1, 1]],
        [[0, 1, 1, 0, 2], [2, 1, -1, 0, 1], [1, 0, 2, -2, 0], [-1, 1, 0, 1, 1], [2, 0, 0, 1, -1]],
    ],
    axis=-1,
).astype(np.float32)  # fmt: skip
CENTRE = np.outer([0, 1, 0], [0, 1, 0])
EDGE = np.outer([1, 1, 1], [-1, 0, 1])
KERNEL = np.stack(  # (3, 3, 3, 4)
    [
        np.stack(planes, axis=-1)
        for planes in (
            (
                [[-1, 1, 2], [1, -1, 3], [0, -1, -2]],
                [[0, 1, -2], [-1, 1, 1], [-2, 0, -2]],
                [[0, 2, -1], [0, -2, 2], [0, 2, 1]],
            ),
            (CENTRE, CENTRE, CENTRE),
            (CENTRE, -CENTRE, 0 * CENTRE),
            (EDGE, EDGE, EDGE),
        )
    ],
    axis=-1,
).astype(np.float32)  # fmt: skip
BIAS = np.array([0, 1, 2, 0], np.float32)

# ----- one_place -----


def one_place(window, w, b):
    """Outputs at one place: window (k, k, C), w (k, k, C, O), b (O,)."""
    return (window[..., None] * w).sum(axis=(0, 1, 2)) + b


def _engine_place(window: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(tf.nn.bias_add(tf.nn.conv2d(window[None], w, 1, "VALID"), b).numpy()[0, 0, 0])


def _plane_by_plane(arguments: Any, index: Any, lang: str) -> str:
    window, w, b = arguments
    planes = tf.nn.depthwise_conv2d(window[None], w[..., index[0]][..., None], [1] * 4, "VALID")
    told = " + ".join(_signed(v) for v in planes.numpy().ravel())
    return say_in(
        lang,
        f"filter {index[0]} gets {told} from the {w.shape[2]} channels, and the bias is "
        f"{number(b[index])}",
        f"卷积核 {index[0]} 从 {w.shape[2]} 个通道得到 {told}, 偏置是 {number(b[index])}",
    )


def _signed(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


ONE_PLACE = Exercise(
    lesson="04",
    solution=one_place,
    cases=((IMAGE[:3, :3], KERNEL, BIAS), (IMAGE[1:4, 2:], KERNEL[..., :2], BIAS[2:])),
    expected=_engine_place,
    terms=_plane_by_plane,
    mistakes=(
        (
            (
                "it adds the bias once for each channel; a filter has one bias",
                "每个通道都加了一次偏置; 每个卷积核只有一个偏置",
            ),
            lambda window, w, b: one_place(window, w, b * w.shape[2]),
        ),
        (
            (
                "it takes the mean of the channels; their sums are added",
                "对各通道取了平均; 应当相加",
            ),
            lambda window, w, b: one_place(window, w / w.shape[2], b),
        ),
        (
            ("it reads the first channel only", "只读了第一个通道"),
            lambda window, w, b: one_place(window[..., :1], w[:, :, :1], b),
        ),
        (
            (
                "it keeps the channels apart: a filter adds up all of them",
                "各通道没有合在一起: 一个卷积核要把它们全部相加",
            ),
            lambda window, w, b: (window[..., None] * w).sum(axis=(0, 1)) + b,
        ),
    ),
    hints=(
        (
            "One filter alone: its weights have the shape of the window. Multiply number by "
            "number, add up everything.",
            "先看一个卷积核: 它的权重与窗口形状相同。逐个相乘, 全部相加。",
        ),
        (
            "For all at once, `window[..., None]` gets an axis of size 1 that meets the filters "
            "of `w`.",
            "要一次算完, 可用 `window[..., None]` 增加一个大小为 1 的轴, 与 `w` 的各卷积核对齐。",
        ),
        ("The bias (O,) comes last, once.", "最后加一次偏置 (O,)。"),
    ),
)

# ----- to_tf_kernel -----


def to_tf_kernel(w):
    """A kernel of PyTorch (out, in, rows, columns) in TensorFlow's order."""
    return w.transpose(2, 3, 1, 0)


def _engine_kernel(w: np.ndarray) -> np.ndarray:
    return np.asarray(tf.transpose(w, [2, 3, 1, 0]).numpy())


def _origin(arguments: Any, index: Any, lang: str) -> str:
    a, b, c, o = index
    return say_in(
        lang,
        f"row {a}, column {b}, input channel {c}, filter {o}, which PyTorch keeps at "
        f"w[{o}, {c}, {a}, {b}]",
        f"第 {a} 行第 {b} 列, 输入通道 {c}, 卷积核 {o}, 在 PyTorch 中是 w[{o}, {c}, {a}, {b}]",
    )


def _numbered(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


TO_TF_KERNEL = Exercise(
    lesson="04",
    solution=to_tf_kernel,
    cases=((_numbered(2, 2, 2, 2),), (_numbered(4, 3, 3, 3),), (_numbered(2, 1, 3, 5),)),
    expected=_engine_kernel,
    terms=_origin,
    mistakes=(
        (
            (
                "it only says another shape: the numbers stay in their order, and land in other "
                "places",
                "只换了形状: 数的先后没变, 于是落到了别的位置",
            ),
            lambda w: w.reshape(*w.shape[2:], w.shape[1], w.shape[0]),
        ),
        (
            (
                "it turns all axes round, so rows and columns have changed places too",
                "把所有轴倒了过来, 行与列也互换了",
            ),
            lambda w: w.T,
        ),
        (
            (
                "the filters stand before the channels that they read; in TensorFlow they are the "
                "last axis",
                "卷积核排在输入通道前面了; TensorFlow 中它是最后一个轴",
            ),
            lambda w: w.transpose(2, 3, 0, 1),
        ),
    ),
    hints=(
        (
            "TensorFlow's order is (rows, columns, in, out). Which axis of `w` is each?",
            "TensorFlow 的顺序是 (行, 列, 输入, 输出)。它们各是 `w` 的哪个轴?",
        ),
        (
            "`w.transpose(...)` takes the old numbers of the axes in their new order.",
            "`w.transpose(...)` 按新顺序写出各轴的旧编号。",
        ),
    ),
)

# ----- glorot_limit -----


def glorot_limit(kh, kw, channels, filters):
    """A fresh kernel's weights lie between this and its negative."""
    fan_in = kh * kw * channels
    fan_out = kh * kw * filters
    return np.sqrt(6 / (fan_in + fan_out))


def _engine_limit(kh: int, kw: int, channels: int, filters: int) -> float:
    """By what a layer's default initializer stretches the draws from -1 to 1 of the same seed."""
    shape = (kh, kw, channels, filters)
    drawn = initializers.GlorotUniform(seed=0)(shape).numpy()
    return float(np.abs(drawn).sum() / np.abs(initializers.RandomUniform(-1, 1, 0)(shape)).sum())


def _fans(arguments: Any, index: Any, lang: str) -> str:
    kh, kw, channels, filters = arguments
    reads, feeds = kh * kw * channels, kh * kw * filters
    return say_in(
        lang,
        f"an output adds up {reads} products, a pixel reaches {feeds} outputs",
        f"一个输出由 {reads} 个乘积相加, 一个像素影响 {feeds} 个输出",
    )


GLOROT_LIMIT = Exercise(
    lesson="04",
    solution=glorot_limit,
    cases=((3, 3, 3, 4), (3, 3, 1, 1), (5, 5, 6, 16), (1, 1, 64, 256)),
    expected=_engine_limit,
    terms=_fans,
    mistakes=(
        (
            (
                "it forgets the size of the kernel: every tap is one more product",
                "漏了卷积核的大小: 每个点都多一个乘积",
            ),
            lambda kh, kw, channels, filters: np.sqrt(6 / (channels + filters)),
        ),
        (
            (
                "that is the standard deviation, sqrt(2 / (fan_in + fan_out)); the limit of a "
                "uniform distribution is sqrt(3) times as large",
                "这是标准差 sqrt(2 / (fan_in + fan_out)); 均匀分布的界限是它的 sqrt(3) 倍",
            ),
            lambda *sizes: glorot_limit(*sizes) / np.sqrt(3),
        ),
        (
            (
                "it looks at the inputs alone; that is He's initializer, for layers before a relu",
                "只看了输入; 那是 He 初始化, 用于 relu 之前的层",
            ),
            lambda kh, kw, channels, filters: np.sqrt(6 / (kh * kw * channels)),
        ),
    ),
    hints=(
        (
            "How many products does an output add up? How many outputs does a pixel reach?",
            "一个输出由几个乘积相加? 一个像素影响几个输出?",
        ),
        (
            "These are fan_in and fan_out. Uniform numbers from -a to a have the variance a² / 3.",
            "这两个数就是 fan_in 和 fan_out。从 -a 到 a 均匀分布的数, 方差是 a² / 3。",
        ),
    ),
)

EXERCISES = (ONE_PLACE, TO_TF_KERNEL, GLOROT_LIMIT)
