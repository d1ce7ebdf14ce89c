"""Lesson 7: a transposed convolution in three ways, and the kernel found again."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as tf
from minitensor.explain.text import number
from minitensor.lesson.exercise import Exercise, products, say_in

TITLE = ("Transposed convolution in three ways", "转置卷积的三种算法")

KERNEL = np.array([[-1, 2, -3], [4, -5, 6], [-7, 8, -9]], np.float32)
SMALL = np.array([[1, 2], [3, -5]], np.float32)


def _transposed(y: Any, w: Any, stride: int) -> np.ndarray:
    """By the engine: VALID, the smallest legal size."""
    h, width = ((n - 1) * stride + k for n, k in zip(y.shape, w.shape, strict=True))
    made = tf.nn.conv2d_transpose(
        y[None, :, :, None], w[:, :, None, None], [1, h, width, 1], stride, "VALID"
    )
    return np.asarray(made.numpy()[0, :, :, 0])


def _explained(y: Any, w: Any, stride: int) -> Any:
    return tf.explain("conv2d_transpose", y, w, strides=stride, padding="VALID")


# ----- scatter -----


def scatter(y, w, stride):
    """conv2d_transpose of y with the kernel w, VALID, the smallest size."""
    kh, kw = w.shape
    x = np.zeros(((y.shape[0] - 1) * stride + kh, (y.shape[1] - 1) * stride + kw))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            top, left = i * stride, j * stride
            x[top : top + kh, left : left + kw] += y[i, j] * w
    return x


def _scattered(y: np.ndarray, w: np.ndarray, stride: int, adds: bool) -> np.ndarray:
    kh, kw = w.shape
    x = np.zeros(((y.shape[0] - 1) * stride + kh, (y.shape[1] - 1) * stride + kw))
    for i, j in np.ndindex(*y.shape):
        place = np.s_[i * stride : i * stride + kh, j * stride : j * stride + kw]
        x[place] = adds * x[place] + y[i, j] * w
    return x


def _one_apart(y: np.ndarray, w: np.ndarray, stride: int) -> np.ndarray:
    """Of the right size, but the stamps lie one pixel apart."""
    x = np.zeros_like(scatter(y, w, stride))
    stamps = _scattered(y, w, 1, adds=True)
    x[: len(stamps), : len(stamps[0])] = stamps
    return x


SCATTER = Exercise(
    lesson="07",
    solution=scatter,
    cases=(
        (np.array([[-67, -77], [-117, -127]], np.float32), KERNEL, 2),
        (np.array([[-56, -61], [-76, -81]], np.float32), KERNEL, 1),
        (np.array([[1, 0, 2], [-1, 1, 0]], np.float32), SMALL, 3),
    ),
    expected=_transposed,
    terms=lambda arguments, index, lang: products(_explained(*arguments), index),
    mistakes=(
        (
            (
                "where stamps overlap, the last one overwrites the others: they must be added",
                "重叠处后印的覆盖了先印的: 应当相加",
            ),
            lambda y, w, stride: _scattered(y, w, stride, adds=False),
        ),
        (
            (
                "it turns the kernel; the stamp is the kernel as it is",
                "把卷积核旋转了; 印上去的应是原样的卷积核",
            ),
            lambda y, w, stride: _scattered(y, w[::-1, ::-1], stride, adds=True),
        ),
        (
            (
                "it never uses the stride: two stamps lie one pixel apart",
                "没有用到步幅: 相邻两次只移动了一个像素",
            ),
            lambda y, w, stride: _scattered(y, w, 1, adds=True),
        ),
        (
            (
                "the size is right, but the stamp of y[i, j] begins at row i, column j; stamps lie "
                "a stride apart",
                "尺寸对了, 但 y[i, j] 的印记是从第 i 行第 j 列开始的; 相邻印记应相隔一个步幅",
            ),
            _one_apart,
        ),
    ),
    hints=(
        (
            "How large is the result? The last stamp begins at (h - 1) * stride.",
            "结果有多大? 最后一个印记从 (h - 1) * stride 开始。",
        ),
        (
            "Go through the numbers of y. Number [i, j] stamps the whole kernel, times itself.",
            "逐个处理 y 的数。[i, j] 处的数把整个卷积核乘以自己, 印到结果上。",
        ),
        (
            "It is input_gradient of lesson 6, with stamps a stride apart.",
            "就是第 6 课的 input_gradient, 只是印记之间相隔一个步幅。",
        ),
    ),
)

# ----- matrix -----


def matrix(w, n):
    """W' of conv2d on n x n pixels, VALID, stride 1: y.ravel() = W' @ x.ravel()."""
    kh, kw = w.shape
    rows = []
    for i in range(n - kh + 1):
        for j in range(n - kw + 1):
            image = np.zeros((n, n))
            image[i : i + kh, j : j + kw] = w
            rows.append(image.ravel())
    return np.array(rows)


def _engine_matrix(w: np.ndarray, n: int) -> np.ndarray:
    """By the engine: column p is what the convolution makes of an image with a single 1 at p."""
    ones = np.eye(n * n, dtype=np.float32).reshape(n * n, n, n, 1)
    made = tf.nn.conv2d(ones, w[:, :, None, None], 1, "VALID").numpy()
    return np.asarray(made.reshape(n * n, -1).T)


def _entry(arguments: Any, index: Any, lang: str) -> str:
    w, n = arguments
    out = n - w.shape[1] + 1
    place, pixel = divmod(index[0], out), divmod(index[1], n)
    a, b = np.subtract(pixel, place)
    inside = 0 <= a < w.shape[0] and 0 <= b < w.shape[1]
    output, read = f"y[{place[0]}, {place[1]}]", f"x[{pixel[0]}, {pixel[1]}]"
    if not inside:
        return say_in(
            lang,
            f"row {index[0]} of W' is {output}, column {index[1]} is {read}, which lies outside "
            "that window",
            f"W' 的第 {index[0]} 行是 {output}, 第 {index[1]} 列是 {read}, 它不在这个窗口里",
        )
    weight = f"w[{a}, {b}] = {number(w[a, b])}"
    return say_in(
        lang,
        f"row {index[0]} of W' is {output}, column {index[1]} is {read}; in that window it lies "
        f"under {weight}",
        f"W' 的第 {index[0]} 行是 {output}, 第 {index[1]} 列是 {read}, 在这个窗口里它在 {weight} "
        "下面",
    )


def _one_step_each(w: np.ndarray, n: int) -> np.ndarray:
    """Every row is the first one, moved on by its number."""
    rows = matrix(w, n)
    return np.array([np.roll(rows[0], row) for row in range(len(rows))])


def _lines_of_the_output(w: np.ndarray, n: int) -> np.ndarray:
    """A window's next line begins as far on as a line of the output is long."""
    wide = n - w.shape[1] + 1
    rows = np.zeros_like(matrix(w, n))
    for row, entries in enumerate(rows):
        i, j = divmod(row, wide)
        for a, b in np.ndindex(*w.shape):
            entries[(i + a) * wide + j + b] = w[a, b]
    return rows


MATRIX = Exercise(
    lesson="07",
    solution=matrix,
    cases=((SMALL, 3), (KERNEL, 4), (np.array([[1, 2, 3]], np.float32), 3)),
    expected=_engine_matrix,
    terms=_entry,
    mistakes=(
        (
            (
                "each row lies one further than the last; at the end of a line of outputs the "
                "window jumps to the next line of the image",
                "每一行都只比上一行后移一个; 而一行输出结束时, 窗口要跳到图像的下一行",
            ),
            _one_step_each,
        ),
        (
            (
                "it is W' transposed: there must be a row for each output and a column for each "
                "pixel",
                "这是 W' 的转置: 每个输出一行, 每个像素一列",
            ),
            lambda w, n: matrix(w, n).T,
        ),
        (
            ("it turns the kernel", "把卷积核旋转了"),
            lambda w, n: matrix(w[::-1, ::-1], n),
        ),
        (
            (
                "every row is the first one; the window must move on",
                "每一行都与第一行相同; 窗口没有移动",
            ),
            lambda w, n: np.tile(matrix(w, n)[0], (len(matrix(w, n)), 1)),
        ),
        (
            (
                "it counts the pixels of a line as if the image were as wide as the output; "
                "x[p, q] is in column p * n + q",
                "把图像当成与输出一样宽了; x[p, q] 在第 p * n + q 列",
            ),
            _lines_of_the_output,
        ),
    ),
    hints=(
        (
            "Row r of W' says which pixels output r reads, and with which weights. All the "
            "others are 0.",
            "W' 的第 r 行说明第 r 个输出读哪些像素、权重是多少, 其余为 0。",
        ),
        (
            "Lay the kernel on an image of zeros at the place of the window; then ravel it.",
            "在全零图像上窗口所在处放上卷积核, 再展平。",
        ),
    ),
)

# ----- recover_kernel -----


def recover_kernel(y, x):
    """The 3 x 3 kernel with which x = conv2d_transpose(y), VALID, stride 1."""
    equations = []
    for p in range(x.shape[0]):
        for q in range(x.shape[1]):
            around = np.zeros((3, 3))
            for a in range(3):
                for b in range(3):
                    if 0 <= p - a < y.shape[0] and 0 <= q - b < y.shape[1]:
                        around[a, b] = y[p - a, q - b]
            equations.append(around.ravel())
    return np.linalg.lstsq(np.array(equations), x.ravel(), rcond=None)[0].reshape(3, 3)


PRINTED = np.array(
    [
        [1.896018, 26.08768, 57.787025, 34.44299],
        [24.278782, 89.65541, 82.10664, 14.191902],
        [1.3896465, 47.111137, -0.22128582, -53.176964],
        [-38.092247, -34.26138, -7.313441, -14.992759],
    ]
)  # the course's notebook prints it, and not the kernel
Y_PRINTED = np.array([[-56, -61], [-76, -81]], np.float32)
HIDDEN = {  # by the sum of y
    -274.0: np.array(
        [
            [-0.033857, -0.428971, -0.564639],
            [-0.387600, -0.547635, 0.517113],
            [0.501214, -0.083381, 0.185096],
        ]
    ),
    1.0: KERNEL.astype(float),
}


def _equation(arguments: Any, index: Any, lang: str) -> str:
    """The output whose first term has this weight, with all its terms."""
    y, x = arguments
    row, column = index
    terms: list[str] = []
    for i, j in np.ndindex(*y.shape):
        if row >= i and column >= j:
            value = f"({number(y[i, j])})" if terms and y[i, j] < 0 else number(y[i, j])
            terms.append(f"{value}·w[{row - i}, {column - j}]")
    return f"x[{row}, {column}] = {number(x[row, column])} = {' + '.join(terms)}"


RECOVER = Exercise(
    lesson="07",
    solution=recover_kernel,
    cases=((Y_PRINTED, PRINTED), (SMALL, _transposed(SMALL, KERNEL, 1))),
    expected=lambda y, x: HIDDEN[float(y.sum())],
    terms=_equation,
    mistakes=(
        (
            (
                "it divides by the first number of y alone; the other numbers stamp on the same "
                "pixels",
                "只除以 y 的第一个数; 其他数也印在同样的像素上",
            ),
            lambda y, x: x[:3, :3] / y[0, 0],
        ),
        (
            ("the kernel comes out turned by 180 degrees", "得到的卷积核旋转了 180 度"),
            lambda y, x: recover_kernel(y, x)[::-1, ::-1],
        ),
        (
            ("rows and columns of the kernel are exchanged", "卷积核的行和列互换了"),
            lambda y, x: recover_kernel(y, x).T,
        ),
    ),
    hints=(
        (
            "x has 16 numbers, the kernel 9. Each number of x is one linear equation in the nine "
            "weights.",
            "x 有 16 个数, 卷积核有 9 个。x 的每个数都是关于九个权重的一个线性方程。",
        ),
        (
            "x[p, q] is the sum of y[p-a, q-b] * w[a, b] over the a, b for which y has such a "
            "number.",
            "x[p, q] 是 y[p-a, q-b] * w[a, b] 之和, 只取 y 中有定义的 a、b。",
        ),
        (
            "np.linalg.lstsq(matrix, right_side, rcond=None)[0] solves more equations than "
            "unknowns.",
            "np.linalg.lstsq(矩阵, 右端, rcond=None)[0] 可解方程多于未知数的方程组。",
        ),
    ),
)

EXERCISES = (SCATTER, MATRIX, RECOVER)
