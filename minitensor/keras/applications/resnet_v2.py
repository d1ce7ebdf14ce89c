"""ResNet V2: bottlenecks whose norms stand before their convolutions; what is added stays bare."""

from __future__ import annotations

from typing import Any

from minitensor.docstrings import named
from minitensor.keras import layers
from minitensor.keras.applications._common import (
    Network,
    Request,
    application,
    network,
    norm,
    relu,
)
from minitensor.keras.applications.imagenet_utils import decode_predictions, of_mode
from minitensor.keras.engine.functional import Functional

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]

preprocess_input = of_mode("tf")

_EPSILON = 1.001e-5
_TEXT = """Bottlenecks {depths} times: {count} parameters.

y = shortcut(x) + F(x),  F = norm, conv 1x1 to n, norm, conv 3x3, norm, conv 1x1 to 4n

Source: keras.applications.{name}; He et al. 2016, arXiv 1603.05027
"""


def _resnet(name: str, depths: tuple[int, ...], count: str, shown: int) -> Network:
    """The network of this name; how often stages 2 to 5 have a bottleneck, and its parameters."""

    def body(x: Any) -> Any:
        x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
        x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
        x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
        x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
        for stage, depth in enumerate(depths, 2):
            for i in range(1, depth + 1):
                stride = 2 if i == depth and stage < 5 else 1
                x = _bottleneck(x, 16 * 2**stage, stride, i == 1, f"conv{stage}_block{i}")
        return relu(norm(x, "post_bn", epsilon=_EPSILON), "post_relu")

    def build(request: Request) -> Functional:
        return network(request, body, pools=("avg_pool", "max_pool"))

    text = _TEXT.format(name=name, depths=", ".join(map(str, depths)), count=count)
    asked = "weights=None, input_shape=(32, 32, 3), classes=10"
    return application(name.lower(), asked, shown)(named(name, text, build))


def _bottleneck(x: Any, filters: int, stride: int, widens: bool, name: str) -> Any:
    before = _active(x, f"{name}_preact")
    shortcut = x
    if widens:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(before)
    elif stride > 1:
        shortcut = layers.MaxPooling2D(1, strides=stride)(x)
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(before)
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(_active(x, f"{name}_1"))
    x = layers.Conv2D(filters, 3, strides=stride, use_bias=False, name=f"{name}_2_conv")(x)
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(_active(x, f"{name}_2"))
    return layers.Add(name=f"{name}_out")([shortcut, x])


def _active(x: Any, name: str) -> Any:
    return relu(norm(x, f"{name}_bn", epsilon=_EPSILON), f"{name}_relu")


ResNet50V2 = _resnet("ResNet50V2", (3, 4, 6, 3), "25,613,800", 23585290)
ResNet101V2 = _resnet("ResNet101V2", (3, 4, 23, 3), "44,675,560", 42647050)
ResNet152V2 = _resnet("ResNet152V2", (3, 8, 36, 3), "60,380,648", 58352138)
