"""The bytes of a file, read by address and in order, and never beyond their end."""

from __future__ import annotations

import os
from typing import Any, BinaryIO


class Block:
    """Bytes that are read from the left, and never beyond their end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    @property
    def left(self) -> int:
        """How many bytes are still to be read."""
        return len(self._data) - self._position

    def take(self, length: int) -> bytes:
        """The next ones."""
        if not 0 <= length <= self.left:
            raise ValueError(f"damaged: {length} bytes are needed where {self.left} are left")
        self._position += length
        return self._data[self._position - length : self._position]

    def number(self, length: int) -> int:
        """The next bytes as a whole number from 0 on."""
        return int.from_bytes(self.take(length), "little")

    def numbers(self, *lengths: int) -> list[int]:
        """The next whole numbers, one for each length in bytes."""
        return [self.number(length) for length in lengths]

    def skip(self, length: int) -> None:
        """Leaves bytes out."""
        self.take(length)

    def part(self, length: int) -> Block:
        """The next bytes as a block of their own."""
        return Block(self.take(length))

    def again(self) -> Block:
        """The same bytes from their beginning."""
        return Block(self._data)

    def expect(self, signature: bytes) -> None:
        """The next bytes must be these."""
        if self.take(len(signature)) != signature:
            raise ValueError(f"damaged: {signature.decode()} is expected where it is not")

    def text(self, start: int) -> str:
        """From there to the next byte 0."""
        end = self._data.find(b"\0", start)
        if not 0 <= start <= end:
            raise ValueError("damaged: a name has no end")
        return decoded(self._data[start:end])


def decoded(data: bytes) -> str:
    """The text of some bytes."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("damaged: a text is not UTF-8") from None


class Source:
    """A file whose bytes are asked for by address."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = file.seek(0, os.SEEK_END)
        self.opened: dict[int, Any] = {}  # groups and datasets that were read before, by address
        self._heaps: dict[int, dict[int, bytes]] = {}

    def at(self, address: int, length: int) -> Block:
        """So many bytes from there on."""
        self.find(address, length)
        data = self.file.read(length)
        if len(data) != length:
            raise ValueError("damaged: the file ends too early")
        return Block(data)

    def find(self, address: int, length: int) -> None:
        """Goes to an address if so many bytes follow."""
        if not 0 <= address <= address + length <= self.size:
            raise ValueError(
                f"damaged: {length} bytes at {address} are needed, the file has {self.size}"
            )
        self.file.seek(address)

    def heap(self, address: int) -> dict[int, bytes]:
        """The texts of one global heap, by number."""
        if address not in self._heaps:
            head = self.at(address, 16)
            head.expect(b"GCOL")
            head.skip(4)
            self._heaps[address] = _texts(self.at(address + 16, head.number(8) - 16))
        return self._heaps[address]


def _texts(block: Block) -> dict[int, bytes]:
    """The objects of a global heap, by number."""
    found: dict[int, bytes] = {}
    while block.left >= 16:
        number, _, length = block.numbers(2, 6, 8)
        if number == 0:  # the rest is free
            break
        found[number] = block.take(length)
        block.skip(min(-length % 8, block.left))
    return found
