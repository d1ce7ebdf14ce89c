"""TensorFlow on a CPU: eager, or compiled by tf.function. On a GPU it is not timed here."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from benchmarks import keras_net, networks
from benchmarks.cases import NotOffered, drawn, layer_of
from benchmarks.clock import HostClock, Maker, Step
from benchmarks.sides import tensorflow_memory


class Side:
    """TensorFlow; eager steps on a CPU return when the numbers are there."""

    def __init__(self, device: str) -> None:
        if device != "cpu":
            raise ValueError("TensorFlow is a peer on the CPU only")
        self.clock = HostClock()

    def about(self) -> dict[str, Any]:
        """Its version."""
        return {"tensorflow": tf.__version__}

    def norm(self, result: Any) -> float | None:
        """The length of the tensors of a result; an update in place has none."""
        if result is None:
            return None
        parts = result if isinstance(result, list) else [result]
        return math.hypot(*(float(tf.norm(tf.cast(part, tf.float64))) for part in parts))

    def conv(self, case: dict[str, Any], option: str) -> Maker:
        """A pass of one convolution, or all with the tape."""
        layer = layer_of(case)

        def make() -> Step:
            x, k, g = (tf.constant(a) for a in drawn(layer))

            def training() -> Any:
                with tf.GradientTape() as tape:
                    tape.watch([x, k])
                    y = _conv(x, k, layer)
                # y too: tf.function leaves out what nobody wants
                return [y, *tape.gradient(y, [x, k], output_gradients=g)]

            calls: dict[str, Step] = {
                "forward": lambda: _conv(x, k, layer),
                "training": training,
                **_gradients(x, k, g, layer),
            }
            step = calls[case["pass"]]
            return tf.function(step) if option == "tf.function" else step

        return make

    def memory(self, case: dict[str, Any], option: str) -> Maker:
        """One operation that is bound by memory."""
        return tensorflow_memory.maker(case)

    def train(self, case: dict[str, Any], option: str) -> Maker:
        """A whole training step of a Keras model: under a tape, by tf.function, or in fit."""
        network = networks.NETWORKS[case["network"]]

        def make() -> Step:
            if option == "fit":
                return keras_net.FitSteps(tf, network, case["batch"], case["updates"])
            step = keras_net.training_step(tf, network, case["batch"])
            return tf.function(step) if option == "tf.function" else step

        return make

    def infer(self, case: dict[str, Any], option: str) -> Maker:
        """The answer of a network to a batch, by tf.function."""
        return lambda: tf.function(keras_net.inference(tf, case))

    def copy(self, case: dict[str, Any], option: str) -> Maker:
        """Not asked of it."""
        raise NotOffered("the copy is measured by minitensor and PyTorch")

    product = copy


def _conv(x: Any, kernel: Any, layer: Any) -> Any:
    """conv2d; a depthwise one by its own function, since conv2d has no grouped gradient."""
    padding = layer.padding
    if not isinstance(padding, str):
        padding = [[0, 0], *map(list, padding), [0, 0]]
    if layer.groups == 1:
        return tf.nn.conv2d(x, kernel, layer.stride, padding)
    strides = [1, layer.stride, layer.stride, 1]
    return tf.nn.depthwise_conv2d(x, tf.transpose(kernel, (0, 1, 3, 2)), strides, padding)


def _gradients(x: Any, kernel: Any, g: Any, layer: Any) -> dict[str, Step]:
    """The gradients of a convolution of one group, each by itself."""
    padding, pads = layer.padding, []
    if not isinstance(padding, str):
        padding, pads = "EXPLICIT", [0, 0, *padding[0], *padding[1], 0, 0]
    stride = [1, layer.stride, layer.stride, 1]
    how = {"strides": stride, "padding": padding, "explicit_paddings": pads}
    sizes = {"input_sizes": layer.input, "filter": kernel, "out_backprop": g}
    shapes = {"filter_sizes": layer.filters, "input": x, "out_backprop": g}
    return {
        "input": lambda: tf.raw_ops.Conv2DBackpropInput(**sizes, **how),
        "filter": lambda: tf.raw_ops.Conv2DBackpropFilter(**shapes, **how),
    }
