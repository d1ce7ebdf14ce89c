"""VGG for 32 by 32 images, from the blocks of course text 3; those of ImageNet are applications.

Args: x, a KerasTensor (N, h, w, C); num_convs and out_depths, the number of convolutions and their
filters, of each block; classes, the number of logits; input_shape, of one image; name, the
model's. Returns of a network: a functional model. Raises: ValueError, lists of different lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitensor import keras
from minitensor.keras import layers

_WIDTHS = (64, 128, 256, 512, 512)


def vgg_block(x: Any, num_convs: int, out_depth: int) -> Any:
    """Convolutions of 3 by 3 and one pooling, which halves the image.

    Args:
        num_convs: number of convolutions.
        out_depth: filters of each.

    Returns:
        KerasTensor (N, h/2, w/2, out_depth).

    Example:
        >>> import minitensor as tf
        >>> tf.models.vgg_block(tf.keras.Input((32, 32, 3)), 2, 64).shape
        (None, 16, 16, 64)

    Source: course text 3, `vgg_block`
    """
    for _ in range(num_convs):
        x = layers.Conv2D(out_depth, 3, padding="same", activation="relu")(x)  # (N, h, w, O)
    return layers.MaxPooling2D(2, strides=2, padding="same")(x)  # (N, h/2, w/2, O)


def vgg_stack(x: Any, num_convs: Sequence[int], out_depths: Sequence[int]) -> Any:
    """Blocks one after the other.

    Returns:
        KerasTensor (N, h/2^n, w/2^n, O) after n blocks.

    Example:
        >>> import minitensor as tf
        >>> tf.models.vgg_stack(tf.keras.Input((32, 32, 3)), [1, 2, 3], [64, 128, 256]).shape
        (None, 4, 4, 256)

    Source: course text 3, `vgg_stack`
    """
    if len(num_convs) != len(out_depths):
        raise ValueError(
            "vgg_stack takes one number of convolutions and one of filters for each block. "
            f"Received: num_convs={list(num_convs)}, out_depths={list(out_depths)}"
        )
    for number, depth in zip(num_convs, out_depths, strict=True):
        x = vgg_block(x, number, depth)
    return x


def vgg(
    num_convs: Sequence[int],
    out_depths: Sequence[int],
    num_outputs: int,
    hidden: Sequence[int] = (100,),
    input_shape: Any = (32, 32, 3),
    name: str = "vgg",
) -> Any:
    """A stack and dense layers on its flattened output.

    Args:
        num_outputs: number of logits.
        hidden: width of the dense layers before them, each with relu.

    Example:
        >>> import minitensor as tf
        >>> tf.models.vgg([1, 1], [8, 16], 10, input_shape=(8, 8, 3)).count_params()
        8902

    Source: course text 3, `vgg`
    """
    inputs = keras.Input(input_shape)
    x = layers.Flatten()(vgg_stack(inputs, num_convs, out_depths))
    for units in hidden:
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model(inputs=inputs, outputs=layers.Dense(num_outputs)(x), name=name)


def vgg11(classes: int = 10) -> Any:
    """8 convolutions and 3 dense layers: 9,385,994 parameters.

    Example:
        >>> import minitensor as tf
        >>> tf.models.vgg11().count_params()
        9385994

    Source: Simonyan and Zisserman 2014, arXiv 1409.1556, column A, dense layers as in course text 4
    """
    return _cifar((1, 1, 2, 2, 2), classes, "vgg11")


def vgg13(classes: int = 10) -> Any:
    """10 convolutions (9,404,992 parameters) and 3 dense layers: 9,570,506; 9,582,116 for 100.

    (32, 32, 3) -> (16, 16, 64) -> (8, 8, 128) -> (4, 4, 256) -> (2, 2, 512) -> (1, 1, 512)
    -> 512 -> 256 -> 128 -> classes

    Example:
        >>> import minitensor as tf
        >>> tf.models.vgg13().count_params(), tf.models.vgg13(classes=100).count_params()
        (9570506, 9582116)

    Source: course texts 0 and 4; Simonyan and Zisserman 2014, arXiv 1409.1556, column B
    """
    return _cifar((2, 2, 2, 2, 2), classes, "vgg13")


def vgg16(classes: int = 10) -> Any:
    """13 convolutions (14,714,688 parameters) and 3 dense layers: 14,880,202.

    Example:
        >>> import minitensor as tf
        >>> tf.models.vgg16().count_params()
        14880202

    Source: Simonyan and Zisserman 2014, arXiv 1409.1556, column D, dense layers as in course text 4
    """
    return _cifar((2, 2, 3, 3, 3), classes, "vgg16")


def vgg19(classes: int = 10) -> Any:
    """16 convolutions (20,024,384 parameters) and 3 dense layers: 20,189,898.

    Example:
        >>> import minitensor as tf
        >>> tf.models.vgg19().count_params()
        20189898

    Source: Simonyan and Zisserman 2014, arXiv 1409.1556, column E, dense layers as in course text 4
    """
    return _cifar((2, 2, 4, 4, 4), classes, "vgg19")


def _cifar(num_convs: Sequence[int], classes: int, name: str) -> Any:
    return vgg(num_convs, _WIDTHS, classes, hidden=(256, 128), name=name)
