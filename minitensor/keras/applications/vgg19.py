"""VGG with 19 layers; what it is made of is in `vgg16.py`."""

from __future__ import annotations

from minitensor.keras.applications._common import Request, application
from minitensor.keras.applications.imagenet_utils import decode_predictions, of_mode
from minitensor.keras.applications.vgg16 import vgg
from minitensor.keras.engine.functional import Functional

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

preprocess_input = of_mode("caffe")


@application("vgg19")
def VGG19(request: Request) -> Functional:  # noqa: N802 -- Keras' name
    """16 convolutions in blocks of 2, 2, 4, 4, 4, and 3 dense layers: 143,667,240 parameters.

    Example:
        >>> import minitensor as tf
        >>> applications = tf.keras.applications
        >>> net = applications.VGG19(include_top=False, weights=None, input_shape=(32, 32, 3))
        >>> net.count_params()
        20024384

    Source: keras.applications.VGG19; Simonyan and Zisserman 2014, arXiv 1409.1556, column E
    """
    return vgg((2, 2, 4, 4, 4), request)
