"""Resizing is two matrix products: y = R x C^T, with one row of weights per new pixel.

Every method says only what weight an old pixel at some distance has for a new one. Distances are
between pixel centres, which lie at half pixels: new pixel i looks at (i + 1/2) old / new - 1/2.
So a resize is linear, and its derivatives of every order come from those of the product. A NaN
spoils the new pixels that give its pixel a weight, and no others.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.image.inputs import batched, picture, unbatched
from minitensor.nn import checks
from minitensor.ops import array, linalg, math


class ResizeMethod(StrEnum):
    """The words that `resize` takes as its method. Source: tf.image.ResizeMethod"""

    BILINEAR = "bilinear"
    NEAREST_NEIGHBOR = "nearest"
    BICUBIC = "bicubic"
    AREA = "area"
    LANCZOS3 = "lanczos3"
    LANCZOS5 = "lanczos5"
    GAUSSIAN = "gaussian"
    MITCHELLCUBIC = "mitchellcubic"


class _Kernel(NamedTuple):
    """Weight of an old pixel by its distance, 0 from `radius` on."""

    radius: float
    weight: Callable[[np.ndarray], np.ndarray]


def _lanczos(radius: float) -> _Kernel:
    return _Kernel(radius, lambda d: np.sinc(d) * np.sinc(d / radius))


def _cubic(near: tuple[float, ...], far: tuple[float, ...]) -> _Kernel:
    """Two cubic polynomials, for distances below 1 and below 2; highest power first."""
    return _Kernel(2, lambda d: np.where(d < 1, np.polyval(near, d), np.polyval(far, d)))


_KERNELS = {
    "bilinear": _Kernel(1, lambda d: 1 - d),
    "bicubic": _cubic((1.5, -2.5, 0, 1), (-0.5, 2.5, -4, 2)),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "gaussian": _Kernel(1.5, lambda d: np.exp(-2 * d * d)),  # standard deviation 1/2
    "mitchellcubic": _cubic((7 / 6, -2, 0, 8 / 9), (-7 / 18, 2, -10 / 3, 16 / 9)),
}


def resize(
    images: Any,
    size: Any,
    method: str = ResizeMethod.BILINEAR,
    preserve_aspect_ratio: bool = False,
    antialias: bool = False,
    name: str | None = None,
) -> Tensor:
    """Resizes images.

    y[n, i, j, c] = sum over u, v of R[i, u] C[j, v] x[n, u, v, c], where a row of R is
    k((i + 1/2) H / h - 1/2 - u), divided by its sum, for the method's kernel k

    Args:
        images: (H, W, C) or (N, H, W, C).
        size: (height, width) in pixels.
        method: "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian" or
            "mitchellcubic".
        preserve_aspect_ratio: take the largest size that fits into `size` undistorted.
        antialias: widen the kernel when the image shrinks, so that every old pixel counts.
            No effect on "nearest" and "area".
        name: ignored.

    Returns:
        (h, w, C) or (N, h, w, C); float32, but "nearest" keeps the dtype.

    Raises:
        ValueError: `size` is not two positive integers, `images` have another number of axes or
            no pixels, or the method is unknown.

    Example:
        >>> import minitensor as tf
        >>> row = tf.constant([0.0, 1.0], shape=[1, 2, 1])
        >>> tf.image.resize(row, [1, 4]).numpy().ravel()
        array([0.  , 0.25, 0.75, 1.  ], dtype=float32)

    Source: tf.image.resize
    """
    x = picture("resize", "images", images)
    height, width = x.shape[-3:-1]
    h, w = _size(size, (height, width), preserve_aspect_ratio)
    if method not in list(ResizeMethod):
        legal = ", ".join(repr(str(word)) for word in ResizeMethod)
        raise ValueError(f"resize: method must be one of {legal}, got {method!r}")
    full = batched(x)
    if method == ResizeMethod.NEAREST_NEIGHBOR:
        tall = array.gather(full, _nearest(height, h), axis=1)  # (N, h, W, C)
        return unbatched(array.gather(tall, _nearest(width, w), axis=2), x)  # (N, h, w, C)
    rows = _weights(height, h, method, antialias)
    columns = _weights(width, w, method, antialias)
    return unbatched(_resampled(math.cast(full, dtype=np.float32), rows, columns), x)


def _resampled(x: Tensor, rows: np.ndarray, columns: np.ndarray) -> Tensor:
    """R x C^T for each image and channel: x (N, H, W, C), rows (h, H), columns (w, W)."""
    n, height, width, c = x.shape
    h, w = len(rows), len(columns)
    flat = array.reshape(x, shape=(n, height, width * c))
    tall = linalg.weighed(as_tensor(rows, like=x), flat)  # (N, h, W·C)
    lines = array.reshape(tall, shape=(n * h, width, c))
    wide = linalg.weighed(as_tensor(columns, like=x), lines)  # (N·h, w, C)
    return array.reshape(wide, shape=(n, h, w, c))


def _size(size: Any, image: tuple[int, int], preserve_aspect_ratio: bool) -> tuple[int, int]:
    """The new (height, width)."""
    values = np.asarray(size)
    if values.shape != (2,) or values.dtype.kind not in "iu":
        raise ValueError(f"resize: size must be two integers, (height, width), got {size!r}")
    h, w = checks.numbers("resize", "size", values, least=1)
    if not preserve_aspect_ratio:
        return h, w
    scale = min(np.float32(h) / np.float32(image[0]), np.float32(w) / np.float32(image[1]))
    h, w = (int(np.rint(scale * np.float32(n))) for n in image)
    if 0 in (h, w):
        raise ValueError(
            f"resize: {image} pixels shrink to {(h, w)} within size {tuple(values.tolist())}; "
            "take a larger size or preserve_aspect_ratio=False"
        )
    return h, w


def _nearest(old: int, new: int) -> np.ndarray:
    """(new,): the old pixel under each new one's centre."""
    scale = np.float32(old) / np.float32(new)  # float32: TensorFlow's choice at a tie
    centres = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * scale
    return np.minimum(np.floor(centres).astype(np.int64), old - 1)


def _weights(old: int, new: int, method: str, antialias: bool) -> np.ndarray:
    """(new, old) float32: how much of each old pixel is in each new one; rows sum to 1."""
    area = method == ResizeMethod.AREA
    weights = _area(old, new) if area else _sampled(old, new, method, antialias)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _area(old: int, new: int) -> np.ndarray:
    """How much of each old pixel, in old pixels, the new pixel covers."""
    edges, pixels = np.arange(new + 1) * old / new, np.arange(old)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.maximum(covered, 0)


def _sampled(old: int, new: int, method: str, antialias: bool) -> np.ndarray:
    """The method's kernel around each new pixel's centre."""
    kernel = _KERNELS[method]
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    if method == ResizeMethod.BILINEAR and not antialias:
        centres = centres.clip(0, old - 1)  # beyond the last centre the image is constant
    stretch = max(old / new, 1) if antialias else 1
    distances = np.abs(centres[:, None] - np.arange(old)) / stretch
    return np.where(distances < kernel.radius, kernel.weight(distances), 0)
