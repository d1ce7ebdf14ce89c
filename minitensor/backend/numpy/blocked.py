"""Convolution as a matrix product of patches and kernel, one block of outputs at a time.

    columns (P, kh*kw*C) @ kernel (kh*kw*C, O) = y (P, O)        P output positions of a block

The whole column matrix would be kh * kw times the image, so it never exists: the columns of one
block are copied into memory that stays in cache, multiplied, and overwritten by the next block.
Threads share the blocks. Groups are a leading axis of all three matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from minitensor.backend.numpy.blocks import (
    SHARES,
    Block,
    backwards,
    make_blocks,
    num_threads_for,
    over_blocks,
    partition,
)
from minitensor.backend.numpy.columns import gather, scatter
from minitensor.backend.numpy.threads import parallel_products
from minitensor.backend.settings import workspace_limit
from minitensor.window import Window

OWN_SUM = 2**20  # bytes of kernel gradient that each thread may sum by itself
FEWEST_OUTPUTS = 32  # output channels that still make a good matrix product


def conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """y = (columns of x) kernel."""
    n, c = len(x), x.shape[-1]
    if _is_product(n, kernel.shape, window):
        product: np.ndarray = x.reshape(-1, c) @ kernel[0, 0]
        return product.reshape(n, *window.out, -1)
    y = np.empty((n, *window.out, kernel.shape[-1]), x.dtype)
    matrix = _as_matrix(kernel, window.groups)

    def work(blocks: Sequence[Block]) -> None:
        memory = _memory(x, blocks)
        for block in blocks:
            np.matmul(gather(x[block.images], block.window, memory), matrix, out=_outputs(y, block))

    over_blocks(work, n, c, x.itemsize, window, n * prod(window.out) * kernel.size)
    return y


def _is_product(images: int, kernel: tuple[int, ...], window: Window) -> bool:
    """Whether pixels are their own columns, and too few to be shared: one product does it."""
    alone = window.kernel == window.stride == (1, 1) and window.size == window.out
    multiply_adds = images * prod(window.out) * prod(kernel)
    return alone and window.groups == 1 and num_threads_for(multiply_adds) == 1


def conv2d_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """x = the sum of the columns y kernel^T."""
    if _flipping_pays(len(y), kernel, window):
        return conv2d(y, _flipped(kernel, window.groups), backwards(window))
    n, c = len(y), kernel.shape[2] * window.groups
    x = np.zeros((n, *window.size, c), y.dtype)
    matrix = _as_matrix(kernel, window.groups).swapaxes(1, 2)  # (G, O/G, kh*kw*C/G)

    def work(blocks: Sequence[Block]) -> None:
        for block in blocks:
            scatter(_outputs(y, block) @ matrix, x[block.images], block.window)

    multiply_adds = n * prod(window.out) * kernel.size
    over_blocks(work, n, c, y.itemsize, window, multiply_adds, whole_images=True)
    return x


def conv2d_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    """kernel = (columns of x)^T y, summed over the blocks in a fixed order."""
    (n, _, _, c), o, g = x.shape, y.shape[-1], window.groups
    num_threads = num_threads_for(n * prod(window.out) * window.taps * c * o // g)
    blocks = make_blocks(n, c, x.itemsize, window, num_threads)
    shares, outputs = _divide(blocks, window.taps * c * x.itemsize, o // g, num_threads)
    sums = np.empty((len(shares), window.taps * c // g, g, o // g), x.dtype)

    def work(part: tuple[int, slice]) -> None:
        number, outs = part
        total = sums[number].swapaxes(0, 1)[..., outs]  # (G, kh*kw*C/G, outs)
        memory = _memory(x, shares[number])
        for block in shares[number]:
            columns = gather(x[block.images], block.window, memory).swapaxes(1, 2)
            values = _outputs(y, block)[..., outs]
            if block is shares[number][0]:
                np.matmul(columns, values, out=total)
            else:
                total += columns @ values

    parts = [(number, outs) for number in range(len(shares)) for outs in outputs]
    parallel_products(work, parts, num_threads)
    kernel: np.ndarray = sums[0] if len(shares) == 1 else sums.sum(0)
    return kernel.reshape(*window.kernel, c // g, o)


def _divide(
    blocks: Sequence[Block], row: int, outputs: int, num_threads: int
) -> tuple[list[Sequence[Block]], list[slice]]:
    """How threads share a kernel gradient of `outputs` columns, `row` bytes each.

    Each sums its own blocks for all outputs; or, where so many sums would not fit the cache and
    the workspace, each sums all blocks for some outputs.
    """
    room = workspace_limit() // (8 * num_threads)
    shares = min(SHARES * num_threads, num_threads * min(OWN_SUM, room) // (row * outputs))
    if shares >= num_threads:
        return partition(blocks, shares), [slice(0, outputs)]
    step = max(min(max(-(-outputs // num_threads), FEWEST_OUTPUTS), 2 * room // row), 1)
    return [blocks], [slice(first, first + step) for first in range(0, outputs, step)]


def _memory(x: np.ndarray, blocks: Sequence[Block]) -> np.ndarray:
    """Flat scratch for the columns of the largest of `blocks`."""
    positions = max(len(x[block.images]) * prod(block.window.out) for block in blocks)
    return np.empty(positions * blocks[0].window.taps * x.shape[-1], x.dtype)


def _outputs(y: np.ndarray, block: Block) -> np.ndarray:
    """The block's part of y as (G, P, O/G), a view where y is contiguous."""
    g = block.window.groups
    return y[block.images, block.rows].reshape(-1, g, y.shape[-1] // g).swapaxes(0, 1)


def _as_matrix(kernel: np.ndarray, groups: int) -> np.ndarray:
    """(kh, kw, C/G, O) as (G, kh*kw*C/G, O/G)."""
    kh, kw, c, o = kernel.shape
    return kernel.reshape(kh * kw * c, groups, o // groups).swapaxes(0, 1)


def _flipping_pays(images: int, kernel: np.ndarray, window: Window) -> bool:
    """Whether to copy y kh * kw times and the kernel once, rather than add kh * kw columns."""
    c, o = kernel.shape[2:]
    many = images * prod(window.out) >= 4 * o and kernel.nbytes <= workspace_limit() // 4
    return window.stride == (1, 1) and c >= 16 and many


def _flipped(kernel: np.ndarray, groups: int) -> np.ndarray:
    """The kernel that conv2d needs to go backwards: turned by 180 degrees, (kh, kw, O/G, C)."""
    kh, kw, c, o = kernel.shape
    turned = kernel[::-1, ::-1].reshape(kh, kw, c, groups, o // groups)
    return turned.transpose(0, 1, 4, 3, 2).reshape(kh, kw, o // groups, groups * c)
