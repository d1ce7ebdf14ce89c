"""Datasets inside datasets: functions that give one, windows, groups, and choices among several.

`name` is ignored in all of them. Source: tf.data.Dataset, under the same name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Self

import numpy as np

from minitensor.backend import generator
from minitensor.data import steps, threads
from minitensor.data.options import AutoShardPolicy
from minitensor.data.order import Ordered
from minitensor.data.pipeline import AUTOTUNE, INFINITE, UNKNOWN, Pipeline, Run, elements, parallel
from minitensor.data.rows import opened, tensors
from minitensor.data.spec import DatasetSpec, flatten, map_structure
from minitensor.nn import checks as args

_CYCLE = 2  # datasets that interleave opens when nobody says how many; TensorFlow: one per core


class Nested(Ordered):
    """Steps whose elements, or whose functions' results, are datasets."""

    @elements("range(1, 4).flat_map(tf.data.Dataset.range)", "[0, 0, 1, 0, 1, 2]")
    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Self:
        """The elements of map_func(element), which is a dataset, for one element after the other.

        Raises:
            TypeError: `map_func` is no function, or what it gives is no dataset.
        """
        inner = _opener("flat_map", map_func)

        return self._opening("flat_map", inner, lambda run, sources: steps.interleaved(sources))

    @elements(
        "range(3).interleave(lambda n: tf.data.Dataset.range(n, n + 3), 2)",
        "[0, 1, 1, 2, 2, 3, 2, 3, 4]",
    )
    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: Any = None,
        block_length: Any = None,
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        name: str | None = None,
    ) -> Self:
        """As flat_map, with `cycle_length` datasets open, from which elements come by turns.

        Args:
            map_func: gives a dataset for each element.
            cycle_length: how many are open; None for `num_parallel_calls`, or 2.
            block_length: how many elements of one come in a row; None for 1.
            num_parallel_calls: each on a thread, so many at the same time; AUTOTUNE for one per
                core; None for no threads.
            deterministic: False: not by turns, but whichever has an element; None for what the
                options say, which is True at first.

        Raises:
            TypeError: `map_func` is no function, or what it gives is no dataset.
            ValueError: `cycle_length` or `block_length` is below 1, or the former below
                `num_parallel_calls`.
        """
        inner = _opener("interleave", map_func)
        calls = parallel("interleave", "num_parallel_calls", num_parallel_calls)
        given = cycle_length if cycle_length not in (None, -1) else calls or _CYCLE
        slots = args.number("interleave", "cycle_length", given, 1)
        if num_parallel_calls is not None and num_parallel_calls > AUTOTUNE and calls > slots:
            raise ValueError(
                f"interleave: num_parallel_calls must be AUTOTUNE or at most cycle_length={slots}, "
                f"got {calls}"
            )
        row = 1 if block_length is None else block_length
        block = args.number("interleave", "block_length", row, 1)

        def joined(run: Run, sources: Iterator[Iterator[Any]]) -> Iterator[Any]:
            if not calls:
                return steps.interleaved(sources, slots, block)
            in_order = run.ordered(deterministic)
            return threads.interleaved_ahead(sources, slots, block, calls, 2 * block, in_order)

        return self._opening("interleave", inner, joined)

    def _opening(
        self,
        title: str,
        inner: Callable[[Any], Pipeline],
        joined: Callable[[Run, Iterator[Iterator[Any]]], Iterator[Any]],
    ) -> Self:
        """The elements of inner(element), `joined`; if these are files, a part of them is read."""

        @functools.cache
        def opens_files() -> bool:
            with generator.using(np.random.default_rng(0)):
                return any(inner(element)._reads() for element in islice(self, 1))

        def start(run: Run) -> Iterator[Any]:
            inside, outer = run, self._start
            if run.part(AutoShardPolicy.FILE) is not None and opens_files():
                inside, outer = replace(run, shard=None), self._start_part

            def opened(element: Any) -> Iterator[Any]:
                return inner(element)._start(inside)

            return joined(run, map(opened, outer(run)))

        made = self._computed(title, start, lambda: UNKNOWN)
        made._reads = lambda: opens_files() or self._reads()
        return made

    def window(
        self,
        size: Any,
        shift: Any = None,
        stride: Any = 1,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Self:
        """Datasets of `size` elements each; every tensor of an element becomes a dataset.

        An element that could not be made is an error of the windows it is in, and of no other.

        Args:
            size: elements in a window.
            shift: how far the next window begins behind this one; None for `size`.
            stride: how far apart the elements of a window were.
            drop_remainder: leave out windows that are not full.

        Raises:
            ValueError: `size`, `shift` or `stride` is below 1.

        Example:
            >>> import minitensor as tf
            >>> windows = tf.data.Dataset.range(5).window(3, shift=2)
            >>> [[int(n) for n in window] for window in windows]
            [[0, 1, 2], [2, 3, 4], [4]]
        """
        count = args.number("window", "size", size, 1)
        step = args.number("window", "stride", stride, 1)
        ahead = count if shift is None else args.number("window", "shift", shift, 1)
        span, whole = (count - 1) * step + 1, bool(drop_remainder)

        def start(run: Run) -> Iterator[Any]:
            found = steps.windows(self._start(run), count, ahead, step, whole)
            return map(self._window, found)

        def many(here: int) -> int:
            return max(0, (here - span) // ahead + 1) if whole else -(-here // ahead)

        def spec() -> Any:
            return map_structure(DatasetSpec, self.element_spec)

        return self._then("window", start, self._counted(many), spec)

    def _window(self, found: list[Any]) -> Any:
        """Some elements as one, whose leaves are datasets."""
        rows = [opened(element) for element in found]
        columns = iter(list(zip(*map(flatten, rows), strict=True)))
        return map_structure(lambda _: self._of(next(columns)), rows[0])

    def _of(self, found: Sequence[Any]) -> Self:
        """A dataset of elements that are there."""
        return type(self)("window", lambda run: iter(found), lambda: len(found))

    def group_by_window(
        self,
        key_func: Callable[..., Any],
        reduce_func: Callable[[Any, Any], Any],
        window_size: Any = None,
        window_size_func: Callable[[Any], Any] | None = None,
        name: str | None = None,
    ) -> Self:
        """Elements of one key together: whenever a window of them is full, reduce_func of it.

        Args:
            key_func: gives an integer for each element.
            reduce_func: (key, dataset of a window) -> dataset, whose elements come.
            window_size: how many elements fill a window.
            window_size_func: gives that number for a key, instead.

        Raises:
            ValueError: not one of `window_size` and `window_size_func` is given; a size below 1.

        Example:
            >>> import minitensor as tf
            >>> grouped = tf.data.Dataset.range(6).group_by_window(
            ...     lambda n: n % 2, lambda key, window: window.batch(3), 3
            ... )
            >>> [batch.numpy().tolist() for batch in grouped]
            [[0, 2, 4], [1, 3, 5]]
        """
        if (window_size is None) == (window_size_func is None):
            raise ValueError(
                "Must pass either the `window_size` argument or the `window_size_func` argument."
            )

        def full(key: int) -> int:
            size = window_size_func(as_key(key)) if window_size_func else window_size
            return args.number("group_by_window", "window_size", size, 1)

        def as_key(key: int) -> Any:
            return tensors(np.array(key, np.int64))

        def reduced(run: Run, group: tuple[int, list[Any]]) -> Iterator[Any]:
            key, found = group
            result = reduce_func(as_key(key), self._of(found))
            return _dataset("group_by_window", result)._start(run)

        def start(run: Run) -> Iterator[Any]:
            groups = steps.grouped(self._start(run), key_func, full)
            return steps.interleaved(map(functools.partial(reduced, run), groups))

        return self._computed("group_by_window", start, lambda: UNKNOWN)

    def get_single_element(self, name: str | None = None) -> Any:
        """The element of a dataset that has one.

        Raises:
            ValueError: it has none, or more.

        Example:
            >>> import minitensor as tf
            >>> tf.data.Dataset.range(3).batch(3).get_single_element().numpy()
            array([0, 1, 2])
        """
        found = list(islice(self, 2))
        if len(found) != 1:
            raise ValueError(f"Dataset {'had more than one element' if found else 'was empty'}.")
        return found[0]

    @staticmethod
    def choose_from_datasets(
        datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = True
    ) -> Any:
        """The next element of the dataset whose number comes.

        Args:
            datasets: a list of them.
            choice_dataset: a dataset of int64 numbers that index `datasets`.
            stop_on_empty_dataset: end with the first that has no more; else go past it.

        Raises:
            TypeError: something else than datasets.
            ValueError: `datasets` is empty, or a number indexes nothing.

        Example:
            >>> import minitensor as tf
            >>> few, many = tf.data.Dataset.range(2), tf.data.Dataset.range(10, 20)
            >>> choice = tf.data.Dataset.from_tensor_slices([1, 0, 1])
            >>> chosen = tf.data.Dataset.choose_from_datasets([few, many], choice)
            >>> [int(n) for n in chosen]
            [10, 0, 11]
        """
        listed = several("choose_from_datasets", list(datasets))
        several("choose_from_datasets", [choice_dataset])

        def index(element: Any) -> int:
            k = int(tensors(element))
            if not 0 <= k < len(listed):
                raise ValueError(f"choose_from_datasets: {k} of {len(listed)} datasets")
            return k

        def choices(run: Run) -> Iterator[int]:
            return map(index, choice_dataset._start(run))

        return _chosen(
            "choose_from_datasets", listed, choices, stop_on_empty_dataset, range(len(listed))
        )

    @staticmethod
    def sample_from_datasets(
        datasets: Any,
        weights: Any = None,
        seed: Any = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool | None = None,
    ) -> Any:
        """Elements of datasets drawn at random.

        Args:
            datasets: a list of them.
            weights: how often each is drawn; None for alike.
            seed: makes every iteration draw alike.
            stop_on_empty_dataset: end with the first that has no more; else go past it.
            rerandomize_each_iteration: with a seed, draw differently in each iteration.

        Raises:
            TypeError: something else than datasets.
            ValueError: `datasets` is empty, or there are more or fewer weights.

        Example:
            >>> import minitensor as tf
            >>> ones, twos = (tf.data.Dataset.from_tensors(n).repeat(3) for n in (1, 2))
            >>> mixed = tf.data.Dataset.sample_from_datasets([ones, twos])
            >>> sorted(int(n) for n in mixed)
            [1, 1, 1, 2, 2, 2]
        """
        listed = several("sample_from_datasets", list(datasets))
        share = np.ones(len(listed)) if weights is None else np.asarray(weights, np.float64)
        if share.shape != (len(listed),) or (share < 0).any() or not share.any():
            raise ValueError(f"sample_from_datasets: {len(listed)} datasets, weights {weights!r}")
        fixed = None if seed is None else args.number("sample_from_datasets", "seed", seed, 0)

        def draws(run: Run) -> Iterator[int]:
            root: Any = int(generator.generator().integers(2**63)) if fixed is None else fixed
            again = fixed is not None and rerandomize_each_iteration
            rng = np.random.default_rng([root, run.number] if again else root)
            while True:
                yield from rng.choice(len(listed), 1024, p=share / share.sum()).tolist()

        drawn = np.flatnonzero(share).tolist()
        return _chosen("sample_from_datasets", listed, draws, stop_on_empty_dataset, drawn)


def _opener(op: str, function: Callable[..., Any]) -> Callable[[Any], Pipeline]:
    """The dataset that a function gives for an element."""
    if not callable(function):
        raise TypeError(f"{op}: expected a function that gives a dataset, got {function!r}")

    def inner(element: Any) -> Pipeline:
        return _dataset(op, steps.called(function, element))

    return inner


def _dataset(op: str, found: Any) -> Pipeline:
    if not isinstance(found, Pipeline):
        raise TypeError(
            f"{op}: the function must return a `Dataset` object. Got {type(found).__name__}."
        )
    return found


def several(op: str, datasets: list[Any]) -> list[Pipeline]:
    if not datasets:
        raise ValueError("Invalid `datasets`. `datasets` should not be empty.")
    for item in datasets:
        if not isinstance(item, Pipeline):
            raise TypeError(f"{op}: expected datasets, got {type(item).__name__}")
    return datasets


def _chosen(
    title: str,
    listed: list[Pipeline],
    choices: Callable[[Run], Iterator[int]],
    stop: bool,
    possible: Iterable[int],
) -> Any:
    """The next element of dataset number k, for each k of `choices`."""

    def start(run: Run) -> Iterator[Any]:
        return steps.chosen(
            [dataset._start(run) for dataset in listed], choices(run), stop, possible
        )

    def many() -> int:
        return INFINITE if all(d._count() == INFINITE for d in listed) else UNKNOWN

    made = listed[0]._beside(title, listed, start, many)
    made._reads = lambda: False  # which file is whose cannot be told, as in TensorFlow
    return made
