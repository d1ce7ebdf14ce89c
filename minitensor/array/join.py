"""Many tensors to one, and one to many.

For all of them:
    Args: `axis`: along which, from the end if negative. `value`: a tensor that has this axis.
        `name`: ignored.
    Returns: one tensor; or a list of tensors, if the name says unstack or split.
    Raises: TypeError where element types differ or a number is no integer, ValueError where the
        axis does not exist.
    Source: the function of tf with the same name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitensor.autograd import Tensor, align, as_tensor
from minitensor.autograd.tensor import ArrayLike
from minitensor.backend.errors import InvalidArgumentError
from minitensor.nn import checks
from minitensor.ops import array, math

__all__ = ["concat", "split", "stack", "unstack"]


def concat(values: Any, axis: Any, name: str = "concat") -> Tensor:
    """Tensors one after the other along an axis they have.

    Args:
        values: a list of tensors of one type, whose other axes agree.

    Returns:
        A tensor whose size along `axis` is the sum of theirs.

    Raises:
        ValueError: nothing to join, no such axis, or other axes differ.

    Example:
        >>> import minitensor as tf
        >>> tf.concat([[1, 2], [3]], 0).numpy()
        array([1, 2, 3], dtype=int32)
    """
    if isinstance(values, ArrayLike):
        return as_tensor(values)
    xs = _tensors("concat", values)
    if len(xs) == 1:  # nothing is joined, so no axis is read: a scalar is legal, as in TensorFlow
        return math.identity(xs[0])
    axis = checks.axis("concat", axis, xs[0].ndim)
    rest = [(*x.shape[:axis], *x.shape[axis + 1 :]) for x in xs]
    if any(x.ndim != xs[0].ndim for x in xs) or any(sizes != rest[0] for sizes in rest):
        raise InvalidArgumentError(
            f"concat: shapes {', '.join(str(x.shape) for x in xs)} may differ in axis {axis} only"
        )
    return array.concat(*xs, axis=axis)


def stack(values: Any, axis: Any = 0, name: str = "stack") -> Tensor:
    """Tensors of one shape side by side, along a new axis.

    Args:
        values: a list of tensors of one type and shape.
        axis: the place of the new axis in the result.

    Returns:
        A tensor with a new axis of size len(values).

    Raises:
        ValueError: nothing to join, no such axis, or shapes differ.

    Example:
        >>> import minitensor as tf
        >>> tf.stack([[1, 2], [3, 4]], axis=1).numpy()
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    xs = _tensors("stack", list(values) if isinstance(values, ArrayLike) else values)
    if any(x.shape != xs[0].shape for x in xs):
        raise InvalidArgumentError(
            f"stack: shapes {', '.join(str(x.shape) for x in xs)} must be equal"
        )
    return array.stack(*xs, axis=checks.axis("stack", axis, xs[0].ndim + 1))


def _tensors(op: str, values: Any) -> tuple[Tensor, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        values = [values]
    if not values:
        raise InvalidArgumentError(f"{op}: values is empty; give at least one tensor")
    return align(op, **{f"values[{k}]": value for k, value in enumerate(values)})


def unstack(value: Any, num: Any = None, axis: Any = 0, name: str = "unstack") -> list[Tensor]:
    """The slices of a tensor along an axis, without that axis.

    Args:
        num: None, or how many slices to expect.

    Raises:
        ValueError: no such axis, or its size is not `num`.

    Example:
        >>> import minitensor as tf
        >>> [row.numpy() for row in tf.unstack([[1, 2], [3, 4]])]
        [array([1, 2], dtype=int32), array([3, 4], dtype=int32)]
    """
    x = as_tensor(value, what="unstack: value")
    axis = checks.axis("unstack", axis, x.ndim)
    count = x.shape[axis]
    if num is not None and checks.number("unstack", "num", num, 0) != count:
        raise InvalidArgumentError(
            f"unstack: axis {axis} of {x.shape!s} has {count} slices, not {num}"
        )
    return array.unstack(x, axis=axis)


def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: Any = None, name: str = "split"
) -> list[Tensor]:
    """Pieces of a tensor along an axis.

    Args:
        num_or_size_splits: the number of equal pieces, or a list of sizes, of which one may be -1.
        num: ignored; the list says how many pieces there are.

    Raises:
        ValueError: the axis does not exist, is not divisible, or the sizes do not add up to it.

    Example:
        >>> import minitensor as tf
        >>> [piece.numpy() for piece in tf.split([1, 2, 3], [1, -1])]
        [array([1], dtype=int32), array([2, 3], dtype=int32)]
    """
    x = as_tensor(value, what="split: value")
    axis = checks.axis("split", axis, x.ndim)
    return array.split(x, sizes=_sizes(num_or_size_splits, x.shape[axis]), axis=axis)


def _sizes(parts: Any, whole: int) -> list[int]:
    """The sizes of the pieces that `num_or_size_splits` asks for."""
    if not isinstance(parts, list | tuple) and not getattr(parts, "ndim", 0):
        count = checks.number("split", "num_or_size_splits", parts, 1)
        if whole % count:
            raise InvalidArgumentError(
                f"split: an axis of size {whole} cannot be cut into {count} equal parts"
            )
        return [whole // count] * count
    sizes = list(checks.numbers("split", "num_or_size_splits", parts, -1))
    if sizes.count(-1) > 1:
        raise InvalidArgumentError(f"split: sizes {sizes} have more than one -1")
    if -1 in sizes:
        sizes[sizes.index(-1)] = whole - sum(sizes) - 1
    if sum(sizes) != whole or min(sizes, default=0) < 0:
        raise InvalidArgumentError(
            f"split: sizes {parts!r} must add up to {whole}, the size of the axis"
        )
    return sizes
