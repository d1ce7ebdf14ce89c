"""EpochIterator: passes over the data cut into epochs, at a place that can be found again."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from minitensor.backend.generator import generator, restore, state, using
from minitensor.keras.training.batches import Arrays, Dataset

_END = object()


class EpochIterator:
    """The batches of one epoch after the other.

    A pass draws its order from a generator of its own, which the shared one seeds when the pass
    begins: what layers draw in between does not change the order.

    Args:
        source: gives the batches of a pass.
        steps: batches of an epoch; None for a whole pass.
        strategy: of `tf.distribute`, whose processes must come to the end together.

    Attributes:
        size: batches of an epoch; None if that is not known.
        order: where the shared generator stood when the present pass began; None between passes.
        taken: how many batches the present pass has given.
    """

    def __init__(
        self, source: Arrays | Dataset, steps: int | None = None, strategy: Any = None
    ) -> None:
        self._source, self._steps, self._strategy = source, steps, strategy
        self._batches: Iterator[Any] | None = None
        self.order: dict[str, Any] | None = None
        self.taken = self._begun = 0

    @property
    def size(self) -> int | None:
        """Batches of an epoch; None if that is not known."""
        return self._steps or self._source.size

    def epoch(self, done: int = 0) -> Iterator[tuple[int, Any]]:
        """Number and batch of each step of an epoch, of which some are done."""
        self._source.begin_epoch()
        if self._batches is None or (self._steps is None and not done):
            self._begin()
        for step in itertools.count(done):
            if step == self._steps:
                self._source.end_epoch()
                return
            batch = self._next()
            if batch is _END and step == 0 and self.taken:  # the pass ended with the last epoch
                self._begin()
                batch = self._next()
            if batch is _END:
                self._source.end_epoch()
                self._end()
                return
            self.taken += 1
            yield step, batch

    def _begin(self) -> None:
        self.order, self.taken, self._begun = state(), 0, self._source.begun
        self._seed = int(generator().integers(2**63))
        self._rng = np.random.default_rng(self._seed)
        with using(self._rng):
            self._batches = iter(self._source)

    def _next(self) -> Any:
        assert self._batches is not None
        with using(self._rng):
            batch = next(self._batches, _END)
        if self._strategy is not None and isinstance(self._source, Dataset):
            self._strategy.check_all("whether the data have another batch", batch is not _END)
        return batch

    def _end(self) -> None:
        self.reset()
        if self._steps is not None:
            warn_of_end()

    def seeds(self) -> tuple[int, int]:
        """What no other batch of any pass has: for random numbers that belong to this one."""
        return self._seed, self.taken

    def end_epoch(self) -> None:
        """The next epoch begins a pass, unless epochs have a number of steps of their own."""
        if self._steps is None:
            self.reset()

    def reset(self) -> None:
        """The next epoch begins a pass."""
        self._batches = self.order = None

    def first(self) -> Any:
        """A batch to build a model for; it disturbs nothing."""
        begun = self._source.begun
        with using(np.random.default_rng(0)):
            batch = self._source.first()
        self._source.rewind(begun)
        return batch

    def place(self) -> dict[str, Any]:
        """Where it is: the pass, and how many passes over a Dataset began before."""
        begun = self._source.begun if self.order is None else self._begun
        return {"order": self.order, "taken": self.taken, "begun": begun}

    def find(self, order: dict[str, Any] | None, taken: int, begun: int) -> None:
        """Goes to a place: begins the pass again and takes as many batches from it."""
        self._source.rewind(begun)
        if order is None:
            return
        restore(order)
        self._begin()
        for _ in range(taken):
            if self._next() is _END:
                raise ValueError(
                    f"resume: the data ended before the {taken} batches that were trained on; "
                    "give fit the same data as before"
                )
        self.taken = taken


def warn_of_end() -> None:
    """There are fewer batches than fit was asked to take."""
    warnings.warn(
        "Your input ran out of data; interrupting training. Make sure that your dataset or "
        "generator can generate at least `steps_per_epoch * epochs` batches. You may need to use "
        "the `.repeat()` function when building your dataset.",
        stacklevel=2,
    )
