"""Batches for all replicas: each gets its part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitensor.autograd import as_tensor
from minitensor.autograd.tree import map_structure
from minitensor.backend.generator import generator, using
from minitensor.distribute.values import PerReplica, regroup


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


class Shares:
    """What the replicas of this process get of a batch for all: a PerReplica nest, or one's own.

    Args:
        parts: the nest.
    """

    def __init__(self, parts: Any) -> None:
        self.parts = parts


class DistributedDataset:
    """A dataset of batches for the replicas of this process, one after the other.

    A pass ends when no process has anything left; until then the others get empty batches.

    Args:
        strategy: whose replicas.
        dataset: gives a batch for each in turn.
        alike: whether all processes read the same and keep a part: then they must draw alike.

    Source: tf.distribute.DistributedDataset
    """

    def __init__(self, strategy: Any, dataset: Any, alike: bool = False) -> None:
        self._strategy, self._dataset, self._alike = strategy, dataset, alike

    def __iter__(self) -> DistributedIterator:
        return DistributedIterator((shares.parts for shares in self.shares()), self)

    @property
    def element_spec(self) -> Any:
        """What an element looks like."""
        return self._dataset.element_spec

    def shares(self) -> Iterator[Shares]:
        """What the replicas get in each step."""
        count, seen = self._strategy.local_replicas, None
        own = [] if self._alike else [self._strategy.worker]
        rng = np.random.default_rng([int(generator().integers(2**63)), *own])
        with using(rng):
            batches = iter(self._dataset)
        while True:
            with using(rng):
                got = [batch for _ in range(count) if (batch := next(batches, None)) is not None]
            seen = got[0] if got else seen
            if not self._strategy.any_has(bool(got)):
                return
            yield Shares(regroup(got + [self._empty(seen)] * (count - len(got)), PerReplica))

    def _empty(self, seen: Any) -> Any:
        """A batch of nothing, of the kind that was seen last."""
        if seen is None:
            return map_structure(_nothing, self._dataset.element_spec)
        return map_structure(lambda tensor: tensor[:0], seen)


def _nothing(spec: Any) -> Any:
    """A batch of no samples."""
    return as_tensor(np.zeros((0, *(n or 1 for n in spec.shape[1:])), spec.dtype))


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
