"""Lesson 1: a convolution is a dense layer that looks near, and looks everywhere the same way."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson.exercises import locality

    X = np.arange(1, 17, dtype="float32").reshape(4, 4)
    W = np.arange(1, 10, dtype="float32").reshape(3, 3)


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
        # 1. From dense layers to convolution

        A network is made of *layers*: each takes numbers and computes new ones. In a *dense* layer
        every new number, called a *unit*, reads **all** the old ones. It multiplies each by a
        weight of its own, adds the products and then one number more, the *bias*. Weights and
        biases are what the network learns; together they are its *parameters*.

        A handwritten digit is an image of 28 x 28 pixels. Lay its rows one after the other: 784
        numbers. A small network for it, from a course text, has four dense layers, of 256, 256, 256
        and 10 units. How many parameters are that?
        """,
        """
        # 1. 从全连接到卷积

        网络由*层*组成: 每层读入一些数, 算出新的数。*全连接*层的每个新数 (叫做*单元*)
        都要读取**全部**旧数: 各乘以自己的一个权重, 相加, 再加一个数, 即*偏置*。
        网络要学的就是权重和偏置, 合称*参数*。

        一个手写数字是 28 x 28 像素的图像。把各行首尾相接, 就是 784 个数。
        有份教材用一个小网络来识别它: 四个全连接层, 分别有 256、256、256 和 10 个单元。
        一共有多少个参数?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    count = lesson.guess(lang, ["1,562", "33,511", "335,114", "3,351,140"])
    count
    return (count,)


@app.cell(hide_code=True)
def _(count, lang):
    # the answer
    mlp = tf.models.mlp()
    layers = [layer.count_params() for layer in mlp.layers if layer.count_params()]
    assert layers == [200960, 65792, 65792, 2570]
    assert mlp.count_params() == sum(layers) == 335114
    assert 784 * 256 + 256 == 200960
    assert np.isclose(335114 * 4 / 1e6, 1.34, atol=0.005)
    assert 256 * 1024 // 4 == 65536
    lesson.answer(
        lang,
        count,
        "335,114",
        """The first layer alone has 784 x 256 + 256 = 200,960, then come 65,792 twice and 2,570.
        In four bytes each they take 1.34 MB. The machine on which such a network was first trained
        to read digits, in 1989, had 256 KB, says the text: room for 65,536 numbers. It was not this
        network.""",
        """仅第一层就有 784 x 256 + 256 = 200,960 个, 然后是两个 65,792 和一个 2,570。
        每个占四字节, 共 1.34 MB。教材说, 1989 年首次训练出识别数字的卷积网络时,
        那台机器只有 256 KB 内存, 放得下 65,536 个数: 显然用的不是这种网络。""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    row = lesson.slider(lang, 0, 1, 0, "row of the output", "输出的行")
    column = lesson.slider(lang, 0, 1, 1, "column of the output", "输出的列")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Run it, see it: a window

                A *convolution* computes each new number from the pixels near one place. Here the
                image holds 1 to 16 and the *kernel*, a table of nine weights, 1 to 9. It is laid on
                3 x 3 pixels, the *window*; each weight is multiplied with the pixel under it. Move
                the window.
                """,
                """
                ## 运行, 观察: 窗口

                *卷积*只用某处附近的像素算出一个新数。这里图像是 1 到 16,
                *卷积核*是九个权重, 1 到 9。把它放在 3 x 3 个像素上, 这些像素叫做*窗口*;
                每个权重乘以它下面的像素。移动窗口看看。
                """,
            ),
            row,
            column,
        ]
    )
    return column, row


@app.cell(hide_code=True)
def _(column, lang, row):
    near = tf.explain("conv2d", X, W, at=(row.value, column.value), lang=lang)
    near
    return (near,)


@app.cell(hide_code=True)
def _(column, lang, near, row):
    place = 2 * row.value + column.value
    dense = tf.explain("dense", X.reshape(1, 16), near.matrix.toarray().T, at=(0, place), lang=lang)
    assert dense.value == near.value
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## The same number by a dense layer

                Lay the 16 pixels in a line, and let a dense layer compute the 4 outputs. It has
                16 x 4 = 64 weights. Give it the nine weights of the kernel where a window reads a
                pixel, and 0 elsewhere: the outputs are **the same**.
                """,
                """
                ## 用全连接层算同一个数

                把 16 个像素排成一行, 用全连接层算这 4 个输出, 需要 16 x 4 = 64 个权重。
                在窗口读到的像素处填上卷积核的九个权重, 其余填 0: 输出**完全相同**。
                """,
            ),
            dense,
        ]
    )
    return (dense,)


@app.cell(hide_code=True)
def _(lang, near):
    assert near.matrix.shape == (4, 16)
    assert (near.matrix.nnz, len(np.unique(near.matrix.values))) == (36, 9)
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                Here are all its weights, a row for each output, a dot for each 0. Of 64 only 36 are
                not 0, because each output looks at 9 pixels: that is **locality**. And in the 36
                stand only 9 different numbers, because each row is the same kernel in another
                place: that is **sharing**. So a convolution is a *masked* dense layer whose rows
                have their weights in common.
                """,
                """
                下面是它的全部权重, 每行对应一个输出, 点表示 0。64 个中只有 36 个不是 0,
                因为每个输出只看 9 个像素: 这是**局部连接**。而 36 个里只有 9 个不同的数,
                因为每一行都是同一个卷积核, 只是换了位置: 这是**权值共享**。
                所以卷积就是加了*掩码*、各行共用权重的全连接层。
                """,
            ),
            lesson.view(lang, near, "matrix"),
        ]
    )
    return


@app.cell(hide_code=True)
def _(lang):
    n = lesson.slider(lang, 3, 6, 5, "image", "图像")
    k = lesson.slider(lang, 1, 3, 3, "window", "窗口")
    mo.vstack(
        [
            lesson.text(
                lang,
                "## How much that saves\n\nChoose the sizes; one channel, no padding, no biases.",
                "## 省了多少\n\n选择尺寸; 单通道, 不填充, 不计偏置。",
            ),
            n,
            k,
        ]
    )
    return k, n


@app.cell(hide_code=True)
def _(k, lang, n):
    pixels = np.ones((n.value, n.value))
    whole = tf.explain("conv2d", pixels, np.arange(1, k.value**2 + 1).reshape(k.value, k.value))
    outputs, inputs = whole.matrix.shape
    kinds = (
        ("dense: every output reads all pixels", "全连接: 每个输出读全部像素", outputs * inputs),
        ("local: only its window", "局部连接: 只读自己的窗口", whole.matrix.nnz),
        ("shared: a convolution", "共享权值: 卷积", len(np.unique(whole.matrix.weight))),
    )
    rows = "\n".join(f"| {lesson.say(lang, *kind)} | {size:,} |" for *kind, size in kinds)
    head = lesson.say(lang, f"{inputs} pixels, {outputs} outputs", f"{inputs} 像素, {outputs} 输出")
    mo.vstack(
        [
            lesson.text(lang, f"| {head} | weights |\n|:---|---:|\n{rows}",
                        f"| {head} | 权重个数 |\n|:---|---:|\n{rows}"),
            lesson.view(lang, whole, "matrix"),
        ]
    )  # fmt: skip
    return


@app.cell(hide_code=True)
def _(lang):
    def counts(side, window):
        return locality.COUNT_WEIGHTS.expected(side, window)

    assert counts(7, 3) == (1225, 225, 9)
    assert counts(28, 3) == (529984, 6084, 9)
    assert (224 * 224 * 222 * 222, 9 * 222 * 222) == (2472873984, 443556)
    one, small, colour = (
        tf.keras.layers.Dense(1),
        tf.keras.layers.Conv2D(1, 3),
        tf.keras.layers.Conv2D(1, 3, use_bias=False),
    )
    one.build((None, 49))
    small.build((None, 7, 7, 1))
    colour.build((None, 7, 7, 3))
    assert [layer.count_params() for layer in (one, small, colour)] == [50, 10, 27]
    lesson.text(
        lang,
        """
        | image | outputs | dense | local | shared |
        |---|---|---|---|---|
        | 7 x 7 | 5 x 5 | 1,225 | 225 | 9 |
        | 28 x 28 | 26 x 26 | 529,984 | 6,084 | 9 |
        | 224 x 224 | 222 x 222 | 2,472,873,984 | 443,556 | 9 |

        One unit over 7 x 7 pixels has 49 weights and a bias, 50 parameters; one kernel of 3 x 3 has
        9 and a bias, 10, **however large the image is**. Over the three colours of a pixel it has
        27 weights: it is local along rows and columns, but reads every channel (lesson 4).

        Why may the far pixels be left out? Because what we look for, an edge, an eye, a stroke of
        a digit, is made of pixels that lie near each other. Why may the weights be shared? Because
        a stroke is a stroke, wherever it stands.
        """,
        """
        | 图像 | 输出 | 全连接 | 局部连接 | 共享权值 |
        |---|---|---|---|---|
        | 7 x 7 | 5 x 5 | 1,225 | 225 | 9 |
        | 28 x 28 | 26 x 26 | 529,984 | 6,084 | 9 |
        | 224 x 224 | 222 x 222 | 2,472,873,984 | 443,556 | 9 |

        读 7 x 7 个像素的一个单元有 49 个权重和一个偏置, 共 50 个参数; 一个 3 x 3 的卷积核是 9 个
        加一个偏置, 共 10 个, **与图像大小无关**。若像素有三种颜色, 则有 27 个权重:
        它在行和列上是局部的, 但每个通道都要读 (第 4 课)。

        为什么可以不看远处的像素? 因为要找的东西, 如边缘、眼睛、数字的一笔, 都由相邻的像素组成。
        为什么可以共享权值? 因为一笔就是一笔, 无论它在哪里。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    image = tf.Variable(X.reshape(1, 16))
    mask = locality.WINDOW_MASK.expected(4, 3).T
    start = tf.explain("conv2d", X, W).matrix.toarray().T
    kernel = tf.Variable(start)
    shared = tf.Variable(W[:, :, None, None])
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_sum(tf.matmul(image, kernel))
        same = tf.reduce_sum(tf.nn.conv2d(X[None, :, :, None], shared, 1, "VALID"))
    g = tape.gradient(loss, kernel).numpy()
    stepped = start - 0.01 * g
    assert float(loss) == float(same)
    assert np.count_nonzero(start) == 36
    assert np.count_nonzero(stepped) == 64
    copies = (start == 1) & (mask == 1)
    assert g[copies].tolist() == [1, 2, 5, 6]
    assert np.allclose(sorted((stepped * mask)[copies]), [0.94, 0.95, 0.98, 0.99])
    assert tape.gradient(same, shared).numpy()[0, 0, 0, 0] == 14 == sum([1, 2, 5, 6])
    order = np.random.default_rng(0).permutation(16)
    assert np.allclose(X.reshape(1, 16)[:, order] @ start[order], X.reshape(1, 16) @ start)
    lesson.text(
        lang,
        """
        ## Break it

        Start a plain dense layer with exactly these 64 numbers. It computes the convolution, and
        every test of its outputs passes. Now let it learn, one step with rate 0.01, loss = sum of
        the outputs:

        - **Without the mask** all 64 weights change, the 28 zeros too. Each output sees the whole
          image again.
        - **With the mask**, but nothing shared, the four copies of the first weight, all 1, have
          the gradients 1, 2, 5, 6, each from the pixel that it met. They become 0.99, 0.98, 0.95,
          0.94: four kernels, each of which has seen one place only.
        - **A convolution** adds the four, 1 + 2 + 5 + 6 = 14, and changes the one weight by that.
          What it learns in one place, it knows in all.

        And shuffle the pixels of all images in one fixed order: a dense layer with its weights
        shuffled likewise computes the same as before. It has no idea which pixels are neighbours. A
        convolution has, and on shuffled images it is lost.
        """,
        """
        ## 弄坏它

        用这 64 个数初始化一个普通的全连接层。它算的就是卷积, 对输出的任何测试都能通过。
        现在让它学一步, 学习率 0.01, 损失为输出之和:

        - **没有掩码**: 64 个权重全都变了, 包括那 28 个 0。每个输出又看到了整张图像。
        - **有掩码而不共享**: 第一个权重有四份, 原本都是 1, 梯度却是 1、2、5、6,
          取决于各自遇到的像素, 于是变成 0.99、0.98、0.95、0.94:
          四个不同的卷积核, 各自只见过一个位置。
        - **卷积**把四份相加, 1 + 2 + 5 + 6 = 14, 用它更新那一个权重。在一处学到的, 处处都会。

        再把所有图像的像素按同一固定顺序打乱: 全连接层只要把权重同样打乱, 结果与原来一样,
        因为它根本不知道哪些像素相邻。卷积知道, 所以像素一打乱, 它就无从下手了。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    def convolved(picture):
        return tf.nn.conv2d(picture[None, :, :, None], W[:, :, None, None], 1, "VALID").numpy()[0]

    stroke = np.zeros((8, 8), "float32")
    stroke[2:5, 2] = 1
    moved = np.roll(stroke, 2, axis=1)
    assert np.array_equal(convolved(moved)[:, 2:], convolved(stroke)[:, :-2])
    rng = np.random.default_rng(1)
    free = locality.WINDOW_MASK.expected(8, 3) * rng.normal(size=(36, 64))
    answers = [(free @ picture.ravel()).reshape(6, 6) for picture in (stroke, moved)]
    assert not np.allclose(answers[1][:, 2:], answers[0][:, :-2])
    lesson.text(
        lang,
        """
        ## What sharing gives

        Move a stroke two pixels to the right, and the answer of a convolution moves two pixels to
        the right, unchanged. (The word for it is *equivariance*.) With a mask alone this fails: the
        stroke meets other weights, and gets another answer.
        """,
        """
        ## 共享带来什么

        把一笔向右移两个像素, 卷积的结果也向右移两个像素, 数值不变 (叫做*平移等变性*)。
        只有掩码而不共享时做不到: 这一笔遇到的是另一组权重, 结果就不同了。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_parameters = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                locality.DENSE_PARAMETERS,
                """`sizes` is a list like `[784, 256, 256, 256, 10]`. The course text says "about
                340,000": count exactly. Write over the `...` in the cell below, and run it.""",
                """`sizes` 是列表, 如 `[784, 256, 256, 256, 10]`。教材说“约 340,000 个”:
                请算出准确值。在下面的单元格里把 `...` 换成代码, 然后运行。""",
            ),
            hints_parameters,
        ]
    )
    return (hints_parameters,)


@app.function
def dense_parameters(sizes):
    """Weights and biases of dense layers; `sizes` are the inputs, then the units of each layer."""
    return ...


@app.cell(hide_code=True)
def _(hints_parameters, lang):
    lesson.check(lang, locality.DENSE_PARAMETERS, dense_parameters, hints_parameters.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_weights = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                locality.COUNT_WEIGHTS,
                """The three columns of the table above, for `n` x `n` pixels, a `k` x `k` window,
                no padding, no biases.""",
                """上表的三列: 图像 `n` x `n` 个像素, 窗口 `k` x `k`, 不填充, 不计偏置。""",
            ),
            hints_weights,
        ]
    )
    return (hints_weights,)


@app.function
def count_weights(n, k):
    """Weights from n x n pixels to all k x k windows: dense, local, local and shared."""
    dense = ...
    local = ...
    shared = ...
    return dense, local, shared


@app.cell(hide_code=True)
def _(hints_weights, lang):
    lesson.check(lang, locality.COUNT_WEIGHTS, count_weights, hints_weights.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_mask = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                locality.WINDOW_MASK,
                """The mask that makes a dense layer local: an array of (n - k + 1)² rows, one for
                each output, and n² columns, one for each pixel, both in rows from the top left.""",
                """使全连接层变成局部连接的掩码: (n - k + 1)² 行, 每行对应一个输出; n² 列,
                每列对应一个像素。两者都从左上角起逐行排列。""",
            ),
            hints_mask,
        ]
    )
    return (hints_mask,)


@app.function
def window_mask(n, k):
    """Row j: 1 for each of the n*n pixels that output j may see, 0 for all others."""
    return ...


@app.cell(hide_code=True)
def _(hints_mask, lang):
    lesson.check(lang, locality.WINDOW_MASK, window_mask, hints_mask.value)
    return


@app.cell(hide_code=True)
def _(lang):
    ask = lesson.compare_button(lang)
    mo.vstack(
        [
            lesson.text(
                lang,
                "## Compare\n\nDoes TensorFlow find that the two layers agree?",
                "## 对照\n\nTensorFlow 算出的两种层也相同吗?",
            ),
            ask,
        ]
    )
    return (ask,)


@app.cell(hide_code=True)
def _(ask, dense, lang, near):
    lesson.compare(lang, ask.value, near, dense)
    return


@app.cell(hide_code=True)
def _(lang):
    lesson.text(
        lang,
        """
        ## Keep

        - A convolution is a dense layer with two promises: look near, and everywhere alike.
        - Its weights are counted without looking at the size of the image.
        - Sharing adds gradients up: every place teaches the same few weights.

        Next: how many windows there are, with strides and padding, is lesson 2.
        """,
        """
        ## 记住

        - 卷积就是遵守两条约定的全连接层: 只看近处, 处处一样。
        - 数它的权重时, 不必看图像多大。
        - 共享使梯度相加: 每个位置都在训练同样的几个权重。

        接下来: 有步幅和填充时, 窗口有多少个, 见第 2 课。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
