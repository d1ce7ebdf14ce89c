"""Lesson 14: what a trained network sees, and what it is worth to another task."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson import seen, seen_pictures
    from minitensor.lesson.exercises import representation as exercises


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
        # 14. Representation: what a network sees

        Ten convolutions of VGG13 hold 9,404,992 numbers. Somebody has trained them on some classes.
        You have other classes, and few images of them. So you keep the convolutions as they are,
        *frozen*, and put one new dense layer on the 512 features that they give, for your five
        classes.

        How many numbers are there left to learn?
        """,
        """
        # 14. 表示: 网络看到了什么

        VGG13 的十个卷积层共有 9,404,992 个参数, 别人已经用某些类别训练好了。
        你要认的是另外的类别, 图像又很少。于是卷积层原样保留 (*冻结*),
        在它们给出的 512 个特征上放一个新的全连接层, 认你的五个类。

        还有多少个参数要学?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    left = lesson.guess(lang, [512, 2560, 2565, 9407557])
    left
    return (left,)


@app.cell(hide_code=True)
def _(lang, left):
    # the answer
    new = tf.keras.layers.Dense(5)
    new.build((None, 512))
    assert new.count_params() == 512 * 5 + 5 == 2565
    assert tf.models.vgg13().count_params() - 165514 == 9404992
    assert 9404992 + 2565 == 9407557
    lesson.answer(
        lang,
        left,
        2565,
        """512 times 5 weights and 5 biases. That few images can teach so few numbers is the whole
        idea of *transfer*. Whether it works depends on what the features are. So first: look.""",
        """512 乘 5 个权重, 加 5 个偏置。参数这么少, 少量图像就教得会: 这就是*迁移学习*的思想。
        它是否有效, 取决于这些特征是什么。所以先看一看。""",
    )
    return


@app.cell(hide_code=True)
def _():
    network = seen.Network()
    return (network,)


@app.cell(hide_code=True)
def _(lang):
    which = lesson.slider(lang, 0, 15, 0, "filter", "第几个滤波器")
    assert seen.CANVAS - seen.DIGIT + 1 == 13
    assert 13 * 13 == 169
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Run it, see it: the first filters

                The network here is a VGG13 with a quarter of the filters, so that it takes minutes.
                It learned the digits 0 to 4, each drawn anywhere on a canvas of 24 x 24 pixels: a
                digit has 169 places. You see its first two blocks, four convolutions.

                A filter of the first layer looks at 3 x 3 pixels. Below is one place of a 4: the
                filter's number there is large where ink lies under its positive weights.
                """,
                """
                ## 运行, 观察: 第一层的滤波器

                这里的网络是滤波器减为四分之一的 VGG13, 几分钟就能训练。它学的是数字 0 到 4,
                画在 24 x 24 画布的任意位置, 每个数字有 169 个位置。你看到的是它的前两块,
                四个卷积层。

                第一层的滤波器看 3 x 3 个像素。下面是数字 4 的一处: 正的权重下面有墨,
                这个数就大。
                """,
            ),
            which,
        ]
    )
    return (which,)


@app.cell(hide_code=True)
def _(lang, network, which):
    both = seen.two_digits()
    patch = both[0, 14:19, 14:19, 0]
    found = tf.explain("conv2d", patch, network.kernels[..., which.value], at=(1, 1), lang=lang)
    found
    return both, found


@app.cell(hide_code=True)
def _(both, lang, network):
    told = lesson.say(
        lang,
        "The first layer's 16 filters (white: positive, black: negative); below each its map of a "
        "canvas with a 0 and a 4: borders of a direction, insides, outsides.",
        "第一层的 16 个滤波器 (白为正, 黑为负); 每个下面是它对一幅画 (一个 0 和一个 4) 的输出: "
        "某个方向的边、内部、外部。",
    )
    mo.vstack([lesson.drawing(seen_pictures.filters(network, both), told), mo.md(told)])
    return


@app.cell(hide_code=True)
def _(lang):
    channel = lesson.slider(lang, 0, 31, 0, "channel", "第几个通道")
    assert seen.FIELD == 1 + 2 + 2 + 1 + 2 * (2 + 2)
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Deeper: what excites a channel

                A number behind the fourth convolution sees 14 x 14 pixels, and no 3 x 3 weights
                tell for what it waits. So ask it: begin with noise, differentiate *the number by
                the pixels*, and change the picture uphill. Each step is normalised, and what is no
                pixel is cut off. On the right, the part of a real digit that excites it most.
                """,
                """
                ## 再深一层: 什么使一个通道兴奋

                第四个卷积层的一个数看到 14 x 14 个像素, 从任何 3 x 3 的权重都看不出它在等什么。
                那就问它: 从噪声开始, 求*这个数对像素*的梯度, 沿上坡方向改图像。
                每一步都归一化, 超出像素范围的截掉。右边是真实数字中最使它兴奋的一块。
                """,
            ),
            channel,
        ]
    )
    return (channel,)


@app.cell(hide_code=True)
def _(channel, network):
    grown, part = network.excited(channel.value), network.best_part(channel.value)
    assert grown[1][-1] > grown[1][0]
    return grown, part


@app.cell(hide_code=True)
def _(channel, grown, lang, part):
    told_grown = lesson.say(
        lang,
        f"Channel {channel.value}: from {grown[1][0]:.3g} to {grown[1][-1]:.3g} in 40 steps.",
        f"通道 {channel.value}: 40 步, 从 {grown[1][0]:.3g} 到 {grown[1][-1]:.3g}。",
    )
    picture = seen_pictures.excitement(grown, part, lang)
    mo.vstack([lesson.drawing(picture, told_grown), mo.md(told_grown)])
    return


@app.cell(hide_code=True)
def _(lang, network):
    assert len(network.silent()) > 0
    lesson.text(
        lang,
        """
        ## Break it: behind the ReLU

        Ask the number *behind* its ReLU, from the same noise, and some channels never begin: where
        the sum is below 0 the output is 0, its gradient is 0 everywhere, and 40 steps of nothing
        leave noise. Ask in front of the ReLU, as above. (And who follows *minus* the gradient, as
        training does, gets the picture that the channel hates.)
        """,
        """
        ## 弄坏它: 在 ReLU 之后问

        如果问的是 ReLU *之后*的数, 从同样的噪声出发, 有些通道永远动不了:
        和小于 0 时输出是 0, 梯度处处为 0, 走 40 步还是噪声。所以要像上面那样, 在 ReLU 之前问。
        (如果像训练那样沿*负*梯度走, 得到的是这个通道最讨厌的图像。)
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_ascend = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                exercises.ASCEND,
                "One step of that ascent; `x` and `gradient` are arrays of one shape.",
                "梯度上升的一步; `x` 和 `gradient` 是同样形状的数组。",
            ),
            hints_ascend,
        ]
    )
    return (hints_ascend,)


@app.function
def ascend(x, gradient, rate):
    """One step of gradient ascent, of size rate by the root of the mean of squares; x in [0, 1]."""
    return ...


@app.cell(hide_code=True)
def _(hints_ascend, lang):
    lesson.check(lang, exercises.ASCEND, ascend, hints_ascend.value)
    return


@app.cell(hide_code=True)
def _(lang):
    label = lesson.slider(lang, 0, 4, 4, "class asked for", "问哪一类")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Where does it see that?

                A 0 and a 4 on one canvas. A dense layer on the largest value of each channel tells
                0 to 4. Two maps say what a class's logit hangs on:

                - *Saliency*: the size of its gradient at each pixel. Sharp, and full of holes.
                - *Grad-CAM*: the last maps added up, each weighed by the mean of its gradients, and
                what speaks against the class left out. Coarse, 12 x 12, but it is a place.

                Ask for 4, then for 0.
                """,
                """
                ## 它在哪里看到的?

                一幅画上有一个 0 和一个 4。每个通道取最大值, 用一个全连接层判断是 0 到 4 的哪一个。
                两种图说明一类的 logit 取决于什么:

                - *显著图*: logit 对每个像素的梯度的大小。精细, 但有很多空洞。
                - *Grad-CAM*: 最后一层的各图相加, 权重是各图梯度的均值, 反对这一类的部分去掉。
                粗糙 (12 x 12), 但看得出位置。

                先问 4, 再问 0。
                """,
            ),
            label,
        ]
    )
    return (label,)


@app.cell(hide_code=True)
def _(both, label, network):
    view = network.where(both, label.value)
    assert view.heat.shape == (12, 12)
    return (view,)


@app.cell(hide_code=True)
def _(both, lang, view):
    told_where = view.told(lang)
    drawn = seen_pictures.where(both[0, ..., 0], view.saliency, view.heat, lang)
    mo.vstack([lesson.drawing(drawn, told_where), mo.md(told_where)])
    return


@app.cell(hide_code=True)
def _(lang):
    hints_saliency = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                exercises.SALIENCY,
                "`gradient` is (H, W, C): a colour picture has a gradient for each colour.",
                "`gradient` 是 (H, W, C): 彩色图像的每种颜色各有一个梯度。",
            ),
            hints_saliency,
        ]
    )
    return (hints_saliency,)


@app.function
def saliency(gradient):
    """How much each pixel of (H, W, C) matters, in either direction, (H, W): its best channel."""
    return ...


@app.cell(hide_code=True)
def _(hints_saliency, lang):
    lesson.check(lang, exercises.SALIENCY, saliency, hints_saliency.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_cam = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                exercises.GRAD_CAM,
                "`maps` and `gradients` are (H, W, C): a layer's output, and a logit's gradient.",
                "`maps` 和 `gradients` 都是 (H, W, C): 一层的输出, 和 logit 对它的梯度。",
            ),
            hints_cam,
        ]
    )
    return (hints_cam,)


@app.function
def grad_cam(maps, gradients):
    """The heat (H, W) of maps (H, W, C), each weighed by the mean of its gradients; 0 or more."""
    return ...


@app.cell(hide_code=True)
def _(hints_cam, lang):
    lesson.check(lang, exercises.GRAD_CAM, grad_cam, hints_cam.value)
    return


@app.cell(hide_code=True)
def _(lang):
    count = lesson.slider(lang, 1, 50, 20, "images a class", "每类图像数")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## What it is worth to another task

                The network has never seen a 5, 6, 7, 8 or 9. Freeze it, take the largest value of
                each of its 32 channels, and learn one dense layer on them, from a few images of
                each new class. It takes a second:
                """,
                """
                ## 对别的任务有什么用

                这个网络从没见过 5、6、7、8、9。把它冻结, 取 32 个通道各自的最大值,
                用每个新类的几张图像, 学一个全连接层。只要一秒:
                """,
            ),
            count,
        ]
    )
    return (count,)


@app.cell(hide_code=True)
def _(network):
    few = seen.Few(network)
    return (few,)


@app.cell(hide_code=True)
def _(count, few):
    read = few.accuracies(count.value)
    return (read,)


@app.cell(hide_code=True)
def _(count, lang, read):
    mo.md(
        lesson.say(
            lang,
            f"**{count.value} images a class**: one dense layer on the frozen features reads "
            f"{read[0]:.0%} of the other digits 5 to 9; on the pixels {read[1]:.0%}.",
            f"**每类 {count.value} 张图像**: 冻结特征上的一个全连接层认得其余 5 到 9 的 "
            f"{read[0]:.0%}; 直接用像素是 {read[1]:.0%}。",
        )
    )
    return


@app.cell(hide_code=True)
def _(lang):
    run = seen.transfer()["rows"]
    told_run = lesson.say(
        lang,
        "Mean of five seeds; the bands go from the worst seed to the best. 0 to 4 were learned, "
        "5 to 9 are asked.",
        "五个随机种子的平均; 色带从最差到最好。学的是 0 到 4, 问的是 5 到 9。",
    )
    mo.vstack(
        [
            lesson.drawing(seen_pictures.curves(run, seen.CUT, seen.AT, lang), told_run),
            mo.md(told_run),
        ]
    )
    return (run,)


@app.cell(hide_code=True)
def _(lang, run):
    def accuracies(way, images=seen.AT):
        return np.array([row["accuracy"][str(images)] for row in run if row["way"] == way])

    def behind(way, number):
        return np.array([row["by_block"][number - 1] for row in run if row["way"] == way])

    frozen, chance = "features of 0 to 4", "features of chance"
    assert len(accuracies(frozen)) == 5
    assert (accuracies(frozen) - accuracies("from nothing")).min() >= 0.18
    assert (accuracies(frozen) - accuracies(chance)).min() >= 0.1
    assert accuracies("pixels").max() < 0.3
    assert min(row["still"] for row in run if "still" in row) > 0.94
    assert behind(frozen, 2).mean() > 0.81
    assert behind(frozen, 5).mean() < 0.5
    lesson.text(
        lang,
        """
        From 20 images a class, features that never saw these digits read **at least 18 points
        more** than the whole network trained from nothing on the same images with as many steps,
        in each of five seeds. And at least 10 more than the same features before they learned
        anything: so it is what was learned that helps, not only that few numbers are fitted.

        Where does one cut? Behind block 2 the mean is above 81 %, behind block 5 below 50 %: the
        last layers of the network know only what makes a 0 a 0. **Early features are for all,
        late ones for the old task.**

        To be honest about the data: digits that stand still are too easy, a dense layer on their
        bare pixels reads more than 94 % from 20 images a class. Moved, it reads less than 30 %.
        On photographs the gain is of the same kind, but you must measure it.
        """,
        """
        每类 20 张图像时, 从没见过这些数字的特征, 比整个网络在同样图像上、同样步数从零训练
        **至少高 18 个百分点**, 五个随机种子都如此; 比训练之前的同样特征至少高 10 个百分点。
        可见有用的是学到的东西, 而不只是因为要拟合的参数少。

        在哪里截断? 第 2 块之后平均超过 81 %, 第 5 块之后不到 50 %:
        网络的最后几层只知道 0 为什么是 0。
        **前面的特征通用, 后面的特征只为旧任务。**

        关于数据要说实话: 不移动的数字太容易, 每类 20 张,
        直接在像素上放一个全连接层就认得 94 % 以上; 移动之后不到 30 %。
        在照片上好处是同一类的, 但要自己测量。
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
                "## Compare\n\nThe same network, the same weights, in TensorFlow's Keras: do the "
                "maps and both gradients agree?",
                "## 对照\n\n同样的网络和权重放进 TensorFlow 的 Keras: 各层输出和两种梯度一致吗?",
            ),
            ask,
        ]
    )
    return (ask,)


@app.cell(hide_code=True)
def _(ask, both, found, label, lang, network):
    lesson.compare(lang, ask.value, found, seen.Peer(network, both, label.value))
    return


@app.cell(hide_code=True)
def _(lang):
    lesson.text(
        lang,
        """
        ## Keep

        - The first layer sees borders, deeper channels parts; ask them by gradient ascent, in front
        of the ReLU.
        - Saliency is a gradient by pixels; Grad-CAM weighs maps by mean gradients, and says where.
        - Frozen features and a new head beat training from nothing when images are few, as long as
        one cuts before the network knows nothing but its old classes.
        """,
        """
        ## 记住

        - 第一层看到边缘, 更深的通道看到局部形状; 用梯度上升去问, 要在 ReLU 之前。
        - 显著图是对像素的梯度; Grad-CAM 用梯度的均值给各图加权, 指出在哪里。
        - 图像很少时, 冻结特征加新的输出层胜过从零训练, 只要截断得够早,
        还没到只认得旧类别的那几层。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
