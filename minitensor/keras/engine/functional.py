"""A functional model: the calls that lead from its inputs to its outputs, run again.

The depth of a call is the longest way from it to an output. Calls run from the deepest on; layers
of one depth stand as they were met on the way back from the outputs. This is Keras' order, so a
list of weights means the same to both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from minitensor.autograd.tree import flatten, map_structure
from minitensor.keras.engine.calling import shape_of, sizes, symbols, to_input
from minitensor.keras.engine.functional_config import functional_config
from minitensor.keras.engine.input_layer import InputLayer, renamed_inputs
from minitensor.keras.engine.keras_tensor import KerasTensor, Node, nodes_known
from minitensor.keras.engine.layer import Layer
from minitensor.keras.engine.masking import mask_of, set_mask, takes
from minitensor.keras.engine.model import Model


class Functional(Model):
    """What `Model(inputs, outputs)` makes.

    Args:
        inputs, outputs: symbolic tensors, or lists or dictionaries of them.
        name: the model's name.
        trainable: whether training changes its weights.

    Example:
        >>> import minitensor as tf
        >>> x = tf.keras.Input((3,))
        >>> model = tf.keras.Model(x, tf.keras.layers.Dense(1)(x))
        >>> [layer.name for layer in model.layers][0][:5], model([[1.0, 2.0, 3.0]]).shape.as_list()
        ('input', [1, 1])

    Source: keras.Model
    """

    _first_call = 1
    _is_functional = _has_architecture = True

    def __init__(
        self, inputs: Any, outputs: Any, name: str | None = None, trainable: bool = True
    ) -> None:
        super().__init__(name=name)
        self.input_structure, self.output_structure = inputs, outputs
        self.inputs: list[KerasTensor] = flatten(inputs)
        self.outputs: list[KerasTensor] = flatten(outputs)
        self.nodes: list[Node] = sorted_nodes(self.inputs, self.outputs)
        self._refuse_missing_inputs()
        self.operations: list[Any] = list(dict.fromkeys(node.layer for node in self.nodes))
        names = Counter(layer.name for layer in self.operations)
        for name in (name for name, count in names.items() if count > 1):
            raise ValueError(
                f'The name "{name}" is used {names[name]} times in the model. All operation names '
                "should be unique."
            )
        self.built = True
        if not trainable:
            self.trainable = False

    def _refuse_missing_inputs(self) -> None:
        given = {id(t) for t in self.inputs}
        for node in self.nodes:
            if isinstance(node.layer, InputLayer) and id(node.outputs) not in given:
                raise ValueError(
                    f"Graph disconnected: the outputs need {node.outputs}, which is not among the "
                    f"inputs {self.inputs}."
                )

    def get_config(self) -> dict[str, Any]:
        """Its layers and their calls, as values that JSON can hold."""
        return functional_config(self)

    def __getstate__(self) -> dict[str, Any]:
        """The calls first, each after those it needs: so no copy has to look far ahead."""
        state = super().__getstate__()
        return {"nodes": state.pop("nodes"), **state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        nodes_known(self.nodes)

    @property
    def layers(self) -> list[Layer]:
        """The layers in the order in which they run, inputs too, without the operations."""
        return [layer for layer in self.operations if isinstance(layer, Layer)]

    @property
    def output_names(self) -> list[str]:
        """The name of the layer that gives each output."""
        return [t.node.layer.name for t in self.outputs if t.node is not None]

    @property
    def knows_input(self) -> bool:
        """True."""
        return True

    @property
    def input_dtype(self) -> None:
        """None: each input says its own."""
        return None

    @property
    def input(self) -> Any:
        """Its symbolic inputs."""
        return self.input_structure

    @property
    def output(self) -> Any:
        """Its symbolic outputs."""
        return self.output_structure

    @property
    def input_shape(self) -> Any:
        """Shape of the input, or shapes."""
        alone = len(self.inputs) == 1
        return self.inputs[0].shape if alone else shape_of(self.input_structure)

    @property
    def output_shape(self) -> Any:
        """Shape of the output, or shapes."""
        alone = len(self.outputs) == 1
        return self.outputs[0].shape if alone else shape_of(self.output_structure)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Runs the layers; `mask` is of the inputs."""
        given = self._matched(inputs)
        for x, of_x in zip(given, flatten(mask), strict=False):
            if of_x is not None:
                set_mask(x, of_x)
        return self._run(given, lambda layer, args, kw: layer(*args, **kw))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes that come out for shapes that come in."""
        given = self._matched(symbols(input_shape, self.compute_dtype))
        return shape_of(self._run(given, lambda layer, args, kw: layer.symbolic_call(args, kw)))

    def _matched(self, inputs: Any) -> list[Any]:
        """One tensor for each input, in their order; a dictionary is read by the inputs' names."""
        given = self._named(inputs) if isinstance(inputs, dict) else flatten(inputs)
        if len(given) != len(self.inputs):
            raise ValueError(
                f"Layer {self.name} expects {len(self.inputs)} input(s), but it received "
                f"{len(given)} input tensors."
            )
        given = [to_input(t, symbol) for t, symbol in zip(given, self.inputs, strict=True)]
        for i, tensor in enumerate(given):
            # a batch size that was told is that of the tensors drawn, not of those that come
            found, wanted = sizes(tensor), (None, *self.inputs[i].shape[1:])
            pairs = zip(found, wanted, strict=False)
            if len(found) != len(wanted) or not all(None in p or p[0] == p[1] for p in pairs):
                raise ValueError(
                    f"Input {i} of layer {self.name} is incompatible with the layer: "
                    f"expected shape={wanted}, found shape={found}"
                )
        return given

    def _named(self, inputs: dict[str, Any]) -> list[Any]:
        """The entries of a dictionary for the inputs; more of them are not looked at."""
        keyed = isinstance(self.input_structure, dict)
        drawn = [t.node.layer.name for t in self.inputs if t.node is not None]
        names = list(self.input_structure) if keyed else drawn
        for name in (name for name in names if name not in inputs):
            raise ValueError(
                f'Missing data for input "{name}". You passed a data dictionary with keys '
                f"{list(inputs)}. Expected the following keys: {names}.{renamed_inputs(inputs)}"
            )
        found = {name: inputs[name] for name in names}
        return flatten(found) if keyed else list(found.values())

    def _run(self, given: list[Any], apply: Callable[[Layer, Any, Any], Any]) -> Any:
        known = {id(symbol): value for symbol, value in zip(self.inputs, given, strict=True)}

        def value(item: Any) -> Any:
            return known[id(item)] if isinstance(item, KerasTensor) else item

        for node in self.nodes:
            made = [id(tensor) for tensor in node.tensors]
            if known.keys() >= {*made}:
                continue
            args = tuple([map_structure(value, arg) for arg in node.args])
            kwargs = {name: map_structure(value, arg) for name, arg in node.kwargs.items()}
            known.update(zip(made, flatten(apply(node.layer, args, kwargs)), strict=False))
        found = map_structure(value, self.output_structure)
        if len(self.outputs) == 1 and isinstance(found, list | tuple):
            return flatten(found)[0]  # Model([x], [y]) gives no list
        return found


# ----- the order of the calls -----


def sorted_nodes(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> list[Node]:
    """Every call on a way from the inputs to the outputs, in the order in which they run.

    Raises:
        ValueError: an output needs a tensor that the inputs do not lead to.
    """
    given = {id(t) for t in inputs}
    finished, met = _backwards(given, outputs)
    depth: dict[Node, int] = defaultdict(int)
    layer_depth: dict[Any, int] = defaultdict(int)
    mask_depth: dict[int, int] = defaultdict(int)
    for node in reversed(finished):
        depth[node] = layer_depth[node.layer] = max(depth[node], layer_depth[node.layer])
        before = _before(node, given)
        for other in before:
            depth[other] = max(depth[other], depth[node] + 1)
        if before and any(mask_of(tensor) is not None for tensor in [*node.inputs, *node.tensors]):
            _pass_masks(node, depth, mask_depth)
    return sorted(finished, key=lambda node: (-depth[node], met[node.layer]))


def _before(node: Node, given: set[int]) -> list[Node]:
    """The calls that made the arguments of a call; none if what it made is given."""
    if any(id(t) in given for t in node.tensors):
        return []
    for tensor in node.inputs:
        if tensor.node is None:
            raise ValueError(f"Graph disconnected: cannot find where {tensor} comes from.")
    return [tensor.node for tensor in node.inputs if tensor.node is not None]


def _pass_masks(node: Node, depth: dict[Node, int], mask_depth: dict[int, int]) -> None:
    """Makes deeper what a mask is made of: in Keras that is done by calls of their own.

    Args:
        node: a call whose depth is known.
        depth: of calls.
        mask_depth: of what makes each mask, by its id; 0 if nobody asks for it.
    """
    made, given = mask_of(node.tensors[0]), [mask_of(x) for x in node.inputs]
    below, source = mask_depth[id(made)], node.inputs[0].node
    steps: list[tuple[Any, int]] = []
    if node.layer._mask_calls and below and source is not None:
        depth[source] = max(depth[source], below + node.layer._mask_calls)
    elif below and not any(mask is made for mask in given):  # one of all: m[0] | m[1] | m[2]
        steps = [(m, below + len(given) - max(place, 1)) for place, m in enumerate(given)]
    if takes(node.layer, "mask"):  # Keras draws no such call for a query_mask
        steps += [(mask, depth[node] + 1) for mask in given]
    for mask, least in steps:
        if mask is not None:
            mask_depth[id(mask)] = max(mask_depth[id(mask)], least)


def _backwards(given: set[int], outputs: list[KerasTensor]) -> tuple[list[Node], dict[Layer, int]]:
    """The way back from the outputs, depth first, arguments from the left.

    Returns:
        The calls, each after all those it needs; and of each layer, as the how manieth it was met.
    """
    done: dict[Node, None] = {}
    met: dict[Layer, int] = {}
    waiting = [(node, False) for node in reversed(_made(outputs))]
    while waiting:
        node, ready = waiting.pop()
        if ready:
            done[node] = None
        elif node not in done:
            met.setdefault(node.layer, len(met))
            waiting.append((node, True))
            waiting.extend((other, False) for other in reversed(_before(node, given)))
    return list(done), met


def _made(tensors: list[KerasTensor]) -> list[Node]:
    for tensor in tensors:
        if getattr(tensor, "node", None) is None:
            raise ValueError(f"The outputs of a model must come from layers. Received: {tensor}")
    return [tensor.node for tensor in tensors if tensor.node is not None]
