"""Every compiled kernel of the CPU, where a stray access is caught: python guarded.py WAY all FILE.

    guards    arrays lie between pages that may not be touched, and end at one, then begin at one
    bounds    numba looks at each index, and not at pointers (run it with NUMBA_BOUNDSCHECK=1)

A stray access ends the process; FILE then holds the kernel, its arrays and the call. Memory that
nobody wrote yet is NaN, and results are compared with the plain definition. `some` instead of
`all` are fewer calls, of kernels that are compiled in half a minute; `faults` instead of a way
plants mistakes, and tells how each process ended.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle
from typing import Any

import ml_dtypes
import numba
import numpy as np
from compiled_faults import ROOM, plant
from numba.core.dispatcher import Dispatcher
from numba.core.registry import CPUDispatcher

from minitensor.backend import numpy as be
from minitensor.backend import settings
from minitensor.backend.emulator.memory import Region, give, take
from minitensor.backend.half import in_float32
from minitensor.backend.numpy import blocks, memory, threads
from minitensor.backend.numpy.compiled import jit
from minitensor.backend.numpy.elementwise import bias_activation_into
from minitensor.window import Window

Call = tuple[str, Callable[[], Any]]
RANDOM = np.random.default_rng(2)
BY_PROCESSOR = {ROOM["half"].CONVERTS, False}  # whether float16 is converted by it


class Watched(CPUDispatcher):
    """A kernel that tells what it is called with, and passes arrays through guarded memory."""

    at_start: bool | None = None  # which end of an array lies at a guard; None: it stays
    called: set[str] = set()  # noqa: RUF012
    report: Any = None

    def __call__(self, *arguments: Any) -> Any:
        arrays = list(_arrays(arguments))
        kernel = self.py_func
        name = f"{kernel.__module__.rpartition('.')[2]}.{kernel.__name__}"
        self.called.add(name)
        shapes = ", ".join(f"{a.dtype}{list(a.shape)}" for a in arrays)
        tell(f"{name}({shapes}) in {_call}")
        if self.at_start is None:
            return super().__call__(*arguments)
        regions = [_Guarded(*span, self.at_start) for span in _spans(arrays)]
        try:
            return super().__call__(*(_replaced(a, regions) for a in arguments))
        finally:
            for region in regions:
                region.give_back()


class _Guarded:
    """Bytes from `low` to `high` of this process, while they lie between guards."""

    def __init__(self, low: int, high: int, at_start: bool) -> None:
        self.low, self.high = low, high
        self._region: Region = take(high - low)
        self.first = 0 if at_start else self._region.size - (high - low)
        self._own = (ctypes.c_uint8 * (high - low)).from_address(low)
        self._there = self._region.bytes[self.first : self.first + high - low]
        self._there[:] = self._own

    def view(self, array: np.ndarray) -> np.ndarray:
        offset = array.__array_interface__["data"][0] - self.low
        made = np.ndarray(array.shape, array.dtype, self._there, offset, array.strides)
        made.flags.writeable = array.flags.writeable
        return made

    def give_back(self) -> None:
        np.frombuffer(self._own, np.uint8)[:] = self._there
        give(self._region)


def _arrays(arguments: Any) -> Iterator[np.ndarray]:
    for argument in arguments:
        if isinstance(argument, tuple):
            yield from _arrays(argument)
        elif isinstance(argument, np.ndarray):
            yield argument


def _spans(arrays: list[np.ndarray]) -> list[tuple[int, int]]:
    """The memory of all arrays; those that share some are one."""
    spans: list[tuple[int, int]] = []
    for low, high in sorted(np.lib.array_utils.byte_bounds(a) for a in arrays if a.size):
        if spans and low < spans[-1][1]:
            low, high = spans[-1][0], max(spans.pop()[1], high)
        spans.append((low, high))
    return spans


def _replaced(argument: Any, regions: list[_Guarded]) -> Any:
    if isinstance(argument, tuple):
        parts = [_replaced(part, regions) for part in argument]
        return type(argument)(*parts) if hasattr(argument, "_fields") else tuple(parts)
    if isinstance(argument, np.ndarray) and argument.size:
        low = argument.__array_interface__["data"][0]
        return next(r for r in regions if r.low <= low < r.high).view(argument)
    return argument


def tell(words: str) -> None:
    os.pwrite(Watched.report, f"{words:4000}".encode(), 0)


def kernels() -> dict[str, Any]:
    """All compiled kernels that Python calls, by name."""
    return {
        f"{module}.{name}": kernel
        for module, place in ROOM.items()
        for name, kernel in vars(place).items()
        if isinstance(kernel, Dispatcher)
        and kernel.py_func.__module__ == place.__name__
        and not isinstance(kernel, jit._Inner)
    }


def prepare() -> None:
    """Kernels are watched, calls are cut for three threads and run by one, memory is NaN."""
    for kernel in kernels().values():
        kernel.__class__ = Watched
    threads.set_num_threads(3)
    blocks.SHARED_WORK = 0
    ROOM["flat"].PIECE = 1
    for place in ROOM.values():
        for name, own in (("parallel_map", serial), ("scratch", scratch), ("empty", empty)):
            if hasattr(place, name):
                setattr(place, name, own)


def serial(function: Any, items: Any, num_threads: int) -> list[Any]:
    return list(map(function, items))


def scratch(size: int, dtype: Any, plain: Any = memory.scratch) -> np.ndarray:
    made = plain(size, dtype)
    made[:] = np.nan if made.dtype.kind == "f" else 77
    return made


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    return scratch(int(np.prod(shape)), dtype).reshape(shape)


# ----- the calls -----


def normal(*shape: int, dtype: str = "float32") -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(dtype)


def windows(count: int) -> Iterator[Window]:
    """Sizes, kernels, strides, dilations and pads in ever new combinations."""
    wheels = [
        cycle(numbers)
        for numbers in (
            *(range(1, 14), range(1, 12), range(1, 4), range(1, 6), range(1, 3), range(1, 4)),
            *((1, 1, 1, 2), (1, 1, 3), range(3), range(4), range(2), range(3)),
        )
    ]
    while count:
        h, w, kh, kw, sh, sw, dh, dw, *pads = (next(wheel) for wheel in wheels)
        pad = (pads[0], pads[1]), (pads[2], pads[3])
        try:
            window = Window.of((h, w), (kh, kw), (sh, sw), pad, (dh, dw))
        except ValueError:
            continue
        if 0 not in window.out:
            count -= 1
            yield window


def convolutions(amount: str) -> Iterator[Call]:
    """Inputs and outputs of every remainder, of groups and of depthwise kernels too.

    numba compiles a kernel for each width and height of a tile: so `some` have few of these.
    """
    every, many = amount == "all", (*range(8, 20), 31, 33, 48, 63, 64, 65, 70, 80, 97, 127, 130)
    inputs = cycle(many[::-1] if every else (9, 10, 11, 66, 76))
    outputs = cycle(many if every else (*range(1, 17), *range(64, 81), 130))
    few, kinds = (
        cycle((3, 1) if every else (3,)),
        cycle(("one group", "groups", "one group", "depthwise")),
    )
    for number, window in enumerate(windows(200)):
        kind, c, o, groups = next(kinds), next(inputs), next(outputs), 1
        if kind == "one group" and window.kernel[1] in ((1, 3) if every else (3,)):
            c = next(few) if number % 3 else c
        elif kind == "groups":
            groups, c, o = 2, 2 * c, 2 * o
        elif kind == "depthwise" and window.kernel[1] == 3:
            c = groups = o
            o *= 1 + number % 2
            window = replace(window, stride=(window.stride[0], 1))
        elif kind == "depthwise" and not every:
            continue
        dtype = "float64" if every and number % 7 == 6 else "float32"
        yield from family(replace(window, groups=groups), c, o, "tile", dtype)
    for number, (c, o) in enumerate(zip(many, many[::-1], strict=True) if every else WINOGRAD):
        window = Window.of((1 + number % 7, 1 + number % 9), (3, 3), (1, 1), "SAME")
        yield from family(window, c, o, "winograd", "float32")
    for stride in (1, 2) if every else (1,):  # rows long enough to be slid along
        window = Window.of((9, 40), (3, 3), (stride, stride), "SAME", groups=130)
        yield from family(window, 130, 130, "tile", "float32")


WINOGRAD = ((1, 16), (5, 64), (16, 7), (64, 3), (63, 128), (128, 50))  # one or four registers


def family(window: Window, c: int, o: int, algorithm: str, dtype: str) -> Iterator[Call]:
    n = 1 + window.size[1] % 3
    x = normal(n, *window.size, c, dtype=dtype)
    kernel = normal(*window.kernel, c // window.groups, o, dtype=dtype)
    y = normal(n, *window.out, o, dtype=dtype)
    for op, a, b in (("conv2d", x, kernel), ("conv2d_transpose", y, kernel)):
        yield call(f"{algorithm} {op}", algorithm, getattr(be, op), a, b, window)
    yield call(f"{algorithm} kernel_grad", algorithm, be.conv2d_kernel_grad, x, y, window)


def pools(amount: str) -> Iterator[Call]:
    channels = cycle((1, 3, 16, 17, 64, 67, 130))
    for number, window in enumerate(windows(60)):
        x = normal(1 + number % 3, *window.size, next(channels))
        g = normal(len(x), *window.out, x.shape[-1])
        index = be.window_argmax(x, window)
        for op, *arrays in (
            *(("max_pool", x), ("window_argmax", x), ("avg_pool", x), ("avg_pool_grad", g)),
            *(("max_pool_grad", g, x), ("put_tap", g, index)),
        ):
            yield call(op, "tile", getattr(be, op), *arrays, window)


def loops(amount: str) -> Iterator[Call]:
    for rows in (1, 2, 5, 63, 64, 67, 131):
        for c in (1, 3, 16, 33, 65):
            x, g, one = normal(rows, c), normal(rows, c), np.ones(c, "f")
            statistics = np.stack([one, abs(one)])
            sums = normal(2, c)
            positive = abs(x)
            for op, *given in (
                *(("moments", x), ("sum_rows", x), ("gate", g, x, 6.0), ("gate", g, x, None)),
                ("batch_norm", x, statistics, one, one, 1e-3),
                ("batch_norm_sums", g, x, statistics, 1e-3),
                ("batch_norm_grad", g, x, statistics, one, 1e-3, sums),
                *(("bias_activation", x, one, "relu"), ("gelu", x, True), ("gelu", x, False)),
                *(("gelu_grad", g, x, True), ("gelu_grad", g, x, False)),
                ("where", x > 0, x, np.zeros((), "f")),
                ("softmax_cross_entropy", positive, g),
                ("softmax_cross_entropy_grad", g[:, 0], positive, x),
                ("adam", x, g, positive, g, 0.01, 0.9, 0.99, 1e-7, 3),
                ("sgd_momentum", x, g, g, 0.1, 0.9, True),
            ):
                yield call(op, "tile", getattr(be, op), *given)
            yield call("bias_activation_into", "tile", in_place, x, one)
            for half in (np.float16, ml_dtypes.bfloat16):
                for ROOM["half"].CONVERTS in BY_PROCESSOR:
                    yield call("size in half", "tile", size_in_half, x.astype(half))


def size_in_half(x: np.ndarray) -> np.ndarray:
    found: np.ndarray = in_float32(abs)(x).astype("float32")
    return found


def in_place(x: np.ndarray, bias: np.ndarray) -> np.ndarray:
    y = x.copy()
    bias_activation_into(y, y, bias, "relu6")
    return y


def call(name: str, algorithm: str, function: Callable[..., Any], *given: Any) -> Call:
    """What is called, in words; and the call, its results beside the plain definition's."""
    shapes = [list(a.shape) if isinstance(a, np.ndarray) else a for a in given]

    def run() -> None:
        with settings.algorithm(algorithm):
            found = function(*given)
        with settings.algorithm("direct"):
            right = function(*given)
        for ours, plain in zip(np.atleast_1d(found), np.atleast_1d(right), strict=True):
            scale = abs(plain).max(initial=1)
            np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=3e-5 * scale)

    return f"{name}{shapes}", run


def main(way: str, amount: str, report: str, only: str = "") -> None:
    """Run all calls, or those whose words begin with `only`."""
    global _call
    Watched.report = os.open(report, os.O_CREAT | os.O_WRONLY)
    prepare()
    count = 0
    with np.errstate(all="ignore"):
        for part in (convolutions, pools, loops):
            for _call, run in part(amount):
                if _call.startswith(only):
                    for Watched.at_start in (None,) if way == "bounds" else (False, True):
                        run()
                    count += 1
    tell(f"{count} calls")
    every = [f for place in ROOM.values() for f in vars(place).values()]
    words = {w for f in every if isinstance(f, Dispatcher) for w in f.py_func.__code__.co_names}
    missed = {n for n in kernels().keys() - Watched.called if n.partition(".")[2] not in words}
    assert only or not missed, f"never called: {missed}"


FAULTS = """
direct _convolve_tiles    | if left >= width       | if left > 0           | guards | tile conv2d[
packing _pack             | min(width, count - panel) | width              | bounds | tile conv2d[
optimizer _adam           | range(weight.size)     | range(weight.size + 1) | guards | adam
direct _taps              | b = wat +              | b = wat - width +     | guards | tile conv2d[
packing _pack_turned      | min(width, count - panel) | width              | guards | tile conv2d_t
few_channels _add_tiles   | image.size + at        | image.size + at + step | guards | tile conv2d_t
filter_grad _copy_lines   | before = min(max(      | before = 0 * min(max( | guards | tile kernel
filter_grad _pack_places  | at,), 0, many          | at,), 0, width        | guards | tile kernel
depthwise _convolve_tiles | is_row and left >= width | is_row              | guards | tile conv2d[
depthwise _sum_rows       | min(i + step, axes.high) | i + step            | guards | tile kernel
points places_from_points | outputs - o)           | lane)                 | guards | winograd
points _find              | and tile < grid.tiles  |                       | guards | winograd
registers _Emitter.below  | "<", numbers           | "<=", numbers         | guards | tile conv2d[
pool _set_larger          | range(len(y))          | range(len(y) + 1)     | bounds | max_pool[
norm _add_distances       | // 4 * 4               | // 4 * 4 + 4          | bounds | moments
"""


def again(function: Any, plain: Any) -> Any:
    """The function, compiled as the kernel was in whose place it comes."""
    if not isinstance(plain, Dispatcher):
        return function
    return (jit.inner if isinstance(plain, jit._Inner) else jit.compiled)(function)


def faults(rows: str, report: str) -> None:
    """How the process with each fault ended, a line for each, and what it said last."""
    for row in FAULTS.strip().split("\n")[slice(*map(int, rows.split(":")))]:
        where, old, new, way, only = (part.strip() for part in row.split("|"))
        if not (child := os.fork()):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            plant(where, old, new, setattr, again)
            numba.config.BOUNDSCHECK = way == "bounds"
            main(way, "some", report, only)
            os._exit(0)
        _, ended = os.waitpid(child, 0)
        with open(report) as said:
            print(f"{where}: {os.waitstatus_to_exitcode(ended)} {said.read().strip()}", flush=True)


_call = ""
if __name__ == "__main__":
    faults(*sys.argv[2:]) if sys.argv[1] == "faults" else main(*sys.argv[1:])
