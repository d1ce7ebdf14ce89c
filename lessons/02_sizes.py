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

        A *kernel* is a small table of numbers, its *weights*. It is laid on an image. Each weight
        is multiplied by the pixel under it, and the sum of these products is one number of the
        output. Then the kernel moves on. The pixels under it are its *window*. How far it moves
        each time is the *stride*.

        An image is 5 pixels wide, the kernel is 3 pixels wide, and the stride is 2. The kernel
        begins at the left edge and must not leave the image. How many numbers stand in one row of
        the output?
        """,
        """
        # 2. 尺寸

        *卷积核*是一张小小的数表, 表中的数叫做*权重*。把它放在图像上, 每个权重乘以它下面的像素, 这些
        乘积之和就是输出的一个数。然后卷积核移到下一处。它盖住的像素叫做*窗口*, 每次移动的距离叫
        做*步幅*。

        图像宽 5 个像素, 卷积核宽 3 个像素, 步幅为 2。卷积核从左边缘开始, 不能超出图像。输出的一行有
        几个数?
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
        """We count from 0. The first window reads the pixels 0, 1, 2; the second 2, 3, 4. A
        third would begin at pixel 4 and need the pixels 5 and 6, which are not there.""",
        """像素从 0 开始编号。第一个窗口读像素 0、1、2, 第二个读像素 2、3、4。第三个窗口要从像
        素 4 开始, 还需要像素 5 和 6, 但它们不存在。""",
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

                Move the sliders. The outlined cells are the last window. The lines below the figure
                list its products, and then their sum. There, `input[0, 2, 3, 0]` is the pixel in
                row 2, column 3: the first 0 is the number of the image, the last 0 that of its
                colour, and here there is one of each.

                Now choose SAME. The hatched cells are zeros that were added around the image: the
                *padding*.
                """,
                """
                ## 运行, 观察

                拖动滑块。加粗边框的格子是最后一个窗口, 图下各行列出它的每个乘积, 最后是总和。其中
                `input[0, 2, 3, 0]` 是第 2 行第 3 列的像素: 最前面的 0 是图像的编号, 最后面的 0 是颜
                色通道的编号, 这里都只有一个。

                再选 SAME: 画斜线的格子是在图像四周补上的零, 叫做*填充*。
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
        ## VALID and SAME

        **VALID** adds no zeros: only windows that lie wholly on the image count. **SAME** adds just
        enough zeros to make `n / stride` outputs, rounded up, where `n` is the width of the image.
        With stride 1 the output is as wide as the image, hence the name. You can also say yourself
        how many zeros each side gets.

        All of this holds for the height as well. The table shows widths:

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
        ## VALID 与 SAME

        **VALID** 不补零: 只有完整落在图像内的窗口才算。**SAME** 补的零刚好使输出有 `n / stride` (向
        上取整) 个数, 其中 `n` 是图像的宽度。步幅为 1 时输出与图像同宽, SAME (相同) 由此得名。也可以
        自己指定每侧补几个零。

        高度的规则与宽度相同。表中都是宽度:

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
    assert pads(5, 1, 3) == (0, 0)
    lesson.text(
        lang,
        """
        ## Why SAME is lopsided

        An image is 32 pixels wide, the kernel 3, the stride 2. SAME wants 32 / 2 = 16 windows. They
        begin at the pixels 0, 2, 4, …, 30. The last one reads the pixels 30, 31 and 32, but the
        image ends at pixel 31. So *one* zero is missing, and one zero cannot be shared between two
        sides. TensorFlow puts it **after** the image: on the right, and for the height at the
        bottom.

        | image | kernel | stride | zeros before | zeros after |
        |---|---|---|---|---|
        | 32 | 3 | 2 | 0 | 1 |
        | 28 | 5 | 2 | 1 | 2 |
        | 224 | 7 | 2 | 2 | 3 |
        | 15 | 3 | 2 | 1 | 1 |

        In the last row two zeros are missing, and each side gets one.

        In PyTorch one writes `padding=1` for the first row, and gets one zero on *each* side. The
        output has the same size but other numbers, because every window begins one pixel further
        left.
        """,
        """
        ## SAME 为何不对称

        图像宽 32 个像素, 卷积核宽 3, 步幅为 2。SAME 要 32 / 2 = 16 个窗口, 起点是像素
        0、2、4、…、30。最后一个窗口要读像素 30、31 和 32, 而图像到像素 31 就结束了。所以缺*一个*零,
        而一个零无法平分给两侧。TensorFlow 把它补在图像**后面**: 宽度方向补在右边, 高度方向补在下
        边。

        | 图像 | 卷积核 | 步幅 | 前面补零 | 后面补零 |
        |---|---|---|---|---|
        | 32 | 3 | 2 | 0 | 1 |
        | 28 | 5 | 2 | 1 | 2 |
        | 224 | 7 | 2 | 2 | 3 |
        | 15 | 3 | 2 | 1 | 1 |

        最后一行缺两个零, 两侧各补一个。

        在 PyTorch 中, 对第一行的情形一般写 `padding=1`, 于是*两侧*各补一个零。输出尺寸相同, 数值却
        不同, 因为每个窗口的起点都左移了一个像素。
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

        Take the pixels 1 2 3 4 5 6, the kernel 1 1 1 and stride 2. SAME gives **6 12 11**. One zero
        on *each* side gives **3 9 15**: again three numbers, but none of them is the same. If
        weights were trained with one kind of padding and are used with the other, the results are
        wrong, and there is no error message.

        One course text says that SAME "pads to the smallest number that the stride divides": with
        stride 3, 5 pixels become 6. For a kernel of 3 this happens to be true. For a kernel of 1 it
        is false: its two windows read the pixels 0 and 3, which are there, so nothing is padded. We
        tried the rule on 180 cases (images up to 9 pixels, kernels up to 5, strides up to 4). It is
        wrong in 128 of them.
        """,
        """
        ## 弄坏它

        取像素 1 2 3 4 5 6, 卷积核 1 1 1, 步幅 2。SAME 得到 **6 12 11**。若*每侧*各补一个零, 则得到
        **3 9 15**: 同样是三个数, 却没有一个相同。如果训练权重时用一种填充方式, 使用时换成另一种, 结
        果就是错的, 而且不会报错。

        有一份教材说 SAME "补到能被步幅整除的最小整数": 步幅为 3 时, 5 个像素补成 6 个。卷积核为 3
        时碰巧正确; 卷积核为 1 时就错了: 两个窗口只读像素 0 和 3, 图像里都有, 所以一个零也不补。我们
        在 180 种情形 (图像不超过 9, 卷积核不超过 5, 步幅不超过 4) 中检验这条规则, 它错了 128 种。
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
                """How many windows fit? There are `n` pixels in a line and `pad` zeros in all,
                both sides together. The kernel has `k` weights. The pixels that it reads, its
                *taps*, lie `dilation` pixels apart: with dilation 1 side by side, with
                dilation 2 it reads every second pixel. Write your code in place of the `...`
                in the cell below, and run the cell.""",
                """能放下几个窗口? 一行有 `n` 个像素, 两侧一共补 `pad` 个零。卷积核有 `k` 个权
                重, 它读取的位置叫做*采样点*, 相邻两点的间距是*膨胀率* `dilation`: 为 1 时各点
                紧挨着, 为 2 时每隔一个像素读一个。在下面的单元格里把 `...` 换成你的代码, 然后
                运行。""",
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
                """How many zeros does SAME put before `n` pixels, and how many after them? The
                kernel has `k` weights, side by side. Replace the `...` in both lines.""",
                """SAME 在 `n` 个像素前面补几个零, 后面补几个? 卷积核有 `k` 个相邻的权重。
                两处 `...` 都要换成代码。""",
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

        - `floor((n + pad - span) / stride) + 1` windows fit, where `span = (k - 1) * dilation + 1`
          is how many pixels a window spans, and `floor` rounds down. VALID means `pad = 0`.
        - SAME makes `ceil(n / stride)` outputs; `ceil` rounds up. It adds as many zeros as are
          missing; if their number is odd, there is one more after than before.
        - The same size does not mean the same numbers.

        Next: lesson 3 computes one window by hand. `minitensor explore` has a page on sizes, where
        you can change every number of this lesson.
        """,
        """
        ## 记住

        - 能放下 `floor((n + pad - span) / stride) + 1` 个窗口, 其中 `span = (k - 1) * dilation + 1`
          是一个窗口跨越的像素数, `floor` 是向下取整。VALID 就是 `pad = 0`。
        - SAME 的输出有 `ceil(n / stride)` 个数, `ceil` 是向上取整。缺几个零就补几个; 若是奇数, 后面
          比前面多一个。
        - 尺寸相同, 数值未必相同。

        接下来: 第 3 课手算一个窗口。`minitensor explore` 的尺寸页可以改变本课的每一个数。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
