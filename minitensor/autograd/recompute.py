"""Memory for time: a function whose inner results are computed again when its gradient is asked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minitensor.autograd import recording, tree
from minitensor.autograd.convert import as_tensor
from minitensor.autograd.recording import Record
from minitensor.autograd.tape import GradientTape
from minitensor.autograd.tensor import ArrayLike, Tensor


class _Reads(GradientTape):
    """A tape that notices variables and keeps no record."""

    def append(self, entry: Record) -> None:
        pass


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that keeps its arguments and results alone, and runs once more in the walk back.

    Args:
        f: takes tensors, or nests of them, as positional arguments; may read variables, and must
            compute the same again. Keyword arguments are constants.

    Returns:
        A function of the same arguments, results and derivatives of every order.

    Example:
        >>> import minitensor as tf
        >>> cube = tf.recompute_grad(lambda x: x * x * x)
        >>> x = tf.constant(2.0)
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = cube(x)
        >>> tape.gradient(y, x).numpy()
        np.float32(12.0)

    Source: tf.recompute_grad
    """

    @functools.wraps(f)
    def wrapped(*args: Any, **settings: Any) -> Any:
        with recording.paused(), _Reads() as reads:
            results = f(*args, **settings)
        if not recording.is_recording():
            return results
        outputs = [Tensor(as_tensor(y).array) for y in tree.flatten(results)]
        inputs = [x for x in tree.flatten(args) if isinstance(x, ArrayLike)]
        inputs += [v for v in reads.watched_variables() if not any(v is x for x in inputs)]

        def pull_back(cotangents: list[Any], wanted: list[bool]) -> list[Tensor | None]:
            with GradientTape() as tape:
                tape.watch(inputs)
                again = tree.flatten(f(*args, **settings))
            asked = [(y, g) for y, g in zip(again, cotangents, strict=True) if g is not None]
            targets, seeds = (list(part) for part in zip(*asked, strict=True))
            sources = [x for x, want in zip(inputs, wanted, strict=True) if want]
            found = iter(tape.gradient(targets, sources, seeds))
            return [next(found) if want else None for want in wanted]

        for variable in reads.watched_variables():
            for tape in recording.active.tapes:
                tape.notice(variable)
        recording.record(inputs, outputs, pull_back)
        return tree.pack(results, outputs)

    return wrapped
