"""Layers that divide by a length and leave the mean alone, and Rescaling.

Args of all: kwargs, what every Layer takes. Source of all: keras.layers, by the same names.
"""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from minitensor import nn
from minitensor.array import cast, reshape
from minitensor.autograd import as_tensor
from minitensor.keras.engine import InputSpec, defaults
from minitensor.keras.engine.layer import Common
from minitensor.keras.layers.core import Elementwise


class UnitNormalization(Elementwise):
    """y = x / |x|, with the length |x| along some axes.

    Args:
        axis: one, or a list of them.

    Raises:
        TypeError: `axis` is no integer and no list of them.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.layers.UnitNormalization()([[3.0, 4.0]]).numpy()
        array([[0.6, 0.8]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        if not isinstance(axis, int | list | tuple):
            raise TypeError(
                "Invalid value for `axis` argument: expected an int or a list/tuple of ints. "
                f"Received: axis={axis}"
            )
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        return nn.l2_normalize(inputs, self.axis, epsilon=1e-24)


class LocalResponseNormalization(Elementwise):
    """Divides each channel by the strength of its neighbours, as AlexNet did.

    y[..., c] = x[..., c] / (bias + alpha * sum over |j - c| <= depth_radius of x[..., j]^2)^beta

    Args:
        depth_radius: how many channels on either side count.
        bias, alpha, beta: as in the formula; alpha is not divided by the number of channels.

    Example:
        >>> import minitensor as tf
        >>> layer = tf.keras.layers.LocalResponseNormalization(1, bias=0, beta=1)
        >>> layer([[[[1.0, 2.0, 2.0]]]]).numpy().ravel()
        array([0.2       , 0.22222222, 0.25      ], dtype=float32)

    Source: tf.nn.local_response_normalization, as a layer; Krizhevsky et al. 2012
    """

    def __init__(
        self,
        depth_radius: int = 5,
        bias: float = 1,
        alpha: float = 1,
        beta: float = 0.5,
        **kwargs: Unpack[Common],
    ) -> None:
        super().__init__(**kwargs)
        self.depth_radius, self.bias, self.alpha, self.beta = depth_radius, bias, alpha, beta
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        return nn.local_response_normalization(
            inputs, self.depth_radius, self.bias, self.alpha, self.beta
        )


class Rescaling(Elementwise):
    """y = x * scale + offset, in floats: Rescaling(1 / 255) takes bytes to [0, 1].

    Args:
        scale, offset: numbers, or one per channel.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> tf.keras.layers.Rescaling(1 / 127.5, offset=-1)(np.array([0, 255], np.uint8)).numpy()
        array([-1.,  1.], dtype=float32)
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Unpack[Common]) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset

    def call(self, inputs: Any) -> Any:
        kind = self.compute_dtype
        x = cast(inputs, kind)
        scale = as_tensor(np.asarray(self.scale, kind), like=x)
        if scale.ndim and defaults.image_data_format() == "channels_first":
            scale = reshape(scale, (*scale.shape, *(1,) * (3 - scale.ndim)))  # (C, 1, 1)
        return x * scale + as_tensor(np.asarray(self.offset, kind), like=x)
