"""What programs tell TensorFlow of how replicas are to speak; here MPI and NCCL decide it.

Args of all: as in TensorFlow. They are kept, and change nothing, as all give the same sums.
"""

from __future__ import annotations

import enum
from typing import Any, NamedTuple


class InputReplicationMode(enum.Enum):
    """Who makes the data: each process, or each replica.

    Source: tf.distribute.InputReplicationMode
    """

    PER_WORKER = "PER_WORKER"
    PER_REPLICA = "PER_REPLICA"


class InputOptions(NamedTuple):
    """How a dataset comes to the devices. Source: tf.distribute.InputOptions"""

    experimental_fetch_to_device: Any = None
    experimental_replication_mode: Any = InputReplicationMode.PER_WORKER
    experimental_place_dataset_on_device: bool = False
    experimental_per_replica_buffer_size: int = 1


class RunOptions(NamedTuple):
    """How `run` runs. Source: tf.distribute.RunOptions"""

    experimental_enable_dynamic_batch_size: bool = True
    experimental_bucketizing_dynamic_shape: bool = False
    experimental_xla_options: Any = None


class CommunicationImplementation(enum.Enum):
    """Which library sums. Source: tf.distribute.experimental.CommunicationImplementation"""

    AUTO = "AUTO"
    RING = "RING"
    NCCL = "NCCL"


class CommunicationOptions(NamedTuple):
    """How sums are made. Source: tf.distribute.experimental.CommunicationOptions"""

    bytes_per_pack: int = 0
    timeout_seconds: float | None = None
    implementation: Any = CommunicationImplementation.AUTO


class CrossDeviceOps:
    """How the replicas of one process sum. Source: tf.distribute.CrossDeviceOps"""


class NcclAllReduce(CrossDeviceOps):
    """By NCCL. Source: tf.distribute.NcclAllReduce"""

    def __init__(self, num_packs: int = 1) -> None:
        self.num_packs = num_packs


class HierarchicalCopyAllReduce(NcclAllReduce):
    """By copies along a tree. Source: tf.distribute.HierarchicalCopyAllReduce"""


class ReductionToOneDevice(CrossDeviceOps):
    """On one device, which tells the others. Source: tf.distribute.ReductionToOneDevice"""

    def __init__(self, reduce_to_device: Any = None, accumulation_fn: Any = None) -> None:
        self.reduce_to_device, self.accumulation_fn = reduce_to_device, accumulation_fn


class ClusterSpec:
    """Which processes there are: {"worker": [address, ...]}. Source: tf.train.ClusterSpec"""

    def __init__(self, cluster: dict[str, list[str]]) -> None:
        self._cluster = {job: list(tasks) for job, tasks in cluster.items()}

    @property
    def jobs(self) -> list[str]:
        """The kinds of processes."""
        return list(self._cluster)

    def as_dict(self) -> dict[str, list[str]]:
        """{kind: addresses}"""
        return {job: list(tasks) for job, tasks in self._cluster.items()}

    def num_tasks(self, job_name: str) -> int:
        """How many processes of a kind there are."""
        return len(self._cluster[job_name])


class ClusterResolver:
    """Which of the processes that `mpiexec` started this is.

    Args:
        ranks: how many there are.
        rank: the number of this one.

    Attributes:
        task_type, task_id: "worker" and the number; None and None if there is one process.

    Source: tf.distribute.cluster_resolver.ClusterResolver
    """

    def __init__(self, ranks: int = 1, rank: int = 0) -> None:
        self._ranks = ranks
        self.task_type = "worker" if ranks > 1 else None
        self.task_id = rank if ranks > 1 else None

    def cluster_spec(self) -> ClusterSpec:
        """All processes, by the names "rank 0" and so on."""
        ranks = [f"rank {i}" for i in range(self._ranks)]
        return ClusterSpec({"worker": ranks} if self._ranks > 1 else {})
