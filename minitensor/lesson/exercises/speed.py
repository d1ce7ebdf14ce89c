"""Lesson 15: what a layer multiplies and moves, and how fast a machine can do it at best."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as tf
from minitensor import keras
from minitensor.explain.text import number
from minitensor.keras.summary.facts import rows_of
from minitensor.lesson.exercise import Exercise, say_in

TITLE = (
    "Speed: products for each byte, and the roof of this machine",
    "速度: 每个字节的乘加次数, 以及本机的屋顶线",
)
FLOAT = 4  # bytes

# ----- intensity -----


def intensity(n, c, o, k):
    """Multiply-adds for each byte: n x n x c pixels, o filters of k x k, SAME, float32."""
    products = n * n * k * k * c * o
    numbers = n * n * c + k * k * c * o + n * n * o
    return products / (4 * numbers)


def _moved(n: int, c: int, o: int, k: int) -> tuple[int, int, int, int]:
    """By the engine: multiply-adds; bytes of image, kernel, output."""
    layer = keras.layers.Conv2D(o, k, padding="same", use_bias=False)
    net = keras.Sequential([keras.Input((n, n, c)), layer])
    facts = next(row.facts for row in rows_of(net, True, None) if row.layer is layer)
    assert facts is not None
    return facts.macs, FLOAT * n * n * c, FLOAT * layer.count_params(), facts.size


def _engine_intensity(n: int, c: int, o: int, k: int) -> float:
    products, *parts = _moved(n, c, o, k)
    return products / sum(parts)


def _parts(arguments: Any, index: Any, lang: str) -> str:
    products, image, kernel, output = _moved(*arguments)
    return say_in(
        lang,
        f"{products:,} multiply-adds; {image:,} bytes of image, {kernel:,} of kernel, {output:,} "
        "of output",
        f"{products:,} 次乘加; 图像 {image:,} 字节, 卷积核 {kernel:,} 字节, 输出 {output:,} 字节",
    )


INTENSITY = Exercise(
    lesson="15",
    solution=intensity,
    cases=((2, 1, 1, 1), (32, 64, 64, 3), (14, 256, 64, 1)),
    expected=_engine_intensity,
    terms=_parts,
    mistakes=(
        (
            (
                "it divides by numbers; a float32 has 4 bytes",
                "除以的是数的个数; 一个 float32 占 4 个字节",
            ),
            lambda n, c, o, k: 4 * intensity(n, c, o, k),
        ),
        (
            (
                "the output is missing: it must be written",
                "漏了输出: 它也要写回内存",
            ),
            lambda n, c, o, k: n * n * k * k * c * o / (4 * (n * n * c + k * k * c * o)),
        ),
        (
            (
                "the kernel is missing: it must be read, once",
                "漏了卷积核: 它也要读一次",
            ),
            lambda n, c, o, k: n * n * k * k * c * o / (4 * n * n * (c + o)),
        ),
        (
            (
                "it fetches the image anew for every tap; at best each pixel is fetched once",
                "每个点都重新读一遍图像; 最好的情况是每个像素只读一次",
            ),
            lambda n, c, o, k: (
                n * n * k * k * c * o / (4 * (n * n * c * k * k + k * k * c * o + n * n * o))
            ),
        ),
    ),
    hints=(
        (
            "An output is a sum of k * k * c products; there are n * n * o outputs.",
            "一个输出是 k * k * c 个乘积之和; 共有 n * n * o 个输出。",
        ),
        (
            "At best image, kernel and output pass through memory once each.",
            "最好的情况下, 图像、卷积核、输出各经过内存一次。",
        ),
    ),
)

# ----- attainable -----


def attainable(intensity, peak, bandwidth):
    """Multiply-adds a second at best: `peak` of them, `bandwidth` bytes a second."""
    return min(peak, intensity * bandwidth)


def _by_time(intensity: float, peak: float, bandwidth: float) -> float:
    """One multiply-add takes as long as the slower of computing it and moving its bytes."""
    return 1 / max(1 / peak, 1 / intensity / bandwidth)


def _slower(arguments: Any, index: Any, lang: str) -> str:
    i, peak, bandwidth = map(number, arguments)
    fed = number(arguments[0] * arguments[2])
    return say_in(
        lang,
        f"memory feeds {bandwidth} bytes a second, {i} multiply-adds each: {fed}; the processor "
        f"does {peak}",
        f"内存每秒供给 {bandwidth} 字节, 每字节 {i} 次乘加: {fed}; 处理器每秒做 {peak} 次",
    )


ATTAINABLE = Exercise(
    lesson="15",
    solution=attainable,
    cases=((2.0, 100.0, 10.0), (50.0, 100.0, 10.0), (10.0, 100.0, 10.0)),
    expected=_by_time,
    terms=_slower,
    mistakes=(
        (
            (
                "it never asks what the processor can do",
                "没有考虑处理器的上限",
            ),
            lambda intensity, peak, bandwidth: intensity * bandwidth,
        ),
        (
            ("it never asks what memory can feed", "没有考虑内存的供给"),
            lambda intensity, peak, bandwidth: peak,
        ),
        (
            (
                "it takes the faster of the two; the slower one decides",
                "取了两者中较快的; 决定速度的是较慢的",
            ),
            lambda intensity, peak, bandwidth: max(peak, intensity * bandwidth),
        ),
        (
            (
                "it divides bytes by the intensity: with more products for each byte it must rise",
                "用字节数除以计算强度: 每字节乘加越多, 结果应当越大",
            ),
            lambda intensity, peak, bandwidth: min(peak, bandwidth / intensity),
        ),
    ),
    hints=(
        (
            "Two limits: what the processor does in a second, and for how many multiply-adds "
            "memory brings the bytes in a second.",
            "两个上限: 处理器每秒能做多少, 以及内存每秒送来的字节够做多少次乘加。",
        ),
        ("The slower of the two decides.", "较慢的那个决定速度。"),
    ),
)

# ----- tile_loads -----


def tile_loads(m, t, k):
    """Pixels loaded for m x m outputs, if each tile of t x t outputs loads its pixels once."""
    tiles = (m // t) ** 2
    return tiles * (t + k - 1) ** 2


def _engine_loads(m: int, t: int, k: int) -> int:
    """Of W': the columns that stand in the rows of a tile."""
    n = m + k - 1
    found = tf.explain("conv2d", np.ones((n, n)), np.ones((k, k))).matrix.toarray()
    rows = found.reshape(m // t, t, m // t, t, n * n)  # tile, row in it, tile, column in it, pixel
    return int(rows.any(axis=(1, 3)).sum())


def _halo(arguments: Any, index: Any, lang: str) -> str:
    m, t, k = arguments
    side = t + k - 1
    return say_in(
        lang,
        f"{m // t} x {m // t} tiles, and the windows of a tile cover {side} x {side} pixels",
        f"{m // t} x {m // t} 块, 每块的窗口盖住 {side} x {side} 个像素",
    )


TILE_LOADS = Exercise(
    lesson="15",
    solution=tile_loads,
    cases=((4, 2, 3), (8, 4, 3), (6, 1, 3), (8, 8, 5)),
    expected=_engine_loads,
    terms=_halo,
    mistakes=(
        (
            (
                "it forgets the rim: the windows of a tile reach k - 1 pixels further than it",
                "漏了边缘: 一块的窗口比块本身多伸出 k - 1 个像素",
            ),
            lambda m, t, k: m * m,
        ),
        (
            (
                "each output loads its own window; within a tile windows share their pixels",
                "每个输出各自读窗口; 同一块里的窗口共用像素",
            ),
            lambda m, t, k: m * m * k * k,
        ),
        (
            (
                "t windows side by side cover t + k - 1 pixels, not t + k",
                "t 个相邻窗口盖住 t + k - 1 个像素, 不是 t + k 个",
            ),
            lambda m, t, k: (m // t) ** 2 * (t + k) ** 2,
        ),
        (
            (
                "it loads the whole image once; tiles know nothing of each other",
                "整张图像只读了一次; 各块之间互不相知",
            ),
            lambda m, t, k: (m + k - 1) ** 2,
        ),
    ),
    hints=(
        (
            "Draw one tile of 2 x 2 outputs and its four windows of 3 x 3. Which pixels are under "
            "at least one of them?",
            "画出一块 2 x 2 输出和它的四个 3 x 3 窗口。至少被一个窗口盖住的像素有哪些?",
        ),
        (
            "The first window begins at the tile's first pixel, the last one t - 1 later.",
            "第一个窗口从块的第一个像素开始, 最后一个晚 t - 1 个像素开始。",
        ),
    ),
)

EXERCISES = (INTENSITY, ATTAINABLE, TILE_LOADS)
