"""Lesson 13: one thread, one output; what a warp asks of memory; tiles; what binds a kernel."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson
    from minitensor.lesson.exercises import kernels

    IMAGE = np.arange(1, 26, dtype=np.float32).reshape(5, 5)
    KERNEL = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], np.float32)


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
        # 13. Kernels: how a GPU computes a convolution

        A GPU runs thousands of **threads** at once. A **kernel** is the program that each of them
        runs, written for one thread. The simplest kernel for a convolution: *one thread computes
        one output*, by the definition, two loops over the window and one over the channels.

        Multiplying is cheap there; fetching numbers from memory is not. Take an image of 56 x 56
        with 64 channels, a kernel of 3 x 3, 64 filters, SAME. If every thread fetches what it
        needs by itself: how often is one number in the middle of the image fetched?
        """,
        """
        # 13. 核函数: GPU 怎样计算卷积

        GPU 同时运行成千上万个**线程**。**核函数** (kernel) 是每个线程运行的程序, 按单个线程来写。
        最简单的卷积核函数: *一个线程计算一个输出*, 按定义对窗口做两层循环, 再对通道做一层循环。

        在 GPU 上乘法很便宜, 从内存取数却不便宜。设图像 56 x 56, 64 个通道, 卷积核 3 x 3,
        64 个滤波器, SAME。若每个线程各自取所需的数: 图像中部的一个数会被取多少次?
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    times = lesson.guess(lang, [1, 9, 64, 576])
    times
    return (times,)


@app.cell(hide_code=True)
def _(lang, times):
    # the answer
    assert 9 * 64 == 576
    assert 56 * 56 * 64 == 200704
    ones, all_ = np.ones((1, 5, 5, 1), "float32"), np.ones((3, 3, 1, 1), "float32")
    reached = tf.nn.conv2d_transpose(ones, all_, (1, 5, 5, 1), 1, "SAME")
    assert reached[0, 2, 2, 0] == 9  # windows that hold the pixel in the middle
    lesson.answer(
        lang,
        times,
        576,
        """Nine windows hold the pixel, and 64 filters look through each of them: 9 x 64. There are
        200,704 threads, and each fetches 576 numbers of the image and as many weights.""",
        """有 9 个窗口含有这个像素, 每个窗口又有 64 个滤波器: 9 x 64。共有 200,704 个线程,
        每个要取图像的 576 个数和同样多的权重。""",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    i = lesson.slider(lang, 0, 2, 1, "row of the output", "输出的行")
    j = lesson.slider(lang, 0, 2, 2, "column of the output", "输出的列")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Run it, see it: which thread is it?

                Threads come in **blocks**, here of 256, and a launch has a **grid** of blocks. A
                thread knows two numbers, that of its block and its own within the block. From them
                it must work out which output is its own. y lies in memory as (n, i, j, o), the last
                axis fastest, so element number

                `index = ((n·h + i)·w + j)·O + o`

                belongs to thread `index % 256` of block `index // 256`. Choose an output of a
                small one: 5 x 5 pixels, stride 2, SAME.
                """,
                """
                ## 运行, 观察: 是哪个线程?

                线程编成**线程块** (block), 这里每块 256 个;
                一次启动的所有线程块组成**网格** (grid)。
                线程只知道两个编号: 所在线程块的, 和自己在块内的。它必须由此算出自己负责哪个输出。
                y 在内存中按 (n, i, j, o) 排列, 最后一个轴变化最快, 所以第

                `index = ((n·h + i)·w + j)·O + o`

                个元素属于第 `index // 256` 块的第 `index % 256` 个线程。选一个输出:
                图像 5 x 5, 步幅 2, SAME。
                """,
            ),
            i,
            j,
        ]
    )
    return i, j


@app.cell(hide_code=True)
def _(i, j, lang):
    found = tf.explain(
        "conv2d", IMAGE, KERNEL, strides=2, padding="SAME", at=(i.value, j.value), lang=lang
    )
    number = 3 * i.value + j.value
    own = kernels.output_of(0, number, (1, 3, 3, 1))
    assert own == (0, i.value, j.value, 0)
    read = sum(term.real for term in found.terms())
    mo.vstack(
        [
            lesson.text(
                lang,
                f"**Block 0, thread {number}** loads {read} pixels and {read} weights; of the taps "
                f"that lie on padding it loads nothing.",
                f"**第 0 块, 第 {number} 个线程**加载 {read} 个像素和 {read} 个权重; "
                f"落在填充上的位置不加载。",
            ),
            found,
        ]
    )
    return (found,)


@app.cell(hide_code=True)
def _(lang):
    apart = lesson.slider(lang, 1, 32, 1, "numbers between neighbours", "相邻线程相距几个数")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## A warp asks once

                32 threads make a **warp**; they run the same instruction together. When they load,
                that is *one request*, and memory answers in **sectors** of 32 bytes, which are 8
                numbers of float32. If neighbouring threads read neighbouring numbers, 4 sectors are
                moved, and every byte of them was asked for. Pull the threads apart: dark is what
                the warp asks for, light is what is moved in vain. A row has 128 bytes.
                """,
                """
                ## 一个 warp 只请求一次

                32 个线程组成一个 **warp**, 它们一起执行同一条指令。一起加载时算*一次请求*,
                内存按 32 字节的**扇区** (sector) 回答, 即 8 个 float32。若相邻线程读相邻的数,
                只需搬 4 个扇区, 而且每个字节都有用。把线程拉开试试: 深色是 warp 要的,
                浅色是白白搬来的。每行 128 字节。
                """,
            ),
            apart,
        ]
    )
    return (apart,)


@app.cell(hide_code=True)
def _(apart, lang):
    words = apart.value * np.arange(32)
    many = kernels.sectors(4 * words)
    told = lesson.say(
        lang,
        f"{many} sectors, {128 / (32 * many):.0%} of their bytes asked for",
        f"{many} 个扇区, 其中 {128 / (32 * many):.0%} 的字节有用",
    )
    mo.vstack([lesson.drawing(kernels.memory_drawn(words, 8), told), mo.md(f"**{told}.**")])
    return


@app.cell(hide_code=True)
def _(lang):
    assert [kernels.sectors(4 * step * np.arange(32)) for step in (1, 2, 8, 32)] == [4, 8, 32, 32]
    assert kernels.sectors(4 * np.arange(32) + 4) == 5
    assert kernels.sectors(np.full(32, 28)) == 1
    lesson.text(
        lang,
        """
        One apart: 4 sectors. Two apart: 8. From eight apart on every thread pays for a sector of
        its own: 32. One number beside the beginning of a sector makes 5 of 4; all threads at the
        same number need 1, a **broadcast**. So: *let neighbouring threads take neighbouring
        numbers*. In NHWC the neighbours are channels, so the threads of a warp are given
        neighbouring o, or c.
        """,
        """
        相距 1: 4 个扇区。相距 2: 8 个。从相距 8 起, 每个线程都要独占一个扇区: 32 个。
        起点错开一个数, 4 个就变成 5 个; 所有线程读同一个数只需 1 个, 这叫**广播**。
        所以: *让相邻线程取相邻的数*。在 NHWC 中相邻的是通道,
        因此让同一个 warp 的线程取相邻的 o 或 c。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    pitch = lesson.slider(lang, 16, 40, 32, "words in a row of the tile", "块的每行字数")
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Shared memory has 32 banks

                A block has a small memory of its own, **shared memory**, on the chip and many times
                faster. It is made of 32 **banks**; word number k lies in bank k % 32, and a bank
                gives one word at a time. If the threads of a warp meet in one bank, they wait for
                each other: a request then takes several **wavefronts**.

                A tile lies there row by row, and thread i reads the first number of row i: a
                *column*. How long may a row be? Each column of the picture is a bank.
                """,
                """
                ## 共享内存有 32 个 bank

                每个线程块有一小块自己的内存, 叫**共享内存**, 在芯片上, 快得多。
                它由 32 个 **bank** 组成: 第 k 个字在第 k % 32 个 bank, 一个 bank 一次给出一个字。
                同一 warp 的线程若挤在一个 bank 里, 就要互相等待:
                一次请求要分几个**波前** (wavefront)。

                一个数据块按行放在里面, 线程 i 读第 i 行的第一个数, 即读一*列*。
                每行该有多长? 图中每列是一个 bank。
                """,
            ),
            pitch,
        ]
    )
    return (pitch,)


@app.cell(hide_code=True)
def _(lang, pitch):
    column = pitch.value * np.arange(32)
    waits = kernels.wavefronts(column)
    said = lesson.say(lang, f"wavefronts: {waits}", f"波前数: {waits}")
    mo.vstack([lesson.drawing(kernels.memory_drawn(column), said), mo.md(f"**{said}.**")])
    return


@app.cell(hide_code=True)
def _(lang):
    taken = {size: kernels.wavefronts(size * np.arange(32)) for size in (16, 32, 33, 36, 40)}
    assert taken == {16: 16, 32: 32, 33: 1, 36: 4, 40: 8}
    lesson.text(
        lang,
        """
        32 words: all in one bank, 32 wavefronts, the worst there is. **33** words: every thread
        has a bank of its own, 1 wavefront. Therefore tiles are declared `tile[32][33]`, with one
        column that nobody uses.
        """,
        """
        每行 32 个字: 全挤在一个 bank, 32 个波前, 最糟的情形。每行 **33** 个字:
        每个线程独占一个 bank, 1 个波前。所以常把数据块声明为 `tile[32][33]`, 多出一列没人用。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    loads = {launch["name"].partition("<")[0]: launch["loads"] for launch in kernels.recorded()}
    assert loads == {
        "conv_direct_forward": "121.0",
        "conv_tiled": "8.3",
        "conv_register": "2.1",
    }
    lesson.text(
        lang,
        """
        ## Tiles: fetch once, use often

        Lesson 5 made a convolution a product of matrices: rows are positions, columns are filters.
        Let a block compute a **tile** of T x T of the result. It brings T rows and T columns, a
        slice at a time, into shared memory, *once*, and every number is used T times. Nobody
        stores the im2col matrix: its numbers are looked up in the image as they are needed.

        The same layer, (1, 8, 8, 8) by 3 x 3 to 64, as three kernels of minitensor, run thread by
        thread on its emulator, which needs no GPU:

        | kernel | what a thread does | loads from arrays for each number stored |
        |:---|:---|---:|
        | `conv_direct.cu` | one output, by the definition | 121.0 |
        | `conv_tiled.cu` | one output; the block shares tiles of 16 x 16 | 8.3 |
        | `conv_register.cu` | 4 x 4 outputs, kept in registers; tiles of 64 x 64 | 2.1 |

        Step through all three in the explorer, `minitensor explore`, panel *GPU threads*, or in
        gdb: `kernels/README.md`.
        """,
        """
        ## 分块: 取一次, 用多次

        第 5 课把卷积变成了矩阵乘法: 行是位置, 列是滤波器。
        让一个线程块计算结果的一个 T x T 的**块**。
        它把 T 行和 T 列分段取进共享内存, *只取一次*, 每个数用 T 次。
        没有人真的存下 im2col 矩阵: 需要时直接到图像里查。

        同一层, (1, 8, 8, 8) 经 3 x 3 变为 64 个通道, 用 minitensor 的三个核函数,
        在不需要 GPU 的模拟器上逐线程运行:

        | 核函数 | 每个线程做什么 | 每存一个数从数组加载几次 |
        |:---|:---|---:|
        | `conv_direct.cu` | 按定义算一个输出 | 121.0 |
        | `conv_tiled.cu` | 一个输出; 线程块共享 16 x 16 的块 | 8.3 |
        | `conv_register.cu` | 4 x 4 个输出, 留在寄存器里; 64 x 64 的块 | 2.1 |

        可以在 `minitensor explore` 的“GPU 线程”面板里逐步观看,
        也可以用 gdb: 见 `kernels/README.md`。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    power = lesson.slider(lang, 0, 7, 0, "tile: 2 to the power of", "块的边长: 2 的几次方")
    most, memory = kernels.peak()
    assert (round(most, 1), round(memory, 2), round(most / memory)) == (66.9, 3.35, 20)
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## What binds it: the roofline

                A tile of T x T does 2·T·T operations with the T + T numbers of one step, which are
                8·T bytes: **T/4 operations for each byte**, its *arithmetic intensity*. An H100
                computes at most 66.9 TFLOP/s in float32 and moves at most 3.35 TB/s. So a kernel of
                intensity I cannot be faster than I · 3.35, and never faster than 66.9: that is the
                roof. The corner lies at 66.9 / 3.35 = 20 operations a byte.
                """,
                """
                ## 瓶颈在哪: roofline

                每一步中, T x T 的块用 T + T 个数 (8·T 字节) 做 2·T·T 次运算:
                **每字节 T/4 次运算**, 这叫*算术强度*。H100 的 float32 最多 66.9 TFLOP/s,
                内存最多 3.35 TB/s。所以强度为 I 的核函数不会快过 I · 3.35, 也不会快过 66.9:
                这就是屋顶线 (roofline)。拐点在 66.9 / 3.35 = 每字节 20 次运算。
                """,
            ),
            power,
        ]
    )
    return (power,)


@app.cell(hide_code=True)
def _(lang, power):
    tile = 2**power.value
    share = kernels.attained(tile) / kernels.peak()[0]
    line = lesson.say(
        lang,
        f"T = {tile}: {tile / 4:g} operations a byte, at most {share:.0%} of the peak",
        f"T = {tile}: 每字节 {tile / 4:g} 次运算, 最多达到峰值的 {share:.0%}",
    )
    mo.vstack([lesson.drawing(kernels.roofline_drawn(tile), line), mo.md(f"**{line}.**")])
    return


@app.cell(hide_code=True)
def _(lang):
    shares = [round(100 * kernels.attained(t) / kernels.peak()[0]) for t in (1, 16, 64, 128)]
    assert shares == [1, 20, 80, 100]
    lesson.text(
        lang,
        """
        By the definition, T = 1, the memory allows 1 % of the peak; tiles of 16 allow 20 %, of 64
        80 %, of 128 all of it. That is why the fast kernels have large tiles, and why a tile must
        live in registers: shared memory has a roof of its own.

        This roof takes every load to come from memory. In truth caches serve many of them, so the
        first kernels do better than that; `minitensor kernel conv_tiled.forward --metrics H100`
        reckons with sectors, wavefronts and instructions as well, and says which of them binds.
        """,
        """
        按定义计算 (T = 1), 内存只容许峰值的 1 %; 16 的块容许 20 %, 64 的 80 %, 128 的全部。
        这就是快的核函数都用大块的原因; 也是块要放在寄存器里的原因: 共享内存自己也有屋顶线。

        这条屋顶线假定每次加载都来自内存。实际上缓存能满足其中许多, 所以前几个核函数会好一些。
        `minitensor kernel conv_tiled.forward --metrics H100` 把扇区、波前和指令也算进去,
        并指出瓶颈是哪一个。
        """,
    )
    return


@app.cell(hide_code=True)
def _(lang):
    orders = mo.ui.run_button(label=lesson.say(lang, "run it in three orders", "按三种顺序运行"))
    mo.vstack(
        [
            lesson.text(
                lang,
                """
                ## Break it: a barrier that is forgotten

                The threads of a block run in any order. Who reads what another thread has written
                must wait for it: `__syncthreads()` lets nobody pass until all have come. Here it is
                missing:
                """,
                """
                ## 弄坏它: 忘了同步

                线程块里的线程以任意次序运行。要读别的线程写的数, 必须等它写完:
                `__syncthreads()` 要等所有线程都到了才放行。这里漏掉了它:
                """,
            ),
            mo.md(f"```cpp\n{kernels.FORGOTTEN}```"),
            lesson.text(
                lang,
                """
                Run forwards, thread 0 reads row[1] before thread 1 has written it: `y[0]` is
                not a number (the emulator fills shared memory with NaN), and only the last thread
                is right. Run in reverse, all are right but the last! On a GPU it may be right for a
                year. `minitensor check` runs five orders and names line and threads.
                """,
                """
                正序运行时, 线程 0 在线程 1 写之前就读了 row[1]: `y[0]` 不是数
                (模拟器用 NaN 填满共享内存), 只有最后一个线程是对的。逆序运行时, 除最后一个外全对!
                在 GPU 上, 它也许一整年都碰巧是对的。
                `minitensor check` 会试五种顺序, 并指出行和线程。
                """,
            ),
            orders,
        ]
    )
    return (orders,)


@app.cell(hide_code=True)
def _(lang, orders):
    def three(text):
        right = [i + (i + 1) % 64 for i in range(64)]
        return [
            f"- {name}: y[0] = {y[0]:g}, y[1] = {y[1]:g}, … y[63] = {y[63]:g}: "
            + lesson.say(
                lang, f"{(y == right).sum()} of 64 right", f"64 个中 {(y == right).sum()} 个对"
            )
            for name, y in kernels.in_orders(text).items()
        ]

    def ran():
        mended = kernels.FORGOTTEN.replace("// here __syncthreads() is missing", "__syncthreads();")
        try:
            return [
                *three(kernels.FORGOTTEN),
                "",
                lesson.say(lang, "With the barrier:", "加上同步:"),
                "",
                *three(mended),
            ]
        except RuntimeError as lacking:  # no compiler on this machine
            return [f"`{lacking}`"]

    mo.md("\n".join(ran() if orders.value else []))
    return


@app.cell(hide_code=True)
def _(lang):
    hints_output = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                kernels.OUTPUT_OF,
                """`shape` is that of y, (N, h, w, O). Write over the `...` in the cell below, and
                run it.""",
                """`shape` 是 y 的形状 (N, h, w, O)。在下面的单元格里把 `...` 换成代码,
                然后运行。""",
            ),
            hints_output,
        ]
    )
    return (hints_output,)


@app.function
def output_of(block, thread, shape):
    """The element (n, i, j, o) of y that a thread computes; 256 threads in a block."""
    return ...


@app.cell(hide_code=True)
def _(hints_output, lang):
    lesson.check(lang, kernels.OUTPUT_OF, output_of, hints_output.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_sectors = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                kernels.SECTORS,
                "`addresses` counts in bytes, one for each of the 32 threads, all multiples of 4.",
                "`addresses` 以字节计, 32 个线程各一个, 都是 4 的倍数。",
            ),
            hints_sectors,
        ]
    )
    return (hints_sectors,)


@app.function
def sectors(addresses):
    """How many sectors of 32 bytes a request moves: each thread reads 4 bytes at its address."""
    return ...


@app.cell(hide_code=True)
def _(hints_sectors, lang):
    lesson.check(lang, kernels.SECTORS, sectors, hints_sectors.value)
    return


@app.cell(hide_code=True)
def _(lang):
    hints_banks = lesson.hint_button(lang)
    mo.vstack(
        [
            lesson.blank(
                lang,
                kernels.WAVEFRONTS,
                "`words` are numbers of words of 4 bytes in shared memory, one for each thread.",
                "`words` 是共享内存中 4 字节的字的编号, 每个线程一个。",
            ),
            hints_banks,
        ]
    )
    return (hints_banks,)


@app.function
def wavefronts(words):
    """How many a request of shared memory takes: thread i reads word words[i], of 32 banks."""
    return ...


@app.cell(hide_code=True)
def _(hints_banks, lang):
    lesson.check(lang, kernels.WAVEFRONTS, wavefronts, hints_banks.value)
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

        - A thread works out its output from the numbers of block and thread.
        - A warp's request moves sectors of 32 bytes: neighbours should read neighbours.
        - Shared memory has 32 banks: a pitch of 33 keeps the threads of a column apart.
        - Tiles let every number that is fetched be used T times; the roofline says how far that
          goes.
        - Between a write and another thread's read stands a barrier.

        Next: write kernels, without a GPU: `minitensor puzzle start 1`. Lesson 15 measures speed.
        """,
        """
        ## 记住

        - 线程由线程块编号和线程编号算出自己的输出。
        - 一个 warp 的请求按 32 字节的扇区搬运: 相邻线程应读相邻的数。
        - 共享内存有 32 个 bank: 每行 33 个字, 一列的线程就不会相撞。
        - 分块让取来的每个数用 T 次; roofline 说明这能走多远。
        - 一个线程写、另一个线程读, 中间要有同步。

        接下来: 不用 GPU 来写核函数: `minitensor puzzle start 1`。第 15 课测量速度。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
