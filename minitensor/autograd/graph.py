"""Derivatives of what a `tf.function` has computed so far, which needs no tape of the user's.

TensorFlow finds them in the graph that the function is traced to. Here the function runs, and a
tape that keeps every computation runs with it, if the function names `gradients` or `hessians`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CodeType
from typing import Any

from minitensor.autograd import tree
from minitensor.autograd.recording import Record, active
from minitensor.autograd.tape import GradientTape, UnconnectedGradients
from minitensor.autograd.tensor import Tensor
from minitensor.autograd.walk import check_sources, filled, jacobian, seeds_of, walk_back


class Graph(GradientTape):
    """A tape that keeps all computations, whoever is watched."""

    def __init__(self) -> None:
        super().__init__(persistent=True)

    def append(self, entry: Record) -> None:
        assert self._records is not None
        self._records.append(entry)


def needs_graph(function: Callable[..., Any]) -> bool:
    """Whether a function, or one inside of it, names what only a graph can answer."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return isinstance(code, CodeType) and _names(code, {"gradients", "hessians"})


def _names(code: CodeType, wanted: set[str]) -> bool:
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    return bool(wanted & {*code.co_names}) or any(_names(part, wanted) for part in inner)


def _records(op: str) -> list[Record]:
    """What the innermost graph holds by now."""
    for tape in reversed(active.tapes):
        if isinstance(tape, Graph):
            return tape._take_records()
    raise RuntimeError(
        f"tf.{op} works in a function with @tf.function that calls it by this name; elsewhere use "
        "tf.GradientTape"
    )


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: UnconnectedGradients = UnconnectedGradients.NONE,
) -> list[Tensor | None]:
    """The derivatives of the sum of `ys` in each of `xs`, inside of a `tf.function`.

    Args:
        ys, xs: a tensor or a list of them; variables too in `xs`.
        grad_ys: one cotangent for each of `ys`; ones if None.
        name, gate_gradients, aggregation_method: ignored.
        stop_gradients: tensors that count as constants.
        unconnected_gradients: "none" or "zero", for what `ys` do not depend on.

    Returns:
        A list, one gradient for each of `xs`.

    Raises:
        RuntimeError: no such function is running.

    Example:
        >>> import minitensor as tf
        >>> @tf.function
        ... def slope(x):
        ...     return tf.gradients(x * x * x, x)[0]
        >>> slope(tf.constant(2.0)).numpy()
        np.float32(12.0)

    Source: tf.gradients
    """
    records, sources, targets = _records("gradients"), tree.flatten(xs), tree.flatten(ys)
    check_sources(sources)
    constants = {id(x) for x in tree.flatten([] if stop_gradients is None else stop_gradients)}
    kept = [r for r in records if not any(id(output) in constants for output in r.outputs)]
    found = walk_back(kept, targets, seeds_of(targets, grad_ys), sources)
    if UnconnectedGradients(unconnected_gradients) is UnconnectedGradients.ZERO:
        pairs = zip(sources, found, strict=True)
        return [filled(x, 0) if g is None else g for x, g in pairs]
    return found


def hessians(
    ys: Any,
    xs: Any,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    name: str = "hessians",
) -> list[Tensor]:
    """The second derivatives of the sum of `ys` in each of `xs`, inside of a `tf.function`.

    Args:
        ys, xs: a tensor or a list of them.
        gate_gradients, aggregation_method, name: ignored.

    Returns:
        A list, with (*x.shape, *x.shape) for each x of `xs`.

    Raises:
        RuntimeError: no such function is running.

    Example:
        >>> import minitensor as tf
        >>> @tf.function
        ... def curvature(x):
        ...     return tf.hessians(tf.reduce_sum(x * x * x), x)[0]
        >>> curvature(tf.constant([1.0, 2.0])).numpy()
        array([[ 6.,  0.],
               [ 0., 12.]], dtype=float32)

    Source: tf.hessians
    """
    found = []
    for x in tree.flatten(xs):
        (slope,) = gradients(ys, [x], unconnected_gradients=UnconnectedGradients.ZERO)
        assert slope is not None
        (rows,) = jacobian(_records("hessians"), slope, [x])
        found.append(filled(x, 0, (*x.shape, *x.shape)) if rows is None else rows)
    return found
