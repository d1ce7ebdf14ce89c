"""The calls that lead from some symbolic tensors to others, in the order in which they run.

The depth of a call is the longest way from it to an output. Calls run from the deepest on; layers
of one depth stand as they were met on the way back from the outputs. This is Keras' order, so a
list of weights means the same to both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from minitensor.keras.engine.node import KerasTensor, Node
from minitensor.keras.engine.tree import leaves


def sorted_nodes(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> list[Node]:
    """Every call on a way from the inputs to the outputs, in the order in which they run.

    Raises:
        ValueError: an output needs a tensor that the inputs do not lead to.
    """
    finished = list(_backwards({id(t) for t in inputs}, outputs))
    met = _order_met({id(t) for t in inputs}, outputs)
    depth: dict[Node, int] = defaultdict(int)
    layer_depth: dict[Any, int] = defaultdict(int)
    for node in reversed(finished):
        depth[node] = layer_depth[node.layer] = max(depth[node], layer_depth[node.layer])
        for before in _before(node, {id(t) for t in inputs}):
            depth[before] = max(depth[before], depth[node] + 1)
    return sorted(finished, key=lambda node: (-depth[node], met[node.layer]))


def _before(node: Node, given: set[int]) -> list[Node]:
    """The calls that made the arguments of a call; none if what it made is given."""
    if any(id(t) in given for t in _outputs(node)):
        return []
    for tensor in node.inputs:
        if tensor.node is None:
            raise ValueError(f"Graph disconnected: cannot find where {tensor} comes from.")
    return [tensor.node for tensor in node.inputs if tensor.node is not None]


def _outputs(node: Node) -> list[KerasTensor]:
    return list(leaves(node.outputs))


def _backwards(given: set[int], outputs: list[KerasTensor]) -> Iterator[Node]:
    """Calls after all those they need; depth first from the outputs, arguments from the left."""
    done: set[Node] = set()
    waiting = [(node, False) for node in reversed(_made(outputs))]
    while waiting:
        node, ready = waiting.pop()
        if node in done:
            continue
        if ready:
            done.add(node)
            yield node
        else:
            waiting.append((node, True))
            waiting.extend((other, False) for other in reversed(_before(node, given)))


def _order_met(given: set[int], outputs: list[KerasTensor]) -> dict[Any, int]:
    """A number for each layer: when the way back from the outputs first reached it."""
    met: dict[Any, int] = {}
    seen: set[Node] = set()
    waiting = list(reversed(_made(outputs)))
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            met.setdefault(node.layer, len(met))
            waiting.extend(reversed(_before(node, given)))
    return met


def _made(tensors: list[KerasTensor]) -> list[Node]:
    for tensor in tensors:
        if getattr(tensor, "node", None) is None:
            raise ValueError(f"The outputs of a model must come from layers. Received: {tensor}")
    return [tensor.node for tensor in tensors if tensor.node is not None]
