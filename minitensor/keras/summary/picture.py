"""A model as a picture: a box for each layer, an arrow for each tensor between two.

Layers stand in rows: each below all that it needs. Drawn by matplotlib; graphviz is not needed.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitensor.extras import require
from minitensor.keras.summary.facts import operations_of

if TYPE_CHECKING:
    from minitensor.keras.engine.layer import Layer
    from minitensor.keras.engine.model import Model

_WIDE, _HIGH = 2.4, 0.9  # inches from one box to the next


def plot_model(
    model: Model,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    **kwargs: Any,
) -> None:
    """Draws the layers of a built model and what flows between them.

    Args:
        model: a Sequential or functional model; of any other, its layers without arrows.
        to_file: .png, .svg or .pdf.
        show_shapes: whether output shapes are in the boxes.
        show_dtype: whether their types are.
        show_layer_names: whether the layers' names are.
        rankdir: "TB" from top to bottom, "LR" from left to right.
        expand_nested: must be False: layers inside layers are in `summary(expand_nested=True)`.
        dpi: pixels per inch.
        show_layer_activations: whether activations are in the boxes.
        show_trainable: whether they say what training changes.
        kwargs: none are known.

    Raises:
        ValueError: the model is not built, or an argument is not legal.

    Example:
        >>> import tempfile, pathlib
        >>> import minitensor as tf
        >>> net = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(2)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tf.keras.utils.plot_model(net, pathlib.Path(folder) / "net.svg", show_shapes=True)

    Source: keras.utils.plot_model
    """
    require("plot_model", "matplotlib", extra="keras")
    if not model.built:
        raise ValueError(f"plot_model: build the model '{model.name}' first, or call it on data.")
    if kwargs or expand_nested or rankdir not in ("TB", "LR"):
        raise ValueError(
            "plot_model: rankdir is 'TB' or 'LR', expand_nested False. Received: "
            f"rankdir={rankdir!r}, expand_nested={expand_nested}, {sorted(kwargs)}"
        )
    shown = {
        "shape": show_shapes,
        "dtype": show_dtype,
        "name": show_layer_names,
        "activation": show_layer_activations,
        "trainable": show_trainable,
    }
    labels = {layer: _label(layer, shown) for layer in operations_of(model)}
    _draw(Path(to_file), labels, _arrows(model), rankdir == "LR", dpi)


def _arrows(model: Any) -> list[tuple[Layer, Layer]]:
    """(from, to), in the order in which the layers run."""
    if not model._is_functional:
        line = model.layers if hasattr(model, "input_shape") else []
        return list(pairwise(line))
    pairs = [(t.node, node) for node in model.nodes for t in node.inputs if t.node is not None]
    known = set(model.nodes)
    return list(dict.fromkeys((a.layer, b.layer) for a, b in pairs if a in known))


def _label(layer: Layer, shown: dict[str, bool]) -> str:
    lines = [type(layer).__name__]
    if shown["name"]:
        lines.append(layer.name)
    activation = getattr(layer, "activation", None)
    if shown["activation"] and activation is not None:
        lines.append(getattr(activation, "__name__", str(activation)))
    if shown["shape"] and layer._nodes:
        outputs = layer._nodes[0].outputs
        shapes = [outputs] if hasattr(outputs, "shape") else list(outputs)
        lines += [str(tensor.shape) for tensor in shapes]
    if shown["dtype"]:
        lines.append(layer.dtype)
    if shown["trainable"]:
        lines.append("trainable" if layer.trainable else "frozen")
    return "\n".join(lines)


def _places(layers: list[Layer], arrows: list[tuple[Layer, Layer]]) -> dict[Layer, Any]:
    """(place in its row, row) of every layer; a row below all that feed it."""
    row: dict[Layer, int] = dict.fromkeys(layers, 0)
    for _ in layers:  # the longest way; at most as many rounds as there are rows
        before = dict(row)
        for a, b in arrows:
            row[b] = max(row[b], row[a] + 1)
        if row == before:
            break
    if not arrows:
        return {layer: (0.0, i) for i, layer in enumerate(layers)}
    rows: dict[int, list[Layer]] = defaultdict(list)
    for layer in layers:
        rows[row[layer]].append(layer)
    return {
        layer: (i - (len(line) - 1) / 2, number)
        for number, line in rows.items()
        for i, layer in enumerate(line)
    }


def _draw(
    path: Path, labels: dict[Layer, str], arrows: list[tuple[Layer, Layer]], across: bool, dpi: int
) -> None:
    from matplotlib.figure import Figure

    places = _places(list(labels), arrows)
    high = _HIGH * max(1.0, max(text.count("\n") + 1 for text in labels.values()) / 2)
    spots = {
        layer: (row * _WIDE, place * high) if across else (place * _WIDE, -row * high)
        for layer, (place, row) in places.items()
    }
    xs, ys = zip(*spots.values(), strict=True)
    size = max(xs) - min(xs) + _WIDE, max(ys) - min(ys) + high
    figure = Figure(figsize=size)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(min(xs) - _WIDE / 2, max(xs) + _WIDE / 2))
    axes.set(ylim=(min(ys) - high / 2, max(ys) + high / 2))
    axes.axis("off")
    style = {"arrowstyle": "-|>", "color": "#5b6570", "shrinkA": 16, "shrinkB": 18}
    for a, b in arrows:  # one that passes a row by goes around what stands there
        bend = 0.35 if places[b][1] - places[a][1] > 1 else 0.0
        curve = {"connectionstyle": f"arc3,rad={bend}"}
        axes.annotate("", spots[b], spots[a], arrowprops=style | curve)
    box = {"boxstyle": "round", "facecolor": "#eef3f8", "edgecolor": "#1f5fa8"}
    for layer, text in labels.items():
        axes.text(*spots[layer], text, ha="center", va="center", fontsize=7, bbox=box)
    figure.savefig(path, dpi=dpi)
