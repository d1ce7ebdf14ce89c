"""Lesson 4: a kernel has four axes; what each of them is, and what their order costs."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson.exercises import channels


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
        # 4. Channels

        A colour image has three numbers at each pixel, red, green and blue: three *channels*. A
        convolution reads all of them, and computes not one number at each place but several, by
        several kernels, which are then called *filters*. Each filter may have a *bias*, a number
        that is added to its sum.

        An image has 3 channels, a layer 4 filters of 3 x 3, with biases. How many numbers does the
        layer learn?
        """,
        """
        # 4. 通道

        彩色图像的每个像素有红、绿、蓝三个数, 即三个*通道*。卷积要读全部通道,
        而且在每一处算出的不是一个数, 而是几个: 每个卷积核算一个。
        每个卷积核还可以有一个*偏置*, 加在它的和上。

        图像有 3 个通道, 一层有 4 个 3 x 3 的卷积核, 带偏置。这一层要学习多少个数?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    numbers = lesson.guess(lang, [36, 40, 108, 112, 120])
    numbers
    return (numbers,)


@app.cell(hide_code=True)
def _(lang, numbers):
    # the answer
    learned = tf.keras.layers.Conv2D(4, 3)
    learned.build((None, 5, 5, 3))
    assert learned.kernel.shape == (3, 3, 3, 4)
    assert learned.bias.shape == (4,)
    assert (np.prod(learned.kernel.shape), learned.count_params()) == (108, 112)
    assert 3 * 3 * 4 == 36
    assert 108 + 4 * 3 == 120
    lesson.answer(
        lang,
        numbers,
        112,
        """One filter has a weight for each pixel **and each channel** of its window: 3 x 3 x 3 =
        27. Four filters have 108, and four biases make 112. (36 forgets the channels, 120 counts a
        bias for each filter and channel.)""",
        """一个卷积核对窗口中**每个通道**的每个像素各有一个权重: 3 x 3 x 3 = 27。
        四个卷积核有 108 个, 再加四个偏置, 共 112。
        (36 漏了通道; 120 给每个卷积核的每个通道都算了偏置。)""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    o = lesson.slider(lang, 0, 3, 0, "filter", "卷积核")
    row = lesson.slider(lang, 0, 2, 0, "row", "行")
    column = lesson.slider(lang, 0, 2, 0, "column", "列")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Run it, see it

                Three planes of an image, four filters. Filter 0 is that of a course text; 1 adds
                the three channels of the pixel in the middle; 2 takes channel 1 from channel 0; 3
                looks for an edge, in all channels alike. Choose a filter and a place.
                """,
                """
                ## 运行, 观察

                图像有三个平面, 卷积核有四个。0 号来自一份教材; 1 号把中间像素的三个通道相加;
                2 号用通道 0 减去通道 1; 3 号在各通道中同样地寻找边缘。选一个卷积核和一处位置。
                """,
            ),
            o,
            row,
            column,
        ]
    )
    return column, o, row


@app.cell(hide_code=True)
def _(column, lang, o, row):
    found = tf.explain(
        "conv2d",
        channels.IMAGE[None],
        channels.KERNEL,
        bias=channels.BIAS,
        at=(0, row.value, column.value, o.value),
        lang=lang,
    )
    found
    return (found,)


@app.cell(hide_code=True)
def _(found, lang, o):
    layer = tf.keras.layers.Conv2D(4, 3)
    layer.build((None, 5, 5, 3))
    layer.set_weights([channels.KERNEL, channels.BIAS])
    outputs = layer(channels.IMAGE[None]).numpy()
    assert outputs[0, 0, 0].tolist() == [-5, -2, 2, -1]
    planes = tf.nn.depthwise_conv2d(
        channels.IMAGE[None, :3, :3], channels.KERNEL[..., :1], [1] * 4, "VALID"
    )
    assert planes.numpy().ravel().tolist() == [7, -11, -1]
    assert found.value == outputs[(*found.at[:3], o.value)]
    lesson.text(
        lang,
        """
        ## What is added to what

        At the top left, filter 0 gets 7 from channel 0, -11 from channel 1 and -1 from channel 2:
        7 - 11 - 1 = **-5**. The channels are *added*, whatever they mean, and then the bias of the
        filter, **once**. The four filters give -5, -2, 2 and -1 there: the four channels of the
        output. What was red and green is gone; from now on a channel is "what filter 2 found".

        So the shapes are

        - image: (N, H, W, **C**): N images, H rows, W columns, C channels;
        - kernel: (kh, kw, **C**, **O**): rows, columns, channels *in*, filters *out*;
        - bias: (**O**,);
        - output: (N, h, w, **O**).

        C must be the same in image and kernel. O is your choice, and is the C of the next layer.
        """,
        """
        ## 什么与什么相加

        在左上角, 0 号卷积核从通道 0 得 7, 从通道 1 得 -11, 从通道 2 得 -1: 7 - 11 - 1 = **-5**。
        各通道*相加*, 不管它们代表什么; 然后加上该卷积核的偏置, **只加一次**。
        四个卷积核在这里得到 -5、-2、2、-1, 就是输出的四个通道。红和绿已经不见了;
        从此一个通道的意思是“2 号卷积核找到了什么”。

        所以形状是

        - 图像: (N, H, W, **C**): N 张, H 行, W 列, C 个通道;
        - 卷积核张量: (kh, kw, **C**, **O**): 行, 列, *输入*通道, *输出*通道 (即卷积核个数);
        - 偏置: (**O**,);
        - 输出: (N, h, w, **O**)。

        图像与卷积核的 C 必须相同。O 由你决定, 它就是下一层的 C。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    x = tf.random.normal([2, 5, 5, 3], seed=1)
    w = tf.random.normal([3, 3, 3, 4], seed=2)
    frame = [[0, 0], [1, 1], [1, 1], [0, 0]]
    shapes = [
        tf.nn.conv2d(x, w, 1, "VALID").shape,
        tf.nn.conv2d(x, w, 1, frame).shape,
        tf.nn.conv2d(x, w, 3, "SAME").shape,
        tf.keras.layers.Conv2D(4, (3, 4), (2, 1), "SAME")(x).shape,
    ]
    assert shapes == [(2, 3, 3, 4), (2, 5, 5, 4), (2, 2, 2, 4), (2, 3, 5, 4)]
    same = tf.keras.layers.Conv2D(4, 3, padding="SAME")
    by_layer = same(x).numpy()
    by_hand = (tf.nn.conv2d(x, same.kernel, 1, "SAME") + same.bias).numpy()
    assert np.array_equal(by_layer, by_hand)
    assert not same.bias.numpy().any()
    mixed = tf.random.normal([1, 1, 3, 4], seed=3)
    dense = (x.numpy().reshape(-1, 3) @ mixed.numpy()[0, 0]).reshape(2, 5, 5, 4)
    assert np.allclose(tf.nn.conv2d(x, mixed, 1, "VALID").numpy(), dense, atol=1e-5)
    lesson.text(
        lang,
        """
        ## A layer, or a function

        | of a batch (2, 5, 5, 3) | output |
        |:---|:---|
        | `tf.nn.conv2d(x, w, 1, "VALID")`, w (3, 3, 3, 4) | (2, 3, 3, 4) |
        | `tf.nn.conv2d(x, w, 1, [[0, 0], [1, 1], [1, 1], [0, 0]])` | (2, 5, 5, 4) |
        | `tf.nn.conv2d(x, w, 3, "SAME")` | (2, 2, 2, 4) |
        | `layers.Conv2D(4, (3, 4), (2, 1), "SAME")(x)` | (2, 3, 5, 4) |

        The function is given the weights. The *layer* is given only how many filters of which
        size; it sees C when it is first called, makes `layer.kernel` and `layer.bias` (zeros), and
        keeps them. Its answer is exactly `tf.nn.conv2d(x, layer.kernel, ...) + layer.bias`.

        A window of 1 x 1 is no nonsense: it mixes the channels of each pixel, as a dense layer
        does, and many networks use it to make 256 channels out of 64 (lessons 8 and 11).
        """,
        """
        ## 用层, 还是用函数

        | 输入一批 (2, 5, 5, 3) | 输出 |
        |:---|:---|
        | `tf.nn.conv2d(x, w, 1, "VALID")`, w (3, 3, 3, 4) | (2, 3, 3, 4) |
        | `tf.nn.conv2d(x, w, 1, [[0, 0], [1, 1], [1, 1], [0, 0]])` | (2, 5, 5, 4) |
        | `tf.nn.conv2d(x, w, 3, "SAME")` | (2, 2, 2, 4) |
        | `layers.Conv2D(4, (3, 4), (2, 1), "SAME")(x)` | (2, 3, 5, 4) |

        函数要由你给出权重。*层*只需说明卷积核的个数和大小; 它第一次被调用时才知道 C,
        于是创建 `layer.kernel` 和 `layer.bias` (全零) 并保存起来。
        它的结果就是 `tf.nn.conv2d(x, layer.kernel, ...) + layer.bias`, 完全相等。

        1 x 1 的窗口并非没有意义: 它像全连接层那样混合每个像素的各个通道,
        许多网络用它把 64 个通道变成 256 个 (第 8、11 课)。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    numbered = np.arange(16.0).reshape(2, 2, 2, 2)  # out, in, rows, columns
    right = channels.TO_TF_KERNEL.expected(numbered)
    reshaped, reversed_ = numbered.reshape(right.shape), numbered.T
    assert (reshaped == right).sum() == 2
    assert (reversed_ == right).sum() == 8
    symmetric = np.broadcast_to([[1.0, 2], [2, 1]], (2, 2, 2, 2))
    assert np.array_equal(symmetric.T, channels.TO_TF_KERNEL.expected(symmetric))
    pixels = channels.IMAGE
    first = pixels.transpose(2, 0, 1)
    assert first[0].ravel()[:3].tolist() == [1, -1, 0]
    assert pixels.reshape(3, 5, 5)[0].ravel()[:3].tolist() == [1, 2, 0]
    there = tf.nn.conv2d(first[None], channels.KERNEL, 1, "VALID", data_format="NCHW").numpy()
    here = tf.nn.conv2d(pixels[None], channels.KERNEL, 1, "VALID").numpy()
    assert there.shape == (1, 4, 3, 3)
    assert np.array_equal(there.transpose(0, 2, 3, 1), here)
    lesson.text(
        lang,
        """
        ## Break it: the order of the axes

        PyTorch keeps a kernel as (O, C, kh, kw), and images as (N, C, H, W), *channels first*. To
        bring weights from there, the axes must be *transposed*. Write `reshape` in its place, and
        the shape is right, no error comes, and the network recognises nothing: of a kernel of
        2 x 2 x 2 x 2 numbers only 2 of 16 are where they belong. `w.T` reverses all the axes: 8 of
        16, for rows and columns have changed places; with kernels that are symmetric nobody
        notices.

        The same with images: the first row of the first channel above is 1, -1, 0, and
        `reshape(3, 5, 5)` makes it 1, 2, 0, the three colours of the first pixel.

        TensorFlow's names are NHWC and NCHW (a course text misprints MHWC and MCHW). With
        `data_format="NCHW"` the image changes its order; **the kernel does not**, it remains (kh,
        kw, C, O), and the numbers are the same.
        """,
        """
        ## 弄坏它: 轴的顺序

        PyTorch 的卷积核张量是 (O, C, kh, kw), 图像是 (N, C, H, W), 即*通道在前*。
        要把那里的权重拿过来, 就得*转置*各轴。如果写成 `reshape`, 形状是对的, 也不报错,
        可是网络什么也认不出来: 2 x 2 x 2 x 2 的卷积核张量, 16 个数里只有 2 个在该在的位置。
        `w.T` 把所有轴倒过来: 16 个里对了 8 个, 因为行与列互换了; 卷积核对称时没人看得出来。

        图像也一样: 上面第一个通道的第一行是 1、-1、0, 而 `reshape(3, 5, 5)` 得到 1、2、0,
        那是第一个像素的三种颜色。

        TensorFlow 中的名称是 NHWC 和 NCHW (有份教材误印成 MHWC 和 MCHW)。
        写 `data_format="NCHW"` 时, 图像换了顺序, **卷积核张量不换**, 仍是 (kh, kw, C, O),
        算出的数也一样。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    filters = lesson.slider(lang, 1, 64, 4, "filters", "卷积核个数")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Where the weights begin

                All filters must begin *different*, or they would learn the same. So a fresh kernel
                is drawn at random. How large? An output adds up kh · kw · C products (*fan_in*): if
                the weights are too large, numbers grow from layer to layer, if too small, they
                fade. On the way back the same holds for the kh · kw · O outputs that a pixel
                reaches (*fan_out*). Glorot's choice is a variance of **2 / (fan_in + fan_out)**,
                evenly spread between a limit and its negative. Choose the number of filters of
                3 x 3 over 3 channels.
                """,
                """
                ## 权重从哪里开始

                各个卷积核的初值必须*不同*, 否则学到的会一样, 所以用随机数初始化。该取多大?
                一个输出由 kh · kw · C 个乘积相加 (*fan_in*): 权重太大, 数值逐层增大;
                太小, 则逐层减小。反向时, 一个像素影响 kh · kw · O 个输出 (*fan_out*), 道理相同。
                Glorot 的选择是让方差等于 **2 / (fan_in + fan_out)**, 在正负界限之间均匀分布。
                选择 3 通道、3 x 3 卷积核的个数看看。
                """,
            ),
            filters,
        ]
    )
    return (filters,)


@app.cell(hide_code=True)
def _(filters, lang):
    begun = tf.keras.initializers.GlorotUniform(seed=7)((3, 3, 3, filters.value)).numpy()
    limit = channels.GLOROT_LIMIT.expected(3, 3, 3, filters.value)
    assert np.abs(begun).max() <= limit * 1.0001
    rows = (
        ("fan_in, fan_out", "fan_in, fan_out", f"27, {9 * filters.value}"),
        ("limit", "界限", f"{limit:.5f}"),
        (
            "largest of the weights drawn, without its sign",
            "抽到的最大权重 (取绝对值)",
            f"{np.abs(begun).max():.5f}",
        ),
        ("variance wanted", "应有的方差", f"{2 / (27 + 9 * filters.value):.5f}"),
        ("variance of those drawn", "实际方差", f"{begun.var():.5f}"),
    )
    table = "\n".join(f"| {lesson.say(lang, *words)} | {shown} |" for *words, shown in rows)
    lesson.text(
        lang,
        f"| {begun.size} weights | |\n|:---|---:|\n{table}",
        f"| {begun.size} 个权重 | |\n|:---|---:|\n{table}",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    assert round(channels.GLOROT_LIMIT.expected(3, 3, 3, 4), 5) == 0.30861
    assert channels.GLOROT_LIMIT.expected(3, 3, 3, 4) > 0.307255179

    def after_ten(scale):
        drawn = np.random.default_rng(0)
        signal = drawn.normal(size=(1, 32, 32, 16)).astype("float32")
        for _ in range(10):
            most = scale * channels.GLOROT_LIMIT.expected(3, 3, 16, 16)
            kernel = drawn.uniform(-most, most, (3, 3, 16, 16)).astype("float32")
            signal = tf.nn.conv2d(signal, kernel, 1, "SAME").numpy()
        return signal.std()

    sizes = [after_ten(scale) for scale in (0.5, 1, 2)]
    assert sizes[0] < 0.001
    assert 0.85 < sizes[1] < 0.95
    assert sizes[2] > 900
    assert np.allclose(sizes, sizes[1] * 2.0 ** np.array([-10, 0, 10]), rtol=1e-3)
    lesson.text(
        lang,
        """
        A course text prints twelve weights of a fresh layer of 4 filters. The largest is
        -0.307255179, and the limit is 0.30861: so this is how they were drawn.

        Ten layers of 16 filters, one after the other, show why it matters. Numbers that begin with
        a deviation of 1 have one of about 0.9 after Glorot's weights. With weights half as large
        less than 0.001 is left, with weights twice as large it is more than 900: ten times a
        factor of 2 is 1,024, in either direction.
        """,
        """
        有份教材印出了一个新建层 (4 个卷积核) 的十二个权重, 其中最大的是 -0.307255179,
        界限是 0.30861: 可见就是这样抽取的。

        把十个 16 卷积核的层依次相接, 就看得出它为什么重要。开始时标准差为 1 的数,
        用 Glorot 的权重, 最后约为 0.9; 权重减半, 最后不到 0.001; 权重加倍, 则超过 900:
        每层差 2 倍, 十层就差 1,024 倍。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_place = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                channels.ONE_PLACE,
                """All filters at one place: `window` (k, k, C) holds its pixels, `w` (k, k, C, O)
                the weights, `b` (O,) the biases. The answer has the shape (O,). Write over the
                `...` in the cell below, and run it.""",
                """一处位置上的全部卷积核: `window` (k, k, C) 是窗口里的像素,
                `w` (k, k, C, O) 是权重, `b` (O,) 是偏置。结果的形状是 (O,)。
                在下面的单元格里把 `...` 换成代码, 然后运行。""",
            ),
            hints_place,
        ]
    )
    return (hints_place,)


@app.function
def one_place(window, w, b):
    """Outputs at one place: window (k, k, C), w (k, k, C, O), b (O,)."""
    return ...


@app.cell(hide_code=True)
def _(hints_place, lang):
    lesson.check(lang, channels.ONE_PLACE, one_place, hints_place.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_kernel = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                channels.TO_TF_KERNEL,
                "One line, for a NumPy array `w` (out, in, rows, columns).",
                "一行代码, `w` 是 NumPy 数组 (输出, 输入, 行, 列)。",
            ),
            hints_kernel,
        ]
    )
    return (hints_kernel,)


@app.function
def to_tf_kernel(w):
    """A kernel of PyTorch (out, in, rows, columns) in TensorFlow's order."""
    return ...


@app.cell(hide_code=True)
def _(hints_kernel, lang):
    lesson.check(lang, channels.TO_TF_KERNEL, to_tf_kernel, hints_kernel.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_limit = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                channels.GLOROT_LIMIT,
                "From the variance above: which limit do evenly spread weights have?",
                "由上面的方差推出: 均匀分布的权重, 界限是多少?",
            ),
            hints_limit,
        ]
    )
    return (hints_limit,)


@app.function
def glorot_limit(kh, kw, channels, filters):
    """A fresh kernel's weights lie between this and its negative."""
    return ...


@app.cell(hide_code=True)
def _(hints_limit, lang):
    lesson.check(lang, channels.GLOROT_LIMIT, glorot_limit, hints_limit.value)
    return


@app.cell(hide_code=True)
def _(lang):
    ask = lesson.compare_button(lang)
    mo.vstack(
        [
            lesson.text(
                lang,
                "## Compare\n\nDoes TensorFlow add the channels up in the same way?",
                "## 对照\n\nTensorFlow 也是这样把通道相加的吗?",
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

        - A filter reads every channel and adds them up; its bias comes once; it makes one channel.
        - TensorFlow: kernel (kh, kw, in, out), whatever the image's order. PyTorch: (out, in, kh,
          kw).
        - `reshape` keeps the order of the numbers, `transpose` keeps their meaning.
        - Fresh weights: variance 2 / (fan_in + fan_out); biases 0.

        Next: lesson 5 computes the same numbers in five ways.
        """,
        """
        ## 记住

        - 一个卷积核读全部通道并相加, 偏置只加一次, 产生一个输出通道。
        - TensorFlow 的卷积核张量总是 (kh, kw, 输入, 输出), 与图像的顺序无关;
          PyTorch 是 (输出, 输入, kh, kw)。
        - `reshape` 保持数的先后, `transpose` 保持数的含义。
        - 新权重: 方差 2 / (fan_in + fan_out); 偏置为 0。

        接下来: 第 5 课用五种方法算出同样的数。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
