"""The networks as Keras models, and their training step: one text for tf.keras and for ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import networks
from benchmarks.clock import Step


@dataclass
class _Pending:
    """A convolution that still waits to hear whether it has a bias."""

    x: Any
    kernel: np.ndarray
    stride: int
    pad: int


class Library:
    """The functions of a forward pass, each a layer with the given weights.

    Args:
        keras: `tf.keras` or `minitensor.keras`.
    """

    def __init__(self, keras: Any) -> None:
        self.layers = keras.layers

    def conv(self, x: Any, kernel: Any, stride: int, pad: int) -> Any:
        return _Pending(x, kernel, stride, pad)

    def bias(self, x: Any, bias: Any) -> Any:
        return self._convolved(x, [bias])

    def norm(self, x: Any, scale: Any, offset: Any) -> Any:
        y = self.layers.BatchNormalization(epsilon=networks.EPSILON)
        return _with(y, self._convolved(x), [scale, offset], rest=2)

    def relu(self, x: Any) -> Any:
        return self.layers.ReLU()(self._convolved(x))

    def relu6(self, x: Any) -> Any:
        return self.layers.ReLU(6.0)(x)

    def concat(self, x: Any, y: Any) -> Any:
        return self.layers.Concatenate()([self._convolved(x), self._convolved(y)])

    def pool(self, x: Any) -> Any:
        return self.layers.MaxPooling2D(2)(self._convolved(x))

    def meanpool(self, x: Any) -> Any:
        return self.layers.AveragePooling2D(2)(self._convolved(x))

    def mean(self, x: Any) -> Any:
        return self.layers.GlobalAveragePooling2D()(x)

    def flat(self, x: Any) -> Any:
        return self.layers.Flatten()(self._convolved(x))

    def dense(self, x: Any, kernel: Any, bias: Any) -> Any:
        return _with(self.layers.Dense(kernel.shape[1]), x, [kernel, bias])

    def _convolved(self, x: Any, bias: list[Any] | None = None) -> Any:
        """The tensor itself, or that of the convolution which waits."""
        if not isinstance(x, _Pending):
            return x
        taps, pads = x.kernel.shape[0], x.pad
        same = x.stride == 1 and 2 * pads == taps - 1  # one layer where Keras' word says the same
        source = x.x if same or not pads else self.layers.ZeroPadding2D(pads)(x.x)
        how = {"strides": x.stride, "padding": "same" if same else "valid", "use_bias": bool(bias)}
        if x.kernel.shape[2] != source.shape[-1]:
            depthwise = self.layers.DepthwiseConv2D(taps, **how)
            return _with(depthwise, source, [x.kernel.swapaxes(2, 3)])
        layer = self.layers.Conv2D(x.kernel.shape[-1], taps, **how)
        return _with(layer, source, [x.kernel, *(bias or [])])


def _with(layer: Any, x: Any, values: list[Any], rest: int = 0) -> Any:
    """The layer's output once its first weights have these values; `rest` keep their own."""
    y = layer(x)
    layer.set_weights([*values, *(layer.get_weights()[-rest:] if rest else [])])
    return y


def training_step(tf: Any, network: networks.Network, size: int) -> Step:
    """Forward, backward and the update through layers, loss and optimizer; gives the loss.

    Args:
        tf: tensorflow or minitensor.
        network: what to train.
        size: images in the batch.
    """
    model = compiled(tf, network)
    images, labels = (tf.constant(array) for array in networks.batch(network, size))
    model.optimizer.build(model.trainable_variables)

    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = model.loss(labels, model(images, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step


class FitSteps:
    """An epoch of `fit` over some batches, each the batch of `training_step`.

    Args:
        tf, network, size: as for `training_step`.
        updates: batches of the epoch.
    """

    def __init__(self, tf: Any, network: networks.Network, size: int, updates: int) -> None:
        self.updates, self._size, self._model = updates, size, compiled(tf, network)
        batch = networks.batch(network, size)
        self._x, self._y = (np.concatenate([array] * updates) for array in batch)

    def __call__(self) -> None:
        """One epoch; its mean loss is not the loss of one step, and is not compared."""
        self._model.fit(self._x, self._y, batch_size=self._size, shuffle=False, verbose=0)


def inference(tf: Any, case: dict[str, Any]) -> Step:
    """The logits of a batch, norms by their running statistics (here means 0, variances 1)."""
    network = networks.NETWORKS[case["network"]]
    model = _model(tf.keras, network)
    images = tf.constant(networks.batch(network, case["batch"])[0])
    return lambda: model(images, training=False)


def compiled(tf: Any, network: networks.Network) -> Any:
    keras, rate = tf.keras, networks.RATE
    model = _model(keras, network)
    optimizer = keras.optimizers.SGD(rate, networks.MOMENTUM)
    if network.adam:
        optimizer = keras.optimizers.Adam(rate, *networks.ADAM)
    model.compile(optimizer, keras.losses.CategoricalCrossentropy(from_logits=True))
    return model


def _model(keras: Any, network: networks.Network) -> Any:
    x = keras.Input(network.image)
    y = networks.forward(Library(keras), network, x, networks.parameters(network))
    return keras.Model(x, y)
