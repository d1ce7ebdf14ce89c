"""What every initializer has, and those in which no chance is: zeros, ones, constants, identity.

Source of all: keras.initializers, by the same names.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitensor.array import broadcast_to, eye, fill, reshape
from minitensor.autograd import Tensor, as_tensor
from minitensor.docstrings import examples_of
from minitensor.keras.engine import defaults
from minitensor.keras.serialization.config import Configurable
from minitensor.math import multiply

Shape = tuple[int, ...]
example = examples_of("tf.keras.initializers", "")


class Initializer(Configurable):
    """What makes the first value of a weight: a function of its shape.

    w = initializer(shape, dtype); a subclass writes `__call__`
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        """A tensor of this shape; dtype None is `keras.config.floatx()`."""
        raise NotImplementedError(
            f"{type(self).__name__} must implement `__call__(shape, dtype=None)`"
        )

    def clone(self) -> Initializer:
        """Another of the same settings."""
        return type(self).from_config(self.get_config())


@example("Zeros()((2,)).numpy()", "[0., 0.]")
class Zeros(Initializer):
    """w = 0 everywhere."""

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        return fill(tuple(shape), np.asarray(0, dtype or defaults.floatx()))


@example("Ones()((2,)).numpy()", "[1., 1.]")
class Ones(Initializer):
    """w = 1 everywhere."""

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        return fill(tuple(shape), np.asarray(1, dtype or defaults.floatx()))


class Constant(Initializer):
    """w = value.

    Args:
        value: a number; or an array, which is laid out anew where it has as many elements as the
            weight, and else is repeated along the axes of size 1.

    Raises:
        ValueError: an array that fits in neither way.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.initializers.Constant([[1.0, 2.0]])((2, 1)).numpy().tolist()
        [[1.0], [2.0]]

    Source: tf.constant_initializer
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        sizes = tuple(shape)
        value = as_tensor(np.asarray(self.value, dtype or defaults.floatx()))
        if math.prod(value.shape) == math.prod(sizes):
            return reshape(value, sizes)
        try:
            return broadcast_to(value, sizes)
        except ValueError:
            raise ValueError(
                f"Constant: a value of shape {value.shape!s} does not fit a weight of shape "
                f"{sizes}; give a number, or as many elements as the weight has"
            ) from None


class Identity(Initializer):
    """w = gain * I.

    Args:
        gain: the number on the diagonal.

    Raises:
        ValueError: a shape that is not of two axes.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.initializers.Identity()((2, 3)).numpy().tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        if len(shape) != 2:
            raise ValueError(
                "Identity matrix initializer can only be used for 2D matrices. "
                f"Received: shape={tuple(shape)} of rank {len(shape)}."
            )
        rows, columns = shape
        return multiply(eye(rows, columns, dtype=dtype or defaults.floatx()), self.gain)
