"""DenseNet: every layer sees the outputs of all layers before it, side by side as channels."""

from __future__ import annotations

from typing import Any

from minitensor.docstrings import named
from minitensor.keras import layers
from minitensor.keras.applications._common import (
    Network,
    Request,
    application,
    channel_axis,
    network,
    norm,
    relu,
)
from minitensor.keras.applications.imagenet_utils import decode_predictions, of_mode
from minitensor.keras.engine.functional import Functional

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

_GROWTH = 32  # channels that each layer adds

preprocess_input = of_mode("torch")


_TEXT = """Dense blocks of {depths} layers: {count} parameters.

x[i+1] = concat(x[i], F(x[i])),  F = norm, relu, conv 1x1 to 128, norm, relu, conv 3x3 to 32

Source: keras.applications.{name}; Huang et al. 2016, arXiv 1608.06993, table 1
"""


def _densenet(name: str, depths: tuple[int, ...], count: str, shown: int) -> Network:
    """The network of this name; the layers of its four dense blocks, and its parameters."""

    def body(x: Any) -> Any:
        x = layers.ZeroPadding2D(3)(x)
        x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
        x = _norm_relu(x, "conv1_")
        x = layers.ZeroPadding2D(1)(x)
        x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
        for stage, depth in enumerate(depths, 2):
            if stage > 2:
                x = _transition(x, f"pool{stage - 1}")
            for i in range(1, depth + 1):
                x = _layer(x, f"conv{stage}_block{i}")
        return _norm_relu(x, "")

    def build(request: Request) -> Functional:
        if channel_axis() == 1:
            raise ValueError(
                "DenseNet does not support the `channels_first` image data format. Switch to "
                "`channels_last`: keras.config.set_image_data_format('channels_last')"
            )
        return network(request, body, pools=("avg_pool", "max_pool"))

    listed = ", ".join(map(str, depths))
    text = _TEXT.format(name=name, depths=listed, count=count)
    asked = "weights=None, input_shape=(32, 32, 3), classes=10"
    return application(name.lower(), asked, shown)(named(name, text, build))


def _layer(x: Any, name: str) -> Any:
    y = _norm_relu(x, f"{name}_0_")
    y = layers.Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = _norm_relu(y, f"{name}_1_")
    y = layers.Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    return layers.Concatenate(axis=3, name=f"{name}_concat")([x, y])


def _transition(x: Any, name: str) -> Any:
    """Half the channels, half the sides."""
    x = _norm_relu(x, f"{name}_")
    x = layers.Conv2D(x.shape[3] // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _norm_relu(x: Any, stem: str) -> Any:
    return relu(norm(x, f"{stem}bn", epsilon=1.001e-5), f"{stem}relu")


DenseNet121 = _densenet("DenseNet121", (6, 12, 24, 16), "8,062,504", 7047754)
DenseNet169 = _densenet("DenseNet169", (6, 12, 32, 32), "14,307,880", 12659530)
DenseNet201 = _densenet("DenseNet201", (6, 12, 48, 32), "20,242,984", 18341194)
