"""Fetching a file: its checksum is compared before it takes its name.

So a file of the right name is always whole. A bar shows the progress where tqdm is installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from minitensor.files import atomic_write

_CHUNK = 1 << 16
_PATIENCE = 30  # seconds without an answer


@dataclass(frozen=True)
class Remote:
    """A file on the net."""

    url: str
    digest: str  # its SHA-256 or, of 32 digits, its MD5; empty if nobody knows
    name: str  # what it is called here


def download(remote: Remote, target: Path) -> None:
    """Fetches a file to `target`.

    Raises:
        OSError: there is no network, no such file, or no room.
        ValueError: what came is cut short or has another checksum; nothing is kept of it.
    """
    from urllib.request import urlopen

    if not remote.url.startswith(("http://", "https://", "file://")):
        raise ValueError(f"{remote.url}: only http, https and file are fetched")
    target.parent.mkdir(parents=True, exist_ok=True)
    with urlopen(remote.url, timeout=_PATIENCE) as answer, atomic_write(target) as fresh:
        with fresh.open("wb") as file:
            found = _copied(answer, file, remote)
        if remote.digest and found != remote.digest:
            raise ValueError(
                f"{remote.url}: what came has the checksum {found}, but the official file has "
                f"{remote.digest}; it was damaged on the way or changed. Nothing was kept"
            )


def _copied(answer: Any, file: BinaryIO, remote: Remote) -> str:
    """Copies all bytes; returns their checksum."""
    from http.client import HTTPException

    size = int(answer.headers.get("Content-Length") or 0)
    digest, count = hashlib.new(_algorithm(remote.digest)), 0
    with _bar(remote.name, size) as advance:
        try:
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                digest.update(chunk)
                count += len(chunk)
                advance(len(chunk))
        except HTTPException as problem:
            raise OSError(f"{remote.url}: the connection broke: {problem!r}") from None
    if size and count != size:
        raise ValueError(f"{remote.url}: the connection ended after {count} of {size} bytes")
    return digest.hexdigest()


def is_whole(file: Path, digest: str) -> bool:
    """Whether the file is here, and has its checksum if one is known."""
    if not digest or not file.is_file():
        return file.is_file()
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, _algorithm(digest)).hexdigest() == digest


def _algorithm(digest: str) -> str:
    return "md5" if len(digest) == 32 else "sha256"


@contextmanager
def _bar(name: str, size: int) -> Iterator[Any]:
    """A function that is told how many bytes more have come."""
    if find_spec("tqdm") is None:
        yield lambda count: None
        return
    from tqdm import tqdm

    with tqdm(total=size or None, unit="B", unit_scale=True, desc=name) as bar:
        yield bar.update
