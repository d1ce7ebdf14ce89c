"""Dataset: tf.data.Dataset for programs that run as they stand.

Where elements come from, and what is computed of them. All is lazy and runs in one thread:
`num_parallel_calls`, `deterministic`, `synchronous`, `use_unbounded_threadpool` and `name` are
ignored. Source of each method: tf.data.Dataset, under the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from minitensor.data import steps
from minitensor.data.order import Ordered
from minitensor.data.pipeline import INFINITE, UNKNOWN, Pipeline, Run, elements
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


class Dataset(Ordered):
    """Elements one after the other, made when they are asked for.

    An element is a tensor, or tuples and dictionaries of tensors. A NumPy array is sliced in place
    and never copied whole: what is written into it later is seen.

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
            tensors: an array or tensor, or tuples and dictionaries of them, all of one length.

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
            return (steps.yielded(element, signature) for element in generator(*given))

        return Dataset("from_generator", start, lambda: UNKNOWN, signature and (lambda: signature))

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """Elements of several datasets side by side, as long as all have one.

        Args:
            *args: datasets, or tuples and dictionaries of them.
            datasets: the same, instead of args.

        Raises:
            TypeError: something else than a dataset.

        Example:
            >>> import minitensor as tf
            >>> both = tf.data.Dataset.zip(tf.data.Dataset.range(3), tf.data.Dataset.range(5, 9))
            >>> [(int(a), int(b)) for a, b in both]
            [(0, 5), (1, 6), (2, 7)]
        """
        inside = datasets if not args else args[0] if len(args) == 1 else args
        for item in flatten(inside):
            if not isinstance(item, Pipeline):
                raise TypeError(f"zip: expected datasets, got {type(item).__name__}")

        def many() -> int:
            counts = [dataset._count() for dataset in flatten(inside)]
            if UNKNOWN in counts:
                return UNKNOWN
            return min((n for n in counts if n != INFINITE), default=INFINITE)

        return Dataset(
            "zip",
            lambda run: steps.zipped(map_structure(lambda dataset: dataset._start(run), inside)),
            many,
            lambda: map_structure(lambda dataset: dataset.element_spec, inside),
        )

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
        """
        if not callable(map_func):
            raise TypeError(f"map: map_func must be a function, got {map_func!r}")

        def start(run: Run) -> Iterator[Any]:
            return (steps.called(map_func, element) for element in self._start(run))

        dataset = self._then("map", start)
        dataset._spec = None
        return dataset

    @elements("range(6).filter(lambda n: n % 2 == 0)", "[0, 2, 4]")
    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Self:
        """The elements for which `predicate` is true."""

        def start(run: Run) -> Iterator[Any]:
            return (e for e in self._start(run) if steps.accepted(predicate, e))

        return self._then("filter", start, lambda: UNKNOWN)

    def batch(
        self,
        batch_size: Any,
        drop_remainder: Any = False,
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        name: str | None = None,
    ) -> Self:
        """`batch_size` elements at a time, stacked along a new first axis.

        Args:
            batch_size: how many.
            drop_remainder: leave out the last batch if it is smaller.

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

        return self._then(
            "batch", lambda run: steps.batches(self._start(run), size, whole), many, spec
        )

    @elements("range(5).batch(2).unbatch()", "[0, 1, 2, 3, 4]")
    def unbatch(self, name: str | None = None) -> Self:
        """The rows of each element, one by one."""
        return self._then(
            "unbatch",
            lambda run: steps.unbatched(self._start(run)),
            lambda: UNKNOWN,
            lambda: map_structure(lambda s: TensorSpec(s.shape[1:], s.dtype), self.element_spec),
        )
