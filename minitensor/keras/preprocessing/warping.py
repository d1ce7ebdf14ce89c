"""An image turned, shifted, sheared and zoomed around its middle; its brightness and colours."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minitensor.keras.utils.images import array_to_img, img_to_array

MODES = ("nearest", "constant", "reflect", "wrap")


def apply_affine_transform(
    x: Any,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """An image of which each pixel lies where an affine map says.

    y[p] = x[A (p - m) + m], A = rotation(theta) shift(tx, ty) shear zoom(zx, zy), m the middle

    Args:
        x: an array of three axes.
        theta, shear: degrees.
        tx, ty: pixels to the left and up.
        zx, zy: factors; less than 1 enlarges.
        row_axis, col_axis, channel_axis: what its axes are.
        fill_mode: what lies outside: "nearest", "constant", "reflect" or "wrap".
        cval: the constant.
        order: 1 between four pixels, 0 the nearest pixel.

    Returns:
        An array like x.

    Raises:
        ValueError: axes that are not three, another mode or order.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> x = np.array([[[1.0], [2.0]]])
        >>> tf.keras.preprocessing.image.apply_affine_transform(
        ...     x, tx=1, row_axis=0, col_axis=1, channel_axis=2
        ... ).ravel()
        array([2., 2.])

    Source: keras.preprocessing.image.apply_affine_transform
    """
    if np.ndim(x) != 3 or sorted((row_axis, col_axis, channel_axis)) != [0, 1, 2]:
        raise ValueError(
            "An image has three axes, one of rows, of columns and of channels. Received: "
            f"{np.ndim(x)} axes, row_axis={row_axis}, col_axis={col_axis}, "
            f"channel_axis={channel_axis}"
        )
    if fill_mode not in MODES or order not in (0, 1):
        raise ValueError(
            f"fill_mode is one of {MODES} and order 0 or 1. Received: fill_mode={fill_mode!r}, "
            f"order={order}"
        )
    image = np.moveaxis(np.asarray(x), (row_axis, col_axis, channel_axis), (0, 1, 2))
    if (theta, tx, ty, shear, zx, zy) == (0, 0, 0, 0, 1, 1):
        return np.asarray(x)
    # Keras' matrix is of (column, row), and its middle of (height, width).
    matrix = _matrix(theta, (tx, ty), shear, (zx, zy))[[1, 0, 2]][:, [1, 0, 2]]
    middle = (np.array(image.shape[1::-1]) - 1) / 2
    grid = np.indices(image.shape[:2]).reshape(2, -1) - middle[:, None]  # (2, H*W)
    places = matrix[:2, :2] @ grid + matrix[:2, 2:] + middle[:, None]
    found = _sampled(image, places, fill_mode, cval, order).reshape(image.shape)
    return np.moveaxis(found, (0, 1, 2), (row_axis, col_axis, channel_axis)).astype(image.dtype)


def _matrix(theta: float, shift: Any, shear: float, zoom: Any) -> np.ndarray:
    """(3, 3), of rows and columns."""
    turn, lean = np.deg2rad(theta), np.deg2rad(shear)
    cos, sin = np.cos(turn), np.sin(turn)
    parts = (
        [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]],
        [[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]],
        [[1, -np.sin(lean), 0], [0, np.cos(lean), 0], [0, 0, 1]],
        [[zoom[0], 0, 0], [0, zoom[1], 0], [0, 0, 1]],
    )
    return functools.reduce(np.matmul, (np.array(part, float) for part in parts))


def _sampled(image: np.ndarray, places: np.ndarray, mode: str, cval: float, order: int) -> Any:
    """The image at places between its pixels: (H*W, C)."""
    sizes = np.array(image.shape[:2])[:, None]
    if mode == "wrap":  # as SciPy does: the last pixel falls on the first
        places = np.where(sizes > 1, places % np.maximum(sizes - 1, 1), 0.0)
    if mode == "constant":
        inside = np.all((places >= 0) & (places <= sizes - 1), axis=0)
    low = np.floor(places + 0.5 if order == 0 else places).astype(int)
    part = (places - low) if order else np.zeros_like(places)
    found: Any = 0.0
    for corner in np.ndindex(2, 2):
        side = np.array(corner)[:, None]
        weight = np.prod(np.where(side == 1, part, 1 - part), axis=0)
        rows, columns = _legal(low + side, sizes, mode)
        found = found + weight[:, None] * image[rows, columns]
    return np.where(inside[:, None], found, cval) if mode == "constant" else found


def _legal(places: np.ndarray, sizes: np.ndarray, mode: str) -> np.ndarray:
    """Which pixels stand for those outside."""
    if mode == "reflect":
        places = places % (2 * sizes)
        places = np.minimum(places, 2 * sizes - 1 - places)
    return np.clip(places, 0, sizes - 1)


def apply_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """Adds a number to an image, within what it had as least and largest.

    y = min(max(x + intensity, min of x), max of x)

    Args:
        x: an array of three axes.
        intensity: the number.
        channel_axis: ignored, as each channel gets the same.

    Source: keras.preprocessing.image.apply_channel_shift
    """
    return np.clip(np.asarray(x) + intensity, np.min(x), np.max(x)).astype(np.asarray(x).dtype)


def apply_brightness_shift(x: Any, brightness: float, scale: bool = True) -> np.ndarray:
    """Multiplies an image as Pillow does, in bytes.

    Args:
        x: (H, W, C), 0 to 255.
        brightness: 0 is black, 1 leaves it.
        scale: whether it is stretched to 0 ... 255 first.

    Source: keras.preprocessing.image.apply_brightness_shift
    """
    least, largest = np.min(x), np.max(x)
    outside = bool(least < 0 or largest > 255)
    image = array_to_img(x, scale=outside or scale)
    from PIL import ImageEnhance

    found = img_to_array(ImageEnhance.Brightness(image).enhance(brightness))
    return found / 255 * (largest - least) + least if outside and not scale else found
