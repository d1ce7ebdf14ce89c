"""Blocks of pixels moved into the channels or into the batch, and back: reshape and transpose.

Nothing is computed, so every dtype passes and the derivatives are those of reshape, transpose,
pad and slice.
"""

from __future__ import annotations

import math as numbers
from collections.abc import Sequence

from minitensor.autograd import Tensor
from minitensor.ops import array


def space_to_depth(x: Tensor, *, block: int) -> Tensor:
    """(N, H, W, C) -> (N, H/b, W/b, b*b*C), a pixel's position in its block before its channel."""
    n, h, w, c = x.shape
    x = array.reshape(x, shape=(n, h // block, block, w // block, block, c))
    x = array.transpose(x, axes=(0, 1, 3, 2, 4, 5))  # (N, H/b, W/b, b, b, C)
    return array.reshape(x, shape=(n, h // block, w // block, block * block * c))


def depth_to_space(x: Tensor, *, block: int) -> Tensor:
    """(N, h, w, b*b*C) -> (N, h*b, w*b, C): the inverse of space_to_depth."""
    n, h, w, c = x.shape
    c //= block * block
    x = array.reshape(x, shape=(n, h, w, block, block, c))
    x = array.transpose(x, axes=(0, 1, 3, 2, 4, 5))  # (N, h, b, w, b, C)
    return array.reshape(x, shape=(n, h * block, w * block, c))


def space_to_batch(x: Tensor, *, block: Sequence[int], pads: Sequence[tuple[int, int]]) -> Tensor:
    """(N, *sizes, ...) -> (prod(b)*N, *padded sizes / b, ...): a batch per position in a block."""
    m = len(block)
    x = array.pad(x, pads=((0, 0), *pads, *[(0, 0)] * (x.ndim - m - 1)))
    n, sizes, rest = x.shape[0], x.shape[1 : m + 1], x.shape[m + 1 :]
    blocks = [size // b for size, b in zip(sizes, block, strict=True)]
    split = [number for pair in zip(blocks, block, strict=True) for number in pair]
    x = array.reshape(x, shape=(n, *split, *rest))
    inside, outside = range(2, 2 * m + 1, 2), range(1, 2 * m, 2)
    x = array.transpose(x, axes=(*inside, 0, *outside, *range(2 * m + 1, x.ndim)))
    return array.reshape(x, shape=(numbers.prod(block) * n, *blocks, *rest))


def batch_to_space(x: Tensor, *, block: Sequence[int], crops: Sequence[tuple[int, int]]) -> Tensor:
    """(prod(b)*N, *sizes, ...) -> (N, *(sizes * b - crops), ...): the inverse of space_to_batch."""
    m = len(block)
    n, sizes, rest = x.shape[0] // numbers.prod(block), x.shape[1 : m + 1], x.shape[m + 1 :]
    x = array.reshape(x, shape=(*block, n, *sizes, *rest))
    woven = [axis for i in range(m) for axis in (m + 1 + i, i)]
    x = array.transpose(x, axes=(m, *woven, *range(2 * m + 1, x.ndim)))
    whole = [size * b for size, b in zip(sizes, block, strict=True)]
    x = array.reshape(x, shape=(n, *whole, *rest))
    kept = [slice(first, size - last) for size, (first, last) in zip(whole, crops, strict=True)]
    return array.getitem(x, index=(slice(None), *kept))
