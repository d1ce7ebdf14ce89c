"""Lesson 9: pooling, forward and back."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as tf
from minitensor.explain.text import number
from minitensor.lesson.exercise import Exercise, say_in

TITLE = ("Pooling, forward and back", "池化: 正向与反向")

TIES = np.array([[1, 3, 2, 0], [4, 4, 1, 2], [0, 1, 5, 2], [2, 0, 1, 1]], np.float32)
BELOW = -(np.arange(25, dtype=np.float32) ** 2 % 11).reshape(5, 5) - 1

# ----- max_pool -----


def max_pool(x, k, stride):
    """The largest of each k x k window, VALID; x (H, W)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k))
    return windows[::stride, ::stride].max(axis=(2, 3))


def _engine_max(x: Any, k: int, stride: int) -> np.ndarray:
    return np.asarray(tf.nn.max_pool2d(x[None, :, :, None], k, stride, "VALID").numpy()[0, :, :, 0])


def _window(x: np.ndarray, k: int, stride: int, index: Any) -> list[str]:
    """The numbers of a window."""
    top, left = index[0] * stride, index[1] * stride
    return [number(v) for v in x[top : top + k, left : left + k].ravel()]


def _max_terms(arguments: Any, index: Any, lang: str) -> str:
    x, k, stride = arguments
    listed = ", ".join(_window(x, k, stride, index))
    return say_in(lang, f"the largest of {listed}", f"{listed} 中最大的")


MAX_POOL = Exercise(
    lesson="09",
    solution=max_pool,
    cases=((TIES, 2, 2), (BELOW, 3, 2), (BELOW, 2, 1)),
    expected=_engine_max,
    terms=_max_terms,
    mistakes=(
        (
            (
                "it begins the search at 0, and never finds a largest number below 0",
                "从 0 开始找最大值, 窗口里全是负数时就错了",
            ),
            lambda x, k, stride: np.maximum(max_pool(x, k, stride), 0),
        ),
        (
            ("it takes the mean: that is average pooling", "取了平均: 那是平均池化"),
            lambda x, k, stride: np.lib.stride_tricks.sliding_window_view(x, (k, k))[
                ::stride, ::stride
            ].mean((2, 3)),
        ),
        (
            (
                "it takes stride for k: windows that overlap are legal",
                "把步幅当成了 k: 窗口可以重叠",
            ),
            lambda x, k, stride: max_pool(x, k, k),
        ),
    ),
    hints=(
        (
            "How many windows fit? Lesson 2. Where does window [i, j] begin?",
            "放得下几个窗口? 见第 2 课。窗口 [i, j] 从哪里开始?",
        ),
        ("x[a:b, c:d].max() is the largest of a window.", "x[a:b, c:d].max() 是窗口中最大的数。"),
    ),
)

# ----- average_same -----


def average_same(x, k, stride):
    """What avg_pool makes of a line x (n,) with padding SAME."""
    out = -(-len(x) // stride)
    before = max((out - 1) * stride + k - len(x), 0) // 2
    starts = [i * stride - before for i in range(out)]
    return np.array([x[max(s, 0) : s + k].mean() for s in starts])


def _engine_average(x: Any, k: int, stride: int) -> np.ndarray:
    made = tf.nn.avg_pool2d(x[None, :, None, None], [k, 1], [stride, 1], "SAME").numpy()
    return np.asarray(made.ravel())


def _average_terms(arguments: Any, index: Any, lang: str) -> str:
    x, k, stride = arguments
    found = tf.explain("avg_pool2d", x[:, None], [k, 1], [stride, 1], "SAME")
    real = [number(t.cells[0].value) for t in found.terms((index[0], 0)) if t.real]
    listed = " + ".join(real)
    return say_in(
        lang,
        f"({listed})/{len(real)}, for {len(real)} of the {k} places hold a real number",
        f"({listed})/{len(real)}, 因为 {k} 个位置中有 {len(real)} 个是真实的数",
    )


def _by_k(x: np.ndarray, k: int, stride: int) -> np.ndarray:
    """The sum divided by k, zeros of the padding counted."""
    filters = np.ones((k, 1, 1, 1), np.float32) / k
    return np.asarray(
        tf.nn.conv2d(x[None, :, None, None], filters, [stride, 1], "SAME").numpy().ravel()
    )


AVERAGE_SAME = Exercise(
    lesson="09",
    solution=average_same,
    cases=(
        (np.array([1, 2, 3, 4, 5], np.float32), 2, 2),
        (np.array([4, 0, 2, 6, 1, 3], np.float32), 3, 1),
        (np.array([4, 0, 2, 6, 1, 3], np.float32), 3, 2),
    ),
    expected=_engine_average,
    terms=_average_terms,
    mistakes=(
        (
            (
                "it counts the zeros of the padding as numbers: always divided by k",
                "把填充的零也算作数: 总是除以 k",
            ),
            _by_k,
        ),
        (
            ("it pads nothing: that is VALID", "没有填充: 那是 VALID"),
            lambda x, k, stride: np.lib.stride_tricks.sliding_window_view(x, k)[::stride].mean(1),
        ),
        (
            (
                "the odd zero goes before; TensorFlow puts it after",
                "多出的一个零补在了前面; TensorFlow 补在后面",
            ),
            lambda x, k, stride: average_same(x[::-1], k, stride)[::-1],
        ),
    ),
    hints=(
        (
            "How many windows, and how many zeros before? Lesson 2.",
            "几个窗口? 前面补几个零? 见第 2 课。",
        ),
        (
            "A slice of an array ends at its end by itself: x[4:9].mean() is the mean of what is "
            "there.",
            "切片会自动在数组末尾截止: x[4:9].mean() 只对存在的数求平均。",
        ),
    ),
)

# ----- max_pool_gradient -----


def max_pool_gradient(x, g, k):
    """dL/dx of max_pool with stride k; g (h, w) is dL/dy."""
    dx = np.zeros_like(x)
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            window = x[i * k : i * k + k, j * k : j * k + k]
            row, column = divmod(window.argmax(), k)
            dx[i * k + row, j * k + column] += g[i, j]
    return dx


def _engine_gradient(x: Any, g: Any, k: int) -> np.ndarray:
    held = tf.constant(x[None, :, :, None])
    with tf.GradientTape() as tape:
        tape.watch(held)
        loss = tf.reduce_sum(tf.nn.max_pool2d(held, k, k, "VALID") * g[None, :, :, None])
    return np.asarray(tape.gradient(loss, held).numpy()[0, :, :, 0])


def _gradient_terms(arguments: Any, index: Any, lang: str) -> str:
    x, g, k = arguments
    place = (index[0] // k, index[1] // k)
    listed, own = ", ".join(_window(x, k, k, place)), number(x[index])
    return say_in(
        lang,
        f"it is {own} in the window {listed}, whose gradient {number(g[place])} goes to one number",
        f"它是窗口 {listed} 中的 {own}, 窗口的梯度 {number(g[place])} 只给一个数",
    )


def _shared(x: np.ndarray, g: np.ndarray, k: int, ties: str) -> np.ndarray:
    dx = np.zeros_like(x)
    for i, j in np.ndindex(*g.shape):
        place = np.s_[i * k : i * k + k, j * k : j * k + k]
        if ties == "spread":
            dx[place] = g[i, j] / k**2
        elif ties == "all":
            dx[place] = (x[place] == x[place].max()) * g[i, j]
        else:
            turned = x[place][::-1, ::-1]
            row, column = divmod(int(turned.argmax()), k)
            dx[i * k + k - 1 - row, j * k + k - 1 - column] = g[i, j]
    return dx


MAX_POOL_GRADIENT = Exercise(
    lesson="09",
    solution=max_pool_gradient,
    cases=(
        (TIES, np.array([[1, 2], [3, -4]], np.float32), 2),
        (np.ones((2, 2), np.float32), np.array([[5]], np.float32), 2),
    ),
    expected=_engine_gradient,
    terms=_gradient_terms,
    mistakes=(
        (
            (
                "all of several equal largest numbers get the gradient: only the first does",
                "几个数并列最大时都得到了梯度: 应只给第一个",
            ),
            lambda x, g, k: _shared(x, g, k, "all"),
        ),
        (
            (
                "it spreads the gradient over the window: that is the way back of average pooling",
                "把梯度平分给整个窗口: 那是平均池化的反向传播",
            ),
            lambda x, g, k: _shared(x, g, k, "spread"),
        ),
        (
            (
                "of several equal largest numbers the last one gets it: TensorFlow gives it to "
                "the first",
                "几个数并列最大时给了最后一个: TensorFlow 给第一个",
            ),
            lambda x, g, k: _shared(x, g, k, "last"),
        ),
    ),
    hints=(
        (
            "Only the number that won had a say in the output. All others get 0.",
            "只有获胜的数影响了输出, 其余梯度为 0。",
        ),
        (
            "window.argmax() counts row by row, and names the first of equals; divmod(that, k) "
            "is its row and column.",
            "window.argmax() 按行数, 并列时取第一个; divmod(它, k) 得到行和列。",
        ),
    ),
)

EXERCISES = (MAX_POOL, AVERAGE_SAME, MAX_POOL_GRADIENT)
