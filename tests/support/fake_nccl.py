"""cupy.cuda.nccl without a GPU, strict: a communicator is a thread's, and a call is what CuPy's is.

Arguments are integers: addresses of arrays that CuPy's stand-in made, with room for so many
numbers, a type's code, an operation's, a stream's. A call returns at once. Its numbers are there
when another stream waits for an event that was recorded behind it; before that they are NaN. It
may read only what an event said was ready. Replicas that call another thing are refused.
"""

from __future__ import annotations

import ctypes
import threading
import types
from dataclasses import dataclass, field

import fake_cuda
import numpy as np

NAMES = ["INT8", "UINT8", "INT32", "UINT32", "INT64", "UINT64", "FLOAT16", "FLOAT32", "FLOAT64"]
CODES = {name: code for code, name in enumerate(NAMES)}
OPERATIONS = {"SUM": 0, "PROD": 1, "MAX": 2, "MIN": 3}
TYPES = {code: np.dtype(name.lower()) for name, code in CODES.items()}
JOINS = {0: np.add, 1: np.multiply, 2: np.fmax, 3: np.fmin}
PATIENCE = 10  # seconds


class NcclError(RuntimeError):
    pass


@dataclass
class _Group:
    """The communicators of one unique id."""

    size: int
    calls: list = field(default_factory=list)  # of each collective {rank: (what, numbers)}
    met: threading.Condition = field(default_factory=threading.Condition)

    def put(self, number, rank, what, numbers):
        with self.met:
            while len(self.calls) <= number:
                self.calls.append({})
            self.calls[number][rank] = what, numbers
            self.met.notify_all()

    def all_of(self, number):
        with self.met:
            if not self.met.wait_for(lambda: len(self.calls[number]) == self.size, PATIENCE):
                raise NcclError(f"a hang: only {sorted(self.calls[number])} called")
            found = [self.calls[number][k] for k in range(self.size)]
        if len({what for what, _ in found}) > 1:
            raise NcclError(f"the replicas called {[what for what, _ in found]}")
        return [numbers for _, numbers in found]


_groups: dict[tuple, _Group] = {}


def get_unique_id():
    number = len(_groups)
    return (number - 128, *[0] * 127)  # signed, as CuPy's


def _numbers(place, count, code):
    """The numbers at an address, which an array with so much room must have given."""
    for value in (place, count, code):
        assert type(value) is int, value
    dtype = TYPES[code]
    room = fake_cuda.places.get(place)
    if room is None or room < count * dtype.itemsize:
        raise NcclError(f"{count} of {dtype} at {place:#x}, where there are {room} bytes")
    raw = (ctypes.c_uint8 * (count * dtype.itemsize)).from_address(place)
    return np.frombuffer(raw, dtype)


class NcclCommunicator:
    def __init__(self, ndev, commId, rank):
        assert type(commId) is tuple
        assert len(commId) == 128
        assert 0 <= rank < ndev
        self._group = _groups.setdefault(commId, _Group(ndev))
        assert self._group.size == ndev
        self._rank, self._calls = rank, 0

    def rank_id(self):
        return self._rank

    def size(self):
        return self._group.size

    def allReduce(self, sendbuf, recvbuf, count, datatype, op, stream):  # noqa: N802
        join = JOINS[op]
        sent, to = _numbers(sendbuf, count, datatype), _numbers(recvbuf, count, datatype)
        self._send(("allReduce", count, datatype, op), sent, to, stream, join.reduce)

    def broadcast(self, sendbuff, recvbuff, count, datatype, root, stream):
        assert 0 <= root < self._group.size
        sent, to = _numbers(sendbuff, count, datatype), _numbers(recvbuff, count, datatype)
        self._send(("broadcast", count, datatype, root), sent, to, stream, lambda all_: all_[root])

    def allGather(self, sendbuf, recvbuf, count, datatype, stream):  # noqa: N802
        sent = _numbers(sendbuf, count, datatype)
        to = _numbers(recvbuf, count * self._group.size, datatype)
        self._send(("allGather", count, datatype), sent, to, stream, np.concatenate)

    def _send(self, what, sent, to, pointer, result):
        stream = fake_cuda.stream_at(pointer)
        if fake_cuda.is_capturing():
            raise NcclError("a captured stream does not wait for the stream of the messages")
        if stream is not fake_cuda.current() and not stream.heard:
            raise NcclError("sent before the stream of the messages waited for the array")
        stream.heard = False
        number, self._calls = self._calls, self._calls + 1
        self._group.put(number, self._rank, what, sent.copy())
        to.view(np.uint8)[:] = 0xFF  # NaN, or -1
        group = self._group

        def arrive():
            to[...] = result(group.all_of(number))

        stream.behind.append(arrive)


def module():
    """The module `cupy.cuda.nccl`, freshly made."""
    nccl = types.ModuleType("cupy.cuda.nccl")
    nccl.available = True
    for name, code in (CODES | OPERATIONS).items():
        setattr(nccl, f"NCCL_{name}", code)
    for thing in (NcclCommunicator, NcclError, get_unique_id):
        setattr(nccl, thing.__name__, thing)
    return nccl
