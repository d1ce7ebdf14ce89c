"""Convolution as one explicit matrix: y = W' x, its transpose, and where each kernel entry sits.

W' has a row for every output number (i, j, o) and a column for every pixel (row, column, c) of
one image; it is mostly zeros, and each kernel entry stands in it once for every output. It is a
definition to look at and to test against, for images of a few pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from minitensor.backend.half import is_half
from minitensor.backend.numpy.direct import taps
from minitensor.window import Window

if TYPE_CHECKING:
    from minitensor.backend.numpy.sparse import SparseMatrix

LARGEST = 256 * 2**20  # bytes of a matrix above which we refuse to build it


def dense_matrix(kernel: np.ndarray, window: Window) -> np.ndarray:
    """The matrix W' with conv2d(x, kernel).ravel() == W' @ x.ravel() for one image x.

    Args:
        kernel: (kh, kw, C/G, O).
        window: its `size` is (H, W).

    Returns:
        (h*w*O, H*W*C), rows and columns in row-major NHWC order without N.

    Raises:
        ValueError: the matrix would exceed 256 MiB.

    Example:
        >>> import numpy as np
        >>> from minitensor.backend.numpy.matrix import dense_matrix
        >>> from minitensor.window import Window
        >>> row = Window.of((1, 3), (1, 2))
        >>> dense_matrix(np.array([5.0, 7.0]).reshape(1, 2, 1, 1), row).tolist()
        [[5.0, 7.0, 0.0], [0.0, 5.0, 7.0]]
    """
    _shape(kernel.shape, window)
    return _sparse(kernel, window).toarray()


def conv2d_matrix(kernel: np.ndarray, window: Window) -> SparseMatrix:
    """W', of which only the kernel's entries are stored; half precision becomes float32.

    Raises:
        ValueError: what would be stored exceeds 256 MiB.
    """
    return _sparse(kernel.astype(np.float32) if is_half(kernel.dtype) else kernel, window)


def _sparse(kernel: np.ndarray, window: Window) -> SparseMatrix:
    from minitensor.backend.numpy.sparse import SparseMatrix  # 2 ms, and seldom needed

    most = prod(window.out) * prod(kernel.shape)
    shape = _shape(kernel.shape, window, stored=most)
    g, (_, _, c, o) = window.groups, kernel.shape
    (h, w), (height, width) = window.out, window.size
    numbers = np.arange(shape[0]).reshape(h, w, g, o // g, 1)
    pixels = np.arange(shape[1]).reshape(height, width, g, 1, c)
    weights = np.arange(kernel.size).reshape(kernel.shape)
    entries, stored = np.empty((3, most), np.int32 if max(shape) < 2**31 else np.int64), 0
    for tap, group, (i, j, _, _, row, column, _, _) in _entries(window):
        part = weights[tap][:, group * (o // g) : (group + 1) * (o // g)].T  # (O/G, C/G)
        where = numbers[i, j, group], pixels[row, column, group]
        block = np.broadcast_arrays(part, *where)
        end = stored + block[0].size
        for row_of, numbers_of in zip(entries, block, strict=True):
            row_of[stored:end] = numbers_of.ravel()
        stored = end
    weight, rows, columns = entries[:, :stored]
    return SparseMatrix(shape, kernel.ravel()[weight], rows, columns, weight, kernel.shape)


def conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """y = W' x for each image."""
    y: np.ndarray = x.reshape(len(x), -1) @ dense_matrix(kernel, window).T
    return y.reshape(len(x), *window.out, kernel.shape[-1])


def conv2d_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """x = W'^T y for each image."""
    x: np.ndarray = y.reshape(len(y), -1) @ dense_matrix(kernel, window)
    return x.reshape(len(y), *window.size, kernel.shape[2] * window.groups)


def conv2d_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    """Each kernel entry sums y x^T over all the entries of W' where it stands."""
    g, c, o = window.groups, x.shape[-1] // window.groups, y.shape[-1]
    kernel = np.zeros((*window.kernel, c, o), x.dtype)
    rows, columns = _shape(kernel.shape, window)
    matrix = y.reshape(len(y), rows).T @ x.reshape(len(x), columns)
    entries = matrix.reshape(*window.out, g, o // g, *window.size, g, c)
    for tap, group, where in _entries(window):
        kernel[tap][:, group * (o // g) : (group + 1) * (o // g)] = entries[where].sum((0, 1)).T
    return kernel


def _entries(window: Window) -> Iterator[tuple[tuple[int, int], int, tuple[Any, ...]]]:
    """For each tap and group: its (u, v), the group, and where in (h, w, G, :, H, W, G, :)."""
    for tap in taps(window):
        i, j = np.ix_(*(range(s.start, s.stop) for s in tap.outputs))
        row, column = np.ix_(*(range(s.start, s.stop, s.step) for s in tap.pixels))
        for group in range(window.groups):
            yield tap.at, group, np.s_[i, j, group, :, row, column, group, :]


def _shape(kernel: tuple[int, ...], window: Window, stored: int | None = None) -> tuple[int, int]:
    """(h*w*O, H*W*C), or a refusal; `stored` numbers are kept, by default all."""
    rows, columns = prod(window.out) * kernel[3], prod(window.size) * kernel[2] * window.groups
    stored = rows * columns if stored is None else stored
    if stored * 8 > LARGEST:
        raise ValueError(
            f"conv2d_matrix: W' of {rows} x {columns} would store {stored} numbers, more than "
            f"{LARGEST // 2**20} MiB; choose smaller images."
        )
    return rows, columns
