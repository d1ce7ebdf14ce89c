"""How each kernel comes to be launched: the op that launches it, and by which algorithm.

The table of `minitensor kernel`: whoever adds a kernel adds it here, and tests/test_explain.py
compares with the KERNEL lines of the .cu files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

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
        return self.drawn(*self.shape)

    def filters(self) -> np.ndarray:
        """(kh, kw, C/G, O)."""
        *taps, outputs = self.filter
        return self.drawn(*taps, self.shape[-1] // self.groups, outputs)

    def places(self) -> np.ndarray:
        """y (N, h, w, O)."""
        return self.drawn(self.shape[0], *self.window.out, self.filter[-1])

    def drawn(self, *shape: int) -> np.ndarray:
        """Random numbers, the same on every call."""
        return np.random.default_rng(0).standard_normal(shape).astype(self.dtype)


Run = Callable[[Any, Problem], Any]


@dataclass(frozen=True)
class Recipe:
    """`run(backend, problem)` under `algorithm` launches the kernels whose name begins so."""

    kernel: str
    run: Run
    algorithm: str = ""
    problem: Problem = Problem()

    def __call__(self, be: Any, problem: Problem | None = None) -> Any:
        """Runs it, on its own problem if none is given."""
        if not self.algorithm:
            return self.run(be, problem or self.problem)
        with algorithm(self.algorithm):
            return self.run(be, problem or self.problem)


def recipes(kernel: str) -> list[Recipe]:
    """All ways to launch a kernel, given the beginning of its name.

    Raises:
        LookupError: nothing launches it.
    """
    bases = kernel.partition("<")[0]
    found = [r for r in RECIPES if r.kernel.startswith(kernel) or kernel.startswith(r.kernel)]
    if not found:
        known = ", ".join(sorted({recipe.kernel for recipe in RECIPES}))
        raise LookupError(f"no kernel {bases!r}; there are {known}")
    return found


def _forward(be: Any, p: Problem) -> Any:
    return be.conv2d(be.asarray(p.images()), be.asarray(p.filters()), p.window)


def _input_grad(be: Any, p: Problem) -> Any:
    return be.conv2d_transpose(be.asarray(p.places()), be.asarray(p.filters()), p.window)


def _filter_grad(be: Any, p: Problem) -> Any:
    return be.conv2d_kernel_grad(be.asarray(p.images()), be.asarray(p.places()), p.window)


def _with_index(function: str, of_places: bool) -> Run:
    """take_tap reads images, put_tap writes places: both by the winners of the same images."""

    def run(be: Any, p: Problem) -> Any:
        x = be.asarray(p.images())
        index = be.window_argmax(x, p.window)
        values = be.asarray(p.drawn(*index.shape)) if of_places else x
        return getattr(be, function)(values, index, p.window)

    return run


def _of_images(function: str) -> Run:
    return lambda be, p: getattr(be, function)(be.asarray(p.images()), p.window)


def _of_channels(function: str) -> Run:
    """f(columns or pooled places): as many channels as the window's op gives."""

    def run(be: Any, p: Problem) -> Any:
        channels = p.shape[-1] * (p.window.taps if function == "col2im" else 1)
        return getattr(be, function)(
            be.asarray(p.drawn(p.shape[0], *p.window.out, channels)), p.window
        )

    return run


def _normalised(be: Any, p: Problem) -> Any:
    x = be.asarray(p.images())
    scale = be.asarray(p.drawn(p.shape[-1]))
    statistics = be.moments(x)
    y = be.batch_norm(x, statistics, scale, scale, 1e-3)
    be.batch_norm_sums(y, x, statistics, 1e-3)
    return be.batch_norm_grad(y, x, statistics, scale, 1e-3)


def _local_response(be: Any, p: Problem) -> Any:
    x = be.asarray(p.images())
    be.channel_sum(x, 2)
    return be.local_response(x, 2, 1.0, 0.1, 0.5)


def _cross_entropy(be: Any, p: Problem) -> Any:
    logits = be.asarray(p.drawn(7, p.shape[-1]))
    labels = be.asarray(np.eye(7, p.shape[-1], dtype=p.dtype))
    loss = be.softmax_cross_entropy(labels, logits)
    return be.softmax_cross_entropy_grad(loss, labels, logits)


def _bias(be: Any, p: Problem) -> Any:
    x, bias = be.asarray(p.images()), be.asarray(p.drawn(p.shape[-1]))
    return [be.bias_activation(x, bias, word) for word in ("linear", "relu", "relu6")]


def _transpose(be: Any, p: Problem) -> Any:
    x = be.asarray(p.images())
    return be.transpose(be.transpose(x, (0, 3, 1, 2)), (0, 2, 3, 1))


def _updates(be: Any, p: Problem) -> Any:
    weight, slot = be.asarray(p.filters()), be.asarray(np.abs(p.filters()))
    be.sgd_momentum(weight, slot, weight, 0.1, 0.9, True)
    return be.adam(weight, slot, slot, weight, 0.1, 0.9, 0.999, 1e-7, 3)


def _trio(kernel: str, word: str, *problems: Problem) -> list[Recipe]:
    """The three convolutions, as the ladder's template names them."""
    ops = {"Forward": _forward, "InputGrad": _input_grad, "FilterGrad": _filter_grad}
    return [Recipe(f"{kernel}<{op}", run, word, p) for p in problems for op, run in ops.items()]


_PLAIN, _STRIDED = Problem(), Problem(shape=(2, 9, 7, 8), stride=(2, 2), groups=2)
_DEEP = [
    Problem(shape=(1, 9, 7, 8), filter=(taps, taps, 8), stride=(stride, stride), groups=8)
    for taps in (2, 3, 5, 7)
    for stride in (1, 2)
]
_HALF = [replace(problem, dtype="float16") for problem in (_PLAIN, _STRIDED)]
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
    "moments": _normalised,
    "merge_moments": _normalised,
    "normalise": _normalised,
    "batch_norm_sums": _normalised,
    "merge_sums": _normalised,
    "batch_norm_grad": _normalised,
    "channel_sum": _local_response,
    "local_response": _local_response,
    "softmax_cross_entropy": _cross_entropy,
    "bias_activation": _bias,
    "transpose": _transpose,
    "sgd_momentum": _updates,
    "adam": _updates,
}

RECIPES: list[Recipe] = [
    Recipe("conv_direct_forward", _forward, "direct"),
    Recipe("conv_direct_input_grad", _input_grad, "direct"),
    Recipe("conv_direct_filter_grad", _filter_grad, "direct"),
    *_trio("conv_tiled", "tiled", _PLAIN, _STRIDED),
    *_trio("conv_register", "register", _PLAIN, _STRIDED),
    Recipe("reduce_splits", _filter_grad, "register", _STRIDED),
    *_trio("conv_tensor_tf32", "tensor", _PLAIN, _STRIDED),
    *_trio("conv_tensor_f16", "tensor", *_HALF),
    Recipe("winograd", _forward, "winograd", Problem(shape=(1, 9, 7, 8))),
    *(Recipe("depthwise", run, "", p) for p in _DEEP for run in (_forward, _input_grad)),
    *(Recipe("depthwise_filter", _filter_grad, "", p) for p in _DEEP),
    *(Recipe(name, run, "", p) for name, run in _POOLS.items() for p in (_PLAIN, _STRIDED)),
    *(Recipe(name, run) for name, run in _POINTS.items()),
]
