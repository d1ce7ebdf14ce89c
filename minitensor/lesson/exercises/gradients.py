"""Lesson 6: the gradients of a convolution, in the kernel and in the image."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as tf
from minitensor.lesson.exercise import Exercise, products

TITLE = ("Gradients of a convolution: derived, drawn, proved", "卷积的梯度: 推导、图示、验证")


def _gradient(x: Any, w: Any, g: Any, name: str) -> np.ndarray:
    """By the engine's tape: of sum(conv2d(x, w) * g), in x or in w."""
    held = {"x": tf.constant(x[None, :, :, None]), "w": tf.constant(w[:, :, None, None])}
    with tf.GradientTape() as tape:
        tape.watch(held[name])
        y = tf.nn.conv2d(held["x"], held["w"], 1, "VALID")
        loss = tf.reduce_sum(y * g[None, :, :, None])
    gradient: np.ndarray = tape.gradient(loss, held[name]).numpy()
    return gradient.reshape(x.shape if name == "x" else w.shape)


def _counting(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


G = np.array([[1, 2], [3, -5]], np.float32)

# ----- filter_gradient -----


def filter_gradient(x, g):
    """dL/dw of y = conv2d(x, w), VALID, stride 1; g is dL/dy."""
    h, w = g.shape
    kh, kw = x.shape[0] - h + 1, x.shape[1] - w + 1
    dw = np.zeros((kh, kw))
    for a in range(kh):
        for b in range(kw):
            dw[a, b] = np.sum(x[a : a + h, b : b + w] * g)
    return dw


def _engine_filter(x: np.ndarray, g: np.ndarray) -> np.ndarray:
    kernel = np.ones(np.subtract(x.shape, g.shape) + 1, np.float32)
    return _gradient(x, kernel, g, "w")


def _filter_terms(arguments: Any, index: Any, lang: str) -> str:
    x, g = arguments
    kernel = np.ones(np.subtract(x.shape, g.shape) + 1, np.float32)
    return products(tf.explain("conv2d", x, kernel, grad="filter", output_gradients=g), index)


def _last_product(x: np.ndarray, g: np.ndarray) -> np.ndarray:
    return x[g.shape[0] - 1 :, g.shape[1] - 1 :] * g[-1, -1]


FILTER_GRADIENT = Exercise(
    lesson="06",
    solution=filter_gradient,
    cases=(
        (_counting(3, 3), np.ones((2, 2), np.float32)),
        (_counting(3, 3), G),
        (_counting(4, 6), np.array([[1, 0, 2], [-1, 1, 0]], np.float32)),
    ),
    expected=_engine_filter,
    terms=_filter_terms,
    mistakes=(
        (
            (
                "the result is turned by 180 degrees: weight [a, b] reads the image from row a, "
                "column b on",
                "结果旋转了 180 度: 权重 [a, b] 是从图像第 a 行第 b 列开始读的",
            ),
            lambda x, g: filter_gradient(x, g)[::-1, ::-1],
        ),
        (
            (
                "it takes the mean; the loss is a sum over all places, so gradients add up",
                "取了平均; 损失是所有位置之和, 梯度应当相加",
            ),
            lambda x, g: filter_gradient(x, g) / g.size,
        ),
        (
            (
                "it leaves out g: every output counts as if its gradient were 1",
                "漏了 g: 把每个输出的梯度都当成 1",
            ),
            lambda x, g: filter_gradient(x, np.ones_like(g)),
        ),
        (
            ("it turns g before it is laid on the image", "把 g 旋转后才放到图像上"),
            lambda x, g: filter_gradient(x, g[::-1, ::-1]),
        ),
        (
            (
                "it keeps only the last product; all of them must be added",
                "只留下了最后一个乘积; 应当把所有乘积相加",
            ),
            _last_product,
        ),
    ),
    hints=(
        (
            "Write down one output: y[i, j] is the sum of x[i+a, j+b] * w[a, b]. Which x stands "
            "beside w[a, b]?",
            "先写出一个输出: y[i, j] 是 x[i+a, j+b] * w[a, b] 之和。w[a, b] 旁边是哪个 x?",
        ),
        (
            "w[a, b] is used once for every output. Each use adds g[i, j] times that x.",
            "每个输出都用到一次 w[a, b], 每次贡献 g[i, j] 乘以那个 x。",
        ),
        (
            "For fixed a, b these x are a piece of the image of the size of g.",
            "a, b 固定时, 这些 x 是图像中与 g 一样大的一块。",
        ),
    ),
)

# ----- input_gradient -----


def input_gradient(g, w):
    """dL/dx of y = conv2d(x, w), VALID, stride 1; g is dL/dy."""
    kh, kw = w.shape
    dx = np.zeros((g.shape[0] + kh - 1, g.shape[1] + kw - 1))
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            dx[i : i + kh, j : j + kw] += g[i, j] * w
    return dx


def _engine_input(g: np.ndarray, w: np.ndarray) -> np.ndarray:
    image = np.ones(np.add(g.shape, w.shape) - 1, np.float32)
    return _gradient(image, w, g, "x")


def _input_terms(arguments: Any, index: Any, lang: str) -> str:
    g, w = arguments
    image = np.ones(np.add(g.shape, w.shape) - 1, np.float32)
    return products(tf.explain("conv2d", image, w, grad="input", output_gradients=g), index)


def _overwritten(g: np.ndarray, w: np.ndarray) -> np.ndarray:
    kh, kw = w.shape
    dx = np.zeros(np.add(g.shape, w.shape) - 1)
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            dx[i : i + kh, j : j + kw] = g[i, j] * w
    return dx


def _from_the_other_end(g: np.ndarray, w: np.ndarray) -> np.ndarray:
    """As where only the upper end of g is asked for."""
    dx = np.zeros(np.add(g.shape, w.shape) - 1)
    for p, q in np.ndindex(*dx.shape):
        for a, b in np.ndindex(*w.shape):
            if p - a < g.shape[0] and q - b < g.shape[1]:
                dx[p, q] += g[p - a, q - b] * w[a, b]
    return dx


INPUT_GRADIENT = Exercise(
    lesson="06",
    solution=input_gradient,
    cases=(
        (np.ones((2, 2), np.float32), _counting(2, 2)),
        (G, _counting(2, 2)),
        (np.array([[1, 0, 2], [-1, 1, 0]], np.float32), _counting(3, 2)),
    ),
    expected=_engine_input,
    terms=_input_terms,
    mistakes=(
        (
            (
                "the kernel lies the wrong way round: a pixel at the lower right of a window was "
                "multiplied by the weight at the lower right",
                "卷积核放反了: 窗口右下角的像素乘的是右下角的权重",
            ),
            lambda g, w: input_gradient(g, w[::-1, ::-1]),
        ),
        (
            (
                "windows overlap, and the last one overwrites what the others gave: they must be "
                "added",
                "窗口有重叠, 后一个覆盖了前面的结果: 应当相加",
            ),
            _overwritten,
        ),
        (
            (
                "it leaves out g: every output counts as if its gradient were 1",
                "漏了 g: 把每个输出的梯度都当成 1",
            ),
            lambda g, w: input_gradient(np.ones_like(g), w),
        ),
        (
            (
                "it reads g at negative indices, where there is no output; Python takes them from "
                "the other end",
                "在没有输出的地方用负下标读了 g; Python 会从另一端读",
            ),
            _from_the_other_end,
        ),
    ),
    hints=(
        (
            "How large is dx? As large as the image whose convolution has the size of g.",
            "dx 有多大? 与卷积后大小为 g 的那张图像一样大。",
        ),
        (
            "Go through the outputs, not the pixels: output [i, j] read a window that begins at "
            "row i, column j.",
            "按输出逐个处理, 不要按像素: 输出 [i, j] 读的窗口从第 i 行第 j 列开始。",
        ),
        (
            "Each output gives each pixel of its window g[i, j] times the weight that lay there.",
            "每个输出给其窗口的每个像素 g[i, j] 乘以盖在那里的权重。",
        ),
    ),
)

EXERCISES = (FILTER_GRADIENT, INPUT_GRADIENT)
