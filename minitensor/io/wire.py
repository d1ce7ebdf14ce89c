"""The wire format of protocol buffers, as far as files here need it: numbers and byte strings.

A message is a row of fields. A field is its number and kind, a varint, then its value: a varint,
4 or 8 bytes, or a length and so many bytes. Nothing of a message is believed before it is checked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_FEW = 32  # bytes


def varint(value: int) -> bytes:
    """A number, seven bits to a byte, the lowest first; all bytes but the last have the top bit.

    Example:
        >>> from minitensor.io.wire import varint
        >>> varint(300)
        b'\\xac\\x02'
    """
    value &= 2**64 - 1  # negative ones are written as if they had no sign
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a place, and the place after it; a ValueError if it does not end.

    Example:
        >>> from minitensor.io.wire import read_varint
        >>> read_varint(b"\\xac\\x02rest", 0)
        (300, 2)
    """
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("a number is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), at
    raise ValueError("a number has more than ten bytes")


def varints(data: bytes) -> np.ndarray:
    """Numbers that follow one another until the end, with their signs, (count,) int64.

    Example:
        >>> from minitensor.io.wire import varints
        >>> varints(b"\\xac\\x02\\x01")
        array([300,   1])
    """
    if len(data) <= _FEW:  # one by one is sooner done
        found, at = [], 0
        while at < len(data):
            value, at = read_varint(data, at)
            found.append(value)
        return np.array(found, np.uint64).view(np.int64)
    read = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(read < 128) + 1
    sizes = np.diff(ends, prepend=0)
    if (ends[-1] if ends.size else 0) < read.size:
        raise ValueError("a number is cut off")
    if sizes.size and sizes.max() > 10:
        raise ValueError("a number has more than ten bytes")
    places = np.arange(read.size) - np.repeat(ends - sizes, sizes)  # of a byte in its number
    parts = (read & 127).astype(np.uint64) << (7 * places).astype(np.uint64)
    whole = np.bitwise_or.reduceat(parts, ends - sizes) if ends.size else parts
    return whole.view(np.int64)


def field(number: int, value: int | bytes | str) -> bytes:
    """A field of a message: a number as a varint, a text or message with its length before it.

    Example:
        >>> from minitensor.io.wire import field
        >>> field(1, 5) + field(2, "a")
        b'\\x08\\x05\\x12\\x01a'
    """
    if isinstance(value, int):
        return varint(number << 3 | _VARINT) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | _BYTES) + varint(len(data)) + data


def fixed32(number: int, value: int) -> bytes:
    """A field of four bytes."""
    return varint(number << 3 | _FOUR) + value.to_bytes(4, "little")


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: their numbers and values; a ValueError where it is damaged."""
    at = 0
    while at < len(message):
        tag, at = read_varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = read_varint(message, at)
            yield number, value
            continue
        size = {_EIGHT: 8, _FOUR: 4}.get(kind)
        if kind == _BYTES:
            size, at = read_varint(message, at)
        if size is None or not number:
            raise ValueError(f"no message has a field of number {number} and kind {kind}")
        if size > len(message) - at:
            raise ValueError(f"a field of {size} bytes is cut off")
        part = message[at : at + size]
        at += size
        yield number, part if kind == _BYTES else int.from_bytes(part, "little")


def number(value: int | bytes) -> int:
    """What must be a number, with its sign; a ValueError for bytes."""
    if not isinstance(value, int):
        raise ValueError("a message has bytes where a number is expected")
    return value - 2**64 if value >= 2**63 else value


def data(value: int | bytes) -> bytes:
    """What must be bytes; a ValueError for a number."""
    if isinstance(value, int):
        raise ValueError("a message has a number where bytes are expected")
    return value


def text(value: int | bytes) -> str:
    """What must be a text in UTF-8."""
    return data(value).decode()
