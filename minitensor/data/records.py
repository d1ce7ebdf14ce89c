"""TFRecordDataset: files of records, which nobody has vetted; minitensor.io.records writes them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from minitensor.backend.errors import DataLossError
from minitensor.backend.text import of, string
from minitensor.data import steps
from minitensor.data.bounded import Readable, read_up_to
from minitensor.data.dataset import Dataset
from minitensor.data.pipeline import UNKNOWN, Pipeline, Run
from minitensor.data.rows import tensors
from minitensor.data.spec import TensorSpec
from minitensor.gfile import GFile
from minitensor.io.records import check, window
from minitensor.strings import words

_MOST = 1 << 28  # bytes of a record; a few kB of packed file can promise any number
_AT_ONCE = 1 << 18


class TFRecordDataset(Dataset):
    """The records of files that a TFRecordWriter wrote, here or in TensorFlow.

    Args:
        filenames: one name, a list of them, or a dataset of names.
        compression_type: None or "", "GZIP", "ZLIB": as the files were written.
        buffer_size, num_parallel_reads, name: ignored.

    Raises:
        ValueError: another compression; while iterating: DataLossError, for a file that is damaged
            or ends inside a record, be it in its first 12 bytes, where TensorFlow sees the end.
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
        bits, names = window("TFRecordDataset", compression_type), filenames
        if not isinstance(filenames, Pipeline):
            found = words("TFRecordDataset", "filenames", filenames)
            names = Dataset.from_tensor_slices(found.ravel())

        def start(run: Run) -> Iterator[Any]:
            files = (_records(tensors(element).numpy(), bits) for element in names._start(run))
            return steps.interleaved(files)

        return Dataset("records", start, lambda: UNKNOWN, lambda: TensorSpec((), string))


def _records(path: bytes, bits: int) -> Iterator[Any]:
    """The records of one file, as text."""
    with GFile(path, "rb") as file:
        stream: Any = _Unpacked(file, bits) if bits else file
        at = 0
        while True:
            try:
                record = _next(stream)
            except (ValueError, zlib.error) as error:
                raise DataLossError(f"{path.decode()}: damaged at {at}: {error}") from None
            if record is None:
                return
            yield of(record)
            at += len(record) + 16


def _next(stream: Readable) -> bytes | None:
    """The next record; None at the end."""
    head = bytes(read_up_to(stream, 12))
    if not head:
        return None
    if len(head) < 12 or check(head[:8]) != head[8:]:
        raise ValueError("no record begins here" if len(head) == 12 else "truncated record")
    size = int.from_bytes(head[:8], "little")
    if size > _MOST:
        raise ValueError(f"a record of {size} bytes, where at most {_MOST} are read")
    body = read_up_to(stream, size + 4)
    if len(body) < size + 4:
        raise ValueError(f"truncated record: {len(body)} bytes, where {size + 4} are promised")
    record = bytes(memoryview(body)[:size])
    if check(record) != body[size:]:
        raise ValueError("corrupted record: its check sum is wrong")
    return record


class _Unpacked:
    """A packed stream, of which no more is unpacked than is asked for."""

    def __init__(self, stream: Any, bits: int) -> None:
        self._stream, self._bits = stream, bits
        self._packer = zlib.decompressobj(bits)
        self._waiting = b""  # packed

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end."""
        while True:
            if self._packer.eof:  # a file may be several packed ones
                self._waiting = self._packer.unused_data or self._waiting
                self._packer = zlib.decompressobj(self._bits)
            self._waiting = self._waiting or self._stream.read(_AT_ONCE)
            if not self._waiting:
                return b""
            found = self._packer.decompress(self._waiting, size)
            self._waiting = self._packer.unconsumed_tail
            if found:
                return found
