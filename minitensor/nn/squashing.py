"""tf.nn's functions into an interval: sigmoid, softsign, tanh, and softmax along an axis."""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.nn import checks
from minitensor.ops import activation, math
from minitensor.ops import softmax as ops

__all__ = ["log_softmax", "sigmoid", "softmax", "softsign", "tanh"]


def sigmoid(x: Any, name: str | None = None) -> Tensor:
    """y = 1 / (1 + exp(-x)).

    Args:
        x: floats of any shape.
        name: ignored.

    Returns:
        The shape of `x`.

    Raises:
        TypeError: `x` are no floats.

    Example:
        >>> import minitensor as tf
        >>> tf.sigmoid([0.0, 100.0]).numpy()
        array([0.5, 1. ], dtype=float32)

    Source: tf.nn.sigmoid
    """
    return math.sigmoid(*checks.floats("sigmoid", x=x))


def softsign(features: Any, name: str | None = None) -> Tensor:
    """y = x / (1 + |x|).

    Args:
        features: floats of any shape.
        name: ignored.

    Returns:
        The shape of `features`.

    Raises:
        TypeError: `features` are no floats.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.softsign([-1.0, 3.0]).numpy()
        array([-0.5 ,  0.75], dtype=float32)

    Source: tf.nn.softsign
    """
    return activation.softsign(*checks.floats("softsign", features=features))


def tanh(x: Any, name: str | None = None) -> Tensor:
    """y = (exp(x) - exp(-x)) / (exp(x) + exp(-x)).

    Args:
        x: floats of any shape.
        name: ignored.

    Returns:
        The shape of `x`.

    Raises:
        TypeError: `x` are no floats.

    Example:
        >>> import minitensor as tf
        >>> tf.tanh([0.0, 1.0]).numpy()
        array([0.       , 0.7615942], dtype=float32)

    Source: tf.nn.tanh
    """
    return math.tanh(*checks.floats("tanh", x=x))


def softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """p_i = exp(x_i) / sum_j exp(x_j) along one axis: positive numbers that sum to 1.

    Args:
        logits: floats of at least one axis.
        axis: along which they sum to 1; None is the last.
        name: ignored.

    Returns:
        The shape of `logits`.

    Raises:
        TypeError: `logits` are no floats, or `axis` is no integer.
        ValueError: `logits` is a scalar, or has no such axis.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.softmax([1000.0, 1000.0]).numpy()
        array([0.5, 0.5], dtype=float32)

    Source: tf.nn.softmax
    """
    (x,) = checks.floats("softmax", logits=logits)
    return ops.softmax(x, axis=checks.axis("softmax", -1 if axis is None else axis, x.ndim))


def log_softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """log p_i = x_i - log sum_j exp(x_j) along one axis, without forming p.

    Args:
        logits: floats of at least one axis.
        axis: along which the p sum to 1; None is the last.
        name: ignored.

    Returns:
        The shape of `logits`.

    Raises:
        TypeError: `logits` are no floats, or `axis` is no integer.
        ValueError: `logits` is a scalar, or has no such axis.

    Example:
        >>> import minitensor as tf
        >>> tf.nn.log_softmax([1000.0, 0.0]).numpy()
        array([    0., -1000.], dtype=float32)

    Source: tf.nn.log_softmax
    """
    (x,) = checks.floats("log_softmax", logits=logits)
    return ops.log_softmax(x, axis=checks.axis("log_softmax", -1 if axis is None else axis, x.ndim))
