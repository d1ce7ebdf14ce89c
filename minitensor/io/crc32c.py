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
_AT_ONCE = 1 << 24  # bytes; larger ones take more memory than is worth it
_MASK = 0xA282EAD8
_SMALL = 256  # bytes
_LARGE = 1 << 14  # bytes from which a part is as fast by itself


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
    if len(data) < _SMALL:  # one by one is sooner done
        table, here = _numbers(), before ^ 0xFFFFFFFF
        for byte in bytes(data):
            here = table[(here ^ byte) & 255] ^ here >> 8
        return here ^ 0xFFFFFFFF
    array = np.frombuffer(data, np.uint8)
    if array.size > _AT_ONCE:
        return crc32c(array[_AT_ONCE:], crc32c(array[:_AT_ONCE], before))
    return int(_after(np.uint32(before ^ 0xFFFFFFFF), array)) ^ 0xFFFFFFFF


@functools.cache
def _numbers() -> list[int]:
    numbers: list[int] = _table().tolist()
    return numbers


def _after(state: Any, array: Any) -> Any:
    """The sum after at least four bytes."""
    pieces = np.zeros((-(-array.size // _PIECE), _PIECE), np.uint8)  # zeros in front add nothing
    row = pieces.reshape(-1)[-array.size :]
    row[:] = array
    row[:4] ^= state.astype("<u4").reshape(1).view(np.uint8)
    sums = np.bitwise_xor.reduce(_added()[np.arange(_PIECE), pieces], axis=1)  # (pieces,)
    return _joined(sums, _PIECE)


def crc32c_each(array: Any, starts: Any, sizes: Any) -> Any:
    """The check sums of many parts of one array of bytes, (n,) uint32.

    Example:
        >>> import numpy as np
        >>> from minitensor.io.crc32c import crc32c, crc32c_each
        >>> data = np.frombuffer(b"abc123456789", np.uint8)
        >>> crc32c_each(data, np.array([3, 0]), np.array([9, 3])).tolist() == [
        ...     crc32c(b"123456789"), crc32c(b"abc")
        ... ]
        True
    """
    found = np.zeros(len(starts), np.uint32)
    alone = (sizes < 4) | (sizes > _LARGE)
    for k in np.flatnonzero(alone):
        found[k] = crc32c(array[starts[k] : starts[k] + sizes[k]])
    few = np.flatnonzero(~alone)
    if few.size:
        found[few] = _together(array, starts[few], sizes[few])
    return found


def _together(array: Any, starts: Any, sizes: Any) -> Any:
    """The same of parts that are neither tiny nor large."""
    ends = np.cumsum(sizes)
    places = np.arange(ends[-1])  # of the bytes, part behind part
    left = np.repeat(ends, sizes) - 1 - places  # how many bytes of its part come after a byte
    data = array[np.repeat(starts - ends + sizes, sizes) + places]
    for k in range(4):
        data[ends - sizes + k] ^= 0xFF
    row = _PIECE - 1 - left % _PIECE
    begins = np.flatnonzero((row == 0) | (places == np.repeat(ends - sizes, sizes)))
    sums = np.bitwise_xor.reduceat(_added().ravel()[row << 8 | data], begins)
    pieces = -(-sizes // _PIECE)
    first = np.cumsum(pieces) - pieces
    state = sums[first]
    for k in range(1, int(pieces.max())):
        more = np.flatnonzero(pieces > k)
        state[more] = _move(state[more], _PIECE) ^ sums[first[more] + k]
    return state ^ np.uint32(0xFFFFFFFF)


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


def masked(crc: Any) -> Any:
    """As it is stored: turned by 15 bits, plus a constant, so that sums of sums are not special.

    Args:
        crc: one, or an array of them.
    """
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + _MASK) & 0xFFFFFFFF
