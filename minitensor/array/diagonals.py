"""Diagonals of matrices: read, placed, replaced. They are elements picked by index, or moved.

Diagonal k of a matrix holds the elements (i, j) with j - i = k. Several are rows, the highest
first, of the length of the longest; shorter ones lie at one end of their row.

For all of them:
    Args: `input`: (..., rows, columns). `k`: one diagonal, or (lowest, highest). `align`: at which
        end diagonals above and below the main one lie: "RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT" or
        "RIGHT_RIGHT". `padding_value`: what stands where nothing was. `name`: ignored.
    Returns: the type of `input`; the shape too, if nothing else is said.
    Raises: ValueError where axes are missing, a diagonal does not exist, or sizes do not fit.
    Source: tf.linalg, under the same name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor, first_tensor
from minitensor.docstrings import examples_of
from minitensor.nn import checks
from minitensor.ops import array, linalg, math, reduce

__all__ = ["band_part", "diag", "diag_part", "matvec", "set_diag", "trace"]
example = examples_of("tf.linalg")
_ALIGN = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")


def _matrices(op: str, value: Any, other: Any = None) -> Tensor:
    x = as_tensor(value, what=f"{op}: input", like=first_tensor(value, other))
    if x.ndim < 2:
        raise ValueError(f"{op}: input must be at least 2-dim, received shape: {x.shape!s}")
    return x


def _band(op: str, k: Any) -> tuple[int, int]:
    """The lowest and the highest diagonal."""
    found = checks.numbers(op, "k", k, -(2**31))
    if len(found) not in (1, 2) or found[0] > found[-1]:
        raise ValueError(f"{op}: k must be one diagonal or (lowest, highest), got {k!r}")
    return found[0], found[-1]


class _Layout:
    """Where the elements of a band of diagonals lie among rows of one length."""

    def __init__(self, op: str, shape: tuple[int, int], band: tuple[int, int], align: str) -> None:
        self.rows, self.columns = shape
        self.low, self.high = band
        last = max(self.columns - 1, 0)
        if not -max(self.rows - 1, 0) <= self.low <= self.high <= last:
            raise ValueError(f"{op}: k {band} is out of bound in a matrix of shape {shape}")
        if align not in _ALIGN:
            raise ValueError(f"{op}: align {align!r}; legal: {_ALIGN}")
        ks = np.arange(self.high, self.low - 1, -1)
        self.lengths = np.minimum(self.rows + np.minimum(ks, 0), self.columns - np.maximum(ks, 0))
        self.longest = int(self.lengths.max())
        above, below = align.split("_")
        right = np.where(ks >= 0, above == "RIGHT", below == "RIGHT")
        self.offsets = np.where(right, self.longest - self.lengths, 0)
        self.ks = ks

    def of_diagonals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(row, column, whether there is one) of each element of the diagonals."""
        step = np.arange(self.longest) - self.offsets[:, np.newaxis]  # (diagonals, longest)
        there = (step >= 0) & (step < self.lengths[:, np.newaxis])
        step = np.where(there, step, 0)
        ks = self.ks[:, np.newaxis]
        return step - np.minimum(ks, 0), step + np.maximum(ks, 0), there

    def of_matrix(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(diagonal, position, whether it is in the band) of each element of the matrix."""
        i, j = np.ogrid[: self.rows, : self.columns]
        there = (j - i >= self.low) & (j - i <= self.high)  # (rows, columns)
        number = np.where(there, self.high - (j - i), 0)
        return number, np.where(there, np.minimum(i, j) + self.offsets[number], 0), there

    def spread(self, diagonals: Tensor, other: Any) -> Tensor:
        """The matrix of diagonals (..., diagonals, longest); `other` outside of the band."""
        number, position, there = self.of_matrix()
        found = array.getitem(diagonals, index=(Ellipsis, number, position))  # (..., rows, columns)
        return math.where(there, found, other)


@example("diag_part([[1, 2], [3, 4]])", "array([1, 4], dtype=int32)")
def diag_part(
    input: Any,
    name: str = "diag_part",
    k: Any = 0,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Tensor:
    """Diagonals of matrices.

    Returns:
        (..., length), or (..., diagonals, length) for several.
    """
    x = _matrices("diag_part", input)
    band = _band("diag_part", k)
    layout = _Layout("diag_part", (x.shape[-2], x.shape[-1]), band, align)
    rows, columns, there = layout.of_diagonals()
    if x.array.size:
        found = array.getitem(x, index=(Ellipsis, rows, columns))  # (..., diagonals, length)
    else:
        found = array.reshape(x, shape=(*x.shape[:-2], *rows.shape))
    found = math.where(there, found, _padding(padding_value, x))
    return array.getitem(found, index=(Ellipsis, 0, slice(None))) if band[0] == band[1] else found


@example("diag([1, 2])", "array([[1, 0],\n       [0, 2]], dtype=int32)")
def diag(
    diagonal: Any,
    name: str = "diag",
    k: Any = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Tensor:
    """Matrices with these diagonals.

    Args:
        diagonal: (..., length), or (..., diagonals, length) for several.
        num_rows, num_cols: sizes of the matrices; -1 for the smallest that holds the diagonals,
            square if both are -1.

    Returns:
        (..., rows, columns)
    """
    low, high = _band("diag", k)
    x, length = _rows("diag", diagonal, low, high)
    least = length - min(high, 0), length + max(low, 0)
    wanted = (("num_rows", num_rows), ("num_cols", num_cols))
    given = [checks.number("diag", key, value, -1) for key, value in wanted]
    both = given == [-1, -1]
    sizes = [max(least) if both else m if n == -1 else n for n, m in zip(given, least, strict=True)]
    if any(n < m for n, m in zip(sizes, least, strict=True)) or (
        not both and all(n > m for n, m in zip(sizes, least, strict=True))
    ):
        raise ValueError(
            f"diag: {sizes[0]} rows and {sizes[1]} columns are not consistent with diagonals "
            f"{low} to {high} of length {length}"
        )
    layout = _Layout("diag", (sizes[0], sizes[1]), (low, high), align)
    return layout.spread(x, _padding(padding_value, x))


def _padding(value: Any, x: Tensor) -> Tensor:
    """`value` in the type of x; its default, the number 0, is false among truth values."""
    value = False if x.dtype == np.bool_ and isinstance(value, int) and value == 0 else value
    return as_tensor(value, x.dtype, "padding_value", x)


def _rows(op: str, diagonal: Any, low: int, high: int) -> tuple[Tensor, int]:
    """(..., diagonals, length), and the length."""
    x = as_tensor(diagonal, what=f"{op}: diagonal")
    if low == high and x.ndim:
        x = array.reshape(x, shape=(*x.shape[:-1], 1, x.shape[-1]))
    if x.ndim < 2 or x.shape[-2] != high - low + 1:
        raise ValueError(f"{op}: diagonal {x.shape!s} does not hold diagonals {low} to {high}")
    return x, x.shape[-1]


@example("set_diag([[1, 2], [3, 4]], [8, 9])", "array([[8, 2],\n       [3, 9]], dtype=int32)")
def set_diag(
    input: Any, diagonal: Any, name: str = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT"
) -> Tensor:
    """Matrices with other diagonals.

    Args:
        diagonal: (..., length), or (..., diagonals, length) for several; the type of `input`.
    """
    x = _matrices("set_diag", input, diagonal)
    low, high = _band("set_diag", k)
    new = as_tensor(diagonal, x.dtype, "set_diag: diagonal", x)
    given, length = _rows("set_diag", new, low, high)
    layout = _Layout("set_diag", (x.shape[-2], x.shape[-1]), (low, high), align)
    if given.shape[:-2] != x.shape[:-2] or length != layout.longest:
        raise ValueError(
            f"set_diag: diagonals {given.shape!s} do not fit into input {x.shape!s}; their length "
            f"is {layout.longest}"
        )
    return layout.spread(given, x)


@example("band_part([[1, 2], [3, 4]], 0, -1)", "array([[1, 2],\n       [0, 4]], dtype=int32)")
def band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """Matrices whose elements outside of a band of diagonals are 0.

    Args:
        num_lower, num_upper: diagonals to keep below and above the main one; -1 for all.
    """
    x = _matrices("band_part", input)
    rows, columns = x.shape[-2:]
    below = checks.number("band_part", "num_lower", num_lower, -(2**31))
    above = checks.number("band_part", "num_upper", num_upper, -(2**31))
    for name_, size, count in (("num_lower", rows, below), ("num_upper", columns, above)):
        if count > size:
            raise ValueError(f"band_part: {name_} must be negative or at most {size}, got {count}")
    i, j = np.ogrid[:rows, :columns]
    kept = ((below < 0) | (i - j <= below)) & ((above < 0) | (j - i <= above))
    return math.where(kept, x, _padding(0, x))


@example("trace([[1, 2], [3, 4]])", "np.int32(5)")
def trace(x: Any, name: str | None = None) -> Tensor:
    """The sum of the main diagonal.

    Args:
        x: (..., rows, columns) of numbers.

    Returns:
        (...)
    """
    tensor = checks.tensor("trace", "x", x, "fiu")
    return reduce.sum(diag_part(tensor), axis=(tensor.ndim - 2,))


@example("matvec([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0])", "[3., 7.]")
def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """y[..., i] = sum over j of a[..., i, j] b[..., j]

    Args:
        a: (..., i, j)
        b: (..., j) of the same type; the axes in front broadcast.
        transpose_a, adjoint_a: swap the last two axes of a first.
        a_is_sparse, b_is_sparse: ignored.

    Returns:
        (..., i)
    """
    if transpose_a and adjoint_a:
        raise ValueError("matvec: transpose_a and adjoint_a are the same; give one")
    x = _matrices("matvec", a, b)
    y = as_tensor(b, x.dtype, "matvec: b", x)
    if not y.ndim:
        raise ValueError("matvec: b must be vectors, got a scalar")
    columns = array.reshape(y, shape=(*y.shape, 1))  # (..., j, 1)
    found = linalg.matmul(linalg.swapped(x) if transpose_a or adjoint_a else x, columns)
    return array.getitem(found, index=(Ellipsis, 0))
