"""Convolution in tiles of registers: conv_register.cu, rung 2, the true-FP32 workhorse.

Here one of its tiles is chosen, and how many blocks share a sum: the pair that a small model of a
large GPU expects to be done first. Its figures are arithmetic on paper: nothing has been timed on
a GPU yet. The twin is minitensor/backend/numpy/blocked.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

from minitensor.backend.host import product
from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device
from minitensor.backend.host.grid import ceil_div
from minitensor.backend.host.product import Product
from minitensor.backend.settings import workspace_limit

_PROCESSORS = 132  # of an H100
_ROUNDS = 8  # blocks for each processor that splits may add up to
_FEWEST = 128  # steps of the depth that are worth a block
_START = 24  # steps that a block loses before its first and after its last
_TOGETHER = 512  # threads that one processor runs at once; __launch_bounds__ of conv_register
# A tile cannot follow another sooner than memory answers: 700 cycles of 128 multiply-adds.
_LATENCY = 90_000
# Adding splits: a launch, and 8 bytes of traffic a number, in multiply-adds of one processor.
_REDUCTION, _PARTIAL = 450_000, 0.5


@dataclass(frozen=True)
class _Tile:
    """Template arguments of conv_register, and the part of the peak speed to expect of it."""

    numbers: tuple[int, int, int, int, int, int]  # BM, BN, BK, TM, TN, VEC
    pace: float

    @property
    def threads(self) -> int:
        bm, bn, _, tm, tn, _ = self.numbers
        return bm * bn // (tm * tn)


_PACKED = (
    _Tile((128, 128, 8, 8, 8, 4), 0.9),
    _Tile((128, 64, 8, 8, 8, 4), 0.85),
    _Tile((64, 64, 16, 4, 4, 4), 0.6),
)
_SINGLE = (_Tile((64, 64, 16, 4, 4, 1), 0.5),)
_DOUBLE = (_Tile((64, 64, 8, 4, 4, 1), 0.5),)


def _multiplied(
    device: Device, a: Any, b: Any, task: Product, bias: Any = None, relu: bool = False
) -> Any:
    a, b = device.contiguous(a), device.contiguous(b)
    rounds = 0 if relu and bias is None else _ROUNDS
    tile, splits = _plan(task, _tiles(device, a, b, task), a.itemsize, rounds, workspace_limit())

    def fill(c: Any) -> None:
        arguments = ", ".join(map(str, (task.problem, ctype(a.dtype), *tile.numbers)))
        device.launch(
            f"conv_register<{arguments}>",
            *((*task.blocks(tile.numbers[:2]), task.parts * splits), tile.threads),
            *(a, b, bias if whole else None, c, task.window, *task.sizes, task.window.groups),
            *(splits, c.size // splits, int(relu and whole)),
        )

    whole = splits == 1  # else `summed` adds the bias
    return product.summed(device, task.shape, a.dtype, splits, fill, bias, relu)


conv2d, conv2d_transpose, conv2d_kernel_grad = product.convolutions(_multiplied)


def _tiles(device: Device, a: Any, b: Any, task: Product) -> tuple[_Tile, ...]:
    """Tiles that can read these arrays."""
    if a.dtype == "float64":
        return _DOUBLE
    aligned = all(device.address(array) % 16 == 0 for array in (a, b))
    whole = all(size // task.window.groups % 4 == 0 for size in task.sizes[1:])
    return _PACKED if aligned and whole else _SINGLE


@lru_cache(maxsize=4096)
def _plan(
    task: Product, tiles: tuple[_Tile, ...], itemsize: int, rounds: int, _limit: int
) -> tuple[_Tile, int]:
    """The fastest tile and number of splits; a new workspace limit is a new question."""
    plans = [
        (tile, product.splits(task, tile.numbers[:2], itemsize, full * _PROCESSORS, _FEWEST))
        for tile in tiles
        for full in range(rounds + 1)
    ]
    return min(plans, key=lambda plan: _time(task, *plan))


def _time(task: Product, tile: _Tile, splits: int) -> float:
    """When the busiest processor is done, in multiply-adds at peak speed."""
    blocks = ceil_div(prod(task.blocks(tile.numbers[:2])) * task.parts * splits, _PROCESSORS)
    steps = ceil_div(task.depth, splits) + _START
    work, together = prod(tile.numbers[:3]) / tile.pace, _TOGETHER // tile.threads
    rounds, rest = divmod(blocks, together)  # a few blocks alone cannot hide the latency
    slices = rounds * max(together * work, _LATENCY) + (max(rest * work, _LATENCY) if rest else 0)
    reduction = _REDUCTION + _PARTIAL * splits * prod(task.shape) if splits > 1 else 0
    return slices * steps / tile.numbers[2] + reduction
