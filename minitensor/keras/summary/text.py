"""The lines of a table: our own with everything we know, or TensorFlow 2.0's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from minitensor.keras.engine.model import Model
    from minitensor.keras.summary.facts import Facts, Row


def wide(
    model: Model, rows: Sequence[Row], line_length: int | None, show_trainable: bool
) -> Iterator[str]:
    """Layer, output shape, parameters, multiply-adds, bytes out, receptive field."""
    head = ["Layer (type)", "Output Shape", "Param #", "MACs", "Output", "Sees"]
    table = [_wide_cells(row) for row in rows]
    if show_trainable:
        head.append("Trainable")
        for cells, row in zip(table, rows, strict=True):
            cells.append("Y" if row.layer.trainable else "N")
    widths = [max(len(line[i]) for line in [head, *table]) for i in range(len(head))]
    rule = "-" * (sum(widths) + 2 * len(widths) - 2)
    yield f'Model: "{model.name}"'
    for line in [head, None, *table, None]:
        yield rule if line is None else _aligned(line, widths)[:line_length]
    facts = [row.facts for row in rows if row.facts and not row.depth]
    kept = sum(v.shape.num_elements() * np.dtype(v.dtype).itemsize for v in model.weights)
    yield from _totals(model)
    yield (
        f"One sample: {sum(f.macs for f in facts):,} MACs (multiply-adds), "
        f"{_bytes(sum(f.size for f in facts))} of outputs; weights: {_bytes(kept)}"
    )


def _wide_cells(row: Row) -> list[str]:
    layer, facts = row.layer, row.facts
    name = f"{'  ' * row.depth}{layer.name} ({type(layer).__name__})"
    params = f"{layer.count_params():,}" if layer.built else "not built"
    if facts is None:
        return [name, "", params, "", "", ""]
    return [name, _shapes(facts), params, f"{facts.macs:,}", _bytes(facts.size), _field(facts)]


def _aligned(cells: list[str], widths: list[int]) -> str:
    """Words to the left, numbers to the right."""
    words = [cells[i].ljust(widths[i]) for i in (0, 1)]
    return "  ".join([*words, *(c.rjust(w) for c, w in zip(cells[2:], widths[2:], strict=True))])


def _shapes(facts: Facts) -> str:
    return ", ".join(str(shape) for shape in facts.shapes)


def _field(facts: Facts) -> str:
    """The receptive field in pixels: "3x3", or "all" of the input."""
    if facts.field is None:
        return ""
    return "x".join(f"{width:g}" for width, _ in facts.field) or "all"


def _bytes(count: int) -> str:
    for unit, size in (("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def _totals(model: Model) -> Iterator[str]:
    both = model.trainable_weights, model.non_trainable_weights
    learnt, kept = (sum(v.shape.num_elements() for v in weights) for weights in both)
    yield f"Total params: {learnt + kept:,}"
    yield f"Trainable params: {learnt:,}"
    yield f"Non-trainable params: {kept:,}"


def tf20(
    model: Model, rows: Sequence[Row], line_length: int | None, show_trainable: bool
) -> Iterator[str]:
    """As TensorFlow 2.0 printed it; a model that was not told its input says "multiple"."""
    connected = model._is_functional
    ends = (0.33, 0.55, 0.67, 1.0) if connected else (0.45, 0.85, 1.0)
    length = line_length or (98 if connected else 65)
    head = ["Layer (type)", "Output Shape", "Param #", "Connected to"][: len(ends)]
    yield f'Model: "{model.name}"'
    yield "_" * length
    yield _fields(head, ends, length)
    yield "=" * length
    for i, row in enumerate(rows):
        name = f"{row.layer.name} ({type(row.layer).__name__})"
        params = str(row.layer.count_params() if row.layer.built else 0)
        cells = [name, _tf20_shape(model, row), params]
        if connected:
            cells.append(_before(model, row.layer))
        yield _fields(cells, ends, length)
        yield ("=" if i == len(rows) - 1 else "_") * length
    yield from _totals(model)
    yield "_" * length


def _tf20_shape(model: Model, row: Row) -> str:
    if not model.knows_input or row.facts is None:
        return "multiple"
    shapes = row.facts.shapes
    listed = len(shapes) != 1 or row.layer._is_input
    return str(shapes) if listed else str(shapes[0])


def _fields(cells: list[str], ends: Sequence[float], length: int) -> str:
    """Cells cut and padded so that each ends at its part of the line."""
    line = ""
    for i, (cell, end) in enumerate(zip(cells, ends, strict=True)):
        line = f"{line[:-1]} {cell}" if i else cell
        stop = int(length * end)
        line = line[:stop].ljust(stop)
    return line


def _before(model: Any, layer: Any) -> str:
    """The layers that feed one, as `name[0][0]`."""
    nodes = [node for node in model.nodes if node.layer is layer]
    made = [t.node for node in nodes for t in node.inputs if t.node is not None]
    return ", ".join(f"{node.layer.name}[{node.layer._nodes.index(node)}][0]" for node in made)
