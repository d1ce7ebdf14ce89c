"""VGG: convolutions of 3 by 3, twice as many filters whenever the image is halved."""

from __future__ import annotations

from typing import Any

from minitensor.docstrings import named
from minitensor.keras import layers
from minitensor.keras.applications._common import (
    Network,
    Request,
    application,
    network,
    predictions,
)
from minitensor.keras.applications.imagenet_utils import decode_predictions, of_mode
from minitensor.keras.engine.functional import Functional

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

preprocess_input = of_mode("caffe")


_TEXT = """{convs} convolutions in blocks of {depths}, and 3 dense layers: {count} parameters.

Source: keras.applications.{name}; Simonyan and Zisserman 2014, arXiv 1409.1556, column {column}
"""


def _vgg(name: str, depths: tuple[int, ...], column: str, count: str, shown: int) -> Network:
    """The network of this name; the convolutions of its blocks, and its parameters."""

    def body(x: Any) -> Any:
        for block, depth in enumerate(depths, 1):
            filters = min(512, 32 * 2**block)
            for i in range(1, depth + 1):
                name = f"block{block}_conv{i}"
                x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
            x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
        return x

    def build(request: Request) -> Functional:
        return network(request, body, top=_dense_top)

    listed = ", ".join(map(str, depths))
    text = _TEXT.format(name=name, convs=sum(depths), depths=listed, column=column, count=count)
    asked = "include_top=False, weights=None, input_shape=(32, 32, 3)"
    return application(name.lower(), asked, shown)(named(name, text, build))


def _dense_top(x: Any, request: Request) -> Any:
    x = layers.Flatten(name="flatten")(x)
    for name in ("fc1", "fc2"):
        x = layers.Dense(4096, activation="relu", name=name)(x)
    return predictions(x, request)


VGG16 = _vgg("VGG16", (2, 2, 3, 3, 3), "D", "138,357,544", 14714688)
VGG19 = _vgg("VGG19", (2, 2, 4, 4, 4), "E", "143,667,240", 20024384)
