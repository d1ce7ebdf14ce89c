"""Normalisation: statistics per channel, what is made of them, and sums over near channels.

The image is a matrix with a pixel, or a few side by side, in each row, so that NumPy's inner loops
are long. It is passed over in blocks of rows that stay in the cache: a formula of five calls reads
memory once, and so is bound by memory: threads bring nothing. Sums over rows are products with
ones, several times faster than `sum`; blocks are added up in float64, in order.

    x, g (..., C)    statistics (2, C): mean and variance    scale, offset (C,)

Statistics and sums are float32 where x is half, and so are scale and offset.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.backend.half import astype, in_float32, is_half
from minitensor.backend.numpy.blocks import SLOWNESS
from minitensor.backend.numpy.choice import compiled
from minitensor.backend.numpy.memory import output

BLOCK_BYTES = 2**18  # of one array in one block of rows
BLOCK_ROWS = 1024  # at most: a longer sum in float32 would lose digits
ROW = 256  # numbers in a row, about, where channels are fewer
PASSES = 3  # of NumPy over a number, where a compiled kernel takes one


def moments(x: np.ndarray) -> np.ndarray:
    """(2, C): mean and biased variance over all axes but the last; NaN if there is no pixel.

    The squares of a block are of distances from its own mean, so no digits are lost where the
    means are large.

    Example:
        >>> import numpy as np
        >>> from minitensor.backend import numpy as be
        >>> be.moments(np.array([[1.0], [3.0]]))
        array([[2.],
               [1.]])

    Source: Chan, Golub, LeVeque 1979
    """
    rows, c = rows_of(x), x.shape[-1]
    if not rows.size:
        return np.full((2, c), np.nan, rows.dtype)
    room = _compiled(rows)
    if room is not None:
        numbers, means, squares = room.norm.moments(rows)
    else:
        blocks = _each_block(lambda part: _block_moments(rows[part]), rows)
        numbers, means, squares = map(np.array, zip(*blocks, strict=True))
    means, squares = means.reshape(len(means), -1, c), squares.reshape(len(means), -1, c)
    pixels = x.size // c
    share = numbers[:, None, None] / pixels
    center = (share * means).sum((0, 1))
    away = means - center
    variance = (squares / pixels + share * away * away).sum((0, 1))
    return np.stack([center, variance]).astype(rows.dtype)


def _block_moments(x: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    """Number of rows, mean and sum of squared distances from it."""
    n = len(x)
    guess = _column_sums(x) / x.dtype.type(n)
    c = x - guess
    rest = _column_sums(c) / np.float64(n)  # what rounding left of the mean
    np.square(c, out=c)
    return n, guess + rest, _column_sums(c) - n * rest * rest


def sum_rows(x: np.ndarray) -> np.ndarray:
    """(C,): the sum over all axes but the last; of float32, blocks are added up in float64.

    Example:
        >>> import numpy as np
        >>> from minitensor.backend import numpy as be
        >>> be.sum_rows(np.array([[1.0, 2.0], [3.0, 4.0]]))
        array([4., 6.])
    """
    room = compiled(SLOWNESS * x.size, x.dtype)
    if room is not None:
        total = room.norm.sum_rows(rows_of(x)).reshape(-1, x.shape[-1]).sum(axis=0)
    else:
        wide = "float64" if x.dtype == "float32" else x.dtype
        total = x.sum(axis=tuple(range(x.ndim - 1)), dtype=wide)
    return total.astype(x.dtype, copy=False)  # type: ignore[no-any-return]


@in_float32
def batch_norm(
    x: np.ndarray,
    statistics: np.ndarray,
    scale: np.ndarray,
    offset: np.ndarray,
    epsilon: float,
    relu: bool = False,
    residual: np.ndarray | None = None,
) -> np.ndarray:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, then + residual, then max(., 0).

    The last two are what follows in a network: `residual` has the shape of x, `relu` asks for max.
    """
    rows, y = rows_of(x), output(x)
    out, more = rows_of(y), None if residual is None else rows_of(residual)
    mean, factor, shift = along(rows, statistics[0], _inverse(statistics, epsilon) * scale, offset)
    room = _compiled(rows)
    if room is not None and not relu and more is None:
        room.norm.batch_norm(rows, mean, factor, shift, out)
        return y

    def work(part: slice) -> None:
        block = np.subtract(rows[part], mean, out=out[part])
        block *= factor
        block += shift
        if more is not None:
            block += more[part]
        if relu:
            np.maximum(block, 0, out=block)

    _each_block(work, rows)
    return y


def batch_norm_sums(
    g: np.ndarray, x: np.ndarray, statistics: np.ndarray, epsilon: float
) -> np.ndarray:
    """(2, C): sums of g and of g * (x - mean) / sqrt(variance + epsilon), all axes but the last.

    These are the gradients of offset and scale.
    """
    cotangents, rows = rows_of(g), rows_of(x)
    (mean,) = along(rows, statistics[0])

    def work(part: slice) -> tuple[np.ndarray, np.ndarray]:
        product = rows[part] - mean
        product *= cotangents[part]
        return _column_sums(cotangents[part]), _column_sums(product)

    room = _compiled(rows)
    if room is not None:
        total = room.norm.batch_norm_sums(cotangents, rows, mean)
    else:
        total = np.zeros((2, rows.shape[1]))
        for pair in _each_block(work, rows):
            total += pair
    sums: np.ndarray = total.reshape(2, -1, x.shape[-1]).sum(axis=1)  # (2, C)
    sums[1] *= _inverse(statistics, epsilon)
    return sums.astype(rows.dtype)


@in_float32
def batch_norm_grad(
    g: np.ndarray,
    x: np.ndarray,
    statistics: np.ndarray,
    scale: np.ndarray,
    epsilon: float,
    sums: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient of `batch_norm` in x, also through the statistics, which are those of x.

    scale / s * (g - mean(g) - n * mean(g n)), n = (x - mean) / s, s = sqrt(variance + epsilon)

    `sums` are what `batch_norm_sums` gives; None computes them.
    """
    if sums is None:
        sums = batch_norm_sums(g, x, statistics, epsilon)
    cotangents, rows, y = rows_of(g), rows_of(x), output(x)
    out, inverse = rows_of(y), _inverse(statistics, epsilon)
    average, slope = sums / sums.dtype.type(max(x.size // len(scale), 1) if x.size else 1)
    vectors = along(rows, statistics[0], slope * inverse, average, scale * inverse)
    room = _compiled(rows)
    if room is not None:
        room.norm.batch_norm_grad(cotangents, rows, vectors, out)
        return y
    mean, tilt, level, factor = vectors

    def work(part: slice) -> None:
        block = np.subtract(rows[part], mean, out=out[part])
        block *= tilt
        block += level
        np.subtract(cotangents[part], block, out=block)
        block *= factor

    _each_block(work, rows)
    return y


def rows_of(x: np.ndarray) -> np.ndarray:
    """x as a matrix of pixels, or of a few side by side; float32 instead of half."""
    wide = astype(x) if is_half(x.dtype) else x
    c = x.shape[-1] or 1
    beside = math.gcd(x.size // c, 2 ** (max(ROW // c, 1).bit_length() - 1))
    return wide.reshape(x.size // c // (beside or 1), beside * x.shape[-1])


def _compiled(rows: np.ndarray) -> Any:
    return compiled(PASSES * SLOWNESS * rows.size, rows.dtype)


def along(rows: np.ndarray, *vectors: np.ndarray) -> list[np.ndarray]:
    """One number per channel repeated for the pixels side by side in a row."""
    repeated = rows.shape[1] // (len(vectors[0]) or 1)
    return [v if repeated <= 1 else np.concatenate([v] * repeated) for v in vectors]


def _each_block(work: Callable[[slice], Any], rows: np.ndarray) -> list[Any]:
    """What `work` gives for each block of rows, in order."""
    step = min(max(BLOCK_BYTES // (rows[:1].nbytes or 1), 1), BLOCK_ROWS)
    parts = [slice(start, start + step) for start in range(0, len(rows), step)]
    return [work(part) for part in parts]


def _column_sums(x: np.ndarray) -> np.ndarray:
    total: np.ndarray = np.ones(len(x), x.dtype) @ x  # (C,)
    return total


def _inverse(statistics: np.ndarray, epsilon: float) -> np.ndarray:
    inverse: np.ndarray = 1 / np.sqrt(statistics[1] + statistics.dtype.type(epsilon))  # (C,)
    return inverse


# ----- near channels -----


@in_float32
def channel_sum(x: np.ndarray, radius: int) -> np.ndarray:
    """y[..., c] = sum of x[..., j] over |j - c| <= radius."""
    y = x.copy()
    for away in range(1, min(radius, x.shape[-1] - 1) + 1):
        y[..., away:] += x[..., :-away]
        y[..., :-away] += x[..., away:]
    return y


@in_float32
def local_response(
    x: np.ndarray, radius: int, bias: float, alpha: float, beta: float
) -> np.ndarray:
    """x / (bias + alpha * sum of x^2 over the channels at most `radius` away)^beta."""
    y = channel_sum(np.square(x), radius)
    y *= alpha
    y += bias
    np.power(y, -beta, out=y)
    y *= x
    return y
