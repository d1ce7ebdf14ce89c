"""Derivatives to any order: asked of a library with tf's names, and held against differences.

`derivatives` is the one way in which the project asks for them: the parity ledger of TensorFlow
and of us, the tests, and `check_gradients`, which needs no other library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitensor.autograd.convert import as_tensor, first_tensor, to_device_of
from minitensor.autograd.tape import GradientTape
from minitensor.autograd.tensor import Tensor

# of the tensors of one order: a random tensor for each; the order is counted from 0
Cotangents = Callable[[int, list[Any]], list[Any]]


def derivatives(
    tape: Callable[[], Any],
    function: Callable[..., Sequence[Any]],
    sources: Sequence[Any],
    order: int,
    cotangents: Cotangents,
    zeros: Callable[[Any], Any],
    dense: Callable[[Any], Any] = lambda gradient: gradient,
) -> list[list[Any]]:
    """[f_0, f_1, ..., f_order], where each order differentiates a random projection of the last.

    f_0 = function(*sources);   f_{k+1} = d(sum_i <f_k[i], c_k[i]>) / d(sources, c_0, ..., c_{k-1})

    so that no wrong derivative can hide in a sum. A derivative that is not connected is zeros, and
    neither it nor an integer has a cotangent.

    Args:
        tape: GradientTape, TensorFlow's or ours.
        function: of the sources, to a list of tensors.
        sources: float tensors.
        order: how often to differentiate.
        cotangents: the c_k, from k and the tensors they belong to.
        zeros: of the shape of a tensor.
        dense: what is done to every derivative first.
    """

    def differentiated(order: int, around: tuple[Any, ...]) -> tuple[list[list[Any]], list[Any]]:
        """The orders, and what the next is a function of; `around` are the tapes further out."""
        if order == 0:
            return [list(function(*sources))], list(sources)
        with tape() as inner:
            inner.watch(list(sources))
            orders, wanted = differentiated(order - 1, (*around, inner))
        targets = [y for y in orders[-1] if y is not None and "float" in y.dtype.name]
        if not targets:
            return [*orders, [None] * len(wanted)], wanted
        drawn = cotangents(order - 1, targets)
        for other in around:
            other.watch(drawn)
        found = inner.gradient(targets, wanted, output_gradients=drawn)
        return [*orders, [None if g is None else dense(g) for g in found]], [*wanted, *drawn]

    (values, *found), wanted = differentiated(order, ())
    pairs = (zip(part, wanted, strict=False) for part in found)
    return [values, *([zeros(x) if g is None else g for g, x in pair] for pair in pairs)]


@dataclass(frozen=True)
class GradientCheck:
    """One line of a GradientReport.

    Attributes:
        arguments: by whose elements was differentiated, in turn: (0, 1) is order 2.
        tape: what the tape says.
        difference: what central differences say.
        bound: how far apart the two may be.
    """

    arguments: tuple[int, ...]
    tape: float
    difference: float
    bound: float

    @property
    def order(self) -> int:
        """How many derivatives."""
        return len(self.arguments)

    @property
    def error(self) -> float:
        """How far apart they are."""
        return abs(self.tape - self.difference)


@dataclass(frozen=True)
class GradientReport:
    """What `check_gradients` found: a line per order and arguments; printed, it is a table."""

    lines: tuple[GradientCheck, ...]

    @property
    def order(self) -> int:
        """The highest order that was checked."""
        return max((line.order for line in self.lines), default=0)

    @property
    def worst(self) -> GradientCheck:
        """The line whose error comes nearest to its bound."""
        return max(self.lines, key=lambda line: line.error / line.bound)

    def __str__(self) -> str:
        """A table: order, arguments, both numbers, how far apart they are and may be."""
        head = f"{'order':>5}  {'arguments':<12}{'tape':>14}{'differences':>14}"
        rows = [f"{head}{'error':>11}{'bound':>11}"]
        for line in self.lines:
            names = ", ".join(map(str, line.arguments))
            numbers = f"{line.tape:>14.6g}{line.difference:>14.6g}"
            numbers += f"{line.error:>11.1e}{line.bound:>11.1e}"
            rows.append(f"{line.order:>5}  {names:<12}{numbers}")
        return "\n".join(rows)


def check_gradients(
    function: Callable[..., Any],
    *arguments: Any,
    order: int = 2,
    epsilon: float = 1e-5,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> GradientReport:
    """Checks gradients up to `order` by one random projection per argument.

    For each argument x_k alone, with random v and u of unit size:
        <v, f(.., x_k + e u, ..) - f(.., x_k - e u, ..)> / 2e  =  <gradient_k of <v, f>, u>
    Order 2 asks the same of the gradient, as a function of all arguments; and so on.

    Args:
        function: of tensors, to one tensor.
        arguments: float64 tensors or arrays, away from kinks by more than `epsilon`.
        order: how many derivatives to check.
        epsilon: the step of the difference.
        tolerance: largest difference, relative to the size of the two sides (at least 1).
        seed: of the random projections.

    Returns:
        A report of every line that was checked, with both numbers, error and bound; `str` of it
        is a table.

    Raises:
        AssertionError: the two sides differ; says for which argument and order.
        TypeError: an argument is not float64.

    Example:
        >>> import minitensor as tf, numpy as np
        >>> report = tf.check_gradients(tf.tanh, np.array([0.3, -1.2]), order=3)
        >>> report.order, report.worst.error < report.worst.bound
        (3, True)
        >>> print(str(report).splitlines()[0])
        order  arguments             tape   differences      error      bound

    Source: HIPS/autograd's idea of one random projection instead of every element.
    """
    like = first_tensor(*arguments)
    tensors = [as_tensor(argument, like=like) for argument in arguments]
    for k, tensor in enumerate(tensors):
        if tensor.dtype != np.float64:
            raise TypeError(f"check_gradients: argument {k} is {tensor.dtype}; use float64")
    rng = np.random.default_rng(seed)
    return GradientReport(tuple(_check(function, tensors, order, epsilon, tolerance, rng, ())))


def _check(
    function: Callable[..., Any],
    tensors: list[Tensor],
    order: int,
    epsilon: float,
    tolerance: float,
    rng: np.random.Generator,
    path: tuple[int, ...],
) -> Iterator[GradientCheck]:
    value = as_tensor(function(*tensors))
    v = to_device_of(_unit(rng, value.shape), value)
    for k in range(len(tensors)):
        gradient = _gradient_of(function, v, k)
        u = _unit(rng, tensors[k].shape)
        slope = float(np.sum(gradient(*tensors).numpy() * u))
        difference = _difference(function, tensors, k, u * epsilon, v.numpy()) / (2 * epsilon)
        bound = tolerance * max(1.0, abs(slope), abs(difference))
        line = GradientCheck((*path, k), slope, difference, bound)
        if not line.error <= bound:  # so written, NaN fails too
            raise AssertionError(
                f"order {line.order}, arguments {line.arguments}: the tape says {slope:.12g}, "
                f"central differences {difference:.12g}"
            )
        yield line
        if order > 1:
            yield from _check(gradient, tensors, order - 1, epsilon, tolerance, rng, (*path, k))


def _gradient_of(function: Callable[..., Any], v: Tensor, k: int) -> Callable[..., Tensor]:
    """The gradient of <v, function> with respect to argument k, as a function of all arguments."""

    def tape() -> GradientTape:
        return GradientTape(watch_accessed_variables=False)

    def gradient(*tensors: Tensor) -> Tensor:
        def along(tensor: Tensor) -> list[Tensor]:
            return [as_tensor(function(*tensors[:k], tensor, *tensors[k + 1 :]))]

        found: Tensor = derivatives(tape, along, [tensors[k]], 1, lambda *_: [v], _zeros)[1][0]
        return found

    return gradient


def _zeros(like: Tensor) -> Tensor:
    return to_device_of(np.zeros(like.shape), like)


def _difference(
    function: Callable[..., Any], tensors: list[Tensor], k: int, step: Any, v: Any
) -> float:
    ends = []
    for sign in (1, -1):
        moved = to_device_of(tensors[k].numpy() + sign * step, tensors[k])
        shifted = [*tensors[:k], moved, *tensors[k + 1 :]]
        ends.append(float(np.sum(as_tensor(function(*shifted)).numpy() * v)))
    return ends[0] - ends[1]


def _unit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    draw = rng.normal(size=shape)
    return np.asarray(draw / max(float(np.linalg.norm(draw)), 1e-300))
