"""The sums of normalisations, local response normalisation and softmax cross entropy.

Their numbers come about in steps: a mean is a sum, a variance is a sum that needs the mean, and so
on. `Sum.before` lists the steps in order; the last Sum is the number that was asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from minitensor.explain.trace import Block, Factor, Index, Sum

CENTRED, STANDARD = "(x - mean)", "standardised"
INVERSE = "1/sqrt(variance + epsilon)"


@dataclass(frozen=True)
class Normalised:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, and its gradients.

    Statistics are shared along `axes` of `view`, a reshaping of x; or `given`, (mean, variance) of
    x's shape, in inference. scale and offset lie along `vector_axes` of x.
    """

    x: np.ndarray
    view: Index
    axes: Index
    vector_axes: Index
    vectors: dict[str, np.ndarray | None]  # scale, offset
    epsilon: float
    asked: str  # "output", "x", "scale" or "offset"
    numbers: np.ndarray
    gradient: np.ndarray | None = None  # of the output
    given: tuple[np.ndarray, np.ndarray] | None = None

    def sum(self, at: Index) -> Sum:
        """What the map of `asked` says of the number at `at`."""
        name, blocks, before = {
            "output": self._output,
            "x": self._in_x,
            "scale": self._in_scale,
            "offset": self._in_offset,
        }[self.asked](at)
        value, dtype = float(self.numbers[at]), self.numbers.dtype
        slack = 4 + 4 * float(np.abs(self.x).max(initial=0) * self._inverse.max(initial=0))
        return Sum(name, at, blocks, value, dtype, before, slack)

    # ----- the statistics -----

    def sharing(self, at: Index) -> np.ndarray:
        """(members, axes): the index of every number that shares a mean with x[at]."""
        place = np.unravel_index(np.ravel_multi_index(at, self.x.shape), self.view)
        ranges = [
            np.arange(n) if axis in self.axes else np.array([place[axis]])
            for axis, n in enumerate(self.view)
        ]
        flat = np.ravel_multi_index(np.ix_(*ranges), self.view).ravel()
        return np.stack(np.unravel_index(flat, self.x.shape), axis=1)

    @cached_property
    def _moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of each number of x, in float64."""
        if self.given is not None:
            return self.given
        wide = self.x.astype(np.float64).reshape(self.view)
        mean = wide.mean(self.axes, keepdims=True)
        variance = np.square(wide - mean).mean(self.axes, keepdims=True)
        both = (np.broadcast_to(m, self.view).reshape(self.x.shape) for m in (mean, variance))
        mean, variance = both
        return mean, variance

    @cached_property
    def _inverse(self) -> np.ndarray:
        return 1 / np.sqrt(self._moments[1] + self.epsilon)

    @cached_property
    def _standard(self) -> np.ndarray:
        return (self.x - self._moments[0]) * self._inverse

    def _statistics(self, at: Index) -> tuple[Sum, ...]:
        if self.given is not None:
            return ()
        members = self.sharing(at)
        share = Factor.plain(f"1/{len(members)}", 1 / len(members), len(members))
        centred = Factor(CENTRED, (self.x - self._moments[0])[tuple(members.T)], members)
        return (
            Sum.between("mean", at, Block((Factor.of("x", self.x, members), share))),
            Sum.between("variance", at, Block((centred, centred, share))),
        )

    def _vector(self, name: str, index: np.ndarray) -> tuple[Factor, ...]:
        """scale or offset for these numbers of x, where there is one."""
        vector = self.vectors[name]
        if vector is None:
            return ()
        return (Factor.of(name, vector, index[:, list(self.vector_axes)]),)

    # ----- the numbers -----

    def _output(self, at: Index) -> Any:
        here = np.array([at])
        mean, variance = (float(m[at]) for m in self._moments)
        centred = Factor(CENTRED, np.array([self.x[at] - mean]), here)
        inverse = Factor.plain(INVERSE, 1 / math.sqrt(variance + self.epsilon))
        blocks = [Block((centred, inverse, *self._vector("scale", here)))]
        if offset := self._vector("offset", here):
            blocks.append(Block(offset))
        return "output", tuple(blocks), self._statistics(at)

    def _back(self, index: np.ndarray) -> tuple[Factor, ...]:
        """The output gradient times scale, for these numbers."""
        assert self.gradient is not None
        gradient = Factor.of("output gradient", self.gradient, index)
        return (gradient, *self._vector("scale", index))

    def _in_x(self, at: Index) -> Any:
        """g' / s - mean(g') / s - standardised * mean(g' standardised) / s, with g' = g * scale."""
        here = np.array([at])
        inverse = Factor.plain(INVERSE, float(self._inverse[at]))
        straight = Block((*self._back(here), inverse))
        if self.given is not None:
            return "gradient in x", (straight,), ()
        members = self.sharing(at)
        share = Factor.plain(f"1/{len(members)}", 1 / len(members), len(members))
        back = self._back(members)
        first = Sum.between("mean of g*scale", at, Block((*back, share)))
        standard = Factor(STANDARD, self._standard[tuple(members.T)], members)
        second = Sum.between("mean of g*scale*standardised", at, Block((*back, standard, share)))
        minus = Factor.plain("-1", -1.0)
        through_mean = Block((minus, Factor.plain(first.name, first.value), inverse))
        own = Factor(STANDARD, self._standard[at].reshape(1), here)
        slope = Factor.plain(second.name, second.value)
        through_variance = Block((minus, own, slope, inverse))
        before = (*self._statistics(at), first, second)
        return "gradient in x", (straight, through_mean, through_variance), before

    def _sharing_vector(self, at: Index) -> np.ndarray:
        """The index of every number of x that is multiplied by scale[at]."""
        ranges = [np.arange(n) for n in self.x.shape]
        for axis, i in zip(self.vector_axes, at, strict=True):
            ranges[axis] = np.array([i])
        grid = np.meshgrid(*ranges, indexing="ij")
        return np.stack([part.ravel() for part in grid], axis=1)

    def _in_scale(self, at: Index) -> Any:
        index = self._sharing_vector(at)
        assert self.gradient is not None
        gradient = Factor.of("output gradient", self.gradient, index)
        standard = Factor(STANDARD, self._standard[tuple(index.T)], index)
        return "gradient in scale", (Block((gradient, standard)),), ()

    def _in_offset(self, at: Index) -> Any:
        index = self._sharing_vector(at)
        assert self.gradient is not None
        block = Block((Factor.of("output gradient", self.gradient, index),))
        return "gradient in offset", (block,), ()


@dataclass(frozen=True)
class LocalResponse:
    """x / (bias + alpha * sum of the neighbours' squares)^beta, and its gradient in x."""

    x: np.ndarray
    radius: int
    bias: float
    alpha: float
    beta: float
    numbers: np.ndarray
    gradient: np.ndarray | None = None  # of the output, where the gradient in x is asked for

    def _neighbours(self, at: Index) -> np.ndarray:
        first = max(at[-1] - self.radius, 0)
        end = min(at[-1] + self.radius + 1, self.x.shape[-1])
        return np.array([(*at[:-1], c) for c in range(first, end)])

    def _squares(self, at: Index) -> Sum:
        x = Factor.of("input", self.x, self._neighbours(at))
        return Sum.between("sum of squares", at, Block((x, x)))

    def _strength(self, at: Index, power: float) -> float:
        return float((self.bias + self.alpha * self._squares(at).value) ** power)

    def sum(self, at: Index) -> Sum:
        """x s^-beta; backwards g s^-beta and what each neighbour's strength took from x."""
        squares, here = self._squares(at), np.array([at])
        strength = Factor.plain("s^-beta", self._strength(at, -self.beta))
        value, dtype = float(self.numbers[at]), self.numbers.dtype
        if self.gradient is None:
            blocks = (Block((Factor.of("input", self.x, here), strength)),)
            return Sum("output", at, blocks, value, dtype, (squares,), 8)
        around = self._neighbours(at)
        powers = [self._strength(tuple(map(int, row)), -self.beta - 1) for row in around]
        through = Block(
            (
                Factor.plain("-2 alpha beta", -2 * self.alpha * self.beta, len(around)),
                Factor.of("input", self.x, np.repeat(here, len(around), 0)),
                Factor.of("output gradient", self.gradient, around),
                Factor.of("input", self.x, around),
                Factor("s^(-beta - 1)", np.array(powers)),
            )
        )
        straight = Block((Factor.of("output gradient", self.gradient, here), strength))
        return Sum("gradient in input", at, (straight, through), value, dtype, (squares,), 16)


@dataclass(frozen=True)
class CrossEntropy:
    """loss = -sum of labels * log softmax(logits), and (softmax * sum of labels - labels) * g."""

    labels: np.ndarray  # (..., classes), one-hot where integers were given
    logits: np.ndarray
    numbers: np.ndarray
    gradient: np.ndarray | None = None  # of the loss

    def sum(self, at: Index) -> Sum:
        """`at` is a loss, or a logit where the gradient is asked for."""
        row = at if self.gradient is None else at[:-1]
        index = np.array([(*row, c) for c in range(self.logits.shape[-1])])
        logits = self.logits[row].astype(np.float64)
        top = logits.max()
        exponentials = Factor(f"exp(logit - {top:g})", np.exp(logits - top), index)
        total = Sum.between("sum of exp", row, Block((exponentials,)))
        slack = 8 + float(np.abs(logits).max())
        if self.gradient is None:
            logs = Factor("-log softmax", math.log(total.value) - (logits - top), index)
            blocks = [Block((Factor.of("labels", self.labels, index), logs))]
        else:
            here, g = np.array([at]), Factor.plain("loss gradient", float(self.gradient[row]))
            softmax = Factor("softmax", exponentials.values[[at[-1]]] / total.value, here)
            sure = Factor.plain("sum of labels", float(self.labels[row].sum()))
            label = Factor.of("labels", self.labels, here)
            minus = Factor.plain("-1", -1.0)
            blocks = [Block((softmax, sure, g)), Block((minus, label, g))]
        name = "loss" if self.gradient is None else "gradient in logits"
        value = float(self.numbers[at])
        return Sum(name, at, tuple(blocks), value, self.numbers.dtype, (total,), slack)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Integers as rows with a single 1."""
    return (labels[..., None] == np.arange(classes)).astype(float)
