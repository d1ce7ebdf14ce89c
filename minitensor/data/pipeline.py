"""A pipeline of data: how it is iterated over, counted and described.

Each dataset knows how to start over: `start(run)` gives a fresh iterator of elements. An iteration
draws one seed from the shared generator when it begins, and everything inside it draws from a
generator of that seed: so an epoch is the same again whenever the shared generator is.
Elements are computed on the CPU and handed out on the device of the block around the loop.
Source of each method: tf.data.Dataset, under the same name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any, Self

import numpy as np

from minitensor.autograd import Tensor, to_device_of
from minitensor.backend import generator
from minitensor.backend.devices import device
from minitensor.backend.errors import InvalidArgumentError, OutOfRangeError
from minitensor.backend.numpy.threads import cores
from minitensor.data import steps
from minitensor.data.options import AutoShardPolicy, Options
from minitensor.data.rows import numbers, tensors
from minitensor.data.spec import common, map_structure, spec_of
from minitensor.docstrings import examples_of
from minitensor.missing import Hinting
from minitensor.nn import checks as args

AUTOTUNE = -1
INFINITE, UNKNOWN = -1, -2
_LOOKS = 10  # errors may have no end
_TOO_FEW = (
    "Could not apply FILE based sharding: the dataset only has {} file(s), which is not enough for "
    "the required {} shards/workers. Set experimental_distribute.auto_shard_policy of "
    "tf.data.Options() to DATA or OFF, or write the data into more files"
)
example = examples_of("tf.data.Dataset", "")
elements = examples_of("[int(n) for n in tf.data.Dataset", "]")  # an example that lists numbers


@dataclass(frozen=True)
class Shard:
    """The part of a dataset that one of several workers reads; sharding.py."""

    policy: AutoShardPolicy
    workers: int
    index: int
    replicas: int | None = None  # of all workers together


@dataclass
class Run:
    """One iteration over a dataset."""

    number: int  # how many iterations over that dataset began before
    in_order: bool = True  # whether threads hand out elements in the order of their sources
    shard: Shard | None = None
    unshuffled: bool = False  # shuffles do nothing: what they shuffle is parted first
    starts: Counter[object] = field(default_factory=Counter)  # how often each shuffle has begun

    def again(self, step: object) -> int:
        """How often `step` has begun in this iteration; counts this time too."""
        self.starts[step] += 1  # the step itself, which then lives as long as its count
        return self.starts[step] - 1

    def part(self, policy: AutoShardPolicy) -> Shard | None:
        """The part to read, if it is cut out in this way."""
        return self.shard if self.shard is not None and self.shard.policy is policy else None

    def ordered(self, deterministic: bool | None) -> bool:
        """What a step does that was told so, or None."""
        return self.in_order if deterministic is None else bool(deterministic)


def parallel(op: str, name: str, number: Any) -> int:
    """How many threads somebody asked for: 0 for None, one per core for AUTOTUNE."""
    if number is None:
        return 0
    given = args.number(op, name, number, AUTOTUNE)
    if not given:
        raise ValueError(f"{op}: {name} must be 1 or more, AUTOTUNE or None, got 0")
    return cores() if given == AUTOTUNE else given


Start = Callable[[Run], Iterator[Any]]


class ElementIterator:
    """An iteration over a dataset. Source: tf.data.Iterator"""

    def __init__(self, start: Start, run: Run, finish: Callable[[Any], Any]) -> None:
        self._rng = np.random.default_rng(int(generator.generator().integers(2**63)))
        self._finish = finish
        with generator.using(self._rng):
            self._elements = start(run)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        with generator.using(self._rng), device("/CPU:0"):
            element = next(self._elements)
        return self._finish(element)

    def get_next(self) -> Any:
        """The next element; OutOfRangeError after the last."""
        try:
            return next(self)
        except StopIteration:
            raise OutOfRangeError("End of sequence") from None

    def next(self) -> Any:
        """The next element; StopIteration after the last."""
        return next(self)


class Pipeline(Hinting):
    """What every dataset can do, whatever its elements are.

    Args:
        title: what it does, for people.
        start: a function of a Run that gives a fresh iterator of elements.
        count: a function that tells the number of elements, or INFINITE or UNKNOWN.
        spec: a function that tells what its elements look like; None to look at the first.
    """

    def __init__(
        self,
        title: str,
        start: Start,
        count: Callable[[], int],
        spec: Callable[[], Any] | None = None,
    ) -> None:
        self._title, self._start, self._count, self._spec = title, start, count, spec
        self._begun = 0
        self._looks = spec is None  # what elements are like is only known when one was made
        self._maps = False  # whether a map made it
        self._batch = -1  # rows of its elements, where a step said so
        self._reads: Callable[[], bool] = lambda: False  # whether all comes from files
        self._shuffles: Callable[[Run, Iterator[Any]], Iterator[Any]] | None = None
        self._options: Any = None

    def _then(
        self,
        title: str,
        start: Start,
        count: Callable[[], int] | None = None,
        spec: Callable[[], Any] | None = None,
    ) -> Self:
        """A dataset of one more step; without `count` and `spec` they stay as they are."""
        spec = spec or (lambda: self.element_spec)
        made = type(self)(f"{title} of {self._title}", start, count or self._count, spec)
        made._looks, made._options = self._looks, self._options
        made._reads, made._shuffles = self._reads, self._shuffles
        return made

    def _kept(self, title: str, start: Start, count: Callable[[], int] | None = None) -> Self:
        """A dataset of one more step, which keeps elements as they are."""
        made = self._then(title, start, count)
        made._batch = self._batch
        return made

    def _start_part(self, run: Run) -> Iterator[Any]:
        """What one worker reads of a dataset of files: parted, then shuffled."""
        shard = run.part(AutoShardPolicy.FILE)
        if shard is None:
            return self._start(run)
        files = self._start(replace(run, shard=None, unshuffled=True))

        def enough() -> Iterator[Any]:
            first = list(islice(files, shard.workers))
            if len(first) < shard.workers:
                raise InvalidArgumentError(_TOO_FEW.format(len(first), shard.workers))
            return chain(first, files)

        found = steps.sliced(steps.later(enough), shard.index, -1, shard.workers)
        return self._shuffles(run, found) if self._shuffles else found

    def _computed(self, title: str, start: Start, count: Callable[[], int] | None = None) -> Self:
        """A dataset of one more step, which calls a user's function."""
        made = self._then(title, start, count)
        made._spec, made._looks = None, True
        return made

    def _beside(
        self, title: str, datasets: Sequence[Pipeline], start: Start, count: Callable[[], int]
    ) -> Self:
        """A dataset of the elements of several, this one and others, which are all alike.

        Raises:
            TypeError: containers or types of elements differ.
        """

        def spec() -> Any:
            first, *others = (dataset.element_spec for dataset in datasets)
            for other in others:
                try:
                    first = common(first, other)
                except TypeError:
                    raise TypeError(
                        f"Incompatible dataset elements:\n  {first} vs.\n  {other}"
                    ) from None
            return first

        made = self._then(title, start, count, spec)
        made._looks = any(dataset._looks for dataset in datasets)
        made._reads = lambda: all(dataset._reads() for dataset in datasets)
        if not made._looks:
            spec()
        return made

    def _counted(self, change: Callable[[int], int]) -> Callable[[], int]:
        """A count of change(elements of this dataset), where their number is known."""

        def many() -> int:
            here = self._count()
            return here if here < 0 else change(here)

        return many

    def __iter__(self) -> ElementIterator:
        return self._iterate(tensors)

    def _iterate(self, finish: Callable[[Any], Any]) -> ElementIterator:
        run = Run(self._begun, vars(self.options())["deterministic"] is not False)
        self._begun += 1
        return ElementIterator(self._start, run, finish)

    def rewind(self, begun: int = 0) -> None:
        """Counts iterations anew: shuffles with a seed go on as if `begun` had been started.

        A resumed training needs it. TensorFlow has nothing like it.

        Args:
            begun: how many iterations shall count as begun.

        Example:
            >>> import minitensor as tf
            >>> dataset = tf.data.Dataset.range(9).shuffle(9, seed=1)
            >>> first = list(dataset.as_numpy_iterator())
            >>> dataset.rewind(0)
            >>> list(dataset.as_numpy_iterator()) == first
            True
        """
        self._begun = begun

    @elements("range(3).as_numpy_iterator()", "[0, 1, 2]")
    def as_numpy_iterator(self) -> ElementIterator:
        """An iteration over the elements as NumPy arrays and scalars."""
        return self._iterate(numbers)

    @example("range(42).batch(10).cardinality().numpy()", "np.int64(5)")
    def cardinality(self) -> Tensor:
        """The number of elements, or INFINITE_CARDINALITY or UNKNOWN_CARDINALITY."""
        return to_device_of(np.array(self._count(), np.int64))

    def __len__(self) -> int:
        count = self._count()
        if count < 0:
            raise TypeError(
                f"The dataset {'is infinite' if count == INFINITE else 'length is unknown'}."
            )
        return count

    def __bool__(self) -> bool:
        return True  # a dataset of unknown length is no error in `if dataset:`

    @property
    @example(
        "from_tensor_slices([[1.0, 2.0]]).batch(3).element_spec",
        "TensorSpec(shape=(None, 2), dtype=float32, name=None)",
    )
    def element_spec(self) -> Any:
        """What an element looks like: TensorSpecs in the containers of the elements.

        After `map` and `filter` it is found by looking at the first element that can be made, among
        the first ten.
        """
        if self._spec is None:
            spec = self._first_spec()
            self._spec = lambda: spec
        return self._spec()

    def _first_spec(self) -> Any:
        wrong = None
        with generator.using(np.random.default_rng(0)):
            tries = steps.tried(ElementIterator(self._start, Run(0), tensors))
            for element, problem in islice(tries, _LOOKS):
                if problem is None:
                    return map_structure(spec_of, element)
                wrong = wrong or problem
        raise wrong or ValueError(f"{self!r} has no elements, so nothing is known of them")

    @example("range(5).reduce(0, lambda total, n: total + n).numpy().item()", "10")
    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any], name: Any = None) -> Any:
        """reduce_func(... reduce_func(reduce_func(initial_state, x_1), x_2) ..., x_n)"""
        state = initial_state
        for element in self:
            state = reduce_func(state, element)
        return state

    def apply(self, transformation_func: Callable[[Self], Any]) -> Any:
        """transformation_func(self), which must be a dataset.

        Example:
            >>> import minitensor as tf
            >>> len(tf.data.Dataset.range(9).apply(lambda dataset: dataset.take(4)))
            4
        """
        found = transformation_func(self)
        if not isinstance(found, Pipeline):
            raise TypeError(
                f"`transformation_func` must return a `tf.data.Dataset` object. Got {type(found)}."
            )
        return found

    def with_options(self, options: Any, name: str | None = None) -> Self:
        """The dataset as it is; `options()` says what was given here.

        Raises:
            TypeError: `options` are no tf.data.Options.
        """
        if not isinstance(options, Options):
            raise TypeError(f"with_options: expected tf.data.Options, got {options!r}")
        made = self._kept("with_options", self._start)
        made._options = self.options().merge(options)
        return made

    def options(self) -> Options:
        """What `with_options` was given, here and before."""
        return self._options or Options()

    def __repr__(self) -> str:
        words = {INFINITE: "without end", UNKNOWN: "unknown length"}
        count = self._count()
        return f"<minitensor.data.Dataset: {self._title}, {words.get(count, f'{count} elements')}>"
