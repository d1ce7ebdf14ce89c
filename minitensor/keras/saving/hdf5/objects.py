"""Groups and datasets of an HDF5 file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from minitensor.keras.saving.hdf5 import headers, values
from minitensor.keras.saving.hdf5.source import Block, Source

Found = Iterator[tuple[str, "Dataset"]]
DEEPEST = 256  # groups in each other; a model in a model takes two


@dataclass(frozen=True)
class Dataset:
    """Numbers in the file."""

    source: Source
    shape: tuple[int, ...]  # as the file declares it
    dtype: np.dtype
    address: int  # where the numbers lie

    @property
    def nbytes(self) -> int:
        """How many bytes the numbers take."""
        return math.prod(self.shape) * self.dtype.itemsize

    def read(self) -> np.ndarray:
        """The numbers. The file was seen to hold them, so no more is allocated than it has."""
        self.source.find(self.address, self.nbytes)
        data = np.empty(self.shape, self.dtype)
        if data.nbytes and self.source.file.readinto(data.reshape(-1).view("u1")) != data.nbytes:  # type: ignore[attr-defined]
            raise ValueError("damaged: the file ends too early")
        return data


class Group:
    """Names that mean groups and datasets, and attributes."""

    def __init__(self, source: Source, messages: headers.Messages, depth: int) -> None:
        self._source, self._messages, self._depth = source, messages, depth
        self._links = headers.links(source, messages)

    def __contains__(self, path: str) -> bool:
        head, _, rest = path.partition("/")
        if head not in self._links:
            return False
        return not rest or (isinstance(inner := self[head], Group) and rest in inner)

    def __iter__(self) -> Iterator[str]:
        return iter(self._links)

    def __getitem__(self, path: str) -> Group | Dataset:
        head, _, rest = path.partition("/")
        if head not in self._links:
            raise ValueError(f"the file has no {path!r} where it is expected")
        if rest:
            return self.group(head)[rest]
        return _opened(self._source, self._links[head], self._depth + 1, head)

    def group(self, path: str) -> Group:
        """What is at `path`, which must be a group."""
        found = self[path]
        if not isinstance(found, Group):
            raise ValueError(f"{path!r} in the file is a dataset where a group is expected")
        return found

    def dataset(self, path: str) -> Dataset:
        """What is at `path`, which must be a dataset."""
        found = self[path]
        if not isinstance(found, Dataset):
            raise ValueError(f"{path!r} in the file is a group where a dataset is expected")
        return found

    @property
    def attributes(self) -> dict[str, Any]:
        """Numbers, texts and lists of texts, by name; what is none of these is left out."""
        bodies = [body.again() for kind, body in self._messages if kind == headers.ATTRIBUTE]
        found = (values.attribute(body, self._source.heap) for body in bodies)
        return {name: value for name, value in found if value is not None}

    @property
    def nbytes(self) -> int:
        """How many bytes all numbers in it take."""
        return sum(dataset.nbytes for _, dataset in self.datasets())

    def datasets(self, prefix: str = "", seen: set[int] | None = None) -> Found:
        """Every dataset in it, with its path."""
        seen = set() if seen is None else seen
        for name, address in self._links.items():
            if address in seen:
                raise ValueError(f"damaged: {prefix}{name} is in two places")
            seen.add(address)
            found = self[name]
            if isinstance(found, Group):
                yield from found.datasets(f"{prefix}{name}/", seen)
            else:
                yield f"{prefix}{name}", found


def opened(file: BinaryIO) -> Group:
    """The root of an HDF5 file.

    Raises:
        ValueError: it is none, or is damaged, or of a kind that Keras does not write.
    """
    source = Source(file)
    if source.size < 8 or source.at(0, 8).take(8) != b"\x89HDF\r\n\x1a\n":
        raise ValueError("not an HDF5 file, or damaged: its signature is missing")
    head = source.at(8, 88)
    version = head.number(1)
    if version > 1:
        raise ValueError(
            f"an HDF5 file with superblock {version} where 0 or 1 is expected: write it again "
            "with h5py.File(path, 'w'), without libver='latest'"
        )
    head.skip(4)
    if head.numbers(1, 1) != [8, 8]:
        raise ValueError("damaged, or not written by h5py: its addresses are not of 8 bytes")
    head.skip(9 + 4 * version)
    if head.number(8) != 0:
        raise ValueError("damaged, or not written by h5py: it does not begin at address 0")
    head.skip(32)
    found = _opened(source, head.number(8), 0, "/")
    if not isinstance(found, Group):
        raise ValueError("damaged: the root of the file is no group")
    return found


def _opened(source: Source, address: int, depth: int, name: str) -> Group | Dataset:
    if address not in source.opened:
        source.opened[address] = _read(source, address, depth, name)
    return source.opened[address]


def _read(source: Source, address: int, depth: int, name: str) -> Group | Dataset:
    if depth > DEEPEST:
        raise ValueError("damaged: groups lie in each other without end")
    messages = list(headers.messages(source, address))
    kinds = {kind for kind, _ in messages}
    if headers.LAYOUT not in kinds:
        return Group(source, messages, depth)
    if headers.EXTERNAL in kinds:
        raise ValueError(f"{name!r} lies in another file (external storage), which is not opened")
    if headers.FILTERS in kinds:
        raise ValueError(f"{name!r} is compressed; Keras writes plain numbers: write it so")
    body = dict(messages)
    if not {headers.DATASPACE, headers.DATATYPE} <= kinds:
        raise ValueError(f"damaged: {name!r} has no shape or no dtype")
    shape, dtype = values.shape(body[headers.DATASPACE]), values.dtype(body[headers.DATATYPE])
    if dtype is None or dtype.kind == "S":
        raise ValueError(f"{name!r} holds objects or texts where numbers are expected")
    address, size = _place(body[headers.LAYOUT], name)
    found = Dataset(source, shape, dtype, address if size else 0)
    if size != found.nbytes or (size and address == headers.NOWHERE):
        raise ValueError(
            f"damaged: {name!r} of shape {shape} and dtype {dtype} needs {found.nbytes} bytes, "
            f"the file stores {0 if address == headers.NOWHERE else size}"
        )
    source.find(found.address, size)
    return found


def _place(layout: Block, name: str) -> tuple[int, int]:
    """Where the numbers of a dataset lie, and how many bytes."""
    version, kind = layout.numbers(1, 1)
    if version not in (3, 4) or kind != 1:
        raise ValueError(
            f"{name!r} is stored in parts, or elsewhere (layout {version}.{kind}: chunked, compact "
            "or virtual); Keras writes plain numbers in one piece: write it so"
        )
    return layout.number(8), layout.number(8)
