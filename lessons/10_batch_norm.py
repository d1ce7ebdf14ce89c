"""Lesson 10: batch normalisation, in training, in use, and backwards."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson.exercises import batch_norm as exercises

    BATCH = np.array([[1], [2], [3], [6]], "float32")


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
        # 10. Batch normalisation

        While a network learns, what a layer reads changes with every step of the layers below.
        Batch
        normalisation takes that away: it shifts and stretches its input so that it has mean 0 and
        variance 1, then lets two learned numbers, *gamma* and *beta*, choose another scale and
        mean.

        A batch has the shape [100, 32, 32, 3]: 100 colour images. How many means are computed?
        """,
        """
        # 10. 批量归一化

        网络学习时, 下面各层每走一步, 上面一层的输入就变一次。批量归一化消除这种变化: 把输入平移、
        缩放,
        使均值为 0、方差为 1, 再用两个可学习的数 *gamma* 和 *beta* 决定新的尺度和均值。

        一批数据的形状是 [100, 32, 32, 3]: 100 张彩色图像。要算几个均值?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    means = lesson.guess(lang, [1, 3, 100, 3072])
    means
    return (means,)


@app.cell(hide_code=True)
def _(lang, means):
    # the answer
    def weights(channels):
        layer = tf.keras.layers.BatchNormalization()
        layer.build((None, 4, 4, channels))
        return sum(w.numpy().size for w in layer.weights)

    assert tf.nn.moments(tf.ones((100, 32, 32, 3)), [0, 1, 2])[0].shape == (3,)
    assert 100 * 32 * 32 == 102400
    assert (weights(6), weights(16)) == (24, 64)
    lesson.answer(
        lang,
        means,
        3,
        """One for each channel, over all images, rows and columns: of 102400 numbers each. So a
        channel has four numbers: gamma and beta, which are learned, and a mean and a variance,
        which are kept. 6 channels make 24, 16 make 64, and half of them are trainable.""",
        """每个通道一个, 对所有样本、行、列求平均, 各由 102400 个数得到。所以每个通道有四个数:
        gamma 和 beta 是学习的, 均值和方差是统计后保留的。6 个通道共 24 个, 16 个通道共 64 个,
        其中一半可训练。""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    fourth = lesson.slider(lang, 4, 30, 6, "the fourth number", "第四个数")
    which = lesson.slider(lang, 0, 3, 0, "which is explained", "解释哪一个")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Run it, see it

                A batch of four numbers in one channel: 1, 2, 3 and one that you choose. Change it,
                and look at the
                output of the *first*.
                """,
                """
                ## 运行, 观察

                一个通道, 一批四个数: 1、2、3, 第四个由你定。改变它, 看*第一个*的输出怎样变。
                """,
            ),
            fourth,
            which,
        ]
    )
    return fourth, which


@app.cell(hide_code=True)
def _(fourth, lang, which):
    batch = np.array([[1], [2], [3], [fourth.value]], "float32")
    found = tf.explain("batch_norm", batch, at=(which.value,), lang=lang)
    found
    return batch, found


@app.cell(hide_code=True)
def _(batch, lang, which):
    only = np.zeros((4, 1), "float32")
    only[which.value] = 1
    back = tf.explain(
        "batch_norm", batch, grad="input", output_gradients=only, at=(which.value,), lang=lang
    )
    total = back.call.numbers.sum()
    assert abs(float(total)) < 1e-5
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## The way back

                The loss is that one output. Its own number reaches it in three ways: straight,
                through the mean, and through the
                variance, and the last two
                take part of the first away. Add the gradients of all
                four numbers: 0,
                for shifting the whole batch changes nothing.
                """,
                """
                ## 反向传播

                损失就是那一个输出。它自己的输入有三条路影响它: 直接、经过均值、经过方差,
                后两条把第一条抵消掉一部分。
                四个数的梯度之和为 0, 因为整批平移不改变结果。
                """,
            ),
            back,
        ]
    )
    return (back,)


@app.cell(hide_code=True)
def _(found, lang):
    layer = tf.keras.layers.BatchNormalization(momentum=0.9)
    layer(BATCH, training=True)
    assert np.isclose(BATCH.mean(), 3)
    assert np.isclose(BATCH.var(), 3.5)
    assert np.allclose(layer.moving_mean.numpy(), 0.3)
    assert np.allclose(layer.moving_variance.numpy(), 1.25)
    assert np.isclose(BATCH.var(ddof=1), 4.6667, atol=1e-4)
    assert tf.keras.layers.BatchNormalization().momentum == 0.99
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Two modes

                In use there may be no batch at all, and an answer must not depend on its
                neighbours. So the layer keeps
                *moving* statistics while it trains: `new = momentum · old + (1 - momentum) ·
                batch`. They begin at
                mean 0, variance 1. After one batch 1, 2, 3, 6 (mean 3, variance 3.5) with
                momentum 0.9 they are 0.3 and 1.25. Keras' own
                momentum is 0.99: after one batch nearly nothing has happened yet.

                Two traps of convention. PyTorch calls the *other* weight momentum: its 0.1 is
                Keras' 0.9. And
                TensorFlow 1 keeps the variance divided by n - 1, here 4.6667 in the place of 3.5.
                """,
                """
                ## 两种模式

                实际使用时可能根本没有一批数据, 而且结果不应取决于同批的其他样本。
                所以训练时这一层保留*移动*统计量:
                `new = momentum · old + (1 - momentum) · batch`, 从均值 0、方差 1 开始。
                取 momentum 0.9, 经过一批 1、2、3、6 (均值 3, 方差 3.5) 之后是 0.3 和 1.25。
                Keras 默认的 momentum 是 0.99: 一批之后几乎没变。

                两个约定上的陷阱。PyTorch 把*另一个*权重叫做 momentum: 它的 0.1 就是 Keras 的 0.9。
                而 TensorFlow 1 保留的方差除以 n - 1, 这里是 4.6667 而不是 3.5。
                """,
            ),
            lesson.view(lang, found, "moving"),
        ]
    )
    return


@app.cell(hide_code=True)
def _(lang):
    fresh = tf.keras.layers.BatchNormalization()
    untouched = fresh(BATCH, training=False).numpy()
    assert np.allclose(untouched.ravel(), [0.9995, 1.9990, 2.9985, 5.9970], atol=1e-4)
    assert np.allclose(fresh(BATCH).numpy(), untouched)
    assert np.allclose(fresh(BATCH[:1], training=True).numpy(), 0)
    lesson.text(
        lang,
        """
        ## Break it

        Call a fresh layer on 1, 2, 3, 6 without saying `training=True`, as the training loop of one
        course text does: out come 0.9995, 1.9990, 2.9985, 5.9970. Mean 0 and variance 1 are
        assumed, nothing is normalised, nothing is kept, and no error
        says so. The text's authors mended it later.

        And the other way round: in training mode a batch of *one* number gives 0, whatever it is.
        """,
        """
        ## 弄坏它

        对一个新建的层输入 1、2、3、6, 而不写 `training=True` (有份教材的训练循环正是如此),
        得到 0.9995、1.9990、2.9985、5.9970。它按均值 0、方差 1 计算, 什么也没有归一化,
        什么也没有保留,
        而且不报错。教材作者后来修正了。

        反过来: 训练模式下一批只有*一个*数时, 无论它是几, 结果都是 0。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_norm = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                exercises.BATCH_NORM,
                "In training mode: `x` (N, H, W, C) is a NumPy array, `gamma` and `beta` are (C,).",
                "训练模式: `x` 是 NumPy 数组 (N, H, W, C), `gamma` 和 `beta` 是 (C,)。",
            ),
            hints_norm,
        ]
    )
    return (hints_norm,)


@app.function
def batch_norm(x, gamma, beta, eps):
    """Training mode: x (N, H, W, C), gamma and beta (C,)."""
    return ...


@app.cell(hide_code=True)
def _(hints_norm, lang):
    lesson.check(lang, exercises.BATCH_NORM, batch_norm, hints_norm.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_moving = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                exercises.MOVING,
                "The statistics after one more batch (N, C), as Keras keeps them.",
                "再来一批 (N, C) 之后, Keras 保留的统计量。",
            ),
            hints_moving,
        ]
    )
    return (hints_moving,)


@app.function
def moving(mean, variance, batch, momentum):
    """The statistics that Keras keeps after one more batch (N, C); each (C,)."""
    new_mean = ...
    new_variance = ...
    return new_mean, new_variance


@app.cell(hide_code=True)
def _(hints_moving, lang):
    lesson.check(lang, exercises.MOVING, moving, hints_moving.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_back = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                exercises.BATCH_NORM_GRADIENT,
                "The hardest one, three lines: the gradient for one channel, `x` and `g` (N,).",
                "最难的一个, 三行: 一个通道的梯度, `x` 和 `g` 都是 (N,)。",
            ),
            hints_back,
        ]
    )
    return (hints_back,)


@app.function
def batch_norm_gradient(x, g, eps):
    """dL/dx of (x - mean)/sqrt(variance + eps), training mode; x, g (N,), g = dL/dy."""
    return ...


@app.cell(hide_code=True)
def _(hints_back, lang):
    lesson.check(lang, exercises.BATCH_NORM_GRADIENT, batch_norm_gradient, hints_back.value)
    return


@app.cell(hide_code=True)
def _(lang):
    ask = lesson.compare_button(lang)
    mo.vstack(
        [
            lesson.text(
                lang,
                "## Compare\n\nDoes TensorFlow agree, forward and backward?",
                "## 对照\n\nTensorFlow 的正向和反向结果一致吗?",
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

        - One mean and one variance for each channel, over everything else.
        - Training uses the batch, and images of a batch depend on each other; use takes what was
        kept.
        - Whoever calls the model says `training=True`; in PyTorch momentum is the other share.
        """,
        """
        ## 记住

        - 每个通道一个均值、一个方差, 对其余各轴统计。
        - 训练时用这一批的统计量, 同批样本互相影响; 使用时用保留的统计量。
        - 调用模型时要写 `training=True`; PyTorch 的 momentum 是另一个比例。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
