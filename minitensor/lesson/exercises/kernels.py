"""Lesson 13: which thread computes what, what a warp's request moves, and what binds a kernel."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from minitensor import pictures
from minitensor.explain.explore import PARTS
from minitensor.explain.gpus import GPUS
from minitensor.lesson.exercise import Exercise, say_in

TITLE = (
    "Kernels for a GPU: one thread, one output; sectors, banks, tiles and the roofline",
    "GPU 核函数: 一个线程一个输出; 扇区、bank、分块与 roofline",
)

# ----- output_of -----


def output_of(block, thread, shape):
    """The element (n, i, j, o) of y that a thread computes; 256 threads in a block."""
    _, h, w, filters = shape
    place, o = divmod(256 * block + thread, filters)
    row, j = divmod(place, w)
    n, i = divmod(row, h)
    return n, i, j, o


def _counted(arguments: Any, index: Any, lang: str) -> str:
    block, thread, _ = arguments
    place = 256 * block + thread
    return say_in(
        lang,
        f"it is thread number 256 x {block} + {thread} = {place}, so element {place} of y in "
        f"memory, where the last axis runs fastest",
        f"线程的总编号是 256 x {block} + {thread} = {place}, 即 y 在内存中的第 {place} 个元素, "
        f"最后一个轴变化最快",
    )


OUTPUT_OF = Exercise(
    lesson="13",
    solution=output_of,
    cases=((0, 5, (1, 3, 3, 1)), (0, 77, (1, 8, 8, 64)), (2, 3, (4, 6, 5, 8))),
    expected=lambda block, thread, shape: np.unravel_index(256 * block + thread, shape),
    terms=_counted,
    mistakes=(
        (
            (
                "every block begins anew at 0: its number is left out",
                "每个线程块都从 0 开始: 漏了线程块的编号",
            ),
            lambda block, thread, shape: np.unravel_index(thread, shape),
        ),
        (
            (
                "the first axis runs fastest, as in Fortran; in memory it is the last one",
                "让第一个轴变化最快了 (Fortran 的顺序); 内存里最快的是最后一个轴",
            ),
            lambda block, thread, shape: np.unravel_index(256 * block + thread, shape, "F"),
        ),
        (
            (
                "channels before rows, NCHW; here they are last, NHWC",
                "把通道放在行之前了 (NCHW); 这里通道在最后 (NHWC)",
            ),
            lambda block, thread, shape: _channels_first(256 * block + thread, shape),
        ),
    ),
    hints=(
        ("What is the number of the thread, counted over all blocks?", "线程在整个网格中是第几个?"),
        (
            "Divide by O: the remainder is o, the quotient counts positions. Go on with w and h.",
            "除以 O: 余数是 o, 商是位置的编号。再依次除以 w 和 h。",
        ),
    ),
)


def _channels_first(index: int, shape: tuple[int, ...]) -> tuple[Any, ...]:
    n, h, w, o = shape
    a, c, i, j = np.unravel_index(index, (n, o, h, w))
    return a, i, j, c


# ----- sectors -----


def sectors(addresses):
    """How many sectors of 32 bytes a request moves: each thread reads 4 bytes at its address."""
    return len({address // 32 for address in addresses})


def _sectors_of(arguments: Any, index: Any, lang: str) -> str:
    different = np.unique(arguments[0] // 32).tolist()
    shown = ", ".join(map(str, different[:6])) + ", …" * (len(different) > 6)
    return say_in(
        lang,
        f"the threads read from the sectors {shown}, each of which is moved once",
        f"各线程读取的扇区是 {shown}, 每个搬运一次",
    )


SECTORS = Exercise(
    lesson="13",
    solution=sectors,
    cases=(
        (4 * np.arange(32),),
        (4 * np.arange(32) + 4,),
        (8 * np.arange(32),),
        (128 * np.arange(32),),
        (np.full(32, 28),),
    ),
    expected=lambda addresses: np.unique(addresses // 32).size,
    terms=_sectors_of,
    mistakes=(
        (
            (
                "it counts addresses; neighbours share a sector",
                "数的是地址; 相邻地址在同一个扇区里",
            ),
            lambda addresses: np.unique(addresses).size,
        ),
        (
            (
                "it counts lines of 128 bytes; a sector has 32",
                "数的是 128 字节的行; 扇区是 32 字节",
            ),
            lambda addresses: np.unique(addresses // 128).size,
        ),
        (
            (
                "it divides the bytes that are asked for by 32, wherever they lie",
                "用请求的字节数除以 32, 没有看它们在哪里",
            ),
            lambda addresses: -(-4 * np.unique(addresses).size // 32),
        ),
    ),
    hints=(
        ("In which sector lies an address? Divide.", "一个地址在第几个扇区? 做除法。"),
        ("How many different ones are there? A set knows.", "有多少个不同的? 用集合。"),
    ),
)

# ----- wavefronts -----


def wavefronts(words):
    """How many a request of shared memory takes: thread i reads word words[i], of 32 banks."""
    banks = [set() for _ in range(32)]
    for word in words:
        banks[word % 32].add(word)
    return max(map(len, banks))


def _engine_wavefronts(words: np.ndarray) -> int:
    different = np.unique(words)
    return int(np.bincount(different % 32).max())


def _busiest(arguments: Any, index: Any, lang: str) -> str:
    different = np.unique(arguments[0])
    bank = int(np.bincount(different % 32).argmax())
    held = [int(word) for word in different if word % 32 == bank]
    shown = ", ".join(map(str, held[:4])) + ", …" * (len(held) > 4)
    return say_in(
        lang, f"bank {bank} is asked for the words {shown}", f"bank {bank} 被请求的字是 {shown}"
    )


WAVEFRONTS = Exercise(
    lesson="13",
    solution=wavefronts,
    cases=(
        (np.arange(32),),
        (2 * np.arange(32),),
        (32 * np.arange(32),),
        (33 * np.arange(32),),
        (np.full(32, 7),),
    ),
    expected=_engine_wavefronts,
    terms=_busiest,
    mistakes=(
        (
            (
                "it counts threads; a word is served to all that ask for it at once",
                "数的是线程; 同一个字可以同时给所有请求它的线程",
            ),
            lambda words: np.bincount(words % 32).max(),
        ),
        (
            ("it counts the banks that are used", "数的是用到的 bank 个数"),
            lambda words: np.unique(words % 32).size,
        ),
        (
            ("it counts rows of 32 words", "数的是 32 个字的行数"),
            lambda words: np.unique(words // 32).size,
        ),
    ),
    hints=(
        ("Word 35 lies in bank 35 % 32 = 3.", "字 35 在 bank 35 % 32 = 3。"),
        (
            "A bank gives one word at a time: count the different words of each bank. The busiest "
            "makes all wait.",
            "一个 bank 一次给出一个字: 数每个 bank 的不同字数。最忙的那个让大家都等。",
        ),
    ),
)

EXERCISES = (OUTPUT_OF, SECTORS, WAVEFRONTS)

# ----- what is shown -----


def recorded() -> list[dict[str, Any]]:
    """The explorer's three launches, as the emulator ran them."""
    found: list[dict[str, Any]] = json.loads((PARTS / "launches.json").read_text())
    return found


def memory_drawn(words: np.ndarray, moved: int = 1) -> Any:
    """Rows of 32 words of 4 bytes: dark what a warp asks for, light what else is moved with it.

    Args:
        words: of each thread.
        moved: neighbours that travel together, 8 in a sector.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    rows = np.unique(words // 32)
    cells = np.zeros((len(rows), 32))
    at = np.searchsorted(rows, words // 32)
    for step in range(moved):
        cells[at, words % 32 // moved * moved + step] = 1
    cells[at, words % 32] = 2
    with pictures.style():
        figure = Figure((7.2, 0.45 + 0.14 * len(rows)), layout="constrained")
        axes = figure.subplots()
        axes.pcolormesh(
            cells, cmap=ListedColormap(["#ffffff", "#f0c490", "#0b57a4"]), vmin=0, vmax=2,
            edgecolors="#8a919c", linewidth=0.4,
        )  # fmt: skip
        axes.invert_yaxis()
        every = np.arange(0, len(rows), 4)
        axes.set_yticks(every + 0.5, [str(int(row) * 128) for row in rows[every]], fontsize=7)
        axes.set_xticks(
            np.arange(0, 32, 4) + 0.5, [str(word) for word in range(0, 32, 4)], fontsize=7
        )
        axes.tick_params(length=0)
    return figure


def peak(name: str = "H100") -> tuple[float, float]:
    """TFLOP/s of float32, and TB/s of memory, of a GPU."""
    gpu = GPUS[name]
    return 2 * gpu.lanes[0] * gpu.sms * gpu.clock / 1e3, gpu.memory / 1e3


def attained(tile: int, name: str = "H100") -> float:
    """TFLOP/s that the roofline allows a product in tiles of T x T, T/4 operations a byte."""
    most, memory = peak(name)
    return min(most, tile / 4 * memory)


def roofline_drawn(tile: int) -> Any:
    """The H100's roof, and a tile's place below it."""
    from matplotlib.figure import Figure

    most, memory = peak()
    across = np.logspace(-3, 7, 60, base=2)
    with pictures.style():
        figure = Figure((6.4, 3.4), layout="constrained")
        axes = figure.subplots()
        axes.loglog(across, np.minimum(most, across * memory), color="#16181d", base=2)
        axes.plot([tile / 4], [attained(tile)], "o", color="#b4005a", markersize=9)
        axes.annotate(
            f"T = {tile}: {attained(tile):.3g} TFLOP/s", (tile / 4, attained(tile)), (8, -14),
            textcoords="offset points", color="#b4005a",
        )  # fmt: skip
        axes.axvline(most / memory, color="#8a919c", linestyle=":")
        axes.set(xlabel="FLOP / byte", ylabel="TFLOP / s", xlim=(0.125, 128), ylim=(0.25, 128))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value:g}")
    return figure


# ----- a barrier that is forgotten -----

FORGOTTEN = """\
__global__ void neighbours(const float* x, float* y) {
    __shared__ float row[64];
    const int i = threadIdx.x;
    row[i] = x[i];
    // here __syncthreads() is missing
    y[i] = row[i] + row[(i + 1) % 64];
}
"""


def in_orders(text: str) -> dict[str, np.ndarray]:
    """What this kernel makes of 0, 1, ... 63 in three orders of threads, on the emulator.

    Raises:
        DeviceError: the machine has no compiler.
    """
    from minitensor.backend import devices, emulator
    from minitensor.backend.emulator.schedule import order

    devices.backend("EMULATOR")  # says what is missing
    found = {}
    with TemporaryDirectory() as folder:
        path = Path(folder, "neighbours.cu")
        path.write_text(text)
        own = emulator.load(path)
        for name in ("forward", "reverse", "random"):
            x, y = np.arange(64, dtype=np.float32), np.zeros(64, np.float32)
            with order(name, seed=1):
                own.launch("neighbours", 1, 64, x, y)
            found[name] = y
    return found
