"""MobileNet: each convolution split in one window per channel, and one number per pair of them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from minitensor.keras import layers
from minitensor.keras.applications._common import Request, application, channel_axis, network, norm
from minitensor.keras.applications._common import input_shape as image_shape
from minitensor.keras.applications.imagenet_utils import decode_predictions, of_mode
from minitensor.keras.engine.functional import Functional

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

# (filters, stride) of blocks 1...13
_BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5]
_BLOCKS += [(1024, 2), (1024, 1)]
_SIDES = (128, 160, 192, 224)
_FILES = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}

LEAST = 32

preprocess_input = of_mode("tf")


@application(None, "(32, 32, 3), weights=None, alpha=0.25, classes=10", 221114)
def MobileNet(  # noqa: N802 -- Keras' name
    request: Request, alpha: float = 1.0, depth_multiplier: int = 1, dropout: float = 1e-3
) -> Functional:
    """13 depthwise separable blocks: 4,253,864 parameters at full width.

    `alpha` multiplies all numbers of filters, `depth_multiplier` the windows per channel;
    `dropout` is the rate before the classifier.

    Source: keras.applications.MobileNet; Howard et al. 2017, arXiv 1704.04861, table 1
    """
    if request.weights == "imagenet" and depth_multiplier != 1:
        raise ValueError(
            "If imagenet weights are being loaded, depth multiplier must be 1. "
            f"Received depth_multiplier={depth_multiplier}"
        )
    shape = request.input_shape
    request, size, rows = with_name(request, alpha, "mobilenet", _SIDES, tuple(_FILES), shape)
    stem = f"mobilenet_{_FILES.get(alpha)}_{rows}_tf"
    return network(
        replace(request, files=(f"{stem}.h5", f"{stem}_no_top.h5")),
        lambda x: _body(x, alpha, depth_multiplier),
        size,
        LEAST,
        lambda x, request: _top(x, request, dropout),
    )


def _body(x: Any, alpha: float, multiplier: int) -> Any:
    x = layers.Conv2D(int(32 * alpha), 3, 2, padding="same", use_bias=False, name="conv1")(x)
    x = norm_relu6(x, "conv1_bn", "conv1_relu")
    for number, (filters, stride) in enumerate(_BLOCKS, 1):
        x = _block(x, int(filters * alpha), stride, multiplier, number)
    return x


def _top(x: Any, request: Request, dropout: float) -> Any:
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Conv2D(request.classes, 1, padding="same", name="conv_preds")(x)
    x = layers.Reshape((request.classes,), name="reshape_2")(x)
    return layers.Activation(request.classifier_activation, name="predictions")(x)


def _block(x: Any, filters: int, stride: int, multiplier: int, number: int) -> Any:
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = layers.DepthwiseConv2D(
        3,
        stride,
        padding="same" if stride == 1 else "valid",
        depth_multiplier=multiplier,
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = norm_relu6(x, f"conv_dw_{number}_bn", f"conv_dw_{number}_relu")
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    return norm_relu6(x, f"conv_pw_{number}_bn", f"conv_pw_{number}_relu")


# ----- what both MobileNets share -----


def with_name(
    request: Request,
    alpha: float,
    stem: str,
    sides: tuple[int, ...],
    alphas: tuple[float, ...],
    image: Any,
) -> tuple[Request, int, int | None]:
    """The request with a name like "mobilenet_1.00_224", the usual side, and the side.

    Trained weights exist for images of `sides` and for the widths `alphas`.
    """
    sides_of = slice(1, 3) if channel_axis() == 1 else slice(0, 2)
    asked = image and tuple(image)[sides_of]
    usual = asked[0] if asked and asked[0] == asked[1] and asked[0] in sides else 224
    rows, columns = image_shape(request, usual, LEAST)[sides_of]
    if request.weights == "imagenet":
        if alpha not in alphas:
            raise ValueError(
                "If imagenet weights are being loaded, alpha can be one of "
                f"{alphas} only. Received alpha={alpha}"
            )
        if rows != columns or rows not in sides:
            rows = 224
            warnings.warn(
                f"`input_shape` is undefined or non-square, or `rows` is not in {list(sides)}. "
                "Weights for input shape (224, 224) will be loaded as the default.",
                stacklevel=3,
            )
    return replace(request, name=request.name or f"{stem}_{alpha:0.2f}_{rows}"), usual, rows


def norm_relu6(x: Any, norm_name: str, relu_name: str, **options: Any) -> Any:
    """Norm, and what is left between 0 and 6."""
    return layers.ReLU(6.0, name=relu_name)(norm(x, norm_name, **options))
