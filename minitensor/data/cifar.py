"""CIFAR-10 and CIFAR-100 from their files: the Python version, the binary one, packed or unpacked.

    cifar-10-batches-py/data_batch_1 ... 5, test_batch      pickles (read by pickled.py)
    cifar-10-batches-bin/data_batch_1.bin ... test_batch.bin   label, then 3072 bytes, per image
    cifar-100-python/train, test   and   cifar-100-binary/train.bin, test.bin   (two labels)

An archive is read member by member and never written to disk, so its paths and links mean nothing.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from minitensor.data.bounded import MOST, Counted, read_up_to, read_whole, unpacked
from minitensor.data.pickled import read_pickle

_PIXELS = 3 * 32 * 32


@dataclass(frozen=True)
class Kind:
    """One of the two data sets."""

    title: str  # for people
    train: tuple[str, ...]  # names of the files, without ".bin"
    test: tuple[str, ...]
    labels: tuple[tuple[str, int], ...]  # (key in the pickles, classes), as in the binary files


CIFAR10 = Kind(
    "CIFAR-10", tuple(f"data_batch_{k}" for k in range(1, 6)), ("test_batch",), (("labels", 10),)
)
CIFAR100 = Kind("CIFAR-100", ("train",), ("test",), (("coarse_labels", 20), ("fine_labels", 100)))
Part = tuple[np.ndarray, np.ndarray]


def read_cifar(path: str | Path, kind: Kind, label: str) -> tuple[Part, Part]:
    """(images, labels) to learn from, and to test on, of a folder or the archive as downloaded.

    Returns:
        images (N, 32, 32, 3) uint8 and labels (N,) int64, twice.

    Raises:
        ValueError: a file is missing or damaged; the message names it.
        OSError: it cannot be opened.
    """
    root = Path(path)
    names = [*kind.train, *kind.test]
    found = _from_folder(root, names) if root.is_dir() else _from_archive(root, names)
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(f"{root}: no {kind.title}: the file {missing[0]!r} is not in it")

    def part(files: Iterable[str]) -> Part:
        read = [_read(f"{root}: {name}", found[name], kind, label) for name in files]
        return np.concatenate([x for x, _ in read]), np.concatenate([y for _, y in read])

    return part(kind.train), part(kind.test)


Content = tuple[bytes, bool]  # the bytes of a file, and whether they are of the binary version


def _from_folder(folder: Path, names: list[str]) -> dict[str, Content]:
    found = {}
    for name in names:
        for file, binary in ((folder / f"{name}.bin", True), (folder / name, False)):
            if file.is_file():
                found[name] = read_whole(file), binary
    return found


def _from_archive(file: Path, names: list[str]) -> dict[str, Content]:
    """The files of an archive by their names, without folders; only plain files are seen."""
    found: dict[str, Content] = {}
    with unpacked(file) as stream:
        try:
            with tarfile.open(fileobj=Counted(stream), mode="r|") as archive:  # type: ignore[call-overload]
                for member in archive:
                    name = PurePosixPath(member.name).name
                    plain = name.removesuffix(".bin")
                    if member.isreg() and plain in names and plain not in found:
                        data = bytes(read_up_to(archive.extractfile(member), MOST))
                        found[plain] = data, name != plain
        except (tarfile.TarError, ValueError, KeyError, RecursionError) as problem:
            raise ValueError(f"{file}: no readable tar archive: {problem}") from None
    return found


def _read(where: str, content: Content, kind: Kind, label: str) -> Part:
    """Images and labels of one file."""
    data, binary = content
    try:
        pixels, labels = (_binary if binary else _pickled)(data, kind, label)
    except ValueError as problem:
        raise ValueError(f"{where}: {problem}") from None
    classes = dict(kind.labels)[label]
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"{where}: its {label} are not all from 0 to {classes - 1}")
    planes = pixels.reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels  # (N, 32, 32, 3)


def _binary(data: bytes, kind: Kind, label: str) -> Part:
    head = len(kind.labels)
    if not data or len(data) % (head + _PIXELS):
        raise ValueError(
            f"{len(data)} bytes are no whole number of images of {head} + {_PIXELS} bytes"
        )
    rows = np.frombuffer(data, np.uint8).reshape(-1, head + _PIXELS)
    column = [name for name, _ in kind.labels].index(label)
    return rows[:, head:], rows[:, column].astype(np.int64)


def _pickled(data: bytes, kind: Kind, label: str) -> Part:
    found = read_pickle(data)
    pixels: Any = found.get("data")
    labels: Any = found.get(label)
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != _PIXELS:
        raise ValueError(f"its 'data' are no rows of {_PIXELS} bytes")
    if not isinstance(labels, list) or not all(type(value) is int for value in labels):
        raise ValueError(f"its {label!r} are no list of integers")
    if not len(labels) == len(pixels) > 0:
        raise ValueError(f"it has {len(pixels)} images but {len(labels)} {label}")
    return pixels, np.array(labels, np.int64)
