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

        A network learns by asking of each number: if it grew a little, how much would the loss
        grow? The answer is the number's *gradient*. For a convolution there are two to ask about:
        the weights of the kernel, which learn, and the pixels, through which the layers below
        learn.

        An image is 3 x 3, a kernel 2 x 2, the stride 1. There are 2 x 2 outputs, and the loss is
        their sum. In how many outputs does the pixel in the *middle* appear?
        """,
        """
        # 6. 梯度

        网络学习时要问每个数: 如果它增大一点, 损失会增大多少? 答案就是这个数的*梯度*。
        对卷积要问两类数: 卷积核的权重 (要学的就是它) 和像素 (下面的层要靠它学习)。

        图像 3 x 3, 卷积核 2 x 2, 步幅 1, 共 2 x 2 个输出, 损失是它们的和。
        *正中间*的像素出现在几个输出里?
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
        """All four windows cover it, each with another corner, so each time another weight stands
        before it. A pixel in a corner of the image appears in 1 output only.""",
        """四个窗口都盖住它, 而且每次是窗口的不同角落, 所以每次乘的是不同的权重。
        图像角上的像素只出现在 1 个输出里。""",
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

                The image holds 0 to 8, the kernel 0 to 3, and g, the gradient of the loss in each
                output, is 1 everywhere, because the loss is the plain sum. Choose a pixel.
                """,
                """
                ## 运行, 观察: 像素

                图像是 0 到 8, 卷积核是 0 到 3。g 是损失对每个输出的梯度; 损失就是输出之和, 所以 g
                全是 1。
                选一个像素。
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

                A weight is used in *every* output. So its gradient adds up as many products as
                there
                are outputs: here 4.
                """,
                """
                ## 权重

                *每个*输出都用到同一个权重。所以有几个输出, 它的梯度就是几个乘积之和, 这里是 4 个。
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
        ## Derive it, prove it

        One output is `y[i, j] = Σ x[i+a, j+b] · w[a, b]`, over all a and b. Three questions:

        - *How does w[a, b] reach the loss?* Through every output: `dw[a, b] = Σ g[i, j] · x[i+a,
        j+b]`.
          This is the image under g as a kernel: **a convolution**.
        - *How does x[p, q] reach it?* Through the outputs whose window holds it, those with `i =
        p-a`
          and `j = q-b`: `dx[p, q] = Σ g[p-a, q-b] · w[a, b]`. The minus signs turn the kernel by
          180 degrees, and where `p-a` lies outside, there is no output: **a convolution of the
          padded g with the turned kernel**.
        - *And a bias?* It is added to every output: `db = Σ g[i, j]`, here 4.

        Here y is 19, 25, 37, 43, dw is 8, 12, 20, 24, and dx has the rows 0 1 1, 2 6 4, 2 5 3.

        The proof needs no calculus: a convolution is linear in x. Let the pixel in the middle
        grow by
        1, and the loss goes from 124 to 130. The difference is 6, its gradient, exactly.
        """,
        """
        ## 推导, 验证

        一个输出是 `y[i, j] = Σ x[i+a, j+b] · w[a, b]`, 对所有 a、b 求和。三个问题:

        - *w[a, b] 怎样影响损失?* 通过每一个输出: `dw[a, b] = Σ g[i, j] · x[i+a, j+b]`。
          这就是把 g 当作卷积核放到图像上: **还是卷积**。
        - *x[p, q] 怎样影响损失?* 通过窗口包含它的那些输出, 即 `i = p-a`, `j = q-b`:
          `dx[p, q] = Σ g[p-a, q-b] · w[a, b]`。下标里的减号相当于把卷积核旋转 180 度; `p-a`
          越界时没有输出,
          相当于补零: **补零后的 g 与旋转后的卷积核做卷积**。
        - *偏置呢?* 每个输出都加了它: `db = Σ g[i, j]`, 这里是 4。

        这里 y 是 19、25、37、43, dw 是 8、12、20、24, dx 的三行是 0 1 1、2 6 4、2 5 3。

        验证不需要微积分: 卷积对 x 是线性的。让正中间的像素增大 1, 损失从 124 变成 130,
        差恰好是 6, 正是它的梯度。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    turned = gradients.INPUT_GRADIENT.expected(ONES, W[::-1, ::-1].copy())
    assert turned.tolist() == [[3, 5, 2], [4, 6, 2], [1, 1, 0]]
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

        Forget to turn the kernel, and dx has the rows 3 5 2, 4 6 2, 1 1 0. The shape is right,
        the middle
        is right (6), the sum is right. A test of the shape, or of the sum, finds nothing, and the
        layers below
        learn from pixels that were never there. With a symmetric kernel the fault cannot be seen
        at all:
        test with a kernel that has no two equal weights, and dw and dx one at a time.

        One more thing to see: in a 5 x 5 image under a 3 x 3 kernel a corner is in 1 window and
        the middle in 9.
        The border of an image has less say in the loss. Padding is one remedy.
        """,
        """
        ## 弄坏它

        如果忘了旋转卷积核, dx 的三行就成了 3 5 2、4 6 2、1 1 0。形状对, 中间的数 (6) 对, 总和也对。
        只检查形状或总和是查不出来的, 而下面的层会从错误的像素学习。
        卷积核对称时这个错误根本看不出来: 测试要用各权重互不相同的卷积核, 而且 dw 和 dx 要分开查。

        还有一点: 5 x 5 图像、3 x 3 卷积核时, 角上的像素只在 1 个窗口里, 正中间的在 9 个窗口里。
        图像边缘对损失的影响较小, 填充是一种补救办法。
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
                """`x` is an image (H, W), `g` the gradient in the outputs (h, w), both NumPy
                arrays.
                The kernel has H - h + 1 rows. A few lines, with loops or without.""",
                """`x` 是图像 (H, W), `g` 是输出的梯度 (h, w), 都是 NumPy 数组。
                卷积核有 H - h + 1 行。几行即可, 用不用循环都行。""",
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
                "The same for the pixels: `g` (h, w) and the kernel `w` (kh, kw) are given.",
                "对像素做同样的事: 已知 `g` (h, w) 和卷积核 `w` (kh, kw)。",
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
                "## Compare\n\nDoes TensorFlow's tape agree with the two figures?",
                "## 对照\n\nTensorFlow 的自动微分与上面两张图一致吗?",
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

        - dw is the image under g; dx is the padded g under the turned kernel; db is the sum of g.
        - Overlapping windows *add*.
        - A kernel of different weights, one gradient at a time: else a test may pass by luck.

        Next: dx makes an image out of a smaller one. As a layer of its own this is the *transposed
        convolution*, lesson 7.
        """,
        """
        ## 记住

        - dw 是把 g 当卷积核放到图像上; dx 是补零后的 g 与旋转后的卷积核做卷积; db 是 g 之和。
        - 窗口重叠处要*相加*。
        - 测试时卷积核的权重要互不相同, 两个梯度分开查, 否则可能侥幸通过。

        接下来: 求 dx 就是由小图得到大图。单独作为一层, 它就是*转置卷积*, 见第 7 课。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
