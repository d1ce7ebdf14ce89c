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

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.backend.generator import generator
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
    x = as_tensor(value, what="random_crop: value")
    box = checks.numbers("random_crop", "size", size)
    if len(box) != x.ndim or any(n > room for n, room in zip(box, x.shape, strict=True)):
        raise ValueError(
            f"random_crop: size {box} does not fit into value of shape {x.shape}; "
            "give one length per axis, none larger than the axis"
        )
    room = np.subtract(x.shape, box)
    starts = _draws("random_crop", seed).integers(0, room + 1)
    index = tuple(slice(int(a), int(a) + n) for a, n in zip(starts, box, strict=True))
    return array.getitem(x, index=index)


def random_flip_left_right(image: Any, seed: int | None = None) -> Tensor:
    """Mirrors each image of the batch with probability 1/2: the first column becomes the last.

    Example:
        >>> import minitensor as tf
        >>> x = tf.constant([[[1], [2]]])
        >>> tf.image.random_flip_left_right(x, seed=0).numpy().ravel().tolist() in ([1, 2], [2, 1])
        True
    """
    return _flipped("random_flip_left_right", image, -2, seed)


def random_flip_up_down(image: Any, seed: int | None = None) -> Tensor:
    """Turns each image of the batch upside down with probability 1/2.

    Example:
        >>> import minitensor as tf
        >>> x = tf.constant([[[1]], [[2]]])
        >>> tf.image.random_flip_up_down(x, seed=0).numpy().ravel().tolist() in ([1, 2], [2, 1])
        True
    """
    return _flipped("random_flip_up_down", image, -3, seed)


def random_brightness(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """Adds one number, drawn evenly from [-max_delta, max_delta), to images.

    Args:
        max_delta: at least 0, in the scale from 0 to 1.

    Example:
        >>> import minitensor as tf
        >>> bool(abs(tf.image.random_brightness(tf.zeros([1]), 0.2, seed=3).numpy()[0]) <= 0.2)
        True
    """
    return adjust_brightness(image, _around_zero("random_brightness", max_delta, np.inf, seed))


@example("random_contrast(tf.ones([2, 2, 3]), 0.5, 1.5).numpy().max()", "np.float32(1.0)")
def random_contrast(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """Scales contrast by one number, drawn evenly from [lower, upper)."""
    return adjust_contrast(image, _between("random_contrast", lower, upper, seed))


@example("random_hue(tf.ones([2, 2, 3]), 0.5).shape", "TensorShape([2, 2, 3])")
def random_hue(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """Turns colours on the wheel by one angle, drawn evenly from [-max_delta, max_delta).

    Args:
        max_delta: turns, from 0 to 0.5.
    """
    return adjust_hue(image, _around_zero("random_hue", max_delta, 0.5, seed))


@example("random_saturation(tf.ones([2, 2, 3]), 0.5, 1.5).numpy().max()", "np.float32(1.0)")
def random_saturation(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """Scales saturation by one number, drawn evenly from [lower, upper)."""
    return adjust_saturation(image, _between("random_saturation", lower, upper, seed))


def _between(op: str, lower: float, upper: float, seed: int | None) -> float:
    least, most = (scalar(op, w, v) for w, v in (("lower", lower), ("upper", upper)))
    if not 0 <= least < most:
        raise ValueError(f"{op}: lower {lower} and upper {upper} must satisfy 0 <= lower < upper")
    return _draws(op, seed).uniform(least, most)


def _around_zero(op: str, max_delta: float, limit: float, seed: int | None) -> float:
    most = scalar(op, "max_delta", max_delta)
    if not 0 <= most <= limit:
        upper = "" if limit == np.inf else f" and at most {limit}"
        raise ValueError(f"{op}: max_delta must be at least 0{upper}, got {max_delta}")
    return _draws(op, seed).uniform(-most, most)


def _flipped(op: str, image: Any, axis: int, seed: int | None) -> Tensor:
    """Each image, or its mirror image along `axis`, by a coin of its own."""
    x = picture(op, "image", image)
    coins = _draws(op, seed).random((*x.shape[:-3], 1, 1, 1)) < 0.5
    return math.where(coins, array.flip(x, axes=(axis,)), x)


def _draws(op: str, seed: int | None) -> np.random.Generator:
    return generator(None if seed is None else checks.number(op, "seed", seed, 0))
