"""The conventions of TF-Slim that the networks of course text 3 were written with, as Keras layers.

    slim.conv2d             SAME, bias, relu; with normalizer_fn=batch_norm: no bias, but a norm
    slim.batch_norm         center only (no gamma), decay 0.999, epsilon 0.001
    slim.max_pool2d         VALID unless an arg_scope says SAME
    slim.l2_regularizer(c)  c * sum(w^2) / 2: its gradient is c * w; that of keras' L2 is 2 * c * w

slim's fused norm kept n/(n-1) times the variance of a batch as its moving variance, Keras keeps
the variance itself: evaluated networks differ by that much, training steps do not.

Args: classes, the number of logits. Returns of `conv_bn_net`: a functional model.
"""

from __future__ import annotations

from typing import Any

from minitensor import keras
from minitensor.keras import layers


def batch_norm(x: Any) -> Any:
    """slim.batch_norm: shifted by beta, not scaled by a gamma."""
    return layers.BatchNormalization(momentum=0.999, epsilon=1e-3, scale=False)(x)


def conv_norm(x: Any, filters: int, taps: int, strides: int = 1, relu: bool = True) -> Any:
    """slim.conv2d(..., normalizer_fn=slim.batch_norm), SAME."""
    x = layers.Conv2D(filters, taps, strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(batch_norm(x)) if relu else batch_norm(x)


def conv_bn_net(classes: int = 10, input_shape: Any = (28, 28, 1)) -> Any:
    """Two convolutions with norms: 10,326 trainable parameters on (28, 28, 1).

    (28, 28, 1) -> conv 3x3 (28, 28, 6) -> pool (14, 14, 6) -> conv 5x5 (14, 14, 16)
    -> pool (7, 7, 16) -> 784 -> classes

    Args:
        input_shape: of one image; the course text does not tell it.

    Example:
        >>> import minitensor as tf
        >>> net = tf.models.conv_bn_net()
        >>> net.output_shape, net.count_params()
        ((None, 10), 10370)

    Source: course text 3, `conv_bn_net`
    """
    inputs = x = keras.Input(input_shape)
    for filters, taps in ((6, 3), (16, 5)):
        x = conv_norm(x, filters, taps)  # (N, h, w, filters)
        x = layers.MaxPooling2D(2)(x)  # (N, h/2, w/2, filters)
    x = layers.Dense(classes)(layers.Flatten()(x))
    return keras.Model(inputs=inputs, outputs=x, name="conv_bn_net")
