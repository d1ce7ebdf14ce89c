"""`tf.explain(layer, x)` and `tf.explain(model, x)`: layers are the ops that they call.

A layer's own settings become the arguments of its op. What follows the op in the layer, an
activation, is applied again and compared with what the layer computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from minitensor.explain import text
from minitensor.explain.explanation import Explanation, explain
from minitensor.explain.windowed import whole
from minitensor.keras import layers
from minitensor.keras.engine import Layer
from minitensor.keras.engine.calling import Call, calls
from minitensor.keras.summary.facts import Row, calls_no_other, rows_of

Arguments = tuple[str, dict[str, Any]]


def _window(layer: Any) -> dict[str, Any]:
    """Strides, padding and layout, as tf.nn has them."""
    if layer.padding not in ("same", "valid"):
        raise ValueError(f"{layer.name}: padding {layer.padding!r} cannot be explained")
    first = layer.data_format == "channels_first"
    strides = [1, 1, *layer.strides] if first else [1, *layer.strides, 1]
    names = {1: "NCW NWC", 2: "NCHW NHWC", 3: "NCDHW NDHWC"}[layer.rank].split()
    return {
        "strides": strides,
        "padding": layer.padding.upper(),
        "data_format": names[not first],
    }


def _kernel(layer: Any, x: Any, op: str, **weights: Any) -> Arguments:
    words = {"input": x, **weights, **_window(layer)}
    if any(n > 1 for n in layer.dilation_rate):
        words["dilations"] = list(layer.dilation_rate)
    if layer.rank == 1 and "transpose" not in op:
        words["stride"] = words.pop("strides")
    if layer.bias is not None:
        words["bias"] = layer.bias
    return op, words


def _conv(layer: Any, x: Any) -> Arguments:
    return _kernel(layer, x, f"conv{layer.rank}d", filters=layer.kernel)


def _transposed(layer: Any, x: Any) -> Arguments:
    shape = list(layer.compute_output_shape(x.shape))
    op = f"conv{layer.rank}d_transpose"
    return _kernel(layer, x, op, filters=layer.kernel, output_shape=shape)


def _depthwise(layer: Any, x: Any) -> Arguments:
    return _kernel(layer, x, "depthwise_conv2d", filter=layer.kernel)


def _separable(layer: Any, x: Any) -> Arguments:
    words = {"depthwise_filter": layer.depthwise_kernel, "pointwise_filter": layer.pointwise_kernel}
    return _kernel(layer, x, "separable_conv2d", **words)


def _pool(layer: Any, x: Any) -> Arguments:
    kind = "max" if layer.kind == "MAX" else "avg"
    words = _window(layer)
    taps = [layer.pool_size] if isinstance(layer.pool_size, int) else list(layer.pool_size)
    return f"{kind}_pool{layer.rank}d", {"input": x, "ksize": taps, **words}


def _batch_norm(layer: Any, x: Any) -> Arguments:
    """In inference, as a model is explained."""
    channels = x.shape[layer.axis if isinstance(layer.axis, int) else layer.axis[0]]
    ones, zeros = np.ones(channels, "float32"), np.zeros(channels, "float32")
    return "batch_normalization", {
        "x": x,
        "mean": layer.moving_mean,
        "variance": layer.moving_variance,
        "offset": zeros if layer.beta is None else layer.beta,
        "scale": ones if layer.gamma is None else layer.gamma,
        "variance_epsilon": layer.epsilon,
    }


def _layer_norm(layer: Any, x: Any) -> Arguments:
    words = {"scale": layer.gamma, "offset": layer.beta, "axis": layer.axis}
    return "layer_normalization", {"x": x, **words, "epsilon": layer.epsilon}


TABLE: dict[type, Callable[[Any, Any], Arguments]] = {
    **dict.fromkeys((layers.Conv1D, layers.Conv2D, layers.Conv3D), _conv),
    **dict.fromkeys(
        (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose), _transposed
    ),
    layers.DepthwiseConv2D: _depthwise,
    layers.SeparableConv2D: _separable,
    **dict.fromkeys((layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D), _pool),
    **dict.fromkeys(
        (layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D), _pool
    ),
    layers.BatchNormalization: _batch_norm,
    layers.LayerNormalization: _layer_norm,
}


def explain_layer(layer: Any, x: Any, **words: Any) -> Explanation | ModelExplanation:
    """A layer's number, or every layer of a model.

    Raises:
        ValueError: no such layer can be explained.
        ArithmeticError: the layer computes something else than its op and its activation.
    """
    if not calls_no_other(layer):
        return ModelExplanation(layer, x)
    if type(layer) not in TABLE:
        known = ", ".join(cls.__name__ for cls in TABLE)
        raise ValueError(f"{type(layer).__name__} cannot be explained; these layers can: {known}")
    y = layer(x)
    op, arguments = TABLE[type(layer)](layer, whole(x))
    given: dict[str, Any] = {
        k: whole(v) if hasattr(v, "numpy") else v for k, v in arguments.items()
    }
    found: Explanation = explain(op, **(given | words))
    activation = getattr(layer, "activation", None)
    same = whole(found.call.output if activation is None else activation(found.call.output))
    if not np.allclose(same, whole(y), rtol=1e-4, atol=1e-4 * float(np.abs(same).max(initial=1))):
        raise ArithmeticError(f"{layer.name}: the layer and its op {op} do not compute the same")
    return found


# ----- models -----


@dataclass(frozen=True)
class Step:
    """A layer of a model: its row in the summary, what came in, and its explanation, if any."""

    row: Row
    inputs: Any
    explanation: Explanation | None

    @property
    def line(self) -> list[str]:
        """Layer, output shape, receptive field, multiply-adds, window."""
        facts, e = self.row.facts, self.explanation
        fields = "" if facts is None or facts.field is None else "x".join(
            f"{width:g}" for width, _ in facts.field) or "all"  # fmt: skip
        shape, macs = ("", "") if facts is None else (str(facts.shapes[0]), f"{facts.macs:,}")
        laws = "" if e is None else "; ".join(str(s).split(";")[0] for s in e.shape_steps)
        name = f"{self.row.layer.name} ({type(self.row.layer).__name__})"
        return [name, shape, fields, macs, laws]


class _Observer:
    """Keeps what goes into each layer."""

    def __init__(self) -> None:
        self.inputs: dict[int, Any] = {}

    def begins(self, layer: Layer) -> None:
        """A layer is called."""

    def ends(self, layer: Layer, inputs: Any, outputs: Any) -> None:
        """It was called with these."""
        self.inputs.setdefault(id(layer), inputs)


class ModelExplanation:
    """Every layer of a model for one input: window, receptive field, cost, and its explanation.

    `model_explanation["conv2d"]` is the layer's `Explanation`; in HTML each layer is opened by a
    click.
    """

    def __init__(self, model: Any, x: Any) -> None:
        self.model = model
        seen, outer = _Observer(), calls.current
        calls.current = Call(False, observer=seen)
        try:
            model(x)
        finally:
            calls.current = outer
        rows = rows_of(model, True, None)
        self.steps = [self._step(row, seen.inputs.get(id(row.layer))) for row in rows]

    @staticmethod
    def _step(row: Row, inputs: Any) -> Step:
        known = type(row.layer) in TABLE and hasattr(inputs, "shape")
        found = explain_layer(row.layer, inputs) if known else None
        return Step(row, inputs, found if isinstance(found, Explanation) else None)

    def __getitem__(self, name: str) -> Explanation:
        for step in self.steps:
            if step.row.layer.name == name and step.explanation is not None:
                return step.explanation
        known = [s.row.layer.name for s in self.steps if s.explanation is not None]
        raise ValueError(f"no explained layer {name!r}; there are {', '.join(known)}")

    def _lines(self) -> list[text.Line]:
        head = ["layer", "output", "receptive field", "multiply-adds", "size"]
        table = [[(word, text.HEAD) for word in head]]
        table += [[(cell, "") for cell in step.line] for step in self.steps]
        return text.grid(table)

    def print(self) -> None:
        """The table."""
        text.show(self._lines())

    def __str__(self) -> str:
        return text.plain(self._lines())

    def _repr_html_(self) -> str:
        """The table, each line of which opens."""
        return "\n".join(self._details())

    def _details(self) -> Iterator[str]:
        for step in self.steps:
            words: Sequence[str] = [escape(cell) for cell in step.line if cell]
            inside = "" if step.explanation is None else step.explanation._repr_html_()
            yield f"<details><summary>{' · '.join(words)}</summary>{inside}</details>"
