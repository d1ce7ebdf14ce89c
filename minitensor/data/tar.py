"""TarDataset: shards of a data set as tar archives, files of one name together an example.

    000017.jpg  000017.cls  000018.jpg  000018.cls ...

Archives are read from their beginning to their end, as they come: nothing is written to disk, no
path in them is followed, and no more is kept than the files of one example. What an archive holds
beside files (folders, links, devices) is passed over. Nobody has vetted it: every header has a
check sum, and no size is believed before so many bytes came.
"""

from __future__ import annotations

import functools
import gzip
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from minitensor.backend.errors import DataLossError
from minitensor.backend.text import string
from minitensor.data.bounded import read_up_to
from minitensor.data.dataset import Dataset
from minitensor.data.readers import reading
from minitensor.data.spec import TensorSpec
from minitensor.gfile import GFile

_BLOCK = 512  # bytes: headers and files are filled up to whole ones
_MOST = 1 << 28  # bytes of an example; a few kB of packed archive can promise any number
_LONGEST = 1 << 16  # bytes of a header that names the next file
_NAMES = (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE)  # headers that do so
_BETWEEN = (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK)  # headers that may follow these
_WITHOUT_DATA = (
    *(tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE),
    *(tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE),
)
_KEY = "__key__"


class _File(NamedTuple):
    key: str
    part: str  # what its name ends with
    data: bytes


class TarDataset(Dataset):
    """The examples of tar archives, packed by gzip or not, as WebDataset's writers make them.

    An example is the files, one after the other, whose names are alike up to their first dot:
    "a/17.cls" and "a/17.jpg" are the parts "cls" and "jpg" of "a/17". The format has check sums of
    headers alone; packed by gzip it has one of everything, which is compared at the end. Under
    tf.distribute each worker reads some of the archives; by hand: `list_files(...).shard(n, k)`.

    Args:
        filenames: one name, a list of them, or a dataset of names.
        parts: what is read of each example: one ending, whose elements are bytes, or a tuple of
            them, whose elements are tuples; "__key__" is the name up to its first dot.
        num_parallel_reads: so many archives at a time, on threads, whose examples come by turns;
            AUTOTUNE for one per core; None for one archive after the other.

    Raises:
        ValueError: `parts` names nothing; while iterating: DataLossError, for an archive that is
            damaged or cut short; an example lacks a part.
        OSError: while iterating: an archive cannot be opened.

    Example:
        >>> import minitensor as tf
        >>> import io, pathlib, tarfile, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "shard.tar"
        >>> with tarfile.open(path, "w") as shard:
        ...     for name, data in (("17.cls", b"3"), ("17.txt", b"cat"), ("18.cls", b"5"),
        ...                        ("18.txt", b"dog")):
        ...         member = tarfile.TarInfo(name)
        ...         member.size = len(data)
        ...         shard.addfile(member, io.BytesIO(data))
        >>> dataset = tf.data.TarDataset(path, ("__key__", "txt", "cls"))
        >>> dataset = dataset.map(lambda key, txt, cls: (txt, tf.strings.to_number(cls, tf.int64)))
        >>> [(txt.numpy(), int(cls)) for txt, cls in dataset]
        [(b'cat', 3), (b'dog', 5)]
    """

    def __new__(cls, filenames: Any, parts: Any, num_parallel_reads: Any = None) -> Any:
        """A dataset of text."""
        wanted = (parts,) if isinstance(parts, str) else tuple(parts)
        if not wanted or not all(isinstance(part, str) and part for part in wanted):
            raise ValueError(
                f'TarDataset: parts are endings of names, such as ("jpg", "cls"), got {parts!r}'
            )
        one = TensorSpec((), string)
        spec = one if isinstance(parts, str) else (one,) * len(wanted)
        blocks = functools.partial(_blocks, parts=wanted, alone=isinstance(parts, str))
        return reading("TarDataset", filenames, blocks, num_parallel_reads, spec)


def _blocks(path: Path, parts: tuple[str, ...], alone: bool) -> Iterator[list[Any]]:
    """The examples of one archive, each as a list of it alone."""
    key, found = "", {}  # type: str, dict[str, bytes]

    def example() -> list[Any]:
        for part in parts:
            if part not in found and part != _KEY:
                raise ValueError(
                    f"{path}: example {key!r} has no part {part!r}, it has {sorted(found)}"
                )
        found[_KEY] = os.fsencode(key)
        texts = tuple(found[part] for part in parts)
        return [texts[0] if alone else texts]

    for file in _files(path):
        if found and file.key != key:
            yield example()
            found = {}
        key = file.key
        if file.part in found:
            raise DataLossError(f"{path}: example {key!r} has two parts {file.part!r}")
        found[file.part] = file.data
        if sum(map(len, found.values())) > _MOST:
            raise DataLossError(f"{path}: example {key!r} is larger than {_MOST} bytes")
    if found:
        yield example()


def _files(path: Path) -> Iterator[_File]:
    with GFile(path, "rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"  # which content tells and not the name
        plain.seek(0)
        stream = _Counted(gzip.GzipFile(fileobj=plain) if packed else plain)
        while True:
            at = stream.at
            try:
                file = _next(stream)
            except (ValueError, EOFError, OSError, zlib.error, tarfile.HeaderError) as problem:
                raise DataLossError(f"{path}: damaged at {at}: {problem}") from None
            if file is None:
                return
            yield file


class _Counted:
    """A stream that knows its place."""

    def __init__(self, stream: Any) -> None:
        self._stream, self.at = stream, 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes."""
        found: bytes = self._stream.read(size)
        self.at += len(found)
        return found


def _next(stream: _Counted) -> _File | None:
    """The next file that is part of an example; None at the end."""
    name = None
    while True:
        head = bytes(read_up_to(stream, _BLOCK))
        if len(head) < _BLOCK:
            raise ValueError("cut short: an archive ends with two empty blocks")
        if not any(head):
            _end(stream)
            return None
        info = tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        if info.size < 0 or info.type == tarfile.GNUTYPE_SPARSE:
            raise ValueError(f"a file of {info.size} bytes, or with holes")
        if info.type in _NAMES:
            name = _name_in(info.type, _content(stream, info.size, _LONGEST)) or name
            continue
        key, part = _split(name or info.name)
        if info.isreg() and part:
            return _File(key, part, _content(stream, info.size, _MOST))
        if info.type not in _WITHOUT_DATA:
            _pass(stream, info.size)
        if info.type not in _BETWEEN:
            name = None


def _end(stream: _Counted) -> None:
    if any(last := read_up_to(stream, _BLOCK)) or len(last) < _BLOCK:
        raise ValueError("cut short: an archive ends with two empty blocks")
    while stream.read(1 << 20):  # for the check sum of what is packed
        pass


def _split(name: str) -> tuple[str, str]:
    """What names the example, and the part; no part if its name begins with a dot or has none."""
    folder, slash, last = name.rpartition("/")
    stem, dot, part = last.partition(".")
    return folder + slash + stem, part.lower() if stem and dot else ""


def _content(stream: _Counted, size: int, most: int) -> bytes:
    if size > most:
        raise ValueError(f"a file of {size} bytes, where at most {most} are read")
    whole = size + -size % _BLOCK
    body = read_up_to(stream, whole)
    if len(body) < whole:
        raise ValueError(f"cut short: {len(body)} bytes, where {whole} are promised")
    return bytes(memoryview(body)[:size])


def _pass(stream: _Counted, size: int) -> None:
    left = size + -size % _BLOCK
    while left:
        found = len(stream.read(min(left, 1 << 20)))
        if not found:
            raise ValueError(f"cut short: {left} bytes are missing")
        left -= found


def _name_in(kind: bytes, body: bytes) -> str | None:
    """The name of the next file, from a header of GNU's tar or of POSIX: "27 path=...\\n" """
    if kind == tarfile.GNUTYPE_LONGNAME:
        return body.rstrip(b"\0").decode("utf-8", "surrogateescape")
    name, at = None, 0
    while at < len(body):
        digits, space, _ = body[at : at + 8].partition(b" ")
        if not space or not digits.isdigit() or not len(digits) < int(digits) <= len(body) - at:
            raise ValueError("a damaged header of names")
        word, _, value = body[at + len(digits) + 1 : at + int(digits)].partition(b"=")
        if word == b"path":
            name = value.removesuffix(b"\n").decode("utf-8", "surrogateescape")
        if word == b"size":
            raise ValueError("a file whose size is in a header of names: larger than 8 GiB")
        at += int(digits)
    return name
