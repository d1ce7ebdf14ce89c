"""Other ways to see a windowed op: the matrix of patches, the matrix W', what algorithms cost."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from statistics import median
from typing import Any

import numpy as np

import minitensor
from minitensor import nn
from minitensor.backend.numpy.threads import one_blas_thread
from minitensor.backend.settings import algorithm
from minitensor.explain import ops
from minitensor.explain.normalised import Normalised
from minitensor.explain.ops import Call, Map, Op
from minitensor.explain.trace import PIXEL, REAL, Index, Links, added, axis_table
from minitensor.explain.windowed import Convolved, whole
from minitensor.window import Window

ROWS = 16  # of im2col that are shown
LARGE = 2**16  # entries of im2col above which only rows near the number are made


# ----- im2col -----


@dataclass(frozen=True)
class Columns:
    """Rows of im2col: `array[r]` is the patch of output position `positions[r]`.

    `pointers[r, k]` is the index in the image of entry k; on padding it lies outside. `total` is
    how many rows there are; if more than are here, these are those around the number, from row
    `start` on.
    """

    array: np.ndarray  # (rows, taps * channels)
    pointers: np.ndarray  # (rows, taps * channels, axes)
    positions: tuple[Index, ...]  # (n, positions)
    total: int
    start: int = 0

    def row(self, position: Index) -> int:
        """The row of an output position (n, positions)."""
        return self.positions.index(position)


def columns(found: Map, at: Index | None) -> Columns:
    """The rows for all positions, or for those around the one at `at` if they were too many."""
    links, sides = _windowed(found, "im2col")
    side = sides["positions" if found.transposed else "image"]
    if found.transposed:
        raise ValueError("im2col: a transposed convolution has col2im; explain the convolution")
    links = replace(links, filters=None, plane=replace(links.plane, groups=1))
    positions = [(n, *p) for n in range(links.batch) for p in np.ndindex(*links.out)]
    width = prod(window.kernel[axis] for window, axis in links.axes) * links.channels
    chosen, start = positions, 0
    if len(positions) * width > LARGE:
        here = positions.index(position(links, side.first, at)) if at else 0
        start = min(max(here - ROWS // 2, 0), max(len(positions) - ROWS, 0))
        chosen = positions[start : start + ROWS]
    rows, pointers = [], []
    for n, *place in chosen:
        index = links.of("positions", (n, *place, 0)).image  # (taps, axes)
        every = np.repeat(index, links.channels, axis=0)
        every[:, -1] = np.tile(np.arange(links.channels), len(index))
        factor = side.factor(every)
        rows.append(factor.values)
        pointers.append(factor.index)
    shown = tuple(tuple(p) for p in chosen)
    return Columns(np.array(rows), np.array(pointers), shown, len(positions), start)


def position(links: Links, first: bool, at: Index) -> Index:
    """(n, positions) of an output's index."""
    return (at[0], *at[2:]) if first else at[: links.rank + 1]


def _windowed(found: Map, view: str) -> tuple[Links, dict[str, Any]]:
    if found.links is None or found.sides is None:
        raise ValueError(f"the view {view!r} is for ops that slide a window")
    return found.links, found.sides


# ----- W' -----


def matrix(call: Call, found: Map) -> Any:
    """W' of a convolution over one or two axes, or of the one whose transpose was called."""
    links, sides = _windowed(found, "matrix")
    if not isinstance(found.tracer, Convolved) or links.rank not in (1, 2):
        raise ValueError(f"the view 'matrix' is for convolutions over one or two axes: {call.op}")
    kernel, window = sides["taps"].array, links.plane
    if sides["taps"].multiplier:
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    kernel = kernel.reshape(*[1] * (4 - kernel.ndim), *kernel.shape)
    pads = [[0, 0], *map(list, window.pad), [0, 0]]
    shape = (*window.size, links.channels)
    return nn.conv2d_matrix(kernel, shape, window.stride, pads, window.dilation)


# ----- a transposed convolution -----


@dataclass(frozen=True)
class ThreeWays:
    """One output of a transposed convolution, computed in three ways.

    Shown are the planes of the first input channel; the numbers are those of all of them.
    """

    at: Index  # row and column of the output
    scattered: float  # each input times the weight with which it is stamped here
    zeros: Index  # that stand between two inputs
    stretched: np.ndarray  # the input with zeros between, padded
    turned: np.ndarray  # the kernel, turned by 180 degrees
    cells: np.ndarray  # (taps, 2): what the turned kernel reads
    slid: float
    row: int  # of W'^T
    products: list[tuple[float, float]]  # (weight, input) along that row, where not zero
    multiplied: float
    overlap: np.ndarray  # how many inputs reach each output


def three_ways(call: Call, found: Map, at: Index) -> ThreeWays:
    """The three views of the number at `at` of a transposed convolution over two axes."""
    links, sides = _windowed(found, "scatter")
    if not found.transposed or call.asked != "output" or links.rank != 2 or "taps" not in sides:
        raise ValueError("the view 'scatter' is for the output of a conv2d_transpose")
    window, kernel, y = links.plane, sides["taps"].array, sides["positions"].array
    y = np.moveaxis(y, 1, -1) if sides["positions"].first else y
    n, i, j, channel = sides["image"].hidden(at)
    each, made = links.channels // window.groups, y.shape[-1] // window.groups
    group, c = divmod(channel, each)
    inputs = range(group * made, (group + 1) * made)
    spans = [(k - 1) * d + 1 for k, d in zip(window.kernel, window.dilation, strict=True)]
    shape = [size + span - 1 for size, span in zip(window.size, spans, strict=True)]
    cells = np.array([(i + u * window.dilation[0], j + v * window.dilation[1])
                      for u, v in np.ndindex(*window.kernel)])  # fmt: skip
    planes = [_stretched(y[n, ..., o], shape, spans, window) for o in inputs]
    turned = [kernel[::-1, ::-1, c, o] for o in inputs]
    read = [plane[tuple(cells.T)].reshape(window.kernel) for plane in planes]
    triples = links.of("image", (n, i, j, channel))
    stamped = kernel[tuple(triples.taps.T)].astype(float) @ y[tuple(triples.positions.T)]
    row = int(np.ravel_multi_index((i, j, channel), (*window.size, links.channels)))
    w = matrix(call, found)
    along = np.flatnonzero(w.columns == row)
    along = along[np.argsort(w.rows[along])]
    products = [*zip(w.values[along].tolist(), y[n].ravel()[w.rows[along]].tolist(), strict=True)]
    reached = (t[t[:, REAL] == 1, PIXEL] for t in (axis_table(window, 0), axis_table(window, 1)))
    counts = [np.bincount(pixels, minlength=size) for pixels, size in
              zip(reached, window.size, strict=True)]  # fmt: skip
    return ThreeWays(
        (i, j),
        scattered=float(stamped),
        zeros=tuple(s - 1 for s in window.stride),
        stretched=planes[0],
        turned=turned[0],
        cells=cells,
        slid=float(sum((r * t).sum() for r, t in zip(read, turned, strict=True))),
        row=row,
        products=products,
        multiplied=added([weight * value for weight, value in products]),
        overlap=np.outer(*counts),
    )


def _stretched(y: np.ndarray, shape: list[int], spans: list[int], window: Window) -> np.ndarray:
    """Zeros between the numbers of a plane, and around it, so that the turned kernel just fits."""
    plane = np.zeros(shape)
    for place in np.ndindex(*y.shape):
        where = [p * s + k - 1 - pad[0] for p, s, k, pad in
                 zip(place, window.stride, spans, window.pad, strict=True)]  # fmt: skip
        if all(0 <= p < size for p, size in zip(where, shape, strict=True)):
            plane[tuple(where)] = y[place]
    return plane


# ----- what a stack of windows reads -----


def paths(windows: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """On how many paths each pixel reaches one number of the last op; 0 where it never does.

    `windows` are the ops of a stack along one axis, the first one first: taps, stride, dilation.

    Example:
        >>> from minitensor.explain.views import paths
        >>> paths([(3, 1, 1), (3, 1, 1)]).tolist()
        [1, 2, 3, 2, 1]
        >>> paths([(3, 1, 2), (3, 1, 2)]).tolist()
        [1, 0, 2, 0, 3, 0, 2, 0, 1]
    """
    return _stamped(np.ones(1, int), windows[::-1])


INPUTS = 8  # of a transposed convolution, whose overlaps are counted


def overlaps(windows: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """On how many paths `INPUTS` inputs reach each output of a stack of transposed windows.

    Example:
        >>> from minitensor.explain.views import overlaps
        >>> overlaps([(3, 2, 1)]).tolist()
        [1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 1]
    """
    return _stamped(np.ones(INPUTS, int), windows)


def _stamped(counts: np.ndarray, windows: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """Each count is stamped onto the taps of its window, and what meets is added."""
    for taps, stride, dilation in windows:
        apart, window = (np.zeros((n - 1) * step + 1, int) for n, step in
                         ((len(counts), stride), (taps, dilation)))  # fmt: skip
        apart[::stride], window[::dilation] = counts, 1
        counts = np.convolve(apart, window)
    return counts


def reach(found: Map, times: int) -> list[tuple[int, np.ndarray]]:
    """Of the op so many times in a row, for each axis: (axis, `paths`); an axis like another once.

    Of a transposed convolution they are `overlaps`.

    Raises:
        ValueError: the op slides no window over pixels.
    """
    links, _ = _windowed(found, "reach")
    if times < 1:
        raise ValueError(f"reach({times}): the op is applied at least once")
    windows = [(w.kernel[a], w.stride[a], w.dilation[a]) for w, a in links.axes]
    count = overlaps if found.transposed else paths
    return [(windows.index(w), count([w] * times)) for w in dict.fromkeys(windows)]


# ----- moving statistics -----

STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Moving:
    """What batch normalisation keeps of a channel whose batches are all like this one."""

    mean: float  # of the batch
    variance: float
    count: int  # numbers that share them
    kept: dict[float, list[tuple[float, float]]]  # of a momentum: mean, variance after `STEPS`


def moving(call: Call, found: Map, at: Index) -> Moving:
    """moving = moving * momentum + batch * (1 - momentum), from mean 0 and variance 1.

    Raises:
        ValueError: the op is no batch normalisation in training.
    """
    norm = found.tracer
    is_batch = isinstance(norm, Normalised) and call.op == "fused_batch_norm" and norm.given is None
    if not is_batch or call.asked != "output":
        raise ValueError("the view 'moving' is for the output of a batch_norm in training")
    assert isinstance(norm, Normalised)
    members = norm.sharing(at)
    numbers = norm.x[tuple(members.T)].astype(float)
    mean, variance = float(numbers.mean()), float(numbers.var())
    kept: dict[float, list[tuple[float, float]]] = {}
    for momentum in (0.9, 0.99):
        state, kept[momentum] = (0.0, 1.0), []
        for step in range(1, STEPS[-1] + 1):
            new = zip(state, (mean, variance), strict=True)
            state = tuple(old * momentum + now * (1 - momentum) for old, now in new)  # type: ignore[assignment]
            if step in STEPS:
                kept[momentum].append(state)
    return Moving(mean, variance, len(members), kept)


# ----- cost -----


@dataclass(frozen=True)
class Cost:
    """What one algorithm needs for the whole call; seconds are predicted from this machine's speed.

    `measured` is None where the engine does not have the algorithm for these sizes.
    """

    algorithm: str
    macs: int
    extra_bytes: int
    predicted: float
    measured: float | None


def costs(call: Call, op: Op, found: Map) -> tuple[Cost, ...]:
    """The algorithms for a convolution; of another windowed op only its own count."""
    links, _ = _windowed(found, "cost")
    item = call.output.dtype.itemsize
    positions, taps = (
        prod(w.out[a] for w, a in links.axes),
        prod(w.kernel[a] for w, a in links.axes),
    )
    if not isinstance(found.tracer, Convolved) or not links.rank:
        count = links.batch * positions * taps * links.channels * (links.filters or 1)
        return (_cost(call, op, found, "direct", count, 0, None),)
    each, filters = links.channels // links.plane.groups, links.filters or 1
    macs = links.batch * positions * taps * each * filters
    inputs, outputs = prod(w.size[a] for w, a in links.axes) * links.channels, positions * filters
    rows = [
        ("direct", macs, 0),
        ("im2col", macs, links.batch * positions * taps * links.channels * item),
        ("matrix", links.batch * inputs * outputs, inputs * outputs * item),
    ]
    if taps == 9 and links.rank == 2 and links.plane.stride == links.plane.dilation == (1, 1):
        tiles = links.batch * prod(-(-n // 2) for n in links.out)
        rows.append(("winograd", tiles * 16 * each * filters, 16 * each * filters * item))
    return tuple(_cost(call, op, found, *row, row[0]) for row in rows)


def _cost(
    call: Call, op: Op, found: Map, name: str, macs: int, extra: int, pinned: str | None
) -> Cost:
    rate, bandwidth = speed()
    moved = sum(whole(v).nbytes for v in call.arguments.values() if hasattr(v, "numpy"))
    predicted = macs / rate + (moved + call.output.nbytes + 2 * extra) / bandwidth
    return Cost(name, macs, extra, predicted, _measured(call, op, pinned))


def _measured(call: Call, op: Op, pinned: str | None) -> float | None:
    """The median time of the call, by one algorithm; None if it is refused."""

    def once() -> float:
        start = time.perf_counter()
        ops.computed(minitensor, op, call.arguments, "output")
        return time.perf_counter() - start

    try:
        if pinned is None:
            return median(once() for _ in range(5))
        with algorithm(pinned):
            once()
            return median(once() for _ in range(5))
    except (ValueError, ImportError):
        return None


@lru_cache(maxsize=1)
def speed() -> tuple[float, float]:
    """Multiply-adds and bytes a second of this machine: a matrix product, a copy."""
    a = np.ones((512, 512), np.float32)
    big = np.ones(2**21, np.float32)

    def best(work: Any) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return min(times)

    product = best(lambda: a @ a)
    with one_blas_thread():  # several wait for one another where others are at work
        product = min(product, best(lambda: a @ a))
    return 512**3 / product, 2 * big.nbytes / best(big.copy)


# ----- TensorFlow -----


def check(call: Call, op: Op, library: str) -> str:
    """One line that says how far TensorFlow's numbers are off, all of them."""
    if library != "tf":
        raise ValueError(f"check {library!r}: legal is 'tf'")
    from minitensor.extras import require
    from minitensor.parity.reference import tensorflow

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what it says of this machine is no news
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    require("explain --check tf", "tensorflow", extra="tf")
    tf = tensorflow()
    there = replace(op, path="compat.v1." + op.path) if "fused" in op.path else op
    if there.function(tf) is None:
        return f"TensorFlow has no {op.path}"
    given = {
        k: tf.constant(v.numpy()) if hasattr(v, "numpy") else v for k, v in call.arguments.items()
    }
    output, numbers, _ = ops.computed(tf, there, given, call.asked, call.gradient)
    lines = [_difference("output", call.output, output)]
    if call.asked != "output":
        lines.append(_difference(call.name, call.numbers, numbers))
    return f"tf.{there.path}: " + "; ".join(lines)


def _difference(name: str, ours: np.ndarray, theirs: np.ndarray) -> str:
    difference = float(np.abs(ours.astype(float) - theirs).max(initial=0))
    size = float(np.abs(theirs).max(initial=1))
    if not difference <= 1000 * float(np.finfo(ours.dtype).eps) * size:
        raise ArithmeticError(f"{name}: TensorFlow's numbers differ by {difference:g}")
    return f"{name}: largest difference {difference:g} over {ours.size} numbers"
