"""MobileNetV3: inverted residual blocks that a search chose, some with weighted channels."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from minitensor.docstrings import named
from minitensor.keras import layers
from minitensor.keras.applications._common import (
    Network,
    Request,
    Shape,
    application,
    channel_axis,
    divisible,
    halving_pads,
    network,
    norm,
)
from minitensor.keras.applications.imagenet_utils import decode_predictions, of_mode
from minitensor.keras.engine.functional import Functional

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

preprocess_input = of_mode(None)

_NORM = {"epsilon": 1e-3, "momentum": 0.999}
# (middle per channel that comes in, filters, whether the window is large, stride, whether channels
# are weighted, whether hard swish stands for relu)
_Block = tuple[float, int, bool, int, bool, bool]
_SMALL: list[_Block] = [
    (1, 16, False, 2, True, False),
    (72 / 16, 24, False, 2, False, False),
    (88 / 24, 24, False, 1, False, False),
    (4, 40, True, 2, True, True),
    *[(6, 40, True, 1, True, True)] * 2,
    *[(3, 48, True, 1, True, True)] * 2,
    (6, 96, True, 2, True, True),
    *[(6, 96, True, 1, True, True)] * 2,
]
_LARGE: list[_Block] = [
    (1, 16, False, 1, False, False),
    (4, 24, False, 2, False, False),
    (3, 24, False, 1, False, False),
    (3, 40, True, 2, True, False),
    *[(3, 40, True, 1, True, False)] * 2,
    (6, 80, False, 2, False, True),
    (2.5, 80, False, 1, False, True),
    *[(2.3, 80, False, 1, False, True)] * 2,
    *[(6, 112, False, 1, True, True)] * 2,
    (6, 160, True, 2, True, True),
    *[(6, 160, True, 1, True, True)] * 2,
]
_ORDER = (
    *("input_shape", "alpha", "minimalistic", "include_top", "weights", "input_tensor", "classes"),
    *("pooling", "dropout_rate", "classifier_activation", "include_preprocessing", "name"),
)
_TEXT = """{blocks} inverted residual blocks: {count} parameters at full width.

y = x + F(x),  F = conv 1x1, depthwise, channels weighted by their means, conv 1x1

`alpha` multiplies the widths; `minimalistic` leaves out large windows, weighted channels and hard
swish; `dropout_rate` is at the end; `include_preprocessing` brings pixels 0 to 255 to [-1, 1].

Source: keras.applications.{name}; Howard et al. 2019, arXiv 1905.02244
"""


def _mobilenet(name: str, blocks: list[_Block], last: int, count: str, shown: int) -> Network:
    """The network of this name, its blocks, and how wide it is before the classes."""

    def build(
        request: Request,
        alpha: float = 1.0,
        minimalistic: bool = False,
        dropout_rate: float = 0.2,
        include_preprocessing: bool = True,
    ) -> Functional:
        shape = _image(request, alpha, minimalistic)
        kind = name.removeprefix("MobileNetV3").lower() + ("_minimalistic" if minimalistic else "")
        stem = f"weights_mobilenet_v3_{kind}_224_{alpha}_float"
        request = replace(request, files=(f"{stem}.h5", f"{stem}_no_top_v2.h5"))

        def body(x: Any) -> Any:
            if include_preprocessing:
                x = layers.Rescaling(1 / 127.5, -1.0)(x)
            return _body(x, blocks, alpha, minimalistic)

        def top(x: Any, request: Request) -> Any:
            width = divisible(last * alpha) if alpha > 1 else last
            return _top(x, request, width, dropout_rate, minimalistic)

        pools = ("avg_pool", "max_pool")
        return network(request, body, top=top, pools=pools, shape=shape)

    text = _TEXT.format(name=name, blocks=len(blocks), count=count)
    asked = "weights=None, input_shape=(32, 32, 3), classes=10"
    return application(name, asked, shown, _ORDER)(named(name, text, build))


def _body(x: Any, blocks: list[_Block], alpha: float, minimalistic: bool) -> Any:
    x = layers.Conv2D(16, 3, 2, padding="same", use_bias=False, name="conv")(x)
    x = _active(norm(x, "conv_bn", **_NORM), not minimalistic)
    for number, (expansion, filters, wide, stride, weighted, swish) in enumerate(blocks):
        taps = 5 if wide and not minimalistic else 3
        plain = (divisible(filters * alpha), taps, stride)
        special = (weighted and not minimalistic, swish and not minimalistic)
        x = _block(x, expansion, plain, special, number)
    width = divisible(6 * x.shape[channel_axis()])
    x = norm(_pointwise(x, width, "conv_1"), "conv_1_bn", **_NORM)
    return _active(x, not minimalistic)


def _block(
    x: Any, expansion: float, plain: tuple[int, int, int], special: tuple[bool, bool], number: int
) -> Any:
    (filters, taps, stride), (weighted, swish) = plain, special
    before, channels = x, x.shape[channel_axis()]
    name = f"expanded_conv_{number}_" if number else "expanded_conv_"
    middle = divisible(channels * expansion)
    if number:
        x = norm(_pointwise(x, middle, f"{name}expand"), f"{name}expand_bn", **_NORM)
        x = _active(x, swish)
    if stride == 2:
        x = layers.ZeroPadding2D(halving_pads(x, taps), name=f"{name}depthwise_pad")(x)
    padding = "same" if stride == 1 else "valid"
    depthwise = f"{name}depthwise"
    x = layers.DepthwiseConv2D(taps, stride, padding=padding, use_bias=False, name=depthwise)(x)
    x = _active(norm(x, f"{depthwise}_bn", **_NORM), swish)
    if weighted:
        x = _weighted(x, middle, f"{name}squeeze_excite_")
    x = norm(_pointwise(x, filters, f"{name}project"), f"{name}project_bn", **_NORM)
    return layers.Add(name=f"{name}add")([before, x]) if (stride, channels) == (1, filters) else x


def _weighted(x: Any, channels: int, name: str) -> Any:
    """Every channel times a number in [0, 1], which the means of all channels give."""
    y = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}avg_pool")(x)
    y = _pointwise(y, divisible(channels / 4), f"{name}conv", True)
    y = _pointwise(layers.ReLU(name=f"{name}relu")(y), channels, f"{name}conv_1", True)
    y = layers.ReLU(6.0)(y + 3.0) * (1.0 / 6.0)
    return layers.Multiply(name=f"{name}mul")([x, y])


def _top(x: Any, request: Request, width: int, dropout: float, minimalistic: bool) -> Any:
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = _active(_pointwise(x, width, "conv_2", True), not minimalistic)
    if dropout:
        x = layers.Dropout(dropout)(x)
    x = layers.Flatten()(_pointwise(x, request.classes, "logits", True))
    return layers.Activation(request.classifier_activation, name="predictions")(x)


def _pointwise(x: Any, filters: int, name: str, bias: bool = False) -> Any:
    return layers.Conv2D(filters, 1, padding="same", use_bias=bias, name=name)(x)


def _active(x: Any, swish: bool) -> Any:
    return layers.Activation("hard_swish")(x) if swish else layers.ReLU()(x)


def _image(request: Request, alpha: float, minimalistic: bool) -> Shape:
    """The shape of an image, of any sides if nothing is asked for."""
    first = channel_axis() == 1
    shape, tensor = request.input_shape, request.input_tensor
    if shape is None:
        shape = (3, None, None) if first else (None, None, 3)
        shape = shape if tensor is None else tuple(tensor.shape[1:])
    sides = shape[1:] if first else shape[:-1]
    if any(side is not None and side < 32 for side in sides):
        raise ValueError(
            f"Input size must be at least 32x32; Received `input_shape={tuple(shape)}`"
        )
    if request.weights == "imagenet":
        legal = (1.0,) if minimalistic else (0.75, 1.0)
        if alpha not in legal:
            raise ValueError(
                f"If imagenet weights are being loaded, alpha can be one of {legal} only. "
                f"Received alpha={alpha}, minimalistic={minimalistic}"
            )
        if tuple(sides) != (224, 224):
            warnings.warn(
                "`input_shape` is undefined or non-square, or `rows` is not 224. Weights for input "
                "shape (224, 224) will be loaded as the default.",
                stacklevel=4,
            )
    return tuple(shape)


MobileNetV3Small = _mobilenet("MobileNetV3Small", _SMALL, 1024, "2,554,968", 1540218)
MobileNetV3Large = _mobilenet("MobileNetV3Large", _LARGE, 1280, "5,507,432", 4239242)
