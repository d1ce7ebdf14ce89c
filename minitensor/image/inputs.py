"""How images and numbers given by users are read, and the errors they can cause."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from minitensor.autograd import Tensor
from minitensor.autograd.tensor import ArrayLike
from minitensor.docstrings import examples_of
from minitensor.nn import checks
from minitensor.ops import array

example = examples_of("tf.image", "")  # a decorator, for all of this folder

NUMBERS = "fiu"  # kinds of elements that images may have: floats and integers


def picture(op: str, name: str, image: Any, ranks: Collection[int] = (3, 4)) -> Tensor:
    """`image` as a tensor (H, W, C) or (N, H, W, C) with at least one pixel and channel."""
    x = checks.tensor(op, name, image, NUMBERS)
    if x.ndim not in ranks:
        raise ValueError(
            f"{op}: {name} must have {' or '.join(str(rank) for rank in ranks)} axes, "
            f"(height, width, channels) last, got shape {x.shape}"
        )
    if 0 in x.shape[-3:]:
        raise ValueError(
            f"{op}: height, width and channels of {name} must be at least 1, got shape {x.shape}"
        )
    return x


def colored(op: str, name: str, image: Tensor, rank: int = 1) -> None:
    """Checks that the last axis is red, green, blue (or hue, saturation, value)."""
    if image.ndim < rank or image.shape[-1] != 3:
        raise ValueError(
            f"{op}: {name} must have 3 channels in its last axis and at least {rank} axes, "
            f"got shape {image.shape}"
        )


def pixels(op: str, least: int = 0, **values: Any) -> list[int]:
    """The named lengths in pixels as ints of at least `least`."""
    return [checks.number(op, name, value, least) for name, value in values.items()]


def scalar(op: str, name: str, value: Any) -> float:
    """One number; NaN is refused."""
    if isinstance(value, ArrayLike):
        value = value.numpy()
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{op}: {name} must be a number, got {value!r}") from None
    if number != number:
        raise ValueError(f"{op}: {name} must be a number, got nan")
    return number


def batched(x: Tensor) -> Tensor:
    """(N, H, W, C): an image alone becomes a batch of one."""
    return x if x.ndim == 4 else array.reshape(x, shape=(1, *x.shape))


def unbatched(y: Tensor, like: Tensor) -> Tensor:
    """The batch axis goes again if `like` had none."""
    return y if like.ndim == 4 else array.reshape(y, shape=y.shape[1:])
