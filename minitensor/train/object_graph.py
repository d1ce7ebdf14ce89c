"""The graph of objects that a checkpoint keeps beside its tensors: which object has which parts.

A node is an object: its parts by the names of attributes, and, if it is a variable, the key of its
value. The first node is what was saved. Source: TensorFlow, trackable_object_graph.proto
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from minitensor.io import wire

KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"  # of the graph among the tensors
VALUE = "VARIABLE_VALUE"
_MOST = 1 << 17  # nodes and parts in all: a byte or two in a file, some hundred in memory


@dataclass
class Node:
    """An object that was saved."""

    children: dict[str, int] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)  # name of a value -> its key
    full_name: str = ""


def read_graph(message: bytes) -> list[Node]:
    """From a TrackableObjectGraph; a ValueError where it is damaged or out of all measure."""
    nodes: list[Node] = []
    count = 0
    for number, value in wire.fields(message):
        if number == 1:
            nodes.append(_node(wire.data(value), _MOST - count))
            count += 1 + len(nodes[-1].children)
        if count > _MOST:
            raise ValueError(f"the graph has more than {_MOST} objects and parts")
    for node in nodes:
        for name, child in node.children.items():
            if not 0 <= child < len(nodes):
                raise ValueError(f"{name!r} is object {child} of {len(nodes)}")
    if not nodes:
        raise ValueError("the graph has no object")
    return nodes


def _node(message: bytes, most: int) -> Node:
    node = Node()
    for number, value in wire.fields(message):
        if number == 1:
            numbers, texts = _fields(wire.data(value))
            node.children[texts.get(2, "")] = numbers.get(1, 0)
        elif number == 2:
            _, texts = _fields(wire.data(value))
            node.values[texts.get(1, "")] = texts.get(3, "")
            node.full_name = texts.get(2, "")
        if len(node.children) + len(node.values) > most:
            raise ValueError(f"the graph has more than {_MOST} objects and parts")
    return node


def _fields(message: bytes) -> tuple[dict[int, int], dict[int, str]]:
    """The numbers and the texts of a message."""
    numbers, texts = {}, {}
    for number, value in wire.fields(message):
        if isinstance(value, int):
            numbers[number] = value
        else:
            texts[number] = wire.text(value)
    return numbers, texts


def written(nodes: list[Node]) -> bytes:
    """As a TrackableObjectGraph."""
    return b"".join(wire.field(1, b"".join(_written(node))) for node in nodes)


def _written(node: Node) -> Iterator[bytes]:
    for name, child in node.children.items():
        yield wire.field(1, wire.field(1, child) + wire.field(2, name))
    for name, key in node.values.items():
        named = wire.field(1, name) + wire.field(2, node.full_name)
        yield wire.field(2, named + wire.field(3, key))
    yield wire.field(5, wire.field(1, 1))  # it, or a part of it, has a value


def escaped(name: str) -> str:
    """A name as it stands in a key: "." and "/" have a meaning there."""
    return name.replace(".", "..").replace("/", ".S")
