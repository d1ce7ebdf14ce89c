"""Networks that say something about every pixel: a dilated context network, and a U-Net.

Returns of both: a functional model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitensor import keras
from minitensor.keras import layers

_DILATIONS = (1, 1, 2, 4, 8, 16, 1)  # each pixel of the output sees 67 by 67 of the input
_LARGE = (2, 2, 4, 8, 16, 32, 32)  # widths of the large form, in classes


@keras.utils.register_keras_serializable("minitensor")
class IdentityKernel(keras.initializers.Initializer):
    """Kernels that give each channel through, and nothing else.

    kernel[i, j, c, o] = 1 if (i, j) is the middle and c = o, else 0

    Example:
        >>> import minitensor as tf
        >>> tf.models.IdentityKernel()((3, 3, 2, 2))[1, 1].tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    Source: Yu and Koltun 2016, arXiv 1511.07122, equation 4
    """

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        height, width, channels, filters = shape
        kernel = np.zeros(shape, str(dtype or "float32"))
        kernel[height // 2, width // 2] = np.eye(channels, filters)
        return kernel


def context_network(classes: int = 21, large: bool = False, input_shape: Any = (None, None)) -> Any:
    """Eight convolutions whose windows widen while the image keeps its size.

    3x3 with dilations 1, 1, 2, 4, 8, 16, 1, each with relu, and 1x1: about 64 C^2 parameters for
    C classes, 28,392 for 21. It begins as the identity where all values are positive.

    Args:
        classes: C, channels of the input and of the output.
        large: whether the layers inside are 2C, 2C, 4C, 8C, 16C, 32C, 32C wide instead of C.
        input_shape: (height, width).

    Example:
        >>> import minitensor as tf
        >>> tf.models.context_network().count_params(), 64 * 21**2 + 8 * 21
        (28392, 28392)

    Source: Yu and Koltun 2016, arXiv 1511.07122, table 1; zeros around the image, not a mirror
    """
    start: Any = "glorot_uniform" if large else IdentityKernel()
    inputs = x = keras.Input((*input_shape, classes))
    for dilation, factor in zip(_DILATIONS, _LARGE, strict=True):
        x = layers.Conv2D(
            classes * (factor if large else 1),
            3,
            padding="same",
            dilation_rate=dilation,
            activation="relu",
            kernel_initializer=start,
        )(x)
    x = layers.Conv2D(classes, 1, kernel_initializer=start)(x)
    return keras.Model(inputs=inputs, outputs=x, name="context_network")


def unet(
    classes: int = 2, widths: Sequence[int] = (16, 32, 64, 128), input_shape: Any = (64, 64, 1)
) -> Any:
    """A small U-Net, down by pooling and up by transposed convolutions: 481,762 parameters.

    On the way up, what was there on the way down stands beside it.

    (64, 64) -> (32, 32) -> (16, 16) -> (8, 8) -> (16, 16) -> (32, 32) -> (64, 64, classes)

    Args:
        classes: number of logits for each pixel.
        widths: filters of each level, from the top down; a level has two convolutions 3x3 each way.
        input_shape: of one image; sides divisible by 2 ** (len(widths) - 1).

    Raises:
        ValueError: sides that cannot be halved so often.

    Example:
        >>> import minitensor as tf
        >>> tf.models.unet(widths=(4, 8), input_shape=(8, 8, 1)).output_shape
        (None, 8, 8, 2)

    Source: Ronneberger, Fischer, Brox 2015, arXiv 1505.04597, figure 1, with SAME windows
    """
    halvings = 2 ** (len(widths) - 1)
    if any(side is not None and side % halvings for side in input_shape[:2]):
        raise ValueError(
            f"unet with {len(widths)} levels needs sides divisible by {halvings}. "
            f"Received: input_shape={input_shape}"
        )
    inputs = keras.Input(input_shape)
    x, beside = inputs, []
    for width in widths[:-1]:
        x = _two_convs(x, width)
        beside.append(x)
        x = layers.MaxPooling2D(2)(x)  # (N, h/2, w/2, width)
    x = _two_convs(x, widths[-1])
    for width in reversed(widths[:-1]):
        x = layers.Conv2DTranspose(width, 2, strides=2)(x)  # (N, 2h, 2w, width)
        x = _two_convs(layers.Concatenate()([beside.pop(), x]), width)
    return keras.Model(inputs=inputs, outputs=layers.Conv2D(classes, 1)(x), name="unet")


def _two_convs(x: Any, filters: int) -> Any:
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)  # (N, h, w, filters)
    return x
