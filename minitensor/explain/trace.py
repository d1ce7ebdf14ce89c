"""Which numbers make a number: the index map of every windowed op, read off its `Window`.

A windowed op multiplies triples (image pixel, filter tap, output position). Along each axis

    pixel = position * stride + tap * dilation - pad

and a triple is real where `Window.meet` says so, which is what backend/numpy/direct.py walks.
`Links` lists the triples that have one of the three fixed: the position for the op itself, the
pixel for its gradient in the input, the tap for its gradient in the filters.

What is drawn or printed is a `Sum`: its terms are products of numbers with an address each. A Sum
knows what the engine computed, and `checked` adds its terms again. Terms lie in arrays, so that a
mean of a million numbers is a Sum as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from minitensor.window import Window

Index = tuple[int, ...]
POSITION, TAP, PIXEL, REAL = range(4)  # columns of an axis' table


# ----- sums of products -----


@dataclass(frozen=True)
class Factor:
    """One factor of many terms: numbers of an array, or a plain number (`index` None)."""

    name: str
    values: np.ndarray  # (terms,)
    index: np.ndarray | None = None  # (terms, axes); may lie outside of the array, on padding

    @staticmethod
    def of(name: str, array: np.ndarray, index: np.ndarray) -> Factor:
        """The numbers of `array` at each row of `index`; 0 on padding."""
        inside = ((index >= 0) & (index < array.shape)).all(1)
        values = np.zeros(len(index))
        values[inside] = array[tuple(index[inside].T)]
        return Factor(name, values, index)

    @staticmethod
    def plain(name: str, value: float, count: int = 1) -> Factor:
        """A number without an address, in each of `count` terms."""
        return Factor(name, np.full(count, value, float))

    def cell(self, k: int) -> Cell:
        """This factor of term k."""
        at = None if self.index is None else tuple(map(int, self.index[k]))
        return Cell(self.name, at, float(self.values[k]))


class Cell(NamedTuple):
    """A number of a term: the array it stands in, where, and what it is."""

    name: str
    at: Index | None
    value: float


class Term(NamedTuple):
    """One product: its factors, its value, and whether it was read from the image, not padding."""

    cells: tuple[Cell, ...]
    value: float
    real: bool


@dataclass(frozen=True)
class Block:
    """Terms that have the same factors; `place` is where each is drawn, by its tap or position."""

    factors: tuple[Factor, ...]
    real: np.ndarray | None = None  # (terms,); None where no term is on padding
    place: np.ndarray | None = None  # (terms, spatial axes)
    part: np.ndarray | None = None  # (terms,): the channel or image, where there are several grids

    def __len__(self) -> int:
        return len(self.factors[0].values)

    @cached_property
    def values(self) -> np.ndarray:
        """(terms,) products; 0 on padding, whatever would be multiplied there."""
        product: np.ndarray = np.ones(len(self))
        for factor in self.factors:
            product = product * factor.values
        return product if self.real is None else np.where(self.real, product, 0.0)

    def term(self, k: int) -> Term:
        """Term k."""
        real = self.real is None or bool(self.real[k])
        return Term(tuple(f.cell(k) for f in self.factors), float(self.values[k]), real)


@dataclass(frozen=True)
class Sum:
    """One number, the terms that add up to it, and the sums that were needed before it.

    Iterating gives its `Term`s. `value` is what the engine computed; of a number between, which
    the engine keeps to itself, it is the sum. `function` is what is done with the sum, if anything.
    """

    name: str
    at: Index
    blocks: tuple[Block, ...]
    value: float
    dtype: np.dtype = field(default_factory=lambda: np.dtype("float64"))
    before: tuple[Sum, ...] = ()
    slack: float = 1.0  # how much more the numbers between may be off than one rounding
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()  # what else is to be said: word, numbers

    @staticmethod
    def between(name: str, at: Index, *blocks: Block) -> Sum:
        """A number that the engine computes on its way and does not show."""
        return Sum(name, at, blocks, added(np.concatenate([b.values for b in blocks])))

    def __len__(self) -> int:
        return sum(map(len, self.blocks))

    def __iter__(self) -> Iterator[Term]:
        return (block.term(k) for block in self.blocks for k in range(len(block)))

    @property
    def total(self) -> float:
        """The terms, added once more, without rounding."""
        return added(np.concatenate([block.values for block in self.blocks]))

    @cached_property
    def is_exact(self) -> bool:
        """Whether all factors are integers, so small that the engine cannot round."""
        values = [f.values for block in self.blocks for f in block.factors]
        whole = all(bool((v == np.rint(v)).all()) for v in values)
        return whole and self._size < 2.0 ** -math.log2(self._epsilon)

    @property
    def bound(self) -> float:
        """How far the engine may be off: 0 for integers, else a rounding for each term."""
        if self.is_exact:
            return 0.0
        count = len(self) + 8 + sum(map(len, self.before))
        return count * self._epsilon * self._size * self.slack + float(np.finfo("float32").tiny)

    @property
    def _size(self) -> float:
        return sum(float(np.abs(block.values).sum()) for block in self.blocks)

    @property
    def _epsilon(self) -> float:
        return float(np.finfo(self.dtype).eps) if self.dtype.kind == "f" else 2.0**-53

    def checked(self) -> Sum:
        """Itself, after its terms were added and compared with the engine's number.

        Raises:
            ArithmeticError: they are not the same.
        """
        total = self.total
        if not math.isfinite(self.value):  # it may have overflowed, and infinities may meet
            largest = float(np.finfo(self.dtype).max) if self.dtype.kind == "f" else 0.0
            same = not abs(total) <= largest
        else:
            same = abs(total - self.value) <= self.bound
        if not same:
            raise ArithmeticError(
                f"{self.name}{list(self.at)}: the engine says {self.value!r} but its {len(self)} "
                f"terms add up to {total!r}; the bound is {self.bound:.3g}"
            )
        return self


def added(values: Sequence[float] | np.ndarray) -> float:
    """The sum, rounded once; of what is not finite as NumPy has it."""
    try:
        return math.fsum(values)
    except (ValueError, OverflowError):  # infinities of both signs; more than the largest number
        with np.errstate(invalid="ignore", over="ignore"):
            return float(np.sum(values))


# ----- the index map of a window -----


@lru_cache(maxsize=64)
def axis_table(window: Window, axis: int) -> np.ndarray:
    """(positions * taps, 4): position, tap, pixel, and whether that pixel is real."""
    positions, taps = window.out[axis], window.kernel[axis]
    position, tap = np.indices((positions, taps))
    pixel = position * window.stride[axis] + tap * window.dilation[axis] - window.pad[axis][0]
    real = np.zeros_like(position)
    for number in range(taps):
        if met := window.meet(axis, number):
            real[met[0], number] = 1
    table = np.stack([position, tap, pixel, real], axis=-1)  # (positions, taps, 4)
    return table.reshape(-1, 4)


@dataclass(frozen=True)
class Links:
    """The triples of one windowed op, each member by its index:

    image (n, pixels, input channel), taps (taps, c, o), positions (n, positions, output channel).

    `depth` is the window over the first of three axes. Where `filters` is None, as in pooling,
    taps have no channels: (taps), and every channel is a row of its own.
    """

    depth: Window | None
    plane: Window
    rank: int
    batch: int
    channels: int
    filters: int | None  # output channels

    @cached_property
    def axes(self) -> tuple[tuple[Window, int], ...]:
        """(window, axis of it) of each spatial axis."""
        plane = ((self.plane, 0), (self.plane, 1))
        if self.depth is not None:
            return ((self.depth, 0), *plane)
        return plane[2 - self.rank :]

    @property
    def out(self) -> Index:
        """Positions along each axis."""
        return tuple(window.out[axis] for window, axis in self.axes)

    @cached_property
    def _channel_table(self) -> np.ndarray:
        """(links, 3): output channel, channel of a filter, input channel."""
        if self.filters is None:
            return np.repeat(np.arange(self.channels)[:, None], 3, axis=1)
        groups = self.plane.groups
        each, made = self.channels // groups, self.filters // groups
        o, c = np.indices((self.filters, each)).reshape(2, -1)
        return np.stack([o, c, o // made * each + c], axis=-1)

    def of(self, role: str, at: Sequence[int]) -> Triples:
        """All triples with one member fixed: role is "positions", "taps" or "image"."""
        column = ("positions", "taps", "image").index(role)
        spatial = [axis_table(*axis) for axis in self.axes]
        images = np.repeat(np.arange(self.batch)[:, None], 3, axis=1)
        channels = self._channel_table
        if role == "taps":
            taps = at[: self.rank]
            if self.filters is not None:
                c, o = at[self.rank :]
                channels = channels[(channels[:, 0] == o) & (channels[:, 1] == c)]
        else:
            images = images[images[:, 0] == at[0]]
            channels = channels[channels[:, column] == at[-1]]
            taps = tuple(at[1:-1])
        spatial = [t[t[:, column] == i] for t, i in zip(spatial, taps, strict=True)]
        if role != "positions":  # nothing is gathered from padding, or for it
            spatial = [t[t[:, REAL] == 1] for t in spatial]
        return Triples.product(images, spatial, channels, self.filters is not None)


class Triples(NamedTuple):
    """Rows of links: where each is in the three arrays, and whether its pixel is real."""

    positions: np.ndarray  # (links, axes)
    taps: np.ndarray
    image: np.ndarray
    real: np.ndarray  # (links,)

    @staticmethod
    def product(
        images: np.ndarray, spatial: list[np.ndarray], channels: np.ndarray, has_filters: bool
    ) -> Triples:
        """Every image with every row of each axis and every channel, in row-major order."""
        tables = [images, *spatial, channels]
        which = np.indices([len(table) for table in tables]).reshape(len(tables), -1)
        rows = [table[k] for table, k in zip(tables, which, strict=True)]
        first, *inner, last = rows

        def index(column: int, *ends: np.ndarray) -> np.ndarray:
            middle = [row[:, column] for row in inner]
            return np.stack([*middle, *ends] if column == TAP else [first[:, 0], *middle, *ends], 1)

        real = np.ones(len(first), bool)
        for row in inner:
            real &= row[:, REAL] == 1
        taps = index(TAP, *((last[:, 1], last[:, 0]) if has_filters else ()))
        return Triples(index(POSITION, last[:, 0]), taps, index(PIXEL, last[:, 2]), real)
