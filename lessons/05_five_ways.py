"""Lesson 5: one convolution by loops, im2col, W', FFT and Winograd, and what each costs."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson.exercises import five_ways
    from minitensor.lesson.exercises.five_ways import AT, BT, COUNTING, SMALL, G


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
        # 5. Five ways to the same numbers

        A convolution is *defined* by loops: each output adds up the products of its window. But
        hardly any library *computes* it so. They rearrange the sums, and choose by the sizes.

        An image of 4 x 4 pixels under a kernel of 3 x 3 has 2 x 2 outputs. By the definition that
        is 4 x 9 = 36 multiplications. Additions are free today. How few multiplications are
        enough?
        """,
        """
        # 5. 五种算法, 同样的数

        卷积是用循环*定义*的: 每个输出把窗口里的乘积相加。可是几乎没有哪个库真的这样*计算*。
        它们重新组织这些和, 并按尺寸选择算法。

        4 x 4 的图像和 3 x 3 的卷积核, 有 2 x 2 个输出。按定义要做 4 x 9 = 36 次乘法。
        假如加法不计, 最少需要几次乘法?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    few = lesson.guess(lang, [36, 25, 16, 9])
    few
    return (few,)


@app.cell(hide_code=True)
def _(few, lang):
    # the answer
    assert five_ways.cost("loops", 4, 3)[0] == 36
    assert five_ways.cost("Winograd", 4, 3)[0] == 16
    assert 36 / 16 == 2.25
    lesson.answer(
        lang,
        few,
        16,
        """As many as there are pixels. Winograd found how, in 1980; you will build it below. 36 is
        2.25 times as many.""",
        """与像素一样多。方法是 Winograd 在 1980 年找到的, 下面就来实现它。36 是它的 2.25 倍。""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    row = lesson.slider(lang, 0, 1, 0, "row of the output", "输出的行")
    column = lesson.slider(lang, 0, 1, 0, "column of the output", "输出的列")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Run it, see it: 1. loops

                The definition: for each output, for each weight, multiply and add. It needs no
                memory beside the output. But each pixel is fetched up to nine times, and a
                processor multiplies one pair of numbers after the other. Choose an output.
                """,
                """
                ## 运行, 观察: 1. 循环

                按定义: 对每个输出、每个权重, 相乘再相加。除输出外不需要别的内存。
                但每个像素最多要取九次, 而且处理器一次只乘一对数。选一个输出。
                """,
            ),
            row,
            column,
        ]
    )
    return column, row


@app.cell(hide_code=True)
def _(column, lang, row):
    found = tf.explain("conv2d", COUNTING, SMALL, at=(row.value, column.value), lang=lang)
    found
    return (found,)


@app.cell(hide_code=True)
def _(found, lang):
    copied = five_ways.im2col(COUNTING, 3)
    assert copied.shape == (4, 9)
    assert np.array_equal(copied @ SMALL.ravel(), found.call.output.ravel())
    assert (COUNTING.size, copied.size) == (16, 36)
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## 2. im2col

                Copy each window into a row of a matrix: *image to columns*. The convolution is then
                **one product of matrices**, for which every machine has a program that has been
                polished for decades. The price: 16 pixels became 36 numbers, and with large images
                and a kernel of 3 x 3 it is nearly nine times the image.
                """,
                """
                ## 2. im2col

                把每个窗口复制成矩阵的一行 (*image to columns*)。于是卷积就是**一次矩阵乘法**,
                而每台机器上都有打磨了几十年的矩阵乘法程序。
                代价: 16 个像素变成了 36 个数; 图像较大、卷积核 3 x 3 时, 将近图像的九倍。
                """,
            ),
            lesson.view(lang, found, "im2col"),
        ]
    )
    return


@app.cell(hide_code=True)
def _(found, lang):
    large = found.matrix
    assert large.shape == (4, 16)
    assert np.array_equal(large @ COUNTING.ravel(), found.call.output.ravel())
    assert (five_ways.cost("W'", 32, 3)[1], five_ways.cost("im2col", 32, 3)[1]) == (3686400, 32400)
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## 3. The matrix W'

                Leave the image as it is and spread the *kernel* out instead: a row for each output,
                a column for each pixel. Now y = W' x, and everything that is known of matrices
                holds: the way back is W' transposed (lessons 6 and 7). To compute with, it is the
                worst way of all: for 32 x 32 pixels W' takes 3,686,400 bytes, im2col 32,400.
                """,
                """
                ## 3. 矩阵 W'

                图像保持原样, 改为展开*卷积核*: 每行对应一个输出, 每列对应一个像素。于是 y = W' x,
                矩阵的一切性质都能用: 反向传播就是乘以 W' 的转置 (第 6、7 课)。
                但用它来计算是最差的: 32 x 32 像素时 W' 占 3,686,400 字节, im2col 只占 32,400。
                """,
            ),
            lesson.view(lang, found, "matrix"),
        ]
    )
    return


@app.cell(hide_code=True)
def _(found, lang):
    whole = np.fft.ifft2(np.fft.fft2(COUNTING) * np.conj(np.fft.fft2(SMALL, (4, 4)))).real
    assert np.allclose(whole[:2, :2], found.call.output.reshape(2, 2))
    lesson.text(
        lang,
        """
        ## 4. FFT

        The Fourier transform turns a convolution into a plain product: transform image and kernel,
        multiply number by number, transform back.

        `y = F⁻¹( F(x) · conj(F(w)) )`

        The complex conjugate, `conj`, is there because a layer does *not* turn its kernel (lesson
        3). The cost hardly depends on the size of the kernel, so this is the way for **large**
        kernels; for 3 x 3 the transforms cost more than they save.
        """,
        """
        ## 4. FFT

        傅里叶变换把卷积变成普通的乘积: 对图像和卷积核做变换, 逐个相乘, 再变换回来。

        `y = F⁻¹( F(x) · conj(F(w)) )`

        其中 `conj` 是共轭复数, 因为卷积层*不*旋转卷积核 (第 3 课)。
        代价几乎与卷积核大小无关, 所以它适合**大**卷积核; 3 x 3 时, 变换的代价超过省下的。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    d, g = np.array([2.0, 1, 4, 3]), np.array([3.0, 1, 2])
    m = (
        (d[0] - d[2]) * g[0],
        (d[1] + d[2]) * (g[0] + g[1] + g[2]) / 2,
        (d[2] - d[1]) * (g[0] - g[1] + g[2]) / 2,
        (d[1] - d[3]) * g[2],
    )
    line = tf.nn.conv1d(d[None, :, None], g[:, None, None], 1, "VALID").numpy().ravel()
    assert m == (-6, 15, 6, -4)
    assert line.tolist() == [m[0] + m[1] + m[2], m[1] - m[2] - m[3]] == [15, 13]
    lesson.text(
        lang,
        """
        ## 5. Winograd

        First along a line: four pixels d₀…d₃, three weights g₀…g₂, two outputs, which are 6
        multiplications. Four are enough:

        | | pixels | weights |
        |:---|:---|:---|
        | m₁ = | (d₀ - d₂) | · g₀ |
        | m₂ = | (d₁ + d₂) | · (g₀ + g₁ + g₂)/2 |
        | m₃ = | (d₂ - d₁) | · (g₀ - g₁ + g₂)/2 |
        | m₄ = | (d₁ - d₃) | · g₂ |

        and y₀ = m₁ + m₂ + m₃, y₁ = m₂ - m₃ - m₄. With d = 2, 1, 4, 3 and g = 3, 1, 2: m = -6, 15,
        6, -4, so y = 15, 13. Multiply it out once on paper: everything that is too much cancels.

        The sums of weights are made once for a whole image. The sums of pixels are a matrix BT, the
        sums of weights G, those of the m a matrix AT. In two dimensions do it along the rows and
        along the columns: 4 x 4 = **16** multiplications in the place of 36.
        """,
        """
        ## 5. Winograd

        先看一维: 四个像素 d₀…d₃, 三个权重 g₀…g₂, 两个输出, 按定义要 6 次乘法。其实四次就够:

        | | 像素 | 权重 |
        |:---|:---|:---|
        | m₁ = | (d₀ - d₂) | · g₀ |
        | m₂ = | (d₁ + d₂) | · (g₀ + g₁ + g₂)/2 |
        | m₃ = | (d₂ - d₁) | · (g₀ - g₁ + g₂)/2 |
        | m₄ = | (d₁ - d₃) | · g₂ |

        然后 y₀ = m₁ + m₂ + m₃, y₁ = m₂ - m₃ - m₄。取 d = 2、1、4、3, g = 3、1、2:
        m = -6、15、6、-4, 于是 y = 15、13。在纸上展开一次: 多余的项全都抵消。

        权重之和对整张图像只算一次。像素之和写成矩阵 BT, 权重之和写成 G, 各 m 之和写成 AT。
        二维时沿行和列各做一遍: 4 x 4 = **16** 次乘法, 而不是 36 次。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    n = lesson.slider(lang, 20, 40, 32, "image", "图像")
    k = lesson.slider(lang, 1, 9, 3, "kernel", "卷积核")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## What each of them costs

                Multiplications and bytes, predicted from the sizes alone; then the bytes as they
                are measured while the five run here, and how far their numbers are from those of
                the engine. Winograd's matrices are for a kernel of 3.
                """,
                """
                ## 各自的代价

                先只凭尺寸预测乘法次数和字节数; 再看五种算法在这里实际运行时测得的字节数,
                以及结果与引擎相差多少。这里的 Winograd 矩阵只适用于大小为 3 的卷积核。
                """,
            ),
            n,
            k,
        ]
    )
    return k, n


@app.cell(hide_code=True)
def _(k, lang, n):
    drawn = np.random.default_rng(0)
    image = drawn.normal(size=(n.value, n.value)).astype("float32")
    kernel = drawn.normal(size=(k.value, k.value)).astype("float32")
    rows = []
    for way in five_ways.WAYS:
        if way == "Winograd" and k.value != 3:
            continue
        products, extra = five_ways.cost(way, n.value, k.value)
        held = "-"  # loops need nothing but what Python itself does
        if extra:
            most = five_ways.measured(way, image, kernel)
            assert 0.5 < most / extra < 2
            held = f"{most:,}"
        off = five_ways.difference(way, image, kernel)
        assert off < 1e-5 * k.value
        name = lesson.say(lang, way, {"loops": "循环"}.get(way, way))
        rows.append(f"| {name} | {products:,} | {extra:,} | {held} | {off:.1g} |")
    head = lesson.say(
        lang,
        "| | multiplications | bytes predicted | measured | off by |",
        "| | 乘法次数 | 预测字节 | 实测字节 | 误差 |",
    )
    lesson.text(lang, *["\n".join([head, "|:---|---:|---:|---:|---:|", *rows])] * 2)
    return


@app.cell(hide_code=True)
def _(lang):
    predicted = {way: five_ways.cost(way, 32, 3) for way in five_ways.WAYS}
    explained = {
        c.algorithm: c for c in tf.explain("conv2d", tf.ones((32, 32)), tf.ones((3, 3))).cost
    }
    for ours, theirs in (("loops", "direct"), ("im2col", "im2col"), ("W'", "matrix")):
        assert predicted[ours] == (explained[theirs].macs, explained[theirs].extra_bytes)
    assert predicted["Winograd"][0] == explained["winograd"].macs == 3600
    assert predicted["loops"][0] == 8100 == 2.25 * 3600
    assert predicted["FFT"] == five_ways.cost("FFT", 32, 9) == (1024, 32768)
    assert [five_ways.cost("loops", 32, k)[0] for k in (3, 9)] == [8100, 46656]
    lesson.text(
        lang,
        """
        For 32 x 32 pixels and a kernel of 3: loops and im2col multiply 8,100 times, Winograd 3,600
        times, 2.25 times less. FFT multiplies 1,024 pairs of complex numbers beside its three
        transforms, and a kernel of 9 changes nothing, while loops then need 46,656. W' multiplies
        its zeros too.

        What libraries do: im2col, or the same a block at a time, for most; Winograd for 3 x 3 with
        stride 1; FFT for large kernels; loops, very many of them at once, on a GPU. minitensor has
        `with algorithm("winograd"):` and others; lesson 15 measures the time.
        """,
        """
        32 x 32 像素、卷积核 3 时: 循环和 im2col 乘 8,100 次, Winograd 乘 3,600 次,
        只是前者的 1/2.25。FFT 除三次变换外乘 1,024 对复数, 卷积核换成 9 也不变,
        而循环那时要 46,656 次。W' 连零也要乘。

        实际的库: 大多用 im2col, 或分块地做同样的事; 步幅 1 的 3 x 3 用 Winograd; 大卷积核用 FFT;
        在 GPU 上则同时运行极多的循环。minitensor 有 `with algorithm("winograd"):` 等;
        第 15 课测量时间。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    ring = np.fft.ifft2(np.fft.fft2(COUNTING) * np.conj(np.fft.fft2(SMALL, (4, 4)))).real
    outside = tf.nn.conv2d(
        np.pad(COUNTING, ((0, 2), (0, 2)))[None, :, :, None], SMALL[:, :, None, None], 1, "VALID"
    ).numpy()[0, :, :, 0]
    agree = np.isclose(ring, outside)
    assert agree[:2, :2].all()
    assert agree.sum() == 4
    around = np.pad(COUNTING, ((0, 2), (0, 2)), mode="wrap")
    wrapped = tf.nn.conv2d(around[None, :, :, None], SMALL[:, :, None, None], 1, "VALID").numpy()
    assert np.allclose(wrapped[0, :, :, 0], ring)
    one = np.float32([[1, 0, 0, 0]])
    seen = np.fft.ifft2(np.fft.fft2(one) * np.conj(np.fft.fft2([[1, 2]], (1, 4)))).real
    assert np.allclose(seen, [[1, 0, 0, 2]])
    plain = np.fft.ifft2(np.fft.fft2(COUNTING) * np.fft.fft2(SMALL, (4, 4))).real[2:, 2:]
    back = five_ways.FFT_CONV.expected(COUNTING, SMALL[::-1, ::-1].copy())
    assert np.allclose(plain, back)
    assert not np.allclose(plain, five_ways.FFT_CONV.expected(COUNTING, SMALL))
    lesson.text(
        lang,
        """
        ## Break it

        **FFT goes round in a ring.** It knows no border: the pixel to the right of the last one is
        the first one. The line 1 0 0 0 under the kernel 1 2 gives 1 0 0 **2**: the last place has
        seen the first pixel. Of the 4 x 4 numbers that come back here only the 4 of VALID agree
        with a convolution whose image ends in zeros. For padding, put the zeros there first.

        **Forget the conjugate**, and the kernel is turned by 180 degrees. With a symmetric kernel
        every test passes.

        **Digits.** All five add the same products in another order, or other numbers altogether,
        so the last digits differ; look at the column "off by". Compare with a tolerance, never
        with `==`.
        """,
        """
        ## 弄坏它

        **FFT 首尾相接。** 它没有边界: 最后一个像素的右边就是第一个。像素 1 0 0 0、卷积核 1 2,
        得到 1 0 0 **2**: 最后一处看到了第一个像素。这里变换回来的 4 x 4 个数中,
        只有 VALID 的 4 个与“图像外是零”的卷积一致。要填充, 就得先把零补上。

        **忘了共轭**, 卷积核就旋转了 180 度。卷积核对称时, 所有测试都能通过。

        **末位数字。** 五种算法以不同次序相加同样的乘积, 甚至乘的根本是别的数,
        所以最后几位不同 (见“误差”一列)。比较时要留误差, 绝不能用 `==`。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_columns = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                five_ways.IM2COL,
                """A row for each `k` x `k` window of `x`, VALID, stride 1, so that
                `im2col(x, k) @ w.ravel()` is the convolution. Write over the `...` in the cell
                below, and run it.""",
                """`x` 的每个 `k` x `k` 窗口占一行, VALID, 步幅 1, 使得
                `im2col(x, k) @ w.ravel()` 就是卷积。在下面的单元格里把 `...` 换成代码,
                然后运行。""",
            ),
            hints_columns,
        ]
    )
    return (hints_columns,)


@app.function
def im2col(x, k):
    """A row for each k x k window of x, its pixels one after the other."""
    return ...


@app.cell(hide_code=True)
def _(hints_columns, lang):
    lesson.check(lang, five_ways.IM2COL, im2col, hints_columns.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_fft = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                five_ways.FFT_CONV,
                "The formula of way 4, with `np.fft.fft2`; the answer has n - k + 1 rows.",
                "第 4 种算法的公式, 用 `np.fft.fft2`; 结果有 n - k + 1 行。",
            ),
            hints_fft,
        ]
    )
    return (hints_fft,)


@app.function
def fft_conv(x, w):
    """What a layer computes, VALID, stride 1: x (n, n), w (k, k), by np.fft."""
    return ...


@app.cell(hide_code=True)
def _(hints_fft, lang):
    lesson.check(lang, five_ways.FFT_CONV, fft_conv, hints_fft.value)
    return


@app.cell(hide_code=True)
def _(lang):
    given = "\n".join(
        f"{name} = {[[float(v) for v in line] for line in matrix]}"
        for name, matrix in (("BT", BT), ("G", G), ("AT", AT))
    )
    hints_tile = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                five_ways.WINOGRAD,
                """One tile. `BT` (4, 4) makes the sums of pixels, `G` (4, 3) those of weights, `AT`
                (2, 4) those of the m; each along one axis. They are there already:""",
                """一块。`BT` (4, 4) 求像素之和, `G` (4, 3) 求权重之和, `AT` (2, 4) 求各 m 之和,
                都是沿一个轴。它们已经定义好了:""",
            ),
            mo.md(f"```\n{given}\n```"),
            hints_tile,
        ]
    )
    return (hints_tile,)


@app.function
def winograd(d, g):
    """2 x 2 outputs of 4 x 4 pixels d under 3 x 3 weights g, by 16 multiplications."""
    return ...


@app.cell(hide_code=True)
def _(hints_tile, lang):
    lesson.check(lang, five_ways.WINOGRAD, winograd, hints_tile.value)
    return


@app.cell(hide_code=True)
def _(lang):
    ask = lesson.compare_button(lang)
    mo.vstack(
        [
            lesson.text(
                lang,
                "## Compare\n\nDoes TensorFlow compute what the engine does?",
                "## 对照\n\nTensorFlow 算出的与引擎一致吗?",
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

        - The definition is loops; im2col makes it one product of matrices, for nine times the
          memory.
        - W' is for thinking, not for computing.
        - FFT for large kernels (mind the ring and the conjugate), Winograd for 3 x 3.
        - Same numbers means: within rounding.

        Next: lesson 6 goes backwards, where W' transposed comes of use.
        """,
        """
        ## 记住

        - 定义就是循环; im2col 用约九倍的内存把它变成一次矩阵乘法。
        - W' 用来思考, 不用来计算。
        - 大卷积核用 FFT (留意首尾相接和共轭), 3 x 3 用 Winograd。
        - 所谓同样的数, 是指在舍入误差之内。

        接下来: 第 6 课反向传播, W' 的转置将派上用场。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
