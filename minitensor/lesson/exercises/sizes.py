"""Lesson 2: how large an output is, and what SAME pads."""

from __future__ import annotations

from typing import Any

import minitensor as tf
from minitensor.lesson.exercise import Exercise, say_in
from minitensor.window import extent

TITLE = (
    "Sizes: stride, padding, and why SAME is lopsided",
    "尺寸: 步幅、填充, 以及 SAME 为何不对称",
)

# ----- output_size -----


def output_size(n, k, stride, dilation, pad):
    """How many windows of k taps fit on n pixels, with `pad` zeros in all."""
    span = (k - 1) * dilation + 1
    return (n + pad - span) // stride + 1


def _engine_size(n: int, k: int, stride: int, dilation: int, pad: int) -> int:
    """By the engine: a convolution of zeros along the height."""
    pads = [[0, 0], [0, pad], [0, 0], [0, 0]]
    image, kernel = tf.zeros((1, n, 1, 1)), tf.zeros((k, 1, 1, 1))
    return tf.nn.conv2d(image, kernel, [stride, 1], pads, dilations=[dilation, 1]).shape[1]


def _windows(arguments: Any, index: Any, lang: str) -> str:
    n, k, stride, dilation, pad = arguments
    span = extent(k, dilation)
    last = n + pad - 1
    starts = [s for s in range(0, n + pad, stride) if s + span - 1 <= last]
    listed = ", ".join(map(str, starts[:6])) + (" …" if len(starts) > 6 else "")
    beyond = starts[-1] + stride
    spans = zeros = ("", "")
    if dilation > 1:
        spans = (f"a window spans {span} pixels; ", f"一个窗口跨 {span} 个像素; ")
    if pad:
        zeros = (" (the zeros are counted, too)", " (补的零也计入)")
    return say_in(
        lang,
        f"{spans[0]}windows start at {listed}; one more would start at {beyond} and read pixel "
        f"{beyond + span - 1}, but the last pixel is {last}{zeros[0]}",
        f"{spans[1]}窗口起点为 {listed}; 再多一个, 起点为 {beyond}, 要读像素 {beyond + span - 1}, "
        f"而最后一个是像素 {last}{zeros[1]}",
    )


OUTPUT_SIZE = Exercise(
    lesson="02",
    solution=output_size,
    cases=(
        (5, 3, 2, 1, 0),
        (5, 3, 1, 1, 0),
        (6, 3, 2, 1, 0),
        (5, 3, 1, 1, 2),
        (7, 3, 1, 2, 0),
        (28, 5, 1, 1, 0),
        (32, 5, 3, 2, 3),
    ),
    expected=_engine_size,
    terms=_windows,
    mistakes=(
        (
            (
                "it counts the steps, and forgets the window before the first step",
                "只数了步数, 漏了第一步之前的那个窗口",
            ),
            lambda n, k, stride, dilation, pad: (n + pad - (k - 1) * dilation - 1) // stride,
        ),
        (
            (
                "it rounds up; a window that does not fit whole is not there",
                "向上取整了; 放不下的窗口不算",
            ),
            lambda n, k, stride, dilation, pad: (
                -(-(n + pad - (k - 1) * dilation - 1) // stride) + 1
            ),
        ),
        (
            (
                "it takes k taps to span k*dilation pixels; there are only k - 1 gaps",
                "把 k 个采样点的跨度当成 k*dilation; 间隔只有 k - 1 个",
            ),
            lambda n, k, stride, dilation, pad: (n + pad - k * dilation) // stride + 1,
        ),
        (
            (
                "it pads twice: `pad` is already both sides together",
                "填充算了两次: `pad` 已是两侧之和",
            ),
            lambda n, k, stride, dilation, pad: (
                (n + 2 * pad - (k - 1) * dilation - 1) // stride + 1
            ),
        ),
        (
            (
                "it leaves out the dilation: taps `dilation` pixels apart span more than k pixels",
                "没有考虑膨胀率: 采样点相隔 `dilation` 个像素时, 跨度不止 k 个像素",
            ),
            lambda n, k, stride, dilation, pad: (n + pad - k) // stride + 1,
        ),
        (
            (
                "it leaves out the zeros: `pad` makes the line longer",
                "没有算上补的零: 补零会加长这一行",
            ),
            lambda n, k, stride, dilation, pad: (n - (k - 1) * dilation - 1) // stride + 1,
        ),
        (
            (
                "it leaves out the stride: not every pixel begins a window",
                "没有考虑步幅: 并非每个像素都是窗口的起点",
            ),
            lambda n, k, stride, dilation, pad: n + pad - (k - 1) * dilation,
        ),
        (
            (
                "it does not round down: only whole windows count",
                "没有向下取整: 只有完整的窗口才算",
            ),
            lambda n, k, stride, dilation, pad: (n + pad - (k - 1) * dilation - 1) / stride + 1,
        ),
    ),
    hints=(
        (
            "First: how many pixels does one window span, from its first tap to its last?",
            "先想: 一个窗口从第一个采样点到最后一个采样点跨多少个像素?",
        ),
        (
            "The first window starts at 0. How far to the right may the last one start?",
            "第一个窗口从 0 开始。最后一个窗口最远能从哪里开始?",
        ),
        (
            "Between those two, one step per stride; Python's // rounds down.",
            "两者之间每个步幅走一步; Python 的 // 向下取整。",
        ),
    ),
)

# ----- same_pads -----


def same_pads(n, k, stride):
    """Zeros that TensorFlow's SAME puts before and after n pixels."""
    out = -(-n // stride)
    total = max((out - 1) * stride + k - n, 0)
    return total // 2, total - total // 2


def _engine_pads(n: int, k: int, stride: int) -> tuple[int, int]:
    """By the engine: the pads with which VALID gives the numbers of SAME, found by trying."""
    image = tf.reshape(tf.range(1.0, n + 1), (1, n, 1, 1))
    kernel = tf.reshape(tf.range(1.0, k + 1), (k, 1, 1, 1))
    wanted = tf.nn.conv2d(image, kernel, [stride, 1], "SAME").numpy().tolist()
    for total in range(k + stride):
        pads = (total // 2, total - total // 2)
        sides = [[0, 0], list(pads), [0, 0], [0, 0]]
        if n + total >= k and (
            tf.nn.conv2d(image, kernel, [stride, 1], sides).numpy().tolist() == wanted
        ):
            return pads
    raise ArithmeticError(f"no padding of {n} pixels gives SAME")


def _covered(arguments: Any, index: Any, lang: str) -> str:
    n, k, stride = arguments
    out = len(range(0, n, stride))
    reached = (out - 1) * stride + k
    return say_in(
        lang,
        f"SAME makes {out} windows here; from the first pixel of the first to the last pixel of "
        f"the last they need {reached} pixels, and the image has {n}",
        f"SAME 在这里要 {out} 个窗口; 从第一个窗口的首像素到最后一个窗口的末像素共需 {reached} "
        f"个像素, 图像有 {n} 个",
    )


def _shared(total: int) -> tuple[int, int]:
    return total // 2, total - total // 2


def _rule_of_the_text(n: int, k: int, stride: int) -> tuple[int, int]:
    return _shared(-n % stride)


SAME_PADS = Exercise(
    lesson="02",
    solution=same_pads,
    cases=(
        (32, 3, 2),
        (5, 3, 1),
        (28, 5, 2),
        (224, 7, 2),
        (15, 3, 2),
        (5, 3, 3),
        (5, 1, 3),
        (6, 2, 1),
    ),
    expected=_engine_pads,
    terms=_covered,
    mistakes=(
        (
            (
                "the odd pixel goes before; TensorFlow puts it after",
                "多出的一个像素补在前面; TensorFlow 补在后面",
            ),
            lambda n, k, stride: same_pads(n, k, stride)[::-1],
        ),
        (
            ("it pads k - 1 whatever the stride is", "不论步幅, 都补 k - 1 个"),
            lambda n, k, stride: _shared(k - 1),
        ),
        (
            (
                "it fills up to a multiple of the stride, and never looks at the kernel",
                "补到步幅的整数倍, 没有考虑卷积核",
            ),
            _rule_of_the_text,
        ),
        (
            (
                "it rounds the number of windows down; SAME rounds n / stride up",
                "窗口数向下取整了; SAME 对 n / stride 是向上取整",
            ),
            lambda n, k, stride: _shared(max((n // stride - 1) * stride + k - n, 0)),
        ),
        (
            (
                "it takes one step too many: the first of m windows begins at 0, the last at "
                "(m - 1) * stride",
                "多走了一步: m 个窗口中第一个从 0 开始, 最后一个从 (m - 1) * stride 开始",
            ),
            lambda n, k, stride: _shared(max(-(-n // stride) * stride + k - n, 0)),
        ),
        (
            (
                "it divides a zero in two; where their number is odd, one more goes after",
                "把一个零分成了两半; 总数为奇数时, 后面多补一个",
            ),
            lambda n, k, stride: (sum(same_pads(n, k, stride)) / 2,) * 2,
        ),
        (
            (
                "it pads a negative number of pixels where the windows need fewer than there are",
                "窗口用不完像素时, 补了负数个",
            ),
            lambda n, k, stride: _shared((-(-n // stride) - 1) * stride + k - n),
        ),
    ),
    hints=(
        (
            "SAME fixes the number of windows first: n / stride, rounded up.",
            "SAME 先定窗口数: n / stride 向上取整。",
        ),
        (
            "How many pixels do so many windows need? What is missing is padded.",
            "这么多窗口需要多少像素? 缺多少补多少。",
        ),
        (
            "Half of it goes before, rounded down. And nothing is ever cut off.",
            "前面补一半 (向下取整), 其余补后面; 且不会裁掉像素。",
        ),
    ),
)

EXERCISES = (OUTPUT_SIZE, SAME_PADS)
