"""VGG: convolutions of 3 by 3, twice as many filters whenever the image is halved."""

from __future__ import annotations

from typing import Any

from minitensor.keras import layers
from minitensor.keras.applications._common import Request, application, network, predictions
from minitensor.keras.applications.imagenet_utils import decode_predictions, of_mode
from minitensor.keras.engine.functional import Functional

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

preprocess_input = of_mode("caffe")


@application("vgg16")
def VGG16(request: Request) -> Functional:  # noqa: N802 -- Keras' name
    """13 convolutions in blocks of 2, 2, 3, 3, 3, and 3 dense layers: 138,357,544 parameters.

    Example:
        >>> import minitensor as tf
        >>> applications = tf.keras.applications
        >>> net = applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
        >>> net.count_params()
        14714688

    Source: keras.applications.VGG16; Simonyan and Zisserman 2014, arXiv 1409.1556, column D
    """
    return vgg((2, 2, 3, 3, 3), request)


def vgg(depths: tuple[int, ...], request: Request) -> Functional:
    """Blocks of so many convolutions."""

    def body(x: Any) -> Any:
        for block, depth in enumerate(depths, 1):
            filters = min(512, 32 * 2**block)
            for i in range(1, depth + 1):
                name = f"block{block}_conv{i}"
                x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
            x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
        return x

    return network(request, body, top=_dense_top)


def _dense_top(x: Any, request: Request) -> Any:
    x = layers.Flatten(name="flatten")(x)
    for name in ("fc1", "fc2"):
        x = layers.Dense(4096, activation="relu", name=name)(x)
    return predictions(x, request)
