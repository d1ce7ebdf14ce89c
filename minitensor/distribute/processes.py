"""The communicator of processes that `mpiexec` started, by mpi4py.

Every collective is a nonblocking one that is asked again and again whether it is over: so a replica
that waits still hears Ctrl-C, and four of them on two cores take turns.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from typing import Any

import numpy as np

from minitensor.backend.half import is_half

_give_way = getattr(os, "sched_yield", lambda: time.sleep(0))  # which not every system has
_LEFT = 1  # the tag of a message: its sender's program has ended


class Processes:
    """The replicas are processes.

    Args:
        world: mpi4py's communicator of them all.
    """

    def __init__(self, world: Any) -> None:
        self._world = world.Dup()  # the program's own messages are not taken for ours
        self._ends = world.Dup()  # on which a rank says that its program has ended
        self.rank, self.size = int(world.rank), int(world.size)
        self.bytes_sent = 0
        self.waited = 0.0
        self.pending = 0  # collectives that this rank began and has not seen the end of

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
        self.bytes_sent += 2 * array.nbytes * (self.size - 1) // self.size
        return _Sum(self, array)

    def broadcast(self, array: Any, root: int = 0) -> Any:
        """The root's array; the others bring one of its shape and type."""
        found = np.array(array, order="C")
        self.bytes_sent += found.nbytes * (self.size - 1) // self.size
        self._begin("Ibcast", _bytes(found), root).wait()
        return found

    def all_gather(self, array: Any) -> list[Any]:
        """All arrays, one per replica; their first axes may differ."""
        own = np.ascontiguousarray(array)
        sizes = np.empty((self.size, 2), np.int64)
        self._begin("Iallgather", np.array([len(own), own.nbytes]), sizes).wait()
        self.bytes_sent += own.nbytes * (self.size - 1)
        lengths, counts = sizes.T
        found = np.empty((int(lengths.sum()), *own.shape[1:]), own.dtype)
        self._begin("Iallgatherv", _bytes(own), [_bytes(found), counts.tolist()]).wait()
        return np.split(found, np.cumsum(lengths)[:-1])

    def all_gather_object(self, value: Any) -> list[Any]:
        """All values, one per replica: what JSON can say."""
        said = np.frombuffer(json.dumps(value).encode(), np.uint8)
        return [json.loads(part.tobytes()) for part in self.all_gather(said)]

    def barrier(self) -> None:
        """Returns when all have come."""
        self._begin("Ibarrier").wait()

    def leave(self) -> None:
        """Says that this rank's program has ended, and waits until all have."""
        for other in range(self.size):
            if other != self.rank:
                self._ends.Isend(np.empty(0), other, _LEFT)
        self._begin("Ibarrier", on=self._ends).wait()

    def abort(self, code: int) -> None:
        """Ends all ranks at once."""
        self._world.Abort(code)

    def _begin(self, collective: str, *arguments: Any, on: Any = None) -> _Pending:
        return _Pending(self, getattr(on or self._world, collective)(*arguments))

    def look_for_those_who_left(self) -> None:
        """Called while this rank waits for the others.

        Raises:
            RuntimeError: a rank's program has ended, so it will never come.
        """
        status = _library().Status()
        if self._ends.Iprobe(tag=_LEFT, status=status):
            raise RuntimeError(
                f"rank {self.rank} waits in a collective for rank {status.Get_source()}, whose "
                "program has ended: all ranks must run the same steps"
            )


class _Pending:
    """A collective on its way."""

    def __init__(self, processes: Processes, request: Any) -> None:
        self._of, self._request, self._over = processes, request, False
        processes.pending += 1

    def test(self) -> bool:
        """Whether it is over; a message makes way while somebody asks."""
        if not self._over and self._request.Test():
            self._end()
        return self._over

    def wait(self) -> None:
        """Asks until it is over: first eagerly, then leaving the core to others, then asleep."""
        begun = now = time.perf_counter()
        look = begun + 1
        while not self.test():
            now = time.perf_counter()
            if now - begun > 1e-3:
                time.sleep(1e-4)
            elif now - begun > 5e-5:
                _give_way()
            if now > look:
                self._of.look_for_those_who_left()
                look = now + 1
        self._of.waited += now - begun

    def _end(self) -> None:
        self._over = True
        self._of.pending -= 1


class _Sum(_Pending):
    """A sum on its way; half precision travels as float32, and is rounded once, at the end."""

    def __init__(self, processes: Processes, array: Any) -> None:
        self._array = array
        self._travels = array.astype(np.float32) if is_half(array.dtype) else array
        super().__init__(processes, processes._world.Iallreduce(_library().IN_PLACE, self._travels))

    def _end(self) -> None:
        super()._end()
        if self._travels is not self._array:
            self._array[...] = self._travels


def _bytes(array: Any) -> Any:
    return array.reshape(-1).view(np.uint8)


def _library() -> Any:
    return importlib.import_module("mpi4py.MPI")
