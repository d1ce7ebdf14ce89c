"""What a communicator does for the replica that holds it, and the one of a replica alone."""

from __future__ import annotations

from typing import Any, Protocol


class Pending(Protocol):
    """A collective on its way."""

    def test(self) -> bool:
        """Whether it is over; a message makes way while somebody asks."""

    def wait(self) -> None:
        """Returns when it is over."""


class Communicator(Protocol):
    """Connects the replicas, each of which calls the same methods in the same order.

    Attributes:
        rank: this replica's number.
        size: how many there are.
        bytes_sent: what this replica sent in `all_reduce`, by the least that any algorithm
            can do: 2(p-1)/p of the array from each of p replicas; (p-1)/p of it in a
            `broadcast` (each passes a piece on), and p-1 times its own part in an `all_gather`.
        waited: the seconds in which this replica waited for the others.
    """

    rank: int
    size: int
    bytes_sent: int
    waited: float

    def all_reduce(self, array: Any, op: str = "sum") -> Any:
        """The "sum", "max" or "min" of all replicas' arrays, the same bits in all."""

    def start_all_reduce(self, array: Any) -> Pending:
        """Begins the sum of a contiguous array, which it is written into."""

    def broadcast(self, array: Any, root: int = 0) -> Any:
        """The root's array; the others bring one of its shape and type."""

    def all_gather(self, array: Any) -> list[Any]:
        """All arrays, one per replica; their first axes may differ."""

    def all_gather_object(self, value: Any) -> list[Any]:
        """All values, one per replica: what JSON can say."""

    def barrier(self) -> None:
        """Returns when all have come."""


class Done:
    """A collective that is over."""

    def test(self) -> bool:
        """True."""
        return True

    def wait(self) -> None:
        """Nothing to wait for."""


class Alone:
    """The communicator of one replica: it has everything already.

    Example:
        >>> import numpy as np
        >>> from minitensor.distribute.communicator import Alone
        >>> Alone().all_gather(np.arange(3))
        [array([0, 1, 2])]
    """

    rank, size, bytes_sent, waited = 0, 1, 0, 0.0

    def all_reduce(self, array: Any, op: str = "sum") -> Any:
        """A copy of the array."""
        return array.copy()

    def start_all_reduce(self, array: Any) -> Done:
        """Over at once."""
        return Done()

    def broadcast(self, array: Any, root: int = 0) -> Any:
        """The array."""
        return array

    def all_gather(self, array: Any) -> list[Any]:
        """The array, in a list."""
        return [array]

    def all_gather_object(self, value: Any) -> list[Any]:
        """The value, in a list."""
        return [value]

    def barrier(self) -> None:
        """Nobody else to wait for."""
