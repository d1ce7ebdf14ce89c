"""TensorFlow on a CPU: eager, or compiled by tf.function. On a GPU it is not timed here."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from benchmarks import keras_net, networks
from benchmarks.cases import NotOffered, drawn, layer_of
from benchmarks.clock import HostClock, Maker, Step


class Side:
    """TensorFlow; eager steps on a CPU return when the numbers are there."""

    def __init__(self, device: str) -> None:
        if device != "cpu":
            raise ValueError("TensorFlow is a peer on the CPU only")
        self.clock = HostClock()

    def about(self) -> dict[str, Any]:
        """Its version."""
        return {"tensorflow": tf.__version__}

    def norm(self, result: Any) -> float:
        """The length of the tensors of a result."""
        parts = result if isinstance(result, list) else [result]
        return math.hypot(*(float(tf.norm(tf.cast(part, tf.float64))) for part in parts))

    def conv(self, case: dict[str, Any], option: str) -> Maker:
        """Forward and both gradients of one convolution."""
        if case["pass"] != "training":
            raise NotOffered("TensorFlow is timed with the tape: forward and both gradients")
        layer = layer_of(case)

        def make() -> Step:
            x, k, g = (tf.constant(a) for a in drawn(layer))

            def step() -> Any:
                with tf.GradientTape() as tape:
                    tape.watch([x, k])
                    y = _conv(x, k, layer)
                return tape.gradient(y, [x, k], output_gradients=g)

            return step

        return make

    def memory(self, case: dict[str, Any], option: str) -> Maker:
        """Nothing: the peer of these is PyTorch."""
        raise NotOffered("operations bound by memory are timed beside PyTorch")

    def train(self, case: dict[str, Any], option: str) -> Maker:
        """A whole training step: in functions, as a Keras model, or compiled by tf.function."""
        network = networks.NETWORKS[case["network"]]

        def make() -> Step:
            if option == "keras":
                return keras_net.training_step(tf, network, case["batch"])
            values = [tf.Variable(a) for a in networks.parameters(network)]
            speeds = [tf.Variable(tf.zeros_like(v)) for v in values]
            images, labels = (tf.constant(a) for a in networks.batch(network, case["batch"]))

            def step() -> Any:
                with tf.GradientTape() as tape:
                    logits = networks.forward(Library(), network, images, values)
                    losses = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
                    loss = tf.reduce_mean(losses)
                for value, speed, g in zip(
                    values, speeds, tape.gradient(loss, values), strict=True
                ):
                    speed.assign(networks.MOMENTUM * speed - networks.RATE * g)
                    value.assign_add(speed)
                return loss

            return tf.function(step) if option == "tf.function" else step

        return make

    def copy(self, case: dict[str, Any], option: str) -> Maker:
        """Not asked of it."""
        raise NotOffered("the copy is measured by minitensor and PyTorch")

    product = copy


class Library:
    """The functions of a forward pass."""

    def conv(self, x: Any, kernel: Any, stride: int, pad: int) -> Any:
        return tf.nn.conv2d(x, kernel, stride, [[0, 0], [pad, pad], [pad, pad], [0, 0]])

    def bias(self, x: Any, bias: Any) -> Any:
        return tf.nn.bias_add(x, bias)

    def norm(self, x: Any, scale: Any, offset: Any) -> Any:
        return tf.compat.v1.nn.fused_batch_norm(x, scale, offset, epsilon=networks.EPSILON)[0]

    def relu(self, x: Any) -> Any:
        return tf.nn.relu(x)

    def pool(self, x: Any) -> Any:
        return tf.nn.max_pool2d(x, 2, 2, "VALID")

    def mean(self, x: Any) -> Any:
        return tf.reduce_mean(x, axis=(1, 2))

    def flat(self, x: Any) -> Any:
        return tf.reshape(x, (x.shape[0], -1))

    def dense(self, x: Any, kernel: Any, bias: Any) -> Any:
        return x @ kernel + bias


def _conv(x: Any, kernel: Any, layer: Any) -> Any:
    """conv2d; a depthwise one by its own function, since conv2d has no grouped gradient."""
    padding = layer.padding
    if not isinstance(padding, str):
        padding = [[0, 0], *map(list, padding), [0, 0]]
    if layer.groups == 1:
        return tf.nn.conv2d(x, kernel, layer.stride, padding)
    strides = [1, layer.stride, layer.stride, 1]
    return tf.nn.depthwise_conv2d(x, tf.transpose(kernel, (0, 1, 3, 2)), strides, padding)
