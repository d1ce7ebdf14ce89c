"""A small set of launches that reaches every kernel file: what the sanitizers watch.

    compute-sanitizer --tool racecheck python -m benchmarks.sanitize_set [--device gpu|emulator]

Shapes are odd and ragged, so that guards, halos and tails are walked over, and small, because a
sanitized launch takes a hundred times as long. Results are compared with the NumPy backend. It
ends with status 1 if one differs or a kernel file was not reached.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from importlib import import_module
from typing import Any

import numpy as np

import minitensor as mt
from benchmarks.cases import normal
from minitensor.backend import numpy as twin
from minitensor.backend.host import source
from minitensor.window import Window

Call = tuple[str, str, str, tuple[Any, ...]]  # name, pinned algorithm or "", function, arguments
PADS = ((1, 1), (1, 1))
RUNGS = ("direct", "tiled", "register", "im2col", "")
WINDOWS = (
    (Window.of((9, 7), (3, 3), (2, 2), "SAME"), 4, 6),  # window, channels in, out
    (Window.of((6, 7), (3, 2), (1, 1), ((2, 0), (1, 1)), (1, 2), groups=2), 6, 4),
    (Window.of((5, 5), (1, 1)), 16, 8),
)
OTHERS = {"wrappers.cu"}  # no op's: tests/test_kernels_tensor.py launches it
PLAIN = Window.of((8, 7), (3, 3), (1, 1), PADS)


def main() -> None:
    """Launches the set."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sanitize_set", description=__doc__)
    parser.add_argument("--device", choices=("gpu", "emulator"), default="gpu")
    kind = parser.parse_args().device
    with mt.device(kind):  # says what is missing
        be = import_module(f"minitensor.backend.{'cuda' if kind == 'gpu' else kind}")
    wrong, reached = check(be)
    missed = sorted(set(source.files()) - reached - OTHERS)
    for word, names in (("differs from NumPy", wrong), ("not reached", missed)):
        print(f"{word}: {', '.join(names) or 'nothing'}")
    sys.exit(bool(wrong or missed))


def check(be: Any) -> tuple[list[str], set[str]]:
    """The names of the calls that differ from NumPy, and the kernel files that were launched."""
    reached: set[str] = set()
    launch = be.device.launch

    def watched(kernel: str, *arguments: Any, **settings: Any) -> None:
        reached.add(source.kernel(kernel).file)
        launch(kernel, *arguments, **settings)

    be.device.launch = watched
    try:
        wrong = [call[0] for call in calls() if not _agrees(be, call)]
    finally:
        del be.device.launch
    return wrong, reached


def calls() -> Iterator[Call]:
    """Every call of the set, with NumPy arrays."""
    for window, channels, out in WINDOWS:
        for rung in RUNGS:
            yield from _passes(rung, window, channels, out)
    yield from _passes("winograd", PLAIN, 8, 8)
    yield from _passes("tensor", PLAIN, 16, 16, "float16")
    yield from _passes("tensor", PLAIN, 16, 16, "float32")
    depthwise = Window.of((9, 7), (3, 3), (2, 2), "SAME", groups=6)
    yield from _passes("", depthwise, 6, 6)
    yield from _windowed(Window.of((9, 7), (3, 2), (2, 1), "SAME"))
    yield from _rows()


def _passes(
    rung: str, window: Window, channels: int, out: int, dtype: str = "float32"
) -> Iterator[Call]:
    """Forward, input gradient and filter gradient of one convolution."""
    shapes = (2, *window.size, channels), (*window.kernel, channels // window.groups, out)
    x, kernel, y = (a.astype(dtype) for a in normal(*shapes, (2, *window.out, out)))
    name = f"{rung or 'chosen'} {dtype} {window.kernel} /{window.stride} groups {window.groups}"
    yield f"{name} forward", rung, "conv2d", (x, kernel, window)
    yield f"{name} input", rung, "conv2d_transpose", (y, kernel, window)
    yield f"{name} filter", rung, "conv2d_kernel_grad", (x, y, window)


def _windowed(window: Window) -> Iterator[Call]:
    x, g = normal((2, *window.size, 5), (2, *window.out, 5))
    columns, index = twin.im2col(x, window), twin.window_argmax(x, window)
    for function, arguments in (
        ("im2col", (x,)),
        ("col2im", (columns,)),
        ("max_pool", (x,)),
        ("window_argmax", (x,)),
        ("put_tap", (g, index)),
        ("take_tap", (x, index)),
        ("avg_pool", (x,)),
        ("avg_pool_grad", (g,)),
    ):
        yield function, "", function, (*arguments, window)


def _rows() -> Iterator[Call]:
    x, g, v, scale, offset = normal(*[(2, 5, 7, 6)] * 3, (6,), (6,))
    statistics, labels = twin.moments(x), twin.xp.abs(g)
    for function, arguments in (
        ("transpose", (x, (0, 3, 1, 2))),
        ("moments", (x,)),
        ("batch_norm", (x, statistics, scale, offset, 1e-3)),
        ("batch_norm_grad", (g, x, statistics, scale, 1e-3)),
        ("channel_sum", (x, 2)),
        ("local_response", (x, 2, 1.0, 1e-2, 0.75)),
        ("softmax_cross_entropy", (labels, x)),
        ("bias_activation", (x, offset, "relu")),
        ("sgd_momentum", (x, v, g, 0.01, 0.9, True)),
        ("adam", (x, g, v * v, g, 0.001, 0.9, 0.999, 1e-7, 3)),
    ):
        yield function, "", function, arguments


def _agrees(be: Any, call: Call) -> bool:
    """Whether the device and NumPy give the same, to the digits of the least exact of them."""
    _, rung, function, arguments = call
    moved = [be.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
    half = any(getattr(a, "dtype", None) == np.float16 for a in arguments)
    tf32 = rung == "tensor" and not half
    mt.config.experimental.enable_tensor_float_32_execution(tf32)
    try:
        with mt.algorithm(rung) if rung else nullcontext():
            found = getattr(be, function)(*moved)
    finally:
        mt.config.experimental.enable_tensor_float_32_execution(False)
    expected = getattr(twin, function)(*arguments)
    pairs = zip(_parts(found), _parts(expected), strict=True)
    error = max(_distance(be.to_numpy(a), np.asarray(b)) for a, b in pairs)
    return error < (3e-3 if half or tf32 else 1e-5)


def _parts(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple) else [result]


def _distance(found: np.ndarray, expected: np.ndarray) -> float:
    """||found - expected|| / ||expected||; inf for NaN or another shape."""
    if found.shape != expected.shape:
        return float("inf")
    expected = expected.astype("float64")  # the square of a float16 overflows
    away, size = found - expected, float(np.linalg.norm(expected))
    distance = float(np.linalg.norm(away)) / max(size, 1e-30)
    return distance if np.isfinite(distance) else float("inf")


if __name__ == "__main__":
    main()
