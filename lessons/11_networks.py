"""Lesson 11: the classic networks, layer by layer, and what their texts say of them."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson.exercises import networks
    from minitensor.lesson.exercises.networks import NETWORKS


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
        # 11. Classic networks

        A network is written down as a table of layers, and the first thing to do with such a table
        is to count. A course text says of its network VGG13: the convolutions have 940,000
        parameters, the dense layers 177,000, "all of it about 950,000".

        That does not even add up. In VGG13 a convolution of 3 x 3 leads from 512 channels to 512
        channels. How many parameters has this one layer?
        """,
        """
        # 11. 经典网络

        网络可以写成一张层的表, 拿到这样的表, 第一件事就是数一数。
        有份教材这样说它的 VGG13: 卷积层有 940,000 个参数, 全连接层 177,000 个,
        “总共约 950,000 个”。

        连加起来都不对。VGG13 中有一个 3 x 3 的卷积层, 从 512 个通道到 512 个通道。
        仅这一层有多少个参数?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    one_layer = lesson.guess(lang, ["5,120", "262,656", "950,000", "2,359,808"])
    one_layer
    return (one_layer,)


@app.cell(hide_code=True)
def _(lang, one_layer):
    # the answer
    vgg13 = NETWORKS["VGG13"]()
    last = [x for x in vgg13.layers if isinstance(x, tf.keras.layers.Conv2D)][-1]
    by_kind = [
        sum(x.count_params() for x in vgg13.layers if isinstance(x, kind))
        for kind in (tf.keras.layers.Conv2D, tf.keras.layers.Dense)
    ]
    assert last.count_params() == 3 * 3 * 512 * 512 + 512 == 2359808
    assert 512 * 512 + 512 == 262656
    assert by_kind == [9404992, 165514]
    assert vgg13.count_params() == 9570506
    assert NETWORKS["VGG13"](classes=100).count_params() - by_kind[0] == 177124
    lesson.answer(
        lang,
        one_layer,
        "2,359,808",
        """3 x 3 x 512 x 512 + 512, more than the text's whole network. The convolutions have
        9,404,992 (the text lost a digit), the dense layers 165,514 (its 177,124 belong to 100
        classes, but here there are 10), together 9,570,506. You will count that below.""",
        """3 x 3 x 512 x 512 + 512, 比教材说的整个网络还多。卷积层共 9,404,992 个 (教材漏了一位),
        全连接层 165,514 个 (它的 177,124 对应 100 类, 而这里是 10 类), 总共 9,570,506 个。
        下面由你来数。""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    at_layer = lesson.slider(lang, 0, 6, 0, "layer", "层")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Run it, see it: through a network

                LeNet-5 with all weights 1, all biases 0, and an image of ones. So every number
                *counts the ways* that lead from a pixel to it. Go from layer to layer: convolution,
                pool, convolution, pool, and three dense layers.
                """,
                """
                ## 运行, 观察: 穿过一个网络

                LeNet-5, 权重全为 1, 偏置全为 0, 图像也全为 1。于是每个数都在*数路径*:
                从像素到它有多少条路。逐层走过: 卷积、池化、卷积、池化, 再是三个全连接层。
                """,
            ),
            at_layer,
        ]
    )
    return (at_layer,)


@app.cell(hide_code=True)
def _(at_layer, lang):
    walked = tf.explain(networks.of_ones(), np.ones((1, 28, 28, 1), "float32"), lang=lang)
    shown = [step.explanation for step in walked.steps if step.explanation is not None]
    found = shown[at_layer.value]
    found
    return found, shown


@app.cell(hide_code=True)
def _(lang, shown):
    assert [e.value for e in shown] == [9, 9, 486, 486, 194400, 23328000, 1959552000]
    assert 3 * 3 == 9
    assert 3 * 3 * 6 * 9 == 486
    assert (400 * 486, 120 * 194400, 84 * 23328000) == (194400, 23328000, 1959552000)
    lesson.text(
        lang,
        """
        9 ways after the first convolution, 3 · 3 · 6 · 9 = 486 after the second (it reads six
        channels), then 400, 120 and 84 times as many: 1,959,552,000 ways lead to each answer, of a
        network with 60,074 parameters. A pool chooses one way, it adds none.
        """,
        """
        第一个卷积之后有 9 条路, 第二个之后有 3 · 3 · 6 · 9 = 486 条 (它读六个通道),
        然后依次乘以 400、120、84: 通向每个结果的路有 1,959,552,000 条, 而网络只有 60,074 个参数。
        池化只选其中一条, 不增加。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    chosen = mo.ui.radio(list(NETWORKS), value="VGG13", label=lesson.say(lang, "network", "网络"))
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## The tables

                Layers with weights, gathered by the size of their outputs: how many convolutions or
                dense layers, how many batch norms, the widest of them, parameters, multiply-adds
                for one image.
                """,
                """
                ## 列成表

                按输出尺寸归并有权重的层: 卷积层或全连接层的个数, 批量归一化的个数, 最大通道数,
                参数个数, 一张图像的乘加次数。
                """,
            ),
            chosen,
        ]
    )
    return (chosen,)


@app.cell(hide_code=True)
def _(chosen, lang):
    table, total = networks.counted(chosen.value)
    assert sum(stage.parameters for stage in table) == total
    lines = "\n".join(
        f"| {lesson.say(lang, s.size, '全连接') if s.size == 'dense' else s.size} | {s.kernels} | "
        f"{s.norms} | {s.widest} | {s.parameters:,} | {s.products:,} |"
        for s in table
    )
    last_line = (
        f"| **{lesson.say(lang, 'all', '合计')}** | {sum(s.kernels for s in table)} | "
        f"{sum(s.norms for s in table)} | | **{total:,}** | "
        f"{sum(s.products for s in table):,} |"
    )
    lesson.text(
        lang,
        "| outputs | layers | norms | channels | parameters | multiply-adds |\n"
        f"|:---|---:|---:|---:|---:|---:|\n{lines}\n{last_line}",
        "| 输出 | 层数 | 归一化 | 通道 | 参数 | 乘加次数 |\n"
        f"|:---|---:|---:|---:|---:|---:|\n{lines}\n{last_line}",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    def size(name):
        found, parameters = networks.counted(name)
        return parameters, sum(s.products for s in found)

    assert size("LeNet-5") == (60074, 199968)
    assert size("AlexNet, 32 x 32") == (1068298, 22029184)
    assert size("VGG13") == (9570506, 228427008)
    assert size("GoogLeNet") == (5993754, 120719360)
    assert size("ResNet18") == (11184778, 520670976)
    assert size("ResNet34") == (21304074, 1097223936)
    assert size("DenseNet") == (9888746, 62162944)
    assert size("AlexNet, 2012") == (60965224, 724406816)
    assert size("GoogLeNet, 2014") == (6998552, 1582671872)
    assert tf.models.lenet5_original().count_params() == 61706
    dense = networks.counted("AlexNet, 2012")[0][-1]
    assert (dense.size, dense.parameters) == ("dense", 58631144)
    assert round(100 * 58631144 / 60965224) == 96
    assert round(100 * dense.products / 724406816) == 8
    lesson.text(
        lang,
        """
        | | image | parameters | multiply-adds |
        |:---|---:|---:|---:|
        | LeNet-5 | 28 | 60,074 | 199,968 |
        | AlexNet, 32 x 32 | 32 | 1,068,298 | 22,029,184 |
        | VGG13 | 32 | 9,570,506 | 228,427,008 |
        | GoogLeNet | 32 | 5,993,754 | 120,719,360 |
        | ResNet18 | 32 | 11,184,778 | 520,670,976 |
        | ResNet34 | 32 | 21,304,074 | 1,097,223,936 |
        | DenseNet | 32 | 9,888,746 | 62,162,944 |
        | AlexNet, 2012 | 227 | 60,965,224 | 724,406,816 |
        | GoogLeNet, 2014 | 224 | 6,998,552 | 1,582,671,872 |

        What was new: LeNet-5 alternated convolutions and pools, with dense layers at the end.
        AlexNet was deeper, with relu and dropout, in two halves on two GPUs. VGG has nothing but
        3 x 3, in blocks. GoogLeNet sets windows side by side, with 1 x 1 before them, and ends with
        a mean. ResNet adds what comes in to what goes out (ResNet34: 3, 4, 6 and 3 blocks).
        DenseNet keeps all that came before beside it.

        Read down a column of the table further above: the first layers do the work, the last ones
        hold the weights. In AlexNet of 2012 the three dense layers hold 58,631,144 of its
        parameters, 96 percent, and do 8 percent of the work. This is why later networks end with a
        mean. (LeNet-5 is the course text's; in the shape of 1998, with 5 x 5 on 32 x 32, it has
        61,706.)
        """,
        """
        | | 图像 | 参数 | 乘加次数 |
        |:---|---:|---:|---:|
        | LeNet-5 | 28 | 60,074 | 199,968 |
        | AlexNet, 32 x 32 | 32 | 1,068,298 | 22,029,184 |
        | VGG13 | 32 | 9,570,506 | 228,427,008 |
        | GoogLeNet | 32 | 5,993,754 | 120,719,360 |
        | ResNet18 | 32 | 11,184,778 | 520,670,976 |
        | ResNet34 | 32 | 21,304,074 | 1,097,223,936 |
        | DenseNet | 32 | 9,888,746 | 62,162,944 |
        | AlexNet, 2012 | 227 | 60,965,224 | 724,406,816 |
        | GoogLeNet, 2014 | 224 | 6,998,552 | 1,582,671,872 |

        新在哪里: LeNet-5 交替使用卷积和池化, 最后是全连接层。AlexNet 更深, 用了 relu 和 dropout,
        分成两半在两块 GPU 上运行。VGG 只用 3 x 3, 组成块。GoogLeNet 把多种窗口并排, 之前先用
        1 x 1, 最后取平均。ResNet 把输入直接加到输出上 (ResNet34 的块数为 3、4、6、3)。
        DenseNet 把之前的全部输出都拼在旁边。

        把再上面那张表竖着看: 计算量在前面的层, 权重在后面的层。2012 年的 AlexNet,
        三个全连接层占了 58,631,144 个参数, 即 96%, 而计算量只占 8%。
        所以后来的网络都以平均池化结尾。(这里的 LeNet-5 是教材的版本;
        1998 年的样子, 32 x 32 的图像用 5 x 5 的卷积核, 是 61,706 个。)
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    resnet = NETWORKS["ResNet18"]()
    weighed = [
        x for x in resnet.layers if isinstance(x, tf.keras.layers.Conv2D | tf.keras.layers.Dense)
    ]
    shortcuts = [x for x in weighed if getattr(x, "kernel_size", None) == (1, 1)]
    assert (len(weighed), len(shortcuts)) == (21, 3)
    assert 8 * 2 + 1 == 17
    assert round(60965224 / 6998552) == 9
    paper = tf.models.alexnet(10, (67, 67, 3)).layers
    taps = [x.kernel_size[0] for x in paper if isinstance(x, tf.keras.layers.Conv2D)]
    assert taps == [11, 5, 3, 3, 3]
    assert tf.models.alexnet_cifar_keras().count_params() == 576778
    applications = tf.keras.applications
    assert applications.DenseNet121(weights=None, classes=5).count_params() == 7042629
    assert applications.MobileNetV2(weights=None, classes=5).count_params() == 2264389
    lesson.text(
        lang,
        """
        ## The text says …; count

        Five sentences of the course texts. Each is wrong; counting shows it.

        - *"ResNet18: 8 blocks of 2 convolutions and the dense layer make 18."* That makes 17: the
          first convolution, before the blocks, is the 18th. (With the three 1 x 1 of the shortcuts
          there are 21 layers with weights; nobody counts these.)
        - *"AlexNet has kernels of 7 x 7."* They are 11, 5, 3, 3, 3.
        - *"GoogLeNet has half the parameters of AlexNet."* 60,965,224 are about 9 times 6,998,552.
        - *"The same AlexNet in Keras."* 576,778 parameters in the place of 1,068,298: one
          convolution is VALID there, so the dense layer reads 4 x 4 places and not 6 x 6.
        - *"We use MobileNetV2"* (2,264,389 for five classes). The listing builds DenseNet121, with
          7,042,629.

        All the mistakes that we found are in `examples/ERRATA.md`.
        """,
        """
        ## 教材说……; 数一数

        教材里的五句话, 每句都错, 一数便知。

        - *“ResNet18: 8 块, 每块 2 个卷积, 加上全连接层, 共 18 层。”* 那只有 17:
          各块之前的第一个卷积才是第 18 层。(连同捷径上的三个 1 x 1, 有权重的层共 21 个,
          但捷径一般不计。)
        - *“AlexNet 用 7 x 7 的卷积核。”* 其实是 11、5、3、3、3。
        - *“GoogLeNet 的参数是 AlexNet 的一半。”* 60,965,224 约是 6,998,552 的 9 倍。
        - *“用 Keras 写同一个 AlexNet。”* 参数是 576,778 个而不是 1,068,298 个: 那里有一个卷积用了
          VALID, 所以全连接层读的是 4 x 4 处, 不是 6 x 6 处。
        - *“我们使用 MobileNetV2”* (五类时 2,264,389 个)。代码建立的却是 DenseNet121,
          有 7,042,629 个。

        我们找到的全部错误见 `examples/ERRATA.md`。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    def trained(net):
        return sum(w.shape.num_elements() for w in net.trainable_weights)

    def channels_after(net):
        ends = [x.output.shape[-1] for x in net.layers if type(x).__name__ == "Concatenate"]
        return [ends[i] for i in (1, 6, 8)]

    right, printed = tf.models.googlenet(), tf.models.googlenet(as_printed=True)
    images = np.zeros((1, 32, 32, 3), "float32")
    assert printed(images).shape == right(images).shape == (1, 10)
    assert (trained(right), trained(printed)) == (5979194, 5308304)
    assert (channels_after(right), channels_after(printed)) == ([480, 832, 1024], [416, 736, 944])
    refused = ""
    try:
        printed.set_weights(right.get_weights())
    except ValueError as error:
        refused = str(error)
    assert refused
    lesson.text(
        lang,
        """
        ## Break it

        GoogLeNet's modules have four branches. One course text gives the 5 x 5 the width of the
        1 x 1 before it, and misprints two more numbers. Build it as printed: it runs, its answer
        has the right shape, it even learns. **No error, ever.** But after the groups of modules
        there are 416, 736 and 944 channels in the place of 480, 832 and 1024, and 5,308,304
        trainable parameters in the place of 5,979,194. Somebody's weights do not fit it.

        So count before you train: `model.count_params()` is the cheapest test of a network. And
        compare the number with *its source*, not with your own formula alone.
        """,
        """
        ## 弄坏它

        GoogLeNet 的模块有四个分支。有份教材给 5 x 5 卷积用了它前面 1 x 1 的宽度,
        还印错了另外两个数。照印的建: 能运行, 输出形状正确, 甚至能学习。**从头到尾不报错。**
        但三组模块之后的通道数是 416、736、944, 而不是 480、832、1024;
        可训练参数是 5,308,304 个, 而不是 5,979,194 个。别人训练好的权重装不进去。

        所以训练之前先数一数: `model.count_params()` 是对网络最便宜的测试。
        而且要与*出处*的数比较, 不要只与自己的公式比较。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_vgg = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                networks.VGG_PARAMETERS,
                """The text says 950,000; count. `blocks` is a list of (convolutions, filters), for
                VGG13 `[(2, 64), (2, 128), (2, 256), (2, 512), (2, 512)]`; `dense` the units of the
                dense layers, `[256, 128, 10]`; `channels` those of the image, 3. The pools leave
                one place. Write over the `...` in the cell below, and run it.""",
                """教材说 950,000 个; 请数一数。`blocks` 是 (卷积个数, 卷积核个数) 的列表, VGG13 是
                `[(2, 64), (2, 128), (2, 256), (2, 512), (2, 512)]`; `dense` 是全连接层的单元数,
                `[256, 128, 10]`; `channels` 是图像的通道数, 3。池化到最后只剩一个位置。
                在下面的单元格里把 `...` 换成代码, 然后运行。""",
            ),
            hints_vgg,
        ]
    )
    return (hints_vgg,)


@app.function
def vgg_parameters(blocks, dense, channels):
    """Of blocks [(convolutions, filters), ...] of 3 x 3 and dense layers, all with biases."""
    return ...


@app.cell(hide_code=True)
def _(hints_vgg, lang):
    lesson.check(lang, networks.VGG_PARAMETERS, vgg_parameters, hints_vgg.value)
    return


@app.cell(hide_code=True)
def _(lang):
    assert networks.INCEPTION_MODULE.expected(*networks.MODULE_3A) == (256, 163696)
    hints_module = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                networks.INCEPTION_MODULE,
                """Four branches read the same `c` channels: 1x1 (`d0_1` filters); 1x1 (`d1_1`),
                then 3x3 (`d1_3`); 1x1 (`d2_1`), then 5x5 (`d2_5`); a pool, then 1x1 (`d3_1`).
                `widths` are these six, in this order. The outputs stand side by side. How many
                channels come out, how many parameters are there? The paper's first module, 192
                channels and 64, 96, 128, 16, 32, 32, has 256 and 163,696.""",
                """四个分支读同样的 `c` 个通道: 1x1 (`d0_1` 个卷积核);
                1x1 (`d1_1`), 再 3x3 (`d1_3`); 1x1 (`d2_1`), 再 5x5 (`d2_5`);
                池化, 再 1x1 (`d3_1`)。`widths` 依次就是这六个数。各分支的输出并排拼接。
                输出几个通道, 有几个参数? 论文的第一个模块, 192 个通道,
                宽度 64、96、128、16、32、32, 结果是 256 和 163,696。""",
            ),
            hints_module,
        ]
    )
    return (hints_module,)


@app.function
def inception_module(c, widths):
    """Channels that come out of c, and parameters, of GoogLeNet's module with biases."""
    channels = ...
    parameters = ...
    return channels, parameters


@app.cell(hide_code=True)
def _(hints_module, lang):
    lesson.check(lang, networks.INCEPTION_MODULE, inception_module, hints_module.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_dense = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                networks.DENSE_CHANNELS,
                """DenseNet: `start` channels come in, each layer of a block puts `growth` more
                beside all that it read, `depths` are the layers of each block, and between two
                blocks a transition keeps half. The list of channels after each block, before its
                transition.""",
                """DenseNet: 输入 `start` 个通道, 块中每层在读到的全部通道旁再拼上 `growth` 个,
                `depths` 是各块的层数, 两块之间的过渡层只保留一半。
                返回每块之后、过渡层之前的通道数。""",
            ),
            hints_dense,
        ]
    )
    return (hints_dense,)


@app.function
def dense_channels(start, growth, depths):
    """Channels after each dense block; between two blocks a transition halves them."""
    return ...


@app.cell(hide_code=True)
def _(hints_dense, lang):
    lesson.check(lang, networks.DENSE_CHANNELS, dense_channels, hints_dense.value)
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

                The layer explained, by TensorFlow; and two whole networks, whose description and
                weights are given to Keras: does it count the same, and answer the same?
                """,
                """
                ## 对照

                用 TensorFlow 算上面解释的那一层; 再把两个完整网络的结构和权重交给 Keras:
                参数个数和结果是否相同?
                """,
            ),
            ask,
        ]
    )
    return (ask,)


@app.cell(hide_code=True)
def _(ask, found, lang):
    whole = [networks.Logits(name) for name in ("LeNet-5", "VGG13")]
    lesson.compare(lang, ask.value, found, *whole)
    return


@app.cell(hide_code=True)
def _(lang):
    lesson.text(
        lang,
        """
        ## Keep

        - Parameters of a convolution: taps · channels in · filters + filters. Nothing of the image
          is in it.
        - The first layers cost time, the last ones memory.
        - A network that runs may still be another one. Count it, against its source.

        Next: lesson 12 trains them.
        """,
        """
        ## 记住

        - 卷积层的参数: 卷积核面积 · 输入通道 · 卷积核个数 + 卷积核个数。与图像大小无关。
        - 前面的层费时间, 后面的层费内存。
        - 能运行的网络也可能不是你要的那个。数一数, 与出处对照。

        接下来: 第 12 课训练它们。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
