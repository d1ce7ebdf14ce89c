"""Steps of a dataset that change which elements come, and when, but not what is in them.

`name` is ignored in all of them. Source: tf.data.Dataset, under the same name.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, Self

import numpy as np

from minitensor.backend import generator
from minitensor.backend.errors import FailedPreconditionError
from minitensor.data import steps, threads
from minitensor.data.options import AutoShardPolicy
from minitensor.data.pipeline import AUTOTUNE, INFINITE, UNKNOWN, Pipeline, Run, elements
from minitensor.data.spec import TensorSpec
from minitensor.nn import checks as args

SHARD_HINT = -1
_AHEAD = 2  # elements that are made ahead when nobody says how many


class Ordered(Pipeline):
    """Shuffling, repeating, cutting and joining datasets."""

    def shuffle(
        self,
        buffer_size: Any,
        seed: Any = None,
        reshuffle_each_iteration: bool | None = True,
        name: str | None = None,
    ) -> Self:
        """Elements in a random order: each is drawn from the next `buffer_size` not yet given.

        So element i comes after at least i - buffer_size + 1 others, and only a buffer as large as
        the dataset shuffles perfectly.

        Args:
            buffer_size: how many elements wait to be drawn; a Row of a large array takes no memory.
            seed: makes the orders of all iterations repeatable by itself.
            reshuffle_each_iteration: False gives every iteration the same order.

        Raises:
            ValueError: `buffer_size` is below 1.

        Example:
            >>> import minitensor as tf
            >>> sorted(tf.data.Dataset.range(4).shuffle(4).as_numpy_iterator())
            [np.int64(0), np.int64(1), np.int64(2), np.int64(3)]
        """
        size = args.number("shuffle", "buffer_size", buffer_size, 1)
        fixed = None if seed is None else args.number("shuffle", "seed", seed, -(2**63)) % 2**64
        again = reshuffle_each_iteration in (True, None)
        if fixed is None and not again:
            fixed = int(generator.generator().integers(2**63))
        step = object()

        def shuffled(run: Run, found: Iterator[Any]) -> Iterator[Any]:
            if fixed is None:
                root: Any = int(generator.generator().integers(2**63))
            else:
                root = [fixed, run.number, run.again(step)] if again else fixed
            return steps.shuffled(found, size, np.random.default_rng(root))

        def start(run: Run) -> Iterator[Any]:
            if run.unshuffled:
                return self._start(run)
            return shuffled(run, self._start(run))

        made = self._kept("shuffle", start)
        made._shuffles = shuffled
        return made

    @elements("range(2).repeat(2)", "[0, 1, 0, 1]")
    def repeat(self, count: Any = None, name: str | None = None) -> Self:
        """The dataset `count` times in a row; without a count, or with -1, without end."""
        times = -1 if count is None else args.number("repeat", "count", count, -(2**63))

        def start(run: Run) -> Iterator[Any]:
            return steps.repeated(lambda: self._start(run), times)

        def many() -> int:
            once = self._count()
            if times == 0 or once == 0:
                return 0
            return INFINITE if times < 0 else once if once < 0 else once * times

        return self._kept("repeat", start, many)

    @elements("range(9).take(2)", "[0, 1]")
    def take(self, count: Any, name: str | None = None) -> Self:
        """The first `count` elements; all of them for -1."""
        most = args.number("take", "count", count, -(2**63))
        if most < 0:
            return self._kept("take", self._start)

        def many() -> int:
            here = self._count()
            return most if here == INFINITE else here if here < 0 else min(here, most)

        return self._kept("take", lambda run: steps.sliced(self._start(run), 0, most), many)

    @elements("range(5).skip(3)", "[3, 4]")
    def skip(self, count: Any, name: str | None = None) -> Self:
        """All but the first `count` elements; none for -1."""
        first = args.number("skip", "count", count, -(2**63))
        if first < 0:
            return self._kept("skip", lambda run: iter(()), lambda: 0)
        many = self._counted(lambda here: max(here - first, 0))
        return self._kept("skip", lambda run: steps.sliced(self._start(run), first), many)

    def prefetch(self, buffer_size: Any, name: str | None = None) -> Self:
        """The dataset as it is, whose next elements a thread makes while the last is used.

        Args:
            buffer_size: how many elements are made before they are asked for; AUTOTUNE for 2.

        Raises:
            ValueError: `buffer_size` is below 0 and not AUTOTUNE.
        """
        size = args.number("prefetch", "buffer_size", buffer_size, -1)
        if not size:
            return self._kept("prefetch", self._start)
        ahead = _AHEAD if size == AUTOTUNE else size
        return self._kept("prefetch", lambda run: threads.Ahead(self._start(run), ahead))

    def _in_memory(self) -> Self:
        """Keeps the elements of the first whole iteration for the others."""
        kept: list[Any] = []
        whole = False

        def start(run: Run) -> Iterator[Any]:
            if whole:
                return iter(kept)
            found: list[Any] = []
            source = self._start(run)

            def step() -> Any:
                nonlocal whole
                try:
                    found.append(next(source))
                except StopIteration:
                    kept[:], whole = found, True
                    raise
                return found[-1]

            return steps.Steps(step)

        return self._kept("cache", start)

    @elements("range(2).concatenate(tf.data.Dataset.range(7, 9))", "[0, 1, 7, 8]")
    def concatenate(self, dataset: Any, name: str | None = None) -> Self:
        """The elements of this dataset, then those of another.

        Raises:
            TypeError: it is no dataset, or, when it is reached, its elements have other types.
        """
        if not isinstance(dataset, Pipeline):
            raise TypeError(f"concatenate: expected a Dataset, got {type(dataset).__name__}")

        datasets: list[Pipeline] = [self, dataset]

        def start(run: Run) -> Iterator[Any]:
            first = self._start(run)
            second = steps.repeated(lambda: dataset._start(run), 1)  # begins when it is reached
            return (steps.alike if joined._looks else chain)(first, second)

        def many() -> int:
            counts = self._count(), dataset._count()
            return next((n for n in (INFINITE, UNKNOWN) if n in counts), sum(counts))

        joined = self._beside("concatenate", datasets, start, many)
        joined._batch = self._batch if self._batch == dataset._batch else -1
        return joined

    @elements("range(7).shard(3, 1)", "[1, 4]")
    def shard(self, num_shards: Any, index: Any, name: str | None = None) -> Self:
        """Every `num_shards`-th element, from number `index` on.

        Args:
            num_shards: how many such parts there are.
            index: which of them. Both data.experimental.SHARD_HINT: what a strategy says that
                distributes the dataset under AutoShardPolicy.HINT.

        Raises:
            ValueError: `index` is not below `num_shards`; while iterating: nobody said how many.
        """
        if num_shards == index == SHARD_HINT:
            return self._kept("shard", self._start_hinted, lambda: UNKNOWN)
        step = args.number("shard", "num_shards", num_shards, 1)
        first = args.number("shard", "index", index, 0)
        if first >= step:
            raise ValueError(f"shard: index must be below num_shards={step}, got {first}")
        many = self._counted(lambda here: max(0, -(-(here - first) // step)))
        return self._kept(
            "shard", lambda run: steps.sliced(self._start(run), first, -1, step), many
        )

    def _start_hinted(self, run: Run) -> Iterator[Any]:
        part = run.part(AutoShardPolicy.HINT)
        if part is None:
            raise FailedPreconditionError(
                "`tf.data.Dataset.shard(SHARD_HINT, ...)` can only be used in "
                "`tf.distribute.Strategy.experimental_distribute_dataset()` with "
                "`tf.data.experimental.AutoShardPolicy.HINT` policy."
            )
        return steps.sliced(self._start(run), part.index, -1, part.workers)

    def enumerate(self, start: Any = 0, name: str | None = None) -> Self:
        """Pairs (index, element); the index is int64.

        Example:
            >>> import minitensor as tf
            >>> [(int(i), int(n)) for i, n in tf.data.Dataset.range(5, 7).enumerate()]
            [(0, 5), (1, 6)]
        """
        first = args.number("enumerate", "start", start, -(2**63))
        return self._then(
            "enumerate",
            lambda run: steps.numbered(self._start(run), first),
            spec=lambda: (TensorSpec((), np.int64), self.element_spec),
        )
