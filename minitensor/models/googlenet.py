"""GoogLeNet: windows of four kinds beside one another, twice: of seed 003, and of the paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor import keras
from minitensor.keras import layers
from minitensor.models.alexnet import response_norm
from minitensor.models.slim import conv_norm

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
# Where the seed prints other numbers: 24 for 32, and 182 for 192.
_MISPRINTS = {_FOUR[3]: (112, 144, 288, 24, 64, 64), _FIVE[1]: (384, 182, 384, 48, 128, 128)}


def inception(x: Any, widths: Widths, conv: Conv = conv_norm, as_printed: bool = False) -> Any:
    """Four branches side by side: 1x1; 1x1 and 3x3; 1x1 and 5x5; a pool of 3x3 and 1x1.

    Args:
        x: KerasTensor (N, h, w, C).
        widths: filters d0_1, d1_1, d1_3, d2_1, d2_5, d3_1.
        conv: a function of a tensor, filters and taps.
        as_printed: whether the 5x5 gets d2_1 filters, as in the seed, instead of d2_5.

    Returns:
        KerasTensor (N, h, w, d0_1 + d1_3 + d2_5 + d3_1).

    Example:
        >>> inception(keras.Input((8, 8, 192)), (64, 96, 128, 16, 32, 32)).shape
        (None, 8, 8, 256)

    Source: seed 003, `inception`; Szegedy et al. 2014, arXiv 1409.4842, figure 2b
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
        classes: number of logits.
        as_printed: whether the seed's three mistakes stay.

    Returns:
        A drawn model; each convolution has a norm without gamma, as slim makes it.

    Example:
        >>> net = googlenet()
        >>> sum(w.shape.num_elements() for w in net.trainable_weights)
        5979194

    Source: seed 003, `googlenet`
    """
    inputs = keras.Input((32, 32, 3))
    x = conv_norm(inputs, 64, 5, strides=2)  # (N, 16, 16, 64)
    x = conv_norm(conv_norm(x, 64, 1), 192, 3)
    for group in (_THREE, _FOUR, _FIVE):
        if group is not _THREE:
            x = _modules_before
    return x
