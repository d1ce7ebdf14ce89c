"""Lesson 6: the gradients of a convolution, which are convolutions themselves."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson.exercises import gradients

    X = np.arange(9, dtype="float32").reshape(3, 3)
    W = np.arange(4, dtype="float32").reshape(2, 2)
    ONES = np.ones((2, 2), "float32")


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
        # 6. Gradients

        A network learns by making one number small: the *loss*, which says how wrong its answers
        are. It asks of each of its numbers: if this grew by a little, how many times as much would
        the loss grow? The answer is the number's *gradient*.

        In a convolution two kinds of numbers have gradients: the weights of the kernel, because
        they learn, and the pixels, because they are the outputs of the layer before, whose weights
        learn too.

        An image is 3 x 3, the kernel 2 x 2, the stride 1. There are 2 x 2 outputs, and here the
        loss is simply their sum. In how many of the 4 outputs does the pixel in the *middle* take
        part?
        """,
        """
        # 6. 梯度

        网络学习的目标是减小一个数, 即*损失*, 它衡量网络的答案错得多严重。对自己的每个数, 网络都要
        问: 如果这个数增大一点点, 损失的增量是这一点点的几倍? 答案就是这个数的*梯度*。

        卷积中有两类数要求梯度: 一类是卷积核的权重, 因为要学的就是它们; 另一类是像素, 因为它们是前一
        层的输出, 而前一层的权重也要学。

        图像 3 x 3, 卷积核 2 x 2, 步幅 1, 共 2 x 2 个输出。这里损失就是各输出之和。*正中间*的像素参
        与了 4 个输出中的几个?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    middle = lesson.guess(lang, [1, 2, 4, 9])
    middle
    return (middle,)


@app.cell(hide_code=True)
def _(lang, middle):
    # the answer
    assert (
        len([t for t in tf.explain("conv2d", X, W, grad="input", at=(1, 1)).terms() if t.real]) == 4
    )
    assert (
        len([t for t in tf.explain("conv2d", X, W, grad="input", at=(0, 0)).terms() if t.real]) == 1
    )
    lesson.answer(
        lang,
        middle,
        4,
        """All four windows contain it, each in a different corner, so each multiplies it by a
        different weight. A pixel in a corner of the image takes part in 1 output only.""",
        """四个窗口都包含它, 它每次在窗口的不同角上, 所以每次乘的权重不同。图像角上的像素只参与
        1 个输出。""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    row = lesson.slider(lang, 0, 2, 1, "row", "行")
    column = lesson.slider(lang, 0, 2, 1, "column", "列")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Run it, see it: a pixel

                The image holds the numbers 0 to 8, the kernel 0 to 3. The outputs have gradients
                too; they are called `g`, in the figure *output gradient*. If an output grows by 1,
                so does the loss, which is the sum. So `g` is 1 everywhere.

                Choose a pixel. Each line below the figure is one output that the pixel takes part
                in: the weight that lies on the pixel, times the `g` of that output. The sum is the
                pixel's gradient.
                """,
                """
                ## 运行, 观察: 像素

                图像是 0 到 8, 卷积核是 0 到 3。输出也有梯度, 记作 `g` (图中的 output gradient)。损
                失是输出之和, 一个输出增大 1, 损失也增大 1, 所以 `g` 全是 1。

                选一个像素。图下每一行对应它参与的一个输出: 盖在该像素上的权重乘以该输出的 `g`。它们
                的和就是这个像素的梯度。
                """,
            ),
            row,
            column,
        ]
    )
    return column, row


@app.cell(hide_code=True)
def _(column, lang, row):
    pixel = tf.explain("conv2d", X, W, grad="input", at=(row.value, column.value), lang=lang)
    pixel
    return (pixel,)


@app.cell(hide_code=True)
def _(lang):
    a = lesson.slider(lang, 0, 1, 0, "row of the weight", "权重的行")
    b = lesson.slider(lang, 0, 1, 1, "column of the weight", "权重的列")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## A weight

                A weight is used in *every* output, each time on another pixel. So its gradient is a
                sum of as many products as there are outputs, here 4: each is the pixel under the
                weight, times the `g` of that output.
                """,
                """
                ## 权重

                *每个*输出都用到同一个权重, 每次它下面的像素不同。所以有几个输出, 它的梯度就是几个乘
                积之和, 这里是 4 个: 每个乘积是权重下面的像素乘以该输出的 `g`。
                """,
            ),
            a,
            b,
        ]
    )
    return a, b


@app.cell(hide_code=True)
def _(a, b, lang):
    weight = tf.explain("conv2d", X, W, grad="filter", at=(a.value, b.value), lang=lang)
    assert len(weight.terms()) == 4
    weight
    return (weight,)


@app.cell(hide_code=True)
def _(lang):
    def loss(x, w):
        y = tf.nn.conv2d(x[None, :, :, None], w[:, :, None, None], 1, "VALID").numpy()
        return float(y.sum())

    grown = X.copy()
    grown[1, 1] += 1
    assert (loss(X, W), loss(grown, W)) == (124, 130)
    y = tf.nn.conv2d(X[None, :, :, None], W[:, :, None, None], 1, "VALID").numpy()
    assert y.ravel().tolist() == [19, 25, 37, 43]
    assert gradients.FILTER_GRADIENT.expected(X, ONES).ravel().tolist() == [8, 12, 20, 24]
    assert gradients.INPUT_GRADIENT.expected(ONES, W).tolist() == [[0, 1, 1], [2, 6, 4], [2, 5, 3]]
    lesson.text(
        lang,
        """
        ## Derive it, check it

        Call the image x, the kernel w, the output y. One output is
        `y[i, j] = Σ x[i+a, j+b] · w[a, b]`, where Σ is the sum over all rows a and columns b of the
        kernel. Write `dw[a, b]` for the gradient of the weight w[a, b], and `dx[p, q]` for that of
        the pixel x[p, q].

        - *How does w[a, b] reach the loss?* Through every output: in y[i, j] it is multiplied by
          x[i+a, j+b]. So `dw[a, b] = Σ g[i, j] · x[i+a, j+b]`, over all outputs. Compare this with
          the formula of y: g is where the kernel was. dw is **the convolution of the image with g
          as the kernel**.
        - *How does x[p, q] reach it?* Through the outputs whose windows contain it. It lies under
          w[a, b] if `p = i+a` and `q = j+b`, that is, in the output `i = p-a`, `j = q-b`. So
          `dx[p, q] = Σ g[p-a, q-b] · w[a, b]`, over all a and b for which there is such an output;
          where there is none, count g as 0. When a grows, p-a falls: g and the kernel are read in
          opposite directions, and that is as if the kernel were turned by 180 degrees. dx is **the
          convolution of g, padded with zeros, with the turned kernel**.
        - *And a bias?* That is a number added to every output, so `db = Σ g[i, j]`, here 4.

        Here y is 19, 25, 37, 43, dw is 8, 12, 20, 24, and dx has the rows 0 1 1, 2 6 4, 2 5 3.

        You can check this without calculus. A convolution only multiplies pixels by weights and
        adds, so it is *linear* in the pixels: if a pixel grows by 1, the loss grows by exactly its
        gradient. Let the pixel in the middle grow by 1, and the loss goes from 124 to 130. The
        difference is 6, as dx says.
        """,
        """
        ## 推导, 验证

        图像记作 x, 卷积核记作 w, 输出记作 y。一个输出是 `y[i, j] = Σ x[i+a, j+b] · w[a, b]`, Σ 表示
        对卷积核的所有行 a、列 b 求和。权重 w[a, b] 的梯度记作 `dw[a, b]`, 像素 x[p, q] 的梯度记作
        `dx[p, q]`。

        - *w[a, b] 怎样影响损失?* 通过每一个输出: 在 y[i, j] 中与它相乘的是 x[i+a, j+b]。所以
          `dw[a, b] = Σ g[i, j] · x[i+a, j+b]`, 对所有输出求和。与 y 的公式对照: g 正处在卷积核的位
          置上。dw 就是**以 g 为卷积核对图像做的卷积**。
        - *x[p, q] 怎样影响损失?* 通过窗口包含它的那些输出。当 `p = i+a`, `q = j+b` 时它在 w[a, b]
          下面, 即输出 `i = p-a`, `j = q-b`。所以 `dx[p, q] = Σ g[p-a, q-b] · w[a, b]`, 只对存在这种
          输出的 a、b 求和; 不存在时, g 按 0 计。a 增大时 p-a 减小: g 与卷积核的读取方向相反, 相当于
          把卷积核旋转了 180 度。dx 就是**补零后的 g 与旋转后的卷积核的卷积**。
        - *偏置呢?* 它是加到每个输出上的一个数, 所以 `db = Σ g[i, j]`, 这里是 4。

        这里 y 是 19、25、37、43, dw 是 8、12、20、24, dx 的三行是 0 1 1、2 6 4、2 5 3。

        不用微积分也能验证。卷积只是把像素乘以权重再相加, 对像素是*线性*的: 一个像素增大 1, 损失的增
        量恰好等于它的梯度。让正中间的像素增大 1, 损失从 124 变成 130, 相差 6, 正是 dx 中的数。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    turned = gradients.INPUT_GRADIENT.expected(ONES, W[::-1, ::-1].copy())
    assert turned.tolist() == [[3, 5, 2], [4, 6, 2], [1, 1, 0]]
    assert turned.sum() == gradients.INPUT_GRADIENT.expected(ONES, W).sum()
    image = tf.constant(np.ones((1, 5, 5, 1), "float32"))
    with tf.GradientTape() as tape:
        tape.watch(image)
        total = tf.reduce_sum(tf.nn.conv2d(image, tf.ones((3, 3, 1, 1)), 1, "VALID"))
    counts = tape.gradient(total, image).numpy()[0, :, :, 0]
    assert (counts[0, 0], counts[2, 2]) == (1, 9)
    lesson.text(
        lang,
        """
        ## Break it

        Forget to turn the kernel, and dx has the rows 3 5 2, 4 6 2, 1 1 0. Its shape is right, the
        number in the middle (6) is right, and so is the sum of all nine. A test of the shape or of
        the sum finds nothing, and the layers before this one learn from wrong gradients. If the
        kernel looks the same after a turn of 180 degrees, nothing shows at all. So test with a
        kernel whose weights all differ, and test dw and dx separately.

        One more thing to see: in a 5 x 5 image under a 3 x 3 kernel, the pixel in a corner is in 1
        window, and the one in the middle in 9. Pixels at the border have less influence on the
        loss. Padding helps.
        """,
        """
        ## 弄坏它

        如果忘了旋转卷积核, dx 的三行就成了 3 5 2、4 6 2、1 1 0。形状对, 正中间的数 (6) 对, 九个数的
        总和也对。只检查形状或总和发现不了问题, 而前面各层会按错误的梯度学习。如果卷积核旋转 180 度
        后不变, 就完全看不出错误。所以测试时卷积核的权重要互不相同, 而且 dw 和 dx 要分别测试。

        还有一点: 图像 5 x 5、卷积核 3 x 3 时, 角上的像素只在 1 个窗口里, 正中间的像素在 9 个窗口
        里。边缘的像素对损失的影响较小, 填充可以缓解这个问题。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_filter = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                gradients.FILTER_GRADIENT,
                """Compute dw. `x` is the image and `g` holds the gradients of the outputs;
                both are NumPy arrays. `x.shape` is (rows, columns). An image of H rows has h =
                H - k + 1 rows of outputs, so the kernel has k = H - h + 1 rows; count its
                columns in the same way. A few lines do it, with loops or without. (In the
                cell, dL/dw is another way to write dw; L is the loss.)""",
                """计算 dw。`x` 是图像, `g` 是各输出的梯度, 都是 NumPy 数组, `x.shape` 是 (行
                数, 列数)。图像有 H 行时, 输出有 h = H - k + 1 行, 所以卷积核有 k = H - h + 1
                行; 列数同理。几行代码即可, 用不用循环都行。(单元格里的 dL/dw 是 dw 的另一种写
                法, L 是损失。)""",
            ),
            hints_filter,
        ]
    )
    return (hints_filter,)


@app.function
def filter_gradient(x, g):
    """dL/dw of y = conv2d(x, w), VALID, stride 1; g is dL/dy."""
    return ...


@app.cell(hide_code=True)
def _(hints_filter, lang):
    lesson.check(lang, gradients.FILTER_GRADIENT, filter_gradient, hints_filter.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_input = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                gradients.INPUT_GRADIENT,
                """Compute dx from `g` and the kernel `w`. How large is dx? Think of that
                first. And beware: a negative index is no error in Python, `g[-1]` is the last
                row of `g`.""",
                """由 `g` 和卷积核 `w` 计算 dx。先想想 dx 有多大。注意: 在 Python 中负下标不报
                错, `g[-1]` 是 `g` 的最后一行。""",
            ),
            hints_input,
        ]
    )
    return (hints_input,)


@app.function
def input_gradient(g, w):
    """dL/dx of y = conv2d(x, w), VALID, stride 1; g is dL/dy."""
    return ...


@app.cell(hide_code=True)
def _(hints_input, lang):
    lesson.check(lang, gradients.INPUT_GRADIENT, input_gradient, hints_input.value)
    return


@app.cell(hide_code=True)
def _(lang):
    ask = lesson.compare_button(lang)
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Compare

                TensorFlow finds gradients by itself, with its `GradientTape`. Do they agree with
                the figures?
                """,
                """
                ## 对照

                TensorFlow 用 `GradientTape` 自动求梯度。结果与上面两张图一致吗?
                """,
            ),
            ask,
        ]
    )
    return (ask,)


@app.cell(hide_code=True)
def _(ask, lang, pixel, weight):
    lesson.compare(lang, ask.value, pixel, weight)
    return


@app.cell(hide_code=True)
def _(lang):
    lesson.text(
        lang,
        """
        ## Keep

        - dw: the image, convolved with g as the kernel. dx: the padded g, convolved with the turned
          kernel. db: the sum of g.
        - A pixel that lies in several windows gets the *sum* of what they give.
        - Test with a kernel whose weights all differ, one gradient at a time. Otherwise a wrong one
          may pass by luck.

        Next: here dx has 3 x 3 numbers, and g only 2 x 2. As a layer, this step from a small image
        to a large one is the *transposed convolution*, lesson 7.
        """,
        """
        ## 记住

        - dw: 以 g 为卷积核对图像做卷积。dx: 补零后的 g 与旋转后的卷积核做卷积。db: g 之和。
        - 一个像素在几个窗口里, 就把各窗口给它的值*相加*。
        - 测试时卷积核的权重要互不相同, 每个梯度分别测试, 否则错误的结果可能侥幸通过。

        接下来: 这里 dx 是 3 x 3, g 只有 2 x 2。把由小图得到大图的这一步单独作为一层, 就是*转置卷
        积*, 见第 7 课。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
