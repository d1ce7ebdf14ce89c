"""The NumPy backend: the plain twin of every kernel, and the fast algorithms of the CPU.

These names are the whole interface of a backend. Arrays are NHWC, filters HWIO, and `window` is
a `minitensor.window.Window` that carries the geometry. Inputs are never changed; outputs are
fresh and contiguous. Plain elementwise code uses `xp`, the array namespace.
"""

from __future__ import annotations

from typing import Any

import numpy as xp

from minitensor.backend.numpy.columns import col2im, im2col
from minitensor.backend.numpy.conv import (
    conv2d,
    conv2d_bias_activation,
    conv2d_kernel_grad,
    conv2d_transpose,
)
from minitensor.backend.numpy.elementwise import bias_activation, gate, gelu, gelu_grad, where
from minitensor.backend.numpy.loss import softmax_cross_entropy, softmax_cross_entropy_grad
from minitensor.backend.numpy.matrix import conv2d_matrix
from minitensor.backend.numpy.memory import LARGE, empty
from minitensor.backend.numpy.norm import (
    batch_norm,
    batch_norm_grad,
    batch_norm_sums,
    channel_sum,
    local_response,
    moments,
    sum_rows,
)
from minitensor.backend.numpy.optimizer import adam, sgd_momentum
from minitensor.backend.numpy.pool import (
    avg_pool,
    avg_pool_grad,
    max_pool,
    max_pool_grad,
    put_tap,
    take_tap,
    window_argmax,
)
from minitensor.backend.text import Text, plain

name = "numpy"


def lack() -> str:
    """What this machine lacks to compute here: nothing."""
    return ""


def asarray(value: Any, dtype: Any = None) -> xp.ndarray:
    """`value` as an array of this backend."""
    return value if type(value) is Text else xp.asarray(value, dtype=dtype)


def array(value: Any) -> xp.ndarray:
    """A fresh array, which starts on a line of memory where it is large."""
    if not isinstance(value, xp.ndarray) or value.nbytes < LARGE or value.dtype.kind not in "biufV":
        return xp.array(value)
    fresh = empty(value.shape, value.dtype)
    fresh[...] = value
    return fresh


def to_numpy(array: xp.ndarray) -> xp.ndarray:
    """The same numbers in the memory of the CPU."""
    return plain(array) if type(array) is Text else array


def transpose(x: xp.ndarray, axes: tuple[int, ...]) -> xp.ndarray:
    """Axis k of the result is axis axes[k] of x; here a view, which costs nothing."""
    return x.transpose(axes)


def matmul(a: xp.ndarray, b: xp.ndarray) -> xp.ndarray:
    """y[..., i, j] = sum over k of a[..., i, k] b[..., k, j]; the axes in front broadcast."""
    y: xp.ndarray = xp.matmul(a, b)
    return y


__all__ = [
    "adam", "array", "asarray", "avg_pool", "avg_pool_grad", "batch_norm", "batch_norm_grad",
    "batch_norm_sums", "bias_activation", "channel_sum", "col2im", "conv2d",
    "conv2d_bias_activation", "conv2d_kernel_grad", "conv2d_matrix", "conv2d_transpose", "gate",
    "gelu", "gelu_grad", "im2col", "lack", "local_response", "matmul", "max_pool", "max_pool_grad",
    "moments", "name", "put_tap", "sgd_momentum", "softmax_cross_entropy",
    "softmax_cross_entropy_grad", "sum_rows", "take_tap", "to_numpy", "transpose", "where",
    "window_argmax", "xp",
]  # fmt: skip
