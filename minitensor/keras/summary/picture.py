"""A model as a picture: a box for each layer, an arrow for each tensor between two.

Drawn by matplotlib; graphviz is not needed.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minitensor import pictures
from minitensor.extras import require
from minitensor.keras.summary.facts import rows_of
from minitensor.pictures import Box

if TYPE_CHECKING:
    from minitensor.keras.engine.layer import Layer
    from minitensor.keras.engine.model import Model


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
    rows = {row.layer: row.facts for row in rows_of(model, False, None)}
    shown_boxes = [Box(_lines(layer, facts, shown), "input" if layer._is_input else "op")
                   for layer, facts in rows.items()]  # fmt: skip
    number = {layer: k for k, layer in enumerate(rows)}
    arrows = [(number[a], number[b]) for a, b in _arrows(model)]
    if hasattr(model, "input_shape") and not model._is_functional:  # a Sequential's is no layer
        shape = [str(tuple(model.input_shape))] * show_shapes
        shown_boxes.append(Box(("Input", *shape), "input"))
        arrows.append((len(rows), 0))
    with pictures.style():
        figure = pictures.boxes(shown_boxes, arrows, across=rankdir == "LR")
        figure.savefig(Path(to_file), dpi=dpi)


def _arrows(model: Any) -> list[tuple[Layer, Layer]]:
    """(from, to), in the order in which the layers run."""
    if not model._is_functional:
        line = model.layers if hasattr(model, "input_shape") else []
        return list(pairwise(line))
    pairs = [(t.node, node) for node in model.nodes for t in node.inputs if t.node is not None]
    known = set(model.nodes)
    return list(dict.fromkeys((a.layer, b.layer) for a, b in pairs if a in known))


def _lines(layer: Any, facts: Any, shown: dict[str, bool]) -> tuple[str, ...]:
    """What stands in a layer's box."""
    lines = [type(layer).__name__]
    if shown["name"]:
        lines.append(layer.name)
    activation = getattr(layer, "activation", None)
    if shown["activation"] and activation is not None:
        lines.append(getattr(activation, "__name__", str(activation)))
    if shown["shape"] and facts is not None:
        lines += map(str, facts.shapes)
    if shown["dtype"]:
        lines.append(layer.dtype)
    if shown["trainable"]:
        lines.append("trainable" if layer.trainable else "frozen")
    return tuple(lines)
