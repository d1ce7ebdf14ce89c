"""In whose scope a program is, and what a replica can do there."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from minitensor import backend
from minitensor.array import concat
from minitensor.autograd import Tensor, as_tensor, custom_gradient, replicas, to_device_of
from minitensor.autograd.tree import flatten, map_structure, pack
from minitensor.distribute.buckets import Buckets, sums
from minitensor.distribute.reduce_op import ReduceOp
from minitensor.distribute.values import regroup, select
from minitensor.math import scalar_mul


class ReplicaContext:
    """What a function that `Strategy.run` calls can ask, and do with the other replicas.

    Args:
        strategy: whose `run` it is.
        replica_id_in_sync_group: the number of this replica, from 0.

    Source: tf.distribute.ReplicaContext
    """

    local = 0  # its number in this process
    updating = False  # whether an optimizer writes, of which all replicas write the same
    summed = False  # whether the gradients that an optimizer gets are sums already
    weight = 1.0  # of its share of the batch: 1 where all shares are equal

    def __init__(self, strategy: Any, replica_id_in_sync_group: int) -> None:
        self._strategy, self._id = strategy, replica_id_in_sync_group
        self.communicator: Any = None
        self._gradients: dict[tuple[int, ...], Buckets] = {}
        self.to_average: dict[int, Any] = {}  # variables that differ between replicas since a run

    @property
    def strategy(self) -> Any:
        """Whose `run` it is."""
        return self._strategy

    @property
    def replica_id_in_sync_group(self) -> int:
        """The number of this replica, from 0."""
        return self._id

    @property
    def num_replicas_in_sync(self) -> int:
        """How many replicas there are, in all processes."""
        return int(self._strategy.num_replicas_in_sync)

    @property
    def devices(self) -> tuple[str, ...]:
        """The device that this replica computes on, in a tuple."""
        return (self._strategy.device_of(self.local),)

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """The sum or mean over all replicas, the same in each.

        y = sum_r x_r; dL/dx_r = sum_s dL_s/dy

        Args:
            reduce_op: "SUM" or "MEAN", or a `ReduceOp`.
            value: a tensor, or a nest of them, of the same shapes in every replica.
            options: ignored.

        Returns:
            The same nest.

        Raises:
            ValueError: another `reduce_op`.
        """
        op, tensors = ReduceOp.of(reduce_op), [as_tensor(t) for t in flatten(value)]
        found = _differentiable_sums(self.communicator, tensors)
        if op is ReduceOp.MEAN:
            found = [scalar_mul(1.0 / self.num_replicas_in_sync, t) for t in found]
        return pack(value, found)

    def all_gather(self, value: Any, axis: int, options: Any = None) -> Any:
        """The tensors of all replicas, one behind the other along an axis.

        Args:
            value: a tensor, or a nest of them.
            axis: along which sizes may differ.
            options: ignored.
        """
        return map_structure(lambda t: gathered(self.communicator, as_tensor(t), axis), value)

    def merge_call(
        self, merge_fn: Callable[..., Any], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Calls `merge_fn(strategy, *args, **kwargs)` once for all replicas of this process.

        Args:
            merge_fn: gets what differs between replicas as one value each.
            args, kwargs: the replica's arguments.

        Returns:
            This replica's part of what it returns.
        """
        kwargs = kwargs or {}
        if self._strategy.local_replicas == 1:
            return _merged(merge_fn, self._strategy, [(args, kwargs)])
        given = self.communicator.exchange((tuple(args), kwargs))
        own = _merged(merge_fn, self._strategy, given) if not self.local else None
        return select(self.local, self.communicator.exchange(own)[0])

    def from_first(self, value: Any) -> Any:
        """The value that the first replica has."""
        tensor = as_tensor(value)
        return to_device_of(on_host(self.communicator.broadcast, tensor), tensor)

    @contextlib.contextmanager
    def sums_given(self) -> Iterator[None]:
        """What optimizers get in the block are sums over all replicas already."""
        before, self.summed = self.summed, True
        try:
            yield
        finally:
            self.summed = before

    @contextlib.contextmanager
    def writing_the_same(self) -> Iterator[None]:
        """What the block writes into variables is the same in all replicas."""
        before, self.updating = self.updating, True
        try:
            yield
        finally:
            self.updating = before

    def average_kept(self) -> None:
        """The variables that every replica changed in its own way get their mean."""
        changed, self.to_average = list(self.to_average.values()), {}
        for variable, total in zip(
            changed, sums(self.communicator, [v.array for v in changed]), strict=True
        ):
            be = backend.of(total)
            variable.array = be.asarray(
                be.xp.array(total / total.dtype.type(self.num_replicas_in_sync))
            )
        self.to_average = {}  # which that has filled again

    def gradients(
        self, tape: Any, target: Any, sources: Sequence[Any], loss: Any
    ) -> tuple[list[Any], Any]:
        """The gradients of sources, summed over all replicas, and the sum of a number.

        They travel in buckets while the walk back goes on. What is returned is overwritten by the
        next call.
        """
        known = tuple(map(id, sources))
        number = backend.of(loss.array).asarray(loss.array.sum()).reshape(1)
        arrays = [number, *(v.array for v in sources)]
        if known not in self._gradients:
            self._gradients = {known: Buckets(self.communicator, arrays)}
        buckets = self._gradients[known]
        found = tape.gradient_telling(target, sources, lambda i, g: buckets.put(i + 1, g.array))
        buckets.put(0, number)
        total, *summed = buckets.sums()
        missing = [g is None for g in found]
        tensors = [None if no else Tensor(g) for no, g in zip(missing, summed, strict=True)]
        return tensors, Tensor(total.reshape(()))


def _merged(merge_fn: Callable[..., Any], strategy: Any, given: Sequence[Any]) -> Any:
    args, kwargs = regroup(list(given))
    token = replicas.replica.set(None)
    try:
        return merge_fn(strategy, *args, **kwargs)
    finally:
        replicas.replica.reset(token)


def _differentiable_sums(communicator: Any, tensors: list[Tensor]) -> list[Tensor]:
    """The sum over replicas of each tensor; its derivative is the sum of the cotangents."""

    @custom_gradient
    def all_reduce(*inputs: Any) -> Any:
        arrays = sums(communicator, [t.array for t in inputs])
        outputs = [Tensor(array) for array in arrays]
        return outputs, lambda *upstream: _differentiable_sums(communicator, list(upstream))

    return list(all_reduce(*tensors)) if tensors else []


def gathered(communicator: Any, tensor: Tensor, axis: int) -> Tensor:
    """The tensors of all replicas, one behind the other."""
    be = backend.of(tensor.array)
    parts = communicator.all_gather(be.to_numpy(tensor.array))
    return concat([to_device_of(part, tensor) for part in parts], axis)


def on_host(collective: Callable[[Any], Any], tensor: Tensor) -> Any:
    """What a collective makes of a tensor's array in the memory of the CPU."""
    return collective(backend.of(tensor.array).to_numpy(tensor.array))


# ----- where a program is -----


@functools.cache
def _default() -> Any:
    from minitensor.distribute.strategies import DefaultStrategy

    return DefaultStrategy()


def get_strategy() -> Any:
    """The strategy in whose scope this is called; outside of any one with a single replica.

    Example:
        >>> import minitensor as tf
        >>> tf.distribute.get_strategy().num_replicas_in_sync
        1

    Source: tf.distribute.get_strategy
    """
    return replicas.strategy.get() or _default()


def has_strategy() -> bool:
    """Whether this is called in the scope of a strategy.

    Example:
        >>> import minitensor as tf
        >>> tf.distribute.has_strategy()
        False

    Source: tf.distribute.has_strategy
    """
    return replicas.strategy.get() is not None


def get_replica_context() -> ReplicaContext | None:
    """The context of the replica that runs; None in a scope, between runs.

    Example:
        >>> import minitensor as tf
        >>> tf.distribute.get_replica_context().replica_id_in_sync_group
        0

    Source: tf.distribute.get_replica_context
    """
    here = replicas.replica.get()
    if here is None and not has_strategy():
        return _default().contexts[0]  # type: ignore[no-any-return]
    return here  # type: ignore[no-any-return]


def in_cross_replica_context() -> bool:
    """Whether this is called in a scope, between runs.

    Example:
        >>> import minitensor as tf
        >>> tf.distribute.in_cross_replica_context()
        False

    Source: tf.distribute.in_cross_replica_context
    """
    return get_replica_context() is None
