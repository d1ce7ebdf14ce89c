"""The lists of many examples at once: the part of tf.io.parse_example that costs time.

Examples of one length that one program wrote differ in few bytes: names, tags and lengths are
equal, and stand at equal places. So they are compared there with the first of them, all together,
and their values are columns of one matrix. Others are followed byte by byte; those that are packed
in a way that no writer uses go through `minitensor.io.examples`, which reads everything.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minitensor.io.examples import KINDS, features_in, values_in
from minitensor.io.wire import read_varint, varints

_NUMBERS: dict[str | None, int] = {None: 0} | KINDS
_TYPES = {1: np.dtype(object), 2: np.dtype("<f4"), 3: np.dtype(np.int64)}
_FEW = 8  # examples that are not worth a matrix
_TRIES = 4  # layouts that are tried for one length
_Layout = dict[bytes, tuple[int, list[tuple[int, int]]]]


class Lists(NamedTuple):
    """One feature of n examples.

    Attributes:
        kinds: (n,) 0 where it is not there, else as in `KINDS`.
        counts: (n,) how many values each has; 0 where it is of another kind than is wanted.
        values: those of all, one after the other.
    """

    kinds: np.ndarray
    counts: np.ndarray
    values: np.ndarray


def lists_in(examples: list[bytes], wanted: dict[str, int]) -> dict[str, Lists]:
    """The lists of some names, each of a kind, in examples.

    Raises:
        ValueError: one is damaged; says which.

    Example:
        >>> import minitensor as tf
        >>> from minitensor.io.layouts import lists_in
        >>> label = tf.train.Feature(int64_list=tf.train.Int64List(value=[3, 300]))
        >>> example = tf.train.Example(features=tf.train.Features(feature={"label": label}))
        >>> lists_in([example.SerializeToString()] * 2, {"label": 3})["label"].values
        array([  3, 300,   3, 300])
    """
    columns = [_Column(name, kind, len(examples)) for name, kind in wanted.items()]
    sizes = np.fromiter(map(len, examples), np.int64, len(examples))
    order = np.argsort(sizes, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(sizes[order])) + 1)
    rest = np.concatenate([_alike(examples, group, columns) for group in groups])
    for k in np.sort(rest).tolist():
        _follow(examples[k], k, columns)
    return {column.name: column.lists() for column in columns}


def lists_of(example: bytes, wanted: dict[str, int]) -> dict[str, tuple[int, Any]]:
    """The same of one example: for each name its kind and values, none if it is another kind.

    Raises:
        ValueError: it is damaged.
    """
    layout = layout_of(example)
    if layout is None:
        features = features_in(example)
        read = {name: values_in(features.get(name, b"")) for name in wanted}
        return {name: (_NUMBERS[kind], values) for name, (kind, values) in read.items()}
    return {name: _values(example, layout, name.encode(), kind) for name, kind in wanted.items()}


def _values(example: bytes, layout: _Layout, name: bytes, wanted: int) -> tuple[int, Any]:
    kind, spans = layout.get(name, (0, []))
    if kind != wanted:
        return kind, []
    parts = [example[start:stop] for start, stop in spans]
    if kind == 1:
        return kind, parts
    joined = parts[0] if parts else b""
    return kind, np.frombuffer(joined, "<f4") if kind == 2 else varints(joined)


def _alike(examples: list[bytes], members: np.ndarray, columns: list[_Column]) -> np.ndarray:
    """Reads those of one length that are laid out alike, and gives the others."""
    for _ in range(_TRIES):
        first = examples[members[0]] if members.size >= _FEW else b""
        layout = layout_of(first)
        if not layout or not _numbers_end(first, layout):
            break
        joined = b"".join([examples[k] for k in members])
        matrix = np.frombuffer(joined, np.uint8).reshape(members.size, -1)
        mask = _mask(len(first), layout)
        places = np.flatnonzero(mask)
        same = ((matrix[:, places] ^ matrix[0, places]) & mask[places] == 0).all(axis=1)
        alike = matrix if same.all() else matrix[same]
        for column in columns:
            column.take(members[same], alike, layout)
        members = members[~same]
    return members


def _numbers_end(example: bytes, layout: _Layout) -> bool:
    """Whether all numbers are whole: where they end in others is compared, and no more."""
    try:
        for kind, spans in layout.values():
            for start, stop in spans if kind == 3 else ():
                varints(example[start:stop])
    except ValueError:
        return False
    return True


def _mask(size: int, layout: _Layout) -> np.ndarray:
    """The bits that say what an example looks like: all but those of values, (size,)."""
    mask = np.full(size, 0xFF, np.uint8)
    for kind, spans in layout.values():
        for start, stop in spans:
            mask[start:stop] = 0x80 if kind == 3 else 0  # the top bit tells where a number ends
    return mask


def _follow(example: bytes, number: int, columns: list[_Column]) -> None:
    """Reads one example by itself."""
    try:
        found = lists_of(example, {column.name: column.kind for column in columns})
    except ValueError as error:
        raise ValueError(f"index: {number}: {error}") from None
    for column in columns:
        column.put(number, *found[column.name])


class _Column:
    """One feature of all examples, while they are read."""

    def __init__(self, name: str, kind: int, count: int) -> None:
        self.name, self._key, self.kind = name, name.encode(), kind
        self._kinds, self._counts = np.zeros(count, np.int8), np.zeros(count, np.int64)
        self._parts: list[tuple[Any, Any]] = []  # (numbers of examples, their values)

    def take(self, members: np.ndarray, matrix: np.ndarray, layout: _Layout) -> None:
        """The values of examples that are rows of a matrix."""
        kind, spans = layout.get(self._key, (0, []))
        self._kinds[members] = kind
        if kind != self.kind or not spans:
            return
        (start, stop), count = spans[0], len(spans)
        if kind == 1:
            cut = [[row[a:b].tobytes() for a, b in spans] for row in matrix]
            values: Any = _objects([value for row in cut for value in row])
        elif kind == 2:
            values = np.ascontiguousarray(matrix[:, start:stop]).view("<f4")
            count = values.shape[1]
        else:
            values = _numbers(matrix[:, start:stop])
            count = values.shape[1]
        self._counts[members] = count
        self._parts.append((members, values.ravel()))

    def put(self, number: int, kind: int, values: Any) -> None:
        """The values of one example."""
        self._kinds[number] = kind
        if kind == self.kind:
            self._counts[number] = len(values)
            self._parts.append(([number], _objects(values) if kind == 1 else values))

    def lists(self) -> Lists:
        """What was read, in the order of the examples."""
        numbers = np.concatenate([[], *(part for part, _ in self._parts)]).astype(np.int64)
        given = np.concatenate([np.empty(0, _TYPES[self.kind]), *(v for _, v in self._parts)])
        counts = self._counts[numbers]
        firsts = np.cumsum(self._counts) - self._counts
        places = np.repeat(firsts[numbers] - np.cumsum(counts) + counts, counts)
        values = np.empty(given.size, _TYPES[self.kind])
        values[places + np.arange(given.size)] = given
        return Lists(self._kinds, self._counts, values)


def _objects(values: list[bytes]) -> np.ndarray:
    found = np.empty(len(values), object)
    found[:] = values
    return found


def _numbers(rows: np.ndarray) -> np.ndarray:
    """Rows of varints, whose lengths are those of the first row, (rows, count) int64."""
    ends = np.flatnonzero(rows[0] < 128) + 1
    begins = np.concatenate([[0], ends[:-1]])
    shifts = 7 * (np.arange(rows.shape[1]) - np.repeat(begins, ends - begins))
    parts = (rows & 127).astype(np.uint64) << shifts.astype(np.uint64)
    whole = np.bitwise_or.reduceat(parts, begins, axis=1)
    return whole.view(np.int64)


# ----- one example -----


def layout_of(example: bytes) -> _Layout | None:
    """For each name its kind and where the values lie: spans of the bytes.

    Texts have a span each, numbers one for all. None if it is damaged, or packed unusually.
    """
    try:
        return _laid_out(example)
    except (IndexError, ValueError):
        return None


def _laid_out(data: bytes) -> _Layout:
    found: _Layout = {}
    if not data:
        return found
    at, end = _whole(data, 0, 0x0A, len(data))
    while at < end:
        at, entry = _inside(data, at, 0x0A, end)
        start, stop = _inside(data, at, 0x0A, entry)
        name = data[start:stop]
        at, at_last = _whole(data, stop, 0x12, entry)
        if name in found or not name.isascii():
            raise ValueError("two of one name, or one whose letters are to be checked")
        found[name] = _list(data, at, at_last)
        at = at_last
    return found


def _list(data: bytes, at: int, end: int) -> tuple[int, list[tuple[int, int]]]:
    if at == end:
        return 0, []
    kind = data[at] >> 3
    if kind not in _TYPES:
        raise ValueError("an unknown kind")
    at, _ = _whole(data, at, kind << 3 | 2, end)
    if kind == 1:
        spans = []
        while at < end:
            span = _inside(data, at, 0x0A, end)
            spans.append(span)
            at = span[1]
        return kind, spans
    if at == end:
        return kind, []
    start, _ = _whole(data, at, 0x0A, end)
    if kind == 2 and (end - start) % 4:
        raise ValueError("a float is cut off")
    return kind, [(start, end)] if start < end else []


def _inside(data: bytes, at: int, tag: int, end: int) -> tuple[int, int]:
    """Where the content of a field begins and ends."""
    if data[at] != tag:
        raise ValueError("another field is expected")
    size = data[at + 1]
    at += 2
    if size > 127:
        size, at = read_varint(data, at - 1)
    if size > end - at:
        raise ValueError("a field is cut off")
    return at, at + size


def _whole(data: bytes, at: int, tag: int, end: int) -> tuple[int, int]:
    """The same, of the last field there."""
    span = _inside(data, at, tag, end)
    if span[1] != end:
        raise ValueError("something follows")
    return span
