"""Norms and directional derivatives. Decompositions are not here."""

from __future__ import annotations

import math as constants
from typing import Any

import numpy as np

from minitensor.autograd import GradientTape, Tensor, as_tensor
from minitensor.autograd.tree import flatten, pack
from minitensor.keras.ops.left_out import refusing
from minitensor.keras.ops.promotion import cast, floating
from minitensor.keras.ops.table import Operand, operation
from minitensor.nn import checks
from minitensor.ops import math, reduce

__all__ = ["jvp", "norm"]

__getattr__ = refusing("keras.ops.linalg")


@operation
def norm(x: Operand, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The length of vectors, or the size of matrices. Source: keras.ops.norm"""
    x = floating(x)
    over = checks.axes("norm", axis, x.ndim)
    keep = bool(keepdims)
    if len(over) == 2 and ord in (1, -1, constants.inf, -constants.inf):
        rows, columns = over
        first, second = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = reduce.sum(math.absolute(x), axis=first, keepdims=True)
        y = (reduce.max if ord > 0 else reduce.min)(sums, axis=second, keepdims=True)
        return y if keep else reduce.sum(y, axis=over)
    if ord is None or (ord == 2 and len(over) == 1) or (ord == "fro" and len(over) == 2):
        if len(over) > 2:
            raise ValueError(f"norm: {len(over)} axes have no norm. Received: axis={axis}")
        return math.sqrt(reduce.sum(math.square(x), axis=over, keepdims=keep))
    if len(over) == 2:
        raise ValueError(f"norm: ord {ord!r} of matrices needs singular values, or does not exist")
    return _of_vectors(x, ord, over, keep)


def _of_vectors(x: Tensor, ord: Any, over: tuple[int, ...], keep: bool) -> Tensor:
    if isinstance(ord, str) or len(over) != 1:
        raise ValueError(f"Invalid `ord` argument for vector norm. Received: ord={ord}")
    size = math.absolute(x)
    if constants.isinf(ord):
        return (reduce.max if ord > 0 else reduce.min)(size, axis=over, keepdims=keep)
    if ord == 0:
        return reduce.sum(cast(math.not_equal(x, 0), x.dtype), axis=over, keepdims=keep)
    total = reduce.sum(math.power(size, float(ord)), axis=over, keepdims=keep)
    return math.power(total, 1.0 / ord)


@operation
def jvp(fun: Operand, primals: Operand, tangents: Operand, has_aux: bool = False) -> Any:
    """fun, and its derivative in a direction: that of a gradient's dot product with it.

    The gradient v -> J^T v is linear in v, so what multiplies v in t . J^T v is J t.

    Source: keras.ops.jvp
    """
    xs = [as_tensor(x) for x in flatten(primals)]
    ts = [cast(as_tensor(t), x.dtype) for t, x in zip(flatten(tangents), xs, strict=True)]
    with GradientTape() as outer:
        with GradientTape() as inner:
            inner.watch(xs)
            found = fun(*pack(primals, xs))
            y, aux = found if has_aux else (found, None)
            parts = flatten(y)
            vs = [as_tensor(np.zeros(part.shape, part.dtype), like=part) for part in parts]
            outer.watch(vs)
        gradients = inner.gradient(parts, xs, vs)
        pairs = [(g, t) for g, t in zip(gradients, ts, strict=True) if g is not None]
        dots = [reduce.sum(g * t) for g, t in pairs]
    slopes = outer.gradient(dots, vs) if dots else [None] * len(vs)
    zeros = [v if s is None else s for s, v in zip(slopes, vs, strict=True)]
    tangent = pack(y, zeros)
    return (y, tangent, aux) if has_aux else (y, tangent)
