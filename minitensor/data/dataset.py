"""Dataset: tf.data.Dataset for programs that run as they stand.

Where elements come from, and what is computed of them. All is lazy. `synchronous`,
`use_unbounded_threadpool` and `name` are ignored. Source of each method: tf.data.Dataset, under the
same name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Self

import numpy as np

from minitensor.backend import generator
from minitensor.data import steps, threads
from minitensor.data.filed import Filed
from minitensor.data.nested import several
from minitensor.data.pipeline import INFINITE, UNKNOWN, Run, elements, parallel
from minitensor.data.rows import Rows
from minitensor.data.spec import (
    TensorSpec,
    flatten,
    host_array,
    map_structure,
    signature_of,
    spec_of,
)
from minitensor.dtypes import as_dtype, int64
from minitensor.nn import checks as args


class Dataset(Filed):
    """Elements one after the other, made when they are asked for.

    An element is a tensor, or tuples and dictionaries of tensors. An array that somebody may still
    write into is copied once; elements are cut out of it when they are asked for. Functions are
    called, not traced: what they give is known when the first element is made.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> images, labels = np.zeros((5, 28, 28), np.uint8), np.arange(5)
        >>> dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(2)
        >>> [x.shape.as_list() for x, y in dataset]
        [[2, 28, 28], [2, 28, 28], [1, 28, 28]]

    Source: tf.data.Dataset
    """

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """One element for each index of the first axis.

        Args:
            tensors: an array or tensor, or tuples and dictionaries of them, all of one length. Of
                np.load(file, mmap_mode="r") a row is read when it is asked for.

        Raises:
            ValueError: lengths differ, or one has no axis.

        Example:
            >>> import minitensor as tf
            >>> [x.numpy().tolist() for x in tf.data.Dataset.from_tensor_slices([[1, 2], [3, 4]])]
            [[1, 2], [3, 4]]
        """
        arrays = map_structure(host_array, tensors)
        if not flatten(arrays):
            raise ValueError("Invalid `tensors`. `tensors` should not be empty.")
        rows = Rows(arrays)

        def spec() -> Any:
            return map_structure(lambda a: TensorSpec(a.shape[1:], spec_of(a).dtype), arrays)

        return Dataset("from_tensor_slices", lambda run: iter(rows), lambda: rows.length, spec)

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """A single element.

        Example:
            >>> import minitensor as tf
            >>> len(tf.data.Dataset.from_tensors([1, 2, 3]))
            1
        """
        arrays = map_structure(host_array, tensors)
        one = Rows(map_structure(lambda array: array[np.newaxis], arrays))
        spec = map_structure(spec_of, arrays)
        return Dataset("from_tensors", lambda run: iter(one), lambda: 1, lambda: spec)

    @staticmethod
    @elements("range(2, 8, 3)", "[2, 5]")
    def range(*args: Any, **kwargs: Any) -> Dataset:
        """Numbers as Python's range has them: (stop), (start, stop) or (start, stop, step).

        Args:
            *args: the integers.
            **kwargs: `output_type`, default int64.
        """
        kind = as_dtype(kwargs.pop("output_type", int64))
        if set(kwargs) - {"name"} or not 1 <= len(args) <= 3:
            raise ValueError(f"range takes 1 to 3 integers and output_type; got {args} {kwargs}")
        span = range(*(int(n) for n in args))
        return Dataset(
            "range",
            lambda run: (np.array(n, kind) for n in span),
            lambda: len(span),
            lambda: TensorSpec((), kind),
        )

    @staticmethod
    @elements("counter(5, step=2).take(3)", "[5, 7, 9]")
    def counter(start: Any = 0, step: Any = 1, dtype: Any = int64, name: Any = None) -> Dataset:
        """start, start + step, start + 2 step ... without end.

        Args:
            start, step: integers.
            dtype: of the elements.
        """
        kind = as_dtype(dtype)
        first, ahead = (args.number("counter", "start", n, -(2**63)) for n in (start, step))
        return Dataset(
            "counter",
            lambda run: (np.array(n, kind) for n in count(first, ahead)),
            lambda: INFINITE,
            lambda: TensorSpec((), kind),
        )

    @staticmethod
    def random(
        seed: Any = None, rerandomize_each_iteration: bool | None = None, name: str | None = None
    ) -> Dataset:
        """Integers from 0 to 2^32 - 1, all equally likely, without end.

        Args:
            seed: makes every iteration alike.
            rerandomize_each_iteration: with a seed, other numbers in each iteration.

        Example:
            >>> import minitensor as tf
            >>> next(iter(tf.data.Dataset.random(seed=1))).dtype
            tf.int64
        """
        fixed = None if seed is None else args.number("random", "seed", seed, 0)

        def start(run: Run) -> Iterator[Any]:
            root: Any = int(generator.generator().integers(2**63)) if fixed is None else fixed
            again = fixed is not None and rerandomize_each_iteration
            rng = np.random.default_rng([root, run.number] if again else root)
            return (np.array(n, np.int64) for _ in count() for n in rng.integers(2**32, size=256))

        return Dataset("random", start, lambda: INFINITE, lambda: TensorSpec((), int64))

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """What a Python generator yields.

        Args:
            generator: a function that gives a fresh iterator.
            output_types, output_shapes: of the elements; None leaves them as they come.
            args: a tuple of what the function is called with, as NumPy arrays.
            output_signature: TensorSpecs of the elements, instead of types and shapes.

        Raises:
            TypeError: `generator` is no function.
            ValueError: an element does not fit the signature.

        Example:
            >>> import minitensor as tf
            >>> squares = tf.data.Dataset.from_generator(lambda: (n * n for n in range(3)), "int32")
            >>> [int(n) for n in squares]
            [0, 1, 4]
        """
        if not callable(generator):
            raise TypeError("`generator` must be a Python callable.")
        given = () if args is None else tuple(np.asarray(value) for value in args)
        signature = output_signature
        if signature is None and output_types is not None:
            signature = signature_of(output_types, output_shapes)

        def start(run: Run) -> Iterator[Any]:
            return map(functools.partial(steps.yielded, signature=signature), generator(*given))

        return Dataset("from_generator", start, lambda: UNKNOWN, signature and (lambda: signature))

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """Elements of several datasets side by side, as long as all have one.

        Args:
            *args: datasets, or tuples and dictionaries of them.
            datasets: the same, instead of args.

        Raises:
            TypeError: something else than a dataset.
            ValueError: no dataset.

        Example:
            >>> import minitensor as tf
            >>> both = tf.data.Dataset.zip(tf.data.Dataset.range(3), tf.data.Dataset.range(5, 9))
            >>> [(int(a), int(b)) for a, b in both]
            [(0, 5), (1, 6), (2, 7)]
        """
        inside = datasets if not args else args[0] if len(args) == 1 else args
        listed = several("zip", flatten(inside))

        def many() -> int:
            counts = [dataset._count() for dataset in listed]
            if UNKNOWN in counts:
                return UNKNOWN
            return min((n for n in counts if n != INFINITE), default=INFINITE)

        made = Dataset(
            "zip",
            lambda run: steps.zipped(map_structure(lambda dataset: dataset._start(run), inside)),
            many,
            lambda: map_structure(lambda dataset: dataset.element_spec, inside),
        )
        made._looks = any(dataset._looks for dataset in listed)
        made._reads = lambda: all(dataset._reads() for dataset in listed)
        sizes = {dataset._batch for dataset in listed}
        made._batch = sizes.pop() if len(sizes) == 1 else -1
        return made

    @elements("range(3).map(lambda n: n + 1)", "[1, 2, 3]")
    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        synchronous: Any = None,
        use_unbounded_threadpool: bool = False,
        name: str | None = None,
    ) -> Self:
        """map_func of each element; a tuple is spread over its arguments.

        Args:
            map_func: gets tensors, and gives tensors or what becomes one.
            num_parallel_calls: on so many threads, which pays where it reads files, decodes or
                works on large arrays; AUTOTUNE for one per core; None for no threads. What it draws
                at random is then the same for each element, whatever the number.
            deterministic: False lets elements overtake one another; None for what the options say,
                which is True at first.

        Raises:
            TypeError: `map_func` is no function.
            ValueError: `num_parallel_calls` is 0 or below AUTOTUNE.
        """
        if not callable(map_func):
            raise TypeError(f"map: map_func must be a function, got {map_func!r}")
        function = functools.partial(steps.called, map_func)
        calls = parallel("map", "num_parallel_calls", num_parallel_calls)

        def start(run: Run) -> Iterator[Any]:
            if not calls:
                return map(function, self._start(run))
            return threads.Mapped(function, self._start(run), calls, run.ordered(deterministic))

        made = self._computed("map", start)
        made._maps = True
        return made

    @elements("range(6).filter(lambda n: n % 2 == 0)", "[0, 2, 4]")
    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Self:
        """The elements for which `predicate` is true."""

        def start(run: Run) -> Iterator[Any]:
            return filter(lambda e: steps.accepted(predicate, e), self._start(run))

        return self._kept("filter", start, lambda: UNKNOWN)

    def batch(
        self,
        batch_size: Any,
        drop_remainder: Any = False,
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        name: str | None = None,
    ) -> Self:
        """`batch_size` elements at a time, stacked along a new first axis.

        After an error the next batch begins with the next element. Only straight after a `map` an
        error is a whole batch, because TensorFlow makes one step of these two.

        Args:
            batch_size: how many.
            drop_remainder: leave out the last batch if it is smaller.
            num_parallel_calls: ignored, but with it a `map` and this are two steps.
            deterministic: ignored.

        Raises:
            ValueError: `batch_size` is below 1; while iterating: shapes of elements differ.

        Example:
            >>> import minitensor as tf
            >>> [batch.numpy().tolist() for batch in tf.data.Dataset.range(5).batch(2)]
            [[0, 1], [2, 3], [4]]
        """
        size, whole = args.number("batch", "batch_size", batch_size, 1), bool(drop_remainder)
        many = self._counted(lambda here: here // size if whole else -(-here // size))

        def spec() -> Any:
            return map_structure(lambda s: s.batched(size if whole else None), self.element_spec)

        def start(run: Run) -> Iterator[Any]:
            if self._maps and num_parallel_calls is None:
                return steps.mapped_batches(self._start(run), size, whole)
            return steps.cut(self._start(run), [size], whole)

        made = self._then("batch", start, many, spec)
        made._batch = size
        return made

    @elements("range(5).batch(2).unbatch()", "[0, 1, 2, 3, 4]")
    def unbatch(self, name: str | None = None) -> Self:
        """The rows of each element, one by one."""

        def spec() -> Any:
            return map_structure(TensorSpec.rows, self.element_spec)

        def many() -> int:
            here = self._count()
            if here < 0 or self._looks:  # the first element tells nothing of the others' sizes
                return UNKNOWN if here >= 0 else here
            sizes = [s.shape[0] for s in flatten(self.element_spec) if s.shape]
            return next((here * size for size in sizes if size is not None), UNKNOWN)

        if not self._looks:
            spec()
        return self._then(
            "unbatch",
            lambda run: steps.unbatched(self._start(run)),
            many,
            spec,
        )
