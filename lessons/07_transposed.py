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
    assert K.tolist() == [[-1, 2, -3], [4, -5, 6], [-7, 8, -9]]
    lesson.text(
        lang,
        """
        # 7. Transposed convolution

        A convolution with stride 2 makes a small image out of a large one. To draw an image, or to
        label every pixel of one (*segmentation*), a network must also go the other way. The layer
        for that is called *transposed convolution*. Some call it *deconvolution*, but that is
        wrong: it does not undo a convolution.

        Take a kernel with the rows -1 2 -3, 4 -5 6, -7 8 -9, and an image of 5 x 5 pixels: 1 to 5
        in the first row, up to 25 in the last. The convolution with stride 2 gives four numbers:
        -67, -77, -117, -127. Now the transposed convolution with the same kernel makes 5 x 5
        numbers of these four. The first pixel of the image was 1. Which number stands in its place
        now?
        """,
        """
        # 7. 转置卷积

        步幅为 2 的卷积把大图变成小图。而要生成图像, 或者给每个像素标注类别 (*分割*), 网络还得反过
        来, 由小图得到大图。做这件事的层叫做*转置卷积*。它有时也被叫做*反卷积*, 但这个名字不对, 因为
        它并不能还原卷积前的图像。

        取卷积核, 三行是 -1 2 -3、4 -5 6、-7 8 -9; 再取 5 x 5 的图像, 第一行是 1 到 5, 依次排到最后
        一行的 25。以步幅 2 做卷积, 得到四个数: -67、-77、-117、-127。再用同一个卷积核做转置卷积, 由
        这四个数得到 5 x 5 个数。图像的第一个像素原来是 1, 现在这个位置上是几?
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
        """Each of the four numbers multiplies the whole kernel, and the product is laid where
        that number's window was. The first pixel is in the first window only, under the first
        weight: (-67)·(-1) = 67. So only the *shape* comes back, not the image: from four
        numbers one cannot know 25. And if you convolve the result again, you get -33018,
        -36782, -49742, -51178, not the -67, -77, -117, -127 that it was made from.""",
        """四个数各自乘以整个卷积核, 结果放到该数的窗口原来的位置上。第一个像素只在第一个窗口
        里, 对应第一个权重: (-67)·(-1) = 67。可见恢复的只是*形状*, 不是图像: 由 4 个数不可能知
        道 25 个数。把结果再卷积一次, 得到 -33018、-36782、-49742、-51178, 也不是原来的
        -67、-77、-117、-127。""",
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
                """
                ## Run it, see it

                Choose a number of the result. The outlined inputs are those that reach it, and the
                outlined weights are those that they are multiplied by.

                The box below the figure computes this number in three ways, which are explained
                next. Its last table counts how many inputs reach each number.
                """,
                """
                ## 运行, 观察

                选结果中的一个数。图中加粗边框的输入是对它有贡献的输入, 加粗边框的权重是与这些输入相
                乘的权重。

                图下的方框用三种算法计算这个数, 接下来会解释。方框最后的表是每个结果由几个输入得到。
                """,
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

        1. **Scatter-add.** Each input multiplies the whole kernel and prints the product on the
           output, like a stamp. The stamps of neighbours lie a stride apart; where stamps overlap,
           they add. With stride 1 this is `input_gradient` of lesson 6.
        2. **Zeros between.** Put stride - 1 zeros between neighbouring inputs and k - 1 zeros
           around them all, where k is the size of the kernel. Turn the kernel by 180 degrees, and
           do an ordinary convolution with stride 1. The products are the same, only sorted by
           output.
        3. **W'ᵀ.** Lay the pixels in a line, row after row, and call this vector x. A convolution
           is linear, so it is a product with a matrix: `y = W' x`, with a row of W' for each output
           and a column for each pixel (lesson 5). For 4 x 4 pixels, a 3 x 3 kernel and stride 1, W'
           is 4 x 16, and 36 of its 64 numbers are not 0. The transposed convolution multiplies by
           the *transposed* matrix W'ᵀ, in which rows and columns are exchanged: `z = W'ᵀ y` makes
           16 numbers of 4. Hence the name.

        W'ᵀ is not the inverse of W': z is not x. What holds is `<W'x, y> = <x, W'ᵀy>`. Here
        `<a, b>` is the *scalar product*: multiply the numbers in pairs, and add. With the image 1
        to 25 as x and its convolution with stride 2 as y, both sides are 40236.
        """,
        """
        ## 三种算法, 同一个数

        1. **散布相加**。每个输入乘以整个卷积核, 像盖章一样印到输出上。相邻的印记相隔一个步幅, 重叠
           处相加。步幅为 1 时, 这就是第 6 课的 `input_gradient`。
        2. **中间插零**。在相邻的输入之间插入 stride - 1 个零, 在它们四周补 k - 1 圈零 (k 是卷积核
           的大小), 把卷积核旋转 180 度, 再做步幅为 1 的普通卷积。乘积完全一样, 只是按输出排列。
        3. **W'ᵀ**。把像素逐行排成一个向量 x。卷积是线性的, 所以就是乘以一个矩阵: `y = W' x`, W' 的
           每一行对应一个输出, 每一列对应一个像素 (第 5 课)。图像 4 x 4、卷积核 3 x 3、步幅为 1 时,
           W' 是 4 x 16, 64 个数中有 36 个不为 0。转置卷积就是乘以*转置*矩阵 W'ᵀ (行列互换):
           `z = W'ᵀ y` 由 4 个数得到 16 个数。名字由此而来。

        W'ᵀ 不是 W' 的逆矩阵: z 不等于 x。成立的是 `<W'x, y> = <x, W'ᵀy>`, 其中 `<a, b>` 是*内积*:
        对应的数相乘, 再求和。取图像 1 到 25 为 x, 它以步幅 2 卷积的结果为 y, 两边都是 40236。
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

        Images of 5 x 5 and of 6 x 6 both become 2 x 2 (kernel 3, stride 2, VALID): no window reads
        the last row and the last column of the larger one. So the way back from 2 x 2 may end at
        either size, and you must say which: TensorFlow's argument for it is `output_shape`. From n
        numbers in a row, the smallest size is `(n - 1) * stride + k`, here (2 - 1)·2 + 3 = 5. With
        6 x 6 the last row and the last column are 0, because no stamp reaches them.
        """,
        """
        ## 为什么要指定尺寸

        5 x 5 和 6 x 6 的图像卷积后都是 2 x 2 (卷积核 3, 步幅 2, VALID): 没有窗口读取大图的最后一行
        和最后一列。所以由 2 x 2 反推, 两种尺寸都有可能, 必须指定是哪一种: 在 TensorFlow 中用参数
        `output_shape`。一行有 n 个数时, 最小尺寸是 `(n - 1) * stride + k`, 这里是 (2 - 1)·2 + 3 =
        5。取 6 x 6 时, 最后一行和最后一列都是 0, 因为没有印记落到那里。
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

                Here the input and the kernel are all 1, so each number of the output counts the
                inputs that reach it. With kernel 3 and stride 2 the first row is 1 1 2 1 2 1 2 1 1,
                and in the middle 1, 2 and 4 alternate. A network with such a layer draws a
                *checkerboard* into its images, and has to learn to remove it. With kernel 4 and
                stride 2 the middle is 4 everywhere. Find the rule: for stride 3, which kernels make
                all numbers in the middle equal?
                """,
                """
                ## 弄坏它: 棋盘效应

                这里输入和卷积核全是 1, 所以每个输出就是对它有贡献的输入个数。卷积核 3、步幅 2 时,
                第一行是 1 1 2 1 2 1 2 1 1, 中部 1、2、4 交替出现。用这种层生成图像的网络会画出*棋盘
                格*, 还得靠训练去消除。卷积核 4、步幅 2 时, 中部全是 4。找出规律: 步幅为 3 时, 哪些
                卷积核能使中部的数全都相等?
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
                """The first way. `y` and `w` are NumPy arrays of rows and columns, of any
                size; the kernel `w` need not be square. Return the smallest output,
                `(n - 1) * stride + k` in each direction.""",
                """第一种算法。`y` 和 `w` 是任意大小的二维 NumPy 数组, 卷积核 `w` 不一定是正方
                形。返回最小尺寸的输出, 每个方向上都是 `(n - 1) * stride + k`。""",
            ),
            hints_scatter,
        ]
    )
    return (hints_scatter,)


@app.function
def scatter(y, w, stride):
    """conv2d_transpose of y with the kernel w, VALID, the smallest size."""
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
                """The third way: the matrix W' of the kernel `w` on an image of `n` x `n`
                pixels, stride 1. The kernel need not be square. `x.ravel()` lays the rows of x
                in a line.""",
                """第三种算法: 卷积核 `w` 在 `n` x `n` 图像上的矩阵 W', 步幅为 1。卷积核不一定
                是正方形。`x.ravel()` 把 x 逐行排成一个向量。""",
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
                """A puzzle. A course's notebook makes a transposed convolution of the 2 x 2
                numbers `y` with a random 3 x 3 kernel, and prints the 4 x 4 numbers `x` that
                come out. It does not print the kernel. Find it from `y` and `x`. A corner is a
                good place to begin: only one product reaches it, so x[0, 0] is y[0, 0] · w[0,
                0].""",
                """一道谜题。有份课程笔记用随机的 3 x 3 卷积核对 2 x 2 的 `y` 做转置卷积, 打印
                了 4 x 4 的结果 `x`, 却没有打印卷积核。请由 `y` 和 `x` 求出它。可以从角上入手:
                那里只有一个乘积, 即 x[0, 0] 等于 y[0, 0] · w[0, 0]。""",
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

        - A transposed convolution is the product with W'ᵀ, and so the gradient of a convolution
          with respect to its image. It is not the inverse.
        - The smallest size is `(n - 1) * stride + k`. It may be up to stride - 1 larger; what is
          added is 0.
        - If the kernel's size is a multiple of the stride, equally many inputs reach every number
          in the middle: no checkerboard.

        Next: lesson 8 makes do with fewer weights.
        """,
        """
        ## 记住

        - 转置卷积就是乘以 W'ᵀ, 也就是求卷积对图像的梯度。它不是卷积的逆运算。
        - 最小尺寸是 `(n - 1) * stride + k`, 最多还可以大 stride - 1, 多出的部分是 0。
        - 卷积核的大小是步幅的整数倍时, 中部每个数由同样多的输入得到, 没有棋盘效应。

        接下来: 第 8 课用更少的权重做卷积。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
