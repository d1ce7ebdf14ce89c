"""Tensors made from a few numbers: constants, identity matrices, ranges, one-hot rows.

For all of them:
    Args: `shape`, `dims`: the sizes of the axes. `input`: a tensor whose shape, and type if
        `dtype` is None, the result takes. `dtype`: the element type. `name`, `layout`: ignored.
    Returns: a tensor of that shape, on the device that is current, or on that of `input`.
    Raises: TypeError where a size is no integer, ValueError where it is negative.
    Source: the function of tf with the same name.
"""

from __future__ import annotations

import builtins
import math as integers
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, align, as_tensor, first_tensor, to_device_of
from minitensor.autograd.tensor import is_float
from minitensor.backend.errors import InvalidArgumentError
from minitensor.docstrings import examples_of
from minitensor.dtypes import DType, as_dtype, float32, float64, int32, int64
from minitensor.nn import checks
from minitensor.ops import array, math
from minitensor.ops.elementwise import check_broadcast

__all__ = [
    "eye", "fill", "linspace", "one_hot", "ones", "ones_like", "range", "zeros", "zeros_like",
]  # fmt: skip
example = examples_of("tf")


@example("zeros([2])", "[0., 0.]")
def zeros(shape: Any, dtype: Any = float32, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of zeros."""
    return to_device_of(np.zeros(checks.numbers("zeros", "shape", shape), as_dtype(dtype)))


@example('ones([2], "int32")', "array([1, 1], dtype=int32)")
def ones(shape: Any, dtype: Any = float32, name: str | None = None, layout: Any = None) -> Tensor:
    """A tensor of ones."""
    return to_device_of(np.ones(checks.numbers("ones", "shape", shape), as_dtype(dtype)))


@example("zeros_like([1, 2])", "array([0, 0], dtype=int32)")
def zeros_like(
    input: Any, dtype: Any = None, name: str | None = None, layout: Any = None
) -> Tensor:
    """Zeros in the shape of another tensor."""
    x = as_tensor(input, what="zeros_like: input")
    return to_device_of(np.zeros(x.shape, as_dtype(x.dtype if dtype is None else dtype)), x)


@example("ones_like([1.5, 2.5])", "[1., 1.]")
def ones_like(input: Any, dtype: Any = None, name: str | None = None, layout: Any = None) -> Tensor:
    """Ones in the shape of another tensor."""
    x = as_tensor(input, what="ones_like: input")
    return to_device_of(np.ones(x.shape, as_dtype(x.dtype if dtype is None else dtype)), x)


@example("fill([2], 7)", "array([7, 7], dtype=int32)")
def fill(dims: Any, value: Any, name: str | None = None, layout: Any = None) -> Tensor:
    """One number, repeated.

    Args:
        value: a scalar, which decides the element type.

    Raises:
        ValueError: `value` is no scalar, or a size is negative.
    """
    x = as_tensor(value, what="fill: value")
    if x.ndim:
        raise InvalidArgumentError(f"fill: value must be a scalar, got shape {x.shape!s}")
    return array.broadcast_to(x, shape=checks.numbers("fill", "dims", dims))


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = float32,
    name: str | None = None,
) -> Tensor:
    """Identity matrices: 1 where row and column agree, else 0.

    Args:
        num_rows, num_columns: sizes of a matrix; None makes it square.
        batch_shape: None, or the sizes of axes in front, along which the matrix is repeated.

    Returns:
        (*batch_shape, num_rows, num_columns)

    Example:
        >>> import minitensor as tf
        >>> tf.eye(2).numpy()
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    rows = checks.number("eye", "num_rows", num_rows, 0)
    columns = rows if num_columns is None else checks.number("eye", "num_columns", num_columns, 0)
    matrix = np.eye(rows, columns, dtype=as_dtype(dtype))
    batch = () if batch_shape is None else checks.numbers("eye", "batch_shape", batch_shape)
    return to_device_of(np.broadcast_to(matrix, (*batch, rows, columns)))


@example("range(3)", "array([0, 1, 2], dtype=int32)")
def range(
    start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range"
) -> Tensor:
    """start, start + delta, start + 2 delta ... as long as `limit` is not reached.

    Args:
        start: the first number; the limit if it stands alone, and the first number is 0 then.
        limit: the end, which is not included.
        delta: the step.
        dtype: element type; None takes the widest of the arguments.

    Returns:
        A vector.

    Raises:
        ValueError: `delta` is 0 or leads away from `limit`, or an argument is no scalar.
        TypeError: an argument is a float and `dtype` an integer.
    """
    first, last = (0, start) if limit is None else (start, limit)
    ends = [as_tensor(v, what="range: start, limit, delta") for v in (first, last, delta)]
    order = [int32, int64, float32, float64]
    widest = max((x.dtype for x in ends), key=lambda d: order.index(d) if d in order else -1)
    kind = widest if dtype is None else as_dtype(dtype)
    if any(is_float(x.dtype) for x in ends) and not is_float(kind):
        raise TypeError(f"range: got floats, which cannot be {kind.name}; leave dtype out")
    if any(x.ndim for x in ends):
        raise InvalidArgumentError("range: start, limit and delta must be scalars")
    a, b, step = (x.numpy().item() for x in ends)
    if step == 0 or (b - a) * step < 0:
        raise InvalidArgumentError(f"range: from {a} to {b} there is no way in steps of {step}")
    count = -((a - b) // step) if not is_float(kind) else integers.ceil((b - a) / step)
    return to_device_of(kind.type(a) + np.arange(count, dtype=kind) * kind.type(step))


@example("linspace(0.0, 1.0, 3)", "[0. , 0.5, 1. ]")
def linspace(start: Any, stop: Any, num: Any, name: str | None = None, axis: Any = 0) -> Tensor:
    """`num` numbers from `start` to `stop`, both included, at equal distances.

    Args:
        start, stop: floats of one shape, or shapes that broadcast; integers become float64.
        num: how many; a single one is `start`.
        axis: the new axis along which they go.

    Returns:
        The shape of start + stop, with a new axis of size `num`.

    Raises:
        ValueError: `num` is negative, or no such axis.
        TypeError: `num` is no integer, or `start` and `stop` have different types.
    """
    count = checks.number("linspace", "num", num, 0)
    a, b = align("linspace", start=start, stop=stop)
    if not is_float(a.dtype):
        a, b = math.cast(a, dtype=float64), math.cast(b, dtype=float64)
    shape = check_broadcast("linspace", a.shape, b.shape)
    axis = checks.axis("linspace", axis, len(shape) + 1)
    a, b = (_with_axis(array.broadcast_to(x, shape=shape), axis) for x in (a, b))
    steps = max(count - 1, 1)
    grid = _upright(np.arange(steps, dtype=a.dtype), axis, a.ndim)

    start_to_last = a + (b - a) / steps * grid  # (..., steps, ...)
    if count > 1:
        return array.concat(start_to_last, b, axis=axis)  # (..., num, ...)
    return array.getitem(start_to_last, index=array.along(axis, slice(0, count)))


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: Any = None,
    dtype: Any = None,
    name: str | None = None,
) -> Tensor:
    """y[..., k] = on_value where k equals the index, else off_value.

    Args:
        indices: integers of any shape; one outside of 0 ... depth - 1 has no on_value.
        depth: size of the new axis.
        on_value, off_value: scalars; default 1 and 0.
        axis: where the new axis goes; default last.
        dtype: element type; None takes that of the values, or float32.

    Returns:
        The shape of `indices` with a new axis of size `depth`.

    Raises:
        TypeError: `indices` are no integers, or the values do not have `dtype`.
        ValueError: `depth` is negative, or no such axis.

    Example:
        >>> import minitensor as tf
        >>> tf.one_hot([1, 0], 3).numpy()
        array([[0., 1., 0.],
               [1., 0., 0.]], dtype=float32)
    """
    x = checks.tensor("one_hot", "indices", indices, "iu", first_tensor(on_value, off_value))
    size = checks.number("one_hot", "depth", depth, 0)
    axis = checks.axis("one_hot", -1 if axis is None else axis, x.ndim + 1)
    kind = _value_type(on_value, off_value, dtype)
    on = as_tensor(1 if on_value is None else on_value, kind, "one_hot: on_value", x)
    off = as_tensor(0 if off_value is None else off_value, kind, "one_hot: off_value", x)
    if on.ndim or off.ndim:
        raise InvalidArgumentError("one_hot: on_value and off_value must be scalars")
    classes = _upright(np.arange(size), axis, x.ndim + 1)
    chosen = math.equal(math.cast(_with_axis(x, axis), dtype=int64), classes)
    return math.where(chosen, on, off)  # (..., depth, ...)


def _value_type(on_value: Any, off_value: Any, dtype: Any) -> DType:
    """The type asked for, else that of the values given, else float32."""
    if dtype is not None:
        return as_dtype(dtype)
    given = {"on_value": on_value, "off_value": off_value}
    given = {name: value for name, value in given.items() if value is not None}
    return align("one_hot", **given)[0].dtype if given else float32


def _upright(vector: np.ndarray, axis: int, rank: int) -> np.ndarray:
    """A vector along `axis`, one of `rank` axes."""
    return vector.reshape([-1 if k == axis else 1 for k in builtins.range(rank)])


def _with_axis(x: Tensor, axis: int) -> Tensor:
    return array.reshape(x, shape=(*x.shape[:axis], 1, *x.shape[axis:]))
