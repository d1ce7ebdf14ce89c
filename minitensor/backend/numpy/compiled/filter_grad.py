"""The gradient in the kernel: for each tap, the sum over places of x^T y, in tiles of registers.

    dw[u, v, c, o] = sum of x[pixel, c] y[place, o] over the places whose tap lies on the image

A tile is CHANNELS inputs by REGISTERS registers of outputs, summed over the places of a block. Both
sides of a block are first packed as the tile reads them, so that it walks through memory in a line.
Where inputs are few, all taps of a row are one pixel of kw * C channels, but for the places at
whose ends padding would count among them.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from minitensor.backend.numpy.blocks import num_threads_for
from minitensor.backend.numpy.compiled.jit import compiled
from minitensor.backend.numpy.compiled.packing import Band, bands, cut
from minitensor.backend.numpy.compiled.places import Range
from minitensor.backend.numpy.compiled.registers import add, in_line, outer, zeros
from minitensor.backend.numpy.threads import parallel_map
from minitensor.backend.settings import workspace_limit
from minitensor.window import Window

CHANNELS, REGISTERS = 8, 2  # of a tile
TALL = tuple(range(CHANNELS))
PLACES = 160  # of a block
PACKED_BYTES = 2**19  # of x, for one block
OWN_SUM = 2**21  # bytes of gradient that each share of the images may sum by itself
SHARES = 8  # of the images, for any number of threads: so the bits are the same


class Axes(NamedTuple):
    """How the gradient sees x: `channels` numbers every `step`, from `start` on, is one pixel."""

    height: int
    width: int
    high: int  # output positions
    wide: int
    kh: int
    kw: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    top: int
    left: int
    line: int  # numbers from one row of x to the next
    step: int
    start: int
    channels: int
    outputs: int  # numbers from one place of y to the next

    def block(self, itemsize: int) -> tuple[tuple[int, int, int, int], int]:
        """Images, rows, columns and channels of one block, and the size of its packed pixels."""
        columns = min(self.wide, 2 * PLACES)
        rows = max(min(PLACES // columns, self.high), 1)
        images = max(PLACES // (rows * columns), 1) if rows == self.high else 1
        high = min((rows - 1) * self.stride_h + (self.kh - 1) * self.dilation_h + 1, self.height)
        wide = min((columns - 1) * self.stride_w + (self.kw - 1) * self.dilation_w + 1, self.width)
        pixels = images * high * wide
        most = (
            min(PACKED_BYTES, workspace_limit() // 8) // (pixels * itemsize) // CHANNELS * CHANNELS
        )
        channels = max(min(most, _up(self.channels, CHANNELS)), CHANNELS)
        return (images, rows, columns, channels), pixels * channels


def conv2d_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    """kernel[tap] = the sum over images and places of x^T y."""
    (kh, kw), groups = window.kernel, window.groups
    c, o = x.shape[-1] // groups, y.shape[-1] // groups
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    kernel = np.zeros((kh, kw, c, groups, o), x.dtype)
    for group in range(groups):
        for axes, ranges in _axes(window, x.shape[-1], y.shape[-1], group):
            taps, padded = axes.kh * axes.kw, _up(axes.channels, CHANNELS)
            parts = bands(o, x.dtype, REGISTERS)
            panel = taps * padded * parts[0].width * x.itemsize
            for band in cut(parts, workspace_limit() // 4 // panel):
                some = slice(band.first, band.first + band.outputs)
                part = _gradient(x, y, window, axes, ranges, group * o, band)
                kernel[..., group, some] += part.reshape(kh, kw, c, -1)
    return kernel.reshape(kh, kw, c, groups * o)


def _gradient(
    x: np.ndarray,
    y: np.ndarray,
    window: Window,
    axes: Axes,
    ranges: list[Range],
    yat: int,
    band: Band,
) -> np.ndarray:
    """The part of some columns of places, for a band of outputs: (taps, channels, outputs)."""
    n, padded, row = len(x), _up(axes.channels, CHANNELS), band.panels * band.width
    taps = axes.kh * axes.kw
    own_sum = min(OWN_SUM, workspace_limit() // 4)
    shares = max(min(SHARES, n, own_sum // (taps * padded * row * x.itemsize)), 1)
    sums = np.zeros((shares, taps, padded, row), x.dtype)
    flat_x, flat_y = x.reshape(-1), y.reshape(-1)
    num_threads = num_threads_for(n * prod(window.out) * taps * padded * row)

    def work(piece: tuple[int, Range]) -> None:
        share, panels = piece
        block, size = axes.block(x.itemsize)
        scratch = np.empty(size, x.dtype), np.empty(prod(block[:3]) * band.width, x.dtype)
        images = n * share // shares, n * (share + 1) // shares
        for columns in ranges:
            _sum_blocks(
                flat_x, flat_y, sums[share].reshape(-1), *scratch, axes, block, images, columns,
                panels, band.registers, band.width, band.outputs, yat + band.first, row,
            )  # fmt: skip

    step = max(band.panels * shares // (2 * num_threads), 1)
    pieces = [
        (share, (first, min(first + step, band.panels)))
        for first in range(0, band.panels, step)
        for share in range(shares)
    ]
    parallel_map(work, pieces, num_threads)
    total: np.ndarray = sums.sum(0) if shares > 1 else sums[0]
    return total[:, : axes.channels, : band.outputs]


def _axes(
    window: Window, channels: int, outputs: int, group: int
) -> list[tuple[Axes, list[Range]]]:
    """How to see x, and for which columns of places."""
    (kh, kw), (stride_h, stride_w), (height, width) = window.kernel, window.stride, window.size
    c, left, wide = channels // window.groups, window.pad[1][0], window.out[1]
    taps = Axes(
        *(height, width, *window.out, kh, kw, stride_h, stride_w, *window.dilation),
        *(window.pad[0][0], left, width * channels, channels, group * c, c, outputs),
    )
    if c >= CHANNELS or window.groups > 1 or window.dilation[1] > 1:
        return [(taps, [(0, wide)])]
    first = min(max(-(-left // stride_w), 0), wide)
    end = max(min((width - kw + left) // stride_w + 1, wide), first)
    rows = taps._replace(
        width=wide, kw=1, stride_w=1, dilation_w=1, left=0,
        step=stride_w * channels, start=-left * channels, channels=kw * c,
    )  # fmt: skip
    return [(rows, [(first, end)]), (taps, [(0, first), (end, wide)])]


def _up(n: int, step: int) -> int:
    return -(-n // step) * step


@compiled
def _sum_blocks(
    x, y, sums, packed_x, packed_y, axes, block, images, columns, panels,
    registers, width, outputs, yat, row,
):  # fmt: skip
    """sums[tap, c, o] += x^T y: some images, some columns of places, some panels of outputs."""
    padded = (axes.channels + CHANNELS - 1) // CHANNELS * CHANNELS
    for n in range(images[0], images[1], block[0]):
        for i in range(0, axes.high, block[1]):
            for j in range(columns[0], columns[1], block[2]):
                places = (
                    (n, min(n + block[0], images[1])),
                    (i, min(i + block[1], axes.high)),
                    (j, min(j + block[2], columns[1])),
                )
                high = _seen(
                    places[1], axes.stride_h, axes.kh, axes.dilation_h, axes.top, axes.height
                )
                wide = _seen(
                    places[2], axes.stride_w, axes.kw, axes.dilation_w, axes.left, axes.width
                )
                pixels = places[0], high, wide
                for first in range(0, padded, block[3]):
                    channels = min(block[3], padded - first)
                    _pack_pixels(x, packed_x, axes, pixels, first, channels)
                    for panel in range(*panels):
                        at = panel * width
                        many = min(width, outputs - at)
                        _pack_places(y, packed_y, axes, places, yat + at, many, width)
                        _sum_taps(
                            packed_x, packed_y, sums, axes, places, pixels, channels,
                            registers, width, first * row + at, row, padded,
                        )  # fmt: skip


@compiled
def _sum_taps(x, y, sums, axes, places, pixels, channels, registers, width, sat, row, padded):
    """The same of one packed block and one panel."""
    for u in range(axes.kh):
        below = u * axes.dilation_h - axes.top
        rows = met(places[1], axes.stride_h, below, axes.height)
        for v in range(axes.kw):
            beside = v * axes.dilation_w - axes.left
            columns = met(places[2], axes.stride_w, beside, axes.width)
            at = sat + (u * axes.kw + v) * padded * row
            if rows[0] < rows[1] and columns[0] < columns[1]:
                for c in range(0, channels, CHANNELS):
                    total = zeros(TALL, registers, y)
                    total = _sum_places(
                        total, x, y, axes, places, pixels, rows, columns, below, beside, c, width
                    )
                    add(sums, in_line(at + c * row, row, TALL), 0, total)


@compiled
def _sum_places(
    total, x, y, axes, places, pixels, rows, columns, below, beside, c, width
):  # fmt: skip
    """total + the sum over the places whose tap lies on the image of one pixel by one panel."""
    images, high, wide = pixels
    pixel_high, pixel_wide = high[1] - high[0], wide[1] - wide[0]
    place_high, place_wide = places[1][1] - places[1][0], places[2][1] - places[2][0]
    plane = (images[1] - images[0]) * pixel_high * pixel_wide
    left = columns[0] * axes.stride_w + beside - wide[0]
    for n in range(images[1] - images[0]):
        for i in range(*rows):
            line = n * pixel_high + i * axes.stride_h + below - high[0]
            a = (c // CHANNELS * plane + line * pixel_wide + left) * CHANNELS
            place = (n * place_high + i - places[1][0]) * place_wide + columns[0] - places[2][0]
            b = place * width
            for _ in range(*columns):
                total = outer(total, x, in_line(a, 1, TALL), 0, y, b)
                a += axes.stride_w * CHANNELS
                b += width
    return total


@compiled
def met(positions, stride, offset, size):
    """Those of a range of positions for which 0 <= position * stride + offset < size."""
    first = max(positions[0], -(offset // stride))
    return first, min(positions[1], (size - 1 - offset) // stride + 1)


@compiled
def _seen(positions, stride, taps, dilation, before, size):
    """The pixels between the first and the last that a range of positions may see."""
    first = max(positions[0] * stride - before, 0)
    last = (positions[1] - 1) * stride + (taps - 1) * dilation - before
    return first, max(min(last + 1, size), first)


@compiled
def _pack_pixels(x, packed, axes, pixels, first, channels):
    """packed[channel // CHANNELS, pixel, channel % CHANNELS], zeros beyond the last channel."""
    images, high, wide = pixels
    plane = (images[1] - images[0]) * (high[1] - high[0]) * (wide[1] - wide[0]) * CHANNELS
    to = 0
    for n in range(*images):
        for i in range(*high):
            at = (n * axes.height + i) * axes.line + axes.start + wide[0] * axes.step + first
            for _ in range(*wide):
                for c in range(0, channels, CHANNELS):
                    real = min(axes.channels - first - c, CHANNELS)
                    target = to + c // CHANNELS * plane
                    for k in range(real):
                        packed[target + k] = x[at + c + k]
                    for k in range(real, CHANNELS):
                        packed[target + k] = 0
                to += CHANNELS
                at += axes.step


@compiled
def _pack_places(y, packed, axes, places, first, many, width):
    """packed[place, output of a panel], zeros beyond the last output."""
    to = 0
    for n in range(*places[0]):
        for i in range(*places[1]):
            at = ((n * axes.high + i) * axes.wide + places[2][0]) * axes.outputs + first
            for _ in range(*places[2]):
                for k in range(many):
                    packed[to + k] = y[at + k]
                for k in range(many, width):
                    packed[to + k] = 0
                to += width
                at += axes.outputs
