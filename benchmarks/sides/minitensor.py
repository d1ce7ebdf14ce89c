"""Our side: backend calls on raw arrays, and whole training steps through the public functions.

The option of a convolution is the algorithm that is pinned, or "" for our own choice, or "fast"
for that where Winograd's algorithm may be chosen; "product" is NumPy's matrix product of its size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

import numpy as np

import minitensor as mt
from benchmarks import keras_net
from benchmarks.cases import NotOffered, drawn, layer_of, normal
from benchmarks.clock import DeviceClock, HostClock, Maker, Step
from benchmarks.layers import Layer
from benchmarks.sides import minitensor_memory, minitensor_train

GPU_WORKSPACE = 256 * 2**20  # bytes: more images in one call of cuBLAS, as cuDNN would take too
BACKENDS = {"cpu": "numpy", "emulator": "emulator", "gpu": "cuda"}


class Side:
    """minitensor on one device."""

    def __init__(self, device: str) -> None:
        with mt.device(device):  # says what is missing
            self.be = import_module(f"minitensor.backend.{BACKENDS[device]}")
        self.clock: Any = HostClock()
        self.about: Callable[[], dict[str, Any]] = lambda: {"minitensor": mt.__version__}
        if device == "gpu":
            from benchmarks.sides import cupy_events

            mt.config.set_workspace_limit(GPU_WORKSPACE)
            self.clock = DeviceClock(cupy_events.Gpu())
            self.about = lambda: {"minitensor": mt.__version__, **cupy_events.machine()}

    def norm(self, result: Any) -> float | None:
        """The length of the arrays of a result."""
        if result is None:
            return None
        parts: Any = result if isinstance(result, list | tuple) else [result]
        arrays = (getattr(part, "array", part) for part in parts)
        squares = (a.astype("float32") ** 2 for a in arrays)
        return math.sqrt(sum(float(s.sum(dtype="float64")) for s in squares))

    def conv(self, case: dict[str, Any], option: str) -> Maker:
        """A pass of one convolution."""
        layer, window = layer_of(case), layer_of(case).window
        dtype = "float16" if case["precision"] == "fp16" else "float32"
        if case["precision"] != "fp32" or self.be.name != "numpy":
            allowed = case["precision"] == "tf32"
            mt.config.experimental.enable_tensor_float_32_execution(allowed)

        def make() -> Step:
            if option == "product":
                return _product(layer, case["pass"])
            tensors = [mt.constant(self.be.asarray(a.astype(dtype))) for a in drawn(layer)]
            x, k, g = (tensor.array for tensor in tensors)
            calls: dict[str, Step] = {
                "forward": lambda: self.be.conv2d(x, k, window),
                "input": lambda: self.be.conv2d_transpose(g, k, window),
                "filter": lambda: self.be.conv2d_kernel_grad(x, g, window),
                "training": lambda: _both_ways(tensors, layer),
            }
            return _pinned(calls[case["pass"]], option)

        return make

    def memory(self, case: dict[str, Any], option: str) -> Maker:
        """One operation that is bound by memory."""
        return minitensor_memory.maker(self.be, case)

    def infer(self, case: dict[str, Any], option: str) -> Maker:
        """The answer of a network to a batch."""
        return lambda: _pinned(keras_net.inference(mt, case), option)

    def train(self, case: dict[str, Any], option: str) -> Maker:
        """A whole training step, eager or in place for a graph."""
        return minitensor_train.maker(self.be, case, option)

    def copy(self, case: dict[str, Any], option: str) -> Maker:
        """One array onto another."""

        def make() -> Step:
            source = self.be.asarray(normal((case["size"],))[0])
            target = self.be.xp.ones_like(source)
            return lambda: self.be.xp.copyto(target, source)

        return make

    def product(self, case: dict[str, Any], option: str) -> Maker:
        """A square matrix product by the array library: what arithmetic can be had."""
        if case["precision"] == "tf32":
            raise NotOffered("CuPy takes TF32 from an environment variable")
        dtype = "float16" if case["precision"] == "fp16" else "float32"

        def make() -> Step:
            (a,) = normal((case["size"], case["size"]))
            a = self.be.asarray(a.astype(dtype))
            return lambda: self.be.xp.matmul(a, a)

        return make


def _pinned(call: Step, option: str) -> Step:
    """`call` by one algorithm; one that cannot serve the shape is not offered."""

    def step() -> Any:
        with _by(option):
            try:
                return call()
            except ValueError as refusal:
                raise NotOffered(str(refusal)) from refusal

    return step


def _by(option: str) -> AbstractContextManager[Any]:
    if option == "fast":
        return minitensor_train.fast()
    return mt.algorithm(option) if option else nullcontext()


def product_shapes(layer: Layer) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
    """The matrix product that each pass is."""
    *places, out = layer.output
    rows, taps = math.prod(places), math.prod(layer.filters[:-1])
    return {
        "forward": ((rows, taps), (taps, out)),
        "input": ((rows, out), (out, taps)),
        "filter": ((taps, rows), (rows, out)),
    }


def _product(layer: Layer, conv_pass: str) -> Step:
    """NumPy's product of numbers that lie as it likes them."""
    a, b = normal(*product_shapes(layer)[conv_pass])
    target = np.empty((len(a), b.shape[1]), a.dtype)

    def step() -> None:
        np.matmul(a, b, out=target)

    return step


def _both_ways(tensors: list[mt.Tensor], layer: Layer) -> Any:
    """y, and the gradients of sum(y * g) in x and filters."""
    x, filters, g = tensors
    padding = layer.padding
    pads = padding if isinstance(padding, str) else [(0, 0), *padding, (0, 0)]
    with mt.GradientTape() as tape:
        tape.watch([x, filters])
        y = mt.nn.conv2d(x, filters, layer.stride, pads)
    return [y, *tape.gradient(y, [x, filters], output_gradients=g)]
