"""Where a value that is not finite came from.

A Watcher stands among the recording tapes and remembers every computation, so ops need not know of
it and nothing is paid while nobody watches. Afterwards it walks back from what is not finite, along
values that are not finite, to where finite ones went in: infinities that were used on purpose and
did no harm are not on that way.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minitensor import backend
from minitensor.autograd.recording import Record, active
from minitensor.autograd.tensor import ArrayLike, Tensor, is_float
from minitensor.autograd.variable import Variable
from minitensor.autograd.walk import filled, walk_back


class Event(NamedTuple):
    """One computation, or part of its derivative: op, what went in, what came out, and where."""

    op: str
    inputs: tuple[ArrayLike, ...]
    outputs: tuple[Tensor, ...]
    place: str
    derivative: bool


@dataclass
class Origin:
    """Where values that are not finite began.

    Attributes:
        op: the first computation that made them of finite ones; None if none did.
        sources: variables and tensors that were not finite and were not computed.
    """

    op: Event | None
    sources: list[ArrayLike]


def is_finite(tensor: ArrayLike) -> bool:
    """Whether no element is NaN or infinite; integers never are."""
    if not is_float(tensor.dtype):
        return True
    with np.errstate(all="ignore"):
        return bool(backend.of(tensor.array).xp.isfinite(tensor.array).all())


def all_finite(tensors: Sequence[ArrayLike]) -> bool:
    """Whether no element of any float tensor is NaN or infinite; asks the device once."""
    with np.errstate(all="ignore"):
        flags = [backend.of(t.array).xp.isfinite(t.array).all() for t in tensors]
    return bool(functools.reduce(operator.and_, flags, True))


class Watcher:
    """Remembers every computation inside its `with` block.

    Args:
        place: says where the program is, whenever an op runs.

    Example:
        >>> import minitensor as tf
        >>> from minitensor.autograd.finite import Watcher
        >>> x = tf.constant([0.0, 1.0])
        >>> with Watcher() as seen:
        ...     y = tf.reduce_sum(tf.math.log(x) * 0.5)
        >>> seen.origin([y]).op.op
        'log'
    """

    def __init__(self, place: Callable[[], str] = str) -> None:
        self._place = place
        self._events: list[Event] = []
        self._records: list[Record] = []
        self._pulled: Event | None = None  # whose derivative is being computed

    def __enter__(self) -> Watcher:
        active.tapes.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        active.tapes.remove(self)

    def notice(self, variable: Any) -> None:
        """A variable is read; the read itself is reported, too."""

    def append(self, entry: Record) -> None:
        """A computation was made."""
        pulled = self._pulled
        name = op_name(entry) if pulled is None else pulled.op
        place = self._place() if pulled is None else pulled.place
        event = Event(name, entry.inputs, entry.outputs, place, pulled is not None)
        self._events.append(event)
        if pulled is None:
            self._records.append(entry._replace(pull_back=self._noted(entry, event)))

    def _noted(self, entry: Record, event: Event) -> Callable[..., list[Tensor | None]]:
        """The derivative of a computation, during which we know whose it is."""

        def pull_back(cotangents: list[Tensor | None], wanted: list[bool]) -> list[Tensor | None]:
            self._pulled = event
            try:
                return entry.pull_back(cotangents, wanted)
            finally:
                self._pulled = None

        return pull_back

    def gradients(self, target: Tensor, sources: Sequence[ArrayLike]) -> list[Tensor | None]:
        """Of what was computed so far; the walk back is watched as well."""
        return walk_back(list(self._records), [target], [filled(target, 1)], sources)

    def origin(self, suspects: Iterable[ArrayLike]) -> Origin:
        """Where what is not finite in `suspects` began."""
        wanted = {id(t.array): t for t in suspects if not is_finite(t)}
        first, made, variables = None, set(), {}
        for event in reversed(self._events):
            here = {id(o.array) for o in event.outputs}
            if not here & set(wanted):
                continue
            if _is_read(event):
                variables[id(event.inputs[0])] = event.inputs[0]
                made |= here
                continue
            bad = [i for i in event.inputs if not is_finite(i)]
            made |= here - {id(i.array) for i in bad}
            wanted |= {id(i.array): i for i in bad}
            first = first if bad else event
        unmade = [tensor for key, tensor in wanted.items() if key not in made]
        return Origin(first, [*variables.values(), *unmade])


class Alarm:
    """Stands among the recording tapes and stops the program at the first value not finite.

    Raises:
        FloatingPointError: an op gave NaN or an infinity.
    """

    def notice(self, variable: Any) -> None:
        """A variable is read."""

    def append(self, entry: Record) -> None:
        """A computation was made."""
        for number, output in enumerate(entry.outputs):
            if not is_finite(output):
                shapes = ", ".join(f"{i.dtype.name}{i.shape}" for i in entry.inputs)
                raise FloatingPointError(
                    f"Detected Infinity or NaN in output {number} of the op '{op_name(entry)}' "
                    f"({described(output)}); its inputs: {shapes}"
                )


def op_name(entry: Record) -> str:
    """The op's name, as its user knows it."""
    function = getattr(entry.pull_back, "func", None)
    primitive = getattr(function, "__self__", None)
    if primitive is not None:
        return str(primitive.__name__)
    own = getattr(entry.pull_back, "args", ())
    if not own:
        return "read"
    *around, name = own[0].__qualname__.split(".<locals>.")  # a gradient inside its function
    return str((around or [name])[-1].rpartition(".")[2])


def described(tensor: ArrayLike) -> str:
    """ "2 of 6 values are nan or inf", and its shape."""
    values = np.asarray(tensor).astype(np.float64)
    bad = values[~np.isfinite(values)]
    kinds = " and ".join(sorted({str(value) for value in bad}))
    return f"shape {tensor.shape}: {bad.size} of {values.size} values are {kinds}"


def _is_read(event: Event) -> bool:
    return bool(event.inputs) and isinstance(event.inputs[0], Variable)
