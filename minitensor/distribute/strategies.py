"""The strategies: where the replicas of a program run, and how they speak with each other.

OneDeviceStrategy              one replica, on a device
MirroredStrategy               one per device of this process, a thread each (threads.py)
MultiWorkerMirroredStrategy    one per process, over MPI (mpi.py)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from minitensor.autograd import replicas
from minitensor.backend import devices, generator
from minitensor.backend.devices import full_name_of, lack_of
from minitensor.distribute.communicator import Alone
from minitensor.distribute.options import ClusterResolver
from minitensor.distribute.strategy import Strategy
from minitensor.distribute.threads import Meeting, Threads


class DefaultStrategy(Strategy):
    """The one in force outside of any scope: a replica that changes nothing.

    Source: tf.distribute.Strategy
    """

    is_default = True

    def __init__(self) -> None:
        self._open(("/job:localhost/replica:0/task:0/device:CPU:0",), [Alone()], Alone())

    def run_weighted(self, fn: Any, args: Any, kwargs: Any, weights: Any, seeds: Any = None) -> Any:
        """Calls the function as it is."""
        return fn(*args, **kwargs)

    @contextlib.contextmanager
    def scope(self) -> Iterator[Strategy]:
        """Changes nothing."""
        yield self


class OneDeviceStrategy(Strategy):
    """One replica, on a device of its own choice.

    Args:
        device: "/CPU:0", "/GPU:0" or "/EMULATOR:0".

    Raises:
        ValueError: there is no device of that name.

    Example:
        >>> import minitensor as tf
        >>> strategy = tf.distribute.OneDeviceStrategy("/CPU:0")
        >>> with strategy.scope():
        ...     v = tf.Variable(1.0)
        >>> strategy.run(lambda: v + 1.0).numpy()
        np.float32(2.0)

    Source: tf.distribute.OneDeviceStrategy
    """

    def __init__(self, device: str) -> None:
        self._open([full_name_of(device)], [Alone()], Alone())


class MirroredStrategy(Strategy):
    """A replica for each device of this process; all have the same variables.

    Args:
        devices: names; default the GPU, or the CPU if there is none. Logical devices of the CPU
            ("CPU:0", "CPU:1", after `tf.config.set_logical_device_configuration`) are for trying a
            program out: they compute one after the other.
        cross_device_ops: ignored.

    Raises:
        ValueError: there is no device of a name, or it is named twice; or several GPUs, each of
            which a process of its own drives, under MultiWorkerMirroredStrategy.

    Example:
        >>> import minitensor as tf
        >>> strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        >>> def number():
        ...     return tf.distribute.get_replica_context().replica_id_in_sync_group
        >>> each = strategy.run(number)
        >>> each.values
        (0, 1)
        >>> strategy.reduce("SUM", each, axis=None).numpy()
        np.int32(1)

    Source: tf.distribute.MirroredStrategy
    """

    def __init__(self, devices: Sequence[str] | None = None, cross_device_ops: Any = None) -> None:
        default = "/GPU:0" if not lack_of("GPU") else "/CPU:0"
        names = [full_name_of(name) for name in (devices or [default])]
        if len({*names}) < len(names):
            raise ValueError(f"No duplicates allowed in `devices` argument: {tuple(names)}")
        if sum("GPU" in name for name in names) > 1:
            raise ValueError(
                f"MirroredStrategy: got the GPUs {tuple(names)}; give each a process of its own: "
                f"mpiexec -n {len(names)} minitensor run --device gpu, with "
                "MultiWorkerMirroredStrategy, which sums by NCCL"
            )
        self._meeting = Meeting(len(names))
        self._open(names, [Threads(self._meeting, i) for i in range(len(names))], Alone())


class MultiWorkerMirroredStrategy(Strategy):
    """A replica for each process that `mpiexec` started; all have the same variables.

    mpiexec -n 4 minitensor run train.py

    It computes on the device in force when it is made: with `--device gpu`, each process of a
    machine has one of its GPUs, and their arrays travel by NCCL.

    Args:
        cluster_resolver: kept, and not asked: MPI knows the processes.
        communication_options: ignored.

    Raises:
        LaunchError: MPI is not there, or the processes do not fit together.

    Example:
        >>> import minitensor as tf
        >>> tf.distribute.MultiWorkerMirroredStrategy().num_replicas_in_sync
        1

    Source: tf.distribute.MultiWorkerMirroredStrategy
    """

    def __init__(self, cluster_resolver: Any = None, communication_options: Any = None) -> None:
        from minitensor.distribute import nccl
        from minitensor.distribute.mpi import open_mpi

        workers = open_mpi()
        self.num_workers, self.worker = workers.size, workers.rank
        replicas.chief = self.is_chief
        kind = devices.chosen() or "CPU"
        replica = nccl.NCCL(workers) if kind == "GPU" else workers
        self._open([full_name_of(kind)], [replica], workers)
        self.cluster_resolver = cluster_resolver or ClusterResolver(workers.size, workers.rank)
        if workers.size > 1:
            generator.restore(workers.all_gather_object(generator.state())[0])
