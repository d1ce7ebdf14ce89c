"""Sums of many arrays in few messages, the first of which travel while the rest is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitensor import backend

BYTES = 8 * 2**20  # of a message: long enough for its latency not to count, short enough to begin


class Buckets:
    """Arrays of known shapes, gathered into flat buffers of one type each and summed.

    A buffer leaves as soon as it is full and those before it have left: so all replicas send in
    the same order, whatever the order in which their arrays are ready.

    Args:
        communicator: connects the replicas.
        like: arrays of the shapes and types; the last ones are expected first, as in a walk back.
    """

    def __init__(self, communicator: Any, like: Sequence[Any]) -> None:
        self._communicator = communicator
        self._shapes = [array.shape for array in like]
        self._place: dict[int, tuple[int, int]] = {}  # of an array: its buffer, and where in it
        self._buffers: list[Any] = []
        room: dict[np.dtype[Any], tuple[list[int], int]] = {}  # what waits for a buffer, by type
        for i in reversed(range(len(like))):
            kind = like[i].dtype
            waiting, filled = room.get(kind, ([], 0))
            if waiting and (filled + math.prod(like[i].shape)) * kind.itemsize > BYTES:
                self._add(waiting, filled, like)
                waiting, filled = [], 0
            room[kind] = ([*waiting, i], filled + math.prod(like[i].shape))
        for waiting, filled in room.values():
            self._add(waiting, filled, like)
        self._members = [0] * len(self._buffers)
        for buffer, _ in self._place.values():
            self._members[buffer] += 1
        self._begin()

    def _add(self, members: list[int], size: int, like: Sequence[Any]) -> None:
        be, start = backend.of(like[members[0]]), 0
        for i in members:
            self._place[i] = (len(self._buffers), start)
            start += math.prod(like[i].shape)
        self._buffers.append(be.asarray(be.xp.empty(size, like[members[0]].dtype)))

    def _begin(self) -> None:
        self._missing = list(self._members)
        self._here: set[int] = set()
        self._sent: list[Any] = []

    def put(self, i: int, array: Any) -> None:
        """Array number i is ready."""
        buffer, _ = self._place[i]
        self._part(i)[...] = array.reshape(-1)
        self._here.add(i)
        self._missing[buffer] -= 1
        while len(self._sent) < len(self._buffers) and not self._missing[len(self._sent)]:
            full = self._buffers[len(self._sent)]
            self._sent.append(self._communicator.start_all_reduce(full))
        for sent in self._sent:
            sent.test()  # a message makes way only while somebody asks for it

    def _part(self, i: int) -> Any:
        buffer, start = self._place[i]
        return self._buffers[buffer][start : start + math.prod(self._shapes[i])]

    def sums(self) -> list[Any]:
        """The sums of all arrays, 0 for those not put; they last until the next round."""
        for i in sorted(self._place.keys() - self._here, reverse=True):
            be = backend.of(self._part(i))
            self.put(i, be.asarray(be.xp.zeros(self._shapes[i], self._part(i).dtype)))
        for sent in self._sent:
            sent.wait()
        self._begin()
        return [self._part(i).reshape(shape) for i, shape in enumerate(self._shapes)]


def sums(communicator: Any, arrays: Sequence[Any]) -> list[Any]:
    """The sum over all replicas of each of some arrays."""
    buckets = Buckets(communicator, arrays)
    for i in reversed(range(len(arrays))):
        buckets.put(i, arrays[i])
    return buckets.sums()
