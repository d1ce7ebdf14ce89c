"""PyTorch: on a CPU its own kernels, on a GPU cuDNN's, which it picks by trial (benchmark=True).

The option of a convolution is the layout that its tensors lie in: "nhwc" (channels_last) or
"nchw". TF32 is off unless the case says tf32, for convolutions and products alike; PyTorch's own
default is on for convolutions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.cases import NotOffered, drawn, layer_of
from benchmarks.clock import DeviceClock, HostClock, Maker, Step
from benchmarks.sides import torch_memory, torch_train

DTYPES = {"fp32": torch.float32, "tf32": torch.float32, "fp16": torch.float16}
LAYOUTS = {"nhwc": torch.channels_last, "nchw": torch.contiguous_format}
MASKS = {"input": [True, False, False], "filter": [False, True, False]}


class Cuda:
    """PyTorch's events and graphs."""

    def mark(self) -> Any:
        """An event, recorded now."""
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def seconds(self, start: Any, stop: Any) -> float:
        """Between two events; waits for the second."""
        stop.synchronize()
        return start.elapsed_time(stop) / 1e3

    def recorded(self, launch: Any) -> Any:
        """A CUDA graph's replay, after two runs on a stream of their own."""
        graph, aside = torch.cuda.CUDAGraph(), torch.cuda.Stream()
        with torch.cuda.stream(aside):
            launch(), launch()
        torch.cuda.synchronize()
        with torch.cuda.graph(graph):
            launch()
        return graph.replay


class Side:
    """PyTorch on "cpu" or "gpu"."""

    def __init__(self, device: str) -> None:
        if device not in ("cpu", "gpu"):
            raise ValueError(f"PyTorch has no device {device}")
        self.device = torch.device("cuda" if device == "gpu" else "cpu")
        self.clock: Any = HostClock()
        if device == "gpu":
            torch.zeros(1, device=self.device)  # says here what is missing
            torch.backends.cudnn.benchmark = True
            self.clock, self.recorded = DeviceClock(Cuda()), Cuda().recorded

    def about(self) -> dict[str, Any]:
        """Versions of PyTorch and of what it calls."""
        versions = {"torch": torch.__version__}
        if self.device.type == "cuda":
            versions |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
        return versions

    def tensor(self, array: np.ndarray) -> torch.Tensor:
        """An array as it is, on the device."""
        return torch.from_numpy(array).to(self.device)

    def images(self, array: np.ndarray, layout: str = "nhwc") -> torch.Tensor:
        """NHWC numbers as an (N, C, H, W) tensor that lies in memory as `layout` says."""
        return self.tensor(array).permute(0, 3, 1, 2).contiguous(memory_format=LAYOUTS[layout])

    def kernel(self, array: np.ndarray, layout: str = "nhwc") -> torch.Tensor:
        """HWIO numbers as an (O, I, h, w) tensor."""
        return self.tensor(array).permute(3, 2, 0, 1).contiguous(memory_format=LAYOUTS[layout])

    def norm(self, result: Any) -> float | None:
        """The length of the tensors of a result; an update in place returns none."""
        parts = result if isinstance(result, list | tuple) else [result]
        squares = [part.detach().float() ** 2 for part in parts if part is not None]
        return math.sqrt(sum(float(s.sum(dtype=torch.float64)) for s in squares)) or None

    def conv(self, case: dict[str, Any], option: str) -> Maker:
        """A pass of one convolution in the layout `option`; odd padding is a pad before it."""
        layer, dtype = layer_of(case), DTYPES[case["precision"]]
        precise(case["precision"])
        (top, bottom), (left, right) = layer.window.pad
        odd = (top, left) != (bottom, right)
        if odd and case["pass"] != "training":
            raise NotOffered("PyTorch pads both sides alike")
        pad = (0, 0) if odd else (top, left)

        def make() -> Step:
            x, k, g = drawn(layer)
            x, g = (self.images(a, option).to(dtype) for a in (x, g))
            k = self.kernel(k, option).to(dtype)
            stride, groups = [layer.stride] * 2, layer.groups
            geometry = (stride, pad, (1, 1), False, (0, 0), groups)
            if case["pass"] == "forward":
                return lambda: functional.conv2d(x, k, None, stride, pad, (1, 1), groups)
            if case["pass"] in MASKS:
                mask = MASKS[case["pass"]]
                return lambda: torch.ops.aten.convolution_backward(g, x, k, None, *geometry, mask)
            x.requires_grad_(), k.requires_grad_()

            def step() -> Any:
                image = functional.pad(x, (left, right, top, bottom)) if odd else x
                y = functional.conv2d(image, k, None, stride, pad, (1, 1), groups)
                return y, *torch.autograd.grad(y, (x, k), g)

            return step

        return make

    def memory(self, case: dict[str, Any], option: str) -> Maker:
        """One operation that is bound by memory."""
        return torch_memory.maker(self, case, option)

    def train(self, case: dict[str, Any], option: str) -> Maker:
        """A whole training step."""
        precise(case["precision"])
        return torch_train.maker(self, case, option)

    def infer(self, case: dict[str, Any], option: str) -> Maker:
        """The answer of a network to a batch."""
        return torch_train.answer_maker(self, case, option)

    def copy(self, case: dict[str, Any], option: str) -> Maker:
        """One array onto another."""

        def make() -> Step:
            source = torch.rand(case["size"], device=self.device)
            target = torch.empty_like(source)
            return lambda: target.copy_(source)

        return make

    def product(self, case: dict[str, Any], option: str) -> Maker:
        """A square matrix product: what arithmetic can be had."""
        precise(case["precision"])

        def make() -> Step:
            shape = (case["size"], case["size"])
            a = torch.randn(shape, device=self.device, dtype=DTYPES[case["precision"]])
            return lambda: a @ a

        return make


def precise(precision: str) -> None:
    """Lets float32 use TF32 if that is asked for, and only then."""
    allowed = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = allowed
    torch.backends.cuda.matmul.allow_tf32 = allowed
