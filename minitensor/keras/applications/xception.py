"""Xception: separable convolutions, in blocks that add to what comes in."""

from __future__ import annotations

from typing import Any

from minitensor.keras import layers
from minitensor.keras.applications._common import Request, application, network, norm, relu
from minitensor.keras.applications.imagenet_utils import decode_predictions, of_mode
from minitensor.keras.engine.functional import Functional

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

# Channels of the separable convolutions of blocks 2...13; a block that changes them halves the
# image, and its shortcut is a convolution.
_BLOCKS = [(128, 128), (256, 256), (728, 728), *[(728, 728, 728)] * 8, (728, 1024)]

preprocess_input = of_mode("tf")


@application("xception", "weights=None, input_shape=(71, 71, 3), classes=10", 20881970)
def Xception(request: Request) -> Functional:  # noqa: N802 -- Keras' name
    """36 convolutions in 14 blocks, 34 of them separable: 22,910,480 parameters.

    Source: keras.applications.Xception; Chollet 2016, arXiv 1610.02357, figure 5
    """
    return network(request, _body, size=299, least=71)


def _body(x: Any) -> Any:
    for i, (filters, stride) in enumerate([(32, 2), (64, 1)], 1):
        name = f"block1_conv{i}"
        x = layers.Conv2D(filters, 3, strides=stride, use_bias=False, name=name)(x)
        x = relu(norm(x, f"{name}_bn"), f"{name}_act")
    before = 64
    for number, widths in enumerate(_BLOCKS, 2):
        x = _block(x, widths, widths[-1] != before, f"block{number}")
        before = widths[-1]
    for i, filters in enumerate((1536, 2048), 1):
        name = f"block14_sepconv{i}"
        x = relu(_separable(x, filters, name), f"{name}_act")
    return x


def _block(x: Any, widths: tuple[int, ...], halves: bool, name: str) -> Any:
    shortcut = x
    if halves:
        shortcut = layers.Conv2D(widths[-1], 1, strides=2, padding="same", use_bias=False)(x)
        shortcut = norm(shortcut)
    for i, filters in enumerate(widths, 1):
        if (name, i) != ("block2", 1):  # what comes in there is behind a relu already
            x = relu(x, f"{name}_sepconv{i}_act")
        x = _separable(x, filters, f"{name}_sepconv{i}")
    if halves:
        x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.add([x, shortcut])


def _separable(x: Any, filters: int, name: str) -> Any:
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return norm(x, f"{name}_bn")
