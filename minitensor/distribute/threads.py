"""Replicas of one process: each has a thread, and one runs at a time.

A replica runs until it meets the others in a collective; then the next one runs. So what a layer
makes at its first call is made once, by the first replica, and there is no race. What a GPU was
told to do goes on meanwhile.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence
from typing import Any

from minitensor import backend
from minitensor.distribute.communicator import Done


class Threads:
    """The communicator of one replica among `size` threads.

    Args:
        meeting: what they share.
        rank: its number.
    """

    waited, bytes_sent = 0.0, 0  # nothing is sent, and whoever waits lets another compute

    def __init__(self, meeting: Meeting, rank: int) -> None:
        self._meeting, self.rank, self.size = meeting, rank, meeting.size

    def exchange(self, value: Any) -> list[Any]:
        """What each replica has brought, in their order."""
        return self._meeting.exchange(self.rank, value)

    all_gather = all_gather_object = exchange

    def barrier(self) -> None:
        """Waits for the others."""
        self.exchange(None)

    def broadcast(self, array: Any, root: int = 0) -> Any:
        """The array of one replica."""
        return self.exchange(array)[root]

    def all_reduce(self, array: Any, op: str = "sum") -> Any:
        """The sum of all arrays, or the "max" or "min"; added in the replicas' order."""
        be = backend.of(array)
        join = {"sum": be.xp.add, "max": be.xp.maximum, "min": be.xp.minimum}[op]
        first, *others = self.exchange(array)
        for other in others:
            first = join(first, other)
        return be.asarray(first)

    def start_all_reduce(self, array: Any) -> Done:
        """The sum, written into the array at once."""
        total = self.all_reduce(be_copy(array))
        array[...] = total
        return Done()


def be_copy(array: Any) -> Any:
    """An array of its own: the others read it while this one is overwritten."""
    be = backend.of(array)
    return be.asarray(be.xp.array(array))


class Meeting:
    """Where the threads of `size` replicas meet.

    Raises, in all of them, RuntimeError: one ended while the others wait for it.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._turn = threading.Lock()  # held by the replica that runs
        self._met = threading.Condition(self._turn)
        self._brought: dict[int, Any] = {}
        self._left: list[Any] = []  # what was brought last, until all have taken it
        self._readers = 0
        self._ended: set[int] = set()

    def exchange(self, rank: int, value: Any) -> list[Any]:
        """What all brought; the turn passes on while this replica waits."""
        self._met.wait_for(lambda: not self._readers)  # all have left the last meeting
        self._brought[rank] = value
        if len(self._brought) == self.size:
            self._left = [self._brought[i] for i in range(self.size)]
            self._brought, self._readers = {}, self.size
            self._met.notify_all()
        self._met.wait_for(lambda: self._readers or self._ended)
        if not self._readers:
            others = ", ".join(map(str, sorted(self._ended)))
            raise RuntimeError(
                f"replica {rank} waits in a collective that replica {others} never came to: "
                "every replica must call the same collectives in the same order"
            )
        found = self._left
        self._readers -= 1
        self._met.notify_all()
        return found

    def run(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Calls one function per replica and returns what they return.

        Raises:
            Exception: the first that one of them raised.
        """
        results: list[Any] = [None] * self.size
        errors: dict[int, BaseException] = {}
        self._ended, self._brought, self._readers = set(), {}, 0

        def replica(rank: int) -> None:
            with self._turn:
                try:
                    results[rank] = calls[rank]()
                except BaseException as error:
                    errors[rank] = error
                finally:
                    self._ended.add(rank)
                    self._met.notify_all()

        context = [contextvars.copy_context() for _ in calls]
        threads = [
            threading.Thread(target=c.run, args=(replica, rank), daemon=True)
            for rank, c in enumerate(context)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            waiting = "waits in a collective"
            raise min(errors.items(), key=lambda e: (waiting in str(e[1]), e[0]))[1]
        return results
