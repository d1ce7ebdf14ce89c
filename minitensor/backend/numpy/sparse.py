"""A matrix that is mostly zeros, to look at and to multiply by: what the matrix W' comes as."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minitensor.backend.numpy.matrix import LARGEST

ROWS, COLUMNS = 12, 36  # that are printed


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """The numbers of a matrix that were stored, each with its row and column.

    `W @ x` multiplies by a vector or a matrix, `W.T` is the transpose, `W.toarray()` the dense
    array, `W.to_scipy()` a scipy.sparse.csr_array. `print(W)` shows its rows, a dot for each zero;
    `W.symbols()` shows the weights by their names.

    Example:
        >>> import minitensor as tf
        >>> W = tf.nn.conv2d_matrix(tf.constant([[[[1.0]], [[2.0]]]]), (2, 3, 1))
        >>> print(W)
        matrix (4, 6), 8 of 24 numbers stored
          1 2 · · · ·
          · 1 2 · · ·
          · · · 1 2 ·
          · · · · 1 2
        >>> (W.T @ [1.0, 0.0, 0.0, 0.0]).tolist()
        [1.0, 2.0, 0.0, 0.0, 0.0, 0.0]
    """

    shape: tuple[int, int]
    values: np.ndarray  # (stored,)
    rows: np.ndarray  # (stored,)
    columns: np.ndarray  # (stored,)
    weight: np.ndarray  # (stored,): which number of the filters each is, counted in their order
    filters: tuple[int, ...]  # (kh, kw, C/G, O)

    __array_ufunc__ = None  # an array on the left leaves the product to `__rmatmul__`

    @property
    def dtype(self) -> np.dtype:
        """That of the numbers."""
        return self.values.dtype

    @property
    def nnz(self) -> int:
        """How many numbers are stored."""
        return len(self.values)

    @property
    def T(self) -> SparseMatrix:  # noqa: N802
        """The transpose."""
        turned = self.shape[1], self.shape[0]
        return replace(self, shape=turned, rows=self.columns, columns=self.rows)

    def __matmul__(self, other: Any) -> np.ndarray:
        """The product with a vector (columns,) or a matrix (columns, k)."""
        right = np.asarray(other.toarray() if isinstance(other, SparseMatrix) else other)
        if right.ndim not in (1, 2) or len(right) != self.shape[1]:
            raise ValueError(
                f"a matrix {self.shape} times an array {right.shape}: legal are "
                f"({self.shape[1]},) and ({self.shape[1]}, k)"
            )
        dtype = np.result_type(self.values, right)
        sums = [
            np.bincount(self.rows, self.values * column[self.columns], self.shape[0])
            for column in np.atleast_2d(right.T)
        ]
        product = np.array(sums, dtype).T.reshape(self.shape[0], *right.shape[1:])
        return np.ascontiguousarray(product)

    def __rmatmul__(self, other: Any) -> np.ndarray:
        """A vector (rows,) or a matrix (k, rows) on the left."""
        return (self.T @ np.asarray(other).T).T

    def toarray(self) -> np.ndarray:
        """The dense array.

        Raises:
            ValueError: it would exceed 256 MiB.
        """
        if self.shape[0] * self.shape[1] * 8 > LARGEST:
            raise ValueError(f"a dense matrix {self.shape} would exceed {LARGEST // 2**20} MiB")
        return self.part(0, 0, *self.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.toarray().astype(dtype or self.dtype, copy=False)

    def part(self, top: int, left: int, bottom: int, right: int) -> np.ndarray:
        """Some rows and columns, dense."""
        dense = np.zeros((max(bottom - top, 0), max(right - left, 0)), self.dtype)
        inside = self._within(top, left, bottom, right)
        dense[self.rows[inside] - top, self.columns[inside] - left] = self.values[inside]
        return dense

    def _within(self, top: int, left: int, bottom: int, right: int) -> np.ndarray:
        """Which of the stored numbers lie there."""
        rows, columns = self.rows, self.columns
        return np.flatnonzero(
            (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
        )

    def to_scipy(self) -> Any:
        """A scipy.sparse.csr_array."""
        from minitensor.extras import require

        require("SparseMatrix.to_scipy", "scipy", extra="sparse")
        from scipy.sparse import csr_array

        return csr_array((self.values, (self.rows, self.columns)), shape=self.shape)

    def __repr__(self) -> str:
        total = self.shape[0] * self.shape[1]
        return f"<matrix {self.shape}, {self.nnz} of {total} numbers stored>"

    def __str__(self) -> str:
        return self._text(lambda k: f"{self.values[k]:.5g}")

    def symbols(self) -> str:
        """The matrix with the weight w[u,v,c,o] in the place of each number."""
        used = [axis for axis, size in enumerate(self.filters) if axis < 2 or size > 1]

        def name(k: int) -> str:
            place = np.unravel_index(self.weight[k], self.filters)
            return f"w[{','.join(str(place[axis]) for axis in used)}]"

        return self._text(name)

    def _text(self, word: Callable[[int], str]) -> str:
        """Rows in columns of one width each; a dot where nothing is stored."""
        bottom, right = min(self.shape[0], ROWS), min(self.shape[1], COLUMNS)
        cells = np.full((bottom, right), "·", object)
        for k in self._within(0, 0, bottom, right):
            cells[self.rows[k], self.columns[k]] = word(k)
        widths = [max(map(len, column)) for column in cells.T]
        lines = [" ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
        if (bottom, right) != self.shape:
            lines.append(f"the first {bottom} rows and {right} columns")
        return "\n  ".join([repr(self)[1:-1], *lines])
