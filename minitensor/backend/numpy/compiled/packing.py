"""The kernel of a convolution, laid out as tiles read it.

    packed[panel, tap, c, :] = the `width` outputs of a panel, zeros where there are none

A panel is as wide as a tile: COLUMNS registers. What is left beside whole panels is a band of one
narrower panel: with registers of 16 numbers, 70 outputs cost what 80 do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitensor.backend.numpy.blocks import SLOWNESS, num_threads_for
from minitensor.backend.numpy.compiled.jit import compiled
from minitensor.backend.numpy.compiled.registers import COLUMNS, lanes
from minitensor.backend.numpy.memory import scratch
from minitensor.backend.numpy.threads import parallel_map

BLOCK = 16  # inputs by outputs that are turned at once: lines of memory that a core holds


class Band(NamedTuple):
    """Some neighbouring outputs, in panels of so many registers."""

    first: int
    outputs: int
    width: int  # of one panel
    registers: tuple[int, ...]  # where those of a panel start; how many tells kernels the tile

    @property
    def panels(self) -> int:
        return -(-self.outputs // self.width)


def bands(outputs: int, dtype: Any, columns: int = COLUMNS) -> list[Band]:
    """All outputs: panels of `columns` registers, and one narrower panel of the rest."""
    lane = lanes(dtype)
    rest = outputs % (columns * lane)
    parts = [(0, outputs - rest, columns), (outputs - rest, rest, -(-rest // lane))]
    return [
        Band(first, many, wide * lane, tuple(range(0, wide * lane, lane)))
        for first, many, wide in parts
        if many
    ]


def cut(parts: list[Band], panels: int) -> list[Band]:
    """The same outputs in bands of at most so many panels."""
    step = max(panels, 1)
    return [
        band._replace(
            first=band.first + at * band.width,
            outputs=min(band.outputs - at * band.width, step * band.width),
        )
        for band in parts
        for at in range(0, band.panels, step)
    ]


def pack(kernel: np.ndarray, groups: int, group: int, backwards: bool, band: Band) -> np.ndarray:
    """A band of one group's kernel, flat; backwards its taps are turned, and outputs are inputs."""
    kh, kw, c, o = kernel.shape
    inputs = o // groups if backwards else c
    packed = scratch(band.panels * kh * kw * inputs * band.width, kernel.dtype)
    if band.outputs % band.width:
        packed[:] = 0
    flat = np.ascontiguousarray(kernel).reshape(-1)

    def fill(part: Band) -> None:
        here = packed[(part.first - band.first) * kh * kw * inputs :]
        if backwards:
            shape = (kh * kw, inputs, c, o, group * inputs)
            _pack_turned(flat, here, *shape, part.first, part.outputs, part.width)
        else:
            first = group * (o // groups) + part.first
            _pack(flat, here, kh * kw, inputs, o, first, part.outputs, part.width)

    num_threads = num_threads_for(packed.size * SLOWNESS)
    parallel_map(fill, cut([band], -(-band.panels // num_threads)), num_threads)
    return packed


@compiled
def _pack(kernel, packed, taps, inputs, outputs, first, count, width):
    """packed[panel, row, :] = kernel[row, first + panel * width ...], row = tap * inputs + c."""
    for panel in range(0, count, width):
        target = panel * taps * inputs
        for row in range(taps * inputs):
            source = row * outputs + first + panel
            for lane in range(min(width, count - panel)):
                packed[target + lane] = kernel[source + lane]
            target += width


@compiled
def _pack_turned(kernel, packed, taps, inputs, channels, outputs, first_in, first, count, width):
    """packed[panel, last tap - tap, i, lane] = kernel[tap, first + panel * width + lane, i]."""
    for panel in range(0, count, width):
        for tap in range(taps):
            target = (panel * taps + (taps - 1 - tap) * width) * inputs
            source = (tap * channels + first + panel) * outputs + first_in
            for block in range(0, inputs, BLOCK):
                for lane in range(min(width, count - panel)):
                    for i in range(block, min(block + BLOCK, inputs)):
                        packed[target + i * width + lane] = kernel[source + lane * outputs + i]
