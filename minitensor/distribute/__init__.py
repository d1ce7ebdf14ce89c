"""The mirror of tf.distribute: one program on several devices or processes.

strategy.py        what all strategies do: scope, run, reduce
strategies.py      which there are
context.py         what a replica asks, and how it speaks with the others
values.py          values and variables that differ from replica to replica
reduce_op.py       sum or mean
options.py         what programs say of how that is to be done, and which process this is
experimental.py    older names
datasets.py        batches cut into the replicas' parts
buckets.py         sums of many arrays in few messages, beside the walk back
communicator.py    what a communicator does, and the one of a replica alone
threads.py         that of the replicas of one process
processes.py       that of several processes, by MPI
nccl.py            that of a GPU in each process
mpi.py             how a process joins the others, and what becomes of errors
launch.py          how it was started, and whether that can work
lifeline.py        a process beside each rank that says when it was killed
agreement.py       what all ranks must have in common
report.py          what they tell each other after each step
"""

from minitensor import missing
from minitensor.distribute import experimental
from minitensor.distribute.context import (
    ReplicaContext,
    get_replica_context,
    get_strategy,
    has_strategy,
    in_cross_replica_context,
)
from minitensor.distribute.datasets import DistributedDataset, DistributedIterator, InputContext
from minitensor.distribute.options import (
    CrossDeviceOps,
    HierarchicalCopyAllReduce,
    InputOptions,
    InputReplicationMode,
    NcclAllReduce,
    ReductionToOneDevice,
    RunOptions,
)
from minitensor.distribute.reduce_op import ReduceOp
from minitensor.distribute.strategies import (
    MirroredStrategy,
    MultiWorkerMirroredStrategy,
    OneDeviceStrategy,
)
from minitensor.distribute.strategy import Strategy
from minitensor.distribute.values import DistributedValues

__all__ = [
    "CrossDeviceOps", "DistributedDataset", "DistributedIterator", "DistributedValues",
    "HierarchicalCopyAllReduce", "InputContext", "InputOptions", "InputReplicationMode",
    "MirroredStrategy", "MultiWorkerMirroredStrategy", "NcclAllReduce", "OneDeviceStrategy",
    "ReduceOp", "ReductionToOneDevice", "ReplicaContext", "RunOptions", "Strategy", "experimental",
    "get_replica_context", "get_strategy", "has_strategy", "in_cross_replica_context",
]  # fmt: skip

__getattr__ = missing.refusing("tf.distribute", __name__)
