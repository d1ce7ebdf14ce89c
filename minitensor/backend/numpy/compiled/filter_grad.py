"""The gradient in the kernel: for each tap, the sum over places of x^T y, in tiles of registers.

    dw[u, v, c, o] = sum of x[pixel, c] y[place, o] over the places whose tap lies on the image

A tile is some inputs by REGISTERS registers of outputs, summed over the places of a block. Both
sides of a block are first packed as the tile reads them, so that it walks through memory in a line.
Where inputs are few, all taps of a row are one pixel of kw * C channels, and neighbouring pixels
share numbers of a copied row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import NamedTuple

import numpy as np

from minitensor.backend.numpy.blocks import SHARED_WORK, num_threads_for
from minitensor.backend.numpy.compiled.chain import CHAIN, LEVELS, pieces, total, wait
from minitensor.backend.numpy.compiled.few_channels import FEW
from minitensor.backend.numpy.compiled.jit import compiled, inlined, inner
from minitensor.backend.numpy.compiled.packing import Band, bands, cut
from minitensor.backend.numpy.compiled.places import Range
from minitensor.backend.numpy.compiled.registers import (
    COLUMNS,
    ROWS,
    add,
    in_line,
    lanes,
    outer,
    put,
    put_head,
    shelf,
    take_head,
    zeros,
)
from minitensor.backend.numpy.memory import empty, scratch
from minitensor.backend.numpy.threads import parallel_map
from minitensor.backend.settings import workspace_limit
from minitensor.window import Window, extent

REGISTERS = 2  # across a tile
TALLEST = ROWS * COLUMNS // REGISTERS  # inputs of a tile
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
    overlap: bool = False  # whether pixels share numbers

    @property
    def height_of_tile(self) -> int:
        """Inputs of a tile: as few more than there are as can be, all tiles together.

        Each height is compiled by itself, a second: so there are few.
        """
        some = TALLEST, TALLEST - 1, 2 * TALLEST // 3
        if self.overlap:
            some = TALLEST // 2, 3 * TALLEST // 4, TALLEST
        return min(some, key=lambda height: _up(self.channels, height))

    def block(self, height: int, itemsize: int) -> tuple[tuple[int, int, int, int], int]:
        """Images, rows, columns and channels of one block, and the size of its packed pixels."""
        columns, padded = pieces(self.wide)[0][1], _up(self.channels, height)
        rows = max(min(PLACES // columns, self.high), 1)
        images = max(PLACES // (rows * columns), 1) if rows == self.high else 1
        room, least = _room() // itemsize, padded if self.overlap else height
        while images * rows * columns > 1 and self._packed(images, rows, columns, least) > room:
            if images > 1:
                images = 1
            elif rows > 1:
                rows = -(-rows // 2)
            else:
                columns = -(-columns // 2)
        size = self._packed(images, rows, columns, least)
        times = 1 if self.overlap else max(min(room // size, padded // height), 1)
        return (images, rows, columns, least * times), size * times

    def _packed(self, images: int, rows: int, columns: int, channels: int) -> int:
        """The size of what a block's places see, so many channels of it."""
        high = min((rows - 1) * self.stride_h + extent(self.kh, self.dilation_h), self.height)
        wide = min((columns - 1) * self.stride_w + extent(self.kw, self.dilation_w), self.width)
        line = (wide - 1) * self.step + channels if self.overlap else wide * channels
        return images * high * line


def conv2d_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    """kernel[tap] = the sum over images and places of x^T y."""
    (kh, kw), groups = window.kernel, window.groups
    spans = map(extent, window.kernel, window.dilation)
    if window.taps > 1 and prod(map(min, spans, window.size)) * TALLEST * x.itemsize > _room():
        taps = [conv2d_kernel_grad(x, y, tap) for tap in _taps(window)]
        return np.concatenate(taps).reshape(kh, kw, *taps[0].shape[2:])
    c, o = x.shape[-1] // groups, y.shape[-1] // groups
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    kernel = empty((kh, kw, c, groups, o), x.dtype)
    for group in range(groups):
        axes = _axes(y, window, x.shape[-1], group)
        parts = bands(o, x.dtype, REGISTERS)
        rows = axes.kh * axes.kw * _up(axes.channels, axes.height_of_tile)
        panel = rows * parts[0].width * x.itemsize
        for band in cut(parts, workspace_limit() // 4 // panel):
            part = kernel[..., group, band.first : band.first + band.outputs]
            _gradient(x, y, axes, group * o + band.first, band, part)
    return kernel.reshape(kh, kw, c, groups * o)


def _gradient(
    x: np.ndarray, y: np.ndarray, axes: Axes, yat: int, band: Band, kernel: np.ndarray
) -> None:
    """kernel = the part of a band of outputs, which begin at yat."""
    n, taps, rows = len(x), axes.kh * axes.kw, tuple(range(axes.height_of_tile))
    # Numba leaves one of the two packings out, by the length of this tuple.
    across = () if axes.overlap else tuple(range(0, len(rows), lanes(x.dtype)))
    padded, row = _up(axes.channels, len(rows)), band.panels * band.width
    own_sum, numbers = min(OWN_SUM, workspace_limit() // 4), taps * padded * row
    multiply_adds = n * axes.high * axes.wide * numbers
    most = SHARES if multiply_adds >= SHARED_WORK else 1  # what one thread does is not cut
    shares = max(min(most, n, own_sum // (numbers * x.itemsize)), 1)
    shares = 1 << shares.bit_length() - 1  # as even as images are
    itself = shares == 1 and kernel.size == numbers and kernel.flags.c_contiguous
    sums = kernel if itself else scratch(shares * numbers, x.dtype)
    sums = sums.reshape(shares, taps, padded, row)
    flat_x, flat_y = x.reshape(-1), y.reshape(-1)
    num_threads = num_threads_for(multiply_adds)
    block, size = axes.block(len(rows), x.itemsize)

    def work(piece: tuple[int, Range]) -> None:
        share, panels = piece
        packed = scratch(size, x.dtype), scratch(prod(block[:3]) * band.width, x.dtype)
        images = n * share // shares, n * (share + 1) // shares
        sums[share, :, :, panels[0] * band.width : panels[1] * band.width] = 0
        _sum_blocks(
            *(flat_x, flat_y, sums[share].reshape(-1), *packed, axes, block, images, panels),
            *(rows, across, band.registers, band.width, band.outputs, yat),
        )

    step = max(band.panels * shares // (2 * num_threads), 1)
    pieces = [
        (share, (first, min(first + step, band.panels)))
        for first in range(0, band.panels, step)
        for share in range(shares)
    ]
    parallel_map(work, pieces, num_threads)
    if not itself:
        total: np.ndarray = sums.sum(0) if shares > 1 else sums[0]
        kernel[:] = total[:, : axes.channels, : band.outputs].reshape(kernel.shape)


def _axes(y: np.ndarray, window: Window, channels: int, group: int) -> Axes:
    """How to see x. Taps are one pixel unless padding would count where y has no number."""
    (kh, kw), (stride_h, stride_w), (height, width) = window.kernel, window.stride, window.size
    c, left, wide = channels // window.groups, window.pad[1][0], window.out[1]
    axes = Axes(
        *(height, width, *window.out, kh, kw, stride_h, stride_w, *window.dilation),
        *(window.pad[0][0], left, width * channels, channels, group * c, c, y.shape[-1]),
    )
    if c >= FEW or window.groups > 1 or window.dilation[1] > 1:
        return axes
    first = min(max(-(-left // stride_w), 0), wide)
    end = max(min((width - kw + left) // stride_w + 1, wide), first)
    if not (np.isfinite(y[:, :, :first]).all() and np.isfinite(y[:, :, end:]).all()):
        return axes
    return axes._replace(
        width=wide, kw=1, stride_w=1, dilation_w=1, left=0, overlap=True,
        step=stride_w * channels, start=-left * channels, channels=kw * c,
    )  # fmt: skip


def _taps(window: Window) -> Iterator[Window]:
    """A window for each tap: what lies between those far apart need not be packed."""
    for tap in np.ndindex(window.kernel):
        before = [p[0] - t * d for p, t, d in zip(window.pad, tap, window.dilation, strict=True)]
        spans = map(extent, window.out, window.stride)
        pad = [(b, s - n - b) for b, s, n in zip(before, spans, window.size, strict=True)]
        yield replace(window, kernel=(1, 1), dilation=(1, 1), pad=(pad[0], pad[1]))


def _room() -> int:
    """Bytes of the packed pixels of one block."""
    return min(PACKED_BYTES, workspace_limit() // 8)


def _up(n: int, step: int) -> int:
    return -(-n // step) * step


@compiled
def _sum_blocks(
    x, y, sums, packed_x, packed_y, axes, block, images, panels, rows, across, registers, width,
    outputs, yat,
):  # fmt: skip
    """sums[tap, c, o] += x^T y: some images, some panels of outputs."""
    height = len(rows)
    padded = (axes.channels + height - 1) // height * height
    for n in range(images[0], images[1], block[0]):
        for i in range(0, axes.high, block[1]):
            for j in range(0, axes.wide, block[2]):
                places = (
                    (n, min(n + block[0], images[1])),
                    (i, min(i + block[1], axes.high)),
                    (j, min(j + block[2], axes.wide)),
                )
                pixels = (
                    places[0],
                    _seen(
                        places[1], axes.stride_h, axes.kh, axes.dilation_h, axes.top, axes.height
                    ),
                    _seen(
                        places[2], axes.stride_w, axes.kw, axes.dilation_w, axes.left, axes.width
                    ),
                )
                for first in range(0, padded, block[3]):
                    channels = min(block[3], padded - first)
                    if len(across) == 0:
                        _copy_lines(x, packed_x, axes, pixels, padded)
                    else:
                        _pack_pixels(x, packed_x, axes, pixels, first, channels, rows, across)
                    for panel in range(*panels):
                        many = min(width, outputs - panel * width)
                        _pack_places(
                            y, packed_y, axes, places, yat + panel * width, many, registers, width
                        )
                        _sum_taps(
                            *(packed_x, packed_y, sums, axes, places, pixels, channels, padded),
                            *(rows, registers, width, first, panel, (outputs + width - 1) // width),
                        )


@inner
def _sum_taps(
    x, y, sums, axes, places, pixels, channels, padded, rows, registers, width, first, panel, panels
):  # fmt: skip
    """The same of one packed block and one panel."""
    height, row = len(rows), panels * width
    for u in range(axes.kh):
        below = u * axes.dilation_h - axes.top
        lines = met(places[1], axes.stride_h, below, axes.height)
        for v in range(axes.kw):
            beside = v * axes.dilation_w - axes.left
            columns = met(places[2], axes.stride_w, beside, axes.width)
            at = ((u * axes.kw + v) * padded + first) * row + panel * width
            if lines[0] < lines[1] and columns[0] < columns[1]:
                for c in range(0, channels, height):
                    some = _sum_places(
                        *(x, y, axes, places, pixels, lines, columns, below, beside),
                        *(c, padded, rows, registers, width),
                    )
                    add(sums, in_line(at + c * row, row, rows), 0, some)


@inlined
def _sum_places(
    x, y, axes, places, pixels, lines, columns, below, beside, c, padded, rows, registers, width
):  # fmt: skip
    """The sum over the places whose tap lies on the image of one pixel by one panel."""
    images, high, wide = pixels
    pixel_high, pixel_wide = high[1] - high[0], wide[1] - wide[0]
    place_high, place_wide = places[1][1] - places[1][0], places[2][1] - places[2][0]
    if axes.overlap:
        apart, pixel, length = 1, axes.step, (pixel_wide - 1) * axes.step + padded
    else:
        pixel, length = len(rows), pixel_wide * len(rows)
        apart = (images[1] - images[0]) * pixel_high * pixel_wide
    left, many = columns[0] * axes.stride_w + beside - wide[0], columns[1] - columns[0]
    nothing = zeros(rows, registers, y)
    sums, chains, done, waiting = nothing, 0, 0, shelf(LEVELS, nothing)
    for n in range(images[1] - images[0]):
        for i in range(*lines):
            line = n * pixel_high + i * axes.stride_h + below - high[0]
            a = c * apart + line * length + left * pixel
            place = (n * place_high + i - places[1][0]) * place_wide + columns[0] - places[2][0]
            b = place * width
            done += many
            if done > CHAIN:
                chains, done, sums = wait(sums, chains, waiting), many, nothing
            for _ in range(many):
                sums = outer(sums, x, in_line(a, 1, rows), 0, y, b)
                a += axes.stride_w * pixel
                b += width
    return total(sums, chains, waiting)


@inner
def met(positions, stride, offset, size):
    """Those of a range of positions for which 0 <= position * stride + offset < size."""
    first = max(positions[0], -(offset // stride))
    return first, min(positions[1], (size - 1 - offset) // stride + 1)


@inner
def _seen(positions, stride, taps, dilation, before, size):
    """The pixels between the first and the last that a range of positions may see."""
    first = max(positions[0] * stride - before, 0)
    last = (positions[1] - 1) * stride + (taps - 1) * dilation - before
    return first, max(min(last + 1, size), first)


@inner
def _copy_lines(x, packed, axes, pixels, padded):
    """The rows of x that some pixels see, each from its first pixel on, zeros beyond its ends."""
    images, high, wide = pixels
    length = (wide[1] - wide[0] - 1) * axes.step + padded
    before = min(max(-axes.start - wide[0] * axes.step, 0), length)
    to = 0
    for n in range(*images):
        for i in range(*high):
            skipped = axes.start + wide[0] * axes.step
            at = (n * axes.height + i) * axes.line + skipped
            end = min(max(axes.line - skipped, before), length)
            packed[to : to + before] = 0
            for k in range(before, end):
                packed[to + k] = x[at + k]
            packed[to + end : to + length] = 0
            to += length


@inner
def _pack_pixels(x, packed, axes, pixels, first, channels, rows, across):
    """packed[c // len(rows), pixel, c % len(rows)], zeros beyond the last channel."""
    images, high, wide = pixels
    height = len(rows)
    plane = (images[1] - images[0]) * (high[1] - high[0]) * (wide[1] - wide[0]) * height
    to = 0
    for n in range(*images):
        for i in range(*high):
            at = (n * axes.height + i) * axes.line + axes.start + wide[0] * axes.step + first
            for _ in range(*wide):
                target = to
                for c in range(0, channels, height):
                    real = min(axes.channels - first - c, height)
                    pixel = take_head(across, x, (at,), c, real)
                    put_head(packed, (target,), 0, pixel, height)
                    target += plane
                to += height
                at += axes.step


@inner
def _pack_places(y, packed, axes, places, first, many, registers, width):
    """packed[place, output of a panel], zeros beyond the last output."""
    to = 0
    for n in range(*places[0]):
        for i in range(*places[1]):
            at = ((n * axes.high + i) * axes.wide + places[2][0]) * axes.outputs + first
            for _ in range(*places[2]):
                put(packed, (to,), 0, take_head(registers, y, (at,), 0, many))
                to += width
                at += axes.outputs
