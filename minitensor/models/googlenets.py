"""GoogLeNet, windows of four kinds beside one another: of course text 3, and of the paper.

Args: x, a KerasTensor (N, h, w, C); classes, the number of logits. Returns of a network: a
functional model. Source of all: course text 3, the functions of the same names; Szegedy et al.
2014, arXiv 1409.4842, figure 2b, table 1 and section 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor import keras
from minitensor.docstrings import examples_of
from minitensor.keras import layers
from minitensor.models.alexnets import response_norm
from minitensor.models.slim import conv_norm

example = examples_of("tf.models", "")

Widths = tuple[int, int, int, int, int, int]
Conv = Callable[[Any, int, int], Any]  # of a tensor, a number of filters and of taps

# Inception modules of the paper's table 1: 1x1, before 3x3, 3x3, before 5x5, 5x5, after the pool
_THREE = [(64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)]
_FOUR = [
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
]
_FIVE = [(256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)]
# Where the course text prints other numbers: 24 for 32, and 182 for 192.
_MISPRINTS = {_FOUR[3]: (112, 144, 288, 24, 64, 64), _FIVE[1]: (384, 182, 384, 48, 128, 128)}


@example(
    "inception(tf.keras.Input((8, 8, 192)), (64, 96, 128, 16, 32, 32)).shape", "(None, 8, 8, 256)"
)
def inception(x: Any, widths: Widths, conv: Conv = conv_norm, as_printed: bool = False) -> Any:
    """Four branches side by side: 1x1; 1x1 and 3x3; 1x1 and 5x5; a pool of 3x3 and 1x1.

    Args:
        widths: filters d0_1, d1_1, d1_3, d2_1, d2_5, d3_1.
        conv: a function of a tensor, filters and taps.
        as_printed: whether the 5x5 gets d2_1 filters, as in the course text, instead of d2_5.

    Returns:
        KerasTensor (N, h, w, d0_1 + d1_3 + d2_5 + d3_1).
    """
    d0_1, d1_1, d1_3, d2_1, d2_5, d3_1 = widths
    branches = [
        conv(x, d0_1, 1),
        conv(conv(x, d1_1, 1), d1_3, 3),
        conv(conv(x, d2_1, 1), d2_1 if as_printed else d2_5, 5),
        conv(layers.MaxPooling2D(3, strides=1, padding="same")(x), d3_1, 1),
    ]
    return layers.Concatenate()(branches)  # (N, h, w, sum of the four)


def googlenet(classes: int = 10, as_printed: bool = False) -> Any:
    """GoogLeNet for 32 by 32, repaired: 5,979,194 trainable parameters.

    (32, 32, 3) -> conv 5x5/2 (16, 16, 64) -> 1x1, 3x3, pool (8, 8, 192) -> 2 modules, pool
    (4, 4, 480) -> 5 modules, pool (2, 2, 832) -> 2 modules, mean (1, 1, 1024) -> classes

    As printed, three numbers differ from the paper: 5,308,304 trainable parameters, and 416, 736
    and 944 channels after the three groups of modules.

    Args:
        as_printed: whether the course text's three mistakes stay.

    Example:
        >>> import minitensor as tf
        >>> net = tf.models.googlenet()
        >>> sum(w.shape.num_elements() for w in net.trainable_weights)
        5979194

    Source: course text 3, `googlenet`
    """
    inputs = keras.Input((32, 32, 3))
    x = conv_norm(inputs, 64, 5, strides=2)  # (N, 16, 16, 64)
    x = conv_norm(conv_norm(x, 64, 1), 192, 3)  # (N, 16, 16, 192)
    x = _modules(x, conv_norm, as_printed)[-1]  # (N, 2, 2, 1024)
    x = layers.AveragePooling2D(2, strides=2, padding="same")(x)  # (N, 1, 1, 1024)
    x = layers.Dense(classes)(layers.Flatten()(x))
    return keras.Model(inputs=inputs, outputs=x, name="googlenet")


@example("inception_v1(classes=10, input_shape=(32, 32, 3)).count_params()", "5983802")
def inception_v1(
    classes: int = 1000, auxiliary: bool = False, input_shape: Any = (224, 224, 3)
) -> Any:
    """GoogLeNet as in the paper: 6,998,552 parameters, 13,378,280 with both auxiliary classifiers.

    (224, 224, 3) -> conv 7x7/2 (112, 112, 64) -> pool (56, 56, 64) -> 1x1, 3x3, pool
    (28, 28, 192) -> 2 modules, pool (14, 14, 480) -> 5 modules, pool (7, 7, 832) -> 2 modules,
    mean 1024 -> classes

    Args:
        auxiliary: whether modules 4a and 4d have classifiers too, whose losses count 0.3 each.
        input_shape: of one image; exactly (224, 224, channels) with `auxiliary`.

    Returns:
        A functional model; with `auxiliary` its outputs are the logits, those of 4a, those of 4d.
    """
    inputs = keras.Input(input_shape)
    x = _conv_relu(inputs, 64, 7, strides=2)  # (N, 112, 112, 64)
    x = layers.MaxPooling2D(3, 2, padding="same")(x)  # (N, 56, 56, 64)
    x = _conv_relu(_response_norm(x), 64, 1)
    x = _response_norm(_conv_relu(x, 192, 3))  # (N, 56, 56, 192)
    modules = _modules(x, _conv_relu)
    x = layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(modules[-1]))  # (N, 1024)
    outputs = [layers.Dense(classes)(x)]
    if auxiliary:
        outputs += [_auxiliary(modules[2], classes), _auxiliary(modules[5], classes)]
    return keras.Model(
        inputs=inputs, outputs=outputs if auxiliary else outputs[0], name="inception_v1"
    )


def _modules(x: Any, conv: Conv, as_printed: bool = False) -> list[Any]:
    """What each of the nine modules gives; a pool stands before each group."""
    outputs = []
    for group in (_THREE, _FOUR, _FIVE):
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)  # (N, h/2, w/2, C)
        for widths in group:
            shown = _MISPRINTS.get(widths, widths) if as_printed else widths
            x = inception(x, shown, conv, as_printed)
            outputs.append(x)
    return outputs


def _auxiliary(x: Any, classes: int) -> Any:
    """A classifier half-way, so that early layers get gradients of their own."""
    x = layers.AveragePooling2D(5, 3)(x)  # (N, 4, 4, C)
    x = layers.Flatten()(_conv_relu(x, 128, 1))
    x = layers.Dropout(0.7)(layers.Dense(1024, activation="relu")(x))
    return layers.Dense(classes)(x)


def _conv_relu(x: Any, filters: int, taps: int, strides: int = 1) -> Any:
    return layers.Conv2D(filters, taps, strides, padding="same", activation="relu")(x)


def _response_norm(x: Any) -> Any:
    return response_norm(alpha=2e-5, bias=1.0)(x)
