"""The same elements in another shape or order of axes, and what a shape is.

For all of them:
    Args: `input`, `tensor`, `a`: any tensor. `out_type`: element type of the answer, int32 if
        None. `name`: ignored.
    Returns: a tensor of the new shape, if nothing else is said.
    Raises: TypeError for what holds no numbers, or a size or axis that is no integer; ValueError
        where an axis does not exist.
    Source: the function of tf with the same name.
"""

from __future__ import annotations

import math as integers
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, TensorShape, as_tensor, to_device_of
from minitensor.backend.errors import InvalidArgumentError
from minitensor.docstrings import examples_of
from minitensor.dtypes import as_dtype, int32
from minitensor.nn import checks
from minitensor.ops import array
from minitensor.ops.elementwise import check_broadcast

__all__ = [
    "broadcast_to", "ensure_shape", "expand_dims", "rank", "reshape", "shape", "size", "squeeze",
    "transpose",
]  # fmt: skip
example = examples_of("tf")


@example("shape([[1, 2, 3]])", "array([1, 3], dtype=int32)")
def shape(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """The sizes of the axes, as a tensor.

    Returns:
        A vector of integers.
    """
    return _counts("shape", as_tensor(input, what="shape: input").shape, out_type)


@example("size([[1, 2, 3]])", "np.int32(3)")
def size(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """The number of elements, as a tensor.

    Returns:
        A scalar.
    """
    return _counts("size", as_tensor(input, what="size: input").array.size, out_type)


def _counts(op: str, count: Any, out_type: Any) -> Tensor:
    """Sizes as a tensor of `out_type`, which must hold them."""
    dtype = as_dtype(int32 if out_type is None else out_type)
    if dtype.kind in "iu" and np.max(count, initial=0) > np.iinfo(dtype).max:
        raise InvalidArgumentError(
            f"{op}: {count} is too large for {dtype.name}; use out_type=tf.int64"
        )
    return to_device_of(np.array(count, dtype))


@example("rank([[1, 2, 3]])", "np.int32(2)")
def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of axes, as a tensor.

    Returns:
        A scalar, int32.
    """
    return to_device_of(np.array(as_tensor(input, what="rank: input").ndim, int32))


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same elements in row-major order, in another shape.

    Args:
        shape: the new sizes; one of them may be -1, which is computed from the others.

    Raises:
        ValueError: the elements do not fit, or more than one size is -1.

    Example:
        >>> import minitensor as tf
        >>> tf.reshape([1, 2, 3, 4], [2, -1]).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    x = as_tensor(tensor, what="reshape: tensor")
    sizes = checks.numbers("reshape", "shape", shape, -1)
    known = integers.prod(n for n in sizes if n != -1)
    open_sizes = sizes.count(-1)
    if open_sizes > 1:
        raise InvalidArgumentError(f"reshape: shape {sizes} has more than one -1")
    rest = x.array.size // known if known else 0
    if known * (rest if open_sizes else 1) != x.array.size:
        raise InvalidArgumentError(
            f"reshape: {x.array.size} elements of {x.shape!s} do not fit into {sizes}"
        )
    return array.reshape(x, shape=tuple(rest if n == -1 else n for n in sizes))


def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str = "transpose") -> Tensor:
    """Axes in another order: axis k of the result is axis perm[k] of `a`.

    Args:
        perm: the order; None reverses it.
        conjugate: ignored, as all tensors are real.

    Returns:
        A tensor with the same sizes in the new order.

    Raises:
        ValueError: `perm` does not name every axis once.

    Example:
        >>> import minitensor as tf
        >>> tf.transpose([[1, 2], [3, 4]]).numpy()
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    x = as_tensor(a, what="transpose: a")
    reverse_order = tuple(range(x.ndim))[::-1]
    order = reverse_order if perm is None else checks.numbers("transpose", "perm", perm, -x.ndim)
    if sorted(k % x.ndim if k < x.ndim else k for k in order) != list(range(x.ndim)):
        raise InvalidArgumentError(
            f"transpose: perm {order} must name each of the {x.ndim} axes once"
        )
    return array.transpose(x, axes=order)


def expand_dims(input: Any, axis: Any, name: str | None = None) -> Tensor:
    """A new axis of size 1.

    Args:
        axis: the place of the new axis in the result; -1 is last.

    Returns:
        The sizes of `input` with a 1 at `axis`.

    Example:
        >>> import minitensor as tf
        >>> tf.expand_dims([1, 2], -1).shape
        TensorShape([2, 1])
    """
    x = as_tensor(input, what="expand_dims: input")
    axes = checks.numbers("expand_dims", "axis", axis, -(2**31))
    if len(axes) != 1:
        raise InvalidArgumentError(f"expand_dims: axis must be one integer, got {axes}")
    axis = checks.axis("expand_dims", axes[0], x.ndim + 1)
    return array.reshape(x, shape=(*x.shape[:axis], 1, *x.shape[axis:]))


def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Axes of size 1 taken away.

    Args:
        axis: which ones, an integer or a list; None or [] is all of them.

    Returns:
        The other sizes of `input`.

    Raises:
        ValueError: a named axis has another size than 1, or does not exist.

    Example:
        >>> import minitensor as tf
        >>> tf.squeeze([[[1, 2]]], axis=0).shape
        TensorShape([1, 2])
    """
    x = as_tensor(input, what="squeeze: input")
    named = () if axis is None else checks.numbers("squeeze", "axis", axis, -(2**31))
    axes = [checks.axis("squeeze", k, x.ndim) for k in named]
    wrong = [k for k in axes if x.shape[k] != 1]
    if wrong:
        raise InvalidArgumentError(f"squeeze: axes {wrong} of {x.shape!s} do not have size 1")
    gone = axes or [k for k, n in enumerate(x.shape) if n == 1]
    return array.reshape(x, shape=tuple(n for k, n in enumerate(x.shape) if k not in gone))


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """The tensor itself, if its shape is this one.

    Args:
        x: any tensor.
        shape: sizes; None in it is any size, None alone any shape.

    Returns:
        x.

    Raises:
        ValueError: it has another shape.

    Example:
        >>> import minitensor as tf
        >>> tf.ensure_shape([[1, 2]], [None, 2]).numpy()
        array([[1, 2]], dtype=int32)
    """
    tensor = as_tensor(x, what="ensure_shape: x")
    if shape is not None and not tensor.shape.is_compatible_with(TensorShape(shape)):
        raise InvalidArgumentError(
            f"ensure_shape: the shape {tensor.shape} is not compatible with {TensorShape(shape)}"
        )
    return tensor


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """Axes of size 1, and axes missing in front, repeated up to a shape.

    Args:
        shape: the sizes to reach.

    Raises:
        ValueError: a size is neither 1 nor the wanted one.

    Example:
        >>> import minitensor as tf
        >>> tf.broadcast_to([1, 2], [2, 2]).numpy()
        array([[1, 2],
               [1, 2]], dtype=int32)
    """
    x = as_tensor(input, what="broadcast_to: input")
    sizes = checks.numbers("broadcast_to", "shape", shape)
    if check_broadcast("broadcast_to", x.shape, sizes) != sizes:
        raise InvalidArgumentError(f"broadcast_to: {x.shape!s} cannot shrink to {sizes}")
    return array.broadcast_to(x, shape=sizes)
