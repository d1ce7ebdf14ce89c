"""A box cut at random out of an image, such that it still shows an object.

For both:
    Args: `image_size`: [H, W, C] integers. `bounding_boxes`: (N, B, 4) or of no boxes: y1, x1, y2,
        x2 of the objects, from 0 to 1. `min_object_covered`: the part of one of them, at least,
        that the box shows. `aspect_ratio_range`: of width / height, (0.75, 1.33) if not given.
        `area_range`: of the image's area, (0.05, 1) if not given. `max_attempts`: 100 if not
        given; then the box is the whole image. `use_image_if_no_bounding_boxes`: without boxes the
        object is the image. `name`: ignored.
    Returns: begin and size as `tf.slice` takes them, each (3,), the size [h, w, -1]; bboxes
        (1, 1, 4) float32 as `draw_bounding_boxes` takes them.
    Raises: TypeError for what is no number, ValueError for what is out of range or has another
        shape.
    Source: tf.image, under the same name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from minitensor.autograd import Tensor, as_tensor, to_device_of
from minitensor.backend import philox
from minitensor.backend.generator import generator
from minitensor.image.inputs import NUMBERS, scalar
from minitensor.nn import checks
from minitensor.random.stateless import stream

_WORDS = 1 << 32


class DistortedBox(NamedTuple):
    """Where a box begins, how large it is, and the same as a bounding box."""

    begin: Tensor
    size: Tensor
    bboxes: Tensor


class _Wanted(NamedTuple):
    """What a box must be: in pixels, and in parts of them."""

    height: int
    width: int
    objects: np.ndarray  # (B, 4) pixels
    covered: float
    aspects: tuple[float, float]
    areas: tuple[float, float]
    attempts: int


def sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: Any = 0,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: Any = None,
    use_image_if_no_bounding_boxes: Any = None,
    name: str | None = None,
) -> DistortedBox:
    """A random box from the one generator that `random.set_seed` starts anew.

    Args:
        seed: of this call alone, if not 0.

    Example:
        >>> import minitensor as tf
        >>> box = [[[0.2, 0.2, 0.8, 0.8]]]
        >>> begin, size, _ = tf.image.sample_distorted_bounding_box([32, 32, 3], box, seed=1)
        >>> tf.slice(tf.zeros([32, 32, 3]), begin, size).shape[-1]
        3
    """
    op = "sample_distorted_bounding_box"
    wanted = _wanted(
        op, image_size, bounding_boxes, min_object_covered, aspect_ratio_range, area_range,
        max_attempts, use_image_if_no_bounding_boxes,
    )  # fmt: skip
    number = checks.number(op, "seed", seed, 0)
    rng = generator(number or None)
    place = philox.seeded(*rng.integers(0, 2**63, 2).tolist())
    return _box(wanted, _words(place), as_tensor(image_size).dtype)


def stateless_sample_distorted_bounding_box(
    image_size: Any,
    bounding_boxes: Any,
    seed: Any,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: Any = None,
    use_image_if_no_bounding_boxes: Any = None,
    name: str | None = None,
) -> DistortedBox:
    """A random box as a function of a seed: TensorFlow's.

    Args:
        seed: (2,) int32 or int64.

    Example:
        >>> import minitensor as tf
        >>> sample = tf.image.stateless_sample_distorted_bounding_box
        >>> sample([100, 120, 3], [[[0.1, 0.1, 0.5, 0.6]]], [1, 2]).size.numpy()
        array([55, 68, -1], dtype=int32)
    """
    op = "stateless_sample_distorted_bounding_box"
    wanted = _wanted(
        op, image_size, bounding_boxes, min_object_covered, aspect_ratio_range, area_range,
        max_attempts, use_image_if_no_bounding_boxes,
    )  # fmt: skip
    return _box(wanted, _words(stream(op, seed)), as_tensor(image_size).dtype)


def _wanted(
    op: str,
    image_size: Any,
    boxes: Any,
    covered: Any,
    aspects: Any,
    areas: Any,
    attempts: Any,
    whole: Any,
) -> _Wanted:
    """The arguments, read."""
    size = checks.numbers(op, "image_size", image_size, 1)
    found = np.asarray(checks.tensor(op, "bounding_boxes", boxes, NUMBERS), np.float32)
    if len(size) != 3 or found.ndim != 3 or found.shape[-1] != 4:
        raise ValueError(
            f"{op}: image_size must be [H, W, C] and bounding_boxes (N, B, 4), got {size} and "
            f"{found.shape}"
        )
    if not ((found >= 0) & (found <= 1)).all():
        raise ValueError(f"{op}: bounding_boxes must be from 0 to 1")
    if not found.size and not whole:
        raise ValueError(f"{op}: no bounding_boxes; give use_image_if_no_bounding_boxes=True")
    least = scalar(op, "min_object_covered", covered)
    ratios = _range(op, "aspect_ratio_range", (0.75, 1.33) if aspects is None else aspects, np.inf)
    parts = _range(op, "area_range", (0.05, 1) if areas is None else areas, 1)
    if least < 0:
        raise ValueError(f"{op}: min_object_covered must not be negative, got {least}")
    count = checks.number(op, "max_attempts", 100 if attempts is None else attempts, 1)
    all_boxes = found.reshape(-1, 4) if found.size else np.array([[0, 0, 1, 1]], np.float32)
    pixels = (all_boxes * np.array([size[0], size[1]] * 2, np.float32)).astype(int)
    return _Wanted(size[0], size[1], pixels, least, ratios, parts, count)


def _range(op: str, name: str, value: Any, most: float) -> tuple[float, float]:
    pair = np.asarray(value, np.float32)
    if pair.shape != (2,) or not ((pair > 0) & (pair <= most)).all():
        upper = "" if most == np.inf else f" and at most {most}"
        raise ValueError(f"{op}: {name} must be two numbers above 0{upper}, got {value!r}")
    return pair[0], pair[1]


def _box(wanted: _Wanted, words: Iterator[int], kind: Any) -> DistortedBox:
    """The first box that shows enough, or the whole image."""
    low, high = wanted.aspects
    top, left, height, width = 0, 0, wanted.height, wanted.width
    for _ in range(wanted.attempts):
        drawn = np.float32((next(words) & 0x7FFFFF) / 2**23)
        found = _candidate(wanted, drawn * (high - low) + low, words)
        if found is not None and _shows(wanted, *found):
            top, left, height, width = found
            break
    ends = np.array([top, left, top + height, left + width], np.float32)
    scale = np.array([wanted.height, wanted.width] * 2, np.float32)
    return DistortedBox(
        to_device_of(np.array([top, left, 0], kind)),
        to_device_of(np.array([height, width, -1], kind)),
        to_device_of((ends / scale).reshape(1, 1, 4)),
    )


def _candidate(
    wanted: _Wanted, aspect: np.float32, words: Iterator[int]
) -> tuple[int, int, int, int] | None:
    """A box of this aspect inside the image: top, left, height, width; None if there is none."""
    smallest, largest = (part * wanted.width * wanted.height for part in wanted.areas)

    def width_of(height: int) -> int:
        return int(np.rint(np.float32(height) * aspect))

    height, most = (int(np.rint(np.sqrt(area / aspect))) for area in (smallest, largest))
    if width_of(most) > wanted.width:
        most = int((wanted.width + 0.5 - np.float32(1e-7)) / aspect)
        most -= width_of(most) > wanted.width
    most = min(most, wanted.height)
    height = min(height, most)
    if height < most:
        height += _below(most - height + 1, words)
    if height * width_of(height) < smallest:  # rounding took a row away, or added one
        height += 1
    if height * width_of(height) > largest:
        height -= 1
    width = width_of(height)
    if not smallest <= height * width <= largest or min(height, width) < 1:
        return None
    if height > wanted.height or width > wanted.width:
        return None
    top = _below(wanted.height - height, words) if height < wanted.height else 0
    left = _below(wanted.width - width, words) if width < wanted.width else 0
    return top, left, height, width


def _shows(wanted: _Wanted, top: int, left: int, height: int, width: int) -> bool:
    """Whether a large enough part of one object lies inside."""
    objects = wanted.objects
    sides = np.minimum(objects[:, 2:], [top + height, left + width]) - np.maximum(
        objects[:, :2], [top, left]
    )
    shared = np.where((sides >= 0).all(-1), sides.prod(-1), 0)
    areas = (objects[:, 2:] - objects[:, :2]).prod(-1)
    seen = areas >= 1
    return bool((shared[seen] / areas[seen] >= np.float32(wanted.covered)).any())


def _below(count: int, words: Iterator[int]) -> int:
    """An integer below `count`, each as likely: some words are left out."""
    if count & count - 1 == 0:
        return next(words) & count - 1
    rest = (_WORDS - 1) % count + 1
    while (word := next(words)) < rest:
        pass
    return word % count


def _words(place: philox.Stream) -> Iterator[int]:
    """The words of a stream one after the other."""
    block = 0
    while True:
        yield from philox.words(place, 256, block).tolist()
        block += 64
