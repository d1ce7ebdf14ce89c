"""Reading untrusted files: never more than so many bytes, whatever a header promises.

A small file can unpack to terabytes, and a header can promise any size. So bytes are read in
chunks, up to what is expected and never beyond MOST.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

MOST = 1 << 29  # bytes; the largest real file, CIFAR's, unpacks to 186 MB
_CHUNK = 1 << 20


class Readable(Protocol):
    """What bytes come from."""

    def read(self, size: int, /) -> bytes: ...


def read_up_to(stream: Readable, count: int) -> bytearray:
    """At most `count` bytes, in chunks: a header that lies does not reserve memory."""
    body = bytearray()
    while len(body) < count and (chunk := stream.read(min(_CHUNK, count - len(body)))):
        body += chunk
    return body


def read_whole(file: Path) -> bytes:
    """A file's bytes; more than MOST are a ValueError."""
    with file.open("rb") as stream:
        body = read_up_to(stream, MOST + 1)
    if len(body) > MOST:
        raise ValueError(f"{file}: larger than {MOST} bytes, which no data set read here is")
    return bytes(body)


class Counted:
    """A stream that ends with an error after MOST bytes."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._left = stream, MOST

    def read(self, size: int) -> bytes:
        """Up to `size` bytes."""
        found = self._stream.read(min(size, self._left + 1))
        self._left -= len(found)
        if self._left < 0:
            raise ValueError(f"unpacks to more than {MOST} bytes, which no data set read here does")
        return found


@contextmanager
def unpacked(file: Path) -> Iterator[Any]:
    """The stream of a file, unpacked if it is packed by gzip, which content tells and not the name.

    What is damaged or cut short is a ValueError that names the file.
    """
    with file.open("rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        try:
            with gzip.open(plain) if packed else plain as stream:
                yield stream
        except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
            raise ValueError(f"{file}: damaged or cut short gzip file ({problem})") from None
