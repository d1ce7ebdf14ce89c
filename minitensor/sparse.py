"""The mirror of tf.sparse, as far as tf.io.parse_example needs it: what VarLenFeature gives.

Source: tf.sparse, under the same names.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitensor import missing
from minitensor.autograd import Tensor, TensorShape, as_tensor, to_device_of
from minitensor.backend import text
from minitensor.backend.errors import InvalidArgumentError
from minitensor.dtypes import int64

__all__ = ["SparseTensor", "to_dense"]


class _Parts(NamedTuple):
    indices: Any
    values: Any
    dense_shape: Any


class SparseTensor(_Parts):
    """The values of a tensor that are not its default, and where they are.

    In a dataset it is a tuple of three tensors; `to_dense` makes one that can be batched.

    Args:
        indices: (n, rank) int64.
        values: (n,)
        dense_shape: (rank,) int64.

    Example:
        >>> import minitensor as tf
        >>> corner = tf.SparseTensor(indices=[[0, 1]], values=[5], dense_shape=[2, 2])
        >>> corner.shape, tf.sparse.to_dense(corner).numpy().tolist()
        (TensorShape([2, 2]), [[0, 5], [0, 0]])

    Source: tf.sparse.SparseTensor
    """

    __slots__ = ()

    def __new__(cls, indices: Any, values: Any, dense_shape: Any) -> SparseTensor:
        """Of lists and arrays tensors are made."""
        if isinstance(values, list | tuple | np.ndarray):
            indices, dense_shape = (as_tensor(x, int64) for x in (indices, dense_shape))
            values = as_tensor(values)
        return super().__new__(cls, indices, values, dense_shape)

    @property
    def shape(self) -> TensorShape:
        """Of the dense tensor."""
        return TensorShape(self.dense_shape.numpy().tolist())

    @property
    def dtype(self) -> Any:
        """Of the values."""
        return self.values.dtype


def to_dense(
    sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None
) -> Tensor:
    """The dense tensor.

    Args:
        sp_input: a SparseTensor.
        default_value: of all other places; None for 0, "" or False.
        validate_indices: refuse indices that are not in order.
        name: ignored.

    Raises:
        TypeError: `sp_input` is no SparseTensor.
        ValueError: an index lies outside, comes twice or out of order.

    Example:
        >>> import minitensor as tf
        >>> words = tf.SparseTensor([[1]], ["cat"], [3])
        >>> tf.sparse.to_dense(words, default_value="-").numpy().tolist()
        [b'-', b'cat', b'-']
    """
    if not isinstance(sp_input, SparseTensor):
        raise TypeError(f"to_dense: expected a SparseTensor, got {type(sp_input).__name__}")
    indices, sizes = (np.asarray(x) for x in (sp_input.indices, sp_input.dense_shape))
    shape = tuple(sizes.tolist())
    if ((indices < 0) | (indices >= sizes)).any():
        raise InvalidArgumentError(f"to_dense: an index is out of bounds of the shape {shape}")
    places = np.ravel_multi_index(tuple(indices.T), shape) if indices.size else np.empty(0, int)
    if validate_indices and (np.diff(places) <= 0).any():
        raise InvalidArgumentError("to_dense: indices are repeated or out of order")
    values = sp_input.values.array
    is_text = type(values) is text.Text
    fill = (b"" if is_text else 0) if default_value is None else default_value
    whole = np.empty(shape, object) if is_text else np.empty(shape, values.dtype)
    whole[...] = as_tensor(fill, sp_input.dtype).numpy()
    whole.reshape(-1)[places] = text.plain(values) if is_text else np.asarray(values)
    return to_device_of(whole.view(text.Text) if is_text else whole)


__getattr__ = missing.refusing("tf.sparse", __name__)
