"""tf.nn's rearrangements: blocks of pixels into channels or into the batch, and back.

For all of them:
    Args: `input`: any dtype. `block_size`: b, 2 or more. `data_format`: "NHWC" or "NCHW".
        `block_shape`: sizes of a block, for as many axes after the first. `name`: ignored.
    Raises: TypeError for what is no integer; ValueError for an input without 4 axes or lists of
        wrong lengths, and for a block that does not divide what it must.
    Source: the function of tf.nn with the same name, or of tf.
"""

from __future__ import annotations

import math as numbers
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.tensor import ArrayLike
from minitensor.nn import arguments as args
from minitensor.nn import checks
from minitensor.ops import space as ops

__all__ = ["batch_to_space", "depth_to_space", "space_to_batch", "space_to_depth"]


def space_to_depth(
    input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """Moves each block of b by b pixels into the channels of one pixel.

    y[n, i, j, (u*b + v)*C + c] = input[n, i*b + u, j*b + v, c], b block_size

    Args:
        input: (N, H, W, C), any dtype; b divides H and W.

    Returns:
        (N, H/b, W/b, b*b*C)

    Example:
        >>> import minitensor as tf
        >>> x = tf.reshape(tf.range(1.0, 5.0), [1, 2, 2, 1])
        >>> tf.nn.space_to_depth(x, 2).numpy().ravel()
        array([1., 2., 3., 4.], dtype=float32)
    """
    x, block, last = _image("space_to_depth", input, block_size, data_format)
    if x.shape[1] % block or x.shape[2] % block:
        raise ValueError(
            f"space_to_depth: block_size {block} must divide height and width {x.shape[1:3]}"
        )
    return args.moved_back(ops.space_to_depth(x, block=block), last)


def depth_to_space(
    input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """Spreads the channels of each pixel over a block of b by b pixels: undoes space_to_depth.

    y[n, i*b + u, j*b + v, c] = input[n, i, j, (u*b + v)*C + c], b block_size

    Args:
        input: (N, h, w, b*b*C), any dtype.

    Returns:
        (N, h*b, w*b, C)

    Example:
        >>> import minitensor as tf
        >>> tf.nn.depth_to_space(tf.constant([[[[1.0, 2.0, 3.0, 4.0]]]]), 2)[0, :, :, 0].numpy()
        array([[1., 2.],
               [3., 4.]], dtype=float32)
    """
    x, block, last = _image("depth_to_space", input, block_size, data_format)
    if x.shape[3] % (block * block):
        raise ValueError(
            f"depth_to_space: block_size {block} squared must divide the {x.shape[3]} channels"
        )
    return args.moved_back(ops.depth_to_space(x, block=block), last)


def _image(op: str, input: Any, block_size: Any, data_format: Any) -> tuple[Tensor, int, bool]:
    last = args.channels_last(op, data_format, 2)
    block = args.integer(op, "block_size", block_size, least=2)
    x = as_tensor(input, what=f"{op}: input")
    args.rank_of(op, "input", x, 4, "(N, H, W, C)" if last else "(N, C, H, W)")
    return args.moved_last(x, last), block, last


def space_to_batch(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:
    """Pads, then makes one image of every position in a block: (u, v), (u, v + b), ... together.

    y[(u*bw + v)*N + n, i, j, c] = padded[n, i*bh + u, j*bw + v, c], with (bh, bw) block_shape

    Args:
        input: (N, one axis per entry of `block_shape`, ...), any dtype.
        paddings: one [before, after] per entry of `block_shape`; zeros are added.

    Returns:
        (prod(block_shape)*N, padded sizes / block_shape, ...)

    Example:
        >>> import minitensor as tf
        >>> x = tf.reshape(tf.range(1.0, 5.0), [1, 2, 2, 1])
        >>> tf.nn.space_to_batch(x, [2, 2], [[0, 0], [0, 0]]).numpy().ravel()
        array([1., 2., 3., 4.], dtype=float32)
    """
    op = "space_to_batch"
    x, block, pads = _blocks(op, input, block_shape, "paddings", paddings)
    sizes = tuple(n + sum(pair) for n, pair in zip(x.shape[1:], pads, strict=False))
    if any(n % b for n, b in zip(sizes, block, strict=True)):
        raise ValueError(f"{op}: block_shape {block} must divide the padded sizes {sizes}")
    return ops.space_to_batch(x, block=block, pads=pads)


def batch_to_space(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    """Weaves images of the batch together and crops: undoes space_to_batch.

    Args:
        input: (prod(block_shape)*N, one axis per entry of `block_shape`, ...), any dtype.
        crops: one [before, after] per entry of `block_shape`: what to cut off.

    Returns:
        (N, sizes * block_shape - crops, ...)

    Example:
        >>> import minitensor as tf
        >>> x = tf.reshape(tf.range(1.0, 5.0), [4, 1, 1, 1])
        >>> tf.nn.batch_to_space(x, [2, 2], [[0, 0], [0, 1]]).numpy().ravel()
        array([1., 3.], dtype=float32)
    """
    op = "batch_to_space"
    x, block, cuts = _blocks(op, input, block_shape, "crops", crops)
    if x.shape[0] % numbers.prod(block):
        raise ValueError(
            f"{op}: block_shape {block} has {numbers.prod(block)} positions, which must divide the "
            f"batch of {x.shape[0]}"
        )
    sizes = tuple(n * b for n, b in zip(x.shape[1:], block, strict=False))
    if any(sum(cut) > n for cut, n in zip(cuts, sizes, strict=True)):
        raise ValueError(f"{op}: crops {cuts} are more than the woven sizes {sizes}")
    return ops.batch_to_space(x, block=block, crops=cuts)


Pairs = tuple[tuple[int, int], ...]


def _blocks(
    op: str, input: Any, block_shape: Any, name: str, pairs: Any
) -> tuple[Tensor, tuple[int, ...], Pairs]:
    """The tensor, the sizes of a block, and one pair of integers for each of them."""
    x = as_tensor(input, what=f"{op}: input")
    block = checks.numbers(op, "block_shape", block_shape, 1)
    rows = [checks.numbers(op, name, pair) for pair in _listed(pairs)]
    if not 0 < len(block) < x.ndim or len(rows) != len(block) or {len(r) for r in rows} != {2}:
        raise ValueError(
            f"{op}: input {x.shape}, block_shape {block} and {name} {rows} do not fit; block_shape "
            f"has an entry, and {name} a pair, for each of the axes after the first"
        )
    return x, block, tuple((before, after) for before, after in rows)


def _listed(values: Any) -> list[Any]:
    """A list of the items of a list, an array or a tensor."""
    if isinstance(values, ArrayLike | np.ndarray):
        return list(np.asarray(values))
    return list(values) if isinstance(values, list | tuple) else [values]
