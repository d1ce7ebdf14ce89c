"""tf.train.Example in its bytes, protocol buffers: names, and for each a list of one kind.

    Example   1: Features
    Features  1: (1: name, 2: Feature), one for each name
    Feature   1: BytesList, 2: FloatList or 3: Int64List; in each of these 1: the values

    SequenceExample  1: Features, of the whole; 2: FeatureLists
    FeatureLists     1: (1: name, 2: FeatureList), one for each name
    FeatureList      1: Feature, one for each step

What is damaged is a ValueError. Objects for people: `minitensor.train.example`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minitensor.io import wire

KINDS = {"bytes_list": 1, "float_list": 2, "int64_list": 3}
_NAMES = {number: kind for kind, number in KINDS.items()}


def packed(kind: str, values: Sequence[Any]) -> bytes:
    """A list of bytes, of floats or of integers as a message."""
    if kind == "bytes_list":
        return b"".join(wire.field(1, value) for value in values)
    if not len(values):
        return b""
    if kind == "float_list":
        return wire.field(1, np.asarray(values, "<f4").tobytes())
    return wire.field(1, b"".join(map(wire.varint, values)))


def values_in(feature: bytes) -> tuple[str | None, Any]:
    """The kind of a Feature and its values; (None, ()) if nothing is in it.

    Example:
        >>> from minitensor.io import wire
        >>> from minitensor.io.examples import packed, values_in
        >>> values_in(wire.field(3, packed("int64_list", [1, -2, 300])))
        ('int64_list', array([  1,  -2, 300]))
    """
    found = [(number, wire.data(value)) for number, value in wire.fields(feature)]
    lists = [(_NAMES[number], message) for number, message in found if number in _NAMES]
    if not lists:
        return None, ()
    kind = lists[-1][0]  # of several kinds the last counts; lists of one kind are one list
    return kind, unpacked(kind, b"".join(message for name, message in lists if name == kind))


def unpacked(kind: str, message: bytes) -> Any:
    """The values of a list: bytes in a list, or numbers in an array."""
    values = [value for number, value in wire.fields(message) if number == 1]
    if kind == "bytes_list":
        return [wire.data(value) for value in values]
    if kind == "float_list":  # together in bytes, or each in a field of four
        parts = (v.to_bytes(4, "little") if isinstance(v, int) else v for v in values)
        return np.frombuffer(b"".join(parts), "<f4").astype(np.float32)
    return wire.varints(b"".join(wire.varint(v) if isinstance(v, int) else v for v in values))


def features_in(example: bytes) -> dict[str, bytes]:
    """The Feature of each name in an Example."""
    return named(b"".join(wire.data(v) for n, v in wire.fields(example) if n == 1))


def parts_in(sequence: bytes) -> tuple[bytes, bytes]:
    """The Features and the FeatureLists of a SequenceExample."""
    found = [(number, wire.data(value)) for number, value in wire.fields(sequence) if number < 3]
    context, lists = (b"".join(v for n, v in found if n == part) for part in (1, 2))
    return context, lists


def steps_in(feature_list: bytes) -> list[bytes]:
    """The Features of a FeatureList."""
    return [wire.data(value) for number, value in wire.fields(feature_list) if number == 1]


def named(features: bytes) -> dict[str, bytes]:
    """The Feature of each name in Features; of two with one name the last."""
    found = {}
    for number, entry in wire.fields(features):
        if number == 1:
            parts = dict(wire.fields(wire.data(entry)))
            found[wire.text(parts.get(1, b""))] = wire.data(parts.get(2, b""))
    return found


def joined(features: Iterable[tuple[str, bytes]]) -> bytes:
    """Features of names and the Feature of each."""
    entries = (wire.field(1, name) + wire.field(2, feature) for name, feature in features)
    return b"".join(wire.field(1, entry) for entry in entries)
