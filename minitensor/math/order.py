"""Indices, orders and running sums along one axis.

A NaN is no largest and no smallest element, as in TensorFlow (the index is 0 where all are NaN). In
an order it counts as larger than all numbers, as in NumPy; what TensorFlow then returns is sorted
in no way.

For all of them:
    Args: `input`, `x`, `values`: numbers with at least one axis; for argmax and argmin booleans
        too. `axis`: which one; None is 0. `output_type`: int16, uint16, int32 or int64.
        `exclusive`: leave x_k itself out of y_k. `reverse`: begin at the end. `direction`:
        "ASCENDING" or "DESCENDING". `name`: ignored.
    Returns: the shape of what came; for argmax and argmin its other sizes, integers.
    Raises: TypeError for other elements or another `output_type`; ValueError where the axis does
        not exist or, for argmax and argmin, has no elements.
    Source: the function of tf or tf.math with the same name.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.backend.errors import InvalidArgumentError
from minitensor.docstrings import examples_of
from minitensor.dtypes import as_dtype, int32, int64
from minitensor.nn import checks
from minitensor.nn.best import top_k
from minitensor.ops import math, reduce

__all__ = ["argmax", "argmin", "cumprod", "cumsum", "top_k"]  # sort, argsort: top level only
example = examples_of("tf")


@example("argmax([[1, 5, 5], [2, 0, 1]], axis=1)", "array([1, 0])")
def argmax(
    input: Any, axis: Any = None, output_type: Any = int64, name: str | None = None
) -> Tensor:
    """Where the first largest element along an axis is; a NaN is none."""
    return _extreme(reduce.argmax, "argmax", input, axis, output_type)


@example("argmin([[1, 5, 5], [2, 0, 1]], axis=1)", "array([0, 1])")
def argmin(
    input: Any, axis: Any = None, output_type: Any = int64, name: str | None = None
) -> Tensor:
    """Where the first smallest element along an axis is; a NaN is none."""
    return _extreme(reduce.argmin, "argmin", input, axis, output_type)


def _extreme(op: Any, name: str, value: Any, axis: Any, output_type: Any) -> Tensor:
    x = checks.tensor(name, "input", value)
    axis = checks.axis(name, 0 if axis is None else axis, x.ndim)
    dtype = as_dtype(output_type)
    if dtype.name not in ("int16", "uint16", "int32", "int64"):
        raise TypeError(f"{name}: output_type {dtype.name}; legal: int16, uint16, int32, int64")
    if not x.shape[axis]:
        raise InvalidArgumentError(f"{name}: axis {axis} of {x.shape!s} has no elements")
    return math.cast(op(x, axis=axis), dtype=dtype)


@example("cumsum([1, 2, 3], exclusive=True)", "array([0, 1, 3], dtype=int32)")
def cumsum(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Running sums: y_k = x_0 + ... + x_k along an axis."""
    tensor = checks.tensor("cumsum", "x", x, "iuf")
    axis = checks.axis("cumsum", axis, tensor.ndim)
    return reduce.cumsum(tensor, axis=axis, exclusive=bool(exclusive), reverse=bool(reverse))


@example("math.cumprod([1, 2, 3], reverse=True)", "array([6, 6, 3], dtype=int32)")
def cumprod(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Running products: y_k = x_0 ... x_k along an axis."""
    tensor = checks.tensor("cumprod", "x", x, "iuf")
    axis = checks.axis("cumprod", axis, tensor.ndim)
    return reduce.cumprod(tensor, axis=axis, exclusive=bool(exclusive), reverse=bool(reverse))


@example('sort([3, 1, 2], direction="DESCENDING")', "array([3, 2, 1], dtype=int32)")
def sort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None
) -> Tensor:
    """The elements in order along an axis."""
    x, axis, descending = _order("sort", values, axis, direction)
    return reduce.sort(x, axis=axis, descending=descending)


@example("argsort([3, 1, 2])", "array([1, 2, 0], dtype=int32)")
def argsort(
    values: Any,
    axis: Any = -1,
    direction: str = "ASCENDING",
    stable: bool = False,
    name: str | None = None,
) -> Tensor:
    """The indices from which `sort` takes its elements; equal elements stay in their order.

    Args:
        stable: ignored; the order always is.

    Returns:
        The shape of `values`, int32.
    """
    x, axis, descending = _order("argsort", values, axis, direction)
    return math.cast(reduce.argsort(x, axis=axis, descending=descending), dtype=int32)


def _order(op: str, values: Any, axis: Any, direction: Any) -> tuple[Tensor, int, bool]:
    x = checks.tensor(op, "values", values, "iuf")
    if direction not in ("ASCENDING", "DESCENDING"):
        raise InvalidArgumentError(
            f'{op}: direction must be "ASCENDING" or "DESCENDING", got {direction!r}'
        )
    return x, checks.axis(op, axis, x.ndim), direction == "DESCENDING"
