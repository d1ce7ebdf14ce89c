"""Products of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor import linalg, nn
from minitensor.array import expand_dims, pad, reshape
from minitensor.autograd import Tensor, as_tensor, first_tensor
from minitensor.keras.ops.numpy.picking import diagonal
from minitensor.keras.ops.numpy.shapes import moveaxis, ravel
from minitensor.keras.ops.promotion import cast, floating, together
from minitensor.keras.ops.table import Operand, operation
from minitensor.ops import math, reduce

__all__ = [
    "corrcoef", "correlate", "cross", "dot", "einsum", "inner", "kron", "matmul", "outer",
    "tensordot", "vdot",
]  # fmt: skip


def _factors(*xs: Any) -> tuple[Any, ...]:
    """Factors in the type they meet in; of int8 the product is int32."""
    like = first_tensor(*xs)
    tensors = tuple(as_tensor(x, like=like) for x in xs)
    if {x.dtype.name for x in tensors} == {"int8"}:
        return together(*tensors, also=("int32",))
    met = together(*tensors)
    return tuple(cast(x, "int32") for x in met) if met[0].dtype.kind == "b" else met


def _like(x: Any, y: Tensor) -> Tensor:
    """The product of truths is a truth."""
    return cast(y, bool) if all(as_tensor(t).dtype.kind == "b" for t in x) else y


@operation
def matmul(x1: Operand, x2: Operand) -> Tensor:
    """Products of matrices, or of vectors. Source: keras.ops.matmul"""
    a, b = _factors(x1, x2)
    if not a.ndim or not b.ndim:
        raise ValueError(f"matmul: {a.shape!s} and {b.shape!s} both need an axis")
    y = linalg.matmul(
        expand_dims(a, 0) if a.ndim == 1 else a, expand_dims(b, 1) if b.ndim == 1 else b
    )
    shape = list(y.shape)
    if b.ndim == 1:
        del shape[-1]
    if a.ndim == 1:
        del shape[-1 if b.ndim == 1 else -2]
    return _like((x1, x2), reshape(y, shape))


@operation
def dot(x1: Operand, x2: Operand) -> Tensor:
    """The sum over the last axis of x1 and the last but one of x2. Source: keras.ops.dot"""
    a, b = _factors(x1, x2)
    if not a.ndim or not b.ndim:
        return _like((x1, x2), a * b)
    y = linalg.tensordot(a, b, [[a.ndim - 1], [max(b.ndim - 2, 0)]])
    return _like((x1, x2), y)


@operation
def inner(x1: Operand, x2: Operand) -> Tensor:
    """The sum over both last axes. Source: keras.ops.inner"""
    a, b = _factors(x1, x2)
    if not a.ndim or not b.ndim:
        return _like((x1, x2), a * b)
    return _like((x1, x2), linalg.tensordot(a, b, [[a.ndim - 1], [b.ndim - 1]]))


@operation
def vdot(x1: Operand, x2: Operand) -> Tensor:
    """The sum of all products of two elements. Source: keras.ops.vdot"""
    a, b = _factors(x1, x2)
    return _like((x1, x2), reduce.sum(ravel(a) * ravel(b)))


@operation
def outer(x1: Operand, x2: Operand) -> Tensor:
    """All products of an element of each. Source: keras.ops.outer"""
    a, b = together(x1, x2)
    op = math.logical_and if a.dtype.kind == "b" else math.multiply
    return op(reshape(a, [-1, 1]), reshape(b, [1, -1]))


@operation
def tensordot(x1: Operand, x2: Operand, axes: Any = 2) -> Tensor:
    """The sum over pairs of axes. Source: keras.ops.tensordot"""
    a, b = _factors(x1, x2)
    if isinstance(axes, list | tuple):
        axes = [list(np.atleast_1d(k)) for k in axes]
    return _like((x1, x2), linalg.tensordot(a, b, axes))


@operation
def einsum(subscripts: str, *operands: Operand, **kwargs: Operand) -> Tensor:
    """The sum of products that an equation of letters names. Source: keras.ops.einsum"""
    return _like(operands, linalg.einsum(subscripts, *_factors(*operands), **kwargs))


@operation
def kron(x1: Operand, x2: Operand) -> Tensor:
    """All products of elements, x2 in the place of each of x1. Source: keras.ops.kron"""
    a, b = together(x1, x2)
    rank = max(a.ndim, b.ndim)
    a, b = (reshape(t, [1] * (rank - t.ndim) + list(t.shape)) for t in (a, b))
    spread = [n for size in a.shape for n in (size, 1)], [n for size in b.shape for n in (1, size)]
    y = reshape(a, spread[0]) * reshape(b, spread[1])
    return reshape(y, [n * m for n, m in zip(a.shape, b.shape, strict=True)])


@operation
def cross(
    x1: Operand,
    x2: Operand,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Tensor:
    """The vector at right angles to two. Source: keras.ops.cross"""
    a, b = together(x1, x2)
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    flat = a.shape[-1] == b.shape[-1] == 2
    if not {a.shape[-1], b.shape[-1]} <= {2, 3}:
        raise ValueError(f"cross: vectors of {a.shape[-1]} and {b.shape[-1]} numbers; legal: 2, 3")
    a, b = (_in_space(t) for t in (a, b))
    parts = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    if flat:
        return parts[2]
    return moveaxis(Tensor.pack(parts), 0, axisc)


def _in_space(x: Tensor) -> Tensor:
    return pad(x, [[0, 0]] * (x.ndim - 1) + [[0, 1]]) if x.shape[-1] == 2 else x


@operation
def corrcoef(x: Operand) -> Tensor:
    """How rows go together: covariances over standard deviations. Source: keras.ops.corrcoef"""
    x = floating(x)
    if not x.ndim:
        return x * float("nan")
    away = x - reduce.mean(x, axis=-1, keepdims=True)
    if x.ndim == 1:
        return reduce.sum(away * away) / reduce.sum(away * away)
    covariance = linalg.matmul(away, linalg.matrix_transpose(away)) / float(x.shape[-1] - 1)
    deviation = math.sqrt(diagonal(covariance))
    ratio = covariance / outer(deviation, deviation)
    return math.minimum(math.maximum(ratio, -1.0), 1.0)


@operation
def correlate(x1: Operand, x2: Operand, mode: str = "valid") -> Tensor:
    """Sums of products of a row with a moved one. Source: keras.ops.correlate"""
    a, b = together(x1, x2)
    kind = "float64" if a.dtype == "int64" else a.dtype if a.dtype.kind not in "iub" else "float32"
    a, b = cast(a, kind), cast(b, kind)
    n, m = a.shape[0], b.shape[0]
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"correlate: mode {mode!r}; legal: 'full', 'same', 'valid'")
    around = 0 if mode == "valid" else m - 1
    row = reshape(pad(a, [[around, around]]), [1, -1, 1])
    y = reshape(nn.conv1d(row, reshape(b, [-1, 1, 1]), 1, "VALID"), [-1])
    start = (n + m - 1 - max(n, m)) // 2
    return y[start : start + max(n, m)] if mode == "same" else y
