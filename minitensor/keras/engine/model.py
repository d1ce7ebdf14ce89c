"""Model: a layer that is whole, so that it can be trained, saved and described.

Training is in `keras.training`, files in `keras.saving`, tables in `keras.summary`.
"""

from __future__ import annotations

import inspect
from typing import Any

from minitensor.array import zeros
from minitensor.autograd.tree import map_structure
from minitensor.keras import summary
from minitensor.keras.engine.calling import only_shapes, sizes, symbols
from minitensor.keras.engine.functional_config import functional_arguments
from minitensor.keras.engine.input_layer import renamed_inputs
from minitensor.keras.engine.layer import Layer
from minitensor.keras.serialization.registry import Objects, custom_object_scope
from minitensor.keras.training.trainer import Trainer


class Model(Trainer, Layer):
    """Layers that make one function: subclass it and write `call`, or draw it with `Input`.

    Args:
        inputs, outputs: symbolic tensors, or lists or dictionaries of them, for a functional model.
        kwargs: trainable, dtype, name.

    Raises:
        ValueError: the outputs do not follow from the inputs.

    Example:
        >>> import minitensor as tf
        >>> x = tf.keras.Input((8, 8, 1))
        >>> y = tf.keras.layers.Flatten()(tf.keras.layers.Conv2D(2, 3)(x))
        >>> tf.keras.Model(inputs=x, outputs=y).output_shape
        (None, 72)

    Source: keras.Model
    """

    _is_functional = False
    _has_architecture = False  # whether its config says which layers it has, and their calls

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and (len(args) >= 2 or {"inputs", "outputs"} & set(kwargs)):
            from minitensor.keras.engine.functional import Functional

            return super().__new__(Functional, *args, **kwargs)  # type: ignore[call-overload]
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or {"inputs", "outputs"} & set(kwargs):
            _as_functional(type(self)).__init__(self, *args, **kwargs)
            return
        super().__init__(**kwargs)
        self.called_with: Any = None  # the shape of its first input
        self._init_training()

    def __getstate__(self) -> dict[str, Any]:
        """A copy of it is in no fit and of no strategy."""
        return super().__getstate__() | {"_fit": None, "_distribute_strategy": None}

    def get_config(self) -> dict[str, Any]:
        """What it was made with, as values that JSON can hold."""
        config, taken = super().get_config(), inspect.signature(type(self).__init__).parameters
        if any(p.kind is p.VAR_KEYWORD for p in taken.values()):
            return config
        return {name: value for name, value in config.items() if name in taken}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Objects | None = None) -> Any:
        """The model that `config` describes: a functional one, or what the class makes of it."""
        with custom_object_scope(custom_objects or {}):
            if {"layers", "input_layers", "output_layers"} <= set(config) and _draws(cls):
                return cls(**functional_arguments(config))
            return super().from_config(config)

    # ----- what it consists of -----

    @property
    def knows_input(self) -> bool:
        """Whether it was told the shape of its input when it was made."""
        return False

    @property
    def layers(self) -> list[Layer]:
        """The layers it is directly made of."""
        return self.sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name, or by its place in `layers`."""
        if (name is None) == (index is None):
            raise ValueError(f"Give a name or an index. Received: name={name}, index={index}")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has "
                    f"{len(self.layers)} layers."
                )
            return self.layers[index]
        found = list(dict.fromkeys(layer for layer in self.layers if layer.name == name))
        if len(found) > 1:
            raise ValueError(f"{len(found)} layers are called {name!r}; ask by index: {found}")
        if found:
            return found[0]
        names = ", ".join(layer.name for layer in self.layers)
        raise ValueError(
            f"No such layer: {name}. Existing layers are: {names}.{renamed_inputs([name])}"
        )

    def prepare(self, inputs: Any, given: Any = None) -> None:
        """Notes the shape of the first input; the layers inside check and build themselves."""
        if self.called_with is None:
            self.called_with = map_structure(sizes, inputs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = super().__call__(*args, **kwargs)
        self.built = True
        return result

    def build(self, input_shape: Any) -> None:
        """Builds all layers, by a call on zeros of this shape; 1 where it says None."""
        trial = symbols(input_shape, self.compute_dtype)
        with only_shapes():
            self(
                map_structure(
                    lambda t: zeros([1 if n is None else n for n in t.shape], t.dtype), trial
                )
            )

    # ----- what is done with it elsewhere -----

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
        style: str | None = None,
    ) -> None:
        """Prints its layers with shapes, parameters, multiplications, bytes and receptive field.

        MACs are the multiply-adds that one sample takes, Output the bytes it leaves, and Sees the
        height and width of the patch of the input that one place of the output depends on.

        Args:
            line_length: columns of the text.
            positions: ignored.
            print_fn: called with the text instead of print.
            expand_nested: whether layers inside layers are listed too.
            show_trainable: whether a column says what training changes.
            layer_range: [first name, last name] of the layers to show.
            style: "wide" or "tf20"; default that of `keras.summary.default_style`.
        """
        summary.printed(
            self, style, line_length, print_fn, expand_nested, show_trainable, layer_range
        )

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None) -> None:
        """Writes the whole model: `.keras`, or `.h5` in Keras' old form."""
        from minitensor.keras.saving import save_model

        save_model(self, filepath, overwrite, zipped)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: Any = None
    ) -> None:
        """Writes the weights: `.weights.h5` as Keras does, or `.safetensors`."""
        from minitensor.keras.saving import save_weights

        save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(
        self, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
    ) -> None:
        """Reads weights: `.weights.h5`, `.keras`, `.h5` or `.safetensors`."""
        from minitensor.keras.saving import load_weights

        load_weights(self, filepath, skip_mismatch, by_name)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON text."""
        from minitensor.keras.saving import to_json

        return to_json(self, **kwargs)


def _draws(cls: type[Model]) -> bool:
    """Whether the class is made by `inputs` and `outputs`."""
    init = cls.__init__
    return init is Model.__init__ or {"inputs", "outputs"} <= set(
        inspect.signature(init).parameters
    )


def _as_functional(cls: type) -> Any:
    """Puts Functional in Model's place under a program's class, as Keras does.

    class Mine(Model) with a train_step of its own is then functional: Mine(inputs, outputs).

    Returns:
        Functional.
    """
    from minitensor.keras.engine.functional import Functional

    bases = tuple(Functional if base is Model else base for base in cls.__bases__)
    if bases == cls.__bases__:
        return _as_functional(next(base for base in bases if issubclass(base, Model)))
    cls.__bases__ = bases
    return Functional
