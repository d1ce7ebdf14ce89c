"""Lesson 8: dilated, grouped, depthwise and separable convolutions; the receptive field."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as tf
from minitensor.explain.text import number
from minitensor.lesson.exercise import Exercise, say_in

TITLE = (
    "Fewer weights, wider view: dilated, grouped, separable; the receptive field",
    "更少的权重, 更大的视野: 空洞卷积、分组卷积、深度可分离卷积与感受野",
)

# ----- receptive_field -----


def receptive_field(layers):
    """How many pixels, first to last, one number sees; layers: (k, stride, dilation)."""
    field, step = 1, 1
    for k, stride, dilation in layers:
        field += (k - 1) * dilation * step
        step *= stride
    return field


def _engine_field(layers: Any) -> int:
    """By the engine: which pixels of a line have a gradient from one number."""
    x = tf.ones((1, 200, 1, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x
        for k, stride, dilation in layers:
            kernel = tf.ones((k, 1, 1, 1))
            y = tf.nn.conv2d(y, kernel, [stride, 1], "VALID", dilations=[dilation, 1])
        number_seen = y[0, 0, 0, 0]
    read = np.flatnonzero(tape.gradient(number_seen, x).numpy())
    return int(read[-1] - read[0] + 1)


def _growth(arguments: Any, index: Any, lang: str) -> str:
    (layers,) = arguments
    grown = [_engine_field(layers[: n + 1]) for n in range(len(layers))]
    listed = ", ".join(map(str, grown))
    return say_in(lang, f"after each layer it is {listed}", f"逐层之后依次是 {listed}")


RECEPTIVE_FIELD = Exercise(
    lesson="08",
    solution=receptive_field,
    cases=(
        ([(3, 1, 1)],),
        ([(3, 1, 1), (3, 1, 1)],),
        ([(3, 1, 1), (3, 1, 2), (3, 1, 4)],),
        ([(3, 2, 1), (3, 1, 1), (5, 2, 1), (2, 1, 3)],),
    ),
    expected=_engine_field,
    terms=_growth,
    mistakes=(
        (
            (
                "it adds k for each layer; windows of one layer overlap, so only k - 1 pixels "
                "are new",
                "每层加 k; 同层窗口有重叠, 每层只新增 k - 1 个像素",
            ),
            lambda layers: sum(k for k, _, _ in layers),
        ),
        (
            (
                "it forgets dilation: taps lie that many pixels apart",
                "漏了膨胀率: 相邻两点相隔那么多像素",
            ),
            lambda layers: receptive_field([(k, s, 1) for k, s, _ in layers]),
        ),
        (
            (
                "it forgets the strides below: after stride 2, one step is two pixels",
                "漏了下层的步幅: 经过步幅 2 之后, 走一步就是两个像素",
            ),
            lambda layers: receptive_field([(k, 1, d) for k, _, d in layers]),
        ),
    ),
    hints=(
        (
            "Begin with one pixel. How many new ones does a layer of k taps bring?",
            "从一个像素开始。k 个点的一层新增多少个像素?",
        ),
        (
            "Keep a second number: how many pixels of the image one step of this layer is.",
            "再记一个数: 这一层走一步相当于图像上的几个像素。",
        ),
    ),
)

# ----- separable_weights -----


def separable_weights(k, channels, outputs):
    """Weights of a separable convolution, no bias: a k x k filter each channel, then 1 x 1."""
    return k * k * channels + channels * outputs


def _engine_weights(k: int, channels: int, outputs: int) -> int:
    layer = tf.keras.layers.SeparableConv2D(outputs, k, use_bias=False)
    layer.build((None, 32, 32, channels))
    return sum(w.numpy().size for w in layer.weights)


def _weights_told(arguments: Any, index: Any, lang: str) -> str:
    k, channels, outputs = arguments
    layer = tf.keras.layers.SeparableConv2D(outputs, k, use_bias=False)
    layer.build((None, 32, 32, channels))
    shapes = " + ".join(" x ".join(map(number, w.numpy().shape)) for w in layer.weights)
    return say_in(lang, f"the layer holds {shapes}", f"这一层的权重是 {shapes}")


SEPARABLE_WEIGHTS = Exercise(
    lesson="08",
    solution=separable_weights,
    cases=((3, 3, 4), (3, 32, 64), (5, 16, 16)),
    expected=_engine_weights,
    terms=_weights_told,
    mistakes=(
        (
            ("these are the weights of an ordinary convolution", "这是普通卷积的权重数"),
            lambda k, channels, outputs: k * k * channels * outputs,
        ),
        (
            (
                "the second step, 1 x 1, that mixes the channels is missing",
                "漏了第二步: 混合各通道的 1 x 1 卷积",
            ),
            lambda k, channels, outputs: k * k * channels,
        ),
        (
            (
                "it counts one filter for all channels; each channel has its own",
                "只算了一个滤波器; 每个通道各有一个",
            ),
            lambda k, channels, outputs: k * k + channels * outputs,
        ),
    ),
    hints=(
        (
            "Two steps: the first looks around, each channel alone; the second mixes channels, "
            "each pixel alone.",
            "分两步: 先看周围 (各通道分开), 再混合通道 (各像素分开)。",
        ),
        ("Each step is a small multiplication; add the two.", "每一步都是简单的乘法; 两步相加。"),
    ),
)

EXERCISES = (RECEPTIVE_FIELD, SEPARABLE_WEIGHTS)
