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

from minitensor.backend.error_function import gelu_of, gelu_slope
from minitensor.backend.half import in_float32, is_half, slow_in_float32
from minitensor.backend.numpy.blocks import SLOWNESS
from minitensor.backend.numpy.choice import compiled
from minitensor.backend.numpy.memory import output
from minitensor.backend.numpy.norm import along, rows_of

ACTIVATIONS = {"linear": (-np.inf, np.inf), "relu": (0, np.inf), "relu6": (0, 6)}
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
    room = compiled(SLOWNESS * math.prod(shape), x.dtype)
    if room is not None and _is_zero(y) and condition.shape == x.shape == shape:
        chosen: np.ndarray = room.elementwise.choose(condition, x)
        return chosen
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


def gate(g: np.ndarray, x: np.ndarray, high: float | None) -> np.ndarray:
    """g where 0 < x < high (None: no limit), else 0: what relu and relu6 let back.

    Example:
        >>> import numpy as np
        >>> from minitensor.backend import numpy as be
        >>> be.gate(np.array([1.0, 2.0]), np.array([-3.0, 3.0]), None)
        array([0., 2.])
    """
    room = compiled(SLOWNESS * g.size, g.dtype)
    if room is not None and g.dtype == x.dtype:
        y: np.ndarray = room.elementwise.gate(g, x, np.nan if high is None else high)
        return y
    if is_half(x.dtype):  # as integers: above 0 in the same order, then NaN, and all below 0
        end = np.asarray(np.inf if high is None else high, x.dtype).view(np.uint16)
        end = end if high is None else end - np.uint16(1)
        passed: np.ndarray = g.view(np.uint16) * (x.view(np.uint16) - np.uint16(1) < end)
        return passed.view(g.dtype)
    is_open = x > 0 if high is None else (x > 0) & (x < high)
    return where(is_open, g, np.zeros((), g.dtype))


@slow_in_float32
def bias_activation(x: np.ndarray, bias: np.ndarray, activation: str) -> np.ndarray:
    """activation(x + bias), one of `ACTIVATIONS`, one bias per channel; NaN stays NaN.

    Example:
        >>> import numpy as np
        >>> from minitensor.backend import numpy as be
        >>> be.bias_activation(np.array([[-3.0, 5.0]]), np.array([1.0, 2.0]), "relu6")
        array([[0., 6.]])
    """
    y = output(x) if x.dtype == bias.dtype else np.empty(x.shape, np.result_type(x, bias))
    bias_activation_into(y, x, bias, activation)
    return y


def bias_activation_into(y: np.ndarray, x: np.ndarray, bias: np.ndarray, activation: str) -> None:
    """y = activation(x + bias); y is contiguous, and may be x."""
    low, high = ACTIVATIONS[activation]
    room = compiled(SLOWNESS * x.size, x.dtype)
    if room is not None and x.dtype == bias.dtype:
        rows = rows_of(x)
        out = rows if y is x else rows_of(y)
        room.elementwise.bias_between(rows, *along(rows, bias), low, high, out)
        return
    np.add(x, bias, out=y)
    if low > -np.inf:
        np.maximum(y, y.dtype.type(low), out=y)
    if high < np.inf:
        np.minimum(y, y.dtype.type(high), out=y)


@in_float32
def gelu(x: np.ndarray, approximate: bool) -> np.ndarray:
    """x times the standard normal distribution function of x, or its approximation by tanh.

    Example:
        >>> import numpy as np
        >>> from minitensor.backend import numpy as be
        >>> be.gelu(np.array([0.0, 1.0]), False)
        array([0.        , 0.84134475])
    """
    room = _for_float32(x)
    y: np.ndarray = gelu_of(np, x, approximate) if room is None else room.gelu.gelu(x, approximate)
    return y


@in_float32
def gelu_grad(g: np.ndarray, x: np.ndarray, approximate: bool) -> np.ndarray:
    """g times the derivative of `gelu`."""
    room = _for_float32(x)
    if room is None:
        return g * gelu_slope(np, x, approximate)  # type: ignore[no-any-return]
    y: np.ndarray = room.gelu.gelu_grad(g, x, approximate)
    return y


def _for_float32(x: np.ndarray) -> Any:
    return compiled(SLOWNESS * x.size, x.dtype) if x.dtype == np.float32 else None
