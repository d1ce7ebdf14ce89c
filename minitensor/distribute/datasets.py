"""Batches for all replicas: each gets its part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from minitensor.autograd.tree import flatten, map_structure
from minitensor.distribute.values import PerReplica


@dataclass(frozen=True)
class InputContext:
    """Which process makes its part of the data.

    Args:
        num_input_pipelines: how many processes do.
        input_pipeline_id: the number of this one.
        num_replicas_in_sync: how many replicas there are in all.

    Example:
        >>> import minitensor as tf
        >>> tf.distribute.InputContext(num_replicas_in_sync=4).get_per_replica_batch_size(32)
        8

    Source: tf.distribute.InputContext
    """

    num_input_pipelines: int = 1
    input_pipeline_id: int = 0
    num_replicas_in_sync: int = 1

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        """The batch of a replica, of one for all.

        Raises:
            ValueError: it is not divisible by the number of replicas.
        """
        if global_batch_size % self.num_replicas_in_sync:
            raise ValueError(
                f"The `global_batch_size` {global_batch_size} is not divisible by "
                f"`num_replicas_in_sync` {self.num_replicas_in_sync}"
            )
        return global_batch_size // self.num_replicas_in_sync


@dataclass(frozen=True)
class ValueContext:
    """For which replica a value is made.

    Source: tf.distribute.experimental.ValueContext
    """

    replica_id_in_sync_group: int = 0
    num_replicas_in_sync: int = 1


class DistributedDataset:
    """A dataset of batches for all replicas.

    Args:
        strategy: whose replicas.
        dataset: gives the batches.

    Source: tf.distribute.DistributedDataset
    """

    def __init__(self, strategy: Any, dataset: Any) -> None:
        self._strategy, self._dataset = strategy, dataset

    def __iter__(self) -> DistributedIterator:
        return DistributedIterator(self._parts(), self)

    def _parts(self) -> Iterator[Any]:
        for batch in self._dataset:
            yield self._strategy.shares(batch)[0]

    @property
    def element_spec(self) -> Any:
        """What an element looks like: that of the dataset, of any number of samples."""
        return self._dataset.element_spec


class DistributedIterator:
    """One pass over a distributed dataset.

    Source: tf.distribute.DistributedIterator
    """

    def __init__(self, parts: Iterator[Any], dataset: Any) -> None:
        self._parts, self._dataset = parts, dataset

    def __iter__(self) -> DistributedIterator:
        return self

    def __next__(self) -> Any:
        return next(self._parts)

    def get_next(self) -> Any:
        """The next element.

        Raises:
            OutOfRangeError: there is none.
        """
        try:
            return next(self._parts)
        except StopIteration:
            from minitensor.errors import OutOfRangeError

            raise OutOfRangeError(None, None, "End of sequence") from None

    @property
    def element_spec(self) -> Any:
        """What an element looks like."""
        return self._dataset.element_spec


class _OwnPipelines(DistributedDataset):
    """Datasets that the processes made themselves, whose batches are for one replica each.

    A pass ends when none has anything left; until then the others get empty batches.
    """

    def _parts(self) -> Iterator[Any]:
        strategy, batches = self._strategy, iter(self._dataset)
        count, seen = strategy.local_replicas, None
        while True:
            got = [b for _ in range(count) if (b := next(batches, None)) is not None]
            seen = got[0] if got else seen
            if not strategy.any_has(bool(got)):
                return
            got += [self._empty(seen)] * (count - len(got))
            yield got[0] if count == 1 else _regrouped(got)

    def _empty(self, seen: Any) -> Any:
        if seen is None:
            raise ValueError(
                "distribute_datasets_from_function: the dataset of this process is empty, while "
                "another process has data"
            )
        return map_structure(lambda t: t[:0], seen)


def _regrouped(parts: list[Any]) -> Any:
    leaves = zip(*map(flatten, parts), strict=True)
    found = iter([PerReplica(values) for values in leaves])
    return map_structure(lambda _: next(found), parts[0])


def from_function(strategy: Any, dataset: Any) -> DistributedDataset:
    """Datasets that the processes made themselves."""
    return _OwnPipelines(strategy, dataset)
