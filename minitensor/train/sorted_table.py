"""A sorted table, the index file of a checkpoint: keys in order, each with a few bytes.

    block ... block, meta index, index of blocks, footer

A block is entries, then where a key begins anew, then 1 byte and 4 of a check sum. An entry is
three numbers, how many bytes of the key before it shares, how many come, how long the value is, and
those bytes. The index of blocks is a block whose values are (offset, size). The footer, 48 bytes,
says where it is. Source: LevelDB's table format, as TensorFlow's tensor bundles have it.
"""

from __future__ import annotations

from collections.abc import Iterator

from minitensor.io.crc32c import crc32c, masked
from minitensor.io.wire import read_varint, varint

_MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
_FOOTER = 48
_BLOCK = 1 << 18  # bytes of entries in a block that is written
_LONGEST_KEY = 1 << 12
_MOST_KEYS = 1 << 19
_KEY_BYTES = 1 << 26  # in all: each may repeat nearly all of the one before it at no cost


def read_table(data: bytes) -> dict[bytes, bytes]:
    """All keys and their values; a ValueError for a file that is damaged, or out of all measure."""
    if len(data) < _FOOTER or data[-8:] != _MAGIC:
        raise ValueError("it is no index of a checkpoint: its last 8 bytes say so")
    footer = data[-_FOOTER:]
    _, at = _handle(footer, 0)
    (offset, size), _ = _handle(footer, at)
    found: dict[bytes, bytes] = {}
    end = room = 0
    for _, where in _entries(_block(data, offset, size)):
        (start, length), _ = _handle(where, 0)
        if start < end:
            raise ValueError("blocks overlap")
        end = start + length
        for key, value in _entries(_block(data, start, length)):
            room += len(key)
            if len(found) >= _MOST_KEYS or room > _KEY_BYTES:
                raise ValueError(f"more than {_MOST_KEYS} keys, or {_KEY_BYTES} bytes of them")
            found[key] = value
    return found


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = read_varint(data, at)
    size, at = read_varint(data, at)
    return (offset, size), at


def _block(data: bytes, offset: int, size: int) -> bytes:
    """A block's entries, checked, without where keys begin anew."""
    if offset + size + 5 > len(data) - _FOOTER:
        raise ValueError(f"a block of {size} bytes at {offset} is outside of the file")
    block, kind = data[offset : offset + size], data[offset + size]
    stored = int.from_bytes(data[offset + size + 1 : offset + size + 5], "little")
    if stored != masked(crc32c(data[offset : offset + size + 1])):
        raise ValueError(f"the check sum of the block at {offset} is wrong")
    if kind:
        raise ValueError("a block is compressed; TensorFlow writes checkpoints without compression")
    restarts = int.from_bytes(block[-4:], "little")
    if size < 4 or restarts * 4 + 4 > size:
        raise ValueError(f"a block of {size} bytes cannot have {restarts} restarts")
    return block[: size - 4 - 4 * restarts]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    key, at = b"", 0
    while at < len(block):
        shared, at = read_varint(block, at)
        fresh, at = read_varint(block, at)
        size, at = read_varint(block, at)
        if shared > len(key) or shared + fresh > _LONGEST_KEY or at + fresh + size > len(block):
            raise ValueError("an entry has a key or a value that is cut off, or too long a key")
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + size]
        at += size


def table(entries: dict[bytes, bytes]) -> bytes:
    """The file that holds these entries; every key is written out whole."""
    out, where = b"", []
    for keys in _filled(entries):
        block = _sealed([(key, entries[key]) for key in keys])
        where.append((keys[-1], varint(len(out)) + varint(len(block) - 5)))
        out += block
    meta, index = _sealed([]), _sealed(where)
    handles = varint(len(out)) + varint(len(meta) - 5)
    handles += varint(len(out) + len(meta)) + varint(len(index) - 5)
    return out + meta + index + handles.ljust(_FOOTER - 8, b"\0") + _MAGIC


def _filled(entries: dict[bytes, bytes]) -> Iterator[list[bytes]]:
    """The keys in order, as many at a time as a block holds."""
    keys: list[bytes] = []
    room = 0
    for key in sorted(entries):
        keys.append(key)
        room += len(key) + len(entries[key])
        if room > _BLOCK:
            yield keys
            keys, room = [], 0
    if keys:
        yield keys


def _sealed(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A block with its check sum."""
    out, starts = b"", []
    for key, value in entries:
        starts.append(len(out).to_bytes(4, "little"))
        out += b"\0" + varint(len(key)) + varint(len(value)) + key + value
    starts = starts or [bytes(4)]
    out += b"".join(starts) + len(starts).to_bytes(4, "little") + b"\0"
    return out + masked(crc32c(out)).to_bytes(4, "little")
