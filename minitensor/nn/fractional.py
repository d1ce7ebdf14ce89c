"""tf.nn's fractional pooling: it shrinks images by any factor, through regions drawn at random.

The regions along an axis of n pixels are floor(n / ratio) neighbours of two lengths; which come
where is drawn. What was drawn is returned, so that a result can be repeated by `ops.pool`.

For all of them:
    Args: `value`: (N, H, W, C) floats; for maxima also integers. `pooling_ratio`: a number of 1 or
        more, or [1, for height, for width, 1]. `pseudo_random`: one number is drawn per axis, and
        the lengths alternate regularly. `overlapping`: regions include the first pixel of the next.
        `seed`: makes a call the same every time; 0 draws from the shared generator. `name`:
        ignored.
    Returns: y of shape (N, H // ratio, W // ratio, C), and the int64 sequences rows and columns.
    Raises: TypeError for an argument of the wrong kind, ValueError where `value` has not 4 axes or
        a ratio is below 1 or above the size.
    Source: the function of tf.nn with the same name; Graham 2014.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, to_device_of
from minitensor.backend.generator import generator
from minitensor.nn import arguments as args
from minitensor.nn.pooling import MAX
from minitensor.ops import pool as ops

__all__ = ["fractional_avg_pool", "fractional_max_pool"]


def fractional_max_pool(
    value: Any,
    pooling_ratio: Any,
    pseudo_random: bool = False,
    overlapping: bool = False,
    seed: int = 0,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Maxima over regions of floor or ceil of `pooling_ratio` pixels, in random order.

    y[n, i, j, c] = max over rows[i] <= a < rows[i+1], columns[j] <= b < columns[j+1] of
        value[n, a, b, c]

    Example:
        >>> import minitensor as tf
        >>> x = tf.reshape(tf.range(1.0, 17.0), [1, 4, 4, 1])
        >>> y, rows, columns = tf.nn.fractional_max_pool(x, 2.0)
        >>> y.numpy().ravel(), rows.numpy()
        (array([ 6.,  8., 14., 16.], dtype=float32), array([0, 2, 4]))
    """
    settings = (pooling_ratio, pseudo_random, overlapping, seed)
    return _pooled("fractional_max_pool", ops.fractional_max_pool, MAX.ints, value, *settings)


def fractional_avg_pool(
    value: Any,
    pooling_ratio: Any,
    pseudo_random: bool = False,
    overlapping: bool = False,
    seed: int = 0,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Means over regions of floor or ceil of `pooling_ratio` pixels, in random order.

    y[n, i, j, c] = mean over rows[i] <= a < rows[i+1], columns[j] <= b < columns[j+1] of
        value[n, a, b, c]

    Example:
        >>> import minitensor as tf
        >>> x = tf.reshape(tf.range(1.0, 17.0), [1, 4, 4, 1])
        >>> tf.nn.fractional_avg_pool(x, 2.0)[0].numpy().ravel()
        array([ 3.5,  5.5, 11.5, 13.5], dtype=float32)
    """
    settings = (pooling_ratio, pseudo_random, overlapping, seed)
    return _pooled("fractional_avg_pool", ops.fractional_avg_pool, (), value, *settings)


def _pooled(
    op: str,
    pool: Callable[..., Tensor],
    ints: tuple[str, ...],
    value: Any,
    pooling_ratio: Any,
    pseudo_random: bool,
    overlapping: bool,
    seed: Any,
) -> tuple[Tensor, Tensor, Tensor]:
    (x,) = args.tensors(op, ints, value=value)
    args.rank_of(op, "value", x, 4, "(N, H, W, C)")
    size = x.shape[1:3]
    ratios = _ratios(op, pooling_ratio, size)
    random = generator(args.integer(op, "seed", seed, least=0) or None)
    rows, columns = (
        _sequence(random, n, int(n / ratio), bool(pseudo_random))
        for n, ratio in zip(size, ratios, strict=True)
    )
    y = pool(x, rows=rows, columns=columns, overlapping=bool(overlapping))
    return y, to_device_of(rows, x), to_device_of(columns, x)


def _ratios(op: str, value: Any, size: tuple[int, ...]) -> tuple[float, ...]:
    """The ratios of height and width, between 1 and the size."""
    items = list(value) if isinstance(value, list | tuple) else [1, value, value, 1]
    if not all(isinstance(item, int | float | np.number) for item in items):
        raise TypeError(f"{op}: pooling_ratio must be a number or 4 of them, got {value!r}")
    if len(items) != 4 or items[0] != 1 or items[3] != 1:
        raise ValueError(
            f"{op}: pooling_ratio must be a number or [1, height, width, 1], got {value!r}"
        )
    ratios = tuple(float(item) for item in items[1:3])
    if not all(1 <= ratio <= n for ratio, n in zip(ratios, size, strict=True)):
        raise ValueError(
            f"{op}: pooling_ratio {value!r} must be at least 1 and at most the height and width "
            f"{tuple(size)} of value"
        )
    return ratios


def _sequence(random: np.random.Generator, n: int, regions: int, pseudo: bool) -> np.ndarray:
    """Where regions of n // regions pixels, or one more, begin: from 0 to n."""
    if pseudo:
        start = random.random()
        begins = np.floor(n / regions * (np.arange(regions) + start)).astype(np.int64)
        return np.append(begins - begins[0], n)
    short = n // regions
    lengths = np.full(regions, short)
    lengths[: n - short * regions] += 1
    return np.concatenate([[0], np.cumsum(random.permutation(lengths))])
