"""Chance for training images. Draws come from the generator that `minitensor.random` shares.

With a `seed` of its own a call does the same every time; without, `set_seed` makes the whole
program repeatable. The numbers drawn are not TensorFlow's; what is done with them is.

For all of them:
    Args: `image`: what the function without "random_" takes: (H, W, C) or (N, H, W, C) to flip.
        `lower`, `upper`: limits of the draw, 0 <= lower < upper. `seed`: of this call alone.
        `name`: ignored.
    Returns: the shape and dtype of `image`.
    Raises: ValueError where a limit is out of range, or `image` has another shape.
    Source: tf.image, under the same name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.backend.generator import generator
from minitensor.image.codec import adjust_jpeg_quality
from minitensor.image.color import adjust_brightness, adjust_contrast
from minitensor.image.hue import adjust_hue, adjust_saturation
from minitensor.image.inputs import example, picture, scalar
from minitensor.nn import checks
from minitensor.ops import array, math


@example(
    "random_crop(tf.zeros([28, 28, 3]), [24, 24, 3], seed=1).shape", "TensorShape([24, 24, 3])"
)
def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """Cuts a box of a given size at an offset drawn evenly; one offset for the whole tensor.

    y[i, j, ...] = value[i + o_0, j + o_1, ...], each o_k uniform in 0 ... value.shape[k] - size[k]

    Args:
        value: a tensor of any shape.
        size: one length per axis, batch and channels too.

    Returns:
        The shape `size`.

    Raises:
        TypeError: `size` holds something else than integers.
        ValueError: `size` has another number of axes, or is larger than `value` along one.
    """
    rng = _draws("random_crop", seed)
    return cropped("random_crop", value, size, lambda places: rng.integers(0, places))


def random_flip_left_right(image: Any, seed: int | None = None) -> Tensor:
    """Mirrors each image of the batch with probability 1/2: the first column becomes the last.

    Example:
        >>> import minitensor as tf
        >>> x = tf.constant([[[1], [2]]])
        >>> tf.image.random_flip_left_right(x, seed=0).numpy().ravel().tolist() in ([1, 2], [2, 1])
        True
    """
    return flipped("random_flip_left_right", image, -2, _coins("random_flip_left_right", seed))


def random_flip_up_down(image: Any, seed: int | None = None) -> Tensor:
    """Turns each image of the batch upside down with probability 1/2.

    Example:
        >>> import minitensor as tf
        >>> x = tf.constant([[[1]], [[2]]])
        >>> tf.image.random_flip_up_down(x, seed=0).numpy().ravel().tolist() in ([1, 2], [2, 1])
        True
    """
    return flipped("random_flip_up_down", image, -3, _coins("random_flip_up_down", seed))


def random_brightness(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """Adds one number, drawn evenly from [-max_delta, max_delta), to images.

    Args:
        max_delta: at least 0, in the scale from 0 to 1.

    Example:
        >>> import minitensor as tf
        >>> bool(abs(tf.image.random_brightness(tf.zeros([1]), 0.2, seed=3).numpy()[0]) <= 0.2)
        True
    """
    draw = _draws("random_brightness", seed).uniform
    return adjust_brightness(image, around_zero("random_brightness", max_delta, np.inf, draw))


@example("random_contrast(tf.ones([2, 2, 3]), 0.5, 1.5).numpy().max()", "np.float32(1.0)")
def random_contrast(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """Scales contrast by one number, drawn evenly from [lower, upper)."""
    draw = _draws("random_contrast", seed).uniform
    return adjust_contrast(image, between("random_contrast", lower, upper, draw))


@example("random_hue(tf.ones([2, 2, 3]), 0.5).shape", "TensorShape([2, 2, 3])")
def random_hue(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """Turns colours on the wheel by one angle, drawn evenly from [-max_delta, max_delta).

    Args:
        max_delta: turns, from 0 to 0.5.
    """
    draw = _draws("random_hue", seed).uniform
    return adjust_hue(image, around_zero("random_hue", max_delta, 0.5, draw))


@example("random_saturation(tf.ones([2, 2, 3]), 0.5, 1.5).numpy().max()", "np.float32(1.0)")
def random_saturation(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """Scales saturation by one number, drawn evenly from [lower, upper)."""
    draw = _draws("random_saturation", seed).uniform
    return adjust_saturation(image, between("random_saturation", lower, upper, draw))


@example("random_jpeg_quality(tf.ones([8, 8, 3]), 75, 95).shape", "TensorShape([8, 8, 3])")
def random_jpeg_quality(
    image: Any, min_jpeg_quality: Any, max_jpeg_quality: Any, seed: int | None = None
) -> Tensor:
    """Packs an image as a JPEG file of a quality drawn evenly, and unpacks it.

    Args:
        image: (H, W, C), one channel or three.
        min_jpeg_quality, max_jpeg_quality: from 0 to 100; the lower is drawn too, the upper not.
    """
    op = "random_jpeg_quality"
    limits = qualities(op, min_jpeg_quality, max_jpeg_quality)
    return adjust_jpeg_quality(image, int(_draws(op, seed).integers(*limits)))


# ----- what the stateless ones share; they draw otherwise -----


def between(op: str, lower: Any, upper: Any, draw: Callable[[float, float], float]) -> float:
    """A number drawn between two, which are not negative."""
    least, most = (scalar(op, w, v) for w, v in (("lower", lower), ("upper", upper)))
    if not 0 <= least < most:
        raise ValueError(f"{op}: lower {lower} and upper {upper} must satisfy 0 <= lower < upper")
    return draw(least, most)


def around_zero(op: str, max_delta: Any, limit: float, draw: Callable[..., float]) -> float:
    """A number drawn between -max_delta and max_delta, which is at most `limit`."""
    most = scalar(op, "max_delta", max_delta)
    if not 0 <= most <= limit:
        upper = "" if limit == np.inf else f" and at most {limit}"
        raise ValueError(f"{op}: max_delta must be at least 0{upper}, got {max_delta}")
    return draw(-most, most)


def qualities(op: str, least: Any, most: Any) -> tuple[int, int]:
    """Both limits of a JPEG file's quality."""
    low, high = (checks.number(op, "jpeg_quality", limit, 0) for limit in (least, most))
    if not low < high <= 100:
        raise ValueError(f"{op}: qualities must satisfy 0 <= min < max <= 100, got {low}, {high}")
    return low, high


def cropped(op: str, value: Any, size: Any, draw: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """A box of this size at the offsets that are drawn, each below a number of places."""
    x = as_tensor(value, what=f"{op}: value")
    box = checks.numbers(op, "size", size)
    if len(box) != x.ndim or any(n > room for n, room in zip(box, x.shape, strict=True)):
        raise ValueError(
            f"{op}: size {box} does not fit into value of shape {x.shape}; "
            "give one length per axis, none larger than the axis"
        )
    starts = draw(np.subtract(x.shape, box) + 1).tolist()
    return array.getitem(x, index=tuple(slice(a, a + n) for a, n in zip(starts, box, strict=True)))


def flipped(op: str, image: Any, axis: int, coins: Callable[[list[int]], np.ndarray]) -> Tensor:
    """Each image, or its mirror image along `axis`, by a coin of its own."""
    x = picture(op, "image", image)
    turn = coins(x.shape[:-3])[..., None, None, None]
    return math.where(turn, array.flip(x, axes=(axis,)), x)


def _coins(op: str, seed: int | None) -> Callable[[Any], np.ndarray]:
    rng = _draws(op, seed)
    return lambda sizes: np.asarray(rng.random(sizes)) < 0.5


def _draws(op: str, seed: int | None) -> np.random.Generator:
    return generator(None if seed is None else checks.number(op, "seed", seed, 0))
