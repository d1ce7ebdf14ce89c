"""CRC-32C, the check sum of checkpoints and records: what is left by division over GF(2).

Bytes are the coefficients, lowest bit first, and Castagnoli's polynomial divides:

    crc(data) = (data x^32 + (2^32 - 1) x^(8n)) mod P, all bits turned over

Plus is exclusive or. So the sum of a piece is that of what each byte adds where it stands, and the
sums of pieces are joined two by two: crc(a then b) = crc(a) moved over the length of b + crc(b).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, its bits turned over
_PIECE = 512  # bytes
_AT_ONCE = 1 << 24  # bytes
_MASK = 0xA282EAD8


@functools.cache
def _table() -> Any:
    """What one byte adds: table[b] = b x^32 mod P."""
    entries = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        entries = np.where(entries & 1, entries >> 1 ^ np.uint32(_POLYNOMIAL), entries >> 1)
    return entries


@functools.lru_cache(maxsize=1024)
def _moved(size: int) -> Any:
    """Four tables, (4, 256): what each byte of a sum becomes when `size` zeros come after it."""
    if size == 1:
        bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
        basis = _table()[bits & 255] ^ bits >> 8
    else:
        half = _move(np.uint32(1) << np.arange(32, dtype=np.uint32), size // 2)
        basis = _move(half, size - size // 2)
    bytes_ = np.arange(256, dtype=np.uint32)
    tables = np.zeros((4, 256), np.uint32)
    for bit in range(32):
        tables[bit // 8] ^= np.where(bytes_ >> (bit % 8) & 1, basis[bit], 0).astype(np.uint32)
    return tables


def _move(sums: Any, size: int) -> Any:
    t = _moved(size)
    return t[0][sums & 255] ^ t[1][sums >> 8 & 255] ^ t[2][sums >> 16 & 255] ^ t[3][sums >> 24]


def crc32c(data: Any, before: int = 0) -> int:
    """The check sum of bytes, or of those after others whose sum is `before`.

    Example:
        >>> from minitensor.io.crc32c import crc32c
        >>> hex(crc32c(b"123456789")), crc32c(b"6789", crc32c(b"12345")) == crc32c(b"123456789")
        ('0xe3069283', True)
    """
    array, state = np.frombuffer(data, np.uint8), np.uint32(before ^ 0xFFFFFFFF)
    for start in range(0, array.size, _AT_ONCE):
        state = _after(state, array[start : start + _AT_ONCE])
    return int(state) ^ 0xFFFFFFFF


def _after(state: Any, array: Any) -> Any:
    if array.size < 4:
        for byte in array:
            state = _table()[(state ^ byte) & 255] ^ state >> 8
        return state
    pieces = np.zeros((-(-array.size // _PIECE), _PIECE), np.uint8)  # zeros in front add nothing
    row = pieces.reshape(-1)[-array.size :]
    row[:] = array
    row[:4] ^= state.astype("<u4").reshape(1).view(np.uint8)
    sums = np.bitwise_xor.reduce(_added()[np.arange(_PIECE), pieces], axis=1)  # (pieces,)
    return _joined(sums, _PIECE)


@functools.cache
def _added() -> Any:
    """What a byte adds, by its place in a piece: (_PIECE, 256)."""
    rows = [_table()]
    for _ in range(_PIECE - 1):
        rows.append(_table()[rows[-1] & 255] ^ rows[-1] >> 8)
    return np.stack(rows[::-1])


def _joined(sums: Any, size: int) -> Any:
    """The sum of pieces that follow one another, from the sum of each; they have one size."""
    while len(sums) > 1:
        if len(sums) % 2:  # a piece of zeros in front, whose sum is 0, changes nothing
            sums = np.concatenate([np.zeros(1, np.uint32), sums])
        sums = _move(sums[::2], size) ^ sums[1::2]
        size *= 2
    return sums[0]


def masked(crc: int) -> int:
    """As it is stored: turned by 15 bits, plus a constant, so that sums of sums are not special."""
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + _MASK) & 0xFFFFFFFF
