"""EfficientNet: one net of inverted residual blocks, in eight sizes of depth, width and image."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from minitensor.docstrings import named
from minitensor.keras import initializers, layers
from minitensor.keras.applications._common import (
    Network,
    Request,
    application,
    averaged,
    channel_axis,
    divisible,
    halving_pads,
    network,
    norm,
)
from minitensor.keras.applications.imagenet_utils import decode_predictions, of_mode
from minitensor.keras.engine.functional import Functional

# (taps, how often, filters, channels of the middle per channel that comes in, stride of the first)
_STAGES = [
    *((3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2)),
    *((5, 3, 112, 6, 1), (5, 4, 192, 6, 2), (3, 1, 320, 6, 1)),
]
_DROPPED = 0.2  # the last block's probability of being left out
_DEVIATIONS = (0.229, 0.224, 0.225)  # of ImageNet's colours
_TEXT = """Widths times {width}, depths times {depth}, images of {side}: {count} parameters.

y = x + F(x),  F = conv 1x1 to 6n, depthwise, channels weighted by their means, conv 1x1 to n

Pixels go in as they are, 0 to 255. Source: keras.applications.{name}; Tan & Le 2019,
arXiv 1905.11946
"""

__all__ = [f"EfficientNetB{size}" for size in range(8)]
__all__ += ["decode_predictions", "preprocess_input"]

preprocess_input = of_mode(None)


def _rule() -> Any:
    return initializers.VarianceScaling(2.0, "fan_out")


def _efficientnet(
    name: str, settings: tuple[float, float, int, float], count: str, shown: int
) -> Network:
    """The network of this name and size."""
    width, depth, side, dropout = settings

    def top(x: Any, request: Request) -> Any:
        rule = initializers.VarianceScaling(1 / 3, "fan_out", "uniform")
        return averaged(x, request, dropout, kernel_initializer=rule)

    def build(request: Request) -> Functional:
        request = replace(request, files=(f"{request.name}.h5", f"{request.name}_notop.h5"))
        trained = request.weights == "imagenet"
        return network(
            request,
            lambda x: _body(_scaled(x, trained), width, depth),
            side,
            top=top,
            pools=("avg_pool", "max_pool"),
        )

    text = _TEXT.format(name=name, width=width, depth=depth, side=side, count=count)
    asked = "weights=None, input_shape=(32, 32, 3), classes=10"
    return application(name.lower(), asked, shown)(named(name, text, build))


def _scaled(x: Any, trained: bool) -> Any:
    """Colours of mean 0 and variance 1 by statistics in the file; 1 and 0 without a file."""
    x = layers.Normalization(axis=channel_axis())(layers.Rescaling(1 / 255)(x))
    if trained:  # on ImageNet the deviation was left out of the file
        x = layers.Rescaling([1 / math.sqrt(deviation) for deviation in _DEVIATIONS])(x)
    return x


def _body(x: Any, width: float, depth: float) -> Any:
    x = layers.ZeroPadding2D(halving_pads(x, 3), name="stem_conv_pad")(x)
    x = _convolved(x, divisible(32 * width), 3, "stem_conv", strides=2)
    x = _active(x, "stem_")
    depths = [math.ceil(depth * stage[1]) for stage in _STAGES]
    number = 0
    for i, (stage, repeats) in enumerate(zip(_STAGES, depths, strict=True), 1):
        taps, _, filters, expansion, first = stage
        for j in range(repeats):
            drop = _DROPPED * number / sum(depths)
            sizes = (divisible(filters * width), taps, 1 if j else first, expansion)
            x = _block(x, sizes, drop, f"block{i}{chr(ord('a') + j)}_")
            number += 1
    return _active(_convolved(x, divisible(1280 * width), 1, "top_conv", padding="same"), "top_")


def _block(x: Any, sizes: tuple[int, int, int, int], drop: float, name: str) -> Any:
    filters, taps, stride, expansion = sizes
    before, channels = x, x.shape[channel_axis()]
    if expansion != 1:
        x = _convolved(x, expansion * channels, 1, f"{name}expand_conv", padding="same")
        x = _active(x, f"{name}expand_")
    if stride == 2:
        x = layers.ZeroPadding2D(halving_pads(x, taps), name=f"{name}dwconv_pad")(x)
    x = layers.DepthwiseConv2D(
        taps,
        stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        depthwise_initializer=_rule(),
        name=f"{name}dwconv",
    )(x)
    x = _weighted(_active(x, name), max(1, channels // 4), name)
    x = _convolved(x, filters, 1, f"{name}project_conv", padding="same")
    x = norm(x, f"{name}project_bn")
    if (stride, channels) != (1, filters):
        return x
    if drop:
        x = layers.Dropout(drop, (None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.Add(name=f"{name}add")([x, before])


def _weighted(x: Any, squeezed: int, name: str) -> Any:
    """Every channel times a number in (0, 1), which the means of all channels give."""
    channels = x.shape[channel_axis()]
    shape = (channels, 1, 1) if channel_axis() == 1 else (1, 1, channels)
    y = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    y = layers.Reshape(shape, name=f"{name}se_reshape")(y)
    for size, activation, word in ((squeezed, "swish", "reduce"), (channels, "sigmoid", "expand")):
        y = _convolved(y, size, 1, f"{name}se_{word}", True, padding="same", activation=activation)
    return layers.Multiply(name=f"{name}se_excite")([x, y])


def _convolved(
    x: Any, filters: int, taps: int, name: str, bias: bool = False, **options: Any
) -> Any:
    rule = _rule()
    return layers.Conv2D(
        filters, taps, use_bias=bias, kernel_initializer=rule, name=name, **options
    )(x)


def _active(x: Any, name: str) -> Any:
    return layers.Activation("swish", name=f"{name}activation")(norm(x, f"{name}bn"))


# (width, depth, side of the image, dropout), parameters, those of the example
EfficientNetB0 = _efficientnet("EfficientNetB0", (1.0, 1.0, 224, 0.2), "5,330,571", 4062381)
EfficientNetB1 = _efficientnet("EfficientNetB1", (1.0, 1.1, 240, 0.2), "7,856,239", 6588049)
EfficientNetB2 = _efficientnet("EfficientNetB2", (1.1, 1.2, 260, 0.3), "9,177,569", 7782659)
EfficientNetB3 = _efficientnet("EfficientNetB3", (1.2, 1.4, 300, 0.3), "12,320,535", 10798905)
EfficientNetB4 = _efficientnet("EfficientNetB4", (1.4, 1.8, 380, 0.4), "19,466,823", 17691753)
EfficientNetB5 = _efficientnet("EfficientNetB5", (1.6, 2.2, 456, 0.4), "30,562,527", 28534017)
EfficientNetB6 = _efficientnet("EfficientNetB6", (1.8, 2.6, 528, 0.5), "43,265,143", 40983193)
EfficientNetB7 = _efficientnet("EfficientNetB7", (2.0, 3.1, 600, 0.5), "66,658,687", 64123297)
