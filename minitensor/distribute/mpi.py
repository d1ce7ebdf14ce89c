"""The communicator of processes that `mpiexec` started, by mpi4py.

Every collective is a nonblocking one that is asked again and again whether it is over: so a replica
that waits still sees Ctrl-C, and four of them on two cores take turns.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from minitensor.backend.half import is_half

_RANKS = (("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE"))


def launched(environment: Mapping[str, str] = os.environ) -> tuple[int, int] | None:
    """The rank and the number of ranks that `mpiexec` gave this process; None without it."""
    for rank, size in _RANKS:
        if rank in environment and size in environment:
            return int(environment[rank]), int(environment[size])
    return None


class MPI:
    """The replicas are processes.

    Args:
        world: mpi4py's communicator of them all.
    """

    def __init__(self, world: Any) -> None:
        self._world = world.Dup()  # the program's own messages are not taken for ours
        self.rank, self.size = int(world.rank), int(world.size)
        self.bytes_sent = 0
        self.waited = 0.0

    def all_reduce(self, array: Any, op: str = "sum") -> Any:
        """The "sum", "max" or "min" of all replicas' arrays, the same bits in all.

        The largest is found by NumPy, to whom NaN is the largest and the smallest: MPI would give
        each replica another answer.
        """
        if op == "sum" and array.dtype != bool:
            total = np.array(array, order="C")
            self.start_all_reduce(total).wait()
            return total
        join = {"sum": np.add, "max": np.maximum, "min": np.minimum}[op]
        return np.asarray(join.reduce(self.all_gather(array[np.newaxis]), 0, array.dtype)[0])

    def start_all_reduce(self, array: Any) -> _Sum:
        """Begins the sum of a contiguous array, which it is written into."""
        self._count(2 * array.nbytes * (self.size - 1) // self.size)
        return _Sum(self, array)

    def broadcast(self, array: Any, root: int = 0) -> Any:
        """The root's array; the others bring one of its shape and type."""
        found = np.array(array, order="C")
        self._count(found.nbytes * (self.size - 1) // self.size)
        self._await(self._world.Ibcast(_bytes(found), root))
        return found

    def all_gather(self, array: Any) -> list[Any]:
        """All arrays, one per replica; their first axes may differ."""
        own = np.ascontiguousarray(array)
        row = own.nbytes // len(own) if len(own) else 0
        mine = np.array([len(own), row], np.int64)
        sizes = np.empty((self.size, 2), np.int64)
        self._await(self._world.Iallgather(mine, sizes))
        row, lengths = sizes[:, 1].max(), sizes[:, 0]
        self._count(own.nbytes * (self.size - 1))
        found = np.empty((int(lengths.sum()), *own.shape[1:]), own.dtype)
        counts = (lengths * row).tolist()
        self._await(self._world.Iallgatherv(_bytes(own), [_bytes(found), counts]))
        return np.split(found, np.cumsum(lengths)[:-1])

    def all_gather_object(self, value: Any) -> list[Any]:
        """All values, one per replica: what JSON can say."""
        said = np.frombuffer(json.dumps(value).encode(), np.uint8)
        return [json.loads(part.tobytes()) for part in self.all_gather(said)]

    def barrier(self) -> None:
        """Returns when all have come."""
        self._await(self._world.Ibarrier())

    def _count(self, sent: int) -> None:
        self.bytes_sent += sent

    def _await(self, request: Any) -> None:
        """Asks until it is over: first eagerly, then leaving the core to others, then asleep."""
        begun = now = time.perf_counter()
        while not request.Test():
            now = time.perf_counter()
            if now - begun > 1e-3:
                time.sleep(1e-4)
            elif now - begun > 5e-5:
                os.sched_yield()
        self.waited += now - begun


class _Sum:
    """A sum on its way; half precision travels as float32, and is rounded once, at the end."""

    def __init__(self, mpi: MPI, array: Any) -> None:
        self._mpi, self._array = mpi, array
        self._travels = array.astype(np.float32) if is_half(array.dtype) else array
        self._request = mpi._world.Iallreduce(_library().IN_PLACE, self._travels)
        self._over = False

    def test(self) -> bool:
        """Whether it is over; a message makes way while somebody asks."""
        if not self._over and self._request.Test():
            self._end()
        return self._over

    def wait(self) -> None:
        """Returns when it is over."""
        if not self._over:
            self._mpi._await(self._request)
            self._end()

    def _end(self) -> None:
        self._over = True
        if self._travels is not self._array:
            self._array[...] = self._travels


def _bytes(array: Any) -> Any:
    return array.reshape(-1).view(np.uint8)


def _library() -> Any:
    return importlib.import_module("mpi4py.MPI")


def open_mpi() -> MPI:
    """The communicator of this process: the same one each time."""
    global _opened
    if _opened is None:
        _opened = MPI(_library().COMM_WORLD)
    return _opened


_opened: MPI | None = None
