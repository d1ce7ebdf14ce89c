"""How an HDF5 file hangs together: the messages of an object, the names in a group."""

from __future__ import annotations

from collections.abc import Iterator

from minitensor.keras.saving.hdf5.source import Block, Source

DATASPACE, DATATYPE, LINK, EXTERNAL, LAYOUT, FILTERS = 1, 3, 6, 7, 8, 11
ATTRIBUTE, CONTINUED, TABLE = 12, 16, 17
NOWHERE = 2**64 - 1

Messages = list[tuple[int, Block]]


def messages(source: Source, address: int) -> Iterator[tuple[int, Block]]:
    """The messages of an object header, with those of its continuations."""
    head = source.at(address, 16)
    if head.number(1) != 1:
        raise ValueError("damaged, or of a newer form of HDF5 than Keras writes: object header")
    head.skip(7)
    waiting, seen = [(address + 16, head.number(4))], set()
    while waiting:
        start, length = waiting.pop()
        if start in seen:
            raise ValueError("damaged: an object header continues in itself")
        seen.add(start)
        block = source.at(start, length)
        while block.left >= 8:
            kind, size, flags, _ = block.numbers(2, 2, 1, 3)
            body = block.part(size)
            if kind == CONTINUED:
                waiting.append((body.number(8), body.number(8)))
            elif kind == LINK:
                raise ValueError("links that leave the file, or are newer than Keras writes")
            elif flags & 2 and kind in (DATASPACE, DATATYPE, LAYOUT, ATTRIBUTE):
                raise ValueError("shared messages, which Keras does not write")
            else:
                yield kind, body


def links(source: Source, found: Messages) -> dict[str, int]:
    """Name and address of everything in a group."""
    tables = [body.again() for kind, body in found if kind == TABLE]
    if not tables:
        return {}
    tree, heap = tables[0].numbers(8, 8)
    head = source.at(heap, 32)
    head.expect(b"HEAP")
    _, size, _, address = head.numbers(4, 8, 8, 8)
    names = source.at(address, size)
    children: dict[str, int] = {}
    for name_at, child in _leaves(source, tree):
        name = names.text(name_at)
        if name in children or not name or "/" in name:
            raise ValueError(f"damaged: the name {name!r} stands twice, or is none")
        children[name] = child
    return children


def _leaves(source: Source, tree: int) -> Iterator[tuple[int, int]]:
    """The entries of a B-tree of names: (where the name is, where the object is)."""
    waiting, seen = [tree], set()
    while waiting:
        address = waiting.pop()
        if address in seen:
            raise ValueError("damaged: a list of names contains itself")
        seen.add(address)
        signature = source.at(address, 4).take(4)
        if signature == b"SNOD":
            yield from _entries(source, address)
            continue
        node = source.at(address, 24)
        node.expect(b"TREE")
        _, count = node.numbers(2, 2)
        keys = source.at(address + 24, 16 * count)
        children = [keys.numbers(8, 8)[1] for _ in range(count)]
        waiting.extend(reversed(children))


def _entries(source: Source, address: int) -> Iterator[tuple[int, int]]:
    count = source.at(address + 6, 2).number(2)
    entries = source.at(address + 8, 40 * count)
    for _ in range(count):
        name, child, cache, _ = entries.numbers(8, 8, 4, 20)
        if cache == 2:
            raise ValueError("soft links, which are not followed; Keras writes none")
        yield name, child
