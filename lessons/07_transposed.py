"""Lesson 7: the transposed convolution, computed in three ways."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson.exercises import transposed

    K = transposed.KERNEL
    IMAGE = np.arange(1, 26, dtype="float32").reshape(5, 5)
    Y = np.array([[-67, -77], [-117, -127]], "float32")

    def conv(x, stride):
        """The convolution with K, VALID."""
        made = tf.nn.conv2d(
            np.asarray(x, "float32")[None, :, :, None], K[:, :, None, None], stride, "VALID"
        )
        return made.numpy()[0, :, :, 0]


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
    assert conv(IMAGE, 2).tolist() == Y.tolist()
    lesson.text(
        lang,
        """
        # 7. Transposed convolution

        A convolution with stride 2 makes a small image out of a large one. To draw, to segment, to
        generate, a network must go the other way. The layer for that is called *transposed
        convolution*, and sometimes, wrongly, *deconvolution*.

        The image 1 to 25 in five rows, under the kernel of the figures below, stride 2, gives
        -67, -77, -117, -127. Now the transposed convolution with the same kernel makes 5 x 5
        pixels of these
        four. The first pixel of the image was 1. Which number stands there now?
        """,
        """
        # 7. 转置卷积

        步幅为 2 的卷积把大图变成小图。而绘制、分割、生成图像时, 网络要反过来走。
        做这件事的层叫*转置卷积*,
        有时也被叫做*反卷积*, 这个名字并不正确。

        图像是五行的 1 到 25, 卷积核见下图, 步幅 2, 得到 -67、-77、-117、-127。
        现在用同一个卷积核做转置卷积, 把这四个数变成 5 x 5 的图像。原图的第一个像素是 1,
        现在那里是几?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    first = lesson.guess(lang, [1, 25, 67])
    first
    return (first,)


@app.cell(hide_code=True)
def _(first, lang):
    # the answer
    back = transposed.SCATTER.expected(Y, K, 2)
    assert back[0, 0] == 67
    assert conv(back, 2).ravel().tolist() == [-33018, -36782, -49742, -51178]
    lesson.answer(
        lang,
        first,
        67,
        """It is -67 times the kernel's first weight, -1. Only the *shape* comes back, not the
        image:
        25 numbers cannot be known from 4. Convolve the result again, and out come -33018,
        -36782, -49742, -51178, not the -67 … -127 that it was made from.""",
        """它是 -67 乘以卷积核的第一个权重 -1。恢复的只是*形状*, 不是图像: 由 4 个数不可能知道 25
        个数。
        把结果再卷积一次, 得到 -33018、-36782、-49742、-51178, 也不是原来的 -67 … -127。""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    row = lesson.slider(lang, 0, 4, 2, "row", "行")
    column = lesson.slider(lang, 0, 4, 2, "column", "列")
    mo.vstack(
        [
            lesson.text(
                lang,
                "## Run it, see it\n\nChoose a number of the result: which inputs reached it?",
                "## 运行, 观察\n\n选结果中的一个数: 哪些输入到达了它?",
            ),
            row,
            column,
        ]
    )
    return column, row


@app.cell(hide_code=True)
def _(column, lang, row):
    found = tf.explain(
        "conv2d_transpose", Y, K, [5, 5], 2, "VALID", at=(row.value, column.value), lang=lang
    )
    found
    return (found,)


@app.cell(hide_code=True)
def _(found, lang):
    lesson.view(lang, found, "scatter")
    return


@app.cell(hide_code=True)
def _(lang):
    w = transposed.MATRIX.expected(K, 4)
    assert (w.shape, int(np.count_nonzero(w))) == ((4, 16), 36)
    x = np.arange(1, 17, dtype="float32").reshape(4, 4)
    assert conv(x, 1).ravel().tolist() == (w @ x.ravel()).tolist() == [-56, -61, -76, -81]
    y = conv(x, 1)
    assert np.array_equal((w.T @ y.ravel()).reshape(4, 4), transposed.SCATTER.expected(y, K, 1))
    assert (
        float((Y * Y).sum()) == float((IMAGE * transposed.SCATTER.expected(Y, K, 2)).sum()) == 40236
    )
    lesson.text(
        lang,
        """
        ## Three ways, one number

        1. **Scatter-add.** Each input stamps the whole kernel, times itself, onto the output; where
           stamps overlap they add. This is the `input_gradient` of lesson 6.
        2. **Zeros between.** Put stride - 1 zeros between the inputs, pad all around, and slide the
           kernel turned by 180 degrees over it. The same products in the order of the outputs.
        3. **W'ᵀ.** A convolution is linear, so it is a matrix: `y = W' x`, with a row for each
           output and a column for each pixel. For 4 x 4 pixels and a 3 x 3 kernel W' is 4 x 16,
           and 36 of its 64
           numbers are not 0. The transposed convolution is the product with the *transposed*
           matrix:
           `x = W'ᵀ y`, 16 numbers of 4. Hence the name.

        W'ᵀ is not the inverse. What it does keep is the scalar product: `<W'x, y> = <x, W'ᵀy>`.
        With
        the image 1 to 25 and its own convolution as y both sides are 40236.
        """,
        """
        ## 三种算法, 同一个数

        1. **散布相加。** 每个输入把整个卷积核乘以自己, 印到输出上; 重叠处相加。
           这就是第 6 课的 `input_gradient`。
        2. **中间插零。** 在输入之间插入 stride - 1 个零, 四周补零, 再让旋转 180
        度的卷积核在上面滑动。
           乘积完全一样, 只是按输出的顺序计算。
        3. **W'ᵀ。** 卷积是线性的, 所以是一个矩阵: `y = W' x`, 每个输出一行, 每个像素一列。
           图像 4 x 4、卷积核 3 x 3 时 W' 是 4 x 16, 64 个数中有 36 个不为 0。
           转置卷积就是乘以*转置*矩阵: `x = W'ᵀ y`, 由 4 个数得到 16 个。名字由此而来。

        W'ᵀ 不是逆矩阵。它保持的是内积: `<W'x, y> = <x, W'ᵀy>`。
        取图像 1 到 25, y 取它自己的卷积, 两边都是 40236。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    assert conv(np.ones((5, 5)), 2).shape == conv(np.ones((6, 6)), 2).shape == (2, 2)
    six = tf.nn.conv2d_transpose(Y[None, :, :, None], K[:, :, None, None], [1, 6, 6, 1], 2, "VALID")
    assert not six.numpy()[0, 5].any()
    assert not six.numpy()[0, :, 5].any()
    lesson.text(
        lang,
        """
        ## Why you must say the size

        Images of 5 x 5 and of 6 x 6 both give 2 x 2 (kernel 3, stride 2, VALID): the last row of
        the
        larger one is read by no window. So the way back is ambiguous, and `output_shape` decides.
        With 6 x 6 the last row and the last column are 0: nothing ever stamps there.
        """,
        """
        ## 为什么要指定尺寸

        5 x 5 和 6 x 6 的图像卷积后都是 2 x 2 (卷积核 3, 步幅 2, VALID):
        较大那张的最后一行没有窗口读取。
        所以反向的尺寸不唯一, 要由 `output_shape` 决定。取 6 x 6 时, 最后一行和最后一列都是 0:
        没有任何印记到达。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    k = lesson.slider(lang, 2, 5, 3, "kernel", "卷积核")
    stride = lesson.slider(lang, 1, 3, 2, "stride", "步幅")
    three, four = (
        transposed.SCATTER.expected(np.ones((4, 4), "float32"), np.ones((n, n), "float32"), 2)
        for n in (3, 4)
    )
    assert three[0].tolist() == [1, 1, 2, 1, 2, 1, 2, 1, 1]
    assert (three.max(), four[2:8, 2:8].min(), four.max()) == (4, 4, 4)
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Break it: the checkerboard

                Everything is 1 here, the input and the kernel, so each number counts how many
                inputs
                reach it. Kernel 3, stride 2: the first row is 1 1 2 1 2 1 2 1 1, and in the
                middle 1, 2 and 4
                alternate. A network that draws in this way draws a *checkerboard*, and has to
                unlearn it. Kernel 4, stride 2:
                the middle is 4 everywhere. Find the rule: which kernels are even for stride 3?
                """,
                """
                ## 弄坏它: 棋盘效应

                这里输入和卷积核全是 1, 所以每个数就是到达它的输入个数。卷积核 3、步幅 2: 第一行是
                1 1 2 1 2 1 2 1 1, 中部 1、2、4 交替。这样作图的网络会画出*棋盘格*,
                还得靠训练把它抵消掉。
                卷积核 4、步幅 2: 中部全是 4。找出规律: 步幅为 3 时, 哪些卷积核是均匀的?
                """,
            ),
            k,
            stride,
        ]
    )
    return k, stride


@app.cell(hide_code=True)
def _(k, lang, stride):
    ones = np.ones((k.value, k.value))
    tf.explain(
        "conv2d_transpose",
        np.ones((4, 4)),
        ones,
        strides=stride.value,
        padding="VALID",
        at=(stride.value, stride.value),
        lang=lang,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_scatter = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                transposed.SCATTER,
                "The first way: `y` and `w` are NumPy matrices, any sizes, any stride.",
                "第一种算法: `y` 和 `w` 是 NumPy 矩阵, 大小和步幅任意。",
            ),
            hints_scatter,
        ]
    )
    return (hints_scatter,)


@app.function
def scatter(y, w, stride):
    """conv2d_transpose of y (h, w) with the kernel w, VALID, the smallest size."""
    return ...


@app.cell(hide_code=True)
def _(hints_scatter, lang):
    lesson.check(lang, transposed.SCATTER, scatter, hints_scatter.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_matrix = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                transposed.MATRIX,
                "The third way: the matrix W' of a kernel, for an image of `n` x `n`.",
                "第三种算法: 卷积核在 `n` x `n` 图像上的矩阵 W'。",
            ),
            hints_matrix,
        ]
    )
    return (hints_matrix,)


@app.function
def matrix(w, n):
    """W' of conv2d on n x n pixels, VALID, stride 1: y.ravel() = W' @ x.ravel()."""
    return ...


@app.cell(hide_code=True)
def _(hints_matrix, lang):
    lesson.check(lang, transposed.MATRIX, matrix, hints_matrix.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_kernel = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                transposed.RECOVER,
                """A puzzle. A course's notebook prints what a transposed convolution with a
                random 3 x 3 kernel
                made of the 2 x 2 numbers `y`: the 4 x 4 numbers `x`. It does not print the
                kernel. Find it.""",
                """一道谜题。有份课程笔记对 2 x 2 的 `y` 做转置卷积 (卷积核是随机的 3 x 3), 打印了
                4 x 4 的结果 `x`,
                却没有打印卷积核。把它找出来。""",
            ),
            hints_kernel,
        ]
    )
    return (hints_kernel,)


@app.function
def recover_kernel(y, x):
    """The 3 x 3 kernel with which x = conv2d_transpose(y), VALID, stride 1."""
    return ...


@app.cell(hide_code=True)
def _(hints_kernel, lang):
    lesson.check(lang, transposed.RECOVER, recover_kernel, hints_kernel.value)
    return


@app.cell(hide_code=True)
def _(lang):
    ask = lesson.compare_button(lang)
    mo.vstack(
        [
            lesson.text(
                lang,
                "## Compare\n\nDoes TensorFlow compute what the first figure shows?",
                "## 对照\n\nTensorFlow 算出的与第一张图一致吗?",
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

        - Transposed convolution = W'ᵀ = the gradient of a convolution in its image. Not its
        inverse.
        - The smallest size is `(n - 1) * stride + k`; up to stride - 1 more are legal, and 0 there.
        - The overlap is even where the stride divides the kernel.
        """,
        """
        ## 记住

        - 转置卷积 = W'ᵀ = 卷积对图像的梯度。它不是卷积的逆。
        - 最小尺寸是 `(n - 1) * stride + k`; 最多还可以再大 stride - 1, 多出的部分是 0。
        - 步幅能整除卷积核大小时, 重叠是均匀的。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
