"""PyTorch's training steps: the same networks, eager or replayed as a CUDA graph."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from benchmarks import networks
from benchmarks.cases import NotOffered
from benchmarks.clock import Maker, Step


class Library:
    """The functions of a forward pass; tensors are (N, C, H, W) that lie as NHWC."""

    def conv(self, x: Any, kernel: Any, stride: int, pad: int) -> Any:
        return functional.conv2d(x, kernel, None, stride, pad)

    def bias(self, x: Any, bias: Any) -> Any:
        return x + bias[:, None, None]

    def norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return functional.batch_norm(
            x, None, None, scale, offset, training=True, eps=networks.EPSILON
        )

    def relu(self, x: Any) -> Any:
        return functional.relu(x)

    def pool(self, x: Any) -> Any:
        return functional.max_pool2d(x, 2)

    def mean(self, x: Any) -> Any:
        return x.mean(dim=(2, 3))

    def flat(self, x: Any) -> Any:
        return x.permute(0, 2, 3, 1).flatten(1)

    def dense(self, x: Any, kernel: Any, bias: Any) -> Any:
        return torch.addmm(bias, x, kernel)


def maker(side: Any, case: dict[str, Any], option: str) -> Maker:
    """Forward, backward and SGD with momentum on one batch; a step returns its loss."""
    network = networks.NETWORKS[case["network"]]
    if option == "graph" and side.device.type == "cpu":
        raise NotOffered("a CUDA graph needs a GPU")

    def make() -> Step:
        values = [
            side.kernel(a) if a.ndim == 4 else side.tensor(a) for a in networks.parameters(network)
        ]
        for value in values:
            value.requires_grad_()
        images, labels = networks.batch(network, case["batch"])
        x, y = side.images(images), side.tensor(labels.argmax(-1))
        optimizer = torch.optim.SGD(values, lr=networks.RATE, momentum=networks.MOMENTUM)

        def step() -> Any:
            optimizer.zero_grad(set_to_none=True)
            loss = functional.cross_entropy(networks.forward(Library(), network, x, values), y)
            loss.backward()
            optimizer.step()
            return loss.detach()

        return side.recorded(step) if option == "graph" else step

    return make
