"""The planes of an explanation: what text prints and pictures draw, cropped around what is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from minitensor.explain.trace import Block, Factor, Sum
from minitensor.explain.windowed import Side
from minitensor.window import Pair

if TYPE_CHECKING:
    from minitensor.explain.explanation import Explanation

MOST = 12  # rows and columns: a larger plane is cropped
CROPPED, LARGEST = 8, 16  # to as many, or to what is read and one more around it, at most so many
PARTS = 3  # channels, or images, of which planes are shown
KERNEL = "kernel"
NO_PADS = ((0, 0), (0, 0))


@dataclass(frozen=True)
class Plane:
    """Numbers in rows and columns, the cells that are read, and the part of it that is shown.

    The box (top, left, bottom, right) may reach beyond the numbers: there is padding.
    """

    role: str  # "input", "kernel", "output", or what is asked for
    address: str  # input[0, :, :, 2]
    array: np.ndarray  # (rows, columns)
    cells: np.ndarray  # (lit, 2)
    box: tuple[int, int, int, int]

    @property
    def is_cropped(self) -> bool:
        """Whether some of the numbers are not shown."""
        top, left, bottom, right = self.box
        return top > 0 or left > 0 or bottom < self.array.shape[0] or right < self.array.shape[1]

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the first number that is shown."""
        return max(self.box[0], 0), max(self.box[1], 0)

    @property
    def shown(self) -> np.ndarray:
        """The numbers in the box."""
        (top, left), (_, _, bottom, right) = self.corner, self.box
        return self.array[top : max(bottom, 0), left : max(right, 0)]

    def inside(self, i: int, j: int) -> bool:
        """Whether there is a number, not padding."""
        return 0 <= i < self.array.shape[0] and 0 <= j < self.array.shape[1]


def plane_of(
    role: str, address: str, array: np.ndarray, cells: np.ndarray, pads: Sequence[Pair] = NO_PADS
) -> Plane:
    """A plane whose box holds all lit cells, and of the rest, padding too, as much as fits."""
    before, after = zip(*pads, strict=True)
    low = np.minimum(cells.min(0, initial=0), np.negative(before)).tolist()
    high = np.maximum(cells.max(0, initial=0) + 1, np.add(array.shape, after)).tolist()
    for axis in (0, 1):
        if high[axis] - low[axis] > MOST:
            read = cells[:, axis] if len(cells) else np.array([low[axis]])
            first, span = int(read.min()), int(read.max() - read.min()) + 1
            size = max(CROPPED, min(span + 2, LARGEST))
            start = first - max(size - span, 2) // 2  # in the middle, or from its first cell on
            low[axis] = min(max(start, low[axis]), high[axis] - size)
            high[axis] = low[axis] + size
    return Plane(role, address, array, cells, (*low, *high))


def rows(e: Explanation, found: Sum) -> list[list[Plane]]:
    """For each channel (or image) of a number's terms, the planes of its factors; the first few.

    Where the factors were themselves computed, in a separable convolution, those of that step.
    """
    own = _rows(e, found.blocks[0])
    return own or [row for step in found.before[:PARTS] for row in _rows(e, step.blocks[0])[:1]]


def _rows(e: Explanation, block: Block) -> list[list[Plane]]:
    if e.map.rank is None or not len(block):
        return []
    part = np.zeros(len(block), int) if block.part is None else block.part
    found: list[list[Plane]] = []
    for value in dict.fromkeys(part.tolist()):
        if len(found) == PARTS:
            break
        which = part == value
        found.append([p for f in block.factors if (p := _of_factor(e, f, which)) is not None])
    return [row for row in found if row]


def _of_factor(e: Explanation, factor: Factor, which: np.ndarray) -> Plane | None:
    """The plane in which the first of these terms lies; None if it is no array of the op's."""
    sides = e.map.sides or {}
    role = next((r for r, side in sides.items() if side.name == factor.name), None)
    if factor.index is None or role is None:
        return None
    index = factor.index[which]
    word, side = role_word(e, role, sides[role]), sides[role]
    pads: Sequence[Pair] = NO_PADS
    if role == "image" and not e.map.transposed and e.call.asked == "output" and e.map.links:
        pads = tuple(w.pad[a] for w, a in e.map.links.axes[-2:])
    return _plane(word, side, index, _axes(e, role, side), pads)


def asked(e: Explanation, at: tuple[int, ...] | None = None) -> Plane | None:
    """The plane of the number that is explained."""
    sides = e.map.sides or {}
    if e.map.rank is None or e.call.asked in ("bias", "pointwise_filter"):
        return None
    transposed = e.map.transposed
    role = {"output": "image" if transposed else "positions"}.get(e.call.asked)
    role = role or next((r for r, side in sides.items() if side.name == e.call.asked), None)
    if role is None and "positions" not in sides:  # im2col
        return None
    side = sides.get(role or "positions") or next(iter(sides.values()))
    shown = Side(e.call.name, e.call.numbers, side.first)
    place = np.array([e.at if at is None else at])
    return _plane(e.call.name, shown, place, _axes(e, role or "positions", shown))


def role_word(e: Explanation, role: str, side: Side) -> str:
    """ "input", "kernel" or "output", for whichever of the three arrays it is."""
    if role == "taps":
        return KERNEL
    return side.name if side.name.startswith("output") else "input"


def _axes(e: Explanation, role: str, side: Side) -> list[int]:
    """The spatial axes of an array; where there are none, that along which a sum runs."""
    rank = e.map.rank
    assert rank is not None
    if rank == 0:
        return [0 if role == "taps" else 1]
    first = 0 if role == "taps" else 2 if side.first else 1
    return list(range(first, first + rank))


def _plane(
    role: str, side: Side, index: np.ndarray, axes: list[int], pads: Sequence[Pair] = NO_PADS
) -> Plane:
    """The last two spatial axes; the others as the first row of `index` has them."""
    where: list[slice | int] = []
    lit = np.ones(len(index), bool)
    for axis, size in enumerate(side.array.shape):
        if axis in axes[-2:]:
            where.append(slice(None))
            continue
        real = index[(index[:, axis] >= 0) & (index[:, axis] < size), axis]
        where.append(int(real[0]) if len(real) else 0)
        lit &= index[:, axis] == where[-1]
    cells = index[lit][:, axes[-2:]]
    if len(axes) == 1:
        cells = np.insert(cells, 0, 0, axis=1)
    words = ", ".join(":" if isinstance(i, slice) else str(i) for i in where)
    array = np.atleast_2d(side.array[tuple(where)])
    pads = [(0, 0), (0, 0), *pads][-2:]
    return plane_of(role, f"{side.name}[{words}]", array, cells, pads)
