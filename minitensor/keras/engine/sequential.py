"""A model that is a list of layers, each fed with what the one before gives."""

from __future__ import annotations

from typing import Any, Self

from minitensor.autograd.tree import flatten, map_structure
from minitensor.keras.engine.calling import on_device_of, shape_of, sizes, symbols, to_input
from minitensor.keras.engine.input_layer import InputLayer
from minitensor.keras.engine.keras_tensor import KerasTensor, nodes_known
from minitensor.keras.engine.layer import Layer
from minitensor.keras.engine.masking import set_mask
from minitensor.keras.engine.model import Model
from minitensor.keras.serialization.objects import deserialize, serialize
from minitensor.keras.serialization.registry import Objects, custom_object_scope


class Sequential(Model):
    """Layers one after the other.

    y = layers[-1](... layers[1](layers[0](x)))

    Args:
        layers: a list of them; more come by `add`.
        trainable: whether training changes its weights.
        name: the model's name.

    Raises:
        TypeError: something that is no layer.
        ValueError: a layer of the name of another.

    Example:
        >>> import minitensor as tf
        >>> model = tf.keras.Sequential([tf.keras.layers.Dense(256, activation="relu")])
        >>> model.add(tf.keras.layers.Dense(10))
        >>> model.build(input_shape=(4, 784))
        >>> model.count_params()
        203530

    Source: keras.Sequential
    """

    _has_architecture = True

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(name=name, trainable=trainable)
        self._stack: list[Layer] = []
        self._names: set[str] = set()  # of all that was added: who has none of them needs no search
        self._knows_input = False
        self._symbolic: list[KerasTensor] = []  # its input, then what each layer makes of it
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Puts a layer at the end; an Input at the beginning tells the shape."""
        if isinstance(layer, KerasTensor) and layer.node is not None:
            layer = layer.node.layer
        if not isinstance(layer, Layer):
            raise TypeError(
                "Only instances of `keras.Layer` can be added to a Sequential model. "
                f"Received: {layer} (of type {type(layer)})"
            )
        self._refuse_name_of_another(layer)
        if isinstance(layer, InputLayer):
            self._knows_input = True
            return self._begin(layer.output)
        self._stack.append(layer)
        if self._symbolic:
            self._symbolic.append(layer(self._symbolic[-1]))
        else:
            self.built = False
            self._begin_with(layer)
        return None

    def _refuse_name_of_another(self, layer: Layer) -> None:
        begun = [self._symbolic[0].node.layer] if self._symbolic else []  # type: ignore[union-attr]
        rivals = begun + (self._stack if layer.name in self._names else [])
        if any(layer.name == other.name and layer is not other for other in rivals):
            raise ValueError(
                "All layers added to a Sequential model should have unique names. Name "
                f"'{layer.name}' is already the name of a layer in this model. Update the `name` "
                "argument to pass a unique name."
            )
        self._names.add(layer.name)

    def _begin_with(self, layer: Layer) -> None:
        """Draws the model if its first layer knows the shape of its input."""
        shape = layer.batch_input_shape
        if shape is None and isinstance(layer, Model) and layer.built:
            inputs: Any = getattr(layer, "inputs", ())
            shape = inputs[0].shape if len(inputs) == 1 else None
        if len(self._stack) == 1 and shape is not None:
            self._knows_input = True
            self._begin(InputLayer(batch_shape=shape, dtype=layer.compute_dtype).output)

    def _begin(self, start: KerasTensor) -> None:
        self._symbolic = [start]
        for layer in self._stack:
            self._symbolic.append(layer(self._symbolic[-1]))
        self.built = True

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the last layer out."""
        layer = self._stack.pop()
        if self._symbolic:
            self._symbolic.pop()
            layer._nodes.pop()
        return layer

    def build(self, input_shape: Any = None) -> None:
        """Builds every layer for inputs of this shape."""
        if not isinstance(input_shape, list | tuple):
            raise ValueError(f"build needs the shape of a batch. Received: {input_shape!r}")
        kind = self._stack[0].compute_dtype if self._stack else self.dtype
        self._begin(InputLayer(batch_shape=tuple(input_shape), dtype=kind).output)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        alone = args and isinstance(args[0], list | tuple) and len(args[0]) == 1
        if alone and hasattr(args[0][0], "shape"):  # [x] for x, as in a functional model
            args = (args[0][0], *args[1:])
        inputs = args[0] if args else kwargs.get("inputs")
        if not self.built and hasattr(inputs, "shape"):
            with on_device_of(inputs):
                self.build(sizes(inputs))
        return super().__call__(*args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Runs the layers; `mask` is of the input."""
        if self._symbolic:
            inputs = to_input(inputs, self._symbolic[0])
        if mask is not None:
            set_mask(inputs, mask)
        for layer in self._stack:
            inputs = layer(inputs)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape that comes out for a shape that comes in."""
        x = symbols(input_shape, self.compute_dtype)
        for layer in self._stack:
            x = layer.symbolic_call((x,), {})
        return shape_of(x)

    @property
    def knows_input(self) -> bool:
        """Whether its first layer, or an Input, told the shape."""
        return self._knows_input

    def get_config(self) -> dict[str, Any]:
        """Its layers, as values that JSON can hold, and the shape of its input if it is known."""
        begun = bool(self._symbolic)
        first = [serialize(self.inputs[0].node.layer)] if begun else []  # type: ignore[union-attr]
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype_policy.name,
            "layers": first + [serialize(layer) for layer in self.layers],
        }
        return config | ({"build_input_shape": self.input_shape} if begun else {})

    @classmethod
    def from_config(cls, config: Any, custom_objects: Objects | None = None) -> Self:
        """The model that `config` describes, with fresh weights."""
        with custom_object_scope(custom_objects or {}):
            return cls._from_config(config)

    @classmethod
    def _from_config(cls, config: Any) -> Self:
        if isinstance(config, list):  # Keras' oldest files have the list alone
            config = {"layers": config}
        model = cls(name=config.get("name"))
        for layer in config["layers"]:
            model.add(deserialize(layer))
        shape = config.get("build_input_shape")
        if shape is not None and not model.built:
            model.build(tuple(shape))
        if not config.get("trainable", True):
            model.trainable = False
        return model

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        nodes_known([t.node for t in flatten(self._symbolic) if t.node is not None])

    @property
    def layers(self) -> list[Layer]:
        """The layers in their order, without the input."""
        return list(self._stack)

    def _ends(self) -> tuple[KerasTensor, KerasTensor]:
        if not self._symbolic:
            raise AttributeError(
                f"The model {self.name} has no defined input yet: begin it with keras.Input(shape)."
            )
        return self._symbolic[0], self._symbolic[-1]

    @property
    def input_dtype(self) -> str | None:
        """The float type of its input."""
        return self._symbolic[0].dtype if self._symbolic else super().input_dtype

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic input, in a list."""
        return [self._ends()[0]]

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic output, in a list."""
        return flatten(self._ends()[1])

    @property
    def input(self) -> Any:
        """The symbolic tensor of the first call on symbolic tensors; before, its own input."""
        return super().input if self._nodes else self._ends()[0]

    @property
    def output(self) -> Any:
        """What the first call on symbolic tensors gave; before, its own symbolic output."""
        return super().output if self._nodes else self._ends()[1]

    @property
    def input_shape(self) -> Any:
        """Shape of the input."""
        return self._ends()[0].shape

    @property
    def output_shape(self) -> Any:
        """Shape of the output."""
        return map_structure(sizes, self._ends()[1])
