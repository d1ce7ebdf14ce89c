"""Lesson 1: what a dense layer has too much of, and what a convolution leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import minitensor as tf
from minitensor.keras import layers
from minitensor.lesson.exercise import Exercise, say_in

TITLE = (
    "From dense layers to convolution: near pixels, shared weights",
    "从全连接到卷积: 局部连接与权值共享",
)

# ----- dense_parameters -----


def dense_parameters(sizes):
    """Weights and biases of dense layers; `sizes` are the inputs, then the units of each layer."""
    total = 0
    for layer in range(1, len(sizes)):
        inputs, units = sizes[layer - 1], sizes[layer]
        total += inputs * units + units
    return total


def _engine_parameters(sizes: Sequence[int]) -> int:
    first, *rest = sizes
    stack = [tf.keras.Input((first,)), *(layers.Dense(units) for units in rest)]
    return int(tf.keras.Sequential(stack).count_params())


def _layer_by_layer(arguments: Any, index: Any, lang: str) -> str:
    (sizes,) = arguments
    told = [f"{i} x {o} + {o} = {_engine_parameters((i, o))}" for i, o in pairwise(sizes)]
    return say_in(lang, "layer by layer ", "逐层为 ") + "; ".join(told)


def _weights(sizes: Sequence[int]) -> int:
    return sum(i * o for i, o in pairwise(sizes))


DENSE_PARAMETERS = Exercise(
    lesson="01",
    solution=dense_parameters,
    cases=(([3, 2],), ([784, 256, 256, 256, 10],), ([400, 120, 84, 10],)),
    expected=_engine_parameters,
    terms=_layer_by_layer,
    mistakes=(
        (
            (
                "it leaves out the biases: each unit has one",
                "漏了偏置: 每个单元都有一个",
            ),
            _weights,
        ),
        (
            (
                "it counts one bias for each layer; each unit has its own",
                "每层只算了一个偏置; 应每个单元一个",
            ),
            lambda sizes: _weights(sizes) + len(sizes) - 1,
        ),
        (
            (
                "it gives a bias to the inputs too: they are given, not computed",
                "给输入也算了偏置: 输入是给定的, 不是算出来的",
            ),
            lambda sizes: _weights(sizes) + sum(sizes),
        ),
        (
            (
                "it multiplies all sizes: each layer is joined only to the one before it",
                "把所有尺寸连乘了: 每层只与前一层相连",
            ),
            lambda sizes: int(np.prod(sizes)),
        ),
    ),
    hints=(
        (
            "One unit reads all inputs. How many weights is that, and what is added at the end?",
            "一个单元读取全部输入。这是几个权重? 最后还要加上什么?",
        ),
        (
            "So a layer has inputs x units weights, and one bias for each unit.",
            "所以一层有 输入数 x 单元数 个权重, 每个单元再加一个偏置。",
        ),
        (
            "The units of one layer are the inputs of the next.",
            "一层的单元就是下一层的输入。",
        ),
    ),
)

# ----- count_weights -----


def count_weights(n, k):
    """Weights from n x n pixels to all k x k windows: dense, local, local and shared."""
    outputs = (n - k + 1) ** 2
    return n * n * outputs, k * k * outputs, k * k


def _engine_weights(n: int, k: int) -> tuple[int, int, int]:
    """Of W': all its places, those that a window reads, the weights that stand in them."""
    found = tf.explain("conv2d", np.ones((n, n)), np.ones((k, k))).matrix
    return int(np.prod(found.shape)), found.nnz, len(np.unique(found.weight))


def _counted(arguments: Any, index: Any, lang: str) -> str:
    n, k = arguments
    side = n - k + 1
    each = ((n * n, n), (k * k, k))
    if index[0] == 2:
        return say_in(
            lang,
            f"all outputs use the same {k} x {k} weights",
            f"所有输出共用同样的 {k} x {k} 个权重",
        )
    reads, wide = each[index[0]]
    return say_in(
        lang,
        f"there are {side} x {side} outputs, and each reads {wide} x {wide} = {reads} pixels, "
        "by weights of its own",
        f"共有 {side} x {side} 个输出, 每个读 {wide} x {wide} = {reads} 个像素, 权重各不相同",
    )


COUNT_WEIGHTS = Exercise(
    lesson="01",
    solution=count_weights,
    cases=((4, 3), (7, 3), (6, 1), (28, 5)),
    expected=_engine_weights,
    terms=_counted,
    mistakes=(
        (
            (
                "it counts as many outputs as pixels: without padding there are n - k + 1 windows "
                "along a side",
                "把输出个数算成像素个数: 不填充时, 每边只有 n - k + 1 个窗口",
            ),
            lambda n, k: (n**4, k * k * n * n, k * k),
        ),
        (
            (
                "shared means once for the whole image, not once for each row of outputs",
                "共享是整张图像只用一份, 不是每行输出一份",
            ),
            lambda n, k: (*count_weights(n, k)[:2], k * k * (n - k + 1)),
        ),
        (
            (
                "it takes the side for the area: the image has n x n pixels, a window k x k",
                "把边长当成了面积: 图像有 n x n 个像素, 窗口有 k x k 个",
            ),
            lambda n, k: (n * (n - k + 1), k * (n - k + 1), k),
        ),
    ),
    hints=(
        (
            "How many places are there for a k x k window on n x n pixels? That is lesson 2; here "
            "n - k + 1 along each side.",
            "k x k 的窗口在 n x n 个像素上有几处可放? 第 2 课会讲; 这里每边 n - k + 1 处。",
        ),
        (
            "Dense: each output has a weight for each pixel. Local: for each pixel of its window.",
            "全连接: 每个输出对每个像素有一个权重。局部连接: 只对窗口里的像素有。",
        ),
        (
            "Shared: the weights do not depend on the place any more.",
            "共享: 权重不再随位置而变。",
        ),
    ),
)

# ----- window_mask -----


def window_mask(n, k):
    """Row j: 1 for each of the n*n pixels that output j may see, 0 for all others."""
    rows = []
    for i in range(n - k + 1):
        for j in range(n - k + 1):
            seen = np.zeros((n, n))
            seen[i : i + k, j : j + k] = 1
            rows.append(seen.ravel())
    return np.array(rows)


def _engine_mask(n: int, k: int) -> np.ndarray:
    return np.asarray(tf.explain("conv2d", np.ones((n, n)), np.ones((k, k))).matrix.toarray())


def _seen(arguments: Any, index: Any, lang: str) -> str:
    n, k = arguments
    (i, j), (row, column) = divmod(index[0], n - k + 1), divmod(index[1], n)
    return say_in(
        lang,
        f"output {index[0]} sees rows {i} to {i + k - 1} and columns {j} to {j + k - 1}; pixel "
        f"{index[1]} is in row {row}, column {column}",
        f"输出 {index[0]} 看到第 {i} 到 {i + k - 1} 行、第 {j} 到 {j + k - 1} 列; "
        f"像素 {index[1]} 在第 {row} 行第 {column} 列",
    )


def _in_a_line(n: int, k: int) -> np.ndarray:
    """Each window as so many pixels that follow one another."""
    rows = np.zeros(((n - k + 1) ** 2, n * n))
    for row, at in zip(rows, np.ndindex(n - k + 1, n - k + 1), strict=True):
        row[np.ravel_multi_index(at, (n, n)) :][: k * k] = 1
    return rows


def _one_step_each(n: int, k: int) -> np.ndarray:
    """Every row is the first one, moved on by its number."""
    first, *others = window_mask(n, k)
    return np.array([first, *(np.roll(first, step + 1) for step in range(len(others)))])


WINDOW_MASK = Exercise(
    lesson="01",
    solution=window_mask,
    cases=((4, 3), (5, 2)),
    expected=_engine_mask,
    terms=_seen,
    mistakes=(
        (
            (
                "it takes k*k pixels that follow one another in memory; a window goes on in the "
                "next row of the image",
                "取了内存中连续的 k*k 个像素; 窗口应接着取图像的下一行",
            ),
            _in_a_line,
        ),
        (
            (
                "each window lies one pixel further than the last; at the end of a row of outputs "
                "it must go to the next row of the image",
                "每个窗口都比前一个多移一个像素; 一行输出结束后, 应转到图像的下一行",
            ),
            _one_step_each,
        ),
        (
            (
                "it is transposed: a row belongs to an output, a column to a pixel",
                "转置了: 行对应输出, 列对应像素",
            ),
            lambda n, k: window_mask(n, k).T,
        ),
    ),
    hints=(
        (
            "Begin with one output: an n x n array of zeros, with ones where its window lies.",
            "先做一个输出: n x n 的全零数组, 窗口所在处置 1。",
        ),
        ("`.ravel()` lays its rows one after the other.", "`.ravel()` 把各行首尾相接。"),
        (
            "Two loops, over the rows and the columns of the outputs, give the rows in order.",
            "两层循环, 依次走过输出的行和列, 就按顺序得到各行。",
        ),
    ),
)

EXERCISES = (DENSE_PARAMETERS, COUNT_WEIGHTS, WINDOW_MASK)
