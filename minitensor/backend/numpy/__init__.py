"""The NumPy backend: the plain twin of every kernel, and the fast algorithms of the CPU.

These names are the whole interface of a backend. Arrays are NHWC, filters HWIO, and `window` is
a `minitensor.window.Window` that carries the geometry. Inputs are never changed; outputs are
fresh and contiguous. Plain elementwise code uses `xp`, the array namespace.
"""

from __future__ import annotations

from typing import Any

import numpy as xp

from minitensor.backend.numpy.columns import col2im, im2col
from minitensor.backend.numpy.conv import conv2d, conv2d_kernel_grad, conv2d_transpose
from minitensor.backend.numpy.matrix import conv2d_matrix
from minitensor.backend.numpy.pool import (
    avg_pool,
    avg_pool_grad,
    max_pool,
    put_tap,
    take_tap,
    window_argmax,
)
from minitensor.backend.numpy.select import where

name = "numpy"


def asarray(value: Any, dtype: Any = None) -> xp.ndarray:
    """`value` as an array of this backend."""
    return xp.asarray(value, dtype=dtype)


def to_numpy(array: xp.ndarray) -> xp.ndarray:
    """The same numbers in the memory of the CPU."""
    return array


__all__ = [
    "asarray",
    "avg_pool",
    "avg_pool_grad",
    "col2im",
    "conv2d",
    "conv2d_kernel_grad",
    "conv2d_matrix",
    "conv2d_transpose",
    "im2col",
    "max_pool",
    "name",
    "put_tap",
    "take_tap",
    "to_numpy",
    "where",
    "window_argmax",
    "xp",
]
