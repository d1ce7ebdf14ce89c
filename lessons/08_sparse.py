"""Lesson 8: convolutions that leave something out, and how far a number sees."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson.exercises import sparse


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
        # 8. Leaving out

        A convolution connects every weight to every pixel of its window and every channel. What
        if some of that is
        left out? A *dilated* kernel leaves pixels out between its taps.

        An image is 7 pixels wide, a kernel has 3 taps, 2 pixels apart (dilation 2), no padding.
        How wide is the output?
        """,
        """
        # 8. 省去一些

        卷积把窗口里的每个像素、每个通道都连上一个权重。如果省去一部分呢?
        *空洞卷积*在卷积核的各点之间跳过一些像素。

        图像宽 7 个像素, 卷积核 3 个点, 相邻两点相隔 2 个像素 (膨胀率 2), 不填充。输出多宽?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    width = lesson.guess(lang, [2, 3, 5])
    width
    return (width,)


@app.cell(hide_code=True)
def _(lang, width):
    # the answer
    shape = tf.nn.conv2d(
        tf.ones((1, 7, 7, 1)), tf.ones((3, 3, 1, 1)), 1, "VALID", dilations=2
    ).shape
    assert tuple(shape) == (1, 3, 3, 1)
    lesson.answer(
        lang,
        width,
        3,
        "The three taps span (3 - 1)·2 + 1 = 5 pixels, and 5 pixels fit on 7 in 3 places.",
        "三个点的跨度是 (3 - 1)·2 + 1 = 5 个像素, 5 个像素在 7 个像素上有 3 个位置。",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    dilation = lesson.slider(lang, 1, 3, 1, "dilation", "膨胀率")
    dilation_view = lesson.text(
        lang,
        "## Run it, see it\n\nNine weights in every case. How far do they see?",
        "## 运行, 观察\n\n总是九个权重。它们能看多远?",
    )
    mo.vstack([dilation_view, dilation])
    return (dilation,)


@app.cell(hide_code=True)
def _(dilation, lang):
    image = np.arange(1, 50).reshape(7, 7)
    ones = np.ones((3, 3), int)
    found = tf.explain("conv2d", image, ones, dilations=dilation.value, lang=lang)
    found
    return (found,)


@app.cell(hide_code=True)
def _(lang):
    groups = mo.ui.radio(
        ["1", "2", "4"], value="2", label=lesson.say(lang, "groups", "组数"), inline=True
    )
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Channels left out

                Four channels in, four out. With 2 groups each output reads two of the channels;
                with 4 groups
                one: that is a *depthwise* convolution. Choose, and see which channels the sum
                below takes.
                """,
                """
                ## 省去通道

                输入四个通道, 输出四个通道。分 2 组时每个输出只读两个通道; 分 4 组时只读一个,
                就是*深度卷积*。
                选一个组数, 看下面的和用了哪些通道。
                """,
            ),
            groups,
        ]
    )
    return (groups,)


@app.cell(hide_code=True)
def _(groups, lang):
    x = np.arange(1, 37).reshape(1, 3, 3, 4)
    w = np.ones((2, 2, 4 // int(groups.value), 4), int)
    channels = tf.explain("conv2d", x, w, at=(0, 0, 0, 3), lang=lang)
    assert len(channels.terms()) == 16 // int(groups.value)
    channels
    return (channels,)


@app.cell(hide_code=True)
def _(lang):
    ordinary = tf.keras.layers.Conv2D(4, 3, use_bias=False)
    separable = tf.keras.layers.SeparableConv2D(4, 3, use_bias=False)
    for layer in (ordinary, separable):
        layer.build((None, 32, 32, 3))
    counts = [[v.numpy().size for v in layer.weights] for layer in (ordinary, separable)]
    assert counts == [[108], [27, 12]]
    assert sum(counts[1]) == 39
    assert round(39 / 108, 3) == 0.361
    lesson.text(
        lang,
        """
        ## Separable: look around, then mix

        A 3 x 3 convolution from 3 channels to 4 has 3·3·3·4 = 108 weights. A *depthwise
        separable* one works in two
        steps: a 3 x 3 filter for each channel alone, 3·3·3 = 27, then a 1 x 1 convolution that
        mixes the channels,
        1·1·3·4 = 12. Together 39, a share of 0.361. (One course text prints 14 for the 12, and 39
        all the same.)
        It cannot compute everything that the 108 weights can: all outputs see the image through
        the same three filters.
        """,
        """
        ## 深度可分离: 先看周围, 再混合

        从 3 个通道到 4 个通道的 3 x 3 卷积有 3·3·3·4 = 108 个权重。*深度可分离卷积*分两步:
        先对每个通道单独用一个 3 x 3 滤波器, 3·3·3 = 27; 再用 1 x 1 卷积混合通道, 1·1·3·4 = 12。
        共 39 个, 是前者的 0.361。(有份教材把 12 印成 14, 总数却仍是 39。)
        它不能表达那 108 个权重所能表达的一切: 所有输出都通过同样的三个滤波器看图像。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    line, taps = np.ones((9, 1)), np.ones((3, 1))
    twice = tf.explain("conv2d", line, taps, dilations=[2, 1])
    counts_twice = [int(n) for n in twice.reach(2)[0][1]]
    assert counts_twice == [1, 0, 2, 0, 3, 0, 2, 0, 1]
    assert (len(counts_twice), np.count_nonzero(counts_twice)) == (9, 5)
    assert sparse.RECEPTIVE_FIELD.expected([(3, 1, 1), (3, 1, 2)]) == 7
    assert [sparse.RECEPTIVE_FIELD.expected([(3, 1, 1)] * n) for n in (1, 2, 3)] == [3, 5, 7]
    assert sparse.RECEPTIVE_FIELD.expected([(3, 1, 1), (3, 1, 2), (3, 1, 4)]) == 15
    lesson.text(
        lang,
        """
        ## Break it: the grid

        The *receptive field* is how many pixels, from first to last, one number sees. Layers of 3
        taps give
        3, 5, 7. With dilations 1, 2, 4 three layers see 15.

        But take dilation 2 twice: the field is 9 pixels, and how often each is read is
        1 0 2 0 3 0 2 0 1. Four of the nine are never looked at, and the neighbour of a number
        sees those:
        two images, interleaved, that never meet. This is *gridding*. Dilations 1 and 2 see 7
        pixels, without a hole.
        """,
        """
        ## 弄坏它: 网格效应

        *感受野*是一个数从最左到最右能看到的像素数。三个点的卷积一层、两层、三层是 3、5、7。
        膨胀率取 1、2、4 时, 三层能看到 15 个像素。

        但如果两层都用膨胀率 2: 感受野是 9 个像素, 各像素被读取的次数是 1 0 2 0 3 0 2 0 1。
        九个中有四个从未被读取, 而相邻的那个输出读的正是这些: 等于两张互相交错、互不相干的图像。
        这就是*网格效应*。膨胀率取 1 和 2 时能看到 7 个像素, 没有空洞。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_field = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                sparse.RECEPTIVE_FIELD,
                "`layers` is a list of (k, stride, dilation), the lowest first.",
                "`layers` 是 (k, stride, dilation) 的列表, 最下层在前。",
            ),
            hints_field,
        ]
    )
    return (hints_field,)


@app.function
def receptive_field(layers):
    """How many pixels, first to last, one number sees; layers: (k, stride, dilation)."""
    return ...


@app.cell(hide_code=True)
def _(hints_field, lang):
    lesson.check(lang, sparse.RECEPTIVE_FIELD, receptive_field, hints_field.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_weights = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(lang, sparse.SEPARABLE_WEIGHTS, "Count them.", "数一数有多少个权重。"),
            hints_weights,
        ]
    )
    return (hints_weights,)


@app.function
def separable_weights(k, channels, outputs):
    """Weights of a separable convolution, no bias: a k x k filter each channel, then 1 x 1."""
    return ...


@app.cell(hide_code=True)
def _(hints_weights, lang):
    lesson.check(lang, sparse.SEPARABLE_WEIGHTS, separable_weights, hints_weights.value)
    return


@app.cell(hide_code=True)
def _(lang):
    ask = lesson.compare_button(lang)
    mo.vstack(
        [
            lesson.text(
                lang,
                "## Compare\n\nDoes TensorFlow agree with both figures?",
                "## 对照\n\nTensorFlow 与两张图一致吗?",
            ),
            ask,
        ]
    )
    return (ask,)


@app.cell(hide_code=True)
def _(ask, channels, found, lang):
    lesson.compare(lang, ask.value, found, channels)
    return


@app.cell(hide_code=True)
def _(lang):
    lesson.text(
        lang,
        """
        ## Keep

        - Dilation: the same weights, a span of (k - 1)·dilation + 1. Stacked equal dilations
        leave holes.
        - Groups: each output reads its own group of channels; as many groups as channels is
        depthwise.
        - Separable: depthwise, then 1 x 1: k·k·C + C·O weights for k·k·C·O.
        """,
        """
        ## 记住

        - 空洞卷积: 权重数不变, 跨度为 (k - 1)·膨胀率 + 1。叠用相同的膨胀率 (大于 1) 会留下空洞。
        - 分组卷积: 每个输出只读自己那组通道; 组数等于通道数就是深度卷积。
        - 深度可分离卷积: 先深度卷积, 再 1 x 1: 用 k·k·C + C·O 个权重代替 k·k·C·O 个。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
