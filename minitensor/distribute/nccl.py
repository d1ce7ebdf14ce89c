"""The communicator of GPUs, one for each process: NCCL, through CuPy; MPI makes the acquaintance.

What is on a GPU travels from there, in a stream of its own, beside what the GPU computes; the rest
travels as before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.backend import cuda
from minitensor.backend.errors import DeviceError
from minitensor.backend.half import is_half
from minitensor.distribute.communicator import Communicator, Pending

_TYPES = {
    "int8": "INT8", "uint8": "UINT8", "int32": "INT32", "uint32": "UINT32", "int64": "INT64",
    "uint64": "UINT64", "float32": "FLOAT32", "float64": "FLOAT64",
    "complex64": "FLOAT32", "complex128": "FLOAT64",  # two numbers each
}  # fmt: skip


class NCCL:
    """The replicas are GPUs.

    Args:
        host: the communicator of their processes, which all make this one together.

    Raises:
        DeviceError: CuPy finds no NCCL.
    """

    def __init__(self, host: Communicator) -> None:
        self._xp = cuda.device.xp
        self._library = self._xp.cuda.nccl
        if not self._library.available:
            raise DeviceError(
                "CuPy finds no NCCL, by which GPUs speak: pip install nvidia-nccl-cu13"
            )
        self._host, self.rank, self.size = host, host.rank, host.size
        identity = list(self._library.get_unique_id()) if host.rank == 0 else None
        known = tuple(host.all_gather_object(identity)[0])
        self._communicator = self._library.NcclCommunicator(host.size, known, host.rank)
        self._stream = self._xp.cuda.Stream(non_blocking=True)
        self.bytes_sent = 0
        self.waited = 0.0

    def all_reduce(self, array: Any, op: str = "sum") -> Any:
        """The "sum", "max" or "min" of all replicas' arrays, the same bits in all.

        To NCCL, NaN is neither the largest nor the smallest, as it is to all others here.
        """
        if not self._here(array):
            return self._host.all_reduce(array, op)
        if op == "sum" and array.dtype != bool:
            total = array.copy()
            self.start_all_reduce(total).wait()
            return total
        join = {"sum": self._xp.logical_or, "max": self._xp.maximum, "min": self._xp.minimum}[op]
        first, *others = self.all_gather(array[np.newaxis])
        for other in others:
            first = join(first, other)
        return first[0]

    def start_all_reduce(self, array: Any) -> Pending:
        """Begins the sum of a contiguous array, which it is written into.

        Half precision travels as float32, and is rounded once, at the end.
        """
        if not self._here(array):
            return self._host.start_all_reduce(array)
        self.bytes_sent += 2 * array.nbytes * (self.size - 1) // self.size
        travels = array.astype(np.float32) if is_half(array.dtype) else array
        kind = getattr(self._library, f"NCCL_{_TYPES[travels.dtype.name]}")
        count = travels.size * (2 if travels.dtype.kind == "c" else 1)
        place = travels.data.ptr

        def send(stream: int) -> None:
            self._communicator.allReduce(place, place, count, kind, self._library.NCCL_SUM, stream)

        def end() -> None:
            if travels is not array:
                array[...] = travels.astype(array.dtype)

        return self._begin(send, travels, end)

    def broadcast(self, array: Any, root: int = 0) -> Any:
        """The root's array; the others bring one of its shape and type."""
        if not self._here(array):
            return self._host.broadcast(array, root)
        found = array.copy()
        self.bytes_sent += found.nbytes * (self.size - 1) // self.size
        place, bytes_ = found.data.ptr, self._library.NCCL_UINT8

        def send(stream: int) -> None:
            self._communicator.broadcast(place, place, found.nbytes, bytes_, root, stream)

        self._begin(send, found).wait()
        return found

    def all_gather(self, array: Any) -> list[Any]:
        """All arrays, one per replica; their first axes may differ."""
        if not self._here(array):
            return self._host.all_gather(array)
        lengths = self._host.all_gather_object(len(array))
        own = self._xp.zeros((max(lengths), *array.shape[1:]), array.dtype)  # NCCL: all as long
        own[: len(array)] = array
        found = self._xp.empty((self.size, *own.shape), array.dtype)
        self.bytes_sent += own.nbytes * (self.size - 1)
        bytes_ = self._library.NCCL_UINT8

        def send(stream: int) -> None:
            self._communicator.allGather(own.data.ptr, found.data.ptr, own.nbytes, bytes_, stream)

        self._begin(send, found).wait()
        return [found[k, :length] for k, length in enumerate(lengths)]

    def all_gather_object(self, value: Any) -> list[Any]:
        """All values, one per replica: what JSON can say."""
        return self._host.all_gather_object(value)

    def barrier(self) -> None:
        """Returns when all have come."""
        self._host.barrier()

    def _here(self, array: Any) -> bool:
        return isinstance(array, self._xp.ndarray)

    def _begin(
        self, send: Callable[[int], None], array: Any, end: Callable[[], None] = lambda: None
    ) -> _Sent:
        """Sends when what computes the array is done, in the stream of the messages."""
        if not array.flags.c_contiguous:
            raise ValueError(f"a contiguous array travels, got strides {array.strides}")
        ready = self._xp.cuda.Event(disable_timing=True)
        ready.record(self._xp.cuda.get_current_stream())
        self._stream.wait_event(ready)
        if array.size:
            send(self._stream.ptr)
        over = self._xp.cuda.Event(disable_timing=True)
        over.record(self._stream)
        return _Sent(self._xp, over, end)


class _Sent:
    """A message that the GPU sends."""

    def __init__(self, xp: Any, over: Any, end: Callable[[], None]) -> None:
        self._xp, self._over, self._end, self._waited = xp, over, end, False

    def test(self) -> bool:
        """Whether it is over."""
        return bool(self._over.done)

    def wait(self) -> None:
        """What the GPU is told from now on waits for it; this process does not."""
        if not self._waited:
            self._xp.cuda.get_current_stream().wait_event(self._over)
            self._end()
            self._waited = True
