"""The mirror of tf.io.gfile: files and folders of this machine.

Paths are text, bytes or PathLikes; what is given back is text.
Raises: NotFoundError, which is a FileNotFoundError; AlreadyExistsError, which is a FileExistsError.
Source: tf.io.gfile, under the same name.
"""

from __future__ import annotations

import glob as _glob
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minitensor import missing
from minitensor.backend.errors import AlreadyExistsError, NotFoundError

__all__ = [
    "GFile", "copy", "exists", "glob", "isdir", "join", "listdir", "makedirs", "mkdir", "remove",
    "rename", "rmtree", "stat", "walk",
]  # fmt: skip


def _text(path: Any) -> str:
    return os.fsdecode(path.numpy() if hasattr(path, "numpy") else path)


@contextmanager
def _named() -> Iterator[None]:
    """Gives errors of the system TensorFlow's names."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"{error.filename}; {error.strerror}") from None
    except FileExistsError as error:
        raise AlreadyExistsError(f"{error.filename}; {error.strerror}") from None


class GFile:
    """An open file.

    Args:
        name: its path.
        mode: "r", "w", "a", with "b" for bytes, "+" for both ways.

    Example:
        >>> import tempfile, minitensor as tf
        >>> path = tf.io.gfile.join(tempfile.mkdtemp(), "note")
        >>> with tf.io.gfile.GFile(path, "w") as file:
        ...     file.write("done")
        >>> tf.io.gfile.GFile(path).read(), tf.io.gfile.exists(path)
        ('done', True)
    """

    def __init__(self, name: Any, mode: str = "r", encoding: str = "utf-8") -> None:
        self.name, self.mode = name, mode
        with _named():
            text = {} if "b" in mode else {"encoding": encoding}
            self._file: Any = open(_text(name), mode, **text)  # type: ignore[call-overload]  # noqa: SIM115

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_file"], name)

    def write(self, file_content: Any) -> None:
        """Writes text or bytes."""
        self._file.write(file_content)

    def size(self) -> int:
        """How many bytes it has."""
        return os.path.getsize(_text(self.name))

    def __enter__(self) -> GFile:
        return self

    def __exit__(self, *problem: Any) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._file)

    def __next__(self) -> Any:
        return next(self._file)


def exists(path: Any) -> bool:
    """Whether there is a file or a folder."""
    return os.path.exists(_text(path))


def isdir(path: Any) -> bool:
    """Whether it is a folder."""
    return os.path.isdir(_text(path))


def listdir(path: Any) -> list[str]:
    """The names in a folder."""
    with _named():
        return os.listdir(_text(path))


def glob(pattern: Any) -> list[str]:
    """The paths that a pattern, or one of several, matches, sorted."""
    patterns = pattern if isinstance(pattern, list | tuple) else [pattern]
    return sorted(path for one in patterns for path in _glob.glob(_text(one)))


def join(path: Any, *paths: Any) -> str:
    """One path of several."""
    return os.path.join(_text(path), *map(_text, paths))


def mkdir(path: Any) -> None:
    """Makes a folder in one that is there; nothing if it is there itself."""
    with _named():
        Path(_text(path)).mkdir(exist_ok=True)


def makedirs(path: Any) -> None:
    """Makes a folder and those above it; nothing if it is there."""
    with _named():
        os.makedirs(_text(path), exist_ok=True)


def remove(path: Any) -> None:
    """Removes a file."""
    with _named():
        os.remove(_text(path))


def rmtree(path: Any) -> None:
    """Removes a folder with all in it."""
    with _named():
        shutil.rmtree(_text(path))


def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copies a file."""
    _refuse_existing(dst, overwrite)
    with _named():
        shutil.copyfile(_text(src), _text(dst))


def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Gives a file or folder another path."""
    _refuse_existing(dst, overwrite)
    with _named():
        os.replace(_text(src), _text(dst))


def _refuse_existing(path: Any, overwrite: bool) -> None:
    if not overwrite and exists(path):
        raise AlreadyExistsError(f"{_text(path)} is there already; overwrite=True replaces it")


@dataclass
class FileStatistics:
    """What `stat` says."""

    length: int
    mtime_nsec: int
    is_directory: bool


def stat(path: Any) -> FileStatistics:
    """How many bytes, when changed, and whether it is a folder."""
    with _named():
        found = Path(_text(path)).stat()
    return FileStatistics(found.st_size, found.st_mtime_ns, isdir(path))


def walk(
    top: Any, topdown: bool = True, onerror: Callable[[Any], Any] | None = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """For a folder and each inside it: its path, its folders, its files."""
    return os.walk(_text(top), topdown, onerror)


__getattr__ = missing.refusing("tf.io.gfile", __name__)
