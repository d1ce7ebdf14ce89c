"""Tensors that one number and a shape describe."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor, to_device_of
from minitensor.dtypes import as_dtype, float32
from minitensor.nn import checks as args
from minitensor.ops import array

__all__ = ["fill", "ones", "ones_like", "zeros", "zeros_like"]


def zeros(shape: Any, dtype: Any = float32, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of zeros.

    Args:
        shape: sizes of the axes.
        dtype: element type.
        name, layout: ignored.

    Returns:
        A tensor of `shape`.

    Raises:
        ValueError: a size is negative.
        TypeError: a size is no integer.

    Example:
        >>> import minitensor as tf
        >>> tf.zeros([2]).numpy()
        array([0., 0.], dtype=float32)

    Source: tf.zeros
    """
    return to_device_of(np.zeros(args.numbers("zeros", "shape", shape), as_dtype(dtype)))


def ones(shape: Any, dtype: Any = float32, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of ones.

    Args:
        shape: sizes of the axes.
        dtype: element type.
        name, layout: ignored.

    Returns:
        A tensor of `shape`.

    Raises:
        ValueError: a size is negative.
        TypeError: a size is no integer.

    Example:
        >>> import minitensor as tf
        >>> tf.ones([2], "int32").numpy()
        array([1, 1], dtype=int32)

    Source: tf.ones
    """
    return to_device_of(np.ones(args.numbers("ones", "shape", shape), as_dtype(dtype)))


def zeros_like(
    input: Any, dtype: Any = None, name: str | None = None, layout: Any = None
) -> Tensor:
    """Zeros in the shape of another tensor.

    Args:
        input: any tensor.
        dtype: element type; None is that of `input`.
        name, layout: ignored.

    Returns:
        The shape of `input`.

    Raises:
        TypeError: `input` holds no numbers.

    Example:
        >>> import minitensor as tf
        >>> tf.zeros_like([1, 2]).numpy()
        array([0, 0], dtype=int32)

    Source: tf.zeros_like
    """
    x = as_tensor(input, what="zeros_like: input")
    return to_device_of(np.zeros(x.shape, x.dtype if dtype is None else as_dtype(dtype)), x)


def ones_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Tensor:
    """Ones in the shape of another tensor.

    Args:
        input: any tensor.
        dtype: element type; None is that of `input`.
        name, layout: ignored.

    Returns:
        The shape of `input`.

    Raises:
        TypeError: `input` holds no numbers.

    Example:
        >>> import minitensor as tf
        >>> tf.ones_like([1.5, 2.5]).numpy()
        array([1., 1.], dtype=float32)

    Source: tf.ones_like
    """
    x = as_tensor(input, what="ones_like: input")
    return to_device_of(np.ones(x.shape, x.dtype if dtype is None else as_dtype(dtype)), x)


def fill(dims: Any, value: Any, name: str | None = None, layout: Any = None) -> Tensor:
    """One number, repeated.

    Args:
        dims: sizes of the axes.
        value: a scalar, which decides the element type.
        name, layout: ignored.

    Returns:
        A tensor of shape `dims`.

    Raises:
        ValueError: `value` is no scalar, or a size is negative.
        TypeError: a size is no integer.

    Example:
        >>> import minitensor as tf
        >>> tf.fill([2], 7).numpy()
        array([7, 7], dtype=int32)

    Source: tf.fill
    """
    x = as_tensor(value, what="fill: value")
    if x.ndim:
        raise ValueError(f"fill: value must be a scalar, got shape {x.shape!s}")
    return array.broadcast_to(x, shape=args.numbers("fill", "dims", dims))
