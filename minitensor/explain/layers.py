"""`tf.explain(layer, x)` and `tf.explain(model, x)`: layers are the ops that they call.

A layer's own settings become the arguments of its op. What follows the op in the layer, an
activation, is applied again and compared with what the layer computed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from minitensor.explain import text
from minitensor.explain.explanation import Explanation, explain
from minitensor.explain.views import paths
from minitensor.explain.windowed import whole
from minitensor.explain.words import say
from minitensor.keras import Sequential, layers
from minitensor.keras.engine import Layer
from minitensor.keras.engine.calling import Call, calls
from minitensor.keras.summary.facts import Row, calls_no_other, rows_of

Arguments = tuple[str, dict[str, Any]]


def _window(layer: Any, rank: int) -> dict[str, Any]:
    """Strides, padding and layout, as tf.nn has them of so many axes."""
    first = layer.data_format == "channels_first"
    steps = list(layer.strides) * (rank // layer.rank)
    names = {1: "NCW NWC", 2: "NCHW NHWC", 3: "NCDHW NDHWC"}[rank].split()
    return {
        "strides": [1, 1, *steps] if first else [1, *steps, 1],
        "padding": layer.padding.upper(),
        "data_format": names[not first],
    }


def _kernel(layer: Any, x: Any, op: str, rank: int = 0, **weights: Any) -> Arguments:
    rank = rank or layer.rank
    words = {"input": x, **weights, **_window(layer, rank)}
    if any(n > 1 for n in layer.dilation_rate):
        words["dilations"] = [1] * (rank - layer.rank) + list(layer.dilation_rate)
    if rank == 1 and "transpose" not in op:
        words["stride"] = words.pop("strides")
    if layer.bias is not None:
        words["bias"] = layer.bias
    return op, words


def _conv(layer: Any, x: Any) -> Arguments:
    if layer.padding != "causal":
        return _kernel(layer, x, f"conv{layer.rank}d", filters=layer.kernel)
    _last(layer)
    words = {"stride": layer.strides[0], "dilations": layer.dilation_rate[0]}
    bias = {} if layer.bias is None else {"bias": layer.bias}
    return "causal_conv1d", {"input": x, "filters": layer.kernel, **words, **bias}


def _last(layer: Any) -> None:
    """Refuses a layout that the op does not have."""
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise ValueError(f"{layer.name}: channels_first cannot be explained here")


def _transposed(layer: Any, x: Any) -> Arguments:
    shape = list(layer.compute_output_shape(x.shape))
    op = f"conv{layer.rank}d_transpose"
    return _kernel(layer, x, op, filters=layer.kernel, output_shape=shape)


def _flat(layer: Any, x: Any, *kernels: Any) -> list[Any]:
    """Over one axis: signals and kernels as images one pixel high."""
    if layer.rank == 2:
        return [x, *kernels]
    row = 2 if layer.data_format == "channels_first" else 1
    return [np.expand_dims(x, row), *(whole(kernel)[None] for kernel in kernels)]


def _depthwise(layer: Any, x: Any) -> Arguments:
    x, kernel = _flat(layer, x, layer.kernel)
    return _kernel(layer, x, "depthwise_conv2d", 2, filter=kernel)


def _separable(layer: Any, x: Any) -> Arguments:
    x, depthwise, pointwise = _flat(layer, x, layer.depthwise_kernel, layer.pointwise_kernel)
    words = {"depthwise_filter": depthwise, "pointwise_filter": pointwise}
    return _kernel(layer, x, "separable_conv2d", 2, **words)


def _dense(layer: Any, x: Any) -> Arguments:
    bias = {} if layer.bias is None else {"bias": layer.bias}
    return "dense", {"input": x, "kernel": layer.kernel, **bias}


def _pool(layer: Any, x: Any) -> Arguments:
    taps = [layer.pool_size] if isinstance(layer.pool_size, int) else list(layer.pool_size)
    words = {"input": x, "ksize": taps, **_window(layer, layer.rank)}
    return f"{layer.kind.lower()}_pool{layer.rank}d", words


def _global(layer: Any, x: Any) -> Arguments:
    names = {1: "NCW", 2: "NCHW", 3: "NCDHW"}
    layout = names[layer.rank] if layer.data_format == "channels_first" else None
    return f"global_{layer.kind.lower()}_pool", {"input": x, "data_format": layout}


def _upsampling(layer: Any, x: Any) -> Arguments:
    _last(layer)
    words = {"size": layer.size, "interpolation": getattr(layer, "interpolation", "nearest")}
    return "upsampling", {"input": x, **words}


def _batch_norm(layer: Any, x: Any) -> Arguments:
    """In inference, as a model is explained."""
    axis = (layer.axis if isinstance(layer.axis, int) else layer.axis[0]) % x.ndim
    shape = [n if a == axis else 1 for a, n in enumerate(x.shape)]
    vectors = {
        "mean": layer.moving_mean,
        "variance": layer.moving_variance,
        "offset": np.zeros(x.shape[axis], x.dtype) if layer.beta is None else layer.beta,
        "scale": np.ones(x.shape[axis], x.dtype) if layer.gamma is None else layer.gamma,
    }
    spread = {name: np.reshape(whole(vector), shape) for name, vector in vectors.items()}
    return "batch_normalization", {"x": x, **spread, "variance_epsilon": layer.epsilon}


def _layer_norm(layer: Any, x: Any) -> Arguments:
    words = {"scale": layer.gamma, "offset": layer.beta, "axis": layer.axis}
    return "layer_normalization", {"x": x, **words, "epsilon": layer.epsilon}


def _group_norm(layer: Any, x: Any) -> Arguments:
    if layer.axis % x.ndim != x.ndim - 1:
        raise ValueError(f"{layer.name}: axis {layer.axis} cannot be explained, only the last")
    words = {"scale": layer.gamma, "offset": layer.beta, "groups": layer.groups}
    return "group_normalization", {"x": x, **words, "epsilon": layer.epsilon}


def _of_ranks(names: str, row: Callable[[Any, Any], Arguments]) -> dict[type, Any]:
    """The row of layers over one, two and three axes, those that there are."""
    found = (getattr(layers, f"{n}{rank}D", None) for n in names.split() for rank in (1, 2, 3))
    return {cls: row for cls in found if cls is not None}


TABLE: dict[type, Callable[[Any, Any], Arguments]] = {
    **{getattr(layers, f"Conv{rank}D"): _conv for rank in (1, 2, 3)},
    **{getattr(layers, f"Conv{rank}DTranspose"): _transposed for rank in (1, 2, 3)},
    **_of_ranks("DepthwiseConv", _depthwise),
    **_of_ranks("SeparableConv", _separable),
    layers.Dense: _dense,
    **_of_ranks("MaxPooling AveragePooling", _pool),
    **_of_ranks("GlobalMaxPooling GlobalAveragePooling", _global),
    **_of_ranks("UpSampling", _upsampling),
    layers.BatchNormalization: _batch_norm,
    layers.LayerNormalization: _layer_norm,
    layers.GroupNormalization: _group_norm,
}


def explain_layer(layer: Any, x: Any, **words: Any) -> Explanation | ModelExplanation:
    """A layer's number, or every layer of a model.

    Raises:
        ValueError: no such layer can be explained.
        ArithmeticError: the layer computes something else than its op and its activation.
    """
    if not calls_no_other(layer):
        if set(words) - {"lang"}:
            raise ValueError("a model has no one number: explain it, and ask for [layer's name]")
        return ModelExplanation(layer, x, **words)
    if type(layer) not in TABLE:
        known = ", ".join(cls.__name__ for cls in TABLE)
        raise ValueError(f"{type(layer).__name__} cannot be explained; these layers can: {known}")
    x = np.asarray(whole(x))
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{layer.name}: the input must hold numbers, got {x.dtype}")
    y = whole(layer(x))
    op, arguments = TABLE[type(layer)](layer, whole(x))
    given = {k: whole(v) for k, v in arguments.items()}
    at = words.pop("at", None)
    found: Explanation = explain(op, **(given | words))
    if at is not None:
        own = {"output": y.shape, next(iter(given)): x.shape}.get(found.call.asked)
        place = _there(at, own, found.call.numbers.shape)
        found = Explanation(found.call, found.op, place, found.lang)
    activation = getattr(layer, "activation", None)
    same = whole(found.call.output if activation is None else activation(found.call.output))
    size = float(np.abs(same).max(initial=1))
    if not np.allclose(same.reshape(y.shape), y, rtol=1e-4, atol=1e-4 * size):
        raise ArithmeticError(f"{layer.name}: the layer and its op {op} do not compute the same")
    return found


def _there(at: Any, own: Any, shape: Any) -> Any:
    """The index in an op's array of a number of the layer's, which may have other axes."""
    if own is None or own == shape or np.shape(at) != (len(own),):
        return at
    if any(not 0 <= i < n for i, n in zip(at, own, strict=True)):
        ranges = ", ".join(f"0..{n - 1}" for n in own)
        raise ValueError(f"at={at!r}: of the shape {own} legal are {ranges}")
    return np.unravel_index(np.ravel_multi_index(at, own), shape)


# ----- models -----


@dataclass(frozen=True)
class Step:
    """A layer of a model: its row in the summary, what came in, and its explanation, if any."""

    row: Row
    inputs: Any
    explanation: Explanation | None

    def line(self, lang: str) -> list[str]:
        """Layer, output shape, receptive field, multiply-adds, window."""
        facts, e = self.row.facts, self.explanation
        fields = "" if facts is None or facts.field is None else "x".join(
            f"{width:g}" for width, _ in facts.field) or "all"  # fmt: skip
        shape, macs = ("", "") if facts is None else (str(facts.shapes[0]), f"{facts.macs:,}")
        laws = "" if e is None else "; ".join(s.text(lang).split(";")[0] for s in e.shape_steps)
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

    def __init__(self, model: Any, x: Any, lang: str = "en") -> None:
        self.model, self.lang = model, lang
        seen, outer = _Observer(), calls.current
        calls.current = Call(False, observer=seen)
        try:
            model(x)
        finally:
            calls.current = outer
        rows = rows_of(model, True, None)
        self.steps = [self._step(row, seen.inputs.get(id(row.layer))) for row in rows]

    def _step(self, row: Row, inputs: Any) -> Step:
        found = None
        if type(row.layer) in TABLE and hasattr(inputs, "shape"):
            with contextlib.suppress(ValueError):  # of settings that cannot be explained
                found = explain_layer(row.layer, inputs, lang=self.lang)
        return Step(row, inputs, found if isinstance(found, Explanation) else None)

    def __getitem__(self, name: str) -> Explanation:
        for step in self.steps:
            if step.row.layer.name == name and step.explanation is not None:
                return step.explanation
        known = [s.row.layer.name for s in self.steps if s.explanation is not None]
        raise ValueError(f"no explained layer {name!r}; there are {', '.join(known)}")

    def reach(self) -> list[tuple[str, np.ndarray]]:
        """After each layer that slides a window: how often a number reads each pixel of a row.

        Zeros are the holes that stacked dilations leave (gridding). It ends before the first layer
        that enlarges.

        Raises:
            ValueError: the layers are not one after the other.
        """
        if not isinstance(self.model, Sequential):
            raise ValueError("the view 'reach' is for a Sequential: one layer after the other")
        windows, found = [], []
        for step in self.steps:
            if step.explanation is None or not step.explanation.map.rank:
                continue
            links = step.explanation.map.links
            if links is None or step.explanation.map.transposed:
                break
            window, axis = links.axes[-1]
            windows.append((window.kernel[axis], window.stride[axis], window.dilation[axis]))
            found.append((step.row.layer.name, paths(windows)))
        return found

    def _reach(self) -> list[text.Line]:
        out: list[text.Line] = []
        for name, counts in self.reach():
            words = {"span": len(counts), "read": np.count_nonzero(counts)}
            out += [[(f"{name}: {say('sees', self.lang, **words)}", "")], text.pattern(counts)]
        return out

    def _lines(self) -> list[text.Line]:
        head = say("model_head", self.lang).split("|")
        table = [[(word, text.HEAD) for word in head]]
        table += [[(cell, "") for cell in step.line(self.lang)] for step in self.steps]
        return text.grid(table)

    def print(self, *views: str) -> None:
        """The table; with the view "reach", what a number of each layer sees of a row."""
        if not set(views) <= {"reach"}:
            raise ValueError(f"views of a model: legal is 'reach', got {', '.join(views)}")
        text.show(self._lines() + (self._reach() if views else []))

    def __str__(self) -> str:
        return text.plain(self._lines())

    def _repr_html_(self) -> str:
        """The table, each line of which opens."""
        return "\n".join(self._details())

    def _details(self) -> Iterator[str]:
        for step in self.steps:
            words: Sequence[str] = [escape(cell) for cell in step.line(self.lang) if cell]
            inside = "" if step.explanation is None else step.explanation._repr_html_()
            yield f"<details><summary>{' · '.join(words)}</summary>{inside}</details>"
