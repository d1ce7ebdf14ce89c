"""How each kernel comes to be launched: the op that launches it, and by which algorithm.

The table of `minitensor kernel`, which takes the first problem of a kernel, and of the sanitizers
(benchmarks/sanitize_set.py), which take all: small, because a sanitized launch takes a hundred
times as long, and ragged, so that guards, halos and tails are walked over. Whoever adds a kernel
adds it here; tests/kernels/test_explain.py holds the table to the KERNEL lines of the .cu files.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from minitensor.backend.host import source
from minitensor.backend.protocol import Backend
from minitensor.backend.settings import algorithm
from minitensor.window import Padding, Window


@dataclass(frozen=True)
class Problem:
    """The sizes of one call."""

    shape: tuple[int, ...] = (1, 6, 5, 8)  # (N, H, W, C)
    filter: tuple[int, ...] = (3, 3, 8)  # (kh, kw, O)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Padding = "SAME"
    groups: int = 1
    dtype: str = "float32"

    @property
    def window(self) -> Window:
        """Its geometry."""
        size, taps = self.shape[1:3], self.filter[:2]
        return Window.of(size, taps, self.stride, self.padding, self.dilation, self.groups)

    def images(self) -> np.ndarray:
        """x (N, H, W, C)."""
        return self.random(*self.shape)

    def filters(self) -> np.ndarray:
        """(kh, kw, C/G, O)."""
        *taps, outputs = self.filter
        return self.random(*taps, self.shape[-1] // self.groups, outputs, seed=1)

    def positions(self) -> np.ndarray:
        """y (N, h, w, O)."""
        return self.random(self.shape[0], *self.window.out, self.filter[-1], seed=2)

    def random(self, *shape: int, seed: int = 0) -> np.ndarray:
        """Random numbers, the same on every call."""
        return np.random.default_rng(seed).standard_normal(shape).astype(self.dtype)


Run = Callable[[Backend, Problem], Any]


@dataclass(frozen=True)
class LaunchCase:
    """`run(backend, problem)` under `algorithm` launches the kernels whose name begins so."""

    kernel: str
    run: Run
    algorithm: str = ""
    problem: Problem = Problem()

    @property
    def takes(self) -> tuple[str, ...]:
        """The sizes that it depends on."""
        if self.run in _POINTS.values():
            return ("shape", *["filter"] * (self.run is _updates), "dtype")
        pooled = ("shape", "filter", "stride", "dilation", "padding", "dtype")
        return pooled if self.run in _POOLS.values() else (*pooled, "groups")

    def __call__(self, be: Backend) -> Any:
        """Runs it."""
        with algorithm(self.algorithm) if self.algorithm else nullcontext():
            return self.run(be, self.problem)


def launch_cases(kernel: str) -> list[LaunchCase]:
    """All ways to launch a kernel, given the beginning of its name; those named so come first.

    A LookupError if there is none.
    """
    found = [r for r in LAUNCH_CASES if r.kernel.startswith(kernel) or kernel.startswith(r.kernel)]
    if not found:
        if any(name.startswith(kernel) for name in source.catalogue()):
            raise LookupError(f"nothing says how {kernel} is launched: add it to {__name__}")
        known = sorted({case.kernel for case in LAUNCH_CASES})
        near = get_close_matches(kernel, known, 3, 0.4) or known
        raise LookupError(f"no kernel {kernel!r}; near are {', '.join(near)}; --list tells all")
    return sorted(found, key=lambda case: not case.kernel.startswith(kernel))


def spelled(name: str) -> str:
    """How a kernel's name begins, of what a shell takes unquoted: conv_tiled.forward."""
    base, dot, op = name.partition(".")
    if dot:
        name = f"{base}<" + "".join(word.capitalize() for word in op.split("_"))
    return {"batch_norm": "normalise"}.get(name, name)


def _forward(be: Backend, p: Problem) -> Any:
    return be.conv2d(be.asarray(p.images()), be.asarray(p.filters()), p.window)


def _input_grad(be: Backend, p: Problem) -> Any:
    return be.conv2d_transpose(be.asarray(p.positions()), be.asarray(p.filters()), p.window)


def _filter_grad(be: Backend, p: Problem) -> Any:
    return be.conv2d_kernel_grad(be.asarray(p.images()), be.asarray(p.positions()), p.window)


def _with_index(function: str, at_positions: bool) -> Run:
    """take_tap reads images, put_tap writes positions: both by the winners of the same images."""

    def run(be: Backend, p: Problem) -> Any:
        x = be.asarray(p.images())
        index = be.window_argmax(x, p.window)
        values = be.asarray(p.random(*index.shape)) if at_positions else x
        return getattr(be, function)(values, index, p.window)

    return run


def _of_images(function: str) -> Run:
    return lambda be, p: getattr(be, function)(be.asarray(p.images()), p.window)


def _of_channels(function: str) -> Run:
    """f(columns or pooled images): as many channels as the window's op gives."""

    def run(be: Backend, p: Problem) -> Any:
        channels = p.shape[-1] * (p.window.taps if function == "col2im" else 1)
        y = be.asarray(p.random(p.shape[0], *p.window.out, channels))
        return getattr(be, function)(y, p.window)

    return run


def _normalised(be: Backend, p: Problem) -> Any:
    x, g = be.asarray(p.images()), be.asarray(p.random(*p.shape, seed=3))
    statistics = be.moments(x)
    scale = be.asarray(p.random(p.shape[-1], seed=4).astype(statistics.dtype))
    y = be.batch_norm(x, statistics, scale, scale, 1e-3)
    sums = be.batch_norm_sums(g, x, statistics, 1e-3)
    return statistics, y, sums, be.batch_norm_grad(g, x, statistics, scale, 1e-3, sums)


def _local_response(be: Backend, p: Problem) -> Any:
    x = be.asarray(p.images())
    return be.channel_sum(x, 2), be.local_response(x, 2, 1.0, 0.1, 0.5)


def _cross_entropy(be: Backend, p: Problem) -> Any:
    logits = be.asarray(p.random(7, p.shape[-1]))
    labels = be.asarray(np.eye(7, p.shape[-1], dtype=p.dtype))
    g = be.asarray(p.random(7, seed=3))
    loss = be.softmax_cross_entropy(labels, logits)
    return loss, be.softmax_cross_entropy_grad(g, labels, logits)


def _bias(be: Backend, p: Problem) -> Any:
    x, bias = be.asarray(p.images()), be.asarray(p.random(p.shape[-1], seed=3))
    return [be.bias_activation(x, bias, word) for word in ("linear", "relu", "relu6")]


def _gate(be: Backend, p: Problem) -> Any:
    g, x = be.asarray(p.images()), be.asarray(p.random(*p.shape, seed=4))
    return be.gate(g, x, None), be.gate(g, x, 1.0)


def _transpose(be: Backend, p: Problem) -> Any:
    there = be.transpose(be.asarray(p.images()), (0, 3, 1, 2))
    return there, be.transpose(there, (0, 2, 3, 1))


def _updates(be: Backend, p: Problem) -> Any:
    weight, slot = be.asarray(p.filters()), be.asarray(np.abs(p.filters()))
    gradient = be.asarray(p.random(*weight.shape, seed=3))
    return (
        *be.sgd_momentum(weight, slot, gradient, 0.1, 0.9, True),
        *be.adam(weight, slot, slot, gradient, 0.1, 0.9, 0.999, 1e-7, 3),
    )


def _trio(kernel: str, word: str, *problems: Problem) -> list[LaunchCase]:
    """The three convolutions, as the ladder's template names them."""
    ops = {"Forward": _forward, "InputGrad": _input_grad, "FilterGrad": _filter_grad}
    return [LaunchCase(f"{kernel}<{op}", run, word, p) for p in problems for op, run in ops.items()]


_DTYPES = "float32", "float16", "float64"
_PLAIN, _STRIDED = Problem(), Problem(shape=(2, 9, 7, 8), stride=(2, 2), groups=2)
_RAGGED = Problem(  # nothing comes in packs, and no side is like another
    shape=(2, 6, 7, 6), filter=(3, 2, 4), dilation=(1, 2), padding=((2, 0), (1, 1)), groups=2
)
_POINT = Problem(shape=(2, 5, 5, 16), filter=(1, 1, 8))
_ODD = Problem(shape=(2, 9, 7, 5), filter=(3, 2, 7), stride=(2, 1))
_WHOLE = Problem(filter=(3, 3, 3), dtype="int32")
_LONG = Problem(shape=(1, 18, 18, 4))  # so many positions that two blocks share their sum
_BROAD = Problem(shape=(2, 6, 5, 40), filter=(2, 2, 40))  # more channels than a narrow tile
_HALF = [
    Problem(dtype="float16"),
    Problem(shape=(2, 9, 7, 16), filter=(3, 3, 16), stride=(2, 2), groups=2, dtype="float16"),
    replace(_BROAD, dtype="float16"),
]
_LADDER = _PLAIN, _STRIDED, _RAGGED, _POINT, _ODD, replace(_STRIDED, dtype="float64")
_DEEP = [
    Problem((1, 9, 7, 8), (taps, taps, 8), (stride, stride), groups=8, dtype=dtype)
    for dtype in _DTYPES
    for taps in (3, 5, 7, 2)
    for stride in (1, 2)
] + [Problem((2, 9, 7, 6), (3, 3, 6), (2, 2), groups=6)]
_IMAGES = [
    Problem(shape=(2, 9, 7, channels), filter=filter, stride=(2, 1), dtype=dtype)
    for dtype in _DTYPES
    for channels in (8, 5)
    for filter in ((3, 3, 8), (2, 2, 8), (3, 2, 8))
]
_ROWS = [replace(problem, dtype=dtype) for dtype in _DTYPES for problem in (_PLAIN, _ODD)]
_MANY_CLASSES = [Problem(shape=(1, 1, 1, 1500), dtype=dtype) for dtype in _DTYPES]
_COPIED = [  # by kernels that do not compute: any dtype of a size
    replace(problem, dtype=dtype) for dtype in ("int8", "int64") for problem in (_PLAIN, _ODD)
]
_POOLS = {
    "max_pool": _of_images("max_pool"),
    "window_argmax": _of_images("window_argmax"),
    "take_tap": _with_index("take_tap", False),
    "put_tap": _with_index("put_tap", True),
    "avg_pool": _of_images("avg_pool"),
    "avg_pool_grad": _of_channels("avg_pool_grad"),
    "im2col": _of_images("im2col"),
    "col2im": _of_channels("col2im"),
}
_POINTS: dict[str, Run] = {
    **dict.fromkeys(("moments", "merge_moments", "normalise"), _normalised),
    **dict.fromkeys(("batch_norm_sums", "merge_sums", "batch_norm_grad"), _normalised),
    **dict.fromkeys(("channel_sum", "local_response"), _local_response),
    "softmax_cross_entropy": _cross_entropy,
    "bias_activation": _bias,
    "gate": _gate,
    "transpose": _transpose,
    **dict.fromkeys(("sgd_momentum", "adam"), _updates),
}

LAUNCH_CASES: list[LaunchCase] = [
    *(
        LaunchCase(f"conv_direct_{name}", run, "direct", problem)
        for name, run in (
            ("forward", _forward),
            ("input_grad", _input_grad),
            ("filter_grad", _filter_grad),
        )
        for problem in (*_LADDER, _WHOLE)
    ),
    *_trio("conv_tiled", "tiled", *_LADDER),
    *_trio("conv_register", "register", *_LADDER),
    LaunchCase("reduce_splits", _filter_grad, "tiled", _LONG),
    *_trio("conv_tensor_tf32", "tensor", _PLAIN, _STRIDED, _ODD, _BROAD),
    *_trio("conv_tensor_f16", "tensor", *_HALF),
    *(
        LaunchCase("winograd", run, "winograd", Problem(shape, padding=padding))
        for shape, padding in (((1, 9, 7, 8), "SAME"), ((2, 8, 4, 5), "VALID"))
        for run in (_forward, _input_grad)
    ),
    *(LaunchCase("depthwise", run, "", p) for p in _DEEP for run in (_forward, _input_grad)),
    *(LaunchCase("depthwise_filter", _filter_grad, "", p) for p in _DEEP),
    *(LaunchCase(name, run, "", p) for name, run in _POOLS.items() for p in (_PLAIN, *_IMAGES)),
    *(LaunchCase("im2col", run, "im2col", p) for p in _LADDER for run in (_forward, _filter_grad)),
    *(LaunchCase("col2im", _input_grad, "im2col", p) for p in _LADDER),
    *(LaunchCase(name, run, "", p) for name, run in _POINTS.items() for p in _ROWS),
    *(LaunchCase("softmax_cross_entropy", _cross_entropy, "", p) for p in _MANY_CLASSES),
    *(
        LaunchCase(name, (_POOLS | _POINTS)[name], "", problem)
        for name in ("max_pool", "window_argmax", "take_tap", "im2col", "transpose")
        for problem in _COPIED
    ),
]
