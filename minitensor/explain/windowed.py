"""The sums of windowed ops and of their gradients: convolutions, pools, patches.

One rule serves all of them. An op links three arrays, image, taps and positions (`trace.Links`);
what is asked for is a number of one of them, and its terms are products of the other two:

    y = conv2d(x, w)           asked: positions    x * w
    its gradient in x          asked: image        w * dy
    its gradient in w          asked: taps         x * dy

A transposed convolution is the same with image and positions exchanged. In a pool the taps are
weights that the op chooses: 1 for the first maximum and 0 for the rest, or 1 / count of a mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from minitensor.explain.trace import Block, Factor, Index, Links, Sum, Triples

ROLES = ("image", "taps", "positions")
MOST_BEFORE = 16  # sums of an earlier step that are listed


class Tracer(Protocol):
    """What every op's map can do: say which terms make a number."""

    def sum(self, at: Index) -> Sum:
        """The number at a full index."""


@dataclass(frozen=True)
class Side:
    """One of the three arrays, as the user has it: its name, numbers and layout."""

    name: str
    array: np.ndarray
    first: bool = False  # channels before the spatial axes
    multiplier: int = 0  # of a depthwise filter (taps, C, M), which is (taps, 1, C*M) in Links

    def shown(self, index: np.ndarray) -> np.ndarray:
        """Rows of Links' index as rows of the user's."""
        if self.multiplier:
            o = index[:, -1:]
            return np.hstack([index[:, :-2], o // self.multiplier, o % self.multiplier])
        return np.hstack([index[:, :1], index[:, -1:], index[:, 1:-1]]) if self.first else index

    def hidden(self, at: Index) -> Index:
        """The user's index as Links'."""
        if self.multiplier:
            return (*at[:-2], 0, at[-2] * self.multiplier + at[-1])
        return (at[0], *at[2:], at[1]) if self.first else at

    def factor(self, index: np.ndarray) -> Factor:
        """Its numbers at rows of Links' index."""
        return Factor.of(self.name, self.array, self.shown(index))


@dataclass(frozen=True)
class Convolved:
    """A convolution, its transpose, or a gradient of either; `role` is what is asked for."""

    links: Links
    sides: dict[str, Side]  # by role
    role: str
    name: str  # of what is asked for
    numbers: np.ndarray  # what the engine computed
    bias: np.ndarray | None = None  # added to each output
    before: Callable[[Factor], tuple[Sum, ...]] | None = None  # how a factor came about

    def sum(self, at: Index) -> Sum:
        """Products of the two other arrays, where the three are linked."""
        asked = self.sides[self.role]
        triples = self.links.of(self.role, asked.hidden(at))
        others = [role for role in ROLES if role != self.role]
        factors = tuple(self.sides[role].factor(getattr(triples, role)) for role in others)
        place, part = {
            "positions": (self._taps(triples), triples.image[:, -1]),
            "image": (self._taps(triples), triples.positions[:, -1]),
            "taps": (triples.positions[:, 1:-1], triples.positions[:, 0]),
        }[self.role]
        grid = (place, part) if self.links.rank else (part[:, None], None)  # channels are places
        blocks = [Block(factors, triples.real, *grid)]
        if self.bias is not None:
            channel = np.array([asked.hidden(at)[-1:]])
            blocks.append(Block((Factor.of("bias", self.bias, channel),)))
        earlier = tuple(s for f in factors for s in self.before(f)) if self.before else ()
        return Sum(
            *(self.name, at, tuple(blocks), float(self.numbers[at]), self.numbers.dtype, earlier)
        )

    def _taps(self, triples: Triples) -> np.ndarray:
        return triples.taps[:, : self.links.rank]


@dataclass(frozen=True)
class Bias:
    """The gradient in a bias: all that comes back to its channel."""

    gradient: Side  # of the output
    numbers: np.ndarray

    def sum(self, at: Index) -> Sum:
        """The output gradient over images and positions."""
        axis = 1 if self.gradient.first else -1
        index = np.argwhere(np.ones(np.delete(self.gradient.array.shape, axis), bool))
        index = np.insert(index, axis if axis > 0 else index.shape[1], at[0], axis=1)
        block = Block((Factor.of(self.gradient.name, self.gradient.array, index),))
        return Sum("gradient in bias", at, (block,), float(self.numbers[at]), self.numbers.dtype)


@dataclass(frozen=True)
class Pooled:
    """A pool or its gradient.

    `kind` is "max"; "max shared", where the gradient goes in equal parts to all that are equal; or
    "mean".
    """

    links: Links
    kind: str
    sides: dict[str, Side]  # "image" and "positions"
    role: str
    name: str
    numbers: np.ndarray

    def sum(self, at: Index) -> Sum:
        """Each number times the weight of its tap."""
        triples = self.links.of(self.role, self.sides[self.role].hidden(at))
        other = self.sides["positions" if self.role == "image" else "image"]
        weights = self._weights(triples)
        factors = (
            other.factor(getattr(triples, "image" if self.role == "positions" else "positions")),
            Factor(self._weight_name, weights),
        )
        blocks = (Block(factors, triples.real, triples.taps),)
        found = Sum(self.name, at, blocks, float(self.numbers[at]), self.numbers.dtype)
        word = "shared_ties" if self.kind == "max shared" else "ties"
        ties = self._ties(triples) if self.role == "positions" else 0
        return replace(found, notes=((word, {"count": ties}),)) if ties > 1 else found

    @property
    def _weight_name(self) -> str:
        return "1/count" if self.kind == "mean" else "won"

    def _weights(self, triples: Triples) -> np.ndarray:
        """(links,): what each tap counts in the output of its position."""
        if self.role == "positions":
            return self._shares(triples)
        weights = []
        for k, position in enumerate(triples.positions):
            window = self.links.of("positions", tuple(map(int, position)))
            mine = (window.taps == triples.taps[k]).all(1)
            weights.append(self._shares(window)[mine].sum())
        return np.array(weights, float)

    def _shares(self, window: Triples) -> np.ndarray:
        """(taps,) of one position: the weight of each tap."""
        if self.kind == "mean":
            return window.real / max(window.real.sum(), 1)
        best = self._equal_best(window)
        if self.kind == "max shared":  # forwards they are equal, so the first may stand for all
            return best / best.sum() if self.role == "image" else _first(best)
        return _first(best)

    def _equal_best(self, window: Triples) -> np.ndarray:
        """(taps,) which real pixels equal the maximum; the NaNs if there is one."""
        seen = self.sides["image"].factor(window.image).values
        seen = np.where(window.real, seen, -np.inf)
        if np.isnan(seen).any():
            return np.isnan(seen)
        return (seen == seen.max()) & window.real

    def _ties(self, triples: Triples) -> int:
        return int(self._equal_best(triples).sum()) if self.kind.startswith("max") else 0


def _first(mask: np.ndarray) -> np.ndarray:
    """1 at the first True, 0 elsewhere."""
    weights = np.zeros(len(mask))
    weights[np.argmax(mask)] = 1
    return weights


@dataclass(frozen=True)
class Patches:
    """im2col: every output is a copy of a pixel; its gradient, col2im, adds the copies up."""

    links: Links  # without filters
    source: Side  # the images, or the output gradient
    backward: bool
    name: str
    numbers: np.ndarray

    def sum(self, at: Index) -> Sum:
        """One pixel; or all the column entries that were read from it."""
        kernel = [window.kernel[axis] for window, axis in self.links.axes]
        if self.backward:
            triples = self.links.of("image", at)
            tap = np.ravel_multi_index(tuple(triples.taps.T), kernel)
            column = tap * self.links.channels + triples.positions[:, -1]
            index = np.hstack([triples.positions[:, :-1], column[:, None]])
        else:
            tap, channel = divmod(at[-1], self.links.channels)
            triples = self.links.of("positions", (*at[:-1], channel))
            row = int(tap)
            triples = Triples(*(part[row : row + 1] for part in triples))
            index = triples.image
        block = Block((self.source.factor(index),), triples.real, triples.taps)
        return Sum(self.name, at, (block,), float(self.numbers[at]), self.numbers.dtype)


def sums_of(tracer: Tracer, name: str) -> Callable[[Factor], tuple[Sum, ...]]:
    """Of factors called `name`, which `tracer` computed: the sums that made them, if few."""

    def before(factor: Factor) -> tuple[Sum, ...]:
        if factor.name != name or factor.index is None or len(factor.index) > MOST_BEFORE:
            return ()
        rows = dict.fromkeys(tuple(map(int, row)) for row in factor.index)
        return tuple(replace(tracer.sum(row), name=name).checked() for row in rows)

    return before


def cotangent_name(name: str) -> str:
    """What the gradient that comes back to an array is called."""
    return f"{name} gradient"


def whole(array: Any) -> Any:
    """A tensor as NumPy has it; anything else as it is."""
    return np.asarray(array.numpy()) if hasattr(array, "numpy") else array
