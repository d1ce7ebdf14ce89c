"""Lesson 12: training: losses, optimizers, learning-rate decay, dropout, L2, augmentation."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson import reader as reading
    from minitensor.lesson import walks
    from minitensor.lesson.exercises import training as exercises


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
        # 12. Training

        A network is trained by one sentence, repeated: compute the loss of a few images, follow
        its gradient down a little. Around this sentence stand the tricks of the trade, and each
        has a convention that somebody gets wrong.

        A network for ten classes has just been made and knows nothing: it gives every class about
        the same probability. The loss is the cross-entropy, minus the logarithm of the right
        class's probability. How large is it?
        """,
        """
        # 12. 训练

        训练网络就是反复做一件事: 算出几张图像的损失, 沿负梯度方向走一小步。
        围绕这件事有许多技巧, 而每个技巧都有一个容易弄错的约定。

        刚建好的十分类网络什么也不会, 给每一类的概率差不多。损失是交叉熵,
        即正确类的概率取对数再取负。它有多大?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    first = lesson.guess(lang, [0, 1, 2.3026, 10])
    first
    return (first,)


@app.cell(hide_code=True)
def _(first, lang):
    # the answer
    assert np.isclose(np.log(10), 2.3026, atol=1e-4)
    equal = tf.nn.sparse_softmax_cross_entropy_with_logits([3], tf.zeros((1, 10)))
    assert np.isclose(equal.numpy()[0], 2.3026, atol=1e-4)
    lesson.answer(
        lang,
        first,
        2.3026,
        """The logarithm of 10. The training logs of the course text begin with 2.3719, a little
        above: a fresh network is not quite undecided. Look at the first loss of every training. If
        it is far from this number, something is wrong before the first step.""",
        """10 的对数。教材的训练日志从 2.3719 开始, 略高一些: 新网络并不是完全没有偏向。
        每次训练都先看第一个损失值: 如果离这个数很远, 那么第一步之前就有问题。""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    right = lesson.slider(lang, -3, 6, 2, "logit of the right class", "正确类的 logit")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Run it, see it: the loss

                Three classes. The other two have the logits 1 and 0, the first is right, and you
                choose its logit. `exp` makes every logit positive, and division by the sum makes
                probabilities: together, *softmax*. (The largest logit is subtracted before, which
                changes nothing, but no `exp` can overflow.)
                """,
                """
                ## 运行, 观察: 损失

                三个类。另外两类的 logit 是 1 和 0; 第一类是正确的, 它的 logit 由你定。
                `exp` 使每个 logit 变成正数, 再除以总和就得到概率, 合起来叫 *softmax*。
                (先减去最大的 logit: 结果不变, 但 `exp` 不会溢出。)
                """,
            ),
            right,
        ]
    )
    return (right,)


@app.cell(hide_code=True)
def _(lang, right):
    labels = np.array([[1, 0, 0]], "float32")
    logits = np.array([[right.value, 1, 0]], "float32")
    found = tf.explain("softmax_cross_entropy", labels, logits, lang=lang)
    found
    return found, labels, logits


@app.cell(hide_code=True)
def _(lang):
    lesson.text(
        lang,
        """
        ## Its gradient

        What a page of derivatives comes to is one subtraction: **probability minus what was
        right**. The gradients of the three logits add up to 0. And it never points the wrong way:
        the more wrong the network is, the closer to -1, the more it is pulled.
        """,
        """
        ## 它的梯度

        推导一整页, 结果只是一次减法: **概率减去正确答案**。三个 logit 的梯度之和为 0。
        而且方向总是对的: 网络错得越多, 梯度越接近 -1, 修正的力量越大。
        """,
    )
    return


@app.cell(hide_code=True)
def _(labels, lang, logits):
    back = tf.explain("softmax_cross_entropy", labels, logits, grad="logits", at=(0, 0), lang=lang)
    assert abs(float(back.call.numbers.sum())) < 1e-6
    back
    return (back,)


@app.cell(hide_code=True)
def _(lang):
    perfect = tf.constant([[1.0] + [0.0] * 9])  # a softmax at the end of the network
    twice = tf.nn.sparse_softmax_cross_entropy_with_logits([0], perfect).numpy()[0]
    assert np.isclose(twice, 1.4612, atol=1e-4)
    assert np.isclose(np.log((np.e + 9) / np.e), 1.4612, atol=1e-4)
    lesson.text(
        lang,
        """
        ## Break it: softmax twice

        The commonest mistake of all: the network ends with a softmax, *and* the loss is told
        `from_logits=True`, so it applies another. The best answer there is, probability 1 for the
        right one of ten classes, is then read as the logits 1, 0, 0, ... and the loss is 1.4612.
        It can never be less. Nothing is reported; the network learns, slowly, and the loss stops at
        1.46. Whoever knows that number finds the mistake in a minute.
        """,
        """
        ## 弄坏它: 两次 softmax

        最常见的错误: 网络最后一层已经是 softmax, *同时*损失又写了 `from_logits=True`,
        于是再做一次。十类中最好的答案 (正确类概率为 1) 被当成 logit 1, 0, 0, ...,
        损失是 1.4612, 永远不会更小。不报错, 网络也学得动, 只是很慢, 损失停在 1.46。
        认得这个数的人, 一分钟就能找到错误。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_gradient = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                exercises.CROSS_ENTROPY_GRADIENT,
                "`logits` is an array (C,), `label` the index of the right class.",
                "`logits` 是数组 (C,), `label` 是正确类的下标。",
            ),
            hints_gradient,
        ]
    )
    return (hints_gradient,)


@app.function
def cross_entropy_gradient(logits, label):
    """dL/dlogits of -log softmax(logits)[label]; logits (C,), label an index."""
    return ...


@app.cell(hide_code=True)
def _(hints_gradient, lang):
    lesson.check(
        lang, exercises.CROSS_ENTROPY_GRADIENT, cross_entropy_gradient, hints_gradient.value
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hundredths = lesson.slider(lang, 1, 10, 4, "learning rate, in hundredths", "学习率 (百分之几)")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## The way down: optimizers

                A valley with the height (x² + 25 y²)/2: flat along x, 25 times as steep across.
                The losses of networks are like it. Three optimizers start at (10, 1) and take 20
                steps at the same rate.
                """,
                """
                ## 往下走: 优化器

                一个山谷, 高度是 (x² + 25 y²)/2: 沿 x 平缓, 沿 y 陡 25 倍。真实的损失就像这样。
                三个优化器都从 (10, 1) 出发, 用同样的学习率走 20 步。
                """,
            ),
            hundredths,
        ]
    )
    return (hundredths,)


@app.cell(hide_code=True)
def _(hundredths, lang):
    ways = walks.Walks(hundredths.value / 100)
    drawn = lesson.drawing(ways.drawn(lang), ways.told(lang))
    mo.vstack([drawn, mo.md(ways.told(lang))])
    return (ways,)


@app.cell(hide_code=True)
def _(lang):
    def down(rate):
        return walks.Walks(rate).places["gradient descent"]

    assert np.allclose(down(0.08)[:, 1], [(-1) ** k for k in range(21)], atol=1e-4)
    assert abs(down(0.09)[-1, 1]) > 80
    assert 2 / 25 == 0.08
    assert 10 - walks.Walks(0.04).places["Adam"][-1, 0] <= 0.8
    lesson.text(
        lang,
        """
        Each step of gradient descent multiplies y by 1 - 25·rate. At 0.08 that is -1: y jumps from
        one slope to the other for ever. Beyond **2/25 = 0.08** it grows: at 0.09 to more than 80 in
        20 steps. The steepest direction limits the rate, and the flat one must live with it.

        *Momentum* keeps 0.9 of the last step: what jumps to and fro cancels out, what always points
        the same way adds up. *Adam* divides by the size of the gradients seen so far, for each
        number by itself: x and y walk alike, and no step is much longer than the rate. Its 20 steps
        of 0.04 cannot get further than 0.8, so **rates of different optimizers do not compare**.
        """,
        """
        梯度下降每一步把 y 乘以 1 - 25·学习率。学习率为 0.08 时就是 -1: y 在两侧来回跳, 永不停下。
        超过 **2/25 = 0.08** 就会发散: 0.09 时, 20 步后超过 80。最陡的方向限制了学习率,
        平缓的方向只好将就。

        *动量*保留上一步的 0.9: 来回跳的分量互相抵消, 方向一致的分量不断累积。
        *Adam* 把每个参数的梯度除以它自己过去梯度的大小: x 和 y 走得一样快,
        每步不会比学习率长多少。0.04 走 20 步, 最多走 0.8, 所以**不同优化器的学习率不能直接比较**。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_adam = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                exercises.ADAM,
                "Four lines in a loop. `w` is (n,), and each row of `gradients` is one step.",
                "循环里四行。`w` 是 (n,), `gradients` 的每一行是一步。",
            ),
            hints_adam,
        ]
    )
    return (hints_adam,)


@app.function
def adam(w, gradients, rate):
    """w (n,) after one step for each row of gradients (T, n); beta 0.9 and 0.999, eps 1e-7."""
    return ...


@app.cell(hide_code=True)
def _(hints_adam, lang):
    lesson.check(lang, exercises.ADAM, adam, hints_adam.value)
    return


@app.cell(hide_code=True)
def _(lang):
    before, after = walks.spread()
    assert np.isclose(before, 0.23, atol=0.015)
    assert np.isclose(after, 0.07, atol=0.005)
    assert np.isclose(np.sqrt(0.1 / 1.9), 0.23, atol=1e-3)
    assert np.isclose(np.sqrt(0.01 / 1.99), 0.07, atol=1e-3)
    step = tf.keras.optimizers.schedules.PiecewiseConstantDecay([11999], [0.1, 0.01])
    assert [round(float(step(n)), 2) for n in (11999, 12000)] == [0.1, 0.01]
    late = tf.keras.optimizers.schedules.PiecewiseConstantDecay([12000], [0.1, 0.01])
    assert round(float(late(12000)), 2) == 0.1
    lesson.text(
        lang,
        """
        ## Learning-rate decay

        A batch is a sample, so its gradient is noisy, and a walk down never comes to rest: it
        trembles around the bottom. 2000 walks down w²/2, with noise of size 1 in each gradient, end
        up spread by 0.23 at a rate of 0.1 (on paper: √(0.1/1.9)). When the rate falls to 0.01 they
        come to 0.07. A large rate gets there, a small one settles: that is all decay is for.

        The course text writes `lr = 0.1 if step < 12000 else 0.01`. In Keras that is
        `PiecewiseConstantDecay([11999], [0.1, 0.01])`: a boundary still belongs to what is before
        it. With `[12000]` one step more is taken at 0.1.
        """,
        """
        ## 学习率衰减

        一批数据只是样本, 梯度带噪声, 所以永远不会真正停下来, 而是在谷底附近抖动。
        2000 条路径沿 w²/2 下降, 每个梯度带大小为 1 的噪声: 学习率 0.1 时, 最后的散布是 0.23
        (理论值 √(0.1/1.9))。学习率降到 0.01 后是 0.07。大的学习率走得到, 小的学习率停得稳:
        衰减的作用就在这里。

        教材写的是 `lr = 0.1 if step < 12000 else 0.01`。在 Keras 里是
        `PiecewiseConstantDecay([11999], [0.1, 0.01])`: 边界上的那一步仍属于前一段。
        写成 `[12000]` 就会多走一步 0.1。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    tf.random.set_seed(0)
    dropped = tf.keras.layers.Dropout(0.5)
    tens = tf.fill((10000,), 10.0)
    seen = dropped(tens, training=True).numpy()
    assert set(np.unique(seen)) == {0, 20}
    assert abs(seen.mean() - 10) < 0.5
    assert np.array_equal(dropped(tens, training=False), tens)
    lesson.text(
        lang,
        """
        ## Dropout

        10000 tens through a dropout of one half, in training: each becomes 0 or 20, and the mean
        stays at 10, within 0.5. What is left is divided by the share that is kept, so that later
        layers see the same size on average; in use the layer does nothing.

        The course's texts disagree here. One scales while it trains, as above. Another trains
        without and multiplies by 0.5 in use. Either is right; who does **both** gives 5 to layers
        that learned with 10.
        """,
        """
        ## Dropout (随机失活)

        10000 个 10 经过概率一半的 dropout (训练模式): 每个变成 0 或 20, 均值仍是 10,
        误差不到 0.5。
        保留下来的数要除以保留的比例, 这样后面各层平均看到的大小不变; 使用时这一层什么也不做。

        教材在这里自相矛盾: 一处在训练时放大, 如上; 另一处训练时不放大, 使用时乘 0.5。
        两种都对; **两样都做**的人, 会把 5 交给用 10 学出来的层。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    def slope(penalty):
        w = tf.Variable([2.0])
        with tf.GradientTape() as tape:
            loss = penalty(w)
        return float(tape.gradient(loss, w).numpy()[0])

    assert np.isclose(slope(tf.keras.regularizers.L2(0.1)), 0.4)
    assert np.isclose(slope(lambda w: 0.1 * tf.nn.l2_loss(w)), 0.2)
    lesson.text(
        lang,
        """
        ## L2: λ or 2λ

        L2 adds λ·Σw² to the loss, so that large weights cost something. Its slope at w = 2 with
        λ = 0.1 is 2·0.1·2 = 0.4, and Keras' `regularizers.L2(0.1)` gives that. But TensorFlow's
        `tf.nn.l2_loss` is *half* of the sum of squares, and so was the `slim.l2_regularizer` of the
        course text, whose formula has the 2 all the same: there it is 0.2. Who takes 1e-4 from one
        program into the other has half or twice the decay.
        """,
        """
        ## L2: λ 还是 2λ

        L2 正则化在损失上加 λ·Σw², 使大的权重付出代价。λ = 0.1 时, 它在 w = 2 处的导数是
        2·0.1·2 = 0.4, Keras 的 `regularizers.L2(0.1)` 正是如此。但 TensorFlow 的 `tf.nn.l2_loss`
        是平方和的*一半*, 教材用的 `slim.l2_regularizer` 也是 (而教材的公式里有那个 2):
        结果是 0.2。把 1e-4 从一个程序搬到另一个, 衰减就差一倍。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_step = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                exercises.DECAYED_STEP,
                "One line: a step on the loss and λ·Σw² together; λ is `decay`.",
                "一行: 对损失加 λ·Σw² 走一步; λ 就是 `decay`。",
            ),
            hints_step,
        ]
    )
    return (hints_step,)


@app.function
def decayed_step(w, gradient, rate, decay):
    """One step of gradient descent on loss + decay·sum(w²); gradient is the loss's own."""
    return ...


@app.cell(hide_code=True)
def _(hints_step, lang):
    lesson.check(lang, exercises.DECAYED_STEP, decayed_step, hints_step.value)
    return


@app.cell(hide_code=True)
def _():
    reader = reading.trained_lenet()
    return (reader,)


@app.cell(hide_code=True)
def _(lang):
    pixels = lesson.slider(lang, 0, 4, 4, "moved by, pixels", "平移的像素数")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## All of it: LeNet reads digits

                Here LeNet-5 with its 60,074 parameters has just learned 1437 digits, in two epochs
                of Adam. Below is how many of 360 others it reads, as they are and changed. How far
                down and to the right do you dare to move them?
                """,
                """
                ## 合在一起: LeNet 认数字

                LeNet-5 (60,074 个参数) 刚刚用 Adam 学了 1437 个数字, 两个 epoch。
                下面是另外 360 个数字的正确率: 原样的, 和改动过的。你敢把它们向右下移多远?
                """,
            ),
            pixels,
        ]
    )
    return (pixels,)


@app.cell(hide_code=True)
def _(lang, pixels, reader):
    mo.md(reader.table(pixels.value, lang))
    return


@app.cell(hide_code=True)
def _(lang, reader):
    assert reader.net.count_params() == 60074
    assert (len(reader.train.images), len(reader.test.images)) == (1437, 360)
    assert reader.accuracy(lambda x: x) >= 0.8
    assert reader.accuracy(reading.moved(4)) <= 0.3
    assert reader.accuracy(reading.mirrored) <= 0.6
    assert reader.accuracy(reading.negative) <= 0.1
    lesson.text(
        lang,
        """
        ## Break it, and what augmentation is

        At least 80 % of those that stand as the ones it learned from; 4 pixels aside not even 30 %.
        The convolutions have moved with the digit, but the dense layers behind have a weight for
        each *place*. A negative, white for black, it does not read at all.

        A network knows what it was shown. **Augmentation** shows it each image changed, every time
        in another way, but so that the label stays true: moved, darker, a little turned. Mirrored?
        It reads under 60 % of those, but it should not learn them: a mirrored 3 is no 3, and the
        course text's `random_flip_left_right` is for cats. `python examples/training_tricks.py`
        shows the gain and the price: many points on changed images, and more epochs needed.
        """,
        """
        ## 弄坏它, 以及什么是数据增强

        和训练集摆放一样的数字, 至少认得 80 %; 平移 4 个像素, 连 30 % 都不到。
        卷积的输出跟着数字移动了, 但后面的全连接层对每个*位置*各有一个权重。
        黑白反过来的, 完全认不出。

        网络只认得给它看过的东西。**数据增强**就是每次把图像改动一点再给它看, 而标签不变:
        平移、变暗、稍微旋转。镜像呢? 它只认得不到 60 %, 但不该学: 镜像的 3 不是 3,
        教材的 `random_flip_left_right` 适合猫的照片。`python examples/training_tricks.py`
        演示了得与失: 改动过的图像正确率高得多, 但需要更多 epoch。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    ask = lesson.compare_button(lang)
    mo.vstack(
        [
            lesson.text(
                lang,
                "## Compare\n\nDo TensorFlow and its Keras agree: the loss, its gradient, and the "
                "three ways down, step by step?",
                "## 对照\n\n损失、梯度和三个优化器的每一步, 与 TensorFlow 和它的 Keras 一致吗?",
            ),
            ask,
        ]
    )
    return (ask,)


@app.cell(hide_code=True)
def _(ask, back, found, lang, ways):
    lesson.compare(lang, ask.value, found, back, ways)
    return


@app.cell(hide_code=True)
def _(lang):
    lesson.text(
        lang,
        """
        ## Keep

        - The gradient of softmax and cross-entropy is probability minus right. A first loss that
        is not log C, or one that stops at 1.46, tells a mistake.
        - The steepest direction limits the rate; momentum and Adam help; decay settles.
        - Dropout scales in training or in use, never both. L2 is λ or 2λ: look up which.
        - Augment by what does not change the label, and may happen.
        """,
        """
        ## 记住

        - softmax 加交叉熵的梯度是概率减正确答案。第一个损失不是 log C, 或者停在 1.46, 说明有错。
        - 最陡的方向限制学习率; 动量和 Adam 有帮助; 衰减使它停稳。
        - dropout 在训练时或使用时缩放, 不能两样都做。L2 是 λ 还是 2λ, 要查清。
        - 数据增强只做不改变标签、而且实际会出现的改动。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
