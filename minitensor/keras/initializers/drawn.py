"""Initializers that draw numbers of a spread that the caller names, and orthogonal matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitensor import random
from minitensor.autograd import Tensor, to_device_of
from minitensor.backend.generator import generator
from minitensor.keras.engine import defaults, seed_stream
from minitensor.keras.initializers.fixed import Initializer


class RandomInitializer(Initializer):
    """What those that draw have in common: a seed, which makes every call give the same."""

    def __init__(self, seed: Any = None) -> None:
        self.seed = seed_stream.checked(seed)


class RandomNormal(RandomInitializer):
    """w ~ N(mean, stddev^2).

    Args:
        mean, stddev: of the distribution.
        seed: an integer makes every call give the same numbers.

    Raises:
        ValueError: a seed that is no integer.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.initializers.RandomNormal(seed=1)((2, 3)).shape
        TensorShape([2, 3])

    Source: keras.initializers.RandomNormal
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        kind = dtype or defaults.floatx()
        return random.normal(tuple(shape), self.mean, self.stddev, kind, self.seed)


class TruncatedNormal(RandomInitializer):
    """w ~ N(mean, stddev^2), drawn again where it is more than 2 stddev from the mean.

    Args:
        mean, stddev: of the distribution before it is cut.
        seed: an integer makes every call give the same numbers.

    Raises:
        ValueError: a seed that is no integer.

    Example:
        >>> import minitensor as tf
        >>> bool(abs(tf.keras.initializers.TruncatedNormal(seed=1)((99,)).numpy()).max() <= 0.1)
        True

    Source: keras.initializers.TruncatedNormal
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev = mean, stddev
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        kind = dtype or defaults.floatx()
        return random.truncated_normal(tuple(shape), self.mean, self.stddev, kind, self.seed)


class RandomUniform(RandomInitializer):
    """w ~ U[minval, maxval).

    Args:
        minval, maxval: the least number, and the one that is just not reached.
        seed: an integer makes every call give the same numbers.

    Raises:
        ValueError: a seed that is no integer.

    Example:
        >>> import minitensor as tf
        >>> bool(abs(tf.keras.initializers.RandomUniform(seed=1)((99,)).numpy()).max() <= 0.05)
        True

    Source: keras.initializers.RandomUniform
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        self.minval, self.maxval = minval, maxval
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        kind = dtype or defaults.floatx()
        return random.uniform(tuple(shape), self.minval, self.maxval, kind, self.seed)


class Orthogonal(RandomInitializer):
    """A random matrix whose columns, or whose rows if they are fewer, are orthogonal.

    W^T W = gain^2 I for W (rows, columns), rows the product of all sizes but the last

    Args:
        gain: length of each column.
        seed: an integer makes every call give the same numbers.

    Raises:
        ValueError: a shape of fewer than two axes; a seed that is no integer.

    Example:
        >>> import minitensor as tf
        >>> w = tf.keras.initializers.Orthogonal(seed=1)((3, 2)).numpy()
        >>> (w.T @ w).round(5).tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    Source: keras.initializers.Orthogonal; Saxe et al. 2014
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain = gain
        super().__init__(seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Tensor:
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. "
                f"Received: shape={tuple(shape)} of rank {len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = max(rows, columns), min(rows, columns)
        drawn: np.ndarray = generator(self.seed).standard_normal(tall)
        q, r = np.linalg.qr(drawn)
        q = q * np.sign(np.diag(r))  # so that no direction is likelier than another
        q = q if rows >= columns else q.T  # (rows, columns)
        w = (self.gain * q).reshape(tuple(shape))
        return to_device_of(w.astype(dtype or defaults.floatx()))
