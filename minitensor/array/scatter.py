"""Elements written at coordinates: into zeros, into a copy of a tensor, into a variable.

For all of them:
    Args: `tensor`: what is written into. `indices`: integers; the last axis holds the first
        coordinates of what is written, (..., K). `updates`: what is written there, the shape of
        `indices` without its last axis, then the axes of the tensor from K on.
        `bad_indices_policy`: "" or "DEFAULT": an index out of range is an error. `name`: ignored.
    Returns: a tensor; that of the functions on a tensor has its shape and type.
    Raises: ValueError where a coordinate is out of range, or the shapes do not fit; TypeError where
        `indices` are no integers, or `updates` have another type.
    Source: the function of tf with the same name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from minitensor.array.indexing import coordinates
from minitensor.autograd import Tensor, Variable, align, as_tensor, first_tensor
from minitensor.backend.errors import InvalidArgumentError
from minitensor.docstrings import examples_of, named
from minitensor.nn import checks
from minitensor.ops import array, scatter

__all__ = [
    "scatter_nd", "tensor_scatter_nd_add", "tensor_scatter_nd_max", "tensor_scatter_nd_min",
    "tensor_scatter_nd_sub", "tensor_scatter_nd_update",
]  # fmt: skip
example = examples_of("tf")


class Scatter(Protocol):
    """A public function that writes into a copy of a tensor."""

    def __call__(
        self,
        tensor: Any,
        indices: Any,
        updates: Any,
        bad_indices_policy: str = "",
        name: str | None = None,
    ) -> Tensor: ...


def _index(op: str, indices: Any, updates: Tensor, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Where in `shape` each update goes: one array of integers for each coordinate."""
    i = np.asarray(checks.tensor(op, "indices", indices, "iu", updates))
    depth = i.shape[-1] if i.ndim else 0
    if not 0 < depth <= len(shape) or updates.shape != (*i.shape[:-1], *shape[depth:]):
        raise InvalidArgumentError(
            f"{op}: indices {i.shape} and updates {updates.shape!s} do not fit shape {shape}; the "
            "last axis of indices holds at most one number per axis, and updates have the other "
            "axes of indices, then those that no number names"
        )
    return coordinates(op, i, shape)


def _policy(op: str, policy: Any) -> None:
    if policy not in ("", "DEFAULT", "ERROR"):
        raise InvalidArgumentError(f"{op}: bad_indices_policy must be '', got {policy!r}")


@example("scatter_nd([[1], [3], [1]], [5, 6, 7], [4])", "array([ 0, 12,  0,  6], dtype=int32)")
def scatter_nd(
    indices: Any,
    updates: Any,
    shape: Any,
    bad_indices_policy: str = "",
    name: str | None = None,
) -> Tensor:
    """Zeros with `updates` added at coordinates: y[indices[k]] += updates[k].

    Args:
        shape: that of the result.
    """
    _policy("scatter_nd", bad_indices_policy)
    g = as_tensor(updates, None, "scatter_nd: updates", first_tensor(updates, indices))
    sizes = checks.numbers("scatter_nd", "shape", shape)
    return array.put(g, index=_index("scatter_nd", indices, g, sizes), shape=sizes)


def _added(x: Tensor, updates: Tensor, *, index: tuple[Any, ...]) -> Tensor:
    return x + array.put(updates, index=index, shape=x.shape)


def _subtracted(x: Tensor, updates: Tensor, *, index: tuple[Any, ...]) -> Tensor:
    return x - array.put(updates, index=index, shape=x.shape)


def _of_tensor(name: str, op: Callable[..., Tensor], says: str, prints: str) -> Scatter:
    """The function of a row."""

    def function(
        tensor: Any,
        indices: Any,
        updates: Any,
        bad_indices_policy: str = "",
        name: str | None = None,
    ) -> Tensor:
        op_name = function.__name__
        _policy(op_name, bad_indices_policy)
        x, g = align(op_name, first_tensor(indices), tensor=tensor, updates=updates)
        return op(x, g, index=_index(op_name, indices, g, x.shape))

    call = f"{name}([4, 5, 6], [[1], [0]], [1, 7])"
    return example(call, f"array({prints}, dtype=int32)")(named(name, says, function))


# fmt: off
tensor_scatter_nd_add = _of_tensor("tensor_scatter_nd_add", _added,
    "A tensor with `updates` added at coordinates.", "[11,  6,  6]")
tensor_scatter_nd_sub = _of_tensor("tensor_scatter_nd_sub", _subtracted,
    "A tensor with `updates` subtracted at coordinates.", "[-3,  4,  6]")
tensor_scatter_nd_max = _of_tensor("tensor_scatter_nd_max", scatter.largest,
    "The larger of a tensor and of `updates` at coordinates; ties share the gradient evenly.",
    "[7, 5, 6]")
tensor_scatter_nd_min = _of_tensor("tensor_scatter_nd_min", scatter.smallest,
    "The smaller of a tensor and of `updates` at coordinates; ties share the gradient evenly.",
    "[4, 1, 6]")
# fmt: on


@example("tensor_scatter_nd_update([4, 5, 6], [[1]], [7])", "array([4, 7, 6], dtype=int32)")
def tensor_scatter_nd_update(
    tensor: Any, indices: Any, updates: Any, name: str | None = None
) -> Tensor:
    """A tensor with `updates` in place of its own elements; of two for one place the last stays."""
    op = "tensor_scatter_nd_update"
    x, g = align(op, first_tensor(indices), tensor=tensor, updates=updates)
    return scatter.overwrite(x, g, index=_index(op, indices, g, x.shape))


def _of_variable(name: str, function: Callable[..., Tensor]) -> Callable[..., Variable]:
    """The method of a variable that does in place what a function does to a copy."""

    def method(self: Variable, indices: Any, updates: Any, name: str | None = None) -> Variable:
        return self.assign(function(Tensor(self.array), indices, updates))

    says = f"Does in place what `tf.tensor_{name}` does to a copy; returns the variable."
    return named(name, says, method)


for _name in ("add", "sub", "max", "min", "update"):
    _method = f"scatter_nd_{_name}"
    setattr(Variable, _method, _of_variable(_method, globals()[f"tensor_{_method}"]))
