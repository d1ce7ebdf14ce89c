"""AlexNet: the two small ones of course text 3, not the same network, and that of the paper.

Args: classes, the number of logits or probabilities. Returns a Sequential model. Source of all:
course text 3, `alexnet` and "Keras"; Krizhevsky, Sutskever, Hinton 2012, ImageNet classification
with deep CNNs, section 3.
"""

from __future__ import annotations

from typing import Any

from minitensor import keras, nn
from minitensor.docstrings import examples_of
from minitensor.keras import layers

example = examples_of("tf.models", "")


@example("alexnet_cifar().count_params()", "1068298")
def alexnet_cifar(classes: int = 10) -> Any:
    """AlexNet for 32 by 32, as course text 3 writes it from single ops: 1,068,298 parameters.

    (32, 32, 3) -> conv (28, 28, 64) -> pool (13, 13, 64) -> conv SAME (13, 13, 64)
    -> pool (6, 6, 64) -> 2304 -> 384 -> 192 -> 10
    """
    return _cifar(classes, "same", None, "alexnet_cifar")


@example("alexnet_cifar_keras().count_params()", "576778")
def alexnet_cifar_keras(classes: int = 10) -> Any:
    """AlexNet for 32 by 32, as course text 3 writes it in Keras: 576,778 parameters; probabilities.

    (32, 32, 3) -> conv (28, 28, 64) -> pool (13, 13, 64) -> conv VALID (9, 9, 64)
    -> pool (4, 4, 64) -> 1024 -> 384 -> 192 -> 10
    """
    return _cifar(classes, "valid", "softmax", "alexnet_cifar_keras")


def _cifar(classes: int, padding: str, activation: str | None, name: str) -> Any:
    net = keras.Sequential([keras.Input((32, 32, 3))], name=name)
    for how in ("valid", padding):
        net.add(layers.Conv2D(64, 5, padding=how, activation="relu"))
        net.add(layers.MaxPooling2D(3, 2))
    net.add(layers.Flatten())
    for units in (384, 192):
        net.add(layers.Dense(units, activation="relu"))
    net.add(layers.Dense(classes, activation=activation))
    return net


@example("alexnet(classes=10, input_shape=(67, 67, 3)).count_params()", "20209034")
def alexnet(classes: int = 1000, input_shape: Any = (227, 227, 3)) -> Any:
    """The eight layers of 2012, both halves on one device: 60,965,224 parameters.

    (227, 227, 3) -> conv 11x11/4 (55, 55, 96) -> pool (27, 27, 96) -> conv 5x5 (27, 27, 256)
    -> pool (13, 13, 256) -> conv 3x3 (13, 13, 384) twice, (13, 13, 256) -> pool (6, 6, 256)
    -> 9216 -> 4096 -> 4096 -> 1000

    Layers 2, 4 and 5 see one half of the maps each: `groups=2`. The paper says 224 pixels, but
    its sizes follow from 227.

    Args:
        input_shape: of one image, at least (67, 67, channels).
    """
    net = keras.Sequential([keras.Input(input_shape)], name="alexnet")
    net.add(layers.Conv2D(96, 11, 4, activation="relu"))
    net.add(response_norm(alpha=1e-4, bias=2.0))
    net.add(layers.MaxPooling2D(3, 2))
    net.add(layers.Conv2D(256, 5, padding="same", groups=2, activation="relu"))
    net.add(response_norm(alpha=1e-4, bias=2.0))
    net.add(layers.MaxPooling2D(3, 2))
    for filters, groups in ((384, 1), (384, 2), (256, 2)):
        net.add(layers.Conv2D(filters, 3, padding="same", groups=groups, activation="relu"))
    net.add(layers.MaxPooling2D(3, 2))
    net.add(layers.Flatten())
    for _ in range(2):
        net.add(layers.Dense(4096, activation="relu"))
        net.add(layers.Dropout(0.5))
    net.add(layers.Dense(classes))
    return net


@example("response_norm(alpha=1.0, bias=0.0)([[[[16.0]]]]).numpy().item()", "0.25")
def response_norm(alpha: float, bias: float) -> Any:
    """Local response normalization over five maps, as a layer.

    y[c] = x[c] / (bias + alpha * sum of x[c']^2 for |c' - c| <= 2) ** 0.75

    Args:
        alpha: how much the neighbours count, each.
        bias: what is there without them.

    Returns:
        A Lambda layer.
    """
    settings = {"depth_radius": 2, "bias": bias, "alpha": alpha, "beta": 0.75}
    return layers.Lambda(nn.local_response_normalization, arguments=settings)
