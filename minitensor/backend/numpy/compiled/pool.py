"""Pooling, one output row after the other: rows of an image first, then the columns under a window.

    y[i, j] = of rows under i (of columns under j): the image is read once, the rest is in the cache

So sums are of kh and of kw numbers, not of kh * kw. Lines are rows of images: x (N * H, W * C) and
y (N * h, w * C). Which tap won is looked for in row-major order, two taps at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minitensor.backend.numpy.blocks import SLOWNESS, num_threads_for, pieces_for
from minitensor.backend.numpy.compiled.flat import add, fill, raise_to
from minitensor.backend.numpy.compiled.give import give
from minitensor.backend.numpy.compiled.jit import compiled, inner
from minitensor.backend.numpy.compiled.registers import COLUMNS, lanes, take_head
from minitensor.backend.numpy.memory import empty
from minitensor.backend.numpy.threads import parallel_map
from minitensor.window import Window


class Axis(NamedTuple):
    """A window along rows or along columns."""

    size: int
    out: int
    taps: int
    stride: int
    dilation: int
    before: int


def max_pool(x: np.ndarray, window: Window) -> np.ndarray:
    """The maximum of each window's real pixels; NaN if one of them is."""
    y = empty((len(x), *window.out, x.shape[-1]), x.dtype)
    _each_row(_max_rows, x, y, window)
    return y


def avg_pool(x: np.ndarray, window: Window) -> np.ndarray:
    """The mean of each window's real pixels."""
    y = empty((len(x), *window.out, x.shape[-1]), x.dtype)
    _each_row(_mean_rows, x, y, window)
    return y


def avg_pool_grad(g: np.ndarray, window: Window) -> np.ndarray:
    """Each g is spread evenly over its window's real pixels."""
    x = empty((len(g), *window.size, g.shape[-1]), g.dtype)
    _each_image(_spread, window, _lines(g), _lines(x))
    return x


def window_argmax(x: np.ndarray, window: Window) -> np.ndarray:
    """The tap of each window's first maximum, or first NaN."""
    index = empty((len(x), *window.out, x.shape[-1]), np.int32)
    _each_row(_winners, x, index, window)
    return index


def put_tap(g: np.ndarray, index: np.ndarray, window: Window) -> np.ndarray:
    """Each g is added to the pixel under tap `index` of its window."""
    x = empty((len(g), *window.size, g.shape[-1]), g.dtype)
    _each_image(_put, window, _lines(g), _lines(index), _lines(x))
    return x


def max_pool_grad(g: np.ndarray, x: np.ndarray, window: Window) -> np.ndarray:
    """Each g is added to the pixel of x that won its window."""
    lane = lanes(x.dtype)
    registers = tuple(range(0, min(-(-x.shape[-1] // lane), COLUMNS) * lane, lane))
    lines = _lines(g), _lines(x), empty((len(x) * x.shape[1], x[0, 0].size), x.dtype)
    flat = tuple(each.reshape(-1) for each in lines)
    _each_image(partial(_give, flat, registers, lane), window, *lines)
    return lines[-1].reshape(x.shape)


def _lines(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x).reshape(len(x) * x.shape[1], -1)


def _axes(window: Window) -> list[Axis]:
    return [
        Axis(size, out, taps, stride, dilation, pad[0])
        for size, out, taps, stride, dilation, pad in zip(
            window.size, window.out, window.kernel, window.stride, window.dilation, window.pad,
            strict=True,
        )
    ]  # fmt: skip


def _each_row(kernel: Callable[..., Any], x: np.ndarray, y: np.ndarray, window: Window) -> None:
    """kernel(x, y, row and column axes, channels, range of y's lines, scratch line)."""
    lines, out, channels = _lines(x), _lines(y), x.shape[-1]
    num_threads = num_threads_for(SLOWNESS * x.size)
    pieces = min(pieces_for(SLOWNESS * x.size, num_threads), len(out)) if num_threads > 1 else 1

    def work(k: int) -> None:
        part = len(out) * k // pieces, len(out) * (k + 1) // pieces
        kernel(lines, out, *_axes(window), channels, part, np.empty(lines.shape[1], x.dtype))

    parallel_map(work, range(pieces), num_threads)


def _each_image(kernel: Callable[..., Any], window: Window, *lines: np.ndarray) -> None:
    """kernel(*lines, row and column axes, range of images, two scratch lines)."""
    x = lines[-1]
    images = len(x) // window.size[0]
    num_threads = num_threads_for(SLOWNESS * x.size)
    pieces = min(pieces_for(SLOWNESS * x.size, num_threads), images) if num_threads > 1 else 1

    def work(k: int) -> None:
        part = images * k // pieces, images * (k + 1) // pieces
        line = max(x.shape[1], lines[0].shape[1])
        kernel(*lines, *_axes(window), part, np.empty((2, line), x.dtype))

    parallel_map(work, range(pieces), num_threads)


@inner
def _seen(axis, i):
    """Where window i begins, and the range of its taps that lie on the image."""
    start = i * axis.stride - axis.before
    first = max(-(start // axis.dilation), 0)
    return start, first, min((axis.size - 1 - start) // axis.dilation + 1, axis.taps)


# ----- vectors: a row of an image, or the channels of a pixel -----


@inner
def _copy(y, a):
    for k in range(len(y)):
        y[k] = a[k]


@inner
def _set_larger(y, a, b):
    """y = max(a, b): a if they are equal, NaN if either is."""
    for k in range(len(y)):
        y[k] = a[k] if a[k] >= b[k] or a[k] != a[k] else b[k]


@inner
def _set_sum(y, a, b):
    for k in range(len(y)):
        y[k] = a[k] + b[k]


@inner
def _divide(y, count):
    for k in range(len(y)):
        y[k] /= y.dtype.type(count)


@inner
def _add_divided(y, a, count):
    for k in range(len(y)):
        y[k] += a[k] / y.dtype.type(count)


@inner
def _add_where(y, a, index, tap):
    for k in range(len(y)):
        y[k] += a[k] if index[k] == tap else y.dtype.type(0)


@inner
def _find(best, index, a, first, b, second):
    """Puts a, tap `first`, and b, tap `second`, in where they beat the best; a first NaN stays."""
    for k in range(len(best)):
        top, tap = best[k], index[k]
        wins = a[k] > top or (a[k] != a[k] and top == top)
        top, tap = (a[k], first) if wins else (top, tap)
        wins = b[k] > top or (b[k] != b[k] and top == top)
        best[k], index[k] = (b[k], second) if wins else (top, tap)


# ----- forward: along rows, then along columns -----


@compiled
def _max_rows(x, y, rows, columns, channels, part, line):
    for at in range(*part):
        start = at // rows.out * rows.size
        _max_row(x[start : start + rows.size], y[at], rows, columns, channels, at % rows.out, line)


@inner
def _max_row(x, y, rows, columns, channels, i, line):
    """y = row i of the maxima of the image x."""
    top, u, end = _seen(rows, i)
    if u < end:
        below = min(u + 1, end - 1)
        _set_larger(line, x[top + u * rows.dilation], x[top + below * rows.dilation])
    for tap in range(u + 2, end):
        raise_to(line, x[top + tap * rows.dilation])
    for j in range(columns.out):
        best = y[j * channels : (j + 1) * channels]
        left, v, last = _seen(columns, j)
        if u >= end or v >= last:
            fill(best, -np.inf)
            continue
        a = (left + v * columns.dilation) * channels
        b = (left + min(v + 1, last - 1) * columns.dilation) * channels
        _set_larger(best, line[a : a + channels], line[b : b + channels])
        for tap in range(v + 2, last):
            a = (left + tap * columns.dilation) * channels
            raise_to(best, line[a : a + channels])


@compiled
def _mean_rows(x, y, rows, columns, channels, part, line):
    for at in range(*part):
        top, u, end = _seen(rows, at % rows.out)
        top += at // rows.out * rows.size
        height = end - u
        if height > 1:
            _set_sum(line, x[top + u * rows.dilation], x[top + (u + 1) * rows.dilation])
            u += 2
        else:
            fill(line, 0.0)
        for tap in range(u, end):
            add(line, x[top + tap * rows.dilation])
        for j in range(columns.out):
            mean = y[at, j * channels : (j + 1) * channels]
            left, v, last = _seen(columns, j)
            width = last - v
            if width > 1:
                a = (left + v * columns.dilation) * channels
                b = a + columns.dilation * channels
                _set_sum(mean, line[a : a + channels], line[b : b + channels])
                v += 2
            else:
                fill(mean, 0.0)
            for tap in range(v, last):
                a = (left + tap * columns.dilation) * channels
                add(mean, line[a : a + channels])
            _divide(mean, max(height * width, 1))


# ----- back: a row is written where nothing was yet, and added to where something is -----


@inner
def _clear(x, new, end):
    """Zeros in rows new ... end - 1; the first row that has nothing yet."""
    for row in range(new, end):
        fill(x[row], 0.0)
    return max(new, end)


@compiled
def _spread(g, x, rows, columns, images, scratch):
    channels, line = x.shape[1] // columns.size, scratch[0, : x.shape[1]]
    for n in range(*images):
        start = n * rows.size
        new = start
        for i in range(rows.out):
            top, u, end = _seen(rows, i)
            fill(line, 0.0)
            for j in range(columns.out):
                left, v, last = _seen(columns, j)
                count = max((end - u) * (last - v), 1)
                source = g[n * rows.out + i, j * channels : (j + 1) * channels]
                for tap in range(v, last):
                    a = (left + tap * columns.dilation) * channels
                    _add_divided(line[a : a + channels], source, count)
            for tap in range(u, end):
                row = start + top + tap * rows.dilation
                if row < new:
                    add(x[row], line)
                else:
                    _clear(x, new, row)
                    _copy(x[row], line)
                    new = row + 1
        _clear(x, new, start + rows.size)


@compiled
def _winners(x, index, rows, columns, channels, part, best):
    """index = the tap of the first maximum, in row-major order."""
    best = best[:channels]
    for at in range(*part):
        top, u, end = _seen(rows, at % rows.out)
        top += at // rows.out * rows.size
        for j in range(columns.out):
            winner = index[at, j * channels : (j + 1) * channels]
            left, v, last = _seen(columns, j)
            fill(winner, 0 if u >= end or v >= last else u * columns.taps + v)
            for row in range(u, end):
                line = x[top + row * rows.dilation]
                for tap in range(v, last, 2):
                    beside = min(tap + 1, last - 1)
                    a = (left + tap * columns.dilation) * channels
                    b = (left + beside * columns.dilation) * channels
                    if row == u and tap == v:
                        _copy(best, line[a : a + channels])
                    _find(
                        *(best, winner, line[a : a + channels], row * columns.taps + tap),
                        *(line[b : b + channels], row * columns.taps + beside),
                    )


@compiled
def _put(g, index, x, rows, columns, images, scratch):
    channels = x.shape[1] // columns.size
    for n in range(*images):
        start = n * rows.size
        new = start
        for i in range(rows.out):
            top, u, end = _seen(rows, i)
            if u < end:
                new = _clear(x, new, start + top + (end - 1) * rows.dilation + 1)
            for j in range(columns.out):
                left, v, last = _seen(columns, j)
                source = g[n * rows.out + i, j * channels : (j + 1) * channels]
                winner = index[n * rows.out + i, j * channels : (j + 1) * channels]
                for row in range(u, end):
                    line = x[start + top + row * rows.dilation]
                    for tap in range(v, last):
                        a = (left + tap * columns.dilation) * channels
                        number = row * columns.taps + tap
                        _add_where(line[a : a + channels], source, winner, number)
        _clear(x, new, start + rows.size)


@compiled
def _give(flat, registers, lane, g, x, given, rows, columns, images, scratch):
    """The maxima of a row are found anew: they say which pixels win, and these are in the cache."""
    channels, width = x.shape[1] // columns.size, len(registers) * lane
    best, line = scratch[0], scratch[1, : x.shape[1]]
    all_g, all_x, all_given = flat
    for n in range(*images):
        start = n * rows.size
        new = start
        for i in range(rows.out):
            _max_row(x[start : start + rows.size], best, rows, columns, channels, i, line)
            top, u, end = _seen(rows, i)
            if u < end:
                new = _clear(given, new, start + top + (end - 1) * rows.dilation + 1)
            for j in range(columns.out):
                left, v, last = _seen(columns, j)
                for c in range(0, channels, width):
                    many, at = min(channels - c, width), j * channels + c
                    rest = take_head(registers, all_g, ((n * rows.out + i) * g.shape[1],), at, many)
                    tops = take_head(registers, best, (0,), at, many)
                    for row in range(
                        top + u * rows.dilation, top + end * rows.dilation, rows.dilation
                    ):
                        first = (start + row) * x.shape[1] + left * channels + c
                        for tap in range(v, last):
                            pixel = first + tap * columns.dilation * channels
                            rest = give(rest, tops, all_x, all_given, pixel, many)
        _clear(given, new, start + rows.size)
