"""TFRecordDataset: files of records, which nobody has vetted; minitensor.io.records writes them."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.backend.errors import DataLossError
from minitensor.data.bounded import Readable
from minitensor.data.dataset import Dataset
from minitensor.data.readers import reading
from minitensor.gfile import GFile
from minitensor.io.crc32c import crc32c_each, masked
from minitensor.io.records import window
from minitensor.nn import checks as args

_MOST = 1 << 28  # bytes of a record; a few kB of packed file can promise any number
_AT_ONCE = 1 << 18
_CHUNK = 1 << 20  # what is read at a time of a record that promises to be large


class TFRecordDataset(Dataset):
    """The records of files that a TFRecordWriter wrote, here or in TensorFlow.

    Args:
        filenames: one name, a list of them, or a dataset of names.
        compression_type: None or "", "GZIP", "ZLIB": as the files were written.
        buffer_size: bytes that are read at a time; None for 256 KiB.
        num_parallel_reads: so many files at a time, on threads, whose records come by turns;
            AUTOTUNE for one per core; None for one file after the other.
        name: ignored.

    Raises:
        ValueError: another compression; while iterating: DataLossError, for a file that is damaged
            or ends inside a record, be it in its first 12 bytes, or before its packed data do,
            where TensorFlow sees the end.
        OSError: while iterating: a file cannot be opened.

    Example:
        >>> import minitensor as tf
        >>> import tempfile
        >>> path = tf.io.gfile.join(tempfile.mkdtemp(), "packed.tfrecord")
        >>> with tf.io.TFRecordWriter(path, "GZIP") as writer:
        ...     writer.write("word")
        >>> [record.numpy() for record in tf.data.TFRecordDataset([path, path], "GZIP")]
        [b'word', b'word']

    Source: tf.data.TFRecordDataset
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
        bits = window("TFRecordDataset", compression_type)
        size = (
            _AT_ONCE
            if buffer_size is None
            else args.number("TFRecordDataset", "buffer_size", buffer_size, 0)
        )
        blocks = functools.partial(_blocks, bits=bits, size=size or _AT_ONCE)
        return reading("TFRecordDataset", filenames, blocks, num_parallel_reads)


def _blocks(path: Path, bits: int, size: int) -> Iterator[list[bytes]]:
    """The records of one file, those together that were read together."""
    with GFile(path, "rb") as file:
        stream: Any = _Unpacked(file, bits) if bits else file
        at, rest, wanted = 0, b"", size  # where `rest` begins, and how much is read next
        while True:
            found, problem = _read(stream, wanted)
            data = rest + found
            bounds, wanted, damage = _bounds(data, ended=not found)
            if bounds:
                yield [data[start:stop] for start, stop in bounds]
            used = bounds[-1][1] + 4 if bounds else 0
            at, rest = at + used, data[used:]
            if damage or problem:
                raise DataLossError(f"{path}: damaged at {at}: {problem or damage}")
            if not found:
                return
            wanted = max(wanted, size)


def _read(stream: Readable, count: int) -> tuple[bytes, str]:
    """So many bytes, or those up to the end or to a damage, and what the damage is."""
    body = bytearray()
    try:
        while len(body) < count and (chunk := stream.read(min(_CHUNK, count - len(body)))):
            body += chunk
    except (ValueError, zlib.error) as error:
        return bytes(body), str(error)
    return bytes(body), ""


def _bounds(data: bytes, ended: bool) -> tuple[list[tuple[int, int]], int, str]:
    """(where the whole records in `data` lie, how many bytes the next one lacks, what is wrong).

    Lengths are followed first and their check sums compared after, all together: what comes after a
    length that is wrong counts for nothing.
    """
    heads, at = [], 0
    while at <= len(data) - 12:
        heads.append(at)
        at += 16 + int.from_bytes(data[at : at + 8], "little")
    array, lacking = np.frombuffer(data, np.uint8), 0
    damage = "truncated record" if ended and at < len(data) else ""
    wrong = _differing(array, np.array(heads, np.int64), np.full(len(heads), 8))
    if wrong.size:
        heads, damage = heads[: wrong[0]], "no record begins here"
    sizes = [int.from_bytes(data[head : head + 8], "little") for head in heads]
    if heads and heads[-1] + 16 + sizes[-1] > len(data):
        here, size = len(data) - heads.pop() - 12, sizes.pop()
        lacking, damage = size + 4 - here, ""
        if size > _MOST:
            damage = f"a record of {size} bytes, where at most {_MOST} are read"
        elif ended:
            damage = f"truncated record: {here} bytes, where {size + 4} are promised"
    wrong = _differing(array, np.array(heads, np.int64) + 12, np.array(sizes, np.int64))
    if wrong.size:
        damage = "corrupted record: its check sum is wrong"
        heads, sizes = heads[: wrong[0]], sizes[: wrong[0]]
    bounds = [(head + 12, head + 12 + size) for head, size in zip(heads, sizes, strict=True)]
    return bounds, lacking, damage


def _differing(array: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Which of the parts of an array have another check sum than stands behind them."""
    stored = array[(starts + sizes)[:, None] + np.arange(4)]  # (n, 4)
    return np.flatnonzero(masked(crc32c_each(array, starts, sizes)) != stored.view("<u4")[:, 0])


class _Unpacked:
    """A packed stream, of which no more is unpacked than is asked for."""

    def __init__(self, stream: Any, bits: int) -> None:
        self._stream, self._bits = stream, bits
        self._packer: Any = None  # of the packed piece that we are in; a file may be several
        self._waiting = b""  # packed

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end. A ValueError if it is cut short."""
        while True:
            self._waiting = self._waiting or self._stream.read(_AT_ONCE)
            if not self._waiting and self._packer is None:
                return b""
            if not self._waiting:
                raise ValueError("the packed data are cut short")
            self._packer = self._packer or zlib.decompressobj(self._bits)
            found: bytes = self._packer.decompress(self._waiting, size)
            self._waiting = self._packer.unconsumed_tail
            if self._packer.eof:
                self._waiting, self._packer = self._packer.unused_data, None
            if found:
                return found
