"""Activations made of pieces of lines and parabolas: cheap, with corners, often exactly 0."""

from __future__ import annotations

from typing import Any

from minitensor import nn
from minitensor.array import where
from minitensor.autograd import Tensor, as_tensor
from minitensor.math import abs as magnitude
from minitensor.math import square
from minitensor.math.clip import clip_by_value


def relu(
    x: Any, negative_slope: float = 0.0, max_value: Any = None, threshold: float = 0.0
) -> Tensor:
    """y = x where x > threshold, at most max_value; else negative_slope * (x - threshold).

    Args:
        x: floats of any shape.
        negative_slope: slope below the threshold.
        max_value: where y stops to grow; None is never.
        threshold: where x begins to count.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.relu([-1.0, 2.0, 9.0], negative_slope=0.5, max_value=6).numpy()
        array([-0.5,  2. ,  6. ], dtype=float32)

    Source: keras.activations.relu
    """
    x = as_tensor(x)
    if negative_slope and max_value is None and not threshold:
        return nn.leaky_relu(x, negative_slope)
    y = where(x > threshold, x, 0) if threshold else nn.relu(x)
    if max_value is not None:
        y = nn.relu6(x) if max_value == 6 and not threshold else clip_by_value(y, 0, max_value)
    return y - nn.relu(threshold - x) * negative_slope if negative_slope else y


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """y = x where x > 0, else negative_slope * x.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.leaky_relu([-1.0, 2.0]).numpy()
        array([-0.2,  2. ], dtype=float32)

    Source: keras.activations.leaky_relu
    """
    return nn.leaky_relu(x, negative_slope)


def relu6(x: Any) -> Tensor:
    """y = min(max(x, 0), 6).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.relu6([-1.0, 9.0]).numpy()
        array([0., 6.], dtype=float32)

    Source: keras.activations.relu6
    """
    return nn.relu6(x)


def hard_sigmoid(x: Any) -> Tensor:
    """y = min(max(x + 3, 0), 6) / 6: a line from (-3, 0) to (3, 1).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.hard_sigmoid([-4.0, 0.0, 4.0]).numpy()
        array([0. , 0.5, 1. ], dtype=float32)

    Source: keras.activations.hard_sigmoid
    """
    return nn.relu6(as_tensor(x) + 3.0) / 6.0


def hard_silu(x: Any) -> Tensor:
    """y = x * hard_sigmoid(x); also called hard_swish.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.hard_silu([-4.0, 1.5, 4.0]).numpy()
        array([-0.   ,  1.125,  4.   ], dtype=float32)

    Source: keras.activations.hard_silu; Howard et al. 2019
    """
    x = as_tensor(x)
    return x * hard_sigmoid(x)


def hard_tanh(x: Any) -> Tensor:
    """y = min(max(x, -1), 1).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.hard_tanh([-4.0, 0.5]).numpy()
        array([-1. ,  0.5], dtype=float32)

    Source: keras.activations.hard_tanh
    """
    return clip_by_value(x, -1.0, 1.0)


def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """y = x where |x| > threshold, else 0.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.hard_shrink([-0.4, 0.6]).numpy()
        array([0. , 0.6], dtype=float32)

    Source: keras.activations.hard_shrink
    """
    x = as_tensor(x)
    return where(magnitude(x) > threshold, x, 0)


def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """y = x moved towards 0 by the threshold, and 0 where that would cross it.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.soft_shrink([-0.4, 1.5]).numpy()
        array([0., 1.], dtype=float32)

    Source: keras.activations.soft_shrink
    """
    x = as_tensor(x)
    return where(x > threshold, x - threshold, where(x < -threshold, x + threshold, 0))


def sparse_plus(x: Any) -> Tensor:
    """y = 0 up to x = -1, (x + 1)^2 / 4 up to 1, then x.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.sparse_plus([-2.0, 0.0, 3.0]).numpy()
        array([0.  , 0.25, 3.  ], dtype=float32)

    Source: keras.activations.sparse_plus
    """
    x = as_tensor(x)
    return where(x <= -1.0, 0, where(x < 1.0, square(x + 1.0) * 0.25, x))


def sparse_sigmoid(x: Any) -> Tensor:
    """y = min(max((x + 1) / 2, 0), 1).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.sparse_sigmoid([-2.0, 0.0, 3.0]).numpy()
        array([0. , 0.5, 1. ], dtype=float32)

    Source: keras.activations.sparse_sigmoid
    """
    x = as_tensor(x)
    return where(x <= -1.0, 0, where(x >= 1.0, 1, (x + 1.0) * 0.5))


def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """y = x where x > threshold, else default_value.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.threshold([1.0, 3.0], 2.0, -1.0).numpy()
        array([-1.,  3.], dtype=float32)

    Source: keras.activations.threshold
    """
    x = as_tensor(x)
    return where(x > threshold, x, default_value)
