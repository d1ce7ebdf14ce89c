"""Our training steps: the same networks through the public functions, with the fused update.

The option "keras" is the same net of layers, with Keras' optimizer, "fit" that in `fit`, "fast"
that with Winograd's algorithm, "mixed_float16" that under the policy; "graph" replays the step as
one CUDA graph, which trains on as an eager step does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import minitensor as mt
from benchmarks import keras_net, networks
from benchmarks.cases import NotOffered
from benchmarks.clock import Maker, Step

MIXED = ("mixed_float16", "mixed_bfloat16")


class Library:
    """The functions of a forward pass."""

    def conv(self, x: Any, kernel: Any, stride: int, pad: int) -> Any:
        return mt.nn.conv2d(x, kernel, stride, [[0, 0], [pad, pad], [pad, pad], [0, 0]])

    def bias(self, x: Any, bias: Any) -> Any:
        return mt.nn.bias_add(x, bias)

    def norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return mt.nn.fused_batch_norm(x, scale, offset, epsilon=networks.EPSILON)[0]

    def relu(self, x: Any) -> Any:
        return mt.nn.relu(x)

    def relu6(self, x: Any) -> Any:
        return mt.nn.relu6(x)

    def concat(self, x: Any, y: Any) -> Any:
        return mt.concat([x, y], axis=-1)

    def pool(self, x: Any) -> Any:
        return mt.nn.max_pool2d(x, 2, 2, "VALID")

    def meanpool(self, x: Any) -> Any:
        return mt.nn.avg_pool2d(x, 2, 2, "VALID")

    def mean(self, x: Any) -> Any:
        return mt.reduce_mean(x, axis=(1, 2))

    def flat(self, x: Any) -> Any:
        return mt.reshape(x, (x.shape[0], -1))

    def dense(self, x: Any, kernel: Any, bias: Any) -> Any:
        return x @ kernel + bias


@contextmanager
def fast() -> Iterator[None]:
    """Convolutions by Winograd's algorithm where it gains."""
    mt.config.set_conv_precision("fast")
    try:
        yield
    finally:
        mt.config.set_conv_precision("exact")


@contextmanager
def policy(name: str) -> Iterator[None]:
    """Layers made inside follow it."""
    before = mt.keras.mixed_precision.global_policy()
    mt.keras.mixed_precision.set_global_policy(name)
    try:
        yield
    finally:
        mt.keras.mixed_precision.set_global_policy(before)


class FastFitSteps(keras_net.FitSteps):
    """`FitSteps` with fast convolutions; other steps of this process are exact."""

    def __call__(self) -> None:
        """One epoch."""
        with fast():
            super().__call__()


def maker(be: Any, case: dict[str, Any], option: str) -> Maker:
    """Forward, backward and the update on one batch; a step returns its loss."""
    network = networks.NETWORKS[case["network"]]
    if option == "graph" and be.name != "cuda":
        raise NotOffered("a CUDA graph needs a GPU")
    if option in ("eager", "graph") and network.adam:
        raise NotOffered("Adam counts its steps: Keras' optimizers do")

    def make() -> Step:
        if option in ("keras", "fit", "fast", *MIXED):
            with mt.device({"numpy": "cpu", "cuda": "gpu"}.get(be.name, be.name)):
                if option == "keras":
                    return keras_net.training_step(mt, network, case["batch"])
                kind = FastFitSteps if option == "fast" else keras_net.FitSteps
                with policy(option if option in MIXED else "float32"):
                    return kind(mt, network, case["batch"], case["updates"])
        values = [mt.Variable(be.asarray(a)) for a in networks.parameters(network)]
        speeds = [mt.Variable(mt.zeros_like(value), trainable=False) for value in values]
        batch = [mt.constant(be.asarray(a)) for a in networks.batch(network, case["batch"])]

        def train(x: Any, y: Any) -> Any:
            with mt.GradientTape() as tape:
                logits = networks.forward(Library(), network, x, values)
                losses = mt.nn.softmax_cross_entropy_with_logits(y, logits)
                loss = mt.reduce_mean(losses)
            for value, speed, g in zip(values, speeds, tape.gradient(loss, values), strict=True):
                update = value.array, speed.array, g.array
                new = be.sgd_momentum(*update, networks.RATE, networks.MOMENTUM, False)
                value.assign(new[0]), speed.assign(new[1])
            return loss

        if option == "graph":
            from minitensor.backend.cuda import device, graph

            replay = graph.capture(device, train, values + speeds, batch)
            return lambda: replay(*batch)
        return lambda: train(*batch)

    return make
