"""Networks for 28 by 28 digits and clothes: dense ones, the CNN of course text 2, and LeNet-5.

Args: classes, the number of logits or probabilities. Returns a Sequential model. Source: course
texts 1, 2 (class CNN) and 4, chapters 10.1, 10.5 and 10.8; LeCun et al. 1998, Gradient-based
learning applied to document recognition, figure 2.
"""

from __future__ import annotations

from typing import Any

from minitensor import keras
from minitensor.docstrings import examples_of
from minitensor.keras import layers

example = examples_of("tf.models", "")


@example("mlp().count_params()", "335114")
def mlp(units: tuple[int, ...] = (256, 256, 256), classes: int = 10) -> Any:
    """Four dense layers, what a convolution is compared with: 335,114 parameters.

    784 -> 256 (200,960) -> 256 (65,792) -> 256 (65,792) -> 10 (2,570)

    Args:
        units: width of the hidden layers, each with relu.
    """
    hidden = [layers.Dense(n, activation="relu") for n in units]
    return keras.Sequential([keras.Input((784,)), *hidden, layers.Dense(classes)], name="mlp")


@example("mnist_cnn().count_params()", "3274634")
def mnist_cnn(classes: int = 10) -> Any:
    """Two convolutions of 5 by 5 and two dense layers: 3,274,634 parameters; gives probabilities.

    (28, 28, 1) -> (28, 28, 32) -> pool (14, 14, 32) -> (14, 14, 64) -> pool (7, 7, 64) -> 3136
    -> 1024 -> 10
    """
    net = keras.Sequential([keras.Input((28, 28, 1))], name="mnist_cnn")
    for filters in (32, 64):
        net.add(layers.Conv2D(filters, 5, padding="same", activation="relu"))
        net.add(layers.MaxPooling2D(2, strides=2))
    net.add(layers.Reshape((7 * 7 * 64,)))
    net.add(layers.Dense(1024, activation="relu"))
    net.add(layers.Dense(classes))
    net.add(layers.Softmax())
    return net


@example("lenet5().count_params(), tf.models.lenet5(norms=True).count_params()", "(60074, 60162)")
def lenet5(classes: int = 10, norms: bool = False) -> Any:
    """LeNet-5 as the chapter changes it: 60,074 parameters, 60,162 with norms.

    (28, 28, 1) -> (26, 26, 6) -> pool (13, 13, 6) -> (11, 11, 16) -> pool (5, 5, 16) -> 400
    -> 120 -> 84 -> 10

    Args:
        norms: whether a BatchNormalization stands behind each convolution.
    """
    net = keras.Sequential([keras.Input((28, 28, 1))], name="lenet5")
    for filters in (6, 16):
        net.add(layers.Conv2D(filters, kernel_size=3))
        if norms:
            net.add(layers.BatchNormalization())
        net.add(layers.MaxPooling2D(2, strides=2))
        net.add(layers.ReLU())
    net.add(layers.Flatten())
    for units in (120, 84):
        net.add(layers.Dense(units, activation="relu"))
    net.add(layers.Dense(classes))
    return net


@example("lenet5_original().count_params()", "61706")
def lenet5_original(classes: int = 10) -> Any:
    """LeNet-5 in the shape of 1998, but every map of C3 sees all of S2: 61,706 parameters.

    (32, 32, 1) -> C1 (28, 28, 6) -> S2 (14, 14, 6) -> C3 (10, 10, 16) -> S4 (5, 5, 16) -> 400
    -> 120 -> 84 -> 10

    Args:
        classes: number of logits; the Gaussian units of the paper are a dense layer here.
    """
    net = keras.Sequential([keras.Input((32, 32, 1))], name="lenet5_original")
    for filters in (6, 16):
        net.add(layers.Conv2D(filters, kernel_size=5, activation="tanh"))
        net.add(layers.AveragePooling2D(2, strides=2))
    net.add(layers.Flatten())
    for units in (120, 84):
        net.add(layers.Dense(units, activation="tanh"))
    net.add(layers.Dense(classes))
    return net
