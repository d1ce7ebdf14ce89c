"""ResNet: blocks that add to what comes in, of three convolutions (1, 3, 1) behind a bottleneck."""

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

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]

preprocess_input = of_mode("caffe")


_TEXT = """Bottlenecks {depths} times: {count} parameters.

y = relu(shortcut(x) + F(x)),  F = conv 1x1 to n, conv 3x3, conv 1x1 to 4n, each with a norm

Source: keras.applications.{name}; He et al. 2015, arXiv 1512.03385, table 1
"""


def _resnet(name: str, depths: tuple[int, ...], count: str, shown: int) -> Network:
    """The network of this name; how often stages 2 to 5 have a bottleneck, and its parameters."""

    def body(x: Any) -> Any:
        x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
        x = relu(_conv(x, 64, 7, "conv1", strides=2), "conv1_relu")
        x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
        x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
        for stage, depth in enumerate(depths, 2):
            for i in range(1, depth + 1):
                stride = 2 if i == 1 and stage > 2 else 1
                x = _bottleneck(x, 16 * 2**stage, stride, i == 1, f"conv{stage}_block{i}")
        return x

    def build(request: Request) -> Functional:
        return network(request, body, pools=("avg_pool", "max_pool"))

    listed = ", ".join(map(str, depths))
    text = _TEXT.format(name=name, depths=listed, count=count)
    asked = "weights=None, input_shape=(32, 32, 3), classes=10"
    return application(name.lower(), asked, shown)(named(name, text, build))


def _bottleneck(x: Any, filters: int, stride: int, widens: bool, name: str) -> Any:
    shortcut = x
    if widens:
        shortcut = _conv(x, 4 * filters, 1, f"{name}_0", strides=stride)
    x = relu(_conv(x, filters, 1, f"{name}_1", strides=stride), f"{name}_1_relu")
    x = relu(_conv(x, filters, 3, f"{name}_2", padding="same"), f"{name}_2_relu")
    x = _conv(x, 4 * filters, 1, f"{name}_3")
    return relu(layers.Add(name=f"{name}_add")([shortcut, x]), f"{name}_out")


def _conv(x: Any, filters: int, taps: int, name: str, **options: Any) -> Any:
    x = layers.Conv2D(filters, taps, name=f"{name}_conv", **options)(x)
    return norm(x, f"{name}_bn", epsilon=1.001e-5)


ResNet50 = _resnet("ResNet50", (3, 4, 6, 3), "25,636,712", 23608202)
ResNet101 = _resnet("ResNet101", (3, 4, 23, 3), "44,707,176", 42678666)
ResNet152 = _resnet("ResNet152", (3, 8, 36, 3), "60,419,944", 58391434)
