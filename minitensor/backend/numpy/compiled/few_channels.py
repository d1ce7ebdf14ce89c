"""The gradient of an image of few channels: whole windows are added to it, row by row.

    x[pixels under row u of a place's window] += sum over o of y[place, o] w[u, all of them, o]

Neighbouring taps of a row, with their channels, are kw * C numbers in a line: where C is 1 or 3,
tiles of `direct` would leave most of each register empty. The rows of a tile are places far apart,
so that no sum waits for the one before to arrive in memory.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from minitensor.backend.numpy.blocks import num_threads_for
from minitensor.backend.numpy.compiled.chain import dot
from minitensor.backend.numpy.compiled.jit import compiled
from minitensor.backend.numpy.compiled.registers import (
    COLUMNS,
    HIGH,
    REGISTER_BYTES,
    ROWS,
    add_lines,
    lanes,
    places,
)
from minitensor.backend.numpy.memory import scratch
from minitensor.backend.numpy.threads import parallel_map
from minitensor.backend.settings import workspace_limit
from minitensor.window import Window, extent

FEW = 8  # channels, below which a row of taps is one pixel
BLOCK_BYTES = 2**18  # of padded images that are summed at once


class Padded(NamedTuple):
    """Images with all that windows touch around them; offsets count numbers of x and of y."""

    height: int
    width: int
    size: int  # of an image, and room for windows of no place
    pixels: np.ndarray  # of each row of each tile: where its window begins
    places: np.ndarray


def serves(channels: int, window: Window) -> bool:
    """Whether this is the way for an image of so many channels."""
    return (
        channels < FEW
        and window.groups == window.dilation[1] == 1
        and window.kernel[1] * channels <= COLUMNS * lanes(np.float64)
        and _size(window) * channels <= workspace_limit() // 128
    )


def conv2d_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """x = W'^T y."""
    kh, kw, c, o = kernel.shape
    x, y = np.zeros((len(y), *window.size, c), y.dtype), np.ascontiguousarray(y)
    line = tuple(range(-(-kw * c // lanes(y.dtype))))  # the registers of a row of taps
    some = max(workspace_limit() // 4 // (kh * len(line) * REGISTER_BYTES), 1)
    for first in range(0, o, some):  # whose kernel, packed, fits the workspace
        _add_outputs(x, y, first, kernel[..., first : first + some], window, line)
    return x


def _add_outputs(
    x: np.ndarray,
    y: np.ndarray,
    output: int,
    kernel: np.ndarray,
    window: Window,
    line: tuple[int, ...],
) -> None:
    """x += the same of some outputs, from number `output` on."""
    (kh, kw, c, o), lane, (high, wide) = kernel.shape, lanes(y.dtype), window.size
    image, flat_y = _padded(window, c, y.shape[-1]), y.reshape(-1)[output:]
    step, parts = COLUMNS // len(line), []  # rows of taps in a tile
    for u in range(0, kh, step):
        some = kernel[u : u + step].reshape(-1, kw * c, o)
        parts.append((u, np.zeros((o, len(some), len(line) * lane), y.dtype)))
        parts[-1][1][..., : kw * c] = some.transpose(2, 0, 1)
    (top, left), below = (pad[0] for pad in window.pad), image.width * c * window.dilation[0]
    rows = slice(max(-top, 0), max(min(high, image.height - top), 0))
    columns = slice(max(-left, 0), max(min(wide, image.width - left), 0))
    images = max(BLOCK_BYTES // (image.size * y.itemsize), 1)

    def work(first: int) -> None:
        some = x[first : first + images]
        sums = scratch(len(some) * image.size, x.dtype)
        sums[:] = 0
        for u, w in parts:
            _add_tiles(
                *(flat_y[first * y[0].size :], w.reshape(-1), sums, image, len(some), y[0].size, o),
                *(tuple(range(w[0].size // lane)), line, w[0].size, kw * c, below, u * below),
            )
        found = sums.reshape(len(some), -1, image.width, c)
        some[:, rows, columns] += found[
            :, rows.start + top : rows.stop + top, columns.start + left : columns.stop + left
        ]

    parallel_map(work, range(0, len(y), images), num_threads_for(y.size * kernel[..., 0].size))


def _reach(window: Window) -> tuple[int, int]:
    """The rows and the columns of pixels from the first that a window touches to the last."""
    spans = (extent(*axis) for axis in zip(window.kernel, window.dilation, strict=True))
    high, wide = (
        (out - 1) * stride + span
        for out, stride, span in zip(window.out, window.stride, spans, strict=True)
    )
    return high, wide


def _size(window: Window) -> int:
    high, wide = _reach(window)
    return (high + extent(window.kernel[0], window.dilation[0])) * wide


@lru_cache(maxsize=64)
def _padded(window: Window, channels: int, outputs: int) -> Padded:
    (h, w), (high, wide) = window.out, _reach(window)
    place = np.arange(h * w)
    pixel = place // w * window.stride[0] * wide + place % w * window.stride[1]
    more = -len(place) % ROWS
    pixel = np.append(pixel, np.full(more, high * wide))  # the windows of no place
    place = np.append(place, np.zeros(more, np.int64))
    pixels, places = (
        np.ascontiguousarray(part.reshape(ROWS, -1).T).reshape(-1) * numbers
        for part, numbers in ((pixel, channels), (place, outputs))
    )
    return Padded(high, wide, _size(window) * channels, pixels, places)


@compiled
def _add_tiles(
    y, w, x, image, images, places_size, outputs, registers, line, width, count, step, at
):  # fmt: skip
    """x at the windows of all places += y w, for some rows of taps."""
    for n in range(images):
        for tile in range(0, len(image.pixels), ROWS):
            rows = places(image.places, tile, n * places_size, HIGH)
            sums = dot(registers, y, rows, outputs, w, 0, width, ())
            windows = places(image.pixels, tile, n * image.size + at, HIGH)
            add_lines(x, windows, step, sums, line, count)
