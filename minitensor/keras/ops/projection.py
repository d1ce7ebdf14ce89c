"""Images through an affine or a projective transform, for layers and keras.ops.image."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.array import reshape, where
from minitensor.autograd import Tensor, as_tensor
from minitensor.ops.array import getitem


def affine(
    images: Tensor, maps: np.ndarray, interpolation: str, fill_mode: str, fill_value: float
) -> Tensor:
    """y[n, i, j] = x[n, v, u], u = a0 j + a1 i + a2, v = b0 j + b1 i + b2, for (N, H, W, C) floats.

    `maps` are (N, 6) numbers a0, a1, a2, b0, b1, b2; or (N, 8), and u and v are divided by
    c0 j + c1 i + 1. "reflect" is d c b a | a b c d | d c b a.

    Source: tf.raw_ops.ImageProjectiveTransformV3
    """
    _, height, width, _ = images.shape
    i, j = (np.arange(n, dtype=np.float32) for n in (height, width))
    maps = np.asarray(maps, np.float32)[:, :, None, None]
    a, b, c = maps[:, :3], maps[:, 3:6], maps[:, 6:]
    x, y = (m[:, 0] * j + m[:, 1] * i[:, None] + m[:, 2] for m in (a, b))  # (N, H, W)
    if c.any():
        depth = c[:, 0] * j + c[:, 1] * i[:, None] + 1
        x, y = x / depth, y / depth
    x, y = _inside(x, width, fill_mode), _inside(y, height, fill_mode)
    if interpolation == "nearest":
        return _pixels(images, _rounded(y), _rounded(x), fill_value)
    top, left = np.floor(y), np.floor(x)
    down, right = y - top, x - left
    corners = (
        ((1 - down) * (1 - right), top, left),
        ((1 - down) * right, top, left + 1),
        (down * (1 - right), top + 1, left),
        (down * right, top + 1, left + 1),
    )
    parts = [
        _pixels(images, rows, columns, fill_value)
        * as_tensor(weight[..., None].astype(images.dtype), like=images)
        for weight, rows, columns in corners
    ]
    return parts[0] + parts[1] + parts[2] + parts[3]


def _inside(at: np.ndarray, size: int, fill_mode: str) -> np.ndarray:
    """Where in the image a coordinate outside is taken from; "constant" leaves it outside."""
    if fill_mode == "constant":
        return at
    if fill_mode == "reflect":
        at = at % (2 * size)
        at = np.where(at >= size, 2 * size - at - 1, at)
    elif fill_mode == "wrap":
        period = max(size - 1, 1)
        below = at + size * (np.floor(-at / period) + 1)
        above = at - size * np.floor(at / period)
        at = np.where(at < 0, below, np.where(at > size - 1, above, at))
    return np.clip(at, 0, size - 1).astype(np.float32)


def _rounded(at: np.ndarray) -> np.ndarray:
    """The nearest integer; the one farther from 0 if there are two."""
    return np.copysign(np.floor(np.abs(at) + np.float32(0.5)), at)


def _pixels(images: Tensor, rows: np.ndarray, columns: np.ndarray, outside: float) -> Tensor:
    """images[n, rows[n, i, j], columns[n, i, j]], or the number `outside` the image."""
    n, height, width, channels = images.shape
    there = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    pixel = np.clip(rows, 0, height - 1) * width + np.clip(columns, 0, width - 1)
    flat = reshape(images, (n, height * width, channels))
    which: tuple[Any, ...] = (np.arange(n)[:, None, None], pixel.astype(np.int64))
    found = getitem(flat, index=which)  # (N, H, W, C)
    return found if there.all() else where(there[..., None], found, outside)
