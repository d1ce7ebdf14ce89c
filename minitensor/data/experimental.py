"""The mirror of tf.data.experimental: names that older programs use."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from minitensor import missing
from minitensor.data.dataset import Dataset
from minitensor.data.options import (
    AutoShardPolicy,
    AutotuneOptions,
    DistributeOptions,
    OptimizationOptions,
    ThreadingOptions,
)
from minitensor.data.order import SHARD_HINT
from minitensor.data.pipeline import AUTOTUNE
from minitensor.data.pipeline import INFINITE as INFINITE_CARDINALITY
from minitensor.data.pipeline import UNKNOWN as UNKNOWN_CARDINALITY
from minitensor.io import records

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "SHARD_HINT",
    "UNKNOWN_CARDINALITY",
    "AutoShardPolicy",
    "AutotuneOptions",
    "Counter",
    "DistributeOptions",
    "OptimizationOptions",
    "TFRecordWriter",
    "ThreadingOptions",
    "assert_cardinality",
    "cardinality",
    "choose_from_datasets",
    "get_single_element",
    "group_by_window",
    "ignore_errors",
    "load",
    "sample_from_datasets",
    "save",
    "scan",
    "snapshot",
    "take_while",
    "unbatch",
    "unique",
]  # fmt: skip


class TFRecordWriter:
    """Writes the elements of a dataset of text as records; now tf.io.TFRecordWriter.

    Args:
        filename: of a new file.
        compression_type: "", "GZIP" or "ZLIB".

    Source: tf.data.experimental.TFRecordWriter
    """

    def __init__(self, filename: Any, compression_type: str | None = None) -> None:
        records.window("TFRecordWriter", compression_type)
        self._given = filename, compression_type

    def write(self, dataset: Any) -> None:
        """Writes all of them."""
        with records.TFRecordWriter(*self._given) as file:
            for element in dataset:
                file.write(element)


Counter = Dataset.counter
choose_from_datasets, sample_from_datasets = (
    Dataset.choose_from_datasets,
    Dataset.sample_from_datasets,
)
load, save = Dataset.load, Dataset.save
cardinality, get_single_element = Dataset.cardinality, Dataset.get_single_element


def _applied(name: str) -> Callable[..., Any]:
    """The method of that name, as a function for dataset.apply."""

    def made(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        return lambda dataset: getattr(dataset, name)(*args, **kwargs)

    made.__name__, made.__doc__ = name, f"dataset.{name}, for dataset.apply."
    return made


group_by_window, ignore_errors, scan, snapshot, take_while, unbatch, unique = map(
    _applied,
    ("group_by_window", "ignore_errors", "scan", "snapshot", "take_while", "unbatch", "unique"),
)


def assert_cardinality(expected_cardinality: Any) -> Callable[[Any], Any]:
    """For dataset.apply: the dataset, said to have so many elements.

    Raises:
        ValueError: while iterating: it has more or fewer.

    Source: tf.data.experimental.assert_cardinality
    """
    expected = int(expected_cardinality)

    def applied(dataset: Any) -> Any:
        def start(run: Any) -> Any:
            total = 0

            def check(legal: bool) -> None:
                if not legal:
                    raise ValueError(f"Input dataset was expected to contain {expected} elements.")

            def counted(element: Any) -> Any:
                nonlocal total
                total += 1
                check(not 0 <= expected < total)
                return element

            def end() -> Iterator[Any]:
                check(total == expected)
                yield from ()

            return chain(map(counted, dataset._start(run)), end())

        return dataset._kept("assert_cardinality", start, lambda: expected)

    return applied


__getattr__ = missing.refusing("tf.data.experimental", __name__)
