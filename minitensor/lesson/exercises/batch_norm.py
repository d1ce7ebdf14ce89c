"""Lesson 10: batch normalisation: axes, two modes, the way back, two conventions."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as tf
from minitensor.explain.text import number
from minitensor.lesson.exercise import Exercise, say_in

TITLE = (
    "Batch normalisation: axes, two modes, the way back",
    "批量归一化: 沿哪些轴、两种模式、反向传播",
)

SMALL = np.array([[1, 10], [2, 30], [3, 20], [6, 40]], np.float32)
IMAGES = (np.arange(24, dtype=np.float32) ** 2 % 13).reshape(2, 2, 3, 2)

# ----- batch_norm -----


def batch_norm(x, gamma, beta, eps):
    """Training mode: x (N, H, W, C), gamma and beta (C,)."""
    mean = x.mean(axis=(0, 1, 2))
    variance = x.var(axis=(0, 1, 2))
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


def _engine_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float) -> np.ndarray:
    layer = tf.keras.layers.BatchNormalization(epsilon=eps)
    layer.build(x.shape)
    layer.set_weights([gamma, beta, np.zeros_like(gamma), np.ones_like(gamma)])
    return np.asarray(layer(x, training=True).numpy())


def _norm_terms(arguments: Any, index: Any, lang: str) -> str:
    x, gamma, beta, eps = arguments
    c = index[-1]
    channel = x[..., c]
    mean, variance = number(channel.mean()), number(channel.var())
    scale, shift = number(gamma[c]), number(beta[c])
    told = f"{scale}·({number(x[index])} - {mean})/sqrt({variance} + {number(eps)}) + {shift}"
    return say_in(
        lang,
        f"the {channel.size} numbers of channel {c} have mean {mean} and variance {variance}; "
        f"{told}",
        f"通道 {c} 的 {channel.size} 个数的均值为 {mean}, 方差为 {variance}; {told}",
    )


def _over(x: Any, gamma: Any, beta: Any, eps: float, axes: Any, ddof: int = 0) -> np.ndarray:
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, ddof=ddof, keepdims=True)
    return np.asarray(gamma * (x - mean) / np.sqrt(variance + eps) + beta)


BATCH_NORM = Exercise(
    lesson="10",
    solution=batch_norm,
    cases=(
        (IMAGES, np.ones(2, np.float32), np.zeros(2, np.float32), 1e-3),
        (IMAGES, np.array([2, -1], np.float32), np.array([1, 5], np.float32), 0.5),
    ),
    expected=_engine_norm,
    terms=_norm_terms,
    mistakes=(
        (
            (
                "every pixel has a mean of its own, over the images alone: rows and columns "
                "belong to it too",
                "每个像素各有均值, 只对样本平均: 行和列也应参与平均",
            ),
            lambda x, gamma, beta, eps: _over(x, gamma, beta, eps, 0),
        ),
        (
            (
                "one mean for all channels; each channel has its own",
                "所有通道共用一个均值; 应每个通道各有一个",
            ),
            lambda x, gamma, beta, eps: _over(x, gamma, beta, eps, None),
        ),
        (
            (
                "the variance is divided by n - 1; the batch is standardised with n",
                "方差除以了 n - 1; 归一化用的是除以 n",
            ),
            lambda x, gamma, beta, eps: _over(x, gamma, beta, eps, (0, 1, 2), 1),
        ),
        (
            (
                "eps is added after the root; it belongs under it",
                "eps 加在了根号外面; 应加在根号里面",
            ),
            lambda x, gamma, beta, eps: (
                gamma * (x - x.mean((0, 1, 2))) / (x.std((0, 1, 2)) + eps) + beta
            ),
        ),
    ),
    hints=(
        ("How many means are there? One for each channel.", "一共有几个均值? 每个通道一个。"),
        (
            "x.mean(axis=(0, 1, 2)) averages over images, rows and columns.",
            "x.mean(axis=(0, 1, 2)) 对样本、行、列求平均。",
        ),
        (
            "gamma and beta (C,) fit the last axis without any reshape.",
            "gamma 和 beta 的形状是 (C,), 与最后一个轴自动对齐。",
        ),
    ),
)

# ----- moving -----


def moving(mean, variance, batch, momentum):
    """The statistics that Keras keeps after one more batch (N, C); each (C,)."""
    new_mean = momentum * mean + (1 - momentum) * batch.mean(axis=0)
    new_variance = momentum * variance + (1 - momentum) * batch.var(axis=0)
    return new_mean, new_variance


def _engine_moving(mean: Any, variance: Any, batch: Any, momentum: float) -> list[Any]:
    layer = tf.keras.layers.BatchNormalization(momentum=momentum)
    layer.build(batch.shape)
    layer.set_weights([np.ones_like(mean), np.zeros_like(mean), mean, variance])
    layer(batch, training=True)
    return [layer.moving_mean.numpy(), layer.moving_variance.numpy()]


def _moving_terms(arguments: Any, index: Any, lang: str) -> str:
    mean, variance, batch, momentum = arguments
    which, c = index
    old, now = ((mean, batch.mean(0)), (variance, batch.var(0)))[which]
    word = (("mean", "均值"), ("variance", "方差"))[which]
    return say_in(
        lang,
        f"the old {word[0]} is {number(old[c])}, that of the batch {number(now[c])}, and of the "
        f"old one {number(momentum)} is kept",
        f"旧{word[1]}是 {number(old[c])}, 这一批的是 {number(now[c])}, 旧值保留 {number(momentum)}",
    )


START = (np.zeros(2, np.float32), np.ones(2, np.float32))
MOVING = Exercise(
    lesson="10",
    solution=moving,
    cases=((*START, SMALL, 0.9), (np.array([3, 5], np.float32), START[1] * 4, SMALL, 0.75)),
    expected=_engine_moving,
    terms=_moving_terms,
    mistakes=(
        (
            (
                "momentum is the share of the new batch, as in PyTorch; in Keras it is what is "
                "kept of the old",
                "把 momentum 当成新一批所占的比例 (PyTorch 的约定); Keras 中它是旧值保留的比例",
            ),
            lambda mean, variance, batch, momentum: moving(mean, variance, batch, 1 - momentum),
        ),
        (
            (
                "it keeps the variance of n - 1, as TensorFlow 1 and PyTorch do; Keras 3 keeps "
                "that of n",
                "保留的是除以 n - 1 的方差 (TensorFlow 1 和 PyTorch 如此); Keras 3 保留除以 n 的",
            ),
            lambda mean, variance, batch, momentum: (
                momentum * mean + (1 - momentum) * batch.mean(0),
                momentum * variance + (1 - momentum) * batch.var(0, ddof=1),
            ),
        ),
        (
            ("it forgets the past: only this batch is left", "忘掉了过去: 只剩这一批的统计量"),
            lambda mean, variance, batch, momentum: (batch.mean(0), batch.var(0)),
        ),
    ),
    hints=(
        (
            "A weighted mean of the old and the new; the two weights add up to 1.",
            "旧值与新值的加权平均, 两个权重之和为 1。",
        ),
        (
            "With momentum 1 nothing ever changes; with 0 only the last batch counts.",
            "momentum 为 1 时永远不变; 为 0 时只算最后一批。",
        ),
    ),
)

# ----- batch_norm_gradient -----


def batch_norm_gradient(x, g, eps):
    """dL/dx of (x - mean)/sqrt(variance + eps), training mode; x, g (N,), g = dL/dy."""
    root = np.sqrt(x.var() + eps)
    y = (x - x.mean()) / root
    return (g - g.mean() - y * (g * y).mean()) / root


def _engine_gradient(x: np.ndarray, g: np.ndarray, eps: float) -> np.ndarray:
    layer = tf.keras.layers.BatchNormalization(epsilon=eps)
    held = tf.constant(x[:, None])
    with tf.GradientTape() as tape:
        tape.watch(held)
        loss = tf.reduce_sum(layer(held, training=True) * g[:, None])
    return np.asarray(tape.gradient(loss, held).numpy()[:, 0])


def _gradient_terms(arguments: Any, index: Any, lang: str) -> str:
    x, g, eps = arguments
    root = np.sqrt(x.var() + eps)
    direct = number(g[index] / root)
    rest = number(_engine_gradient(x, g, eps)[index] - g[index] / root)
    return say_in(
        lang,
        f"{direct} comes straight through x[{index[0]}], and {rest} by way of the mean and the "
        "variance, which x changes too",
        f"{direct} 直接经过 x[{index[0]}], 另有 {rest} 经过均值和方差 (x 也会改变它们)",
    )


LINE = np.array([1, 2, 3, 6], np.float32)
BATCH_NORM_GRADIENT = Exercise(
    lesson="10",
    solution=batch_norm_gradient,
    cases=(
        (LINE, np.array([0, 0, 0, 1], np.float32), 1e-3),
        (LINE, np.array([1, -2, 4, 2], np.float32), 0.5),
    ),
    expected=_engine_gradient,
    terms=_gradient_terms,
    mistakes=(
        (
            (
                "mean and variance are treated as constants: that is inference mode",
                "把均值和方差当成常数: 那是推理模式",
            ),
            lambda x, g, eps: g / np.sqrt(x.var() + eps),
        ),
        (
            ("the way through the variance is missing", "漏了经过方差的那一路"),
            lambda x, g, eps: (g - g.mean()) / np.sqrt(x.var() + eps),
        ),
        (
            ("the way through the mean is missing", "漏了经过均值的那一路"),
            lambda x, g, eps: batch_norm_gradient(x, g, eps) + g.mean() / np.sqrt(x.var() + eps),
        ),
    ),
    hints=(
        (
            "x[i] reaches the loss in three ways: straight, through the mean, through the "
            "variance.",
            "x[i] 有三条路影响损失: 直接、经过均值、经过方差。",
        ),
        (
            "Adding a constant to all x changes nothing, so the gradient must add up to 0: "
            "subtract the mean of g.",
            "所有 x 加同一常数, 结果不变, 所以梯度之和为 0: 减去 g 的均值。",
        ),
        (
            "Stretching all x changes nearly nothing, so what is left must be at right angles to "
            "y: subtract y times the mean of g·y.",
            "所有 x 一起拉伸, 结果几乎不变, 所以剩下的要与 y 正交: 再减去 y 乘以 g·y 的均值。",
        ),
    ),
)

EXERCISES = (BATCH_NORM, MOVING, BATCH_NORM_GRADIENT)
