"""A tensor bundle: the two files of a checkpoint, NAME.index and NAME.data-00000-of-00001.

The index says of each tensor its type, its shape, and which bytes of the data are its own, with
their check sum. A text lies there as its length, a check sum of that, and its bytes. What the index
says is checked before memory is taken; a tensor is read when it is asked for.

Source: TensorFlow, core/util/tensor_bundle, core/protobuf/tensor_bundle.proto
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minitensor.backend.errors import DataLossError, NotFoundError
from minitensor.dtypes import as_dtype
from minitensor.files import atomic_write
from minitensor.io import wire
from minitensor.io.crc32c import crc32c, masked
from minitensor.train.sorted_table import read_table, table

STRING = 7  # TensorFlow's number of the type of texts
_TYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    17: "uint16",
    19: "float16",
    22: "uint32",
    23: "uint64",
}
_NUMBERS = {name: number for number, name in _TYPES.items()}
_LARGEST_INDEX = 1 << 27  # bytes
_LARGEST_TEXT = 1 << 26


@dataclass
class Entry:
    """What the index says of one tensor."""

    kind: int = 0
    shape: tuple[int, ...] = ()
    shard: int = 0
    offset: int = 0
    size: int = 0  # bytes
    check: int = 0
    sliced: bool = False

    @classmethod
    def read(cls, message: bytes) -> Entry:
        """From a BundleEntryProto."""
        entry = cls()
        names = {1: "kind", 3: "shard", 4: "offset", 5: "size", 6: "check"}
        for number, value in wire.fields(message):
            if number == 2:
                entry.shape = _shape(wire.data(value))
            elif number in names:
                setattr(entry, names[number], wire.number(value))
            elif number == 7:
                entry.sliced = True
        if min(entry.shard, entry.offset, entry.size) < 0:
            raise ValueError("a size or a place is negative")
        return entry

    def written(self) -> bytes:
        """As a BundleEntryProto."""
        dims = b"".join(wire.field(2, wire.field(1, size)) for size in self.shape)
        place = wire.field(4, self.offset) + wire.field(5, self.size)
        return wire.field(1, self.kind) + wire.field(2, dims) + place + wire.fixed32(6, self.check)


def _shape(message: bytes) -> tuple[int, ...]:
    """From a TensorShapeProto."""
    sizes = []
    for number, dim in wire.fields(message):
        if number == 2:
            size = [wire.number(v) for n, v in wire.fields(wire.data(dim)) if n == 1]
            sizes.append(size[0] if size else 0)
    if len(sizes) > 254 or min(sizes, default=0) < 0:
        raise ValueError(f"no tensor has the shape {sizes[:9]}")
    return tuple(sizes)


class Bundle:
    """The tensors of a checkpoint, by name.

    Args:
        prefix: the path without ".index".

    Raises:
        NotFoundError: there are no such files.
        DataLossError: they are damaged.
    """

    def __init__(self, prefix: Any) -> None:
        self.prefix = os.fsdecode(prefix)
        path = Path(self.prefix + ".index")
        if not path.is_file():
            raise NotFoundError(
                f"There is no checkpoint {self.prefix}: no file {path}. Give the path without "
                "'.index' or '.data-00000-of-00001'"
            )
        if path.stat().st_size > _LARGEST_INDEX:
            raise DataLossError(f"{path}: an index of more than {_LARGEST_INDEX} bytes is refused")
        try:
            raw = read_table(path.read_bytes())
            self.shards = _header(raw.pop(b"", b""))
            self.entries = {key.decode(): Entry.read(value) for key, value in raw.items()}
        except (ValueError, IndexError) as error:
            raise DataLossError(f"{path} is damaged: {error}") from None

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def dtype(self, name: str) -> np.dtype[Any]:
        """The type of a tensor; `object` for texts."""
        kind = self.entries[name].kind
        if kind not in _TYPES and kind != STRING:
            raise self._lost(name, f"tensors of type number {kind} are not read here")
        return np.dtype(object) if kind == STRING else as_dtype(_TYPES[kind])

    def tensor(self, name: str) -> Any:
        """An array, or bytes for a text."""
        if name not in self.entries:
            near = ", ".join(sorted(self.entries)[:3])
            raise NotFoundError(f"Key {name} not found in checkpoint {self.prefix}; it has {near}")
        entry, dtype = self.entries[name], self.dtype(name)
        if entry.sliced:
            raise self._lost(name, "a variable in slices, of a partitioner, is not read here")
        if entry.kind == STRING:
            return self._text(name, entry)
        if math.prod(entry.shape) * dtype.itemsize != entry.size:
            raise self._lost(name, f"{entry.size} bytes cannot have shape {entry.shape}")
        if len(entry.shape) > 32:
            raise self._lost(name, f"{len(entry.shape)} axes are more than arrays have here")
        data = self._bytes(name, entry)
        if masked(crc32c(data)) != entry.check:
            raise self._lost(name, "the check sum is wrong")
        return np.frombuffer(data, dtype).reshape(entry.shape).copy()

    def _text(self, name: str, entry: Entry) -> bytes:
        if entry.shape or entry.size > _LARGEST_TEXT:
            raise self._lost(name, f"a text of shape {entry.shape}, {entry.size} bytes")
        data = self._bytes(name, entry)
        try:
            size, at = wire.read_varint(data, 0)
        except ValueError as error:
            raise self._lost(name, str(error)) from None
        length = masked(crc32c(size.to_bytes(4 if size < 2**32 else 8, "little")))
        sums = length.to_bytes(4, "little")
        text = data[at + 4 :]
        whole = crc32c(
            text, crc32c(sums, crc32c(size.to_bytes(4 if size < 2**32 else 8, "little")))
        )
        if data[at : at + 4] != sums or size != len(text) or masked(whole) != entry.check:
            raise self._lost(name, "the check sum is wrong")
        return text

    def _bytes(self, name: str, entry: Entry) -> bytes:
        if entry.shard >= self.shards:
            raise self._lost(name, f"shard {entry.shard} of {self.shards}")
        path = Path(f"{self.prefix}.data-{entry.shard:05d}-of-{self.shards:05d}")
        if not path.is_file():
            raise NotFoundError(f"{path} is missing: the checkpoint {self.prefix} is not whole")
        if entry.offset + entry.size > path.stat().st_size:
            raise self._lost(name, f"{path} ends before it")
        with open(path, "rb") as file:
            file.seek(entry.offset)
            return file.read(entry.size)

    def _lost(self, name: str, why: str) -> DataLossError:
        return DataLossError(f"checkpoint {self.prefix}, tensor {name!r}: {why}")


def _header(message: bytes) -> int:
    """The number of data files, from a BundleHeaderProto."""
    shards, endian = 0, 0
    for number, value in wire.fields(message):
        shards = wire.number(value) if number == 1 else shards
        endian = wire.number(value) if number == 2 else endian
    if endian:
        raise ValueError("numbers with the highest byte first are not read here")
    if not 0 < shards < 10**5:
        raise ValueError(f"{shards} data files")
    return shards


def write_bundle(prefix: Any, tensors: dict[str, Any]) -> None:
    """Writes arrays, and bytes for texts, under their names; the index last, each file at once."""
    prefix = os.fsdecode(prefix)
    entries = {b"": wire.field(1, 1) + wire.field(3, wire.field(1, 1))}  # one file, version 1
    with atomic_write(prefix + ".data-00000-of-00001") as path, open(path, "wb") as file:
        for name in sorted(tensors):
            entry, data = _stored(tensors[name], file.tell())
            entries[name.encode()] = entry.written()
            file.write(data)
    with atomic_write(prefix + ".index") as path:
        path.write_bytes(table(entries))


def _stored(value: Any, offset: int) -> tuple[Entry, Any]:
    if isinstance(value, bytes):
        size = len(value).to_bytes(4, "little")
        sums = masked(crc32c(size)).to_bytes(4, "little")
        check = masked(crc32c(value, crc32c(sums, crc32c(size))))
        data = wire.varint(len(value)) + sums + value
        return Entry(STRING, (), 0, offset, len(data), check), data
    array = np.ascontiguousarray(value)
    raw = array.reshape(-1).view(np.uint8)
    kind = _NUMBERS[array.dtype.name]
    return Entry(kind, np.shape(value), 0, offset, array.nbytes, masked(crc32c(raw))), raw
