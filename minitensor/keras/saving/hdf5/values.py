"""The small structures of an HDF5 file: shapes, dtypes, attributes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.keras.saving.hdf5.source import Block, decoded

_FLOATS = {(2, 5, 10): "f2", (4, 8, 23): "f4", (8, 11, 52): "f8"}  # bytes, exponent, fraction

Heap = Callable[[int], dict[int, bytes]]
_LONGEST = 2**26  # of all texts of one attribute


def shape(block: Block) -> tuple[int, ...]:
    """The sizes that a dataspace declares."""
    block = block.again()
    version, rank, flags, kind = block.numbers(1, 1, 1, 1)
    if version not in (1, 2) or rank > 32 or flags > 1:
        raise ValueError(f"damaged: a shape of version {version} with {rank} axes")
    if version == 1:
        block.skip(4)
    elif kind == 2:
        return (0,)
    sizes = tuple(block.number(8) for _ in range(rank))
    if math.prod(max(n, 1) for n in sizes) > 2**48:
        raise ValueError(f"a shape of {sizes} is larger than any file")
    return sizes


def dtype(block: Block) -> np.dtype | None:
    """The NumPy dtype of numbers and short texts; None for long texts and all else."""
    block = block.again()
    kind, flags, size = block.numbers(1, 3, 4)
    kind, order = kind & 15, ">" if flags & 1 else "<"
    if kind == 0 and size in (1, 2, 4, 8):
        if block.numbers(2, 2) == [0, 8 * size]:
            return np.dtype(f"{order}{'i' if flags & 8 else 'u'}{size}")
    elif kind == 1 and block.left >= 12:
        _, exponent, _, fraction = block.numbers(5, 1, 1, 1)
        name = _FLOATS.get((size, exponent, fraction))
        return None if name is None else np.dtype(order + name)
    elif kind == 3 and 0 < size < 2**16:
        return np.dtype(f"S{size}")
    return None


def attribute(block: Block, heap: Heap) -> tuple[str, Any]:
    """Name and value of an attribute; the value is None if it is neither number nor text."""
    version = block.number(1)
    if version not in (1, 2, 3):
        raise ValueError(f"damaged: an attribute of version {version}")
    shared = block.number(1)
    lengths = block.numbers(2, 2, 2)
    if version == 3:
        block.skip(1)
    padded = [n + (-n % 8 if version == 1 else 0) for n in lengths]
    name_part, type_part, shape_part = (block.part(n) for n in padded)
    name = name_part.text(0)
    if version > 1 and shared:
        return name, None
    sizes, kind = shape(shape_part), dtype(type_part)
    if kind is not None:
        data = np.frombuffer(block.take(math.prod(sizes) * kind.itemsize), kind).reshape(sizes)
        return name, _listed(data)
    return name, _long_texts(block, sizes, heap) if _is_long_text(type_part) else None


def _long_texts(block: Block, sizes: tuple[int, ...], heap: Heap) -> str | list[str]:
    """Texts that lie elsewhere; one may be mentioned often, so their sum is bounded too."""
    found: list[str] = []
    total = 0
    for _ in range(math.prod(sizes)):
        found.append(_long_text(block, heap))
        total += len(found[-1])
        if total > _LONGEST:
            raise ValueError("damaged: the texts of an attribute are too long")
    return found if sizes else found[0]


def _is_long_text(block: Block) -> bool:
    block = block.again()
    kind, flags = block.numbers(1, 3)
    return kind & 15 == 9 and flags & 15 == 1


def _long_text(block: Block, heap: Heap) -> str:
    length, address, number = block.numbers(4, 8, 4)
    if length == 0:
        return ""
    data = heap(address).get(number)
    if data is None or len(data) < length:
        raise ValueError("damaged: a text is missing")
    return decoded(data[:length])


def _listed(data: np.ndarray) -> Any:
    """Numbers as an array, texts as texts."""
    if data.dtype.kind != "S":
        return data
    found = [decoded(item) for item in data.reshape(-1).tolist()]
    return found if data.ndim else found[0]
