"""The three convolutions as matrix products c (rows, columns) = a (rows, depth) @ b.

The sizes that host code needs to choose a tile, a grid and splits; what rows, columns and depth
stand for is told in kernels/implicit_gemm.cuh. A group is a product of its own, and so is each
phase of a strided input gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device
from minitensor.backend.host.elementwise import bias_activation
from minitensor.backend.host.grid import ceil_div, grid_size
from minitensor.backend.settings import workspace_limit
from minitensor.window import Pair, Window

MOST_PARTS = 65535  # parts * splits are blockIdx.z


@dataclass(frozen=True)
class Product:
    """`parts` matrix products of one size, or less."""

    problem: str  # the struct of implicit_gemm.cuh
    window: Window
    sizes: tuple[int, int, int]  # N, C, O
    shape: tuple[int, ...]  # of the result, whose memory c is
    rows: int
    columns: int
    depth: int  # the largest phase's
    parts: int

    def blocks(self, tile: Pair) -> Pair:
        """How many (rows, columns) tiles cover one part."""
        return ceil_div(self.rows, tile[0]), ceil_div(self.columns, tile[1])


def forward(x: Any, kernel: Any, window: Window) -> Product:
    """y = W' x."""
    n, g = len(x), window.groups
    c, o = x.shape[-1], kernel.shape[-1]
    rows, depth = n * prod(window.out), window.taps * c // g
    return Product("Forward", window, (n, c, o), (n, *window.out, o), rows, o // g, depth, g)


def input_grad(y: Any, kernel: Any, window: Window) -> Product:
    """x = W'^T y: a part is one group and one residue of the pixels modulo the stride."""
    n, g = len(y), window.groups
    c, o = kernel.shape[2] * g, y.shape[-1]
    rows = n * prod(map(ceil_div, window.size, window.stride))
    depth = prod(map(ceil_div, window.kernel, window.stride)) * o // g
    shape, parts = (n, *window.size, c), g * prod(window.stride)
    return Product("InputGrad", window, (n, c, o), shape, rows, c // g, depth, parts)


def filter_grad(x: Any, y: Any, window: Window) -> Product:
    """kernel = the sum over positions of x^T y."""
    n, g = len(x), window.groups
    c, o = x.shape[-1], y.shape[-1]
    shape = (*window.kernel, c // g, o)
    rows, depth = window.taps * c // g, n * prod(window.out)
    return Product("FilterGrad", window, (n, c, o), shape, rows, o // g, depth, g)


def splits(product: Product, tile: Pair, itemsize: int, full: int, fewest: int) -> int:
    """Blocks that share a sum: no more than `full` blocks in all, with `fewest` steps for each.

    One block too many would wait for all the others. The partial sums fit the workspace limit,
    and no piece of the depth reaches 2^31 steps.
    """
    blocks = prod(product.blocks(tile)) * product.parts
    room = workspace_limit() // (prod(product.shape) * itemsize)
    wanted = min(full // blocks, product.depth // fewest, room)
    return max(min(wanted, MOST_PARTS // product.parts), ceil_div(product.depth, 2**30), 1)


def convolutions(multiplied: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    """conv2d, conv2d_transpose and conv2d_kernel_grad by `multiplied(device, a, b, product)`."""

    def conv2d(device: Device, x: Any, kernel: Any, window: Window, *more: Any) -> Any:
        """y = W' x; `more`, where it is taken: a bias, and whether negatives are cut off."""
        return multiplied(device, x, kernel, forward(x, kernel, window), *more)

    def conv2d_transpose(device: Device, y: Any, kernel: Any, window: Window) -> Any:
        """x = W'^T y, phase by phase: pixels a stride apart see y as a plain convolution does."""
        return multiplied(device, y, kernel, input_grad(y, kernel, window))

    def conv2d_kernel_grad(device: Device, x: Any, y: Any, window: Window) -> Any:
        """kernel = the sum over positions of x^T y; several blocks share a long sum."""
        return multiplied(device, x, y, filter_grad(x, y, window))

    return conv2d, conv2d_transpose, conv2d_kernel_grad


def summed(
    device: Device,
    shape: tuple[int, ...],
    dtype: Any,
    splits: int,
    fill: Callable[[Any], None],
    bias: Any = None,
    relu: bool = False,
) -> Any:
    """What `fill` writes; with more than one split, the sum of the copies that it writes.

    A part of a sum is too early for a bias: then it is added here, and negatives are cut off.
    """
    result = device.empty(shape, dtype)
    if splits == 1:
        fill(result)
        return result
    with device.workspace((splits, *shape), dtype) as partial:
        fill(partial)
        name, grid = f"reduce_splits<{ctype(dtype)}>", grid_size(result.size)
        device.launch(name, grid, 256, partial, result, splits, result.size)
    if bias is None:
        return result
    bias = bias.astype(dtype, copy=False)
    return bias_activation(device, result, bias, "relu" if relu else "linear")
