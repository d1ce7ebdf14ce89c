"""Depthwise convolution in tiles of registers: every output channel has one input channel.

    y[place, o] = sum of x[pixel under tap, o // M] w[tap, o] over the taps on the image

The tables are those of `direct`, where each channel is a group; a tile is ROWS places by a panel of
channels. M outputs to a channel are M = 1 on an image whose channels are repeated M times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

import numpy as np

from minitensor.backend.numpy.blocks import SLOWNESS, num_threads_for, pieces_for
from minitensor.backend.numpy.compiled.chain import CHAIN, LEVELS, total, wait
from minitensor.backend.numpy.compiled.filter_grad import SHARES as IMAGE_SHARES
from minitensor.backend.numpy.compiled.filter_grad import Axes, met
from minitensor.backend.numpy.compiled.jit import compiled, inner
from minitensor.backend.numpy.compiled.packing import bands
from minitensor.backend.numpy.compiled.places import BLOCK_BYTES, Plan, Range, plan, shares
from minitensor.backend.numpy.compiled.registers import (
    COLUMNS,
    HIGH,
    ROWS,
    add,
    add_lines,
    in_line,
    multiply,
    multiply_head,
    places,
    put,
    put_head,
    shelf,
    slide,
    zeros,
)
from minitensor.backend.numpy.memory import empty
from minitensor.backend.numpy.threads import parallel_map
from minitensor.window import Window

ONE = (0,)  # a tile of one row
TAP = 6  # multiply-adds of a matrix product that take as long as one here
PLACES = 256  # that a kernel's gradient sums in registers, about


def conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """y = the sum over taps of pixels * kernel."""
    y = empty((len(x), *window.out, kernel.shape[-1]), x.dtype)
    _convolve(_repeated(x, kernel.shape[-1]), kernel[:, :, 0], y, window, backwards=False)
    return y


def conv2d_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """x = the sum of y * kernel over the taps that read a pixel, and over its M outputs."""
    o = kernel.shape[-1]
    x = empty((len(y), *window.size, o), y.dtype)
    _convolve(y, kernel[::-1, ::-1, 0], x, window, backwards=True)
    if o == window.groups:
        return x
    total: np.ndarray = x.reshape(*x.shape[:3], window.groups, -1).sum(-1)
    return total


def conv2d_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    """kernel = the sum over images and places of pixels * y, in shares of the images."""
    (kh, kw), n, o = window.kernel, len(x), y.shape[-1]
    x, y = np.ascontiguousarray(_repeated(x, o)), np.ascontiguousarray(y)
    parts, (height, width), (pad_h, pad_w) = bands(o, x.dtype), window.size, window.pad
    axes = Axes(
        *(height, width, *window.out, kh, kw, *window.stride, *window.dilation),
        *(pad_h[0], pad_w[0], width * o, o, 0, o, o),
    )
    shares = min(IMAGE_SHARES, n)
    row = parts[-1].first + parts[-1].panels * parts[-1].width
    sums = np.zeros((shares, kh * kw * row), x.dtype)

    def work(share: int) -> None:
        images = n * share // shares, n * (share + 1) // shares
        for band in parts:
            _sum_rows(
                *(x.reshape(-1), y.reshape(-1), sums[share], axes, images, band.registers),
                *(_few(kw), band.width, band.first, band.outputs, row),
            )

    parallel_map(work, range(shares), num_threads_for(_cost(x, y, window)))
    total: np.ndarray = sums.sum(0).reshape(kh, kw, 1, row)[..., :o]
    return np.ascontiguousarray(total)


def _convolve(
    x: np.ndarray, kernel: np.ndarray, y: np.ndarray, window: Window, backwards: bool
) -> None:
    """y = W' x; or, backwards, y = W'^T x; kernel (kh, kw, O) as the places see it."""
    flat_x, flat_y = np.ascontiguousarray(x).reshape(-1), y.reshape(-1)
    w, o = np.ascontiguousarray(kernel).reshape(-1), y.shape[-1]
    num_threads = num_threads_for(_cost(x, y, window))
    wanted = pieces_for(_cost(x, y, window), num_threads)
    window = replace(window, groups=o)
    step = max(min(len(x), BLOCK_BYTES // x[0].nbytes), 1)
    taps = _few(window.kernel[1])
    stride = _few(1 if backwards else window.stride[1])

    def work(piece: tuple[Plan, Range, int]) -> None:
        tables, tiles, first = piece
        for band in bands(o, x.dtype, COLUMNS // 2):
            _convolve_tiles(
                *(flat_x, w, flat_y, tables, tiles, band.registers, taps, stride, band.width),
                *(band.first, band.outputs, o, first * x[0].size, first * y[0].size),
            )

    def pieces() -> Iterator[tuple[Plan, Range, int]]:
        for first in range(0, len(x), step):
            count = min(step, len(x) - first)
            of = window, backwards, count, o, o
            for tiles in shares(-(-wanted * count // len(x)), *of):
                yield plan(*of), tiles, first

    parallel_map(work, list(pieces()), num_threads)


def _few(number: int) -> tuple[int, ...]:
    """As kernels are told a number that their code is unrolled by; what is more is not used."""
    return tuple(range(min(number, ROWS)))


def _repeated(x: np.ndarray, outputs: int) -> np.ndarray:
    """x with each channel as often as it has outputs."""
    return x if x.shape[-1] == outputs else np.repeat(x, outputs // x.shape[-1], axis=-1)


def _cost(x: np.ndarray, y: np.ndarray, window: Window) -> int:
    """In multiply-adds of a matrix product: of the taps, or what memory takes for both images."""
    taps = TAP * len(y) * prod(window.out) * window.taps * y.shape[-1]
    return int(max(taps, SLOWNESS * (x.size + y.size)))


@compiled
def _convolve_tiles(
    x, w, y, tables, tiles, registers, taps, stride, width, first, channels, outputs, xat, yat
):  # fmt: skip
    """y[places of a tile, channels of a band] for a range of tiles."""
    for tile in range(*tiles):
        pixels = places(tables.pixels, tile * ROWS, xat, HIGH)
        targets = places(tables.targets, tile * ROWS, yat, HIGH)
        row, column, is_row = tables.tiles[tile]
        runs = tables.run_starts[column], tables.run_starts[column + 1]
        for c in range(first, first + channels, width):
            nothing, left = zeros(HIGH, registers, y), first + channels - c
            sums, chains, done, waiting = nothing, 0, 0, shelf(LEVELS, nothing)
            for u in range(tables.row_starts[row], tables.row_starts[row + 1]):
                done += runs[1] - runs[0]
                if done > CHAIN:
                    chains, done, sums = wait(sums, chains, waiting), runs[1] - runs[0], nothing
                a, b = tables.rows[u, 0] + c, tables.rows[u, 1] * outputs + c
                if is_row and left >= width:
                    sums = slide(sums, x, pixels[0] + a, outputs, taps, stride, w, b, outputs)
                    continue
                for v in range(*runs):
                    beside, tap = a + tables.runs[v, 0], b + tables.runs[v, 1] * outputs
                    if left >= width:
                        sums = multiply(sums, x, pixels, beside, w, tap)
                    else:
                        sums = multiply_head(sums, x, pixels, beside, w, tap, left)
            sums = total(sums, chains, waiting)
            if left >= width:
                put(y, targets, c, sums)
            else:
                put_head(y, targets, c, sums, left)


@compiled
def _sum_rows(x, y, sums, axes, images, registers, taps, width, first, channels, row):
    """sums[tap, c] += pixels * y for some images and a band, a few rows of places at once."""
    last = (axes.kw - 1) * axes.dilation_w - axes.left
    inner = met((0, axes.wide), axes.stride_w, -axes.left, axes.width)
    inner = met(inner, axes.stride_w, last, axes.width)
    if len(taps) < axes.kw or inner[1] < inner[0]:
        inner = 0, 0
    step = max(PLACES // axes.wide, 1)
    for n in range(*images):
        for i in range(0, axes.high, step):
            for u in range(axes.kh):
                below, tap = u * axes.dilation_h - axes.top, u * axes.kw * row
                rows = met((i, min(i + step, axes.high)), axes.stride_h, below, axes.height)
                for c in range(first, first + channels, width):
                    many = first + channels - c
                    _sum_places(
                        *(x, y, sums, axes, n, rows, inner, below, -axes.left, tap + c, row),
                        *(registers, taps, c, many, width),
                    )
                    for v in range(axes.kw):
                        beside = v * axes.dilation_w - axes.left
                        columns = met((0, axes.wide), axes.stride_w, beside, axes.width)
                        for some in (
                            (columns[0], min(columns[1], max(inner[0], columns[0]))),
                            (max(inner[1], columns[0]), columns[1]),
                        ):
                            _sum_places(
                                *(x, y, sums, axes, n, rows, some, below, beside),
                                *(tap + v * row + c, row, registers, ONE, c, many, width),
                            )


@inner
def _sum_places(
    x, y, sums, axes, n, rows, columns, below, beside, tap, row, registers, taps, c, many, width
):  # fmt: skip
    """sums[tap, tap + row, ...] += pixels * y over some places, all of whose taps see a pixel."""
    if columns[0] < columns[1] and rows[0] < rows[1]:
        nothing, wide = zeros(taps, registers, y), columns[1] - columns[0]
        some, chains, done, waiting = nothing, 0, 0, shelf(LEVELS, nothing)
        for i in range(*rows):
            line = n * axes.height + i * axes.stride_h + below
            a = line * axes.line + (columns[0] * axes.stride_w + beside) * axes.step + c
            b = ((n * axes.high + i) * axes.wide + columns[0]) * axes.outputs + c
            done += wide
            if done > CHAIN:
                chains, done, some = wait(some, chains, waiting), wide, nothing
            for _ in range(wide):
                pixels = in_line(a, axes.dilation_w * axes.step, taps)
                if many >= width:
                    some = multiply(some, x, pixels, 0, y, b)
                else:
                    some = multiply_head(some, x, pixels, 0, y, b, many)
                a += axes.stride_w * axes.step
                b += axes.outputs
        some = total(some, chains, waiting)
        if many >= width:
            add(sums, in_line(tap, row, taps), 0, some)
        else:
            add_lines(sums, in_line(tap, row, taps), 0, some, registers, many)
