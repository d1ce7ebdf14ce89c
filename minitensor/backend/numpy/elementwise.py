"""What is computed element by element and is worth more than one NumPy call.

`where` chooses without a branch per element: NumPy's tests each condition in turn, and on
conditions that follow no pattern (the sign of an activation) the processor guesses wrong half the
time, and takes ten times as long: here the condition becomes a mask of all zeros or all ones, and
bits are combined.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

ACTIVATIONS = ("linear", "relu", "relu6")
INTEGERS = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}
SMALL = 4096  # elements; below, NumPy's one call is quicker


def where(condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x where `condition` holds, else y, bit by bit; the three broadcast, x and y share a dtype.

    Example:
        >>> import numpy as np
        >>> from minitensor.backend import numpy as be
        >>> be.where(np.array([True, False]), np.array([1.0, 2.0]), np.array(0.0))
        array([1., 0.])
    """
    shape = np.broadcast_shapes(condition.shape, x.shape, y.shape)
    integer = INTEGERS.get(x.dtype.itemsize)
    if integer is None or math.prod(shape) < SMALL:
        return np.where(condition, x, y)
    mask = np.empty(shape, integer)
    mask[...] = condition
    np.negative(mask, out=mask)  # 0 or -1: no bits or all
    if _is_zero(y):
        np.bitwise_and(mask, x.view(integer), out=mask)
    elif _is_zero(x):
        np.bitwise_and(np.invert(mask, out=mask), y.view(integer), out=mask)
    else:  # y ^ ((x ^ y) & mask)
        np.bitwise_and(mask, np.bitwise_xor(x.view(integer), y.view(integer)), out=mask)
        np.bitwise_xor(mask, y.view(integer), out=mask)
    return mask.view(x.dtype)


def _is_zero(x: Any) -> bool:
    """Whether x is one element whose bits are all zero (-0.0 is not)."""
    return not x.ndim and not x.view(INTEGERS[x.dtype.itemsize])


def bias_activation(x: np.ndarray, bias: np.ndarray, activation: str) -> np.ndarray:
    """activation(x + bias), one of `ACTIVATIONS`, one bias per channel; NaN stays NaN.

    Example:
        >>> import numpy as np
        >>> from minitensor.backend import numpy as be
        >>> be.bias_activation(np.array([[-3.0, 5.0]]), np.array([1.0, 2.0]), "relu6")
        array([[0., 6.]])
    """
    assert activation in ACTIVATIONS, activation
    y: np.ndarray = x + bias
    if activation != "linear":
        np.maximum(y, y.dtype.type(0), out=y)
    if activation == "relu6":
        np.minimum(y, y.dtype.type(6), out=y)
    return y
