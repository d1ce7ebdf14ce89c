"""Lesson 9: pooling, and where its gradient goes."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson.exercises import pooling

    X = pooling.TIES


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
    lesson.text(
        lang,
        """
        # 9. Pooling

        A pool makes an image smaller without a single weight: of every window it keeps the largest
        number (*max pooling*) or the mean (*average pooling*).

        A window holds the numbers 5, 5, 5, 5, and its maximum is the loss. What is the gradient
        of the *second* 5?
        """,
        """
        # 9. 池化

        池化不用任何权重就能把图像变小: 每个窗口只留最大的数 (*最大池化*) 或平均值 (*平均池化*)。

        一个窗口里是 5、5、5、5, 损失就是其中的最大值。*第二个* 5 的梯度是多少?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    second = lesson.guess(lang, ["0", "1/4", "1"])
    second
    return (second,)


@app.cell(hide_code=True)
def _(lang, second):
    # the answer
    fives = np.full((2, 2), 5, "float32")
    assert pooling.MAX_POOL_GRADIENT.expected(
        fives, np.ones((1, 1), "float32"), 2
    ).ravel().tolist() == [1, 0, 0, 0]
    lesson.answer(
        lang,
        second,
        "0",
        """Of several equal numbers the first wins, and gets all of it: 1, 0, 0, 0. This is
        TensorFlow's rule; mathematics would allow others. After a ReLU such ties are common: all
        the zeros.""",
        """几个数相等时第一个获胜, 梯度全归它: 1、0、0、0。这是 TensorFlow 的约定,
        数学上也可以有别的约定。
        ReLU 之后常有这样的并列: 全是零。""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    row = lesson.slider(lang, 0, 1, 0, "row", "行")
    column = lesson.slider(lang, 0, 1, 0, "column", "列")
    kind = mo.ui.radio(["max_pool2d", "avg_pool2d"], value="max_pool2d", inline=True)
    mo.vstack(
        [
            lesson.text(
                lang,
                "## Run it, see it\n\nWindows of 2 x 2, stride 2. Choose one, and which pool.",
                "## 运行, 观察\n\n窗口 2 x 2, 步幅 2。选一个窗口, 再选一种池化。",
            ),
            row,
            column,
            kind,
        ]
    )
    return column, kind, row


@app.cell(hide_code=True)
def _(column, kind, lang, row):
    found = tf.explain(kind.value, X, 2, 2, "VALID", at=(row.value, column.value), lang=lang)
    found
    return (found,)


@app.cell(hide_code=True)
def _(lang):
    pixel_row = lesson.slider(lang, 0, 3, 1, "row of the pixel", "像素的行")
    pixel_column = lesson.slider(lang, 0, 3, 0, "column of the pixel", "像素的列")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## The way back

                The loss is the sum of all outputs. Which pixel gets what? Find the pixels with 0,
                and the
                tie in the first window: two pixels are 4. Then choose the other pool above.
                """,
                """
                ## 反向传播

                损失是所有输出之和。每个像素分到多少梯度? 找出梯度为 0 的像素,
                以及第一个窗口里的并列:
                有两个 4。然后在上面换成另一种池化。
                """,
            ),
            pixel_row,
            pixel_column,
        ]
    )
    return pixel_column, pixel_row


@app.cell(hide_code=True)
def _(kind, lang, pixel_column, pixel_row):
    place = (pixel_row.value, pixel_column.value)
    back = tf.explain(kind.value, X, 2, 2, "VALID", grad="input", at=place, lang=lang)
    back
    return (back,)


@app.cell(hide_code=True)
def _(lang):
    def pooled(function, numbers):
        x = np.array(numbers, "float32").reshape(1, 2, 2, 1)
        return float(function(x, 2, 2, "VALID").numpy().item())

    most, mean = tf.nn.max_pool2d, tf.nn.avg_pool2d
    assert (pooled(most, [1, -1, -1, -2]), pooled(mean, [1, -1, -1, -2])) == (1, -0.75)
    assert (pooled(most, [2, 0, 3, 1]), pooled(most, [-1, 0, -2, 2])) == (3, 2)
    assert most(tf.zeros((1, 16, 16, 3)), 2, 2, "VALID").shape == (1, 8, 8, 3)
    ones = np.ones((1, 3, 3, 1), "float32")
    assert np.allclose(mean(ones, 2, 2, "SAME").numpy(), 1)
    assert (
        tf.nn.conv2d(ones, np.full((2, 2, 1, 1), 0.25, "float32"), 2, "SAME").numpy()[0, 1, 1, 0]
        == 0.25
    )
    lesson.text(
        lang,
        """
        ## Break it

        - The window 1, -1, -1, -2: the maximum is 1, the mean -0.75. One course text prints
          max(2, 0, 3, 1) = 1. It is 3. And the window -1, 0, -2, 2 gives 2.
        - A pool works on each channel alone: 16 x 16 x 3 becomes 8 x 8 x 3.
        - SAME pads, but a pool must not read the zeros. Of an image of ones the mean is 1
        everywhere, in the corner too, where
          three of the four places are padding. An average made by a convolution with four weights
          of 1/4 gives 0.25
          there: a dark border that nobody painted. A maximum that reads zeros is wrong wherever
          all numbers are below 0.
        """,
        """
        ## 弄坏它

        - 窗口 1、-1、-1、-2: 最大值是 1, 平均值是 -0.75。有份教材印着 max(2, 0, 3, 1) = 1, 其实是
        3。
          窗口 -1、0、-2、2 得 2。
        - 池化对每个通道分别进行: 16 x 16 x 3 变成 8 x 8 x 3。
        - SAME 会填充, 但池化不能读填充的零。全 1 的图像, 平均值处处是 1, 角上四个位置有三个是填充,
        也不例外。
          用四个 1/4 的权重做卷积来求平均, 角上会得到 0.25: 凭空多出一道暗边。
          而读了零的最大值, 在窗口全是负数时就错了。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_max = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(lang, pooling.MAX_POOL, "Windows may overlap.", "窗口可以重叠。"),
            hints_max,
        ]
    )
    return (hints_max,)


@app.function
def max_pool(x, k, stride):
    """The largest of each k x k window, VALID; x (H, W)."""
    return ...


@app.cell(hide_code=True)
def _(hints_max, lang):
    lesson.check(lang, pooling.MAX_POOL, max_pool, hints_max.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_average = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                pooling.AVERAGE_SAME,
                "A line of numbers is enough: the mean of the real numbers of each window.",
                "一行数就够了: 每个窗口中真实的数的平均值。",
            ),
            hints_average,
        ]
    )
    return (hints_average,)


@app.function
def average_same(x, k, stride):
    """What avg_pool makes of a line x (n,) with padding SAME."""
    return ...


@app.cell(hide_code=True)
def _(hints_average, lang):
    lesson.check(lang, pooling.AVERAGE_SAME, average_same, hints_average.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_gradient = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                pooling.MAX_POOL_GRADIENT,
                "The way back, for windows that do not overlap.",
                "窗口不重叠时的反向传播。",
            ),
            hints_gradient,
        ]
    )
    return (hints_gradient,)


@app.function
def max_pool_gradient(x, g, k):
    """dL/dx of max_pool with stride k; g (h, w) is dL/dy."""
    return ...


@app.cell(hide_code=True)
def _(hints_gradient, lang):
    lesson.check(lang, pooling.MAX_POOL_GRADIENT, max_pool_gradient, hints_gradient.value)
    return


@app.cell(hide_code=True)
def _(lang):
    ask = lesson.compare_button(lang)
    mo.vstack(
        [
            lesson.text(
                lang,
                "## Compare\n\nDoes TensorFlow agree with both figures, ties included?",
                "## 对照\n\nTensorFlow 与两张图一致吗 (包括并列的情形)?",
            ),
            ask,
        ]
    )
    return (ask,)


@app.cell(hide_code=True)
def _(ask, back, found, lang):
    lesson.compare(lang, ask.value, found, back)
    return


@app.cell(hide_code=True)
def _(lang):
    lesson.text(
        lang,
        """
        ## Keep

        - No weights, each channel alone, padding is never read.
        - Max: the first of the largest gets the whole gradient. Average: all get the same share.
        """,
        """
        ## 记住

        - 没有权重, 各通道分开, 不读填充。
        - 最大池化: 梯度全归最大的数, 并列时归第一个。平均池化: 平分。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
