"""What lesson 15 measures: layers on this machine, and the same sums as kernels on the emulator."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, replace
from functools import cache
from io import StringIO
from typing import Any

import numpy as np

import minitensor as tf
from minitensor import pictures
from minitensor.backend import devices
from minitensor.backend.settings import algorithm
from minitensor.explain.views import speed
from minitensor.lesson.exercise import say_in

FLOAT = 4  # bytes
NAMES = {"depthwise": "深度卷积", "dense": "全连接"}

# ----- on this machine -----


@dataclass(frozen=True)
class Work:
    """A layer on one image: what it computes, multiply-adds, and bytes that it must move."""

    run: Callable[[], Any]
    products: int
    moved: int

    @property
    def intensity(self) -> float:
        """Multiply-adds for each byte."""
        return self.products / self.moved

    @cache  # noqa: B019 - a handful of layers, as long as the lesson
    def seconds(self) -> float:
        """The best of the runs of a tenth of a second, after one that does not count."""
        self.run()
        times = [_timed(self.run) for _ in range(5)]
        while sum(times) < 0.1:
            times.append(_timed(self.run))
        return min(times)


def _timed(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _work(op: Callable[..., Any], products: int, *shapes: tuple[int, ...]) -> Work:
    """An op on random numbers; its output is counted among what is moved."""
    drawn = np.random.default_rng(0)
    given = [tf.constant(drawn.normal(size=shape).astype(np.float32)) for shape in shapes]
    arrays = [*given, op(*given)]
    return Work(lambda: op(*given), products, sum(FLOAT * array.numpy().size for array in arrays))


N, C = 32, 64  # pixels along a side, channels
UNITS = 4096, 512  # of a dense layer


@cache
def layers() -> dict[str, Work]:
    """Four layers that multiply and move very different amounts."""
    image = (1, N, N, C)

    def conv(x: Any, w: Any) -> Any:
        return tf.nn.conv2d(x, w, 1, "SAME")

    def depthwise(x: Any, w: Any) -> Any:
        return tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME")

    return {
        "3x3": _work(conv, N * N * 9 * C * C, image, (3, 3, C, C)),
        "1x1": _work(conv, N * N * C * C, image, (1, 1, C, C)),
        "depthwise": _work(depthwise, N * N * 9 * C, image, (3, 3, C, 1)),
        "dense": _work(tf.matmul, UNITS[0] * UNITS[1], (1, UNITS[0]), UNITS),
    }


def roof(intensity: Any) -> Any:
    """Multiply-adds a second at best, on this machine."""
    peak, bandwidth = speed()
    return np.minimum(peak, np.asarray(intensity) * bandwidth)


def anew() -> None:
    """Forgets what the figure shows: the next one measures again."""
    speed.cache_clear()
    layers.cache_clear()


def told(lang: str) -> str:
    """The roof in words."""
    peak, bandwidth = speed()
    return say_in(
        lang,
        f"This machine, now: {peak / 1e9:.3g} billion multiply-adds a second in a matrix product, "
        f"{bandwidth / 1e9:.3g} GB a second in a copy. The roof bends at {peak / bandwidth:.3g} "
        "multiply-adds for each byte.",
        f"本机此刻: 矩阵乘法每秒 {peak / 1e8:,.0f} 亿次乘加, 复制每秒 {bandwidth / 1e9:.3g} GB。"
        f"屋顶在每字节 {peak / bandwidth:.3g} 次乘加处转折。",
    )


def drawn(lang: str) -> Any:
    """The roof, and how high each of the layers comes below it."""
    from matplotlib.figure import Figure

    spoken = pictures.language(lang)
    with pictures.style(spoken):
        figure = Figure((4.6, 3.4), layout="constrained")
        axes = figure.subplots()
        across = np.geomspace(0.1, 200, 100)
        axes.loglog(across, roof(across) / 1e9, "k-", label=say_in(spoken, "roof", "屋顶线"))
        for mark, (name, layer) in zip("os^D", layers().items(), strict=True):
            reached = layer.products / layer.seconds() / 1e9
            label = say_in(spoken, name, NAMES.get(name, name))
            axes.plot(layer.intensity, reached, mark, markersize=8, label=label)
        axes.set(
            xlabel=say_in(spoken, "multiply-adds for each byte", "每字节的乘加次数"),
            ylabel=say_in(spoken, "10⁹ multiply-adds a second", "每秒乘加次数 (10⁹)"),
        )
        axes.grid(visible=True)
        axes.legend(loc="lower right", frameon=True, edgecolor="none", framealpha=1)
    return figure


@cache
def by_algorithm(name: str) -> float | None:
    """Seconds of the 3x3 layer by one algorithm of the engine; None where it cannot be had."""

    def run() -> Any:
        with algorithm(name):
            return layers()["3x3"].run()

    try:
        return Work(run, 1, 1).seconds()
    except ValueError:
        return None


@cache
def by_loops() -> float:
    """Seconds that Python's own loops would take for it: one output, times their number."""
    pixels, weights = [1.5] * (9 * C), [0.5] * (9 * C)

    def one() -> float:
        total = 0.0
        for i in range(len(pixels)):
            total += pixels[i] * weights[i]
        return total

    return Work(one, 1, 1).seconds() * N * N * C


# ----- as a kernel -----


@cache
def fetched(name: str) -> tuple[int, int] | None:
    """Bytes that a kernel loads from global memory, and those of its arrays; on the emulator.

    A 3x3 layer on 16 x 16 x 8 numbers. None where no C++ compiler is, which the emulator needs.
    """
    from minitensor.explain import metrics, watch
    from minitensor.explain.launch_cases import Problem, launch_cases

    kernels = {"direct": "conv_direct_forward", "tiled": "conv_tiled<Forward",
               "register": "conv_register<Forward"}  # fmt: skip
    problem = Problem(shape=(1, 16, 16, 8), filter=(3, 3, 8))
    case = replace(launch_cases(kernels[name])[0], problem=problem)
    with _traced():
        try:
            emulator = devices.backend("EMULATOR")
        except (ValueError, RuntimeError, ImportError, OSError):
            return None
        with redirect_stderr(StringIO()):  # a word for those who wait at a terminal
            (launch,) = watch.launches(lambda: case(emulator), kernels[name])
    loads = [line for line in metrics.traffic(launch) if line.kind == "load" and not line.is_shared]
    sectors = sum(line.sectors for line in loads) * launch.scale
    return round(sectors * metrics.SECTOR), sum(metrics.moved(launch).values())


@contextmanager
def _traced() -> Iterator[None]:
    """The emulator's build that writes down every access."""
    before = os.environ.get("MINITENSOR_EMULATOR")
    os.environ["MINITENSOR_EMULATOR"] = "trace"
    try:
        yield
    finally:
        os.environ.pop("MINITENSOR_EMULATOR")
        if before is not None:
            os.environ["MINITENSOR_EMULATOR"] = before
