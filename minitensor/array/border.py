"""Tensors that grow or turn around: padding, tiles, reversed axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.nn import checks as args
from minitensor.ops import array

__all__ = ["pad", "reverse", "tile"]


def pad(
    tensor: Any,
    paddings: Any,
    mode: str = "CONSTANT",
    constant_values: Any = 0,
    name: str | None = None,
) -> Tensor:
    """Elements added before and after each axis.

    Args:
        tensor: any tensor.
        paddings: (rank, 2), how many before and after each axis.
        mode: "CONSTANT"; "REFLECT" mirrors without repeating the edge, "SYMMETRIC" repeats it. Any
            case of letters.
        constant_values: the scalar that "CONSTANT" adds.
        name: ignored.

    Returns:
        A tensor larger by the sum of each pair.

    Raises:
        ValueError: unknown `mode`, another number of pairs than axes, a negative padding, or a
            mirror image longer than the axis.
        TypeError: paddings are no integers, or `constant_values` does not have the tensor's type.

    Example:
        >>> import minitensor as tf
        >>> tf.pad([1, 2, 3], [[1, 2]], "REFLECT").numpy()
        array([2, 1, 2, 3, 2, 1], dtype=int32)

    Source: tf.pad
    """
    x = as_tensor(tensor, what="pad: tensor")
    word = mode.lower() if isinstance(mode, str) else mode
    if word not in ("constant", "reflect", "symmetric"):
        raise ValueError(f'pad: mode must be "CONSTANT", "REFLECT" or "SYMMETRIC", got {mode!r}')
    pads = _pairs(paddings, x)
    for axis, (around, n) in enumerate(zip(pads, x.shape, strict=True)):
        if word != "constant" and max(around) > n - (word == "reflect"):
            raise ValueError(
                f"pad: {mode} has no {max(around)} elements to mirror along axis {axis} of size {n}"
            )
    value = as_tensor(constant_values, x.dtype, "pad: constant_values").numpy()
    return array.pad(x, pads=pads, mode=word, value=value)


def _pairs(paddings: Any, x: Tensor) -> tuple[tuple[int, int], ...]:
    """paddings as one pair of integers per axis of x."""
    rows = list(np.asarray(paddings)) if np.ndim(paddings) else [paddings]
    pairs = [args.numbers("pad", "paddings", row) for row in rows]
    if len(pairs) != x.ndim or any(len(pair) != 2 for pair in pairs):
        raise ValueError(
            f"pad: paddings must be one [before, after] for each of {x.ndim} axes, got {paddings!r}"
        )
    return tuple((before, after) for before, after in pairs)


def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """The whole tensor repeated along each axis.

    Args:
        input: any tensor.
        multiples: how often, one integer per axis.
        name: ignored.

    Returns:
        A tensor of sizes input.shape[k] * multiples[k].

    Raises:
        ValueError: another number of multiples than axes, or a negative one.

    Example:
        >>> import minitensor as tf
        >>> tf.tile([1, 2], [2]).numpy()
        array([1, 2, 1, 2], dtype=int32)

    Source: tf.tile
    """
    x = as_tensor(input, what="tile: input")
    times = args.numbers("tile", "multiples", multiples)
    if len(times) != x.ndim:
        raise ValueError(f"tile: multiples {times} must be one integer for each of {x.ndim} axes")
    return array.tile(x, multiples=times)


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """The opposite order along some axes.

    Args:
        tensor: any tensor.
        axis: a list of axes.
        name: ignored.

    Returns:
        The shape of `tensor`.

    Raises:
        ValueError: an axis does not exist or is named twice.

    Example:
        >>> import minitensor as tf
        >>> tf.reverse([1, 2, 3], [0]).numpy()
        array([3, 2, 1], dtype=int32)

    Source: tf.reverse
    """
    x = as_tensor(tensor, what="reverse: tensor")
    return array.flip(x, axes=args.axes("reverse", () if axis is None else axis, x.ndim))
