"""Strategy: what all strategies do; which there are is in strategies.py.

All is synchronous: every replica calls the same collectives in the same order.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minitensor.array import concat
from minitensor.autograd import Tensor, as_tensor, replicas, to_device, to_device_of
from minitensor.autograd.tree import flatten, map_structure
from minitensor.backend import devices, generator
from minitensor.data import Dataset
from minitensor.data.options import AutoShardPolicy
from minitensor.data.sharding import distributed as distributed_dataset
from minitensor.data.sharding import policy_of
from minitensor.distribute.agreement import same_on_all_ranks
from minitensor.distribute.context import ReplicaContext, gathered, on_host
from minitensor.distribute.datasets import DistributedDataset, InputContext, Shares, ValueContext
from minitensor.distribute.reduce_op import ReduceOp
from minitensor.distribute.values import PerReplica, distributed, regroup, select
from minitensor.math import divide_no_nan, reduce_sum

_IN_REPLICA = (
    "Method requires being in cross-replica context, use get_replica_context().merge_call()"
)


class Strategy:
    """Runs a function on every replica, each with its own data and its own copy of the variables.

    Variables that are made in `scope()` have a copy for every replica, all with the values that
    the first process drew. In `run`, random numbers differ from replica to replica.

    Attributes:
        num_replicas_in_sync: how many replicas there are, in all processes.
        cluster_resolver: which process this is among all; None if there is one only.

    Source: tf.distribute.Strategy
    """

    cluster_resolver: Any = None
    num_workers, worker = 1, 0  # processes, and the number of this one
    is_default = False  # whether it is the one outside of all scopes

    def __deepcopy__(self, memo: Any) -> Strategy:
        """What a model that is copied keeps is this one: replicas cannot be copied."""
        return self

    def _open(self, names: Sequence[str], communicators: Sequence[Any], workers: Any) -> None:
        """Makes a context for every replica of this process."""
        self._devices, self._workers = tuple(names), workers
        self.num_replicas_in_sync: int = communicators[0].size
        self.contexts = [ReplicaContext(self, c.rank) for c in communicators]
        for i, (context, communicator) in enumerate(zip(self.contexts, communicators, strict=True)):
            context.local, context.communicator = i, communicator

    @property
    def local_replicas(self) -> int:
        """How many replicas this process has."""
        return len(self.contexts)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the files of all."""
        return self.worker == 0

    @property
    def extended(self) -> Any:
        """What TensorFlow keeps behind a strategy: here the strategy itself."""
        return self

    @property
    def worker_devices(self) -> tuple[str, ...]:
        """The devices of this process's replicas."""
        return self._devices

    def device_of(self, local: int) -> str:
        """The device of a replica of this process."""
        return self._devices[local]

    # ----- scope and run -----

    @contextlib.contextmanager
    def scope(self) -> Iterator[Strategy]:
        """Makes the variables of the `with` block this strategy's."""
        self._between_runs()
        token = replicas.strategy.set(self)
        try:
            with devices.device(self._kind(0)):
                yield self
        finally:
            replicas.strategy.reset(token)

    def _kind(self, local: int) -> str:
        """The device of a replica of this process, as the backends know it."""
        kind, _ = devices.kind_and_number(self._devices[local])
        return f"/{kind}:0"

    def adopt(self, variable: Any) -> None:
        """Makes a new variable one of which every replica has a copy, the first process's."""
        if self.num_replicas_in_sync == 1:
            return
        start = Tensor(vars(variable).pop("array"))
        if self._workers.size > 1:
            like = [list(start.shape), start.dtype.name]
            self.check_same(f"the shape and type of the variable {variable.name}", like)
            start = to_device_of(on_host(self._workers.broadcast, start), start)
        variable.__class__ = distributed(type(variable))  # type: ignore[arg-type]
        variable.mirror(self, start.array)

    def run(
        self,
        fn: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Any = None,
        options: Any = None,
    ) -> Any:
        """Calls a function on every replica.

        Args:
            fn: what to call. In it `tf.distribute.get_replica_context()` knows the replica.
            args, kwargs: its arguments; of values that differ between replicas each gets its own.
            options: ignored.

        Returns:
            What it returned, with PerReplica values where there are several replicas in this
            process.

        Raises:
            RuntimeError: called inside `run`; or replicas call different collectives.

        Example:
            >>> import minitensor as tf
            >>> strategy = tf.distribute.OneDeviceStrategy("/CPU:0")
            >>> strategy.run(lambda x: x + 1.0, args=(tf.constant(1.0),)).numpy()
            np.float32(2.0)

        Source: tf.distribute.Strategy.run
        """
        return self.run_weighted(fn, args, kwargs or {}, [1.0] * self.local_replicas)

    def run_weighted(
        self,
        fn: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Any,
        weights: Sequence[float],
        seeds: Sequence[int] | None = None,
    ) -> Any:
        """`run`, with how much the share of the batch counts that each replica has.

        Random numbers follow from `seeds` and the replica's number; without them the shared
        generator gives a seed.
        """
        self._between_runs()
        seeds = seeds or [int(generator.generator().integers(2**63))]
        calls = [
            _Replica(self, context, weight, seeds, fn, args, kwargs)
            for context, weight in zip(self.contexts, weights, strict=True)
        ]
        if len(calls) == 1:
            return calls[0]()
        return regroup(self._meeting.run(calls))

    _meeting: Any

    def _between_runs(self) -> None:
        if replicas.replica.get() is not None:
            raise RuntimeError(_IN_REPLICA)

    # ----- values -----

    def reduce(self, reduce_op: Any, value: Any, axis: Any) -> Any:
        """The sum or mean of a value over all replicas, and over an axis if one is given.

        Args:
            reduce_op: "SUM" or "MEAN", or a `ReduceOp`.
            value: what `run` returned, or a nest of such values.
            axis: an integer, or None to keep all axes.

        Returns:
            A tensor, or a nest of tensors, the same in all processes.

        Raises:
            ValueError: another `reduce_op`; the sum of a value that is the same for all replicas.

        Example:
            >>> import minitensor as tf
            >>> strategy = tf.distribute.OneDeviceStrategy("/CPU:0")
            >>> strategy.reduce("MEAN", tf.constant([1.0, 3.0]), axis=0).numpy()
            np.float32(2.0)

        Source: tf.distribute.Strategy.reduce
        """
        self._between_runs()
        op = ReduceOp.of(reduce_op)
        return map_structure(lambda v: self._reduced(op, v, axis), value)

    def _reduced(self, op: ReduceOp, value: Any, axis: Any) -> Any:
        if self.local_replicas > 1 and not isinstance(value, PerReplica):
            if op is ReduceOp.MEAN and axis is None:
                return value
            raise ValueError(
                f"A non-DistributedValues value {value} cannot be reduced with the given reduce "
                f"op {op}."
            )
        if self.num_replicas_in_sync == 1 and axis is None:
            return value
        parts = [as_tensor(v) for v in self.experimental_local_results(value)]
        count = sum(1 if axis is None else t.shape[axis] for t in parts)
        total = sum((_along(t, axis) for t in parts[1:]), _along(parts[0], axis))
        if self._workers.size > 1:
            total = to_device_of(on_host(self._workers.all_reduce, total), total)
            count = int(self._workers.all_reduce(np.array([count]))[0])
        if op is ReduceOp.SUM:
            return total
        if total.dtype.kind in "iu":
            return total // count
        return divide_no_nan(total, as_tensor(float(count), total.dtype, like=total))

    def gather(self, value: Any, axis: int) -> Any:
        """The values of all replicas, one behind the other along an axis.

        Args:
            value: what `run` returned, or a nest of such values.
            axis: an integer.

        Source: tf.distribute.Strategy.gather
        """
        self._between_runs()

        def of(leaf: Any) -> Tensor:
            parts = [as_tensor(v) for v in self.experimental_local_results(leaf)]
            return gathered(self._workers, concat(parts, axis) if parts[1:] else parts[0], axis)

        return map_structure(of, value)

    def experimental_local_results(self, value: Any) -> tuple[Any, ...]:
        """The values of this process's replicas, as a tuple.

        Source: tf.distribute.Strategy.experimental_local_results
        """
        return value.values if isinstance(value, PerReplica) else (value,)

    def experimental_distribute_values_from_function(self, value_fn: Callable[..., Any]) -> Any:
        """One value for each replica of this process: `value_fn(context)` makes it.

        Args:
            value_fn: gets what has `replica_id_in_sync_group` and `num_replicas_in_sync`.

        Source: tf.distribute.Strategy.experimental_distribute_values_from_function
        """
        ids = [context.replica_id_in_sync_group for context in self.contexts]
        made = [value_fn(ValueContext(i, self.num_replicas_in_sync)) for i in ids]
        return regroup(made, PerReplica)

    # ----- data -----

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """A dataset of batches for all replicas, cut into their parts.

        A batch of B becomes parts of B / replicas, the last of which may be smaller or empty. Which
        process reads what, `dataset.options().experimental_distribute.auto_shard_policy` says.

        Args:
            dataset: a `tf.data.Dataset` of batches.
            options: ignored.

        Source: tf.distribute.Strategy.experimental_distribute_dataset
        """
        own = distributed_dataset(dataset, self.num_workers, self.worker, self.local_replicas)
        alike = policy_of(dataset, self.num_workers) is AutoShardPolicy.DATA
        return DistributedDataset(self, own, alike)

    def distribute_datasets_from_function(
        self, dataset_fn: Callable[..., Any], options: Any = None
    ) -> Any:
        """Datasets that the processes make themselves, of batches for one replica.

        Args:
            dataset_fn: gets an `InputContext` and returns a `tf.data.Dataset`.
            options: ignored.

        Source: tf.distribute.Strategy.distribute_datasets_from_function
        """
        context = InputContext(self.num_workers, self.worker, self.num_replicas_in_sync)
        return DistributedDataset(self, dataset_fn(context))

    experimental_distribute_datasets_from_function = distribute_datasets_from_function

    # ----- what fit does with a batch for all -----

    def shares(self, batch: Any) -> tuple[Any, list[float]]:
        """What the replicas of this process get of a batch, and what weights that gives them.

        A weight is replicas * samples / samples of all: the mean over all samples is the mean
        over replicas of weight * mean.
        """
        if isinstance(batch, Shares):
            return batch.parts, self._weights(batch.parts)
        if self.num_replicas_in_sync == 1:
            return batch, [1.0]
        size, number = _samples(batch), self.num_replicas_in_sync
        part = -(-size // number)
        cuts = [min(c.replica_id_in_sync_group * part, size) for c in self.contexts]
        ends = [min(start + part, size) for start in cuts]

        def share(leaf: Any) -> Any:
            if leaf is None:
                return None
            cut = [leaf[start:end] for start, end in zip(cuts, ends, strict=True)]
            return cut[0] if len(cut) == 1 else PerReplica(cut)

        weights = [
            (end - start) * number / size if size else 1.0
            for start, end in zip(cuts, ends, strict=True)
        ]
        return map_structure(share, batch), weights

    def _weights(self, parts: Any) -> list[float]:
        """The same, where no process has seen the whole batch."""
        counts = [_samples(select(i, parts)) for i in range(self.local_replicas)]
        total = int(self._workers.all_reduce(np.array([sum(counts)]))[0])
        return [n * self.num_replicas_in_sync / total if total else 1.0 for n in counts]

    def parts_of(self, data: Any) -> Any:
        """A dataset that fit was given: in parts, unless all processes are to read everything."""
        if self.num_workers == 1 or not isinstance(data, Dataset):
            return data
        everything = policy_of(data, self.num_workers) is AutoShardPolicy.DATA
        return data if everything else self.experimental_distribute_dataset(data)

    @property
    def seconds_waited(self) -> float:
        """How long this process has waited in collectives since it began."""
        return float(self.contexts[0].communicator.waited)

    def gather_host(self, array: np.ndarray) -> list[np.ndarray]:
        """An array of every process."""
        return list(self._workers.all_gather(array))

    def check_same(self, name: str, value: Any) -> None:
        """Refuses a process that has something else than the others.

        Raises:
            RanksDifferError: names it, and says what both have.
        """
        if self.num_workers > 1:
            same_on_all_ranks(self._workers, name, value)

    def check_all(self, name: str, given: bool) -> None:
        """The same of what is true or not, in one short message while all is well."""
        if self.num_workers > 1:
            true = int(self._workers.all_reduce(np.array([int(given)]))[0])
            if 0 < true < self.num_workers:
                self.check_same(name, given)

    def any_has(self, given: bool) -> bool:
        """Whether it is true in any process."""
        return bool(self._workers.all_reduce(np.array([int(given)]), "max")[0])


class _Replica:
    """A call of a function on one replica."""

    def __init__(
        self,
        strategy: Strategy,
        context: ReplicaContext,
        weight: float,
        seeds: Sequence[int],
        fn: Callable[..., Any],
        args: Sequence[Any],
        kwargs: dict[str, Any],
    ) -> None:
        self._strategy, self._context, self._weight = strategy, context, weight
        self._seeds, self._fn = [*seeds, context.replica_id_in_sync_group], fn
        self._args, self._kwargs = select(context.local, (tuple(args), kwargs))

    def __call__(self) -> Any:
        around = replicas.strategy.set(self._strategy)
        token = replicas.replica.set(self._context)
        self._context.weight = self._weight
        try:
            rng = np.random.default_rng(self._seeds)
            place = self._strategy._kind(self._context.local)
            with generator.using(rng), devices.device(place):
                args, kwargs = map_structure(_here, (self._args, self._kwargs))
                found = self._fn(*args, **kwargs)
                self._context.average_kept()
                return found
        finally:
            replicas.replica.reset(token)
            replicas.strategy.reset(around)


def _here(value: Any) -> Any:
    """A tensor on the replica's device; anything else as it is."""
    if type(value) is not Tensor or devices.chosen() == "CPU":
        return value
    return to_device(value, f"/{devices.chosen()}:0")


def _along(tensor: Tensor, axis: Any) -> Any:
    return tensor if axis is None else reduce_sum(tensor, axis)


def _samples(batch: Any) -> int:
    return next(int(t.shape[0]) for t in flatten(batch) if t is not None)
