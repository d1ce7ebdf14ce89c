"""VGG for 32 by 32 images, from the blocks of course text 3; those of ImageNet are applications.

Args: x, a KerasTensor (N, h, w, C); num_convs and out_depths, the number of convolutions and their
filters, of each block; classes, the number of logits; input_shape, of one image; name, the
model's. Returns of a network: a functional model. Raises: ValueError, lists of different lengths.
Source of all: course text 3, the functions of the same names; of the networks, as they say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minitensor import keras
from minitensor.docstrings import examples_of, named
from minitensor.keras import layers

example = examples_of("tf.models", "")

_WIDTHS = (64, 128, 256, 512, 512)


@example("vgg_block(tf.keras.Input((32, 32, 3)), 2, 64).shape", "(None, 16, 16, 64)")
def vgg_block(x: Any, num_convs: int, out_depth: int) -> Any:
    """Convolutions of 3 by 3 and one pooling, which halves the image.

    Args:
        num_convs: number of convolutions.
        out_depth: filters of each.

    Returns:
        KerasTensor (N, h/2, w/2, out_depth).
    """
    for _ in range(num_convs):
        x = layers.Conv2D(out_depth, 3, padding="same", activation="relu")(x)  # (N, h, w, O)
    return layers.MaxPooling2D(2, strides=2, padding="same")(x)  # (N, h/2, w/2, O)


@example(
    "vgg_stack(tf.keras.Input((32, 32, 3)), [1, 2, 3], [64, 128, 256]).shape", "(None, 4, 4, 256)"
)
def vgg_stack(x: Any, num_convs: Sequence[int], out_depths: Sequence[int]) -> Any:
    """Blocks one after the other.

    Returns:
        KerasTensor (N, h/2^n, w/2^n, O) after n blocks.
    """
    if len(num_convs) != len(out_depths):
        raise ValueError(
            "vgg_stack takes one number of convolutions and one of filters for each block. "
            f"Received: num_convs={list(num_convs)}, out_depths={list(out_depths)}"
        )
    for number, depth in zip(num_convs, out_depths, strict=True):
        x = vgg_block(x, number, depth)
    return x


@example("vgg([1, 1], [8, 16], 10, input_shape=(8, 8, 3)).count_params()", "8902")
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
    """
    inputs = keras.Input(input_shape)
    x = layers.Flatten()(vgg_stack(inputs, num_convs, out_depths))
    for units in hidden:
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model(inputs=inputs, outputs=layers.Dense(num_outputs)(x), name=name)


_TEXT = """{convs} convolutions ({inside:,} parameters) and 3 dense layers: {count:,}.

(32, 32, 3) -> (16, 16, 64) -> (8, 8, 128) -> (4, 4, 256) -> (2, 2, 512) -> (1, 1, 512)
-> 512 -> 256 -> 128 -> classes

Example:
    >>> import minitensor as tf
    >>> tf.models.{name}().count_params(), tf.models.{name}(classes=100).count_params()
    ({count}, {of_100})

Source: Simonyan and Zisserman 2014, arXiv 1409.1556, column {column}; dense layers as in course \
texts 0 and 4
"""


def _cifar(name: str, num_convs: Sequence[int], column: str, count: int) -> Callable[..., Any]:
    """The network of this name: the convolutions of its five blocks, and its parameters."""

    def build(classes: int = 10) -> Any:
        return vgg(num_convs, _WIDTHS, classes, hidden=(256, 128), name=name)

    numbers = {"inside": count - 165_514, "count": count, "of_100": count + 90 * 129}
    text = _TEXT.format(name=name, convs=sum(num_convs), column=column, **numbers)
    return named(name, text, build)


vgg11 = _cifar("vgg11", (1, 1, 2, 2, 2), "A", 9_385_994)
vgg13 = _cifar("vgg13", (2, 2, 2, 2, 2), "B", 9_570_506)
vgg16 = _cifar("vgg16", (2, 2, 3, 3, 3), "D", 14_880_202)
vgg19 = _cifar("vgg19", (2, 2, 4, 4, 4), "E", 20_189_898)
