"""Functions of mathematics that NumPy lacks: segments, the largest k, distances, sequences."""

from __future__ import annotations

import math as constants
from typing import Any

import numpy as np

from minitensor import math as tf_math
from minitensor.array import expand_dims, reshape
from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.tensor import is_float
from minitensor.keras.ops.numpy.elementwise import floating
from minitensor.keras.ops.promotion import floating as floats
from minitensor.keras.ops.promotion import together
from minitensor.keras.ops.table import Operand, operation
from minitensor.nn import checks
from minitensor.ops import array as moves
from minitensor.ops import math, reduce, special

__all__ = [
    "cdist", "erf", "erfc", "erfinv", "extract_sequences", "in_top_k", "logsumexp", "rsqrt",
    "segment_max", "segment_min", "segment_prod", "segment_sum", "top_k",
]  # fmt: skip

erf = floating(
    "erf", math.erf, "2 / sqrt(pi) * integral of exp(-t^2) from 0 to x.", module=__name__
)
erfc = floating("erfc", math.erfc, "1 - erf(x).", module=__name__)
erfinv = floating("erfinv", special.erfinv, "The y whose erf is x.", module=__name__)
rsqrt = floating("rsqrt", math.rsqrt, "1 / sqrt(x).", module=__name__)


@operation
def logsumexp(x: Operand, axis: Any = None, keepdims: bool = False) -> Tensor:
    """log(sum of e^x). Source: keras.ops.logsumexp"""
    x = floats(x)
    over = checks.axes("logsumexp", axis, x.ndim)
    return reduce.logsumexp(x, axis=over, keepdims=bool(keepdims))


@operation
def top_k(x: Operand, k: int, sorted: bool = True) -> Any:
    """The k largest of each row, and where they are. Source: keras.ops.top_k"""
    return tuple(tf_math.top_k(as_tensor(x), k, sorted))


@operation
def in_top_k(targets: Operand, predictions: Operand, k: int) -> Tensor:
    """Whether the target is among the k largest. Source: keras.ops.in_top_k"""
    return tf_math.in_top_k(targets, predictions, k)


@operation
def cdist(x: Operand, y: Operand) -> Tensor:
    """The distances of each row of x from each of y. Source: keras.ops.cdist"""
    a, b = together(x, y)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ValueError(f"cdist: rows of {a.shape!s} and of {b.shape!s} have no distance")
    apart = expand_dims(a, -2) - expand_dims(b, -3)
    return math.sqrt(reduce.sum(math.square(apart), axis=-1))


@operation
def extract_sequences(x: Operand, sequence_length: int, sequence_stride: int) -> Tensor:
    """Windows of the last axis, one each stride. Source: keras.ops.extract_sequences"""
    x = as_tensor(x)
    count = max((x.shape[-1] - sequence_length) // sequence_stride + 1, 0)
    at = np.arange(count)[:, None] * sequence_stride + np.arange(sequence_length)
    return moves.gather(x, as_tensor(at, like=x), axis=x.ndim - 1)


# ----- segments -----


def _segments(data: Any, segment_ids: Any, num_segments: int | None) -> tuple[Tensor, Any, int]:
    """Rows, the segment of each, and how many segments; rows below 0 belong to none."""
    x, ids = as_tensor(data), np.asarray(as_tensor(segment_ids))
    n = len(np.unique(ids)) if num_segments is None else int(num_segments)
    rows = reshape(x, [ids.size, *x.shape[ids.ndim :]])
    there = np.flatnonzero((ids.ravel() >= 0) & (ids.ravel() < n))
    return moves.gather(rows, as_tensor(there, like=x), axis=0), ids.ravel()[there], n


@operation
def segment_sum(
    data: Operand, segment_ids: Operand, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The sum of the rows of each segment. Source: keras.ops.segment_sum"""
    rows, ids, n = _segments(data, segment_ids, num_segments)
    return moves.put(rows, index=(ids,), shape=(n, *rows.shape[1:]))


def _by_segment(op: Any, of_nothing: Any, data: Any, ids: Any, n: int | None) -> Tensor:
    rows, ids, n = _segments(data, ids, n)
    parts = [
        op(moves.gather(rows, as_tensor(np.flatnonzero(ids == k), like=rows), axis=0), axis=0)
        if (ids == k).any()
        else as_tensor(np.full(rows.shape[1:], of_nothing(rows.dtype), rows.dtype), like=rows)
        for k in range(n)
    ]
    return Tensor.pack(parts)


def _least(dtype: Any) -> Any:
    return -constants.inf if is_float(dtype) else np.iinfo(dtype).min


def _most(dtype: Any) -> Any:
    return constants.inf if is_float(dtype) else np.iinfo(dtype).max


@operation
def segment_max(
    data: Operand, segment_ids: Operand, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The largest of the rows of each segment. Source: keras.ops.segment_max"""
    return _by_segment(reduce.max, _least, data, segment_ids, num_segments)


@operation
def segment_min(
    data: Operand, segment_ids: Operand, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The smallest of the rows of each segment. Source: keras.ops.segment_min"""
    return _by_segment(reduce.min, _most, data, segment_ids, num_segments)


@operation
def segment_prod(
    data: Operand, segment_ids: Operand, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The product of the rows of each segment. Source: keras.ops.segment_prod"""
    return _by_segment(reduce.prod, lambda _: 1, data, segment_ids, num_segments)
