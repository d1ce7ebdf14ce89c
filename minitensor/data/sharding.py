"""What each of several workers reads of one dataset: TensorFlow's auto_shard_policy.

FILE   the files that the dataset reads, every n-th, before they are shuffled
DATA   every n-th element; all workers read everything
AUTO   FILE if all elements come from files, else DATA
HINT   what `dataset.shard(SHARD_HINT, SHARD_HINT)` says
OFF    everything, for every worker

A batch is for all replicas: `rebatched` cuts it into theirs. Under DATA, and where a dataset
shuffles without a seed, all workers must draw alike: their shared generators stand at one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from minitensor.backend.errors import InvalidArgumentError, NotFoundError
from minitensor.data import steps
from minitensor.data.options import AutoShardPolicy
from minitensor.data.pipeline import UNKNOWN, Pipeline, Run, Shard
from minitensor.data.spec import TensorSpec, flatten, map_structure

__all__ = [
    "auto_shard", "batch_size_of", "batch_sizes_for_worker", "distributed", "policy_of",
    "rebatched",
]  # fmt: skip


def distributed(
    dataset: Any, num_workers: int, index: int, replicas_per_worker: int = 1
) -> Pipeline:
    """The batches of one worker's replicas, one after the other, from a dataset of global batches.

    Step s takes elements s R .. s R + R - 1 of every worker, R the replicas of each.

    Args:
        dataset: its elements are batches, each for all replicas of all workers.
        num_workers, index: how many workers there are, and which one this is.
        replicas_per_worker: R.

    Raises:
        ValueError: `index` is not below `num_workers`; elements are no batches; FILE is asked for,
            and not all comes from files, or, while iterating, there are fewer than workers.

    Example:
        >>> import minitensor as tf
        >>> from minitensor.data.sharding import distributed
        >>> dataset = tf.data.Dataset.range(10).batch(4)
        >>> [[x.numpy().tolist() for x in distributed(dataset, 2, index)] for index in (0, 1)]
        [[[0, 1], [4, 5], [8]], [[2, 3], [6, 7], [9]]]

    Source: tf.distribute.Strategy.experimental_distribute_dataset
    """
    replicas = num_workers * replicas_per_worker
    size = batch_size_of(dataset)
    if size < 0:
        cut = rebatched(dataset, replicas)
    else:
        sizes = batch_sizes_for_worker(size, num_workers, replicas_per_worker, index)
        cut = dataset.rebatch(sizes)
    return auto_shard(cut, num_workers, index, replicas)


def auto_shard(
    dataset: Any, num_workers: int, index: int, num_replicas: int | None = None
) -> Pipeline:
    """The part of one worker, as `experimental_distribute.auto_shard_policy` of its options says.

    Args:
        num_replicas: of all workers: under DATA `rebatch` then gives each of them, by turns, its
            share of a batch.

    Raises:
        ValueError, NotFoundError: as of `distributed`.

    Example:
        >>> import minitensor as tf
        >>> from minitensor.data.sharding import auto_shard
        >>> [int(n) for n in auto_shard(tf.data.Dataset.range(5), num_workers=2, index=1)]
        [1, 3]

    Source: tf.data.experimental.AutoShardPolicy
    """
    if not 0 <= index < num_workers:
        raise InvalidArgumentError(f"index must be between 0 and {num_workers - 1}, got {index}")
    policy = policy_of(dataset, num_workers)
    part = Shard(policy, num_workers, index, num_replicas)

    def start(run: Run) -> Iterator[Any]:
        found = dataset._start(replace(run, shard=part))
        if policy is AutoShardPolicy.DATA:
            return steps.sliced(found, index, -1, num_workers)
        return found

    def many() -> int:
        here: int = dataset._count()
        if policy is AutoShardPolicy.DATA and here >= 0:
            return max(0, -(-(here - index) // num_workers))
        return here if policy is AutoShardPolicy.OFF or here < 0 else UNKNOWN

    made: Pipeline = dataset._kept("auto_shard", start, many)
    return made


def policy_of(dataset: Any, num_workers: int) -> AutoShardPolicy:
    """The policy of a dataset's options, what AUTO decides in place of AUTO.

    Raises:
        NotFoundError: FILE is asked for, and not all comes from files.
    """
    policy = dataset.options().experimental_distribute.auto_shard_policy or AutoShardPolicy.AUTO
    if policy is AutoShardPolicy.AUTO:
        return AutoShardPolicy.FILE if dataset._reads() else AutoShardPolicy.DATA
    if policy is AutoShardPolicy.FILE and num_workers > 1 and not dataset._reads():
        raise NotFoundError(
            f"Found an unshardable source dataset: {dataset!r} does not take all its elements from "
            "TFRecordDataset, TextLineDataset or TarDataset. Set auto_shard_policy to AUTO, DATA "
            "or OFF"
        )
    found: AutoShardPolicy = policy
    return found


def rebatched(dataset: Any, num_replicas: int) -> Pipeline:
    """Each batch as `num_replicas` smaller ones: as many rows in each as fit, then what is left.

    Raises:
        ValueError: elements are no batches.

    Example:
        >>> import minitensor as tf
        >>> from minitensor.data.sharding import rebatched
        >>> batches = rebatched(tf.data.Dataset.range(7).batch(4), num_replicas=3)
        >>> [x.numpy().tolist() for x in batches]
        [[0, 1], [2, 3], [], [4], [5], [6]]

    Source: tensorflow.python.data.experimental.ops.distribute._LegacyRebatchDataset
    """

    def of_one(spec: TensorSpec) -> TensorSpec:
        size = spec.shape[0] if spec.shape else None
        if size is None or size % num_replicas or dataset._looks:
            return spec.rows().batched(None)
        return spec.rows().batched(size // num_replicas)

    def specs() -> Any:
        return map_structure(of_one, dataset.element_spec)

    if not dataset._looks:
        specs()
    many = dataset._counted(lambda here: here * num_replicas)
    made: Pipeline = dataset._then(
        "rebatched", lambda run: steps.parted(dataset._start(run), num_replicas), many, specs
    )
    return made


def batch_sizes_for_worker(
    global_batch_size: int, num_workers: int, num_replicas_per_worker: int, worker_index: int
) -> list[int]:
    """The sizes into which one worker cuts global batches of files that it alone reads.

    In each step all replicas together take `global_batch_size` rows, and no two differ by more
    than one.

    Example:
        >>> from minitensor.data.sharding import batch_sizes_for_worker
        >>> [batch_sizes_for_worker(7, 2, 2, index) for index in (0, 1)]
        [[2, 2, 2, 1], [2, 1, 2, 2]]

    Source: tensorflow.python.data.experimental.ops.distribute.batch_sizes_for_worker
    """
    count = num_workers * num_replicas_per_worker
    least, more = divmod(global_batch_size, count)
    sizes = [least + 1] * more + [least] * (count - more)
    first = worker_index * num_replicas_per_worker
    return sizes[first:] + sizes[:first]


def batch_size_of(dataset: Any) -> int:
    """The rows of a whole batch; -1 if no step of the dataset says so, or steps after it change it.

    Example:
        >>> import minitensor as tf
        >>> from minitensor.data.sharding import batch_size_of
        >>> batches = tf.data.Dataset.range(9).batch(4)
        >>> batch_size_of(batches.repeat()), batch_size_of(batches.map(tf.square))
        (4, -1)

    Source: tensorflow.python.data.experimental.ops.distribute.compute_batch_size
    """
    if not dataset._looks:
        shapes = [spec.shape for spec in flatten(dataset.element_spec)]
        known: set[Any] = {shape[0] if shape else None for shape in shapes}
        if None not in known:
            return int(known.pop()) if len(known) == 1 else -1
    return int(dataset._batch)
