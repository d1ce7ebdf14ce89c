"""Host code of batch normalisation and of sums across channels: kernels/batch_norm.cu and
kernels/local_response.cu.

A statistic of many pixels is found in two steps: `splits` blocks per channel leave what they found
in a workspace, and one warp per channel merges it. How many blocks there are follows from the
shape alone, so the sums are the same on every GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minitensor.backend.half import bfloat16_in_float32, is_bfloat16, is_half
from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device
from minitensor.backend.host.grid import ceil_div, grid_size, pack_of, power_of_two

_WARPS = 8  # of a block; `Warps` in batch_norm.cu
_FULL = 528  # blocks of a reduction: four on each of an H100's 132 processors
_MANY = 4096  # blocks of a pass that writes: the last to end are then few
_ROWS_EACH = 4  # rows that are worth a thread: their loads travel together


@dataclass(frozen=True)
class _Walk:
    """How threads share out (rows, channels); `Walk` in batch_norm.cu."""

    rows: int
    channels: int
    pack: int  # channels that a thread takes at once
    lanes: int  # packs side by side in a warp
    grid: tuple[int, int]

    def launch(self, device: Device, name: str, x: Any, *arguments: Any) -> None:
        """Starts a kernel that walks over x so; it is told the sizes last."""
        kernel, sizes = f"{name}<{ctype(x.dtype)}, {self.pack}>", (self.channels, self.rows)
        device.launch(kernel, self.grid, 256, *arguments, *sizes, self.lanes)

    def merge(self, device: Device, name: str, parts: Any, *arguments: Any) -> None:
        """Starts the kernel that merges what the blocks left in `parts`."""
        kernel, blocks = f"{name}<{ctype(parts.dtype)}>", ceil_div(self.channels, _WARPS)
        device.launch(kernel, blocks, 256, parts, *arguments, self.channels, self.grid[1])


def _walk(device: Device, most: int, x: Any, *others: Any) -> _Walk:
    c = x.shape[-1]
    rows, pack = x.size // c, pack_of(device, c, x, *others)
    lanes = min(power_of_two(c // pack), 32)
    columns = ceil_div(c, pack * lanes)
    wanted = ceil_div(rows, _WARPS * (32 // lanes) * _ROWS_EACH)
    splits = max(min(wanted, ceil_div(most, columns), 65535), 1)
    return _Walk(rows, c, pack, lanes, (columns, splits))


def moments(device: Device, x: Any) -> Any:
    """Mean and biased variance per channel, (2, C); float32 for half precision."""
    x = device.contiguous(_without_bfloat16(x))
    statistics = device.empty((2, x.shape[-1]), _of_sums(x.dtype))
    if not statistics.size:
        return statistics
    walk = _walk(device, _FULL, x)
    with device.workspace((walk.grid[1], walk.channels, 3), statistics.dtype) as parts:
        walk.launch(device, "moments", x, x, parts)
        walk.merge(device, "merge_moments", parts, statistics)
    return statistics


@bfloat16_in_float32
def batch_norm(
    device: Device,
    x: Any,
    statistics: Any,
    scale: Any,
    offset: Any,
    epsilon: float,
    relu: bool = False,
    residual: Any = None,
) -> Any:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, then + residual, then max(., 0)."""
    x, *vectors = (device.contiguous(v) for v in (x, statistics, scale, offset))
    residual = None if residual is None else device.contiguous(residual)
    y = device.empty(x.shape, x.dtype)
    if y.size:
        read = (x, *vectors) if residual is None else (x, *vectors, residual)
        walk, last = _walk(device, _MANY, *read), (residual, y, epsilon, int(relu))
        walk.launch(device, "normalise", x, x, *vectors, *last)
    return y


def batch_norm_sums(device: Device, g: Any, x: Any, statistics: Any, epsilon: float) -> Any:
    """Sums of g and of g * (x - mean) / sqrt(variance + epsilon) per channel, (2, C)."""
    g, x = (device.contiguous(_without_bfloat16(v)) for v in (g, x))
    statistics = device.contiguous(statistics)
    sums = device.empty(statistics.shape, statistics.dtype)
    if not sums.size:
        return sums
    walk = _walk(device, _FULL, x, g, statistics)
    with device.workspace((walk.grid[1], walk.channels, 2), sums.dtype) as parts:
        walk.launch(device, "batch_norm_sums", x, g, x, statistics, parts)
        walk.merge(device, "merge_sums", parts, statistics, sums, epsilon)
    return sums


@bfloat16_in_float32
def batch_norm_grad(
    device: Device, g: Any, x: Any, statistics: Any, scale: Any, epsilon: float, sums: Any = None
) -> Any:
    """The gradient of `batch_norm` in x, also through the statistics, which are those of x."""
    sums = batch_norm_sums(device, g, x, statistics, epsilon) if sums is None else sums
    read = [device.contiguous(v) for v in (g, x, statistics, scale, sums)]
    dx = device.empty(x.shape, x.dtype)
    if dx.size:
        _walk(device, _MANY, *read).launch(device, "batch_norm_grad", x, *read, dx, epsilon)
    return dx


def _of_sums(dtype: Any) -> Any:
    """What statistics are kept in."""
    return "float32" if is_half(dtype) else dtype


def _without_bfloat16(x: Any) -> Any:
    return x.astype("float32") if is_bfloat16(x.dtype) else x


@bfloat16_in_float32
def channel_sum(device: Device, x: Any, radius: int) -> Any:
    """y[..., c] = sum of x[..., j] over |j - c| <= radius."""
    x = device.contiguous(x)
    y = device.empty(x.shape, x.dtype)
    if y.size:
        size = (_within_channels(radius, x), x.shape[-1], x.size)
        device.launch(f"channel_sum<{ctype(x.dtype)}>", grid_size(x.size), 256, x, y, *size)
    return y


@bfloat16_in_float32
def local_response(
    device: Device, x: Any, radius: int, bias: float, alpha: float, beta: float
) -> Any:
    """x / (bias + alpha * sum of x^2 over the channels at most `radius` away)^beta."""
    x = device.contiguous(x)
    y = device.empty(x.shape, x.dtype)
    if y.size:
        settings = (_within_channels(radius, x), bias, alpha, beta, x.shape[-1], x.size)
        device.launch(f"local_response<{ctype(x.dtype)}>", grid_size(x.size), 256, x, y, *settings)
    return y


def _within_channels(radius: int, x: Any) -> int:
    """A radius of more than all channels is that of all of them."""
    return min(radius, int(x.shape[-1]))
