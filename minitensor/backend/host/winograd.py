"""3x3 convolutions of stride 1 by Winograd's minimal filtering: kernels/winograd.cu and a GEMM.

Opt-in, by `algorithm("winograd")`: it saves multiplications and loses digits (the bound is in
winograd.cu), and a NaN or an infinity reaches a whole tile of outputs. The gradient in the kernel
has no 3x3 window to filter with: whoever pins Winograd gets it from conv_register.cu (conv.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minitensor.backend.host.device import Device
from minitensor.backend.host.grid import ceil_div, grid_size
from minitensor.backend.settings import workspace_limit
from minitensor.window import Window


def fits(op: str, dtype: Any, window: Window) -> bool:
    """Whether Winograd serves `op`, "conv2d" or an adjoint of it."""
    geometry = (window.kernel, window.stride, window.dilation)
    three_by_three = geometry == ((3, 3), (1, 1), (1, 1))
    return op != "conv2d_kernel_grad" and dtype == "float32" and three_by_three


def conv2d(
    device: Device, x: Any, kernel: Any, window: Window, bias: Any = None, relu: bool = False
) -> Any:
    """y = W' x + bias, negative values cut off if `relu`."""
    y = device.empty((len(x), *window.out, kernel.shape[-1]), x.dtype)
    return _fill(device, x, kernel, y, window, False, bias, relu)


def conv2d_transpose(device: Device, y: Any, kernel: Any, window: Window) -> Any:
    """x = W'^T y: the convolution of y with the kernel turned around and its channels swapped.

    Pixel i hears from positions i + before - 2 ... i + before, so y is padded by 2 - before; where
    that is negative, the border of y is not read.
    """
    x = device.empty((len(y), *window.size, kernel.shape[2] * window.groups), y.dtype)
    top, left = ((2 - before, 2 - after) for before, after in window.pad)
    turned = replace(window, size=window.out, pad=(top, left))
    return _fill(device, y, kernel, x, turned, True)


def tile_size(window: Window) -> int:
    """2 or 4, the one that multiplies less with this window; 2, the exacter one, if both do."""
    return min((2, 4), key=lambda out: _tiles(window, out) * (out + 2) ** 2)


def _fill(
    device: Device,
    x: Any,
    kernel: Any,
    y: Any,
    window: Window,
    turned: bool,
    bias: Any = None,
    relu: bool = False,
) -> Any:
    """y = x filtered by the kernel, a block of images at a time."""
    x, kernel = device.contiguous(x), device.contiguous(kernel)
    groups, out = window.groups, tile_size(window)
    matrices = groups * (out + 2) ** 2
    shape = (matrices, x.shape[-1] // groups, y.shape[-1] // groups)
    with device.workspace(shape, "float32") as filters:
        grid, sizes = grid_size(kernel.size // 9), kernel.shape[2:]
        device.launch(
            f"winograd_filter<{out}>", grid, 256, kernel, filters, *sizes, groups, int(turned)
        )
        numbers = matrices * _tiles(window, out) * (shape[1] + shape[2])  # of one image
        images = max((workspace_limit() - filters.nbytes) // (4 * numbers), 1)
        for first in range(0, len(x), images):
            some = slice(first, first + images)
            _fill_block(device, x[some], filters, y[some], window, bias, relu)
    return y


def _fill_block(
    device: Device, x: Any, filters: Any, y: Any, window: Window, bias: Any, relu: bool
) -> None:
    """One batched GEMM between the two transforms."""
    matrices, inputs, outputs = filters.shape
    groups, out = window.groups, tile_size(window)
    tiles = len(x) * _tiles(window, out)
    with (
        device.workspace((matrices, tiles, inputs), "float32") as seen,
        device.workspace((matrices, tiles, outputs), "float32") as products,
    ):
        grid, channels = grid_size(tiles * x.shape[-1]), x.shape[-1]
        device.launch(f"winograd_input<{out}>", grid, 256, x, seen, window, channels, groups, tiles)
        device.xp.matmul(seen, filters, out=products)  # (matrices, tiles, outputs)
        grid, channels = grid_size(tiles * y.shape[-1]), y.shape[-1]
        device.launch(
            *(f"winograd_output<{out}>", grid, 256, products, bias, y),
            *(window, channels, groups, tiles, int(relu)),
        )


def _tiles(window: Window, out: int) -> int:
    """Tiles of one image."""
    return ceil_div(window.out[0], out) * ceil_div(window.out[1], out)
