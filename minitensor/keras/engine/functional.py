"""A model drawn with Input: the calls that lead from its inputs to its outputs, run again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from minitensor.keras.engine.calling import as_drawn, shape_of, sizes, symbols
from minitensor.keras.engine.functional_config import functional_arguments, functional_config
from minitensor.keras.engine.graph import sorted_nodes
from minitensor.keras.engine.layer import Layer
from minitensor.keras.engine.model import Model
from minitensor.keras.engine.node import KerasTensor, Node
from minitensor.keras.engine.symbolic import InputLayer
from minitensor.keras.engine.tree import leaves, mapped


class Functional(Model):
    """What `Model(inputs, outputs)` makes.

    Args:
        inputs, outputs: symbolic tensors, or lists or dictionaries of them.
        name: the model's name.
        trainable: whether training changes its weights.

    Example:
        >>> from minitensor import keras
        >>> x = keras.Input((3,))
        >>> model = keras.Model(x, keras.layers.Dense(1)(x))
        >>> [layer.name for layer in model.layers][0][:5], model([[1.0, 2.0, 3.0]]).shape.as_list()
        ('input', [1, 1])

    Source: keras.Model
    """

    _first_call = 1

    def __init__(
        self, inputs: Any, outputs: Any, name: str | None = None, trainable: bool = True
    ) -> None:
        super().__init__(name=name)
        self.input_structure, self.output_structure = inputs, outputs
        self.inputs: list[KerasTensor] = list(leaves(inputs))
        self.outputs: list[KerasTensor] = list(leaves(outputs))
        self.nodes: list[Node] = sorted_nodes(self.inputs, self.outputs)
        self._refuse_missing_inputs()
        self.operations: list[Layer] = list(dict.fromkeys(node.layer for node in self.nodes))
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

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The model that `config` describes, with fresh weights."""
        return cls(**functional_arguments(config))

    @property
    def layers(self) -> list[Layer]:
        """The layers in the order in which they run, inputs too."""
        return list(self.operations)

    @property
    def output_names(self) -> list[str]:
        """The name of the layer that gives each output."""
        return [t.node.layer.name for t in self.outputs if t.node is not None]

    @property
    def knows_input(self) -> bool:
        """True."""
        return True

    @property
    def input(self) -> Any:
        """The symbolic inputs it was drawn from."""
        return self.input_structure

    @property
    def output(self) -> Any:
        """The symbolic outputs it was drawn to."""
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

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Runs the layers."""
        return self._run(self._matched(inputs), lambda layer, args, kw: layer(*args, **kw))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes that come out for shapes that come in."""
        given = self._matched(symbols(input_shape, self.dtype))
        return shape_of(self._run(given, lambda layer, args, kw: layer.drawn(args, kw)))

    def _matched(self, inputs: Any) -> list[Any]:
        """One tensor for each input, in their order; a dictionary is read by the inputs' names."""
        if isinstance(inputs, dict) and not isinstance(self.input_structure, dict):
            given = [inputs[t.node.layer.name] for t in self.inputs if t.node is not None]
        else:
            given = list(leaves(inputs))
        if len(given) != len(self.inputs):
            raise ValueError(
                f"Layer {self.name} expects {len(self.inputs)} input(s), but it received "
                f"{len(given)} input tensors."
            )
        given = [as_drawn(t, drawn) for t, drawn in zip(given, self.inputs, strict=True)]
        for i, (tensor, drawn) in enumerate(zip(given, self.inputs, strict=True)):
            found, wanted = sizes(tensor), drawn.shape
            fits = len(found) == len(wanted) and all(
                None in pair or pair[0] == pair[1] for pair in zip(found, wanted, strict=True)
            )
            if not fits:
                raise ValueError(
                    f"Input {i} of layer {self.name} is incompatible with the layer: "
                    f"expected shape={wanted}, found shape={found}"
                )
        return given

    def _run(self, given: list[Any], apply: Callable[[Layer, Any, Any], Any]) -> Any:
        known = {id(drawn): value for drawn, value in zip(self.inputs, given, strict=True)}

        def value(item: Any) -> Any:
            return known[id(item)] if isinstance(item, KerasTensor) else item

        for node in self.nodes:
            if all(id(tensor) in known for tensor in leaves(node.outputs)):
                continue
            args = tuple(mapped(value, arg) for arg in node.args)
            kwargs = {name: mapped(value, arg) for name, arg in node.kwargs.items()}
            results = leaves(apply(node.layer, args, kwargs))
            known |= {id(t): next(results) for t in leaves(node.outputs)}
        found = mapped(value, self.output_structure)
        if len(self.outputs) == 1 and isinstance(found, list | tuple):
            return next(leaves(found))  # Model([x], [y]) gives no list
        return found
