"""Depthwise convolution on a device: the twin of minitensor/backend/numpy/depthwise.py.

Square kernels of 3, 5 and 7 taps with stride 1 or 2 over packs of four channels have kernels of
their own, which keep strips of pixels in registers; everything else takes the `_any` ones.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from minitensor.backend.half import bfloat16_in_float32
from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device
from minitensor.backend.host.grid import (
    THREADS,
    ceil_div,
    grid_size,
    pack_of,
    power_of_two,
    rows_by_items,
)
from minitensor.window import Window

PACK = 4  # channels to a thread in the special kernels
WARP = 32
BLOCKS = 1024  # of a filter gradient: enough to fill any GPU
FOLD = 32  # copies of a filter gradient that one thread adds up

Plan: TypeAlias = tuple[str, tuple[int, int, int], int, tuple[int, ...]]
"""The kernel, its block, the blocks that cover the channels, the sizes it takes before `rows`."""


@bfloat16_in_float32
def conv2d(device: Device, x: Any, kernel: Any, window: Window) -> Any:
    """y[n,i,j,o] = sum over taps of x[..., o // M] * kernel[u,v,0,o]."""
    y = device.empty((len(x), *window.out, kernel.shape[-1]), x.dtype)
    if y.size:
        _launch(device, "depthwise", x, kernel, y, window)
    return y


@bfloat16_in_float32
def conv2d_transpose(device: Device, y: Any, kernel: Any, window: Window) -> Any:
    """The adjoint of `conv2d` in x."""
    x = device.empty((len(y), *window.size, window.groups), y.dtype)
    if x.size == 0 or y.size == 0:
        x.fill(0)
        return x
    before = window.pad[1][0] % window.stride[1]  # so that strips start where positions do
    _launch(device, "depthwise_input", y, kernel, x, window, before)
    return x


def _launch(
    device: Device, name: str, read: Any, kernel: Any, out: Any, window: Window, before: int = 0
) -> None:
    """Fills `out`: a thread computes a strip of packs in the special kernels, else a number."""
    arrays = device.contiguous(read), device.contiguous(kernel), out
    n, height, width, channels = out.shape
    kind, outputs, rows = ctype(read.dtype), kernel.shape[-1], n * height
    if _is_special(device, window, *arrays):
        k, s = window.kernel[0], window.stride[0]
        sizes: tuple[int, ...] = (outputs // PACK,)
        items = ceil_div(width + before, strip_length(k, s)) * sizes[0]
        template, shape = f"{name}<{kind}, {k}, {s}>", rows_by_items(items, rows, WARP)
    else:
        sizes, items = (outputs // window.groups, channels), width * channels
        template, shape = f"{name}_any<{kind}>", rows_by_items(items, rows)
    device.launch(template, *shape, *arrays, window, *sizes, items, rows)


@bfloat16_in_float32
def conv2d_kernel_grad(device: Device, x: Any, y: Any, window: Window) -> Any:
    """The adjoint of `conv2d` in the kernel: every block sums some lines, then the blocks do."""
    shape = (*window.kernel, 1, y.shape[-1])
    if x.size == 0 or y.size == 0:
        return device.zeros(shape, x.dtype)
    rows = len(x) * window.out[0]
    arrays = device.contiguous(x), device.contiguous(y)
    kernel = device.empty(shape, np.promote_types(x.dtype, np.float32))
    plan = _special_filter if _is_special(device, window, *arrays) else _any_filter
    name, block, blocks, sizes = plan(ctype(x.dtype), x.shape[-1], y.shape[-1], window)
    most = min(ceil_div(rows, block[2]), max(BLOCKS // blocks, 1))
    splits = power_of_two(most + 1) // 2
    with device.workspace((splits, *shape), kernel.dtype) as partial:
        device.launch(name, (blocks, splits), block, *arrays, partial, window, *sizes, rows)
        _add_up(device, partial, kernel)
    return kernel.astype(x.dtype, copy=False)


def _special_filter(kind: str, c: int, o: int, window: Window) -> Plan:
    """Lanes over packs, then the rows of the kernel, then as many lines as there is room for."""
    k, packs = window.kernel[0], c // PACK
    across = min(WARP, power_of_two(packs))
    lines = min(max(THREADS // (across * k), 1), 64)
    name = f"depthwise_filter<{kind}, {k}, {window.stride[0]}>"
    return name, (across, k, lines), ceil_div(packs, across), (packs,)


def _any_filter(kind: str, c: int, o: int, window: Window) -> Plan:
    """A thread for every tap of every channel."""
    items = window.taps * o
    name = f"depthwise_filter_any<{kind}>"
    return name, (THREADS, 1, 1), ceil_div(items, THREADS), (o // c, o, items)


def strip_length(k: int, s: int) -> int:
    """How many neighbouring positions one thread computes: as in kernels/strip.cuh."""
    return 7 if k > 3 and s == 1 else 4


def _is_special(device: Device, window: Window, *arrays: Any) -> bool:
    (k, _), (s, _), channels = window.kernel, window.stride, arrays[-1].shape[-1]
    return (
        k in (3, 5, 7)
        and s in (1, 2)
        and (window.kernel, window.stride, window.dilation) == ((k, k), (s, s), (1, 1))
        and all(array.shape[-1] == channels for array in arrays)
        and pack_of(device, channels, *arrays) > 1
    )


def _add_up(device: Device, partial: Any, result: Any) -> None:
    """result = the sum of the copies, a power of two of them, FOLD in one thread at most."""
    splits, total, name = len(partial), result.size, f"reduce_splits<{ctype(result.dtype)}>"
    if splits <= FOLD:
        device.launch(name, grid_size(total), 256, partial, result, splits, total)
        return
    with device.workspace((FOLD, *result.shape), result.dtype) as folded:
        count = FOLD * total
        device.launch(name, grid_size(count), 256, partial, folded, splits // FOLD, count)
        _add_up(device, folded, result)
