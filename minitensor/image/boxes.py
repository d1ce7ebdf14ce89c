"""Images fitted into frames, and boxes cut out of images at any scale.

Raises a TypeError where a length or an index is no integer. `name` is ignored.
Source: tf.image, under the same name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor, first_tensor
from minitensor.image.geometry import pad_to_bounding_box
from minitensor.image.inputs import NUMBERS, picture, pixels, scalar
from minitensor.image.resize import ResizeMethod, resize
from minitensor.nn import checks
from minitensor.ops import array, math

_DOWN, _ACROSS = (slice(None), slice(None), None), (slice(None), None)
_EACH = (..., None)  # channel


def resize_with_pad(
    image: Any,
    target_height: int,
    target_width: int,
    method: str = ResizeMethod.BILINEAR,
    antialias: bool = False,
) -> Tensor:
    """Resizes images undistorted to fit into a frame, and fills what is left with zeros.

    new size = floor(old size / ratio), ratio = max(H / target_height, W / target_width)

    Args:
        image: (H, W, C) or (N, H, W, C).
        target_height, target_width: the frame in pixels.
        method, antialias: as in `resize`.

    Returns:
        (target_height, target_width, C), with N in front if `image` has it.

    Raises:
        ValueError: a length is below 1, or nothing is left of the image.

    Example:
        >>> import minitensor as tf
        >>> tf.image.resize_with_pad(tf.ones([2, 1, 1]), 2, 3).numpy()[..., 0]
        array([[0., 1., 0.],
               [0., 1., 0.]], dtype=float32)
    """
    op = "resize_with_pad"
    x = picture(op, "image", image)
    goal = pixels(op, 1, target_height=target_height, target_width=target_width)
    old, frame = (np.array(sizes, np.float32) for sizes in (x.shape[-3:-1], goal))
    fitted = old / np.max(old / frame)
    h, w = np.floor(fitted).astype(int).tolist()
    top, left = np.maximum(np.floor((frame - fitted) / 2), 0).astype(int).tolist()
    return pad_to_bounding_box(resize(x, [h, w], method, antialias=antialias), top, left, *goal)


def crop_and_resize(
    image: Any,
    boxes: Any,
    box_indices: Any,
    crop_size: Any,
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """Cuts boxes out of a batch and brings them to one size.

    y[b, i, j] = image[box_indices[b]] at row (y1 + (y2 - y1) i / (h - 1)) (H - 1), column alike;
    the middle of the box if h = 1

    Args:
        image: (N, H, W, C).
        boxes: (B, 4): y1, x1, y2, x2 of each, 0 the first and 1 the last pixel; y1 > y2 flips.
            With "nearest" no gradient reaches them.
        box_indices: (B,) integers: which image of the batch.
        crop_size: (h, w) in pixels.
        method: "bilinear" or "nearest".
        extrapolation_value: of pixels outside of the image.

    Returns:
        (B, h, w, C) float32.

    Raises:
        ValueError: shapes do not fit, an index is out of range, or the method is unknown.

    Example:
        >>> import minitensor as tf
        >>> x = tf.reshape(tf.range(16.0), [1, 4, 4, 1])
        >>> tf.image.crop_and_resize(x, [[0, 0, 1, 1]], [0], [2, 2]).numpy()[0, ..., 0]
        array([[ 0.,  3.],
               [12., 15.]], dtype=float32)
    """
    op = "crop_and_resize"
    image = as_tensor(image, what=f"{op}: image", like=first_tensor(image, boxes, box_indices))
    x = math.cast(picture(op, "image", image, (4,)), dtype=np.float32)
    corners = math.cast(checks.tensor(op, "boxes", boxes, NUMBERS, like=x), dtype=np.float32)
    image_index = np.asarray(checks.tensor(op, "box_indices", box_indices, "iu"))
    size = checks.numbers(op, "crop_size", crop_size, 1)
    if corners.shape != (len(image_index), 4) or image_index.ndim != 1 or len(size) != 2:
        raise ValueError(
            f"{op}: boxes must be (B, 4), box_indices (B,) and crop_size (2,), got "
            f"{corners.shape}, {image_index.shape} and {size}"
        )
    if image_index.size and not 0 <= image_index.min() <= image_index.max() < x.shape[0]:
        raise ValueError(f"{op}: box_indices must lie in 0 ... {x.shape[0] - 1}, got {image_index}")
    if method not in ("bilinear", "nearest"):
        raise ValueError(f"{op}: method must be 'bilinear' or 'nearest', got {method!r}")
    outside = scalar(op, "extrapolation_value", extrapolation_value)
    places = [_coordinates(corners, axis, x.shape[1 + axis], size[axis]) for axis in (0, 1)]
    rows, columns = (
        array.getitem(p, index=i) for p, i in zip(places, (_DOWN, _ACROSS), strict=True)
    )  # (B, h, 1), (B, 1, w)
    inside = _within(rows, x.shape[1]) & _within(columns, x.shape[2])  # (B, h, w)
    picked = _picked(x, image_index[:, None, None], rows, columns, method)  # (B, h, w, C)
    return math.where(inside[..., None], picked, outside)


def _coordinates(corners: Tensor, axis: int, old: int, new: int) -> Tensor:
    """(B, new): where in `old` pixels the new ones lie."""
    first, last = (array.getitem(corners, index=(slice(None), [i])) for i in (axis, axis + 2))
    if new == 1:
        return (first + last) * 0.5 * float(old - 1)
    step = (last - first) * float(old - 1) / float(new - 1)
    return first * float(old - 1) + step * np.arange(new, dtype=np.float32)


def _within(coordinates: Tensor, old: int) -> np.ndarray:
    there = coordinates.numpy()
    return (there >= 0) & (there <= old - 1)


def _picked(
    x: Tensor, image_index: np.ndarray, rows: Tensor, columns: Tensor, method: str
) -> Tensor:
    """The pixels at these coordinates; one between pixels has its share of four."""
    ends = zip((rows, columns), x.shape[1:3], strict=True)
    places = [p.numpy().clip(0, n - 1) for p, n in ends]
    if method == "nearest":
        nearest = (np.floor(p.astype(float) + 0.5).astype(int) for p in places)
        return array.getitem(x, index=(image_index, *nearest))
    (top, left), (below, right) = ([f(p).astype(int) for p in places] for f in (np.floor, np.ceil))
    down = array.getitem(rows - top.astype(np.float32), index=_EACH)  # (B, h, 1, 1)
    across = array.getitem(columns - left.astype(np.float32), index=_EACH)  # (B, 1, w, 1)

    def at(row: np.ndarray, column: np.ndarray) -> Tensor:
        return array.getitem(x, index=(image_index, row, column))

    above = at(top, left) * (1 - across) + at(top, right) * across
    beneath = at(below, left) * (1 - across) + at(below, right) * across
    return above * (1 - down) + beneath * down
