"""Convolution with few places: their columns times the kernel as it lies, which is read once.

    y (P, O) = columns (P, kh*kw*C) kernel (kh*kw*C, O)

The last layers of a network have few places in one image, and large kernels: to bring the kernel
from memory is most of the work, and packing it would do that again. So it stays as it is, and some
of its rows at a time serve all places.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from minitensor.backend.numpy.blocks import num_threads_for
from minitensor.backend.numpy.choice import FEW_PLACES
from minitensor.backend.numpy.columns import gather
from minitensor.backend.numpy.compiled.chain import dot
from minitensor.backend.numpy.compiled.jit import compiled
from minitensor.backend.numpy.compiled.packing import Band, bands, cut
from minitensor.backend.numpy.compiled.registers import HIGH, ROWS, add, in_line, lanes
from minitensor.backend.numpy.memory import scratch
from minitensor.backend.numpy.threads import parallel_map
from minitensor.backend.settings import workspace_limit
from minitensor.window import Window

DEEP = 512  # rows of the kernel whose panel stays close to a core


def serves(images: int, kernel: tuple[int, ...], dtype: np.dtype[Any], window: Window) -> bool:
    """Whether places are few, the kernel's rows whole registers, and columns fit the workspace."""
    *_, channels, outputs = kernel
    places = images * prod(window.out)
    pixels = 0 if window.is_sparse else images * prod(window.padded)  # a padded copy of the image
    numbers = (places + ROWS) * window.taps * channels + pixels * channels
    fits = numbers * dtype.itemsize <= workspace_limit() // 4
    whole = window.groups == 1 and outputs % lanes(dtype) == 0
    return places < FEW_PLACES and whole and fits


def conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """y = (columns of x) kernel."""
    places, outputs = len(x) * prod(window.out), kernel.shape[-1]
    terms, padded = kernel.size // outputs, -(-places // ROWS) * ROWS
    columns = scratch(padded * terms, x.dtype)
    gather(x, window, columns)
    columns[places * terms :] = 0
    y = scratch(padded * outputs, x.dtype)
    y[:] = 0
    flat = np.ascontiguousarray(kernel).reshape(-1)

    def work(band: Band) -> None:
        panels = band.first, band.first + band.outputs, band.width
        _multiply(columns, flat, y, padded, terms, outputs, panels, band.registers)

    num_threads = num_threads_for(places * kernel.size)
    parts = bands(outputs, x.dtype)
    parallel_map(work, cut(parts, -(-parts[0].panels // num_threads)), num_threads)
    return y[: places * outputs].reshape(len(x), *window.out, outputs)


@compiled
def _multiply(columns, w, y, places, terms, outputs, panels, registers):
    """y += columns w, for some panels of outputs."""
    for first in range(0, terms, DEEP):
        many = min(DEEP, terms - first)
        for panel in range(*panels):
            for place in range(0, places, ROWS):
                rows = in_line(place * terms + first, terms, HIGH)
                at = first * outputs + panel
                sums = dot(registers, columns, rows, many, w, at, outputs, registers)
                add(y, in_line(place * outputs, outputs, HIGH), panel, sums)
