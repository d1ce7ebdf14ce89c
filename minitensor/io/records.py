"""TFRecordWriter: a file of records, byte strings one after the other, each with check sums.

    length (8 bytes)   check sum of these 8 (4 bytes)   the record   its check sum (4 bytes)

The whole file may be packed. Reading: `minitensor.data.records`.
"""

from __future__ import annotations

import zlib
from typing import Any

from minitensor.gfile import GFile
from minitensor.io.crc32c import crc32c, masked
from minitensor.strings import word

WINDOWS = {None: 0, "": 0, "ZLIB": 15, "GZIP": 31}  # how zlib is told what stands around its data


class TFRecordOptions:
    """How a file of records is packed.

    Args:
        compression_type: "" for not at all, "GZIP" or "ZLIB".
        compression_level: 0 to 9, the harder the smaller; default zlib's.
        flush_mode, input_buffer_size, output_buffer_size, window_bits, compression_method,
            mem_level, compression_strategy: ignored.

    Raises:
        ValueError: another compression.

    Source: tf.io.TFRecordOptions
    """

    def __init__(
        self,
        compression_type: str | None = None,
        flush_mode: Any = None,
        input_buffer_size: Any = None,
        output_buffer_size: Any = None,
        window_bits: Any = None,
        compression_level: int | None = None,
        compression_method: Any = None,
        mem_level: Any = None,
        compression_strategy: Any = None,
    ) -> None:
        self.compression_type = compression_type
        self.window = window("TFRecordOptions", compression_type)
        self.compression_level = -1 if compression_level is None else compression_level


def window(what: str, compression_type: Any) -> int:
    """zlib's number for a way of packing, 0 for none."""
    if compression_type not in WINDOWS:
        raise ValueError(
            f"{what}: compression_type {compression_type!r}; legal: None, '', 'GZIP' and 'ZLIB'"
        )
    return WINDOWS[compression_type]


def check(data: bytes) -> bytes:
    """The check sum of bytes, as it stands in the file."""
    return masked(crc32c(data)).to_bytes(4, "little")


class TFRecordWriter:
    """Writes records into a new file; closes it at the end of a `with` block.

    Args:
        path: of the file.
        options: a TFRecordOptions, or its `compression_type`.

    Raises:
        OSError: the file cannot be made.
        ValueError: another compression; writing after `close`.

    Example:
        >>> import minitensor as tf
        >>> import tempfile
        >>> path = tf.io.gfile.join(tempfile.mkdtemp(), "two.tfrecord")
        >>> with tf.io.TFRecordWriter(path) as writer:
        ...     writer.write(b"one")
        ...     writer.write(b"two")
        >>> [record.numpy() for record in tf.data.TFRecordDataset(path)]
        [b'one', b'two']

    Source: tf.io.TFRecordWriter
    """

    _file: Any = None

    def __init__(self, path: Any, options: Any = None) -> None:
        if not isinstance(options, TFRecordOptions):
            options = TFRecordOptions(options)
        level = options.compression_level
        self._packer = zlib.compressobj(level, wbits=options.window) if options.window else None
        self._file = GFile(path, "wb")

    def write(self, record: Any) -> None:
        """Writes bytes, or text as UTF-8."""
        if self._file is None:
            raise ValueError("TFRecordWriter: it is closed")
        data = word("TFRecordWriter.write", "record", record)
        size = len(data).to_bytes(8, "little")
        whole = size + check(size) + data + check(data)
        self._file.write(self._packer.compress(whole) if self._packer else whole)

    def flush(self) -> None:
        """What was written is in the file."""
        if self._packer:
            self._file.write(self._packer.flush(zlib.Z_SYNC_FLUSH))
        self._file.flush()

    def close(self) -> None:
        """Nothing more will come."""
        if self._file is not None:
            if self._packer:
                self._file.write(self._packer.flush())
            self._file.close()
            self._file = None

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *problem: Any) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
