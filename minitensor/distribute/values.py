"""What differs from replica to replica: values that `run` returned, and variables.

A variable has one array per replica of this process. `array` is that of the replica that runs, the
first one's between runs; writing between runs writes all. Reading between runs what is
synchronized when it is read adds the replicas up, those of other processes too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from minitensor import backend
from minitensor.autograd import Tensor, Variable, recording, replicas
from minitensor.autograd.tree import flatten, map_structure, pack
from minitensor.autograd.variable import VariableAggregation, VariableSynchronization
from minitensor.distribute.reduce_op import ReduceOp

SUM, MEAN = VariableAggregation.SUM, VariableAggregation.MEAN
FIRST = VariableAggregation.ONLY_FIRST_REPLICA


class DistributedValues:
    """One value for each replica of this process.

    Attributes:
        values: a tuple of them.

    Source: tf.distribute.DistributedValues
    """

    __slots__ = ()  # so that a variable can become one
    values: tuple[Any, ...]


class PerReplica(DistributedValues):
    """What `run` returns where there are several replicas.

    Args:
        values: one for each.
    """

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = tuple(values)

    def __repr__(self) -> str:
        lines = ",\n".join(f"  {i}: {value!r}" for i, value in enumerate(self.values))
        return f"{type(self).__name__}:{{\n{lines}\n}}"


def regroup(results: Sequence[Any], join: Callable[[Sequence[Any]], Any] | None = None) -> Any:
    """Nests of the same form, one from each replica, as one nest of PerReplica values.

    What all replicas agree on stays as it is, unless `join` says otherwise.
    """
    if len(results) == 1:
        return results[0]
    leaves = [(join or _one)(values) for values in zip(*map(flatten, results), strict=True)]
    return pack(results[0], leaves)


def _one(values: Sequence[Any]) -> Any:
    first = values[0]
    plain = isinstance(first, int | float | str | bytes | None)
    same = all(v is first or (plain and v == first and type(v) is type(first)) for v in values)
    return first if same else PerReplica(values)


def select(index: int, nest: Any) -> Any:
    """What one replica sees of a nest."""

    def of(value: Any) -> Any:
        return value.values[index] if isinstance(value, PerReplica) else value

    return map_structure(of, nest)


class DistributedVariable(DistributedValues):
    """A variable of which every replica has a copy: what its class has in place of Variable's."""

    if not TYPE_CHECKING:
        __slots__ = ()
    _strategy: Any
    _copies: list[Any]

    def mirror(self, strategy: Any, start: Any) -> None:
        """Gives each replica of this process a copy of an array to start from."""
        self._strategy = strategy
        self._copies = [start, *(_copy(start) for _ in strategy.contexts[1:])]

    @property
    def array(self) -> Any:
        """The array of the replica that runs; between runs of the first."""
        return self._copies[self._index()]

    @array.setter
    def array(self, new: Any) -> None:
        if self._runs():
            self._copies[self._index()] = new
            if self._on_read and self.aggregation is MEAN:  # type: ignore[attr-defined]
                replicas.replica.get().to_average[id(self)] = self
        else:
            self._copies = [new, *(_copy(new) for _ in self._copies[1:])]

    @property
    def _on_read(self) -> bool:
        return self.synchronization is VariableSynchronization.ON_READ  # type: ignore[attr-defined]

    def _runs(self) -> bool:
        here = replicas.replica.get()
        return here is not None and here.strategy is self._strategy

    def _index(self) -> int:
        return replicas.replica.get().local if self._runs() else 0

    @property
    def values(self) -> tuple[Any, ...]:  # type: ignore[override]
        """A tensor for each replica of this process."""
        return tuple(Tensor(array) for array in self._copies)

    def read_value(self) -> Tensor:
        """The present value; between runs what the replicas have together."""
        found = self.aggregation  # type: ignore[attr-defined]
        if not self._on_read or self._runs() or found is not SUM:
            return self._as_read(recording.read(self, self.array))  # type: ignore[attr-defined]
        return self._strategy.reduce(ReduceOp.SUM, regroup(self.values), None)  # type: ignore[no-any-return]

    def numpy(self) -> Any:
        """The same as a NumPy array."""
        return self.read_value().numpy()

    def assign(self, value: Any) -> Any:
        """Gives every replica the value, or what their values make together."""
        here = self._runs() and replicas.shared()
        if here and not self._on_read and not here.updating:
            value = self._aggregated(here, value)
        found = Variable.assign(self, value)  # type: ignore[arg-type]
        if self._on_read and not self._runs() and self.aggregation is SUM:  # type: ignore[attr-defined]
            self._keep_at_first()
        return found

    def assign_add(self, delta: Any) -> Any:
        """Adds `delta`, or what the replicas' deltas make together."""
        return self._moved(Variable.assign_add, delta)

    def assign_sub(self, delta: Any) -> Any:
        """Subtracts `delta`, or what the replicas' deltas make together."""
        return self._moved(Variable.assign_sub, delta)

    def _moved(self, by: Any, delta: Any) -> Any:
        here = self._runs() and replicas.shared()
        if here and not self._on_read and not here.updating:
            delta = self._aggregated(here, delta)
            with here.writing_the_same():
                return by(self, delta)
        if self._on_read and not self._runs():
            self.assign(self.read_value())  # the whole sum where it is changed
        return by(self, delta)

    def _aggregated(self, here: Any, value: Any) -> Any:
        rule = self.aggregation  # type: ignore[attr-defined]
        if rule in (SUM, MEAN):
            return here.all_reduce(ReduceOp[rule.name], value)
        return here.from_first(value) if rule is FIRST else value

    def _keep_at_first(self) -> None:
        """A sum that was given from outside is the first replica's; the others have 0."""
        first = self._strategy.is_chief
        for i in range(int(first), len(self._copies)):
            be = backend.of(self._copies[i])
            self._copies[i] = be.asarray(be.xp.zeros_like(self._copies[i]))


def _copy(array: Any) -> Any:
    be = backend.of(array)
    return be.asarray(be.xp.array(array))


@functools.cache
def distributed(cls: type) -> type:
    """A kind of variables as one of which every replica has a copy.

    The kind itself comes first among its bases, so that a variable can change over to it.
    """
    own = {n: v for n, v in vars(DistributedVariable).items() if n not in ("__slots__", "__doc__")}
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    return type(cls.__name__, (cls, DistributedVariable), {**own, **names})
