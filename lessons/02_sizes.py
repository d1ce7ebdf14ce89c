"""Lesson 2: how large an output is, and why SAME pads one side more than the other."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson.exercises import sizes


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
        # 2. Sizes

        A *kernel* is a small table of weights. It is laid on an image; each weight is multiplied
        with the pixel under it, and the sum is one number of the output. Then the kernel moves on.
        The pixels under it are called its *window*.

        How far it moves is the *stride*. How many numbers come out?

        An image is 5 pixels wide, a kernel 3, the stride is 2.
        """,
        """
        # 2. 尺寸

        *卷积核*是一小张权重表。把它放在图像上, 每个权重乘以它下面的像素, 加起来就是输出的一个数;
        然后卷积核移到下一处。它盖住的像素叫做*窗口*。

        每次移动的距离叫做*步幅*。输出一共有多少个数?

        图像宽 5 个像素, 卷积核宽 3, 步幅为 2。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    width = lesson.guess(lang, [1, 2, 3, 5])
    width
    return (width,)


@app.cell(hide_code=True)
def _(lang, width):
    # the answer
    assert tf.nn.conv2d(tf.ones((1, 5, 5, 1)), tf.ones((3, 3, 1, 1)), 2, "VALID").shape[1] == 2
    lesson.answer(
        lang,
        width,
        2,
        """The first window reads the pixels 0, 1, 2; the second 2, 3, 4. A third would begin at
        pixel 4 and need pixels 5 and 6, which are not there.""",
        """第一个窗口读第 0、1、2 个像素, 第二个读第 2、3、4 个。第三个要从第 4 个开始,
        还需要第 5、6 个像素, 可是没有了。""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    n = lesson.slider(lang, 3, 9, 5, "image", "图像")
    k = lesson.slider(lang, 1, 3, 3, "kernel", "卷积核")
    stride = lesson.slider(lang, 1, 3, 2, "stride", "步幅")
    padding = mo.ui.radio(
        ["VALID", "SAME"], value="VALID", label=lesson.say(lang, "padding", "填充"), inline=True
    )
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Run it, see it

                Move the sliders. The cells outlined are the last window, and the numbers below are
                the sum that it makes. Hatched cells are zeros that were added: the *padding*.
                """,
                """
                ## 运行, 观察

                拖动滑块。描边的格子是最后一个窗口, 下面是它的乘积之和。
                画斜线的格子是补上的零, 即*填充*。
                """,
            ),
            n,
            k,
            stride,
            padding,
        ]
    )
    return k, n, padding, stride


@app.cell(hide_code=True)
def _(k, lang, n, padding, stride):
    image = np.arange(1, n.value**2 + 1).reshape(n.value, n.value)
    kernel = np.ones((k.value, k.value), int)
    last = (
        tf.nn.conv2d(
            image[None, :, :, None].astype("float32"),
            kernel[:, :, None, None].astype("float32"),
            stride.value,
            padding.value,
        ).shape[1]
        - 1
    )
    found = tf.explain(
        "conv2d", image, kernel, stride.value, padding.value, at=(last, last), lang=lang
    )
    found
    return (found,)


@app.cell(hide_code=True)
def _(lang):
    def size(n, k, stride=1, padding="VALID"):
        x, w = tf.zeros((1, n, n, 1)), tf.zeros((k, k, 1, 1))
        return tf.nn.conv2d(x, w, stride, padding).shape[1]

    one = [[0, 0], [1, 1], [1, 1], [0, 0]]
    assert (size(5, 3), size(5, 3, 1, one), size(5, 3, 3, "SAME")) == (3, 5, 2)
    assert (size(32, 5), size(28, 3), size(13, 3)) == (28, 26, 11)
    lesson.text(
        lang,
        """
        ## The two words

        **VALID** pads nothing: only windows that lie whole on the image count.
        **SAME** pads so much that the output has `n / stride` numbers, rounded up: with stride 1
        the
        *same* as the image. You may also say how many zeros you want on each side.

        | image | kernel | stride | padding | output |
        |---|---|---|---|---|
        | 5 | 3 | 1 | VALID | 3 |
        | 5 | 3 | 1 | one zero on each side | 5 |
        | 5 | 3 | 3 | SAME | 2 |
        | 32 | 5 | 1 | VALID | 28 |
        | 28 | 3 | 1 | VALID | 26 |
        | 13 | 3 | 1 | VALID | 11 |
        """,
        """
        ## 两个词

        **VALID** 什么都不补: 只有完整落在图像上的窗口才算。
        **SAME** 补到输出恰有 `n / stride` (向上取整) 个数: 步幅为 1 时与图像*同样*大。
        也可以直接指定每侧补几个零。

        | 图像 | 卷积核 | 步幅 | 填充 | 输出 |
        |---|---|---|---|---|
        | 5 | 3 | 1 | VALID | 3 |
        | 5 | 3 | 1 | 每侧补一个零 | 5 |
        | 5 | 3 | 3 | SAME | 2 |
        | 32 | 5 | 1 | VALID | 28 |
        | 28 | 3 | 1 | VALID | 26 |
        | 13 | 3 | 1 | VALID | 11 |
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    def pads(n, k, stride):
        found = tf.explain("conv2d", np.ones((n, 1)), np.ones((k, 1)), [stride, 1], "SAME")
        return found.map.links.plane.pad[0]

    assert [pads(32, 3, 2), pads(28, 5, 2), pads(224, 7, 2)] == [(0, 1), (1, 2), (2, 3)]
    assert pads(15, 3, 2) == (1, 1)
    lesson.text(
        lang,
        """
        ## Why SAME is lopsided

        An image of 32 pixels, a kernel of 3, stride 2: 16 windows. They begin at 0, 2, …, 30, so
        the last one reads pixel 32. There are pixels 0 to 31: *one* zero is missing, and one zero
        cannot be shared by two sides. TensorFlow puts it **after**. So 32 pixels get 0 zeros
        before and 1 after; 28 with a kernel of 5 get 1 and 2; 224 with a kernel of 7 get 2 and 3.
        An odd image may come out even: 15 with a kernel of 3 gets 1 and 1.

        PyTorch users write `padding=1` and get 1 before and 1 after. The output has the same size,
        and other numbers: every window lies one pixel further left.
        """,
        """
        ## SAME 为何不对称

        图像 32 个像素, 卷积核 3, 步幅 2: 共 16 个窗口, 起点是 0、2、…、30, 最后一个要读第 32
        个像素。
        而像素只有第 0 到 31 个: 缺*一个*零, 一个零没法两侧平分。TensorFlow 把它补在**后面**。
        所以 32 个像素是前补 0 后补 1; 28 个像素、卷积核 5 是 1 和 2; 224 个像素、卷积核 7 是 2 和
        3。
        图像宽度为奇数时也可能对称: 15 个像素、卷积核 3 是 1 和 1。

        用 PyTorch 的人写 `padding=1`, 得到前补 1 后补 1: 输出尺寸相同, 数却不同,
        因为每个窗口都向左偏了一个像素。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    line = np.arange(1.0, 7).reshape(1, 6, 1, 1).astype("float32")
    three = np.ones((3, 1, 1, 1), "float32")
    same = tf.nn.conv2d(line, three, [2, 1], "SAME").numpy().ravel()
    both = tf.nn.conv2d(line, three, [2, 1], [[0, 0], [1, 1], [0, 0], [0, 0]]).numpy().ravel()
    assert same.tolist() == [6, 12, 11]
    assert both.tolist() == [3, 9, 15]

    def text_rule(n, k, stride):
        return -n % stride

    trials = [(n, k, s) for n in range(1, 10) for k in range(1, 6) for s in range(1, 5)]
    wrong = [t for t in trials if text_rule(*t) != sum(sizes.SAME_PADS.expected(*t))]
    assert (5, 3, 3) not in wrong
    assert (5, 1, 3) in wrong
    assert (len(trials), len(wrong)) == (180, 128)
    lesson.text(
        lang,
        """
        ## Break it

        The pixels 1 2 3 4 5 6 under the kernel 1 1 1, stride 2. SAME gives **6 12 11**. One zero
        on *each* side gives **3 9 15**: three numbers again, and not one of them is right.
        Weights that
        were trained with one convention and run with the other fail in this way, without an error.

        One course text says: SAME "pads to the smallest number that the stride divides"; 5 pixels
        with stride 3 become 6. For a kernel of 3 that is true. For a kernel of 1 nothing is padded
        at all, for the window never leaves the image. Of 180 cases (images to 9, kernels to 5,
        strides to 4)
        the rule is wrong in 128.
        """,
        """
        ## 弄坏它

        像素 1 2 3 4 5 6, 卷积核 1 1 1, 步幅 2。SAME 得 **6 12 11**。若*每侧*各补一个零, 得 **3 9
        15**:
        同样三个数, 没有一个对。用一种约定训练的权重放到另一种约定下运行, 就会这样出错, 而且不报错。

        有一份教材说: SAME "补到能被步幅整除的最小整数", 5 个像素、步幅 3 时补成 6。卷积核为 3
        时碰巧正确;
        卷积核为 1 时根本不补, 因为窗口不会超出图像。
        在 180 种情形 (图像不超过 9, 卷积核不超过 5, 步幅不超过 4) 中, 这条规则错了 128 种。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_size = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                sizes.OUTPUT_SIZE,
                """`n` pixels, `k` taps that are `dilation` pixels apart, `pad` zeros in all (both
                sides together). With dilation 2 a kernel of 3 reads every second pixel. Write over
                the `...` in the cell below, and run it.""",
                """图像 `n` 个像素, 卷积核 `k` 个点, 相邻两点相隔 `dilation` 个像素, 两侧一共补
                `pad` 个零。
                膨胀率为 2 时, 大小为 3 的卷积核每隔一个像素读一个。在下面的单元格里把 `...`
                换成代码, 然后运行。""",
            ),
            hints_size,
        ]
    )
    return (hints_size,)


@app.function
def output_size(n, k, stride, dilation, pad):
    """How many windows of k taps fit on n pixels, with `pad` zeros in all."""
    return ...


@app.cell(hide_code=True)
def _(hints_size, lang):
    lesson.check(lang, sizes.OUTPUT_SIZE, output_size, hints_size.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_pads = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                sizes.SAME_PADS,
                "How many zeros does SAME put before, and how many after?",
                "SAME 在前面补几个零, 后面补几个?",
            ),
            hints_pads,
        ]
    )
    return (hints_pads,)


@app.function
def same_pads(n, k, stride):
    """Zeros that TensorFlow's SAME puts before and after n pixels."""
    before = ...
    after = ...
    return before, after


@app.cell(hide_code=True)
def _(hints_pads, lang):
    lesson.check(lang, sizes.SAME_PADS, same_pads, hints_pads.value)
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

        - VALID: `floor((n + pad - span) / stride) + 1`, where `span = (k - 1) * dilation + 1`.
        - SAME: `ceil(n / stride)` numbers; what is missing is padded, the odd pixel after.
        - The same size does not mean the same numbers.

        Next: `minitensor explore` has a page on sizes with every slider; lesson 6 goes backwards.
        """,
        """
        ## 记住

        - VALID: `floor((n + pad - span) / stride) + 1`, 其中 `span = (k - 1) * dilation + 1`。
        - SAME: 输出 `ceil(n / stride)` 个数; 缺多少补多少, 多出的一个补在后面。
        - 尺寸相同, 数未必相同。

        接下来: `minitensor explore` 的尺寸页有全部滑块; 第 6 课讲反向传播。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
