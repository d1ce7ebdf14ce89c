"""Lesson 3: one window by hand, and which of the two operations it is."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.explain.presets import PRESETS
    from minitensor.lesson.exercises import window

    DIGIT = np.array(PRESETS["A002-2"][1]["input"], "float32")
    KERNEL = window.DIGIT_KERNEL
    PIXELS = np.array([[1, -1, 0], [-1, -2, 2], [1, 2, -2]], "float32")
    WEIGHTS = np.array([[-1, 1, 2], [1, -1, 3], [0, -1, -2]], "float32")


@app.cell(hide_code=True)
def _():
    switch = lesson.switch()
    switch
    return (switch,)


@app.cell(hide_code=True)
def _(switch):
    lang = switch.value
    return (lang,)


@app.cell(hide_code=True)
def _(lang):
    assert PIXELS.tolist() == [[1, -1, 0], [-1, -2, 2], [1, 2, -2]]
    assert WEIGHTS.tolist() == [[-1, 1, 2], [1, -1, 3], [0, -1, -2]]
    lesson.text(
        lang,
        """
        # 3. One window by hand

        A window of nine pixels, and a kernel of nine weights:

        | pixels | | | | weights | | |
        |---|---|---|---|---|---|---|
        | 1 | -1 | 0 | | -1 | 1 | 2 |
        | -1 | -2 | 2 | | 1 | -1 | 3 |
        | 1 | 2 | -2 | | 0 | -1 | -2 |

        Multiply each pixel with the weight in the same place, and add the nine products. On paper!
        """,
        """
        # 3. 手算一个窗口

        窗口里有九个像素, 卷积核有九个权重:

        | 像素 | | | | 权重 | | |
        |---|---|---|---|---|---|---|
        | 1 | -1 | 0 | | -1 | 1 | 2 |
        | -1 | -2 | 2 | | 1 | -1 | 3 |
        | 1 | 2 | -2 | | 0 | -1 | -2 |

        每个像素乘以同一位置的权重, 再把九个乘积加起来。请在纸上算!
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    total = lesson.guess(lang, [-3, 1, 7, 11])
    total
    return (total,)


@app.cell(hide_code=True)
def _(lang, total):
    # the answer
    assert (PIXELS * WEIGHTS).tolist() == [[-1, -1, 0], [-1, 2, 6], [0, -2, 4]]
    assert tf.explain("conv2d", PIXELS, WEIGHTS).value == 7
    lesson.answer(
        lang,
        total,
        7,
        """The products are -1, -1, 0, then -1, 2, 6, then 0, -2, 4. Signs are where most go
        wrong, and some printed course texts have lost theirs.""",
        """乘积是 -1、-1、0, 然后 -1、2、6, 再然后 0、-2、4。最容易错的是符号,
        有些教材印刷时就把负号弄丢了。""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    row = lesson.slider(lang, 0, 4, 0, "row", "行")
    column = lesson.slider(lang, 0, 4, 0, "column", "列")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Run it, see it

                A picture of 7 x 7, a kernel of 3 x 3, and a *bias* of 1, which is added to every
                sum.
                Choose an output, cover the sum with your hand, and compute it.
                """,
                """
                ## 运行, 观察

                图像 7 x 7, 卷积核 3 x 3, *偏置*为 1 (加到每个和上)。选一个输出, 用手遮住结果,
                自己算一遍。
                """,
            ),
            row,
            column,
        ]
    )
    return column, row


@app.cell(hide_code=True)
def _(column, lang, row):
    found = tf.explain("conv2d", DIGIT, KERNEL, bias=[1], at=(row.value, column.value), lang=lang)
    found
    return (found,)


@app.cell(hide_code=True)
def _(lang):
    assert (DIGIT.size, KERNEL.size) == (49, 9)
    shifted = np.zeros((7, 7), "float32")
    shifted[:, 1:] = DIGIT[:, :-1]
    before, after = (
        window.CONV2D.expected(DIGIT, KERNEL, 1),
        window.CONV2D.expected(shifted, KERNEL, 1),
    )
    assert np.array_equal(before[:, :-1], after[:, 1:])
    lesson.text(
        lang,
        """
        ## Why the same weights everywhere

        A dense neuron that reads the picture has 49 weights and a bias. This kernel has 9 and a
        bias, for all 25 outputs together. And if the picture moves one pixel to the right, the
        outputs
        move with it, and are otherwise the same: what was learned in one place is known in all.
        """,
        """
        ## 为什么处处用同一组权重

        读整幅图像的全连接神经元有 49 个权重和一个偏置。这个卷积核只有 9 个权重和一个偏置, 25
        个输出共用。
        而且图像右移一个像素, 输出也跟着右移, 数值不变: 在一处学到的, 处处都会用。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    assert (
        np.convolve([1, 2], [3, 4]).tolist() == np.convolve([3, 4], [1, 2]).tolist() == [3, 10, 8]
    )
    assert np.correlate([1, 2], [3, 4], "full").tolist() == [4, 11, 6]
    assert np.correlate([3, 4], [1, 2], "full").tolist() == [6, 11, 4]
    assert window.CONV2D.expected(DIGIT, KERNEL, 1)[0, 0] + 1 == 6
    assert window.TRUE_CONVOLUTION.expected(DIGIT, KERNEL)[0, 0] + 1 == 2
    lesson.text(
        lang,
        """
        ## Break it: the operation with the wrong name

        In mathematics the *convolution* of two lists turns one of them round before it slides.
        Turn it, and
        the order no longer matters: [1, 2] with [3, 4] gives 3, 10, 8, and so does [3, 4] with
        [1, 2]. Without turning, the operation is called *cross-correlation*, and the order matters:
        4, 11, 6 one way, 6, 11, 4 the other.

        `tf.nn.conv2d`, `Conv2D`, PyTorch: all of them correlate. A network learns its weights
        anyway, turned or not.
        It matters when weights come from elsewhere: from a text on image processing, from
        `scipy.signal.convolve2d`, from you. In the figure above the first output is 6; with the
        kernel turned it is 2.
        """,
        """
        ## 弄坏它: 名不副实的运算

        数学上两个序列的*卷积*, 要先把其中一个反转再滑动。反转之后次序无关: [1, 2] 与 [3, 4] 得 3、
        10、8,
        [3, 4] 与 [1, 2] 也一样。不反转的运算叫*互相关*, 次序有关: 一种次序得 4、11、6, 另一种得
        6、11、4。

        `tf.nn.conv2d`、`Conv2D`、PyTorch 做的都是互相关。权重反正要学, 反转与否对网络没有区别。
        但权重来自别处时就有区别: 图像处理教材、`scipy.signal.convolve2d`, 或你自己写的。
        上图的第一个输出是 6; 旋转卷积核之后是 2。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_conv = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                window.CONV2D,
                "The whole of it, with two loops: `x` and `w` are NumPy matrices.",
                "完整的卷积, 用两层循环: `x` 和 `w` 是 NumPy 矩阵。",
            ),
            hints_conv,
        ]
    )
    return (hints_conv,)


@app.function
def conv2d(x, w, stride):
    """What tf.nn.conv2d computes: x (H, W) under the kernel w, VALID."""
    return ...


@app.cell(hide_code=True)
def _(hints_conv, lang):
    lesson.check(lang, window.CONV2D, conv2d, hints_conv.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_true = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                window.TRUE_CONVOLUTION,
                "And the operation that deserves the name. You may call your `conv2d`.",
                "再实现名副其实的卷积。可以调用你写的 `conv2d`。",
            ),
            hints_true,
        ]
    )
    return (hints_true,)


@app.function
def true_convolution(x, w):
    """The convolution of mathematics, VALID, stride 1."""
    return ...


@app.cell(hide_code=True)
def _(hints_true, lang):
    lesson.check(lang, window.TRUE_CONVOLUTION, true_convolution, hints_true.value)
    return


@app.cell(hide_code=True)
def _(lang):
    ask = lesson.compare_button(lang)
    mo.vstack(
        [
            lesson.text(
                lang,
                "## Compare\n\nDoes TensorFlow compute what the figure shows?",
                "## 对照\n\nTensorFlow 算出的与上图一致吗?",
            ),
            ask,
        ]
    )
    return (ask,)


@app.cell(hide_code=True)
def _(ask, found, lang):
    lesson.compare(lang, ask.value, found)
    return


@app.cell(hide_code=True)
def _(lang):
    lesson.text(
        lang,
        """
        ## Keep

        - An output is a sum of products, in place, plus the bias.
        - One kernel for all places: few weights, and what moves in the image moves in the output.
        - What networks call convolution is correlation; turn the kernel by 180 degrees, and it is
        the other.
        """,
        """
        ## 记住

        - 一个输出 = 对应位置的乘积之和 + 偏置。
        - 处处共用一个卷积核: 权重少, 且图像平移, 输出随之平移。
        - 神经网络所说的卷积是互相关; 把卷积核旋转 180 度, 就是数学上的卷积。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
