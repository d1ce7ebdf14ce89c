"""Datasets that come from files, and go into them. Source: tf.data.Dataset, under the same name.

Saved elements are in a format of our own (stored.py): what TensorFlow saved is not read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from minitensor import strings
from minitensor.backend.text import of, string
from minitensor.data import stored
from minitensor.data.batched import Batched
from minitensor.data.pipeline import UNKNOWN, Pipeline, Run
from minitensor.data.rows import Rows
from minitensor.data.spec import TensorSpec
from minitensor.io.files import matched

_NAME = "elements.data"  # in the folder of a saved dataset
_PACKED = {None: False, "": False, "NONE": False, "AUTO": False, "GZIP": True, "SNAPPY": False}


class Filed(Batched):
    """list_files, save, load, snapshot, and cache into a file."""

    @classmethod
    def list_files(
        cls, file_pattern: Any, shuffle: bool | None = None, seed: Any = None, name: Any = None
    ) -> Self:
        """The names of the files that a pattern matches.

        Args:
            file_pattern: names with *, ? and [abc], which match no slash; or a list of them.
            shuffle: in a random order, another in each iteration; None for True.
            seed: of that order.

        Raises:
            ValueError: no file matches.

        Example:
            >>> import minitensor as tf
            >>> import pathlib, tempfile
            >>> folder = pathlib.Path(tempfile.mkdtemp())
            >>> for word in ("b.png", "a.png", "c.txt"):
            ...     (folder / word).touch()
            >>> files = tf.data.Dataset.list_files(f"{folder}/*.png", shuffle=False)
            >>> [path.numpy().decode()[-5:] for path in files]
            ['a.png', 'b.png']
        """
        if isinstance(file_pattern, os.PathLike):
            file_pattern = os.fspath(file_pattern)
        patterns = strings.words("list_files", "file_pattern", file_pattern).ravel()
        names = sorted(found for pattern in patterns for found in matched(pattern))
        if not names:
            raise ValueError(f"No files matched pattern: {b', '.join(patterns).decode()}")
        files = cls._slices("list_files", of(names))
        return files if shuffle is False else files.shuffle(len(names), seed)

    @classmethod
    def _slices(cls, title: str, words: Any) -> Self:
        rows = Rows(words)
        return cls(
            title, lambda run: iter(rows), lambda: rows.length, lambda: TensorSpec((), string)
        )

    def save(
        self,
        path: Any,
        compression: str | None = None,
        shard_func: Any = None,
        checkpoint_args: Any = None,
    ) -> None:
        """Writes all elements into a folder.

        Args:
            path: the folder.
            compression: None or "GZIP".
            shard_func, checkpoint_args: ignored; there is one file.

        Raises:
            ValueError: another compression.

        Example:
            >>> import minitensor as tf
            >>> import tempfile
            >>> folder = tempfile.mkdtemp()
            >>> tf.data.Dataset.range(3).save(folder)
            >>> [int(n) for n in tf.data.Dataset.load(folder)]
            [0, 1, 2]
        """
        file = _folder("save", path) / _NAME
        spec = None if self._looks else self.element_spec
        packed = _is_packed("save", compression)
        made = self._then("save", lambda run: stored.saved(file, self._start(run), spec, packed))
        for _ in made._iterate(lambda element: None):
            pass

    @classmethod
    def load(
        cls,
        path: Any,
        element_spec: Any = None,
        compression: str | None = None,
        reader_func: Callable[[Any], Any] | None = None,
        wait: bool = False,
    ) -> Self:
        """The elements that `save` wrote.

        Args:
            path: the folder.
            element_spec: what they look like; None takes what the file says.
            compression: ignored: the file tells.
            reader_func: of a dataset of datasets, one for each file; gives the dataset to read.
            wait: must be False.

        Raises:
            OSError: there is nothing saved.
            ValueError: the file is damaged.
        """
        if wait:
            raise ValueError("load: wait must be False: nobody else writes into the folder")
        file = _folder("load", path) / _NAME
        if not file.is_file():
            raise FileNotFoundError(f"Could not find saved dataset: there is no file {file}")
        spec = stored.spec_in(file) if element_spec is None else element_spec
        total = stored.count_in(file)
        whole = cls(
            "load",
            lambda run: stored.loaded(file),
            lambda: UNKNOWN if total is None else total,
            None if spec is None else (lambda: spec),
        )
        if reader_func is None:
            return whole
        found = reader_func(cls("load", lambda run: iter([whole]), lambda: 1))
        if not isinstance(found, Pipeline):
            raise TypeError(f"load: reader_func must give a dataset, got {type(found).__name__}")
        return found  # type: ignore[return-value]

    def snapshot(
        self,
        path: Any,
        compression: str | None = "AUTO",
        reader_func: Callable[[Any], Any] | None = None,
        shard_func: Any = None,
        name: str | None = None,
    ) -> Self:
        """Writes the elements of the first whole iteration into a folder; later ones read it.

        A pipeline that was changed needs another folder.

        Args:
            path: the folder.
            compression: None, "AUTO" or "GZIP".
            reader_func, shard_func: must be None: there is one file.

        Raises:
            ValueError: another compression; a function is given.
        """
        if reader_func is not None or shard_func is not None:
            raise ValueError("snapshot: reader_func and shard_func must be None: there is one file")
        packed = _is_packed("snapshot", compression)
        return self._kept_in("snapshot", _folder("snapshot", path) / _NAME, packed)

    def cache(self, filename: Any = "", name: str | None = None) -> Self:
        """Keeps the elements of the first whole iteration for the others.

        Args:
            filename: "" for memory; else what the name of a file begins with, which later runs of
                a program read as well. A pipeline that was changed needs another name.

        Example:
            >>> import minitensor as tf
            >>> dataset = tf.data.Dataset.range(3).map(lambda n: n * 2).cache()
            >>> [int(n) for n in dataset] == [int(n) for n in dataset]
            True
        """
        where = _folder("cache", filename)
        if not where.name:
            return self._in_memory()
        return self._kept_in("cache", where.with_name(f"{where.name}.data-00000-of-00001"), False)

    def _kept_in(self, title: str, file: Path, packed: bool) -> Self:
        def start(run: Run) -> Iterator[Any]:
            if file.is_file():
                return stored.loaded(file)
            return stored.saved(file, self._start(run), spec(), packed)

        def spec() -> Any:
            return None if self._looks else self.element_spec

        return self._then(title, start)


def _folder(op: str, path: Any) -> Path:
    given = os.fspath(path) if isinstance(path, os.PathLike) else path
    return Path(os.fsdecode(strings.word(op, "path", given)))


def _is_packed(op: str, compression: Any) -> bool:
    if compression not in _PACKED:
        raise ValueError(f"{op}: compression {compression!r}; legal: None and 'GZIP'")
    return _PACKED[compression]
