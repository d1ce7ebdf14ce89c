"""MobileNet v2: thin ends and a wide middle; the thin ends are added, and have no relu."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minitensor.keras import layers
from minitensor.keras.applications._common import (
    Request,
    application,
    channel_axis,
    divisible,
    halving_pads,
    network,
    norm,
    predictions,
)
from minitensor.keras.applications.imagenet_utils import decode_predictions, of_mode
from minitensor.keras.applications.mobilenet import LEAST, norm_relu6, with_name
from minitensor.keras.engine.functional import Functional

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

# (filters, stride of the first, how often)
_STAGES = [(16, 1, 1), (24, 2, 2), (32, 2, 3), (64, 2, 4), (96, 1, 3), (160, 2, 3), (320, 1, 1)]
_EXPANSION = 6  # channels of the middle per channel that comes in
_NORM = {"epsilon": 1e-3, "momentum": 0.999}
_SIDES = (96, 128, 160, 192, 224)
_ALPHAS = (0.35, 0.50, 0.75, 1.0, 1.3, 1.4)

preprocess_input = of_mode("tf")


@application(None, "(32, 32, 3), weights=None, alpha=0.35, classes=10", 423018)
def MobileNetV2(  # noqa: N802 -- Keras' name
    request: Request, alpha: float = 1.0
) -> Functional:
    """17 inverted residual blocks: 3,538,984 parameters at full width, which `alpha` multiplies.

    y = x + F(x),  F = conv 1x1 to 6n, depthwise 3x3, conv 1x1 to n, each with a norm

    Source: keras.applications.MobileNetV2; Sandler et al. 2018, arXiv 1801.04381, table 2
    """
    image = _image(request.input_tensor, request.input_shape)
    request, size, rows = with_name(request, alpha, "mobilenetv2", _SIDES, _ALPHAS, image)
    stem = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}"
    request = replace(request, files=(f"{stem}.h5", f"{stem}_no_top.h5"))
    return network(request, lambda x: _body(x, alpha), size, LEAST, _top)


def _top(x: Any, request: Request) -> Any:
    return predictions(layers.GlobalAveragePooling2D()(x), request)


def _body(x: Any, alpha: float) -> Any:
    x = layers.Conv2D(divisible(32 * alpha), 3, 2, padding="same", use_bias=False, name="Conv1")(x)
    x = norm_relu6(x, "bn_Conv1", "Conv1_relu", **_NORM)
    number = 0
    for filters, first, repeats in _STAGES:
        for i in range(repeats):
            x = _block(x, divisible(int(filters * alpha)), 1 if i else first, number)
            number += 1
    width = divisible(1280 * max(1.0, alpha))
    x = layers.Conv2D(width, 1, use_bias=False, name="Conv_1")(x)
    return norm_relu6(x, "Conv_1_bn", "out_relu", **_NORM)


def _block(x: Any, filters: int, stride: int, number: int) -> Any:
    before, channels = x, x.shape[channel_axis()]
    name = f"block_{number}" if number else "expanded_conv"
    if number:
        x = _pointwise(x, _EXPANSION * channels, f"{name}_expand")
        x = norm_relu6(x, f"{name}_expand_BN", f"{name}_expand_relu", **_NORM)
    if stride == 2:
        x = layers.ZeroPadding2D(halving_pads(x, 3), name=f"{name}_pad")(x)
    padding = "same" if stride == 1 else "valid"
    depthwise = f"{name}_depthwise"
    x = layers.DepthwiseConv2D(3, stride, padding=padding, use_bias=False, name=depthwise)(x)
    x = norm_relu6(x, f"{depthwise}_BN", f"{depthwise}_relu", **_NORM)
    x = norm(_pointwise(x, filters, f"{name}_project"), f"{name}_project_BN", **_NORM)
    if (channels, stride) == (filters, 1):
        return layers.Add(name=f"{name}_add")([before, x])
    return x


def _pointwise(x: Any, filters: int, name: str) -> Any:
    return layers.Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x)


def _image(tensor: Any, shape: Any) -> Any:
    """The shape of an image, from the symbolic tensor if there is no other; they must agree."""
    if tensor is None:
        return shape
    columns = 3 if channel_axis() == 1 else 2
    if shape is not None and tensor.shape[columns] != tuple(shape)[columns - 1]:
        raise ValueError(
            f"input_tensor.shape[{columns}] must equal input_shape[{columns - 1}]; Received "
            f"`input_tensor.shape={tensor.shape}`, `input_shape={shape}`"
        )
    return shape or tensor.shape[1:]
