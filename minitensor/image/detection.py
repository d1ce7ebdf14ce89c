"""Boxes around what was found in an image: the best of many, and drawn.

For those of suppression:
    Args: `boxes`: (B, 4) floats, two opposite corners y1, x1, y2, x2 of each, in any scale.
        `scores`: (B,) floats. `max_output_size`: how many at most. `iou_threshold`: a box that
        shares more than this part with a better one is left out, 0 to 1. `score_threshold`: what
        scores no more is left out. `name`: ignored.
    Raises: ValueError for another shape, or a number out of range.
    Source: tf.image, under the same name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor, first_tensor, to_device_of
from minitensor.autograd.tensor import is_float
from minitensor.image.inputs import NUMBERS, example, picture, scalar
from minitensor.nn import checks
from minitensor.ops import math

_COLORS = np.array(  # yellow, blue, red, lime, purple, olive, maroon, navy, aqua, fuchsia
    [
        *([1, 1, 0, 1], [0, 0, 1, 1], [1, 0, 0, 1], [0, 1, 0, 1], [0.5, 0, 0.5, 1]),
        *([0.5, 0.5, 0, 1], [0.5, 0, 0, 1], [0, 0, 0.5, 1], [0, 1, 1, 1], [1, 0, 1, 1]),
    ],
    np.float32,
)


@example(
    "non_max_suppression([[0, 0, 2, 2], [0, 0, 2, 1.9], [5, 5, 6, 6]], [0.8, 0.9, 0.5], 3).numpy()",
    "array([1, 2], dtype=int32)",
)
def non_max_suppression(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    name: str | None = None,
) -> Tensor:
    """Which boxes are left when each leaves out those that overlap it and score less.

    overlap = area of the intersection / area of the union

    Returns:
        Their indices, int32, the best first.
    """
    return _suppressed(
        "non_max_suppression", boxes, scores, max_output_size, iou_threshold, score_threshold
    )[0]


def non_max_suppression_with_scores(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    soft_nms_sigma: Any = 0.0,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """The same with scores; a sigma above 0 lowers those of overlapping boxes instead.

    score = score * exp(-overlap^2 / (2 sigma)) for each better box that was chosen

    Args:
        soft_nms_sigma: at least 0.

    Returns:
        Indices, int32, and the scores that were left, the best first.

    Example:
        >>> import minitensor as tf
        >>> boxes = [[0, 0, 2.0, 2], [0, 0, 2, 2], [5, 5, 6, 6]]
        >>> chosen, scores = tf.image.non_max_suppression_with_scores(
        ...     boxes, [0.8, 0.9, 0.5], 3, soft_nms_sigma=0.5)
        >>> chosen.numpy(), scores.numpy().round(3)
        (array([1, 2, 0], dtype=int32), array([0.9  , 0.5  , 0.294], dtype=float32))
    """
    op, sigma = "non_max_suppression_with_scores", scalar("soft nms", "sigma", soft_nms_sigma)
    if sigma < 0:
        raise ValueError(f"{op}: soft_nms_sigma must not be negative, got {sigma}")
    return _suppressed(op, boxes, scores, max_output_size, iou_threshold, score_threshold, sigma)


def non_max_suppression_padded(
    boxes: Any,
    scores: Any,
    max_output_size: Any,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    pad_to_max_output_size: bool = False,
    name: str | None = None,
    sorted_input: bool = False,
    canonicalized_coordinates: bool = False,
    tile_size: int = 512,
) -> tuple[Tensor, Tensor]:
    """The same with zeros behind, so that every image of a batch has as many.

    TensorFlow orders the corners of all boxes as those of the first; here each box's own are.
    A threshold of 0 suppresses nothing there.

    Args:
        boxes: (..., B, 4).
        scores: (..., B).
        pad_to_max_output_size: add zeros; a batch needs it.
        sorted_input, canonicalized_coordinates, tile_size: ignored.

    Returns:
        Indices (..., n) int32, and how many of them count, (...) int32.

    Example:
        >>> import minitensor as tf
        >>> chosen, count = tf.image.non_max_suppression_padded(
        ...     [[0, 0, 2.0, 2], [0, 0, 2, 2]], [0.8, 0.9], 3, pad_to_max_output_size=True)
        >>> chosen.numpy(), count.numpy().item()
        (array([1, 0, 0], dtype=int32), 1)
    """
    op, like = "non_max_suppression_padded", first_tensor(boxes, scores)
    x, y = (checks.tensor(op, w, v, "f").numpy() for w, v in (("boxes", boxes), ("scores", scores)))
    if x.ndim < 2 or x.shape[-1] != 4 or y.shape != x.shape[:-1]:
        raise ValueError(
            f"{op}: boxes must be (..., B, 4) and scores (..., B), got {x.shape}, {y.shape}"
        )
    if x.ndim > 2 and not pad_to_max_output_size:
        raise ValueError(f"{op}: a batch needs pad_to_max_output_size=True")
    most = checks.number(op, "max_output_size", max_output_size, 0)
    places = list(np.ndindex(x.shape[:-2]))
    found = [
        _suppressed(op, x[place], y[place], most, iou_threshold, score_threshold)[0].numpy()
        for place in places
    ]
    counts = np.array([len(chosen) for chosen in found], np.int32).reshape(x.shape[:-2])
    if not pad_to_max_output_size:
        return to_device_of(found[0], like), to_device_of(counts, like)
    padded = [np.pad(chosen, (0, most - len(chosen))) for chosen in found]
    full = np.array(padded, np.int32).reshape(*counts.shape, most)
    return to_device_of(full, like), to_device_of(counts, like)


def _suppressed(
    op: str, boxes: Any, scores: Any, most: Any, overlap: Any, least: Any, sigma: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Indices and scores of the boxes that are left."""
    corners, left = _boxes_and_scores(op, boxes, scores)
    like = first_tensor(boxes, scores)
    limit, lowest = scalar(op, "iou_threshold", overlap), scalar(op, "score_threshold", least)
    if not 0 <= limit <= 1:
        raise ValueError(f"{op}: iou_threshold must be from 0 to 1, got {limit}")
    chosen: list[int] = []
    kept: list[Any] = []
    count = checks.number(op, "max_output_size", most, 0)
    waiting = left > left.dtype.type(lowest)
    while waiting.any() and len(chosen) < count:
        best = int(np.argmax(np.where(waiting, left, -np.inf)))  # the first of equals
        chosen.append(best)
        kept.append(left[best])
        shared = _overlaps(corners[best], corners)
        if sigma:
            left = left * np.exp(shared.dtype.type(-0.5 / sigma) * shared * shared)
            waiting &= left > left.dtype.type(lowest)
        else:
            waiting &= shared <= shared.dtype.type(limit)
        waiting[best] = False
    scored = np.array(kept, left.dtype)
    return to_device_of(np.array(chosen, np.int32), like), to_device_of(scored, like)


def _boxes_and_scores(op: str, boxes: Any, scores: Any) -> tuple[np.ndarray, np.ndarray]:
    """(B, 4) with the lower corner first, and (B,)."""
    x = checks.tensor(op, "boxes", boxes, NUMBERS).numpy()
    y = checks.tensor(op, "scores", scores, "f").numpy()
    if x.ndim != 2 or x.shape[1] != 4 or y.shape != (len(x),):
        raise ValueError(f"{op}: boxes must be (B, 4) and scores (B,), got {x.shape} and {y.shape}")
    pairs = np.sort(x.reshape(-1, 2, 2), axis=1).reshape(-1, 4)
    return pairs.astype(np.result_type(y, np.float32)), y.astype(np.result_type(y, np.float32))


def _overlaps(one: np.ndarray, all_of_them: np.ndarray) -> np.ndarray:
    """(B,): intersection over union; 0 for a box without an area."""
    low = np.maximum(one[:2], all_of_them[:, :2])
    high = np.minimum(one[2:], all_of_them[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), -1)
    area, areas = np.prod(one[2:] - one[:2]), np.prod(all_of_them[:, 2:] - all_of_them[:, :2], -1)
    solid = (areas > 0) & (area > 0)
    return np.where(solid, shared / np.where(solid, area + areas - shared, 1), 0).astype(one.dtype)


def draw_bounding_boxes(images: Any, boxes: Any, colors: Any, name: str | None = None) -> Tensor:
    """Draws the outlines of boxes, one pixel wide.

    y = colors[b mod colors] on the border of box b from pixel trunc(y1 (H - 1)), trunc(x1 (W - 1))
    to trunc(y2 (H - 1)), trunc(x2 (W - 1)); x elsewhere

    Args:
        images: (N, H, W, C) floats with 1, 3 or 4 channels.
        boxes: (N, B, 4): y1, x1, y2, x2 of each, 0 the first and 1 the last pixel. Inverted ones
            and those outside are not drawn.
        colors: (K, C) or with more channels, taken in turn; None for ten of TensorFlow's.
        name: ignored.

    Returns:
        The shape and dtype of `images`.

    Raises:
        TypeError: images that are no floats.
        ValueError: another shape.

    Example:
        >>> import minitensor as tf
        >>> y = tf.image.draw_bounding_boxes(tf.zeros([1, 4, 4, 1]), [[[0, 0, 0.7, 1]]], [[9.0]])
        >>> y.numpy()[0, ..., 0]
        array([[9., 9., 9., 9.],
               [9., 0., 0., 9.],
               [9., 9., 9., 9.],
               [0., 0., 0., 0.]], dtype=float32)

    Source: tf.image.draw_bounding_boxes
    """
    op = "draw_bounding_boxes"
    images = as_tensor(images, what=f"{op}: images", like=first_tensor(images, boxes, colors))
    x = picture(op, "images", images, (4,))
    if not is_float(x.dtype):
        raise TypeError(f"{op}: images are {x.dtype.name}; use image.convert_image_dtype")
    corners = np.asarray(checks.tensor(op, "boxes", boxes, NUMBERS), np.float32)
    table = _COLORS if colors is None else np.asarray(checks.tensor(op, "colors", colors, NUMBERS))
    depth = x.shape[-1]
    if depth not in (1, 3, 4) or corners.ndim != 3 or corners.shape[::2] != (x.shape[0], 4):
        raise ValueError(
            f"{op}: images must be (N, H, W, 1, 3 or 4) and boxes (N, B, 4), got {x.shape} and "
            f"{corners.shape}"
        )
    if table.ndim != 2 or table.shape[1] < depth or not len(table):
        raise ValueError(f"{op}: colors must be (K, {depth}) or wider, got {table.shape}")
    if colors is None and depth == 1:
        table = table[:, 3:]  # white
    drawn = np.zeros(x.shape[:3], np.int32)  # which colour, counted from 1
    for picture_drawn, its_boxes in zip(drawn, corners, strict=True):
        _outline(picture_drawn, its_boxes, len(table))
    ink = np.concatenate([table[:1], table])[drawn][..., :depth]  # (N, H, W, C)
    return math.where(drawn[..., None] > 0, to_device_of(ink.astype(x.dtype), x), x)


def _outline(drawn: np.ndarray, boxes: np.ndarray, colors: int) -> None:
    """Writes each box's colour onto its border."""
    ends = np.array([*drawn.shape, *drawn.shape], np.float32) - 1
    last = ends.astype(int)
    for number, box in enumerate(np.trunc(boxes * ends).astype(np.int64)):
        top, left, bottom, right = box.tolist()
        if (
            top > bottom
            or left > right
            or top > last[0]
            or left > last[1]
            or min(bottom, right) < 0
        ):
            continue
        rows = slice(max(top, 0), min(bottom, last[0]) + 1)
        columns = slice(max(left, 0), min(right, last[1]) + 1)
        color = number % colors + 1
        for row in {top, bottom} & set(range(last[0] + 1)):
            drawn[row, columns] = color
        for column in {left, right} & set(range(last[1] + 1)):
            drawn[rows, column] = color
