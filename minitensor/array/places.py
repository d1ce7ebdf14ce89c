"""Elements moved, repeated and picked by coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor, first_tensor, to_device_of
from minitensor.dtypes import as_dtype, int32
from minitensor.nn import checks as args
from minitensor.ops import array

__all__ = ["gather_nd", "meshgrid", "repeat", "roll", "unique"]


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Elements moved along axes; those that fall off the end come in at the beginning.

    y[..., (i + shift) mod n, ...] = input[..., i, ...]

    Args:
        input: any tensor.
        shift: how far, or one number per axis; may be negative.
        axis: which axis, or axes.
        name: ignored.

    Returns:
        The shape of `input`.

    Raises:
        ValueError: no such axis, or not one shift per axis.
        TypeError: a number is no integer.

    Example:
        >>> import minitensor as tf
        >>> tf.roll([1, 2, 3, 4], 1, 0).numpy()
        array([4, 1, 2, 3], dtype=int32)

    Source: tf.roll
    """
    x = as_tensor(input, what="roll: input")
    shifts = args.numbers("roll", "shift", shift, -(2**63))
    axes = args.numbers("roll", "axis", axis, -(2**31))
    if len(shifts) != len(axes):
        raise ValueError(f"roll: shift {shifts} and axis {axes} must have the same length")
    for distance, number in zip(shifts, axes, strict=True):
        place = args.axis("roll", number, x.ndim)
        x = array.gather(x, np.roll(np.arange(x.shape[place]), distance), axis=place)
    return x


def repeat(input: Any, repeats: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Each slice several times in a row.

    Args:
        input: any tensor.
        repeats: how often, or one number for each slice.
        axis: along which; None takes the elements of the flattened tensor.
        name: ignored.

    Returns:
        `input` with another size along `axis`; a vector without an axis.

    Raises:
        ValueError: no such axis, a negative number, or not one number per slice.
        TypeError: a number is no integer.

    Example:
        >>> import minitensor as tf
        >>> tf.repeat([[1, 2], [3, 4]], [1, 2], axis=0).numpy()
        array([[1, 2],
               [3, 4],
               [3, 4]], dtype=int32)

    Source: tf.repeat
    """
    x = as_tensor(input, what="repeat: input")
    if axis is None:
        x = array.reshape(x, shape=(-1,))
    place = args.axis("repeat", 0 if axis is None else axis, x.ndim)
    counts = args.numbers("repeat", "repeats", repeats)
    size = x.shape[place]
    if len(counts) not in (1, size):
        raise ValueError(f"repeat: repeats {counts} must be one number, or one for each of {size}")
    chosen = np.repeat(np.arange(size), counts if len(counts) == size else counts * size)
    return array.gather(x, chosen, axis=place)


def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """Coordinates of a grid: one tensor per vector, each varying along an axis of its own.

    y_k[i_0, i_1, ...] = args[k][i_k]; with indexing="xy" the first two axes change places

    Args:
        *args: vectors, or scalars.
        **kwargs: indexing, "xy" (default) or "ij"; name is ignored.

    Returns:
        A list of tensors of one shape.

    Raises:
        ValueError: another word for indexing.
        TypeError: another keyword.

    Example:
        >>> import minitensor as tf
        >>> x, y = tf.meshgrid([1, 2, 3], [4, 5])
        >>> x.numpy()
        array([[1, 2, 3],
               [1, 2, 3]], dtype=int32)

    Source: tf.meshgrid
    """
    indexing = kwargs.pop("indexing", "xy")
    kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"meshgrid: got {sorted(kwargs)}; legal: indexing, name")
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}")
    vectors = [array.reshape(as_tensor(v, what="meshgrid: args"), shape=(-1,)) for v in args]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = 1, 0
    shape = [0] * len(order)
    for vector, place in zip(vectors, order, strict=True):
        shape[place] = vector.shape[0]
    grids = []
    for vector, place in zip(vectors, order, strict=True):
        upright = tuple(-1 if k == place else 1 for k in range(len(order)))
        along = array.reshape(vector, shape=upright)
        grids.append(array.broadcast_to(along, shape=tuple(shape)))
    return grids


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
        name: ignored.
        bad_indices_policy: "" or "DEFAULT": an index out of range is an error.

    Returns:
        The shape of `indices` without its last axis, then the axes of `params` not indexed.

    Raises:
        ValueError: an index is out of range, or there are more coordinates than axes.
        TypeError: `indices` are no integers.

    Example:
        >>> import minitensor as tf
        >>> tf.gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]]).numpy()
        array([2, 3], dtype=int32)

    Source: tf.gather_nd
    """
    if bad_indices_policy not in ("", "DEFAULT", "ERROR"):
        raise ValueError(f"gather_nd: bad_indices_policy must be '', got {bad_indices_policy!r}")
    x = as_tensor(params, None, "gather_nd: params", first_tensor(indices))
    i = np.asarray(args.tensor("gather_nd", "indices", indices, "iu", x))
    batch = args.number("gather_nd", "batch_dims", batch_dims, 0)
    if i.ndim <= batch or x.shape[:batch] != i.shape[:batch] or batch + i.shape[-1] > x.ndim:
        raise ValueError(
            f"gather_nd: indices {i.shape} do not fit params {x.shape!s} after {batch} batch axes; "
            "their last axis holds at most one number per axis"
        )
    parts = [i[..., k] for k in range(i.shape[-1])]
    for k, part in enumerate(parts):
        size = x.shape[batch + k]
        if part.size and not 0 <= part.min() <= part.max() < size:
            raise ValueError(
                f"gather_nd: coordinate {k} goes from {part.min()} to {part.max()} and must lie in "
                f"0 ... {size - 1}"
            )
    inner = (1,) * (i.ndim - 1 - batch)
    rows = np.ix_(*(np.arange(n) for n in i.shape[:batch])) if batch else ()
    index = (*(row.reshape(row.shape + inner) for row in rows), *parts)
    if not parts:
        raise ValueError("gather_nd: the last axis of indices must not be empty")
    return array.getitem(x, index=index)


def unique(x: Any, out_idx: Any = int32, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The different elements of a vector in the order they first come, and where each one went.

    x[i] = y[idx[i]]

    Args:
        x: a vector.
        out_idx: int32 or int64.
        name: ignored.

    Returns:
        y and idx.

    Raises:
        ValueError: `x` is no vector.

    Example:
        >>> import minitensor as tf
        >>> y, idx = tf.unique([5, 3, 5])
        >>> y.numpy(), idx.numpy()
        (array([5, 3], dtype=int32), array([0, 1, 0], dtype=int32))

    Source: tf.unique
    """
    vector = as_tensor(x, what="unique: x")
    if vector.ndim != 1:
        raise ValueError(f"unique: x must be a vector, got shape {vector.shape}")
    _, first, back = np.unique(np.asarray(vector), return_index=True, return_inverse=True)
    order = np.argsort(first)
    ranks = np.argsort(order)
    y = array.gather(vector, first[order], axis=0)
    return y, to_device_of(ranks[back].astype(as_dtype(out_idx)), vector)
