"""Lesson 15: why fewer products are not always faster; the roof of this machine, and tiles."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson import roofline
    from minitensor.lesson.exercises import speed


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
        # 15. Speed

        A *depthwise* layer (lesson 8) gives each channel its own kernel of 3 x 3 and mixes nothing.
        With 64 channels it does 64 times fewer multiplications than an ordinary layer. Is it 64
        times as fast?
        """,
        """
        # 15. 速度

        *深度卷积* (第 8 课) 给每个通道一个自己的 3 x 3 卷积核, 通道之间不混合。
        64 个通道时, 乘法次数是普通卷积的 1/64。它会快 64 倍吗?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    faster = lesson.guess(
        lang,
        [
            lesson.say(lang, "64 times as fast", "快 64 倍"),
            lesson.say(lang, "faster, but less than that", "更快, 但不到 64 倍"),
            lesson.say(lang, "more than 64 times", "超过 64 倍"),
        ],
    )
    faster
    return (faster,)


@app.cell(hide_code=True)
def _(faster, lang):
    # the answer
    both = [roofline.layers()[name] for name in ("3x3", "depthwise")]
    assert [work.products for work in both] == [37748736, 589824]
    assert 37748736 / 589824 == 64
    assert [work.moved for work in both] == [671744, 526592]
    assert 1 < both[0].seconds() / both[1].seconds() < 64
    lesson.answer(
        lang,
        faster,
        lesson.say(lang, "faster, but less than that", "更快, 但不到 64 倍"),
        """On 32 x 32 pixels the ordinary layer does 37,748,736 multiply-adds and moves 671,744
        bytes; the depthwise one does 589,824 and still moves 526,592. The numbers must be brought
        and taken away in any case, and that takes most of the time. It is measured below.""",
        """32 x 32 像素时, 普通卷积做 37,748,736 次乘加, 搬运 671,744 字节; 深度卷积做 589,824 次,
        却仍要搬运 526,592 字节。无论如何这些数都要取来、送走, 大部分时间花在这里。下面来测量。""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    k = lesson.slider(lang, 1, 5, 3, "kernel", "卷积核")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Run it, see it: used again and again

                An image of ones, a kernel of ones: so each output counts its products. How often is
                a pixel used? In the middle, as often as the kernel has weights. Whoever keeps a
                pixel near the processor and uses it k · k times, for every filter, has brought it
                once; whoever does not, k · k times.
                """,
                """
                ## 运行, 观察: 反复使用

                图像全为 1, 卷积核全为 1: 每个输出就是它的乘积个数。一个像素用几次?
                在中间的, 卷积核有几个权重就用几次。谁能把像素留在处理器近旁, 对每个卷积核用
                k · k 次, 谁就只搬一次; 否则要搬 k · k 次。
                """,
            ),
            k,
        ]
    )
    return (k,)


@app.cell(hide_code=True)
def _(k, lang):
    ones = np.ones((6, 6))
    found = tf.explain("conv2d", ones, np.ones((k.value, k.value)), 1, "SAME", at=(2, 2), lang=lang)
    back = tf.explain(
        "conv2d", ones, np.ones((k.value, k.value)), 1, "SAME", grad="input", at=(2, 2), lang=lang
    )
    assert found.value == back.value == k.value**2  # products of an output; uses of a pixel
    found
    return (found,)


@app.cell(hide_code=True)
def _(lang):
    ratio = {name: round(work.intensity, 2) for name, work in roofline.layers().items()}
    assert ratio == {"3x3": 56.2, "1x1": 7.76, "depthwise": 1.12, "dense": 0.25}
    assert np.isclose(speed.INTENSITY.expected(32, 64, 64, 3), 56.195, atol=1e-3)
    assert np.isclose(speed.INTENSITY.expected(32, 64, 64, 1), 7.758, atol=1e-3)
    lesson.text(
        lang,
        """
        ## Products for each byte

        The *arithmetic intensity* of a layer: multiply-adds, divided by the bytes of its image,
        its kernel and its output, each moved once. It needs no machine, only sizes. For 64
        channels on 32 x 32 pixels, and a dense layer of 4096 to 512 on one image:

        | layer | multiply-adds for each byte |
        |:---|---:|
        | 3 x 3, 64 filters | 56.2 |
        | 1 x 1, 64 filters | 7.76 |
        | 3 x 3 depthwise | 1.12 |
        | dense, one image | 0.25 |

        A dense layer uses each of its weights **once** for an image: four bytes for one product. A
        convolution uses each of them at every place. This is why images come in batches.
        """,
        """
        ## 每个字节的乘加次数

        一层的*计算强度*: 乘加次数除以图像、卷积核、输出的字节数, 各只搬运一次。
        它只看尺寸, 与机器无关。64 个通道、32 x 32 像素, 以及一个 4096 到 512、一张图像的全连接层:

        | 层 | 每字节乘加次数 |
        |:---|---:|
        | 3 x 3, 64 个卷积核 | 56.2 |
        | 1 x 1, 64 个卷积核 | 7.76 |
        | 3 x 3 深度卷积 | 1.12 |
        | 全连接, 一张图像 | 0.25 |

        全连接层的每个权重对一张图像只用**一次**: 四个字节换一次乘法。卷积的每个权重在每个位置都用。
        所以图像要成批处理。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    again = mo.ui.run_button(label=lesson.say(lang, "measure again", "重新测量"))
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## The roof of this machine

                Two things limit a layer: how many multiply-adds the processor does in a second, and
                how many bytes memory brings. So it reaches at best the *smaller* of the one, and of
                the bytes times its intensity: a roof, slanted on the left, flat on the right.
                Below it the four layers as they are measured here, now.
                """,
                """
                ## 本机的屋顶线

                限制一层速度的有两样: 处理器每秒做多少次乘加, 内存每秒送来多少字节。
                所以最好也只能达到两者中*较小*的: 前者, 或后者乘以计算强度。画出来像屋顶 (Roofline):
                左边斜, 右边平。下面是四种层此刻在这里测得的速度。
                """,
            ),
            again,
        ]
    )
    return (again,)


@app.cell(hide_code=True)
def _(again, lang):
    if again.value:
        roofline.anew()
    mo.vstack(
        [
            lesson.drawing(roofline.drawn(lang), roofline.told(lang)),
            mo.md(roofline.told(lang)),
            lesson.text(
                lang,
                """
                On the left of the bend a faster processor would gain nothing, on the right a faster
                memory. A dot above the slanted roof lives in the *cache*, a small memory near the
                processor; dots above the flat one mean that something else was at work while the
                roof was measured: measure again.
                """,
                """
                转折点左边, 换更快的处理器没有用; 右边, 换更快的内存没有用。
                高过斜屋顶的点, 数据在*缓存*里 (处理器近旁的小内存); 高过平屋顶,
                说明测量屋顶时有别的程序在运行: 请重新测量。
                """,
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(lang):
    loops = roofline.by_loops()
    taken = {name: roofline.by_algorithm(name) for name in ("direct", "im2col", "tile", "winograd")}
    assert loops > 10 * taken["im2col"]
    known = lesson.say(lang, "needs numba", "需要 numba")
    lines = "\n        ".join(
        f"| {name} | {1e3 * s:.3g} ms | {loops / s:,.0f} |" if s else f"| {name} | {known} | |"
        for name, s in {"loops": loops, **taken}.items()
    )
    lesson.text(
        lang,
        f"""
        ## The same layer by five ways

        The 3 x 3 layer, 37,748,736 multiply-adds, now. Loops in Python are measured for one output
        and multiplied; the others are the engine's: *direct* loops over the nine taps with whole
        images, *im2col* is lesson 5's, *tile* keeps a block of outputs in the processor's registers
        and reads each pixel for all of them, *winograd* multiplies 2.25 times less.

        | | time | times as fast as loops |
        |:---|---:|---:|
        {lines}

        They do the same sums. What differs is how often a number is fetched, and how many products
        the processor does at once.
        """,
        f"""
        ## 同一层, 五种算法

        那个 3 x 3 的层, 37,748,736 次乘加, 此刻测得。Python 循环只测一个输出, 再乘以输出个数;
        其余是引擎的算法: *direct* 对九个点各处理整张图像, *im2col* 见第 5 课,
        *tile* 把一块输出留在处理器的寄存器里, 读一个像素供整块使用, *winograd* 的乘法只有 1/2.25。

        | | 时间 | 比循环快几倍 |
        |:---|---:|---:|
        {lines}

        它们算的是同样的和。不同的是一个数要取几次, 以及处理器一次能做几个乘法。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    loads = {name: roofline.fetched(name) for name in ("direct", "tiled", "register")}
    rows = []
    for kernel, bytes_ in loads.items():
        if bytes_ is None:
            rows.append(f"| {kernel} | - | - |")
        else:
            rows.append(f"| {kernel} | {bytes_[0]:,} | {bytes_[0] / bytes_[1]:.1f} |")
    if all(loads.values()):
        assert loads["direct"][1] == 4 * (2 * 16 * 16 * 8 + 9 * 8 * 8) == 18688
        assert loads["direct"][0] > 5 * loads["tiled"][0] > 5 * loads["register"][0]
    rows_text = "\n        ".join(rows)
    lesson.text(
        lang,
        f"""
        ## The same as a kernel for a GPU

        A GPU runs thousands of threads, and in the simplest kernel each computes one output, and
        fetches all that it needs. The emulator runs the real kernels on this processor and writes
        down every access. A layer of 3 x 3 on 16 x 16 x 8 numbers, whose arrays are 18,688 bytes:

        | kernel | bytes loaded | for each byte of the arrays |
        |:---|---:|---:|
        {rows_text}

        *tiled*: the threads of a block load a piece together into shared memory, and all use it:
        more than five times fewer bytes. *register*: each thread keeps several outputs, and uses
        what it has loaded for all of them. (A dash: there is no C++ compiler here, which the
        emulator needs.) `minitensor kernel conv_tiled --metrics` tells it line by line.
        """,
        f"""
        ## 作为 GPU 核函数

        GPU 同时运行成千上万个线程。最简单的核函数里, 每个线程算一个输出, 需要的数都自己去取。
        模拟器在这台处理器上运行真实的核函数, 并记下每次访问。
        一个 3 x 3 的层, 16 x 16 x 8 个数, 数组共 18,688 字节:

        | 核函数 | 读取字节 | 是数组的几倍 |
        |:---|---:|---:|
        {rows_text}

        *tiled*: 一个线程块合作把一块数据读入共享内存, 大家一起用: 字节数不到五分之一。
        *register*: 每个线程保留几个输出, 读来的数供它们共用。
        (短横表示这里没有模拟器所需的 C++ 编译器。)
        `minitensor kernel conv_tiled --metrics` 可逐行查看。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    assert [speed.TILE_LOADS.expected(16, t, 3) for t in (1, 4, 16)] == [2304, 576, 324]
    ordinary, thin = (roofline.layers()[name] for name in ("3x3", "depthwise"))
    assert ordinary.products / thin.products == 64
    assert ordinary.seconds() / thin.seconds() < 64
    assert np.isclose(ordinary.moved / thin.moved, 1.28, atol=0.01)
    lesson.text(
        lang,
        """
        ## Break it

        **Count products alone**, and the depthwise layer must be 64 times as fast. It is not, on
        any machine: it moves only 1.28 times fewer bytes. Papers that compare networks by
        multiply-adds compare something else than time.

        **Time one run**, and you time the first one: a compiler at work, cold caches. Run once for
        nothing, then take the best, or the middle, of many. And on a GPU the call returns before
        the work is done: wait for it, or you have timed the call and not the work.

        **Tiles** of 1 x 1 outputs load 16 x 16 x 9 = 2,304 pixels for 16 x 16 outputs, tiles of
        4 x 4 load 576, one tile of 16 x 16 loads 324. The rim is loaded twice by neighbours, so
        larger is better, as long as a tile has room.
        """,
        """
        ## 弄坏它

        **只数乘法**, 深度卷积就该快 64 倍。可是在任何机器上都不会: 它搬运的字节只少到 1/1.28。
        用乘加次数比较网络的论文, 比的并不是时间。

        **只测一次**, 测到的是第一次: 编译器在工作, 缓存还是冷的。先空跑一次,
        再从许多次里取最好的或中间的。在 GPU 上, 调用返回时计算还没有完成: 要等它做完,
        否则测的只是下达命令的时间。

        **分块**: 算 16 x 16 个输出, 1 x 1 的块要读 16 x 16 x 9 = 2,304 个像素, 4 x 4 的块读 576 个,
        一个 16 x 16 的块读 324 个。相邻块的边缘要重复读, 所以只要放得下, 块越大越好。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    hints_intensity = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                speed.INTENSITY,
                """One image of `n` x `n` pixels and `c` channels, `o` filters of `k` x `k`, SAME,
                no bias, float32: multiply-adds for each byte. Write over the `...` in the cell
                below, and run it.""",
                """一张 `n` x `n` 像素、`c` 个通道的图像, `o` 个 `k` x `k` 卷积核, SAME, 无偏置,
                float32: 每字节的乘加次数。在下面的单元格里把 `...` 换成代码, 然后运行。""",
            ),
            hints_intensity,
        ]
    )
    return (hints_intensity,)


@app.function
def intensity(n, c, o, k):
    """Multiply-adds for each byte: n x n x c pixels, o filters of k x k, SAME, float32."""
    return ...


@app.cell(hide_code=True)
def _(hints_intensity, lang):
    lesson.check(lang, speed.INTENSITY, intensity, hints_intensity.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_roof = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                speed.ATTAINABLE,
                "The roof: how many multiply-adds a second can such a layer reach at best?",
                "屋顶线: 这样一层每秒最多能做多少次乘加?",
            ),
            hints_roof,
        ]
    )
    return (hints_roof,)


@app.function
def attainable(intensity, peak, bandwidth):
    """Multiply-adds a second at best: `peak` of them, `bandwidth` bytes a second."""
    return ...


@app.cell(hide_code=True)
def _(hints_roof, lang):
    lesson.check(lang, speed.ATTAINABLE, attainable, hints_roof.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_tile = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                speed.TILE_LOADS,
                """`m` x `m` outputs in tiles of `t` x `t`, a `k` x `k` window, stride 1, `m` a
                multiple of `t`: how many pixels do all tiles load together?""",
                """`m` x `m` 个输出分成 `t` x `t` 的块, 窗口 `k` x `k`, 步幅 1, `m` 是 `t` 的倍数:
                所有块一共读多少个像素?""",
            ),
            hints_tile,
        ]
    )
    return (hints_tile,)


@app.function
def tile_loads(m, t, k):
    """Pixels loaded for m x m outputs, if each tile of t x t outputs loads its pixels once."""
    return ...


@app.cell(hide_code=True)
def _(hints_tile, lang):
    lesson.check(lang, speed.TILE_LOADS, tile_loads, hints_tile.value)
    return


@app.cell(hide_code=True)
def _(lang):
    ask = lesson.compare_button(lang)
    mo.vstack(
        [
            lesson.text(
                lang,
                "## Compare\n\nDoes TensorFlow count the same products?",
                "## 对照\n\nTensorFlow 数出的乘积个数一样吗?",
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

        - Time is the larger of two: computing, and moving bytes. The intensity says which.
        - A fast algorithm fetches a number once and uses it often: tiles, registers, batches.
        - Measure on your machine, warm, many times; believe no table, this one included.

        Next: `minitensor puzzle list` has kernels to write yourself, judged by these counts.
        """,
        """
        ## 记住

        - 时间取决于两者中较慢的: 计算, 或搬运字节。计算强度告诉你是哪个。
        - 快的算法把一个数取来一次, 用许多次: 分块、寄存器、成批。
        - 在自己的机器上测, 先预热, 测许多次; 不要相信任何表格, 包括这一张。

        接下来: `minitensor puzzle list` 里的题目要你自己写核函数, 就按这些计数来评判。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
