"""Depthwise convolution: every output channel has one input channel of its own.

    y[n, i, j, o] = sum over u, v of x[n, i*s + u*d - p, j*s + v*d - p, o // M] kernel[u, v, o]

A matrix product would be kh * kw numbers deep and share nothing, so one einsum multiplies and
adds straight from the overlapping patches, over long runs of channels. M outputs to a channel
are M = 1 on an image whose channels are repeated M times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minitensor.backend.numpy.blocks import SLOWNESS, Block, backwards, over_blocks
from minitensor.backend.numpy.columns import im2col, padded, patches, scatter
from minitensor.window import Window


def conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """y = sum over taps of patches * kernel."""
    o = kernel.shape[-1]
    y = np.empty((len(x), *window.out, o), x.dtype)

    def work(blocks: Sequence[Block]) -> None:
        for block in blocks:
            view = _patches(x, o, block)
            np.einsum("nhwuvo,uvo->nhwo", view, kernel[:, :, 0], out=y[block.images, block.rows])

    over_blocks(work, len(x), o, x.itemsize, window, _cost(len(x), o, window))
    return y


def conv2d_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """x = the sum of the columns y * kernel."""
    c, o = window.groups, kernel.shape[-1]
    # The frame of zeros around y meets taps that its pixels never do: no NaN may come of it.
    if window.stride == (1, 1) and c == o and np.isfinite(kernel).all():
        return conv2d(y, kernel[::-1, ::-1], backwards(window))
    x = np.zeros((len(y), *window.size, c), y.dtype)

    def work(blocks: Sequence[Block]) -> None:
        for block in blocks:
            for q in range(o // c):
                values = np.ascontiguousarray(y[block.images, block.rows, :, q :: o // c])
                columns = np.einsum("nhwc,uvc->nhwuvc", values, kernel[:, :, 0, q :: o // c])
                scatter(columns, x[block.images], replace(block.window, groups=1))

    cost = _cost(len(y), o, window)
    over_blocks(work, len(y), o, y.itemsize, window, cost, whole_images=True)
    return x


def conv2d_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    """kernel = sum over images and output positions of patches * y, block after block."""
    o = y.shape[-1]

    def work(blocks: Sequence[Block]) -> np.ndarray:
        total = np.zeros((*window.kernel, o), x.dtype)
        for block in blocks:
            values = y[block.images, block.rows]
            total += np.einsum("nhwuvo,nhwo->uvo", _patches(x, o, block), values)
        return total

    sums = over_blocks(work, len(x), o, x.itemsize, window, _cost(len(x), o, window))
    total: np.ndarray = np.sum(sums, axis=0)
    return total[:, :, None]  # (kh, kw, 1, O)


def _cost(images: int, outputs: int, window: Window) -> int:
    """In multiply-adds of a matrix product."""
    return SLOWNESS * images * window.out[0] * window.out[1] * window.taps * outputs


def _patches(x: np.ndarray, outputs: int, block: Block) -> np.ndarray:
    """The patches that a block sees, each channel as often as it has outputs."""
    window = replace(block.window, groups=1)
    image = x[block.images]
    if outputs > x.shape[-1]:
        image = np.repeat(image, outputs // x.shape[-1], axis=-1)  # (n, H, W, O)
    if window.is_sparse:
        return im2col(image, window).reshape(len(image), *window.out, *window.kernel, outputs)
    view: np.ndarray = patches(padded(image, window), window)[0]
    return view  # (n, h, w, kh, kw, O)
