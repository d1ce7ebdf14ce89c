"""What a table says of each layer, found by running one sample of zeros through the model.

So the numbers are those of what really ran: of layers inside layers, and of ops between them. A
layer that says the shape of its output does not compute it (`calling.only_shapes`).
Receptive fields follow the tensors: an op passes on the widest of its inputs', a layer that has a
`receptive_field` widens it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minitensor.array import zeros
from minitensor.autograd import recording
from minitensor.autograd.recording import Record
from minitensor.autograd.tensor import ArrayLike
from minitensor.autograd.tree import flatten, map_structure
from minitensor.keras.engine.calling import calls_no_other, only_shapes, symbols
from minitensor.keras.engine.keras_tensor import KerasTensor
from minitensor.keras.engine.operation import Operation

if TYPE_CHECKING:
    from minitensor.keras.engine.layer import Layer
    from minitensor.keras.engine.model import Model

UNKNOWN_SIZE = 64  # pixels of an image whose size may vary, in the trial
Field = tuple[tuple[float, float], ...]  # per axis: width in pixels of the input, and step


@dataclass
class Facts:
    """Of one layer, for one sample.

    Attributes:
        shapes: of its outputs, a batch as None.
        macs: multiplications with an addition, of all calls together.
        size: bytes of its outputs.
        field: pixels of the input that an output pixel depends on, per axis; () for all of them.
    """

    shapes: list[tuple[int | None, ...]]
    macs: int = 0
    size: int = 0
    field: Field | None = None


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    layer: Layer
    depth: int  # 0 for layers of the model itself
    facts: Facts | None  # None if the trial did not call it


class _Trial:
    """Listens to a call as a tape does, and to the layers in it."""

    def __init__(self) -> None:
        self.facts: dict[Layer, Facts] = {}
        self.fields: dict[int, Field] = {}
        self._kept: list[Any] = []  # a tensor's id is its own as long as it lives
        self._total = 0
        self._begun: list[int] = []

    def notice(self, variable: Any) -> None:
        """A tape would watch the variable."""

    def append(self, entry: Record) -> None:
        """An op: its outputs see what the widest of its inputs sees."""
        self._pass_on(entry.inputs, entry.outputs)

    def _pass_on(self, inputs: Iterable[Any], outputs: Iterable[Any]) -> None:
        known = [(x, self.fields[id(x)]) for x in inputs if id(x) in self.fields]
        for output in outputs:
            if id(output) not in self.fields:
                seen = [() if _flattens(x, output) else field for x, field in known]
                # other spatial axes than before: of these no field is known
                fits = [field for field in seen if len(field) == output.ndim - 2]
                if () in seen or fits:
                    self._see(output, () if () in seen else max(fits))

    def _see(self, tensor: Any, field: Field) -> None:
        self.fields[id(tensor)] = field
        self._kept.append(tensor)

    def begins(self, layer: Layer) -> None:
        """A layer is called."""
        self._begun.append(self._total)

    def ends(self, layer: Layer, inputs: Any, outputs: Any) -> None:
        """A layer's call is done: notes what there is to say of it."""
        tensors = [t for t in flatten(outputs) if isinstance(t, ArrayLike)]
        if calls_no_other(layer):
            self._total += sum(layer.macs(tuple(t.shape)) for t in tensors[:1])
            if not self._widened(layer, inputs, tensors):
                self._pass_on(flatten(inputs), tensors)  # if no op told of it
        facts = self.facts.setdefault(layer, Facts([]))
        facts.macs += self._total - self._begun.pop()
        facts.shapes = _sizes(layer, tensors)
        facts.size += sum(t.shape.num_elements() * t.dtype.itemsize for t in tensors)
        facts.field = next((self.fields[id(t)] for t in tensors if id(t) in self.fields), None)

    def _widened(self, layer: Layer, inputs: Any, outputs: list[Any]) -> bool:
        """Whether a window of the layer says what its outputs see."""
        fields = [self.fields[id(t)] for t in flatten(inputs) if id(t) in self.fields]
        if layer.receptive_field is None or not fields or not fields[0]:
            return False
        if len(fields[0]) != len(layer.receptive_field):  # with time: the more steps, the wider
            return True
        wider = tuple(
            (width + (span - 1) * step, step * stride)
            for (width, step), (span, stride) in zip(fields[0], layer.receptive_field, strict=True)
        )
        for tensor in outputs:
            self._see(tensor, wider)
        return True


def _flattens(x: Any, y: Any) -> bool:
    """Whether an op mixes all pixels: axes go away."""
    return x.ndim > 2 >= y.ndim


def rows_of(model: Model, expand_nested: bool, layer_range: Any) -> list[Row]:
    """The lines of a model's table."""
    facts = _tried(model)
    rows = list(_rows(model, facts, 0, expand_nested))
    if layer_range is None:
        return rows
    names = [row.layer.name for row in rows]
    if len(layer_range) != 2 or not set(layer_range) <= set(names):
        raise ValueError(f"layer_range must be two names of layers. Received: {layer_range}")
    first, last = (names.index(name) for name in layer_range)
    return rows[first : last + 1]


def _rows(layer: Layer, facts: dict[Layer, Facts], depth: int, expand: bool) -> Iterator[Row]:
    for inner in operations_of(layer):
        if inner._is_input:
            facts[inner] = Facts([inner.batch_shape])
        yield Row(inner, depth, facts.get(inner))
        if expand and not calls_no_other(inner):
            yield from _rows(inner, facts, depth + 1, expand)


def operations_of(layer: Any) -> list[Any]:
    """What runs inside: layers, and the operations between them."""
    found = getattr(layer, "operations", None) or getattr(layer, "layers", None)
    return list(found or layer.sublayers())


def _tried(model: Model) -> dict[Layer, Facts]:
    """The facts of every layer that a call of the model calls."""
    trial = _Trial()
    inputs = map_structure(_zeros, _symbolic_inputs(model))
    for tensor in flatten(inputs):
        trial._see(tensor, ((1, 1),) * (tensor.ndim - 2) if tensor.ndim > 2 else ())
    recording.active.tapes.append(trial)
    try:
        with only_shapes(trial):
            model(inputs)
    finally:
        recording.active.tapes.remove(trial)
    return trial.facts


def _sizes(layer: Layer, outputs: list[Any]) -> list[tuple[int | None, ...]]:
    """The shapes of outputs; an operation's need not begin with the batch, so the drawing tells."""
    known = isinstance(layer, Operation) and layer._nodes
    drawn: list[Any] = layer._nodes[-1].tensors if known else []
    if len(drawn) == len(outputs):
        return [t.shape for t in drawn]
    return [(None, *t.shape[1:]) if t.ndim else () for t in outputs]


def _symbolic_inputs(model: Model) -> Any:
    """KerasTensors as the model takes them."""
    shape = model.input_shape if hasattr(model, "input_shape") else model.called_with
    if shape is None or not model.built:
        raise ValueError(
            f"This model has not yet been built. Build the model '{model.name}' first by calling "
            "`build()` or by calling the model on a batch of data."
        )
    known = getattr(model, "input", None)
    return symbols(shape, model.dtype) if known is None else known


def _zeros(tensor: KerasTensor) -> Any:
    sizes = [UNKNOWN_SIZE if n is None else n for n in tensor.shape[1:]]
    return zeros([1, *sizes], tensor.dtype)
