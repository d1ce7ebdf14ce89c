"""Slices of a tensor by their numbers: what changes a few rows of a variable.

Gradients here are whole tensors, also that of `gather`, which TensorFlow gives as IndexedSlices: a
program that asks `isinstance(g, tf.IndexedSlices)` finds that it is none, and adds, scales and
applies it as any other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.array import scatter
from minitensor.array.indexing import coordinates, gather, gather_nd
from minitensor.autograd import Tensor, Variable, align, as_tensor
from minitensor.autograd.tensor import ArrayLike
from minitensor.backend.errors import InvalidArgumentError
from minitensor.docstrings import named
from minitensor.nn import checks

__all__ = ["IndexedSlices"]


class IndexedSlices(ArrayLike):
    """Slices along the first axis of a tensor that is zero elsewhere.

    tensor[indices[k]] = the sum of values[k] of the same index

    Args:
        values: (K, ...).
        indices: (K,) integers.
        dense_shape: the shape of the tensor; without it the slices have none to be written into.

    Raises:
        ValueError: values and indices do not fit each other, or the tensor where it is asked for.

    Example:
        >>> import minitensor as tf
        >>> slices = tf.IndexedSlices([[5.0], [6.0], [7.0]], [2, 0, 2], dense_shape=[3, 1])
        >>> tf.convert_to_tensor(slices).numpy().ravel()
        array([ 6.,  0., 12.], dtype=float32)
        >>> tf.Variable([[1.0], [1.0], [1.0]]).scatter_add(slices).numpy().ravel()
        array([ 7.,  1., 13.], dtype=float32)

    Source: tf.IndexedSlices
    """

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self.values = as_tensor(values, what="IndexedSlices: values")
        self.indices = checks.tensor("IndexedSlices", "indices", indices, "iu")
        self.dense_shape = None if dense_shape is None else as_tensor(dense_shape)

    def read_value(self) -> Tensor:
        """The whole tensor."""
        if self.dense_shape is None:
            raise ValueError("IndexedSlices: dense_shape is missing, so it is no tensor")
        places = self.indices.numpy()[..., np.newaxis]
        return scatter.scatter_nd(places, self.values, self.dense_shape)

    @property
    def array(self) -> Any:  # type: ignore[override]
        """The whole tensor's array."""
        return self.read_value().array

    def __repr__(self) -> str:
        return f"IndexedSlices(indices={self.indices!r}, values={self.values!r})"


def _delta(op: str, variable: Variable, sparse_delta: Any) -> tuple[np.ndarray, Tensor]:
    """Indices and values, which fit the variable."""
    if not isinstance(sparse_delta, IndexedSlices):
        raise TypeError(
            f"{op}: sparse_delta must be a tf.IndexedSlices(values, indices), got {sparse_delta!r}"
        )
    index = sparse_delta.indices.numpy()
    values = align(op, variable=variable, values=sparse_delta.values)[1]
    wanted = (*index.shape, *variable.shape[1:])
    if op == "batch_scatter_update":
        wanted = (*index.shape, *variable.shape[index.ndim :])
    if values.shape != wanted or (not index.ndim and variable.ndim == 0):
        raise InvalidArgumentError(
            f"{op}: values {values.shape} of indices {index.shape} must be {wanted} to fit "
            f"variable {variable.name} of shape {variable.shape}"
        )
    return index, values


def _method(name: str, says: str, change: Callable[..., Any]) -> Callable[..., Variable]:
    def method(
        self: Variable, sparse_delta: Any, use_locking: bool = False, name: str | None = None
    ) -> Variable:
        index, values = _delta(method.__name__, self, sparse_delta)
        return self.assign(change(Tensor(self.array), index[..., np.newaxis], values))

    return named(name, f"{says} slices of an IndexedSlices; returns the variable.", method)


def _factors(ufunc: Any) -> Callable[..., Any]:
    """Multiplies or divides by one slice after the other."""

    def change(x: Tensor, index: np.ndarray, values: Tensor) -> np.ndarray:
        changed = x.numpy().copy()
        ufunc.at(changed, coordinates("scatter", index, x.shape), values.numpy())
        return changed

    return change


def _in_batch(x: Tensor, index: np.ndarray, values: Tensor) -> Tensor:
    """v[b, indices[b, k]] = values[b, k]"""
    front = np.indices(index.shape[:-1])[:-1]  # one for each axis of the batch
    places = np.concatenate([*(part[..., np.newaxis] for part in front), index], -1)
    return scatter.tensor_scatter_nd_update(x, places, values)


def _read(name: str, says: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def method(self: Variable, indices: Any, name: str | None = None) -> Tensor:
        return function(self, indices)

    return named(name, says, method)


for _name, _says, _change in (
    ("scatter_add", "Adds", scatter.tensor_scatter_nd_add),
    ("scatter_sub", "Subtracts", scatter.tensor_scatter_nd_sub),
    ("scatter_max", "Raises to", scatter.tensor_scatter_nd_max),
    ("scatter_min", "Lowers to", scatter.tensor_scatter_nd_min),
    ("scatter_update", "Replaces by", scatter.tensor_scatter_nd_update),
    ("scatter_mul", "Multiplies by", _factors(np.multiply)),
    ("scatter_div", "Divides by", _factors(np.divide)),
    ("batch_scatter_update", "Replaces in each part of a batch by", _in_batch),
):
    setattr(Variable, _name, _method(_name, _says, _change))
for _name, _says, _function in (
    ("sparse_read", "Slices along the first axis, chosen by number.", gather),
    ("gather_nd", "Elements or slices at coordinates.", gather_nd),
):
    setattr(Variable, _name, _read(_name, _says, _function))
