"""Lesson 5: five ways to compute a convolution, what each costs, and three of them to build."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import minitensor as tf
from minitensor.lesson.exercise import Exercise, products, say_in

TITLE = (
    "Five ways to the same numbers: loops, im2col, W', FFT, Winograd",
    "五种算法, 同样的数: 循环、im2col、W'、FFT、Winograd",
)

# F(2x2, 3x3) of Lavin and Gray, 2016: 4 x 4 pixels under 3 x 3 weights, 2 x 2 outputs
BT = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]], np.float32)
G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)
AT = np.array([[1, 1, 1, 0], [0, 1, -1, -1]], np.float32)


def _convolved(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """By the engine: VALID, stride 1."""
    x, w = x.astype(np.float32), w.astype(np.float32)
    y = tf.nn.conv2d(x[None, :, :, None], w[:, :, None, None], 1, "VALID")
    return np.asarray(y.numpy()[0, :, :, 0])


# ----- im2col -----


def im2col(x, k):
    """A row for each k x k window of x, its pixels one after the other."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k))
    return windows.reshape(-1, k * k)


def _engine_columns(x: np.ndarray, k: int) -> np.ndarray:
    sizes, ones = [1, k, k, 1], [1, 1, 1, 1]
    patches = tf.image.extract_patches(x[None, :, :, None], sizes, ones, ones, "VALID")
    return np.asarray(patches.numpy().reshape(-1, k * k))


def _pixel(arguments: Any, index: Any, lang: str) -> str:
    x, k = arguments
    (i, j), (a, b) = divmod(index[0], x.shape[1] - k + 1), divmod(index[1], k)
    return say_in(
        lang,
        f"window {index[0]} begins at row {i}, column {j}; its pixel {index[1]} is "
        f"x[{i + a}, {j + b}]",
        f"窗口 {index[0]} 从第 {i} 行第 {j} 列开始, 其中第 {index[1]} 个像素是 x[{i + a}, {j + b}]",
    )


COUNTING = np.arange(1, 17, dtype=np.float32).reshape(4, 4)
IM2COL = Exercise(
    lesson="05",
    solution=im2col,
    cases=((COUNTING, 2), (COUNTING, 3), (np.arange(20, dtype=np.float32).reshape(4, 5), 2)),
    expected=_engine_columns,
    terms=_pixel,
    mistakes=(
        (
            (
                "it is transposed: a row belongs to a window, a column to a weight",
                "转置了: 行对应窗口, 列对应权重",
            ),
            lambda x, k: im2col(x, k).T,
        ),
        (
            (
                "the windows lie side by side; with stride 1 they overlap",
                "窗口彼此相邻不重叠; 步幅为 1 时应当重叠",
            ),
            lambda x, k: np.lib.stride_tricks.sliding_window_view(x, (k, k))[::k, ::k].reshape(
                -1, k * k
            ),
        ),
        (
            (
                "each window is read column by column; the kernel's `ravel` goes row by row",
                "窗口按列读取了; 卷积核的 `ravel` 是按行的",
            ),
            lambda x, k: (
                np.lib.stride_tricks.sliding_window_view(x, (k, k))
                .swapaxes(2, 3)
                .reshape(-1, k * k)
            ),
        ),
    ),
    hints=(
        (
            "How many windows are there? Two loops over where they begin visit them in order.",
            "有多少个窗口? 对起点做两层循环, 就能按顺序走过它们。",
        ),
        (
            "One row is `x[i : i + k, j : j + k].ravel()`.",
            "一行就是 `x[i : i + k, j : j + k].ravel()`。",
        ),
    ),
)

# ----- fft_conv -----


def fft_conv(x, w):
    """What a layer computes, VALID, stride 1: x (n, n), w (k, k), by np.fft."""
    m = len(x) - len(w) + 1
    product = np.fft.fft2(x) * np.conj(np.fft.fft2(w, x.shape))
    return np.fft.ifft2(product).real[:m, :m]


def _products(arguments: Any, index: Any, lang: str) -> str:
    x, w = arguments
    return products(tf.explain("conv2d", x, w), index)


def _without_conj(x: np.ndarray, w: np.ndarray, start: int) -> np.ndarray:
    m = len(x) - len(w) + 1
    made = np.fft.ifft2(np.fft.fft2(x) * np.fft.fft2(w, x.shape)).real
    return np.asarray(made[start:, start:][:m, :m])


SMALL = np.array([[1, 2, 0], [0, -1, 3], [2, 0, -4]], np.float32)
FFT_CONV = Exercise(
    lesson="05",
    solution=fft_conv,
    cases=(
        (COUNTING, SMALL[:2, :2]),
        (COUNTING, SMALL),
        (np.arange(25, dtype=np.float32).reshape(5, 5) ** 2 % 7, SMALL),
    ),
    expected=_convolved,
    terms=_products,
    mistakes=(
        (
            (
                "a plain product of the two transforms turns the kernel by 180 degrees (lesson 3); "
                "the conjugate of one of them turns it back",
                "两个变换直接相乘, 相当于把卷积核旋转 180 度 (第 3 课); 对其中一个取共轭才转回来",
            ),
            lambda x, w: _without_conj(x, w, len(w) - 1),
        ),
        (
            (
                "a plain product of the two transforms, read from its corner: there the windows "
                "run out of the image and come in again on the other side",
                "两个变换直接相乘, 又从左上角取值: 那里的窗口超出图像, 从另一侧绕了回来",
            ),
            lambda x, w: _without_conj(x, w, 0),
        ),
        (
            (
                "it keeps windows that run out of the image and come in again on the other side",
                "保留了超出图像、从另一侧绕回来的窗口",
            ),
            lambda x, w: np.fft.ifft2(np.fft.fft2(x) * np.conj(np.fft.fft2(w, x.shape))).real,
        ),
    ),
    hints=(
        (
            "The two transforms must have the same shape: np.fft.fft2(w, x.shape) pads w with "
            "zeros.",
            "两个变换的形状要相同: np.fft.fft2(w, x.shape) 会给 w 补零。",
        ),
        (
            "Multiply them number by number, but conjugate that of w first: np.conj.",
            "逐个相乘, 但先对 w 的变换取共轭: np.conj。",
        ),
        (
            "np.fft.ifft2 leads back; take `.real`, and only the places that VALID has.",
            "用 np.fft.ifft2 变回来, 取 `.real`, 只保留 VALID 有的位置。",
        ),
    ),
)

# ----- winograd -----


def winograd(d, g):
    """2 x 2 outputs of 4 x 4 pixels d under 3 x 3 weights g, by 16 multiplications."""
    pixels = BT @ d @ BT.T
    weights = G @ g @ G.T
    return AT @ (pixels * weights) @ AT.T


WINOGRAD = Exercise(
    lesson="05",
    solution=winograd,
    cases=(
        (COUNTING, np.arange(1, 10, dtype=np.float32).reshape(3, 3)),
        (COUNTING**2 % 11, SMALL),
    ),
    expected=_convolved,
    terms=_products,
    mistakes=(
        (
            (
                "it multiplies the two 4 x 4 arrays as matrices; they are multiplied number by "
                "number, with `*`",
                "把两个 4 x 4 数组当矩阵相乘了; 应逐个相乘, 用 `*`",
            ),
            lambda d, g: AT @ ((BT @ d @ BT.T) @ (G @ g @ G.T)) @ AT.T,
        ),
        (
            (
                "it has BT and its transpose the wrong way round",
                "把 BT 和它的转置用反了",
            ),
            lambda d, g: AT @ ((BT.T @ d @ BT) * (G @ g @ G.T)) @ AT.T,
        ),
        (
            (
                "it turns the kernel by 180 degrees, which a layer does not do",
                "把卷积核旋转了 180 度; 卷积层不这样做",
            ),
            lambda d, g: winograd(d, g[::-1, ::-1]),
        ),
    ),
    hints=(
        (
            "Rows and columns alike: a matrix from the left, its transpose (`.T`) from the right.",
            "行和列同样处理: 左边乘一个矩阵, 右边乘它的转置 (`.T`)。",
        ),
        (
            "So BT @ d @ BT.T has 4 x 4 numbers. How many has G @ g @ G.T?",
            "于是 BT @ d @ BT.T 是 4 x 4 个数。G @ g @ G.T 有几个?",
        ),
        (
            "The 16 multiplications are `*` between these two; AT leads to the outputs.",
            "16 次乘法就是这两者之间的 `*`; 再用 AT 得到输出。",
        ),
    ),
)

# ----- all five, and what they need -----

Way = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _by_loops(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    y = np.zeros(np.subtract(x.shape, w.shape) + 1, x.dtype)
    for i, j in np.ndindex(*y.shape):
        for a, b in np.ndindex(*w.shape):
            y[i, j] += x[i + a, j + b] * w[a, b]
    return y


def _by_im2col(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.asarray(im2col(x, len(w)) @ w.ravel()).reshape(np.subtract(x.shape, w.shape) + 1)


def _by_matrix(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    large = tf.nn.conv2d_matrix(tf.constant(w[:, :, None, None]), (*x.shape, 1)).toarray()
    return np.asarray(large @ x.ravel()).reshape(np.subtract(x.shape, w.shape) + 1)


def _by_tiles(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Winograd: tiles of 4 x 4 pixels, two apart."""
    m = len(x) - 2
    padded = np.pad(x, (0, m % 2))
    tiles = np.lib.stride_tricks.sliding_window_view(padded, (4, 4))[::2, ::2]
    made = winograd(tiles, w).transpose(0, 2, 1, 3)
    return np.asarray(made.reshape(m + m % 2, -1)[:m, :m])


WAYS: dict[str, Way] = {
    "loops": _by_loops,
    "im2col": _by_im2col,
    "W'": _by_matrix,
    "FFT": fft_conv,
    "Winograd": _by_tiles,
}


def cost(way: str, n: int, k: int) -> tuple[int, int]:
    """Multiplications, and bytes beside image, kernel and output, in float32."""
    m = n - k + 1
    tiles = (-(-m // 2)) ** 2
    return {
        "loops": (m * m * k * k, 0),
        "im2col": (m * m * k * k, 4 * m * m * k * k),
        "W'": (n * n * m * m, 4 * n * n * m * m),
        "FFT": (n * n, 4 * 8 * n * n),  # complex ones; four arrays of 8 bytes each
        "Winograd": (16 * tiles, 4 * (16 + 16 + 4) * tiles),  # before, after, and the outputs
    }[way]


def measured(way: str, x: np.ndarray, w: np.ndarray) -> int:
    """Bytes that a call holds at its peak, beside its output."""
    WAYS[way](x, w)  # what is kept for later calls is no cost of this one
    tracemalloc.start()
    y = WAYS[way](x, w)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - y.nbytes


def difference(way: str, x: np.ndarray, w: np.ndarray) -> float:
    """The largest from the engine."""
    return float(np.abs(WAYS[way](x, w) - _convolved(x, w)).max())


EXERCISES = (IM2COL, FFT_CONV, WINOGRAD)
