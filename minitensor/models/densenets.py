"""The DenseNet of course text 3, whose print has the parts but not the whole.

Args: x, a KerasTensor (N, h, w, C); growth_rate, the channels that each layer adds; classes, the
number of logits. Returns of `densenet`: a functional model. Source of all: course text 3, the
functions of the same names; Huang et al. 2016, arXiv 1608.06993, equation 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitensor import keras
from minitensor.docstrings import examples_of
from minitensor.keras import layers
from minitensor.models.slim import batch_norm, conv_norm

example = examples_of("tf.models", "")


@example("bn_relu_conv(tf.keras.Input((8, 8, 3)), 32).shape", "(None, 8, 8, 32)")
def bn_relu_conv(x: Any, out_depth: int, taps: int = 3) -> Any:
    """Norm, relu, and a convolution without bias, in this order.

    Args:
        out_depth: filters.
        taps: side of the window.

    Returns:
        KerasTensor (N, h, w, out_depth).
    """
    x = layers.ReLU()(batch_norm(x))
    return layers.Conv2D(out_depth, taps, padding="same", use_bias=False)(x)


@example("dense_block(tf.keras.Input((8, 8, 64)), 32, 6).shape", "(None, 8, 8, 256)")
def dense_block(x: Any, growth_rate: int, num_layers: int) -> Any:
    """Layers that each see all that came before.

    x[i+1] = concat(x[i], bn_relu_conv(x[i]))

    Args:
        num_layers: number of layers.

    Returns:
        KerasTensor (N, h, w, C + num_layers * growth_rate).
    """
    for _ in range(num_layers):
        x = layers.Concatenate()([x, bn_relu_conv(x, growth_rate)])  # (N, h, w, C + growth)
    return x


@example("transition(tf.keras.Input((8, 8, 256)), 128).shape", "(None, 4, 4, 128)")
def transition(x: Any, out_depth: int) -> Any:
    """Fewer channels, and half the sides.

    Args:
        out_depth: channels that stay.

    Returns:
        KerasTensor (N, h/2, w/2, out_depth).
    """
    return layers.AveragePooling2D(2, 2)(bn_relu_conv(x, out_depth, taps=1))


def densenet(
    classes: int = 10, growth_rate: int = 32, block_layers: Sequence[int] = (6, 12, 24, 16)
) -> Any:
    """A stem, four dense blocks with transitions between them, a classifier.

    (32, 32, 3) -> conv 7x7/2 (16, 16, 64) -> pool (8, 8, 64) -> 6 layers (8, 8, 256), half
    (4, 4, 128) -> 12 (4, 4, 512), half (2, 2, 256) -> 24 (2, 2, 1024), half (1, 1, 512)
    -> 16 (1, 1, 1024) -> norm, relu, mean 1024 -> classes

    Assumed, since the course text's print lacks it: the stem and the number of layers (those of the
    paper's DenseNet-121), that transitions halve the channels, and the norm before the mean.

    Args:
        block_layers: number of layers of each block.

    Example:
        >>> import minitensor as tf
        >>> net = tf.models.densenet(block_layers=(2, 2))
        >>> net.output_shape, len(net.layers)
        ((None, 10), 29)

    Source: course text 3, DenseNet; Huang et al. 2016, arXiv 1608.06993
    """
    inputs = keras.Input((32, 32, 3))
    x = conv_norm(inputs, 64, 7, strides=2)  # (N, 16, 16, 64)
    x = layers.MaxPooling2D(3, 2, padding="same")(x)  # (N, 8, 8, 64)
    for number, depth in enumerate(block_layers):
        if number:
            x = transition(x, x.shape[-1] // 2)
        x = dense_block(x, growth_rate, depth)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(batch_norm(x)))
    return keras.Model(inputs=inputs, outputs=layers.Dense(classes)(x), name="densenet")
