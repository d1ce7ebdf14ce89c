"""A bias and an activation in one go, as they follow a convolution."""

from __future__ import annotations

import numpy as np

ACTIVATIONS = ("linear", "relu", "relu6")


def bias_activation(x: np.ndarray, bias: np.ndarray, activation: str) -> np.ndarray:
    """activation(x + bias), one bias per channel; NaN stays NaN.

    Args:
        x: (..., C).
        bias: (C,).
        activation: one of `ACTIVATIONS`.

    Returns:
        The shape of x.

    Example:
        >>> bias_activation(np.array([[-3.0, 5.0]]), np.array([1.0, 2.0]), "relu6")
        array([[0., 6.]])
    """
    assert activation in ACTIVATIONS, activation
    y = x + bias
    if activation != "linear":
        np.maximum(y, y.dtype.type(0), out=y)
    if activation == "relu6":
        np.minimum(y, y.dtype.type(6), out=y)
    return y
