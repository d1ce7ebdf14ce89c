"""Convolution on tensor cores: conv_tensor_tf32.cu and conv_tensor_f16.cu, rung 3 of the ladder.

float16 is multiplied as it is; float32 is rounded to TF32, 10 bits after the point, and so is
served only to those who asked: `enable_tensor_float_32_execution` or `algorithm("tensor")`. Sums
are float32 either way. Here a tile is chosen, and how many blocks share a sum, by arithmetic on
paper: nothing has been timed on a GPU yet. The twin is minitensor/backend/numpy/direct.py on
rounded factors.
"""

from __future__ import annotations

from math import prod
from typing import Any

from minitensor.backend.host import product
from minitensor.backend.host.device import Device
from minitensor.backend.host.product import Product
from minitensor.backend.settings import pinned_algorithm, tensor_float_32
from minitensor.window import Pair, Window

_SLICE = 64  # bytes of depth that a block multiplies between two barriers
_STAGES = 4  # slices in shared memory
_FEWEST = 8  # slices that are worth a block of their own; fewer barely fill the pipeline
_FULL = 2 * 132  # blocks that fill a large GPU
_THREADS = {(128, 128): 256, (128, 64): 128, (64, 64): 128, (128, 32): 128}  # of a tile's block
_ALONG_DEPTH = {"Forward": (True, False), "InputGrad": (True, True), "FilterGrad": (False, False)}


def fits(op: str, dtype: Any, channels: int, outputs: int, window: Window) -> bool:
    """Whether the tensor cores serve `op` ("conv2d" or an adjoint of it), and may.

    float16 is copied in packs of 8 neighbours: along c of x, along o of y and of the kernel.
    float32 has single copies to fall back on.
    """
    back = op == "conv2d_transpose"
    if window.groups * (prod(window.stride) if back else 1) > product.MOST_PARTS:
        return False
    if dtype == "float32":
        return tensor_float_32() or pinned_algorithm() == "tensor"
    inputs = 8 if back else channels // window.groups
    return dtype == "float16" and inputs % 8 == 0 and outputs // window.groups % 8 == 0


def _multiplied(
    device: Device, a: Any, b: Any, task: Product, bias: Any = None, relu: bool = False
) -> Any:
    a, b = _packable(device, a), _packable(device, b)
    tile, width = _tile(task, a.dtype), _width(task, a.dtype)
    splits = 1 if relu and bias is None else _splits(task, tile, a.dtype)
    kind = "f16" if a.dtype == "float16" else "tf32"
    numbers = ", ".join(map(str, (*tile, _THREADS[tile], width)))

    def fill(out: Any) -> None:
        c, partials = (out, None) if splits == 1 else (None, out)
        device.launch(
            f"conv_tensor_{kind}<{task.problem}, {numbers}>",
            *((*task.blocks(tile), task.parts * splits), _THREADS[tile]),
            *(a, b, bias if whole else None, c, partials),
            *(task.window, *task.sizes, task.window.groups, splits, prod(task.shape)),
            int(relu and whole),
            shared=_shared_bytes(task.problem, tile),
        )

    whole = splits == 1  # else parts of a sum, not rounded yet, and `summed` adds the bias
    dtype = a.dtype if whole else "float32"
    y = product.summed(device, task.shape, dtype, splits, fill, bias, relu)
    return y.astype(a.dtype, copy=False)


conv2d, conv2d_transpose, conv2d_kernel_grad = product.convolutions(_multiplied)


def _packable(device: Device, array: Any) -> Any:
    """`array` where packs of 16 bytes can be copied from: contiguous, at a multiple of 16."""
    array = device.contiguous(array)
    return array if device.address(array) % 16 == 0 else array.copy()


def _width(task: Product, dtype: Any) -> int:
    """Neighbours in one copy: 16 bytes where all channels of a group allow it."""
    if dtype == "float16":
        return 8
    return 1 if any(size // task.window.groups % 4 for size in task.sizes[1:]) else 4


def _tile(task: Product, dtype: Any) -> Pair:
    """The largest tile that the product fills, in each direction and with enough blocks."""
    if _width(task, dtype) == 1:
        return 64, 64
    if task.columns <= 32:
        return 128, 32
    large = 128, 128 if task.columns > 64 else 64
    blocks = prod(task.blocks(large)) * task.parts * _splits(task, large, dtype)
    return large if task.rows > 64 and 2 * blocks >= _FULL else (64, 64)


def _splits(task: Product, tile: Pair, dtype: Any) -> int:
    steps = _SLICE // dtype.itemsize
    return product.splits(task, tile, 4, _FULL, _FEWEST * steps)


def _shared_bytes(problem: str, tile: Pair) -> int:
    """What the slices of conv_tensor.cuh take, padding included; the same for both dtypes."""
    sides = zip(tile, _ALONG_DEPTH[problem], strict=True)
    return _STAGES * sum(lines * 80 if along else 64 * (lines + 8) for lines, along in sides)
