"""Images seen through an affine map: where each new pixel looks, and what it finds there.

The maps are few numbers, so the places are computed by NumPy, in float32 as in TensorFlow; the
pixels are fetched and mixed by ops, on any device and with derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.array import reshape, where
from minitensor.autograd import Tensor, as_tensor
from minitensor.ops.array import getitem

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")


def affine(
    images: Tensor, maps: np.ndarray, interpolation: str, fill_mode: str, fill_value: float
) -> Tensor:
    """y[n, i, j] = x[n, v, u], u = a0 j + a1 i + a2, v = b0 j + b1 i + b2.

    Args:
        images: (N, H, W, C) floats.
        maps: (N, 6) numbers a0, a1, a2, b0, b1, b2 for each image.
        interpolation: "nearest" place, or "bilinear" between four.
        fill_mode: what lies outside: "reflect" d c b a | a b c d | d c b a, "wrap" around,
            "constant" or the "nearest" pixel.
        fill_value: the constant.

    Returns:
        (N, H, W, C)

    Source: tf.raw_ops.ImageProjectiveTransformV3
    """
    _, height, width, _ = images.shape
    i, j = (np.arange(n, dtype=np.float32) for n in (height, width))
    a, b = np.split(np.asarray(maps, np.float32)[:, :, None, None], 2, axis=1)  # (N, 3, 1, 1)
    x, y = (m[:, 0] * j + m[:, 1] * i[:, None] + m[:, 2] for m in (a, b))  # (N, H, W)
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


def _inside(place: np.ndarray, size: int, fill_mode: str) -> np.ndarray:
    """Where in the image a place outside is taken from; "constant" leaves it outside."""
    if fill_mode == "constant":
        return place
    if fill_mode == "reflect":
        place = place % (2 * size)
        place = np.where(place >= size, 2 * size - place - 1, place)
    elif fill_mode == "wrap":
        period = max(size - 1, 1)
        below = place + size * (np.floor(-place / period) + 1)
        above = place - size * np.floor(place / period)
        place = np.where(place < 0, below, np.where(place > size - 1, above, place))
    return np.clip(place, 0, size - 1).astype(np.float32)


def _rounded(place: np.ndarray) -> np.ndarray:
    """The nearest integer; the one farther from 0 if there are two."""
    return np.copysign(np.floor(np.abs(place) + np.float32(0.5)), place)


def _pixels(images: Tensor, rows: np.ndarray, columns: np.ndarray, outside: float) -> Tensor:
    """images[n, rows[n, i, j], columns[n, i, j]], or the number for places outside."""
    n, height, width, channels = images.shape
    there = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    place = np.clip(rows, 0, height - 1) * width + np.clip(columns, 0, width - 1)
    flat = reshape(images, (n, height * width, channels))
    which: tuple[Any, ...] = (np.arange(n)[:, None, None], place.astype(np.int64))
    found = getitem(flat, index=which)  # (N, H, W, C)
    return found if there.all() else where(there[..., None], found, outside)
