"""PyTorch's training steps and answers: eager, by torch.compile, or replayed as a CUDA graph."""

from __future__ import annotations

import shutil
from typing import Any

import torch
from torch.nn import functional

from benchmarks import networks
from benchmarks.cases import NotOffered
from benchmarks.clock import Maker, Step


class Library:
    """The functions of a forward pass; tensors are (N, C, H, W) that lie as NHWC.

    Running statistics, when not `training`, are 0 and 1, which offset and scale happen to be.
    """

    def __init__(self, training: bool = True) -> None:
        self.training = training

    def conv(self, x: Any, kernel: Any, stride: int, pad: int) -> Any:
        return functional.conv2d(x, kernel, None, stride, pad, 1, x.shape[1] // kernel.shape[1])

    def bias(self, x: Any, bias: Any) -> Any:
        return x + bias[:, None, None]

    def norm(self, x: Any, scale: Any, offset: Any) -> Any:
        mean, variance = (None, None) if self.training else (offset, scale)
        rest: dict[str, Any] = {"training": self.training, "eps": networks.EPSILON}
        return functional.batch_norm(x, mean, variance, scale, offset, **rest)

    def relu(self, x: Any) -> Any:
        return functional.relu(x)

    def relu6(self, x: Any) -> Any:
        return functional.relu6(x)

    def concat(self, x: Any, y: Any) -> Any:
        return torch.cat([x, y], 1)

    def pool(self, x: Any) -> Any:
        return functional.max_pool2d(x, 2)

    def meanpool(self, x: Any) -> Any:
        return functional.avg_pool2d(x, 2)

    def mean(self, x: Any) -> Any:
        return x.mean(dim=(2, 3))

    def flat(self, x: Any) -> Any:
        return x.permute(0, 2, 3, 1).flatten(1)

    def dense(self, x: Any, kernel: Any, bias: Any) -> Any:
        return torch.addmm(bias, x, kernel)


def maker(side: Any, case: dict[str, Any], option: str) -> Maker:
    """Forward, backward and the update on one batch; a step returns its loss."""
    network = networks.NETWORKS[case["network"]]
    if option == "graph" and side.device.type == "cpu":
        raise NotOffered("a CUDA graph needs a GPU")

    def make() -> Step:
        values = _values(side, network)
        for value in values:
            value.requires_grad_()
        images, labels = networks.batch(network, case["batch"])
        x, y = side.images(images), side.tensor(labels.argmax(-1))
        optimizer: Any = torch.optim.SGD(values, lr=networks.RATE, momentum=networks.MOMENTUM)
        if network.adam:
            *betas, epsilon = networks.ADAM
            optimizer = torch.optim.Adam(values, networks.RATE, betas, epsilon, fused=True)

        def loss_of(x: Any, values: list[Any]) -> Any:
            return functional.cross_entropy(networks.forward(Library(), network, x, values), y)

        run = _compiled(loss_of) if option == "compile" else loss_of

        def step() -> Any:
            optimizer.zero_grad(set_to_none=True)
            loss = run(x, values)
            loss.backward()
            optimizer.step()
            return loss.detach()

        return side.recorded(step) if option == "graph" else step

    return make


def answer_maker(side: Any, case: dict[str, Any], option: str) -> Maker:
    """The logits of a batch, without gradients."""
    network = networks.NETWORKS[case["network"]]

    def make() -> Step:
        values = _values(side, network)
        x = side.images(networks.batch(network, case["batch"])[0])

        def logits(x: Any, values: list[Any]) -> Any:
            return networks.forward(Library(training=False), network, x, values)

        run = _compiled(logits) if option == "compile" else logits

        @torch.no_grad()
        def step() -> Any:
            return run(x, values)

        return step

    return make


def _values(side: Any, network: networks.Network) -> list[Any]:
    arrays = networks.parameters(network)
    return [side.kernel(a) if a.ndim == 4 else side.tensor(a) for a in arrays]


def _compiled(function: Any) -> Any:
    """`function` by torch.compile, if it can be had; what was compiled before is forgotten."""
    if shutil.which("g++") is None:
        raise NotOffered("torch.compile needs g++")
    torch.compiler.reset()
    compiled = torch.compile(function)

    def run(*args: Any) -> Any:
        try:
            return compiled(*args)
        except Exception as refusal:  # whatever its tools say
            raise NotOffered(f"torch.compile: {type(refusal).__name__}: {refusal}"[:160]) from None

    return run
