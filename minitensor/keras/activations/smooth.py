"""Activations with a slope everywhere: into an interval, along an axis, or like relu but round."""

from __future__ import annotations

from typing import Any

from minitensor import nn
from minitensor.array import cast, ones_like, reshape, split, where
from minitensor.autograd import Tensor, as_tensor
from minitensor.keras.engine.annotations import annotate
from minitensor.math import (
    cumsum,
    exp,
    expm1,
    maximum,
    minimum,
    reduce_sum,
    sqrt,
    square,
)
from minitensor.math import log_sigmoid as _log_sigmoid
from minitensor.math.order import sort


def linear(x: Any) -> Any:
    """y = x.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.linear(3)
        3

    Source: keras.activations.linear
    """
    return x


def sigmoid(x: Any) -> Tensor:
    """y = 1 / (1 + exp(-x)).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.sigmoid([0.0]).numpy()
        array([0.5], dtype=float32)

    Source: keras.activations.sigmoid
    """
    x = as_tensor(x)
    return annotate(nn.sigmoid(x), logits=x)  # cross entropies are exact from those


def log_sigmoid(x: Any) -> Tensor:
    """y = log(1 / (1 + exp(-x))).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.log_sigmoid([-1000.0]).numpy()
        array([-1000.], dtype=float32)

    Source: keras.activations.log_sigmoid
    """
    return _log_sigmoid(x)


def tanh(x: Any) -> Tensor:
    """y = (exp(x) - exp(-x)) / (exp(x) + exp(-x)).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.tanh([0.0]).numpy()
        array([0.], dtype=float32)

    Source: keras.activations.tanh
    """
    return nn.tanh(x)


def tanh_shrink(x: Any) -> Tensor:
    """y = x - tanh(x).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.tanh_shrink([0.0, 100.0]).numpy()
        array([ 0., 99.], dtype=float32)

    Source: keras.activations.tanh_shrink
    """
    x = as_tensor(x)
    return x - nn.tanh(x)


def softsign(x: Any) -> Tensor:
    """y = x / (1 + |x|).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.softsign([-1.0, 3.0]).numpy()
        array([-0.5 ,  0.75], dtype=float32)

    Source: keras.activations.softsign
    """
    return nn.softsign(x)


def softplus(x: Any) -> Tensor:
    """y = log(1 + exp(x)).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.softplus([100.0]).numpy()
        array([100.], dtype=float32)

    Source: keras.activations.softplus
    """
    return nn.softplus(x)


def squareplus(x: Any, b: float = 4) -> Tensor:
    """y = (x + sqrt(x^2 + b)) / 2.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.squareplus([0.0, 1.5]).numpy()
        array([1., 2.], dtype=float32)

    Source: keras.activations.squareplus; Barron 2021
    """
    x = as_tensor(x)
    return (x + sqrt(square(x) + b)) / 2.0


def exponential(x: Any) -> Tensor:
    """y = exp(x).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.exponential([0.0]).numpy()
        array([1.], dtype=float32)

    Source: keras.activations.exponential
    """
    return exp(x)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """y = x where x > 0, else alpha * (exp(x) - 1).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.elu([-100.0, 2.0], alpha=0.5).numpy()
        array([-0.5,  2. ], dtype=float32)

    Source: keras.activations.elu; Clevert et al. 2015
    """
    x = as_tensor(x)
    y = nn.elu(x)
    return y if alpha == 1 else where(x > 0.0, y, y * alpha)


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """y = max(x, 0) + alpha * (exp(min(x, 0) / alpha) - 1): of slope 1 on both sides of 0.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.celu([-100.0, 2.0], alpha=0.5).numpy()
        array([-0.5,  2. ], dtype=float32)

    Source: keras.activations.celu; Barron 2017
    """
    x = as_tensor(x)
    return maximum(x, 0.0) + expm1(minimum(x, 0.0) / alpha) * alpha


def selu(x: Any) -> Tensor:
    """y = s * elu(x, a), s = 1.0507, a = 1.6733: mean 0 and variance 1 stay so.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.selu([2.0]).numpy()
        array([2.101402], dtype=float32)

    Source: keras.activations.selu; Klambauer et al. 2017
    """
    return nn.selu(x)


def silu(x: Any) -> Tensor:
    """y = x * sigmoid(x); also called swish.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.silu([0.0, 100.0]).numpy()
        array([  0., 100.], dtype=float32)

    Source: keras.activations.silu; Ramachandran et al. 2017
    """
    return nn.silu(x)


def gelu(x: Any, approximate: bool = False) -> Tensor:
    """y = x * P(X <= x) for X ~ N(0, 1).

    Args:
        x: floats of any shape.
        approximate: by a tanh instead of the error function.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.gelu([0.0, 100.0]).numpy()
        array([  0., 100.], dtype=float32)

    Source: keras.activations.gelu; Hendrycks & Gimpel 2016
    """
    return nn.gelu(x, approximate)


def mish(x: Any) -> Tensor:
    """y = x * tanh(softplus(x)).

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.mish([0.0, 100.0]).numpy()
        array([  0., 100.], dtype=float32)

    Source: keras.activations.mish; Misra 2019
    """
    x = as_tensor(x)
    return x * nn.tanh(nn.softplus(x))


def glu(x: Any, axis: int = -1) -> Tensor:
    """y = a * sigmoid(b), for the halves a and b of x along an axis.

    Raises:
        ValueError: the axis is of odd size.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.glu([4.0, 0.0]).numpy()
        array([2.], dtype=float32)

    Source: keras.activations.glu; Dauphin et al. 2016
    """
    x = as_tensor(x)
    if x.shape[axis] % 2:
        raise ValueError(
            f"axis size must be divisible by 2. Received: x.shape={x.shape!s} with axis={axis}"
        )
    values, gates = split(x, 2, axis=axis)
    return values * nn.sigmoid(gates)


def softmax(x: Any, axis: int | None = -1) -> Tensor:
    """p_i = exp(x_i) / sum_j exp(x_j) along an axis; None is all of them.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.softmax([[0.0, 0.0]]).numpy()
        array([[0.5, 0.5]], dtype=float32)

    Source: keras.activations.softmax
    """
    x = as_tensor(x)
    return annotate(_along(nn.softmax, x, axis), logits=x)  # cross entropies are exact from those


def log_softmax(x: Any, axis: int | None = -1) -> Tensor:
    """The logarithm of `softmax`, without forming it.

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.log_softmax([1000.0, 0.0]).numpy()
        array([    0., -1000.], dtype=float32)

    Source: keras.activations.log_softmax
    """
    return _along(nn.log_softmax, x, axis)


def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """The nearest point to x whose coordinates are positive and sum to 1: p = max(x - t, 0).

    t = (sum of the k largest x - 1) / k, for the greatest k at which the k-th of them exceeds it

    Example:
        >>> import minitensor as tf
        >>> tf.keras.activations.sparsemax([2.0, 1.5, -1.0]).numpy()
        array([0.75, 0.25, 0.  ], dtype=float32)

    Source: keras.activations.sparsemax; Martins & Astudillo 2016
    """
    x = as_tensor(x)
    ordered = sort(x, axis=axis, direction="DESCENDING")
    ranks = cumsum(ones_like(x), axis=axis)
    inside = ordered * ranks > cumsum(ordered, axis=axis) - 1.0
    k = reduce_sum(cast(inside, x.dtype), axis=axis, keepdims=True)
    total = reduce_sum(where(inside, ordered, 0), axis=axis, keepdims=True)
    return maximum(x - (total - 1.0) / k, 0.0)


def _along(function: Any, x: Any, axis: int | None) -> Tensor:
    """`function` along an axis; along all of them as one if it is None."""
    x = as_tensor(x)
    if axis is not None:
        return function(x, axis)
    return reshape(function(reshape(x, [-1]), 0), x.shape)
