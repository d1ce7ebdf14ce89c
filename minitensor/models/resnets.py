"""ResNet: the small ones of the course texts; 50, 101 and 152 are `keras.applications`.

Args: x, a KerasTensor (N, h, w, C); classes, the number of logits. Returns of a network: a
functional model; in that of course text 3 each convolution has a norm without gamma. Source of
all: course texts 0 and 4, class BasicBlock, and 3, the functions of the same names; He et al.
2015, arXiv 1512.03385, figure 2 and table 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitensor import keras
from minitensor.docstrings import examples_of
from minitensor.keras import layers
from minitensor.models.slim import conv_norm

example = examples_of("tf.models", "")

# ----- two convolutions a block: course texts 0, 1 and 4 -----


@example("basic_block(tf.keras.Input((8, 8, 4)), 8, stride=2).shape", "(None, 4, 4, 8)")
def basic_block(x: Any, filters: int, stride: int = 1) -> Any:
    """Two convolutions of 3 by 3, added to what comes in.

    y = relu(F(x) + x); where the stride is not 1, x goes through a convolution of 1 by 1

    Args:
        x: KerasTensor (N, h, w, C); C = filters if the stride is 1.
        filters: of each convolution.
        stride: of the first.

    Returns:
        KerasTensor (N, h/stride, w/stride, filters).
    """
    y = layers.Conv2D(filters, 3, stride, padding="same")(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(y))
    if stride != 1:
        x = layers.Conv2D(filters, 1, stride)(x)  # (N, h/stride, w/stride, filters)
    return layers.ReLU()(layers.add([y, x]))


@example(
    "resnet18().count_params(), tf.models.resnet18(classes=100).count_params()",
    "(11184778, 11230948)",
)
def resnet18(classes: int = 10) -> Any:
    """ResNet18 for 32 by 32: 11,184,778 parameters (7,808 of them statistics); 11,230,948 for 100.

    (32, 32, 3) -> conv VALID, pool of stride 1 (30, 30, 64) -> 2 blocks (30, 30, 64)
    -> 2 (15, 15, 128) -> 2 (8, 8, 256) -> 2 (4, 4, 512) -> mean 512 -> classes
    """
    return _basic((2, 2, 2, 2), classes, "resnet18")


@example("resnet34().count_params()", "21304074")
def resnet34(classes: int = 10) -> Any:
    """ResNet34 for 32 by 32, blocks 3, 4, 6, 3 times: 21,304,074 parameters."""
    return _basic((3, 4, 6, 3), classes, "resnet34")


def _basic(depths: Sequence[int], classes: int, name: str) -> Any:
    inputs = keras.Input((32, 32, 3))
    x = layers.BatchNormalization()(layers.Conv2D(64, 3)(inputs))  # (N, 30, 30, 64)
    x = layers.MaxPooling2D(2, strides=1, padding="same")(layers.ReLU()(x))
    for stage, depth in enumerate(depths):
        for i in range(depth):
            x = basic_block(x, 64 * 2**stage, stride=2 if stage and i == 0 else 1)
    x = layers.Dense(classes)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs=inputs, outputs=x, name=name)


# ----- three convolutions a block: course text 3 -----


@example("subsample(tf.keras.Input((8, 8, 3)), 2).shape", "(None, 4, 4, 3)")
def subsample(x: Any, factor: int) -> Any:
    """Every `factor`-th pixel: a maximum over windows of one.

    Args:
        factor: distance of the pixels that stay.

    Returns:
        KerasTensor (N, h/factor, w/factor, C).
    """
    return x if factor == 1 else layers.MaxPooling2D(1, factor, padding="same")(x)


@example("residual_block(tf.keras.Input((8, 8, 32)), 8, 64, stride=2).shape", "(None, 4, 4, 64)")
def residual_block(x: Any, bottleneck_depth: int, out_depth: int, stride: int = 1) -> Any:
    """Three convolutions through a bottleneck, added to what comes in.

    y = relu(shortcut + conv 1x1(conv 3x3/stride(conv 1x1(x)))), each with a norm;
    with the lines that the course text's print has lost

    Args:
        bottleneck_depth: filters of the first two.
        out_depth: filters of the third; where C is another, the shortcut is a convolution too.
        stride: of the second.

    Returns:
        KerasTensor (N, h/stride, w/stride, out_depth).
    """
    if x.shape[-1] == out_depth:
        shortcut = subsample(x, stride)
    else:
        shortcut = conv_norm(x, out_depth, 1, stride, relu=False)
    y = conv_norm(conv_norm(x, bottleneck_depth, 1), bottleneck_depth, 3, stride)
    y = conv_norm(y, out_depth, 1, relu=False)
    return layers.ReLU()(layers.add([shortcut, y]))


def resnet_bottleneck(classes: int = 10) -> Any:
    """The ResNet of course text 3: 866,186 trainable parameters.

    (32, 32, 3) -> conv 5x5/2 (16, 16, 32) -> pool, 2 blocks (8, 8, 128) -> 2 (4, 4, 256)
    -> 2 (2, 2, 512) -> mean 512 -> classes

    Example:
        >>> import minitensor as tf
        >>> net = tf.models.resnet_bottleneck()
        >>> sum(w.shape.num_elements() for w in net.trainable_weights)
        866186

    Source: course text 3, `resnet`; its first block, lost in print, is as in its notebook
    """
    inputs = keras.Input((32, 32, 3))
    x = conv_norm(inputs, 32, 5, strides=2)  # (N, 16, 16, 32)
    x = layers.MaxPooling2D(3, 2, padding="same")(x)  # (N, 8, 8, 32)
    for width, stride in ((32, 1), (64, 2), (128, 2)):
        x = residual_block(x, width, 4 * width, stride)
        x = residual_block(x, width, 4 * width)
    x = layers.Dense(classes)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs=inputs, outputs=x, name="resnet_bottleneck")
