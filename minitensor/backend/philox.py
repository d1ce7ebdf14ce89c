"""Philox 4x32-10: random bits as a function of a key and a counter, and numbers made of them.

A counter of 128 bits goes through ten rounds of multiplications under a key of 64 bits and becomes
four words of 32 bits: a block. Block n of a stream is that of counter + n, so that every number of
it can be computed alone. Bits and uniform numbers are TensorFlow's to the last bit; a logarithm or
a sine may round a normal number's last bit otherwise: one number in fifty.

Source: Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, 2011
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

_FACTORS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_STEPS = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)  # from one round's key to the next one's
_SCRAMBLE = 0x02461E293EC8F720  # the key under which a seed becomes a key and a counter
_MOST, _WORD = (1 << 64) - 1, (1 << 32) - 1
_RESERVED = 256  # words of the stream for each truncated number
_SMALLEST = 1e-7  # uniform number whose logarithm is taken


class Stream(NamedTuple):
    """Where numbers come from: a key of 64 bits, and the counter of the first block, 128 bits."""

    key: int
    counter: int = 0


def seeded(first: int, second: int) -> Stream:
    """The stream of a seed of two integers, scrambled so that near seeds are far apart."""
    mixed = words(Stream(_SCRAMBLE, first & _MOST | (second & _MOST) << 64), 4)
    low, high, *upper = (int(word) for word in mixed)
    return Stream(low | high << 32, upper[0] << 64 | upper[1] << 96)


def words(stream: Stream, count: int, skip: Any = 0) -> Any:
    """(..., count) uint32, from the block `skip` on; where that is an array, for each of its."""
    blocks = np.arange(-(-count // 4), dtype=np.uint64)
    offset = np.asarray(skip, np.uint64)[..., np.newaxis] + blocks  # (..., blocks)
    low = np.uint64(stream.counter & _MOST) + offset
    high = np.uint64(stream.counter >> 64 & _MOST) + (low < offset)  # with the carry
    shift, mask = np.uint64(32), np.uint64(_WORD)
    counter = [part.astype(np.uint32) for n in (low, high) for part in (n & mask, n >> shift)]
    key = np.array([stream.key & _WORD, stream.key >> 32 & _WORD], np.uint32)
    for _ in range(10):
        first, second = (counter[2 * i] * _FACTORS[i] for i in (0, 1))  # 64 bits
        counter = [
            (second >> shift).astype(np.uint32) ^ counter[1] ^ key[0],
            second.astype(np.uint32),
            (first >> shift).astype(np.uint32) ^ counter[3] ^ key[1],
            first.astype(np.uint32),
        ]
        key = key + _STEPS
    return np.stack(counter, -1).reshape(*offset.shape[:-1], -1)[..., :count]


def integers(stream: Stream, shape: tuple[int, ...], kind: Any) -> Any:
    """All values of a type of 32 or 64 bits, equally likely."""
    count, kind = _count(shape), np.dtype(kind)
    return words(stream, count * kind.itemsize // 4).view(kind).reshape(shape)


def integers_between(stream: Stream, shape: tuple[int, ...], low: int, high: int, kind: Any) -> Any:
    """Integers from `low` on and below `high`: the remainders of all values, nearly even."""
    bits = np.dtype(f"u{np.dtype(kind).itemsize}")
    offset = integers(stream, shape, bits) % bits.type(high - low)
    return (offset + np.array(low).astype(kind).astype(bits)).astype(kind)


def uniform(stream: Stream, shape: tuple[int, ...], kind: Any) -> Any:
    """Floats from 0 on and below 1, of as many bits as the type has."""
    count, kind = _count(shape), np.dtype(kind)
    drawn = words(stream, count * max(kind.itemsize // 4, 1))
    if kind.itemsize == 2:
        bits = 10 if kind.kind == "f" else 7
        return ((drawn & ((1 << bits) - 1)) / 2.0**bits).astype(kind).reshape(shape)
    return _fractions(drawn, kind).reshape(shape)


def normal(stream: Stream, shape: tuple[int, ...], kind: Any) -> Any:
    """Standard normal numbers, two from each two uniform ones (Box and Muller)."""
    count, wide = _count(shape), _wide(kind)
    drawn = words(stream, (count + count % 2) * wide.itemsize // 4)
    return _box_muller(drawn, wide)[:count].reshape(shape).astype(kind)


def truncated_normal(stream: Stream, shape: tuple[int, ...], kind: Any) -> Any:
    """Standard normal numbers between -2 and 2: what lies outside is drawn again.

    Each group of as many numbers as a block holds has a piece of the stream for itself.
    """
    count, wide = _count(shape), _wide(kind)
    group = 16 // wide.itemsize
    groups = -(-count // group)
    skip = np.arange(groups, dtype=np.uint64) * np.uint64(group * _RESERVED // 4)
    found = np.zeros((groups, group), wide)
    blocks, open_groups = 4, np.arange(groups)
    while len(open_groups):  # 4 blocks do for nearly all
        drawn = _box_muller(words(stream, 4 * blocks, skip[open_groups]), wide)
        inside = np.abs(drawn) < 2
        found[open_groups] = np.take_along_axis(drawn, np.argsort(~inside, -1, "stable"), -1)[
            :, :group
        ]
        open_groups = open_groups[inside.sum(-1) < group]
        blocks *= 2
    return found.ravel()[:count].reshape(shape).astype(kind)


def permutation(stream: Stream, count: int) -> Any:
    """0 ... count - 1 in another order: each place swaps with one that comes after it."""
    order = np.arange(count)
    drawn = words(stream, max(count - 1, 0)) % np.arange(count, 1, -1)
    for place, further in enumerate(drawn.tolist()):
        other = place + further
        order[place], order[other] = order[other], order[place]
    return order


def _fractions(drawn: np.ndarray, kind: Any) -> Any:
    """The mantissas of floats from 1 to 2, less 1."""
    if kind == np.float64:
        upper = (drawn[..., 0::2] & np.uint32(0xFFFFF)).astype(np.uint64)
        mantissa = upper << np.uint64(32) | drawn[..., 1::2]
        return (mantissa | np.uint64(1023 << 52)).view(np.float64) - 1
    return (drawn & np.uint32(0x7FFFFF) | np.uint32(127 << 23)).view(np.float32) - np.float32(1)


def _box_muller(drawn: np.ndarray, kind: Any) -> Any:
    """sqrt(-2 log u) sin(2 pi v) and the same with cos, for u, v of each two uniform numbers.

    float32 is computed in float64 and rounded where TensorFlow rounds: the C library's functions
    are nearly that exact, NumPy's are not.
    """
    pairs = _fractions(drawn, kind)
    u = np.maximum(pairs[..., 0::2], kind.type(_SMALLEST))
    angle = (2 * np.pi * pairs[..., 1::2].astype(np.float64)).astype(kind).astype(np.float64)
    logs = np.log(u.astype(np.float64)).astype(kind)
    radius = np.sqrt(kind.type(-2) * logs)
    both = np.stack([np.sin(angle), np.cos(angle)], -1).astype(kind) * radius[..., np.newaxis]
    return both.reshape(*drawn.shape[:-1], -1)


def _wide(kind: Any) -> np.dtype:
    """The type that normal numbers are computed in: half precision comes from float32."""
    return np.dtype(np.float64 if np.dtype(kind) == np.float64 else np.float32)


def _count(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))
