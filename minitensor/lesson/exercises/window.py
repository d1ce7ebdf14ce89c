"""Lesson 3: one window by hand; convolution or correlation."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as tf
from minitensor.lesson.exercise import Exercise, products

TITLE = ("One window by hand: convolution or correlation?", "手算一个窗口: 卷积还是互相关?")

DIGIT_KERNEL = np.array([[0, 0, -1], [0, 1, 0], [-2, 0, 2]], np.float32)
# on a plain ramp this kernel, whose weights add up to 0, gives one number everywhere
SQUARE = (np.arange(25, dtype=np.float32) ** 2 % 11).reshape(5, 5)
SMALL = np.array([[1, -2, 3], [4, 5, -6]], np.float32)
PAIR = np.array([[1, 2]], np.float32)


def _engine(x: Any, w: Any, stride: int) -> np.ndarray:
    made = tf.nn.conv2d(x[None, :, :, None], w[:, :, None, None], stride, "VALID").numpy()
    return np.asarray(made[0, :, :, 0])


# ----- conv2d -----


def conv2d(x, w, stride):
    """What tf.nn.conv2d computes: x (H, W) under the kernel w, VALID."""
    kh, kw = w.shape
    h = (x.shape[0] - kh) // stride + 1
    width = (x.shape[1] - kw) // stride + 1
    y = np.zeros((h, width))
    for i in range(h):
        for j in range(width):
            top, left = i * stride, j * stride
            y[i, j] = np.sum(x[top : top + kh, left : left + kw] * w)
    return y


def _every_start(x: np.ndarray, w: np.ndarray, stride: int) -> np.ndarray:
    """Outputs as many as the stride asks for, from windows that lie one pixel apart."""
    h, width = _engine(x, w, stride).shape
    return _engine(x, w, 1)[:h, :width]


CONV2D = Exercise(
    lesson="03",
    solution=conv2d,
    cases=((SQUARE, DIGIT_KERNEL, 1), (SQUARE, DIGIT_KERNEL, 2), (SMALL, PAIR, 1)),
    expected=_engine,
    terms=lambda arguments, index, lang: products(
        tf.explain("conv2d", arguments[0], arguments[1], arguments[2]), index
    ),
    mistakes=(
        (
            (
                "it turns the kernel by 180 degrees first: that is what mathematics calls "
                "convolution; tf.nn.conv2d does not",
                "先把卷积核旋转了 180 度: 数学上的卷积如此, tf.nn.conv2d 并不旋转",
            ),
            lambda x, w, stride: conv2d(x, w[::-1, ::-1], stride),
        ),
        (
            (
                "the windows lie one pixel apart, whatever the stride is",
                "不论步幅, 相邻窗口只隔一个像素",
            ),
            _every_start,
        ),
        (
            (
                "it takes the mean of the products; the output is their sum",
                "取了乘积的平均; 输出应是乘积之和",
            ),
            lambda x, w, stride: conv2d(x, w, stride) / w.size,
        ),
    ),
    hints=(
        ("How large is the output? Lesson 2.", "输出有多大? 见第 2 课。"),
        (
            "Output [i, j] reads the window that begins at row i * stride, column j * stride.",
            "输出 [i, j] 读的窗口从第 i * stride 行、第 j * stride 列开始。",
        ),
        (
            "x[a:b, c:d] is a window; times w it is a table of products; np.sum adds them.",
            "x[a:b, c:d] 是一个窗口; 乘以 w 得到乘积表; np.sum 求和。",
        ),
    ),
)

# ----- true_convolution -----


def true_convolution(x, w):
    """The convolution of mathematics, VALID, stride 1."""
    turned = w[::-1, ::-1]
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape)
    return np.sum(windows * turned, axis=(2, 3))


TRUE_CONVOLUTION = Exercise(
    lesson="03",
    solution=true_convolution,
    cases=((SQUARE, DIGIT_KERNEL), (SMALL, PAIR), (SQUARE, SMALL)),
    expected=lambda x, w: _engine(x, w[::-1, ::-1], 1),
    terms=lambda arguments, index, lang: products(
        tf.explain("conv2d", arguments[0], arguments[1][::-1, ::-1]), index
    ),
    mistakes=(
        (
            ("it does not turn the kernel: that is correlation", "没有旋转卷积核: 这是互相关"),
            lambda x, w: _engine(x, w, 1),
        ),
        (
            (
                "it turns the kernel upside down only; left and right must change places too",
                "只上下翻转了卷积核; 左右也要翻转",
            ),
            lambda x, w: _engine(x, w[::-1], 1),
        ),
        (
            (
                "it mirrors left and right only; top and bottom must change places too",
                "只左右翻转了卷积核; 上下也要翻转",
            ),
            lambda x, w: _engine(x, w[:, ::-1], 1),
        ),
    ),
    hints=(
        ("It is conv2d of another kernel.", "它就是用另一个卷积核做的 conv2d。"),
        ("w[::-1] turns the rows round.", "w[::-1] 把行倒过来。"),
    ),
)

EXERCISES = (CONV2D, TRUE_CONVOLUTION)
