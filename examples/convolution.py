"""Convolution, dilation and transposed convolution on images small enough for paper.

    python examples/convolution.py

Course texts 1 (cells 2 to 16), 2 (the 7x7 window) and 4 (10.3, 10.4, 10.11). Every number that is
printed can be computed by hand; those of the transposes show that only the shape comes back.
"""

import numpy as np

import minitensor as tf
from minitensor.cli import stoppable
from minitensor.keras import layers

KERNEL = tf.reshape(tf.constant([[-1.0, 2, -3], [4, -5, 6], [-7, 8, -9]]), (3, 3, 1, 1))
IMAGE = [
    [0, 0, 0, 0, 0, 0, 0],
    [0, 1, 0, 1, 2, 1, 0],
    [0, 0, 2, 2, 0, 1, 0],
    [0, 1, 1, 0, 2, 1, 0],
    [0, 0, 2, 1, 1, 0, 0],
    [0, 2, 1, 1, 2, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
]
WEIGHTS = [[0, 0, -1], [0, 1, 0], [-2, 0, 2]]


def show(title: str, image: tf.Tensor) -> None:
    """Prints the one channel of the one image."""
    print(f"{title}: {image.shape}\n{np.asarray(image)[0, :, :, 0]}\n")


def sizes() -> None:
    """What padding and stride make of 5 x 5 pixels."""
    x, w = tf.random.normal([2, 5, 5, 3]), tf.random.normal([3, 3, 3, 4])
    one = [[0, 0], [1, 1], [1, 1], [0, 0]]  # a pixel at every side
    for strides, padding in ((1, "VALID"), (1, one), (1, "SAME"), (3, "SAME")):
        print("strides", strides, "padding", padding, tf.nn.conv2d(x, w, strides, padding).shape)
    for layer in (
        layers.Conv2D(4, kernel_size=3, strides=1, padding="SAME"),
        layers.Conv2D(4, kernel_size=(3, 4), strides=(2, 1), padding="SAME"),
        layers.Conv2D(1, kernel_size=3, dilation_rate=2),
    ):
        print(type(layer).__name__, layer(x).shape, "kernel", layer.kernel.shape)


def transposes() -> None:
    """There and back: 5x5 by strides of 2, 4x4 by strides of 1."""
    for side, strides in ((5, 2), (4, 1)):
        x = tf.reshape(tf.cast(tf.range(side * side) + 1, tf.float32), (1, side, side, 1))
        y = tf.nn.conv2d(x, KERNEL, strides, "VALID")
        show(f"{side}x{side} by strides of {strides}", y)
        back = tf.nn.conv2d_transpose(y, KERNEL, [1, side, side, 1], strides, "VALID")
        show("and transposed", back)


def window_by_hand() -> None:
    """A kernel and a bias of our own in a layer."""
    layer = layers.Conv2D(
        filters=1,
        kernel_size=3,
        kernel_initializer=tf.constant_initializer(np.array(WEIGHTS)),
        bias_initializer=tf.constant_initializer(1),
    )
    image = np.array(IMAGE, np.float32).reshape(1, 7, 7, 1)
    show("3x3 weights and a bias over 7x7 pixels", layer(image))


def separable() -> None:
    """The same shapes for a third of the numbers: 108 against 27 + 12."""
    image = tf.ones([1, 5, 5, 3])
    for layer in (
        layers.Conv2D(4, 3, use_bias=False),
        layers.SeparableConv2D(4, 3, use_bias=False),
    ):
        print(type(layer).__name__, layer(image).shape, layer.count_params(), "parameters")


def main() -> None:
    """The command."""
    sizes()
    transposes()
    window_by_hand()
    separable()


if __name__ == "__main__":
    stoppable(main)
