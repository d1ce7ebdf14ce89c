"""Convolution by im2col on a device: columns of a block of positions, then the library's matmul.

    columns (G, P, kh*kw*C/G) @ kernel (G, kh*kw*C/G, O/G) = y (G, P, O/G)      P positions

What most frameworks did first, and the yardstick for implicit_gemm.cuh, which stores no columns.
Blocks are as large as the workspace limit lets them be, in whole images or in rows of one. The
twin is minitensor/backend/numpy/blocked.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minitensor.backend.host import columns
from minitensor.backend.host.device import Device
from minitensor.backend.numpy.blocks import Block, see_rows
from minitensor.backend.settings import workspace_limit
from minitensor.window import Window


def conv2d(device: Device, x: Any, kernel: Any, window: Window) -> Any:
    """y = (columns of x) kernel."""
    y = device.empty((len(x), *window.out, kernel.shape[-1]), x.dtype)
    matrix = _as_matrix(kernel, window.groups)
    for block, patches in _gathered(device, x, window):
        part = _positions(y, block)
        if part.flags.c_contiguous:  # CuPy writes nowhere else
            device.xp.matmul(patches, matrix, out=part)
        else:
            part[...] = device.xp.matmul(patches, matrix)
    return y


def conv2d_transpose(device: Device, y: Any, kernel: Any, window: Window) -> Any:
    """x = the sum of the columns y kernel^T."""
    channels = kernel.shape[2] * window.groups
    x = device.zeros((len(y), *window.size, channels), y.dtype)
    matrix = _as_matrix(kernel, window.groups).swapaxes(1, 2)  # (G, O/G, kh*kw*C/G)
    y = device.contiguous(y)
    for block in _blocks(len(y), channels, y.itemsize, window):
        patches = device.contiguous(device.xp.matmul(_positions(y, block), matrix))
        part = device.empty(x[block.images].shape, x.dtype)
        columns.scatter(device, patches, part, block.window)
        x[block.images] += part
    return x


def conv2d_kernel_grad(device: Device, x: Any, y: Any, window: Window) -> Any:
    """kernel = (columns of x)^T y, summed over the blocks in order."""
    c, o, g = x.shape[-1], y.shape[-1], window.groups
    total = device.zeros((g, window.taps * c // g, o // g), x.dtype)
    y = device.contiguous(y)
    for block, patches in _gathered(device, x, window):
        total += device.xp.matmul(patches.swapaxes(1, 2), _positions(y, block))
    return device.contiguous(total.swapaxes(0, 1)).reshape(*window.kernel, c // g, o)


def _gathered(device: Device, x: Any, window: Window) -> Iterator[tuple[Block, Any]]:
    """Each block and its columns (G, P, kh*kw*C/G), which the next block overwrites."""
    c, g = x.shape[-1], window.groups
    blocks = _blocks(len(x), c, x.itemsize, window)
    counts = [len(x[b.images]) * b.window.out[0] * window.out[1] for b in blocks]
    with device.workspace((max(counts) * window.taps * c,), x.dtype) as memory:
        for block, count in zip(blocks, counts, strict=True):
            patches = memory[: count * window.taps * c].reshape(g, count, window.taps * c // g)
            columns.gather(device, x[block.images], block.window, patches)
            yield block, patches


def _blocks(images: int, channels: int, itemsize: int, window: Window) -> list[Block]:
    """Blocks whose columns fit the workspace limit, though never less than one output row."""
    h, w = window.out
    rows = max(workspace_limit() // (w * window.taps * channels * itemsize), 1)
    if rows >= h:
        step = rows // h
        return [Block(slice(i, i + step), slice(0, h), window) for i in range(0, images, step)]
    return [
        Block(slice(i, i + 1), slice(r, r + rows), see_rows(window, r, min(r + rows, h)))
        for i in range(images)
        for r in range(0, h, rows)
    ]


def _positions(y: Any, block: Block) -> Any:
    """The block's part of y, a contiguous array, as a view (G, P, O/G)."""
    g = block.window.groups
    return y[block.images, block.rows].reshape(-1, g, y.shape[-1] // g).swapaxes(0, 1)


def _as_matrix(kernel: Any, groups: int) -> Any:
    """(kh, kw, C/G, O) as (G, kh*kw*C/G, O/G)."""
    kh, kw, c, o = kernel.shape
    return kernel.reshape(kh * kw * c, groups, o // groups).swapaxes(0, 1)
