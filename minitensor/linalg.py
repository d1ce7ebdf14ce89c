"""Products of matrices and lengths of vectors: tf.matmul, tf.einsum and their neighbours.

Half precision is summed in float32 and rounded once. Decompositions are not here.

Args: `a` and `b` are tensors of one type, else it is a TypeError; `name` is ignored.
Source: tf.linalg, under the same name.
"""

from __future__ import annotations

import functools
import math as integers
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitensor import missing
from minitensor import symbolic as _symbolic
from minitensor.array.create import eye
from minitensor.array.diagonals import band_part, diag, diag_part, matvec, set_diag, trace
from minitensor.autograd import Tensor, align, as_tensor
from minitensor.backend.errors import InvalidArgumentError
from minitensor.docstrings import examples_of
from minitensor.dtypes import as_dtype
from minitensor.nn import checks, l2_normalize
from minitensor.ops import linalg, math, reduce
from minitensor.ops.math import rounded_once

__all__ = [
    "band_part", "diag", "diag_part", "einsum", "eye", "global_norm", "l2_normalize", "matmul",
    "matrix_transpose", "matvec", "norm", "set_diag", "tensordot", "trace",
]  # fmt: skip
example = examples_of("tf")


@example("matmul([[1.0, 2.0]], [[3.0, 4.0]], transpose_b=True)", "[[11.]]")
def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Tensor:
    """y[..., i, j] = sum over k of a[..., i, k] b[..., k, j].

    Args:
        a, b: (..., i, k) and (..., k, j) of one type; the axes in front broadcast.
        transpose_a, transpose_b: swap the last two axes of a factor first.
        adjoint_a, adjoint_b: the same, as all tensors are real.
        a_is_sparse, b_is_sparse, grad_a, grad_b: ignored; they change no number.
        output_type: element type to compute in and return; None is that of a and b.

    Returns:
        (..., i, j)

    Raises:
        ValueError: fewer than two axes, sizes that do not fit, or both transpose and adjoint.
    """
    for side, transposed, adjoint in (("a", transpose_a, adjoint_a), ("b", transpose_b, adjoint_b)):
        if transposed and adjoint:
            raise InvalidArgumentError(
                f"matmul: transpose_{side} and adjoint_{side} are the same; give one"
            )
    x, y = align("matmul", a=a, b=b)
    if output_type is not None:
        x, y = (math.cast(t, dtype=as_dtype(output_type)) for t in (x, y))
    x = matrix_transpose(x) if transpose_a or adjoint_a else x
    y = matrix_transpose(y) if transpose_b or adjoint_b else y
    return linalg.matmul(x, y)


def matrix_transpose(a: Any, name: str = "matrix_transpose", conjugate: bool = False) -> Tensor:
    """The last two axes swapped.

    Args:
        a: (..., rows, columns)
        conjugate: ignored, as all tensors are real.

    Returns:
        (..., columns, rows)

    Raises:
        ValueError: fewer than two axes.

    Example:
        >>> import minitensor as tf
        >>> tf.linalg.matrix_transpose([[1, 2], [3, 4]]).numpy()
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    x = as_tensor(a, what="matrix_transpose: a")
    if x.ndim < 2:
        raise InvalidArgumentError(f"matrix_transpose: a {x.shape!s} needs 2 axes or more")
    return linalg.swapped(x)


@example('einsum("ij,ij->i", [[1.0, 2.0], [3.0, 4.0]], [[1.0, 1.0], [2.0, 2.0]])', "[ 3., 14.]")
def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """The sum of products that an equation of letters names, such as "ij,jk->ik".

    Letters that the output lacks are summed over; a letter twice in one term is a diagonal; "..."
    stands for axes that broadcast.

    Args:
        equation: one term per input, commas between, and "->" with the output; without it, the
            output is the letters that occur once, in order.
        inputs: tensors of one type.
        kwargs: `optimize` and `name` are ignored.

    Returns:
        A tensor with one axis per letter of the output.

    Raises:
        ValueError: the equation is malformed or does not fit the shapes.
        TypeError: an unknown keyword, or two different element types.
    """
    unknown = sorted(set(kwargs) - {"optimize", "name"})
    if unknown:
        raise TypeError(f"einsum: unknown keywords {unknown}; legal: optimize, name")
    return linalg.einsum(*inputs, equation=equation)


@example("tensordot([1.0, 2.0], [3.0, 4.0], 1)", "np.float32(11.0)")
def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """The sum over pairs of axes of two tensors; the other axes of a, then those of b, remain.

    Args:
        axes: k, for the last k axes of a with the first k of b; or two lists of axes, paired.

    Returns:
        The sizes of the axes that remain.

    Raises:
        ValueError: no such axes, or paired sizes differ.
    """
    x, y = align("tensordot", a=a, b=b)
    if np.ndim(axes) == 0:
        count = checks.number("tensordot", "axes", axes, 0)
        if count > min(x.ndim, y.ndim):
            raise InvalidArgumentError(
                f"tensordot: {x.shape!s} and {y.shape!s} do not both have {count} axes"
            )
        left, right = tuple(range(x.ndim - count, x.ndim)), tuple(range(count))
    elif len(axes) != 2:
        raise InvalidArgumentError(f"tensordot: axes must be an integer or two lists, got {axes!r}")
    else:
        left, right = (
            checks.axes("tensordot", k, t.ndim) for k, t in zip(axes, (x, y), strict=True)
        )
        if len(left) != len(right):
            raise InvalidArgumentError(
                f"tensordot: axes {axes!r} must name as many axes of a as of b"
            )
    return linalg.tensordot(x, y, axes=(left, right))


@example("norm([[3.0, 4.0]], axis=1)", "[5.]")
def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: Any = None,
    name: str | None = None,
) -> Tensor:
    """The length of vectors: (sum of |x_i|^p)^(1/p), the largest |x_i| for p = inf.

    Args:
        tensor: floats.
        ord: "euclidean" or 2 for p = 2, any other p > 0, or inf.
        axis: the axis of the vectors; None takes all elements as one. Two axes are those of
            matrices, whose norm is "euclidean" or "fro": the root of the sum of squares.
        keepdims: keep the axis with size 1.

    Returns:
        The other sizes of `tensor`.

    Raises:
        ValueError: no such axis, or a norm that does not exist.
        TypeError: `tensor` is not float.
    """
    x = checks.tensor("norm", "tensor", tensor, "f")
    along = checks.axes("norm", axis, x.ndim)
    matrices = axis is not None and np.ndim(axis) > 0
    if matrices and len(along) != 2:
        raise InvalidArgumentError(
            f"norm: axis must be None, an integer or two of them, got {axis!r}"
        )
    if ord == "euclidean" or (ord == "fro" and matrices):
        power = 2.0
    elif matrices or isinstance(ord, str) or not ord > 0:
        raise InvalidArgumentError(
            f'norm: ord {ord!r}; legal: "euclidean", p > 0 and inf for vectors, "fro" for matrices'
        )
    else:
        power = float(ord)
    return _norm(x, power=power, axis=along, keepdims=bool(keepdims))


@rounded_once
def _norm(x: Tensor, *, power: float, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    if power == 2:
        return math.sqrt(reduce.sum(math.square(x), axis=axis, keepdims=keepdims))
    size = math.absolute(x)
    if power == integers.inf:
        return reduce.max(size, axis=axis, keepdims=keepdims)
    if power == 1:
        return reduce.sum(size, axis=axis, keepdims=keepdims)
    return math.power(reduce.sum(math.power(size, power), axis=axis, keepdims=keepdims), 1 / power)


@example("linalg.global_norm([[3.0], [4.0]])", "np.float32(5.0)")
def global_norm(t_list: Sequence[Any], name: str | None = None) -> Tensor:
    """The Euclidean length of several tensors together: sqrt(sum over i of |t_i|^2).

    Args:
        t_list: float tensors of one type; None entries are left out.

    Returns:
        A scalar.

    Raises:
        TypeError: `t_list` is no list, or its types differ.
        ValueError: it holds no tensor.
    """
    if not isinstance(t_list, list | tuple):
        raise TypeError(f"global_norm: t_list must be a list, got {type(t_list).__name__}")
    given = {f"t_list[{k}]": t for k, t in enumerate(t_list) if t is not None}
    if not given:
        raise InvalidArgumentError("global_norm: t_list holds no tensor")
    squares = [reduce.sum(math.square(t)) for t in align("global_norm", **given)]
    return math.sqrt(functools.reduce(math.add, squares))


__getattr__ = missing.refusing("tf.linalg", __name__)
_symbolic.install(globals())
