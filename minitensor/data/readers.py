"""Datasets of what is in files: which files, how many at a time, and which part of them.

Under tf.distribute each worker reads some of the files; sharding.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from minitensor.backend.text import of, string
from minitensor.data import steps, threads
from minitensor.data.bounded import unpacked
from minitensor.data.dataset import Dataset
from minitensor.data.pipeline import UNKNOWN, Pipeline, Run, parallel
from minitensor.data.rows import opened
from minitensor.data.spec import TensorSpec, flatten, map_structure
from minitensor.strings import word, words

_LINES = 1000  # that are read together


def reading(
    what: str,
    filenames: Any,
    blocks: Callable[[Path], Iterator[list[Any]]],
    num_parallel_reads: Any,
    spec: Any = None,
) -> Dataset:
    """A dataset of what `blocks` gives for each file, lists of elements.

    Args:
        filenames: one name, a list of them, or a dataset of names.
        num_parallel_reads: how many files are read at a time.
        spec: of an element; None for text, which comes as bytes.
    """
    calls = parallel(what, "num_parallel_reads", num_parallel_reads)
    names = _named(what, filenames)

    def path(element: Any) -> Path:
        return Path(os.fsdecode(word(what, "filenames", opened(element))))

    def start(run: Run) -> Iterator[Any]:
        sources = map(blocks, map(path, names._start_part(run)))
        if not calls:
            return steps.interleaved(map(_spread, sources))
        return threads.interleaved_ahead(
            sources, calls, 1, calls, 2, run.ordered(None), spread=_spread
        )

    made = Dataset(what, start, lambda: UNKNOWN, lambda: spec or TensorSpec((), string))
    made._reads = lambda: True
    return made


def _spread(blocks: Iterator[list[Any]]) -> Iterator[Any]:
    return steps.interleaved(map(iter, map(_texts, blocks)))


def _texts(block: list[Any]) -> list[Any]:
    return [of(one) if type(one) is bytes else map_structure(of, one) for one in block]


def _named(what: str, filenames: Any) -> Pipeline:
    """A dataset of names."""
    if not isinstance(filenames, Pipeline):
        listed = filenames if isinstance(filenames, list | tuple) else [filenames]
        if any(isinstance(name, os.PathLike) for name in listed):
            filenames = [os.fspath(name) for name in listed]
        return Dataset.from_tensor_slices(words(what, "filenames", filenames).ravel())
    if not filenames._looks:
        kinds = [leaf.dtype for leaf in flatten(filenames.element_spec)]
        if kinds != [string]:
            raise TypeError(f"{what}: filenames must be text, got a dataset of {kinds}")
    return filenames


class TextLineDataset(Dataset):
    """The lines of text files, without what ends them.

    Args:
        filenames: one name, a list of them, or a dataset of names.
        compression_type: ignored: the file tells whether it is packed by gzip.
        buffer_size, name: ignored.
        num_parallel_reads: so many files at a time, on threads, whose lines come by turns; AUTOTUNE
            for one per core; None for one file after the other.

    Raises:
        OSError: while iterating: a file cannot be opened.

    Example:
        >>> import minitensor as tf
        >>> import pathlib, tempfile
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "two.txt"
        >>> _ = file.write_text("one" + chr(10) + "two")
        >>> [line.numpy() for line in tf.data.TextLineDataset(str(file))]
        [b'one', b'two']

    Source: tf.data.TextLineDataset
    """

    def __new__(
        cls,
        filenames: Any,
        compression_type: str | None = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> Any:
        """A dataset of text."""
        return reading("TextLineDataset", filenames, _lines, num_parallel_reads)


def _lines(path: Path) -> Iterator[list[bytes]]:
    with unpacked(path) as stream:
        while found := list(islice(stream, _LINES)):
            yield [line.rstrip(b"\n").removesuffix(b"\r") for line in found]
