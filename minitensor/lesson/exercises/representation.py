"""Lesson 14: what a trained network sees: gradient ascent, saliency, Grad-CAM."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as tf
from minitensor.explain.text import number
from minitensor.lesson.exercise import Exercise, say_in

TITLE = (
    "Representation: what a trained network sees, and what it is worth to another task",
    "表示: 训练好的网络看到什么, 对别的任务有什么用",
)

SLOPE = np.array([[3, 0], [0, -4]], np.float32)
COLOURS = np.array([[[1, -5, 2], [0, 0.5, 0]], [[-1, -1, -1], [4, -4, 3]]], np.float32)  # (2, 2, 3)
MAPS = np.array([[[1, 4], [2, 0]], [[0, 3], [5, 1]]], np.float32)  # (2, 2, 2)
BY_MAPS = np.array([[[4, 0], [0, 0]], [[0, 0], [0, -8]]], np.float32)

# ----- ascend -----


def ascend(x, gradient, rate):
    """One step of gradient ascent, of size rate by the root of the mean of squares; x in [0, 1]."""
    size = np.sqrt((gradient**2).mean())
    return np.clip(x + rate * gradient / size, 0, 1)


def _engine_ascend(x: np.ndarray, gradient: np.ndarray, rate: float) -> np.ndarray:
    size = tf.sqrt(tf.reduce_mean(tf.square(gradient)))
    return np.asarray(tf.clip_by_value(x + rate * gradient / size, 0, 1).numpy())


def _ascend_terms(arguments: Any, index: Any, lang: str) -> str:
    x, gradient, rate = arguments
    size = number(np.sqrt((gradient**2).mean()))
    told = f"{number(x[index])} + {number(rate)}·{number(gradient[index])}/{size}"
    return say_in(
        lang,
        f"{told}, where {size} is the root of the mean of the squared gradient, and at most 1, at "
        "least 0",
        f"{told}, 其中 {size} 是梯度平方均值的根; 结果最大为 1, 最小为 0",
    )


ASCEND = Exercise(
    lesson="14",
    solution=ascend,
    cases=(
        (np.full((2, 2), 0.5, np.float32), SLOPE, 0.1),
        (np.array([[0.9, 0.2], [0.5, 0.1]], np.float32), SLOPE, 0.25),
    ),
    expected=_engine_ascend,
    terms=_ascend_terms,
    mistakes=(
        (
            ("it goes down: ascent adds the gradient", "往下走了: 梯度上升要加上梯度"),
            lambda x, gradient, rate: ascend(x, -gradient, rate),
        ),
        (
            (
                "the step is as long as the gradient: divide by its size first",
                "步长随梯度而变: 要先除以梯度的大小",
            ),
            lambda x, gradient, rate: np.clip(x + rate * gradient, 0, 1),
        ),
        (
            (
                "it leaves the range 0 to 1, where there are no pixels",
                "超出了 0 到 1 的范围, 那里没有像素",
            ),
            lambda x, gradient, rate: x + rate * gradient / np.sqrt((gradient**2).mean()),
        ),
        (
            (
                "it takes the sign of the gradient: every pixel moves equally far",
                "只用了梯度的符号: 每个像素移动得一样多",
            ),
            lambda x, gradient, rate: np.clip(x + rate * np.sign(gradient), 0, 1),
        ),
    ),
    hints=(
        ("Uphill is along the gradient: add.", "梯度的方向就是上坡: 用加法。"),
        (
            "np.sqrt((gradient**2).mean()) is the size of the gradient.",
            "np.sqrt((gradient**2).mean()) 是梯度的大小。",
        ),
        ("np.clip(picture, 0, 1) keeps it a picture.", "np.clip(picture, 0, 1) 使它仍是图像。"),
    ),
)

# ----- saliency -----


def saliency(gradient):
    """How much each pixel of (H, W, C) matters, in either direction, (H, W): its best channel."""
    return np.abs(gradient).max(axis=-1)


def _saliency_terms(arguments: Any, index: Any, lang: str) -> str:
    values = ", ".join(map(number, arguments[0][index]))
    return say_in(
        lang,
        f"the gradients of this pixel's channels are {values}: which is the largest, whatever its "
        "sign?",
        f"这个像素各通道的梯度是 {values}: 不管正负, 哪个最大?",
    )


SALIENCY = Exercise(
    lesson="14",
    solution=saliency,
    cases=((COLOURS,), (-COLOURS,)),
    expected=lambda gradient: tf.reduce_max(tf.abs(gradient), axis=-1).numpy(),
    terms=_saliency_terms,
    mistakes=(
        (
            (
                "what lowers the logit is left out: take the size first",
                "漏掉了使 logit 变小的像素: 先取绝对值",
            ),
            lambda gradient: gradient.max(axis=-1),
        ),
        (
            (
                "the channels cancel out in a sum: take the largest",
                "求和时各通道互相抵消: 应取最大的",
            ),
            lambda gradient: np.abs(gradient.sum(axis=-1)),
        ),
        (
            (
                "it is the mean of the channels; a pixel matters as much as its best channel",
                "这是各通道的平均; 应取最重要的那个通道",
            ),
            lambda gradient: np.abs(gradient).mean(axis=-1),
        ),
    ),
    hints=(
        (
            "A pixel matters whether more of it helps or harms.",
            "像素变大, 无论有利还是有害, 都说明它重要。",
        ),
        ("The channels are the last axis: axis=-1.", "通道是最后一个轴: axis=-1。"),
    ),
)

# ----- grad_cam -----


def grad_cam(maps, gradients):
    """The heat (H, W) of maps (H, W, C), each weighed by the mean of its gradients; 0 or more."""
    weights = gradients.mean(axis=(0, 1))
    return np.maximum((maps * weights).sum(axis=-1), 0)


def _engine_cam(maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    kernel = tf.reduce_mean(gradients, axis=[0, 1])[None, None, :, None]  # 1 x 1
    return np.asarray(tf.nn.relu(tf.nn.conv2d(maps[None], kernel, 1, "VALID"))[0, ..., 0].numpy())


def _cam_terms(arguments: Any, index: Any, lang: str) -> str:
    maps, gradients = arguments
    weights = gradients.mean(axis=(0, 1))
    products = " + ".join(
        f"{number(m)}·({number(w)})" for m, w in zip(maps[index], weights, strict=True)
    )
    return say_in(
        lang,
        f"the maps weigh {', '.join(map(number, weights))}, the means of their gradients; here "
        f"{products} = {number((maps[index] * weights).sum())}, and below 0 it counts as 0",
        f"各图的权重是 {', '.join(map(number, weights))} (梯度的均值); 这里 {products} = "
        f"{number((maps[index] * weights).sum())}, 小于 0 时算 0",
    )


GRAD_CAM = Exercise(
    lesson="14",
    solution=grad_cam,
    cases=((MAPS, BY_MAPS), (MAPS, -BY_MAPS)),
    expected=_engine_cam,
    terms=_cam_terms,
    mistakes=(
        (
            (
                "what speaks against the class is left in: below 0 it is 0",
                "留下了反对这一类的部分: 小于 0 应为 0",
            ),
            lambda maps, gradients: (maps * gradients.mean((0, 1))).sum(-1),
        ),
        (
            (
                "each place has a weight of its own; a map has one, the mean over all places",
                "每个位置各用一个权重; 每张图只有一个, 即所有位置的平均",
            ),
            lambda maps, gradients: np.maximum((maps * gradients).sum(-1), 0),
        ),
        (
            (
                "the mean is over the maps; it is over the places of each map",
                "对各图求了平均; 应对每张图的各个位置求平均",
            ),
            lambda maps, gradients: np.maximum(maps.sum(-1) * gradients.mean(-1), 0),
        ),
        (
            (
                "the maps are added without weights: this shows what is seen, not for which class",
                "各图直接相加, 没有权重: 这表示看到了什么, 而不是支持哪一类",
            ),
            lambda maps, gradients: np.maximum(maps.sum(-1), 0),
        ),
    ),
    hints=(
        (
            "One weight for each map: how much the class's logit gains from it, on average.",
            "每张图一个权重: 平均来说, 这一类的 logit 从它得到多少。",
        ),
        (
            "gradients.mean(axis=(0, 1)) is (C,) and multiplies maps (H, W, C) as it is.",
            "gradients.mean(axis=(0, 1)) 的形状是 (C,), 可以直接乘 maps (H, W, C)。",
        ),
        (
            "Add up over the channels, and keep what is above 0.",
            "沿通道相加, 只保留大于 0 的部分。",
        ),
    ),
)

EXERCISES = (ASCEND, SALIENCY, GRAD_CAM)
