"""Elements picked by place, by coordinates or by condition.

For all of them:
    Args: `name`: ignored.
    Raises: TypeError where indices are no integers, ValueError where one lies outside.
    Source: the function of tf with the same name.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from minitensor import backend
from minitensor.autograd import Tensor, as_tensor, first_tensor, to_device_of
from minitensor.backend.errors import InvalidArgumentError
from minitensor.docstrings import examples_of
from minitensor.dtypes import as_dtype, int32
from minitensor.dtypes import bool as boolean
from minitensor.nn import checks
from minitensor.ops import array, math

__all__ = ["boolean_mask", "gather", "gather_nd", "slice", "unique", "where"]
example = examples_of("tf")


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """x where the condition holds, else y; with the condition alone, the indices where it holds.

    Args:
        condition: booleans; alone it may be numbers, which hold unless they are 0.
        x, y: tensors of one type; the three shapes broadcast.

    Returns:
        The common shape; or (count, rank of condition), int64, in row-major order.

    Raises:
        ValueError: only one of x and y is given, or the shapes do not broadcast.
        TypeError: `condition` is not boolean, or the types of x and y differ.

    Example:
        >>> import minitensor as tf
        >>> tf.where([True, False], 1.0, 2.0).numpy()
        array([1., 2.], dtype=float32)
        >>> tf.where([True, False]).numpy()
        array([[0]])
    """
    if (x is None) != (y is None):
        raise InvalidArgumentError("where: give both x and y, or neither")
    if x is None:
        held = as_tensor(condition, what="where: condition")
        return to_device_of(backend.of(held.array).xp.argwhere(held.array), held)
    return math.where(condition, x, y)


@example("gather([10, 20, 30], [2, 0])", "array([30, 10], dtype=int32)")
def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: Any = 0,
    name: str | None = None,
) -> Tensor:
    """Slices along an axis, chosen by number: y[..., i, ...] = params[..., indices[i], ...].

    Args:
        params: the tensor to take from.
        indices: integers of any shape, 0 ... size of the axis - 1.
        validate_indices: ignored; indices are always checked.
        axis: which one is indexed; default `batch_dims`.
        batch_dims: so many leading axes belong to both, and each row is taken from its own.

    Returns:
        The shape of `params` with `axis` replaced by the shape of `indices` after its batch axes.

    Raises:
        ValueError: an index is out of range, no such axis, or the batch axes differ.
    """
    x = as_tensor(params, None, "gather: params", first_tensor(indices))
    i = checks.tensor("gather", "indices", indices, "iu", x).array
    batch = checks.number("gather", "batch_dims", batch_dims, -i.ndim)
    batch = batch + i.ndim if batch < 0 else batch
    axis = checks.axis("gather", batch if axis is None else axis, x.ndim)
    if not batch <= min(axis, i.ndim) or x.shape[:batch] != i.shape[:batch]:
        raise InvalidArgumentError(
            f"gather: with batch_dims {batch} and axis {axis}, params {x.shape!s} and indices "
            f"{i.shape} must agree in their first {batch} axes, and axis must come after them"
        )
    if i.size and not 0 <= i.min() <= i.max() < x.shape[axis]:
        raise InvalidArgumentError(
            f"gather: indices from {i.min()} to {i.max()} must lie in 0 ... {x.shape[axis] - 1}, "
            f"as axis {axis} of params {x.shape!s}"
        )
    return _gather_rows(x, i, axis, batch) if batch else array.gather(x, i, axis=axis)


def _gather_rows(x: Tensor, i: Any, axis: int, batch: int) -> Tensor:
    """Each batch row of i picks from its own row of x: an index with one part per axis."""
    between, inner = axis - batch, i.ndim - batch
    rank = batch + between + inner
    parts: list[Any] = []
    for k in range(axis):
        after = rank - 1 - k
        parts.append(np.arange(x.shape[k]).reshape(-1, *[1] * after))
    rows = np.asarray(Tensor(i))
    parts.append(rows.reshape(*i.shape[:batch], *[1] * between, *i.shape[batch:]))
    return array.getitem(x, index=tuple(parts))  # (batch..., between..., inner..., rest...)


@example("gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]])", "array([2, 3], dtype=int32)")
def gather_nd(
    params: Any,
    indices: Any,
    batch_dims: Any = 0,
    name: str | None = None,
    bad_indices_policy: str = "",
) -> Tensor:
    """Elements or slices picked by coordinates: y[..., :] = params[indices[..., 0], ...].

    Args:
        params: the tensor to take from.
        indices: integers; the last axis holds the first coordinates of what is picked.
        batch_dims: so many leading axes belong to both.
        bad_indices_policy: "" or "DEFAULT": an index out of range is an error.

    Returns:
        The shape of `indices` without its last axis, then the axes of `params` not indexed.

    Raises:
        ValueError: an index is out of range, or there are more coordinates than axes.
    """
    if bad_indices_policy not in ("", "DEFAULT", "ERROR"):
        raise InvalidArgumentError(
            f"gather_nd: bad_indices_policy must be '', got {bad_indices_policy!r}"
        )
    x = as_tensor(params, None, "gather_nd: params", first_tensor(indices))
    i = np.asarray(checks.tensor("gather_nd", "indices", indices, "iu", x))
    batch = checks.number("gather_nd", "batch_dims", batch_dims, 0)
    if i.ndim <= batch or x.shape[:batch] != i.shape[:batch] or batch + i.shape[-1] > x.ndim:
        raise InvalidArgumentError(
            f"gather_nd: indices {i.shape} do not fit params {x.shape!s} after {batch} batch axes; "
            "their last axis holds at most one number per axis"
        )
    parts = coordinates("gather_nd", i, x.shape[batch:])
    inner = (1,) * (i.ndim - 1 - batch)
    rows = np.ix_(*(np.arange(n) for n in i.shape[:batch])) if batch else ()
    index = (*(row.reshape(row.shape + inner) for row in rows), *parts)
    if not parts:
        raise InvalidArgumentError("gather_nd: the last axis of indices must not be empty")
    return array.getitem(x, index=index)


def coordinates(op: str, indices: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """The parts of (..., K) indices, one for each of the first K axes, all of them in range."""
    parts = tuple(indices[..., k] for k in range(indices.shape[-1]))
    for k, (part, size) in enumerate(zip(parts, shape, strict=False)):
        if part.size and not 0 <= part.min() <= part.max() < size:
            raise InvalidArgumentError(
                f"{op}: coordinate {k} goes from {part.min()} to {part.max()} and must lie in "
                f"0 ... {size - 1}"
            )
    return parts


def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """The block that starts at `begin`.

    Args:
        input_: any tensor.
        begin: one index per axis.
        size: one length per axis; -1 is all that remains.

    Returns:
        A tensor of those lengths.

    Raises:
        ValueError: the block does not lie inside, or there is not one number per axis.

    Example:
        >>> import minitensor as tf
        >>> tf.slice([[1, 2, 3], [4, 5, 6]], [0, 1], [-1, 2]).numpy()
        array([[2, 3],
               [5, 6]], dtype=int32)
    """
    x = as_tensor(input_, what="slice: input_")
    starts = checks.numbers("slice", "begin", begin)
    sizes = checks.numbers("slice", "size", size, -1)
    if not len(starts) == len(sizes) == x.ndim:
        raise InvalidArgumentError(
            f"slice: begin {starts} and size {sizes} need one number per axis of {x.ndim}"
        )
    ends = tuple(n if s == -1 else a + s for a, s, n in zip(starts, sizes, x.shape, strict=True))
    if any(not a <= b <= n for a, b, n in zip(starts, ends, x.shape, strict=True)):
        raise InvalidArgumentError(
            f"slice: from {starts}, size {sizes}, is not inside a tensor {x.shape!s}"
        )
    window = tuple(builtins.slice(a, b) for a, b in zip(starts, ends, strict=True))
    return array.getitem(x, index=window)


@example("boolean_mask([[1, 2], [3, 4]], [True, False])", "array([[1, 2]], dtype=int32)")
def boolean_mask(tensor: Any, mask: Any, axis: Any = None, name: str = "boolean_mask") -> Tensor:
    """The elements, or slices, where a mask holds.

    Args:
        tensor: any tensor.
        mask: booleans, or numbers that hold unless they are 0, in the shape of some axes in a row.
        axis: the first of those axes; default 0.

    Returns:
        `tensor` with those axes replaced by a single one, one entry where the mask holds.

    Raises:
        ValueError: the mask is a scalar, or its shape is not that of the axes.
    """
    x = as_tensor(tensor, what="boolean_mask: tensor")
    chosen = np.asarray(as_tensor(mask, what="boolean_mask: mask")).astype(boolean)
    if not chosen.ndim:
        raise InvalidArgumentError("boolean_mask: mask must not be a scalar")
    first = checks.axis("boolean_mask", 0 if axis is None else axis, x.ndim)
    if x.shape[first : first + chosen.ndim] != chosen.shape:
        raise InvalidArgumentError(
            f"boolean_mask: mask {chosen.shape} must have the sizes of tensor {x.shape!s} from "
            f"axis {first} on"
        )
    return array.getitem(x, index=array.along(first, chosen))


def unique(x: Any, out_idx: Any = int32, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The different elements of a vector in the order they first come, and where each one went.

    x[i] = y[idx[i]]

    Args:
        x: a vector.
        out_idx: int32 or int64.

    Returns:
        y and idx.

    Raises:
        ValueError: `x` is no vector.

    Example:
        >>> import minitensor as tf
        >>> y, idx = tf.unique([5, 3, 5])
        >>> y.numpy(), idx.numpy()
        (array([5, 3], dtype=int32), array([0, 1, 0], dtype=int32))
    """
    vector = as_tensor(x, what="unique: x")
    if vector.ndim != 1:
        raise InvalidArgumentError(f"unique: x must be a vector, got shape {vector.shape}")
    _, first, back = np.unique(np.asarray(vector), return_index=True, return_inverse=True)
    order = np.argsort(first)
    ranks = np.argsort(order)
    y = array.gather(vector, first[order], axis=0)
    return y, to_device_of(ranks[back].astype(as_dtype(out_idx)), vector)
