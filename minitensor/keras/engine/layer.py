"""Layer: weights, how they are made when the first input comes, and the way of a call.

A call: what comes in is made tensors of the layer's float type, the input is checked, the layer
is built if it is not, and `call` computes.

Not here: what a layer owns (`weight_container.py`), how arguments are read and shapes found
(`calling.py`), how calls on symbolic tensors become a model (`functional.py`), training.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypedDict

from minitensor.autograd.tree import flatten, map_structure
from minitensor.keras import regularizers
from minitensor.keras.engine import calling, dtype_policy, masking
from minitensor.keras.engine.calling import InputSpec, calls
from minitensor.keras.engine.dtype_policy import autocast
from minitensor.keras.engine.keras_tensor import KerasTensor, Node
from minitensor.keras.engine.weight import Weight
from minitensor.keras.engine.weight_container import WeightContainer
from minitensor.keras.serialization import names
from minitensor.keras.serialization.config import Configurable
from minitensor.keras.serialization.objects import constructor_arguments, serialize
from minitensor.missing import Hinting

__all__ = ["Common", "InputSpec", "Layer", "Named", "Regularized"]


_COMMON = ("name", "trainable", "dtype")  # in every config


class _Shared(TypedDict, total=False):
    trainable: bool
    dtype: Any
    autocast: bool
    input_shape: Any
    input_dim: int
    batch_input_shape: Any
    batch_size: int | None


class Named(_Shared, total=False):
    """`Common` for a constructor that writes `activity_regularizer` out."""

    name: str | None


class Regularized(_Shared, total=False):
    """`Common` for a constructor that writes `name` out."""

    activity_regularizer: Any


class Common(Named, Regularized, total=False):
    """The arguments that every layer takes beside its own, as `**kwargs`."""


class Layer(WeightContainer, Hinting, Configurable):
    """A function with weights: subclass it, or one of `keras.layers`.

    y = call(x); `build(shape of x)` runs once before, and makes the weights by `add_weight`

    Args:
        activity_regularizer: a function of the output, added to the loss after division by the
            number of samples.
        trainable: whether training changes its weights.
        dtype: the float type it keeps weights and computes in, or a policy for both, such as
            "mixed_float16"; default `keras.config.dtype_policy()`.
        autocast: whether floats that come in are cast to it.
        name: default the class, "conv2d_1".
        kwargs: input_shape, input_dim or batch_input_shape, for the first layer of a Sequential.

    Raises:
        ValueError: an argument that no layer has; an input that does not fit.

    Example:
        >>> import minitensor as tf
        >>> class Scale(tf.keras.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(), initializer="ones", name="factor")
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> layer = Scale()
        >>> layer([1.0, 2.0]).numpy(), layer.count_params()
        (array([1., 2.], dtype=float32), 1)

    Source: keras.layers.Layer
    """

    input_spec: InputSpec | None = None
    receptive_field: Any = None  # per spatial axis (pixels a window spans, pixels between windows)
    _supports_masking: bool | None = None  # None: as `_computes_mask` says
    _computes_mask = False  # whether it has a `compute_mask` of its own
    _settled = False  # whether its config holds the attributes that bear the names of its arguments
    _says_shape = False  # whether `compute_output_shape` is all there is to know without values
    _writes_build = _reads_build = False  # whether a program wrote get_, or build_from_config
    _mask_calls = 0  # calls by which Keras makes a mask of the input; 0: it is handed on, or merged
    _is_input = False  # whether a functional model begins with it
    _first_call = 0  # the number of its first call where it is an end of a functional model

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._weights: list[Weight] = []
        self._nodes: list[Node] = []
        self._call_losses: list[Any] = []
        self._built_for: dict[str, Any] | None = None
        self.batch_input_shape = calling.batch_input_shape(type(self), kwargs)
        self.name = name or names.fresh(type(self))
        if not isinstance(self.name, str) or "/" in self.name:
            raise ValueError(
                "Argument `name` must be a string and cannot contain character `/`. Received: "
                f"name={name!r} (of type {type(name)})"
            )
        self.built = False
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._trainable = bool(trainable)
        self._dtype_policy = dtype_policy.get(dtype)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "build" in cls.__dict__:
            cls.build = _once(cls.build)  # type: ignore[method-assign]
        if "compute_mask" in cls.__dict__:
            cls._computes_mask = True
        cls._writes_build = cls._writes_build or "get_build_config" in cls.__dict__
        cls._reads_build = cls._reads_build or "build_from_config" in cls.__dict__
        if "compute_output_shape" in cls.__dict__:
            cls._says_shape = cls.__dict__.get("_says_shape", True)
        elif "call" in cls.__dict__ and not cls.__module__.startswith("minitensor."):
            cls._says_shape = (
                False  # a program's own call: the shape that was inherited may be wrong
            )

    # ----- what a subclass writes -----

    def build(self, input_shape: Any) -> None:
        """Makes the weights for inputs of this shape; None in it means any size."""
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The output for an input."""
        raise NotImplementedError(f"Layer {type(self).__name__} does not have a `call` method.")

    @property
    def _has_call(self) -> bool:
        return type(self).call is not Layer.call

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for inputs of this shape, by a trial with zeros."""
        x = calling.symbols(input_shape, self.compute_dtype)
        self.prepare(x)
        return calling.shape_of(calling.traced(self, (x,), {}))

    def get_build_config(self) -> dict[str, Any] | None:
        """What `build_from_config` needs; in files, if it was overridden. None before `build`."""
        return self._built_for

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the layer as another of its kind was; may be overridden."""
        if "input_shape" in config:
            self.build(config["input_shape"])
        elif "shapes_dict" in config:
            self.build(**config["shapes_dict"])

    @property
    def supports_masking(self) -> bool:
        """Whether the output gets a mask; by default, if there is a `compute_mask` of its own."""
        said = self._supports_masking
        return self._computes_mask if said is None else said

    @supports_masking.setter
    def supports_masking(self, value: bool) -> None:
        self._supports_masking = bool(value)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the output, from that of the input: the same."""
        return previous_mask

    def macs(self, output_shape: Any) -> int:
        """Multiplications with an addition that one sample costs; the batch size is not read."""
        return 0

    # ----- in the config of a functional model -----

    def _config_entry(self) -> dict[str, Any]:
        return serialize(self)  # type: ignore[no-any-return]

    def _config_arguments(self, node: Node) -> tuple[Any, ...]:
        """What a call of it was given."""
        return node.args

    # ----- a call -----

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not calling.is_ready(self, args, kwargs):
            calling.refuse_settings_by_position(args)
            if any(isinstance(x, KerasTensor) for x in flatten([*args, *kwargs.values()])):
                outputs = self.symbolic_call(args, kwargs)
                self._nodes.append(Node(self, args, kwargs, outputs))
                return outputs
            args, kwargs = calling.convert_inputs(self, args, kwargs)
        inputs = calling.first(args, kwargs)
        self.prepare(inputs, (args, kwargs))
        outer, casts = calls.current, autocast.kind
        call, training = calls.enter(self.name)
        autocast.kind = dtype_policy.entered(self)
        try:
            kwargs = calling.with_training(self, kwargs, call)
            kwargs, mask = masking.with_masks(self, args, kwargs)
            if call.observer:
                call.observer.begins(self)
            y = calling.blank_output(self, args, kwargs) if call.only_shapes else None
            y = self.call(*args, **kwargs) if y is None else y
            if call.observer:
                call.observer.ends(self, inputs, y)
            if self.activity_regularizer is not None and not call.only_shapes:
                self._regularize(y)
            masking.hand_on(self, inputs, y, mask)
        finally:
            calls.leave(outer, training)
            autocast.kind = casts
        if not call.path:
            self._call_losses[:] = call.losses
        return y

    def _regularize(self, outputs: Any) -> None:
        """Adds a sample's share of what the regularizer of the outputs says."""
        assert self.activity_regularizer is not None
        for t in flatten(outputs):
            loss = self.activity_regularizer(t)
            self.add_loss(loss / max(t.shape[0], 1) if t.ndim else loss)

    def prepare(self, inputs: Any, given: calling.Given | None = None) -> None:
        """Checks the first argument of a call, and builds the layer for all that was `given`."""
        calling.check(self, inputs)
        if not self.built:
            with calling.on_device_of(inputs):
                self.build(*calling.build_shapes(self, inputs, given))
            calling.check(self, inputs)

    def add_loss(self, loss: Any) -> None:
        """Adds a number, or several, to the loss of the model in whose call this happens."""
        for value in flatten(loss):
            (calls.current.losses if calls.current else self._call_losses).append(value)

    @property
    def losses(self) -> list[Any]:
        """What regularizers add to the loss: of the last call, and of the weights."""
        kept = (v for v in self.trainable_weights if getattr(v, "regularizer", None))
        return [*self._call_losses, *(v.regularizer(v) for v in kept)]  # type: ignore[attr-defined]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The layer that `config` describes; a name that the constructor takes not is set."""
        found = constructor_arguments(cls, config)
        taken = inspect.signature(cls.__init__).parameters
        if any(p.kind is p.VAR_KEYWORD for p in taken.values()):
            return cls(**found)
        rest = {name: found.pop(name) for name in _COMMON if name in found and name not in taken}
        made = cls(**found)
        made.name = rest.get("name", made.name)
        if not rest.get("trainable", True):
            made.trainable = False
        return made

    # ----- copies, also by way of a pickle -----

    def __getstate__(self) -> dict[str, Any]:
        """All but its calls, which belong to the models that were drawn by them."""
        return {name: value for name, value in vars(self).items() if name != "_nodes"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self.__dict__.setdefault("_nodes", [])

    # ----- a call on symbolic tensors -----

    def symbolic_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The KerasTensors that a call on KerasTensors gives, builds the layer, leaves no Node."""
        first = calling.first(args, kwargs)
        self.prepare(first, (args, kwargs))
        told, mask = masking.with_masks(self, args, kwargs)
        for name in told.keys() - kwargs.keys():  # a mask that `call` is told, it may refuse
            if all(m is None for m in flatten(told[name])):
                del told[name]
        outputs = self.compute_output_spec(*args, **told)
        compute = functools.partial(calling.tried, self.compute_mask)
        masking.hand_on(self, first, outputs, mask, compute)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """KerasTensors like the outputs of a call on KerasTensors; may be overridden."""
        first = calling.first(args, kwargs)
        others = [*args[1:], *(v for v in kwargs.values() if v is not first)]
        alone = not any(isinstance(x, KerasTensor) for x in flatten(others))
        if alone and type(self).compute_output_shape is not Layer.compute_output_shape:
            shape = self.compute_output_shape(map_structure(calling.sizes, first))
            return calling.symbols(shape, self.compute_dtype)
        return calling.traced(self, args, kwargs)

    def _first_node(self, wanted: str) -> Node:
        if not self._nodes:
            raise AttributeError(
                f"The layer {self.name} has no {wanted}: it was never called on symbolic tensors. "
                f"Call it on a keras.Input, or ask a tensor that it gave."
            )
        return self._nodes[0]

    @property
    def input(self) -> Any:
        """The symbolic tensors of the first call on symbolic tensors."""
        inputs = self._first_node("input").inputs
        return inputs[0] if len(inputs) == 1 else inputs

    @property
    def output(self) -> Any:
        """The symbolic tensors that the first call on symbolic tensors gave."""
        return self._first_node("output").outputs

    def get_config(self) -> dict[str, Any]:
        """What it was made with, as values that JSON can hold."""
        common = {"name": self.name, "trainable": self._trainable, "dtype": self._dtype_policy.name}
        config = common | super().get_config() | common
        if "data_format" in config:  # as it was settled, whatever the default is elsewhere
            config["data_format"] = getattr(self, "data_format", config["data_format"])
        if self._settled:  # kernel_size=3 as (3, 3), and "relu" for the function as for the word
            mine = vars(self)
            config |= {name: serialize(mine[name]) for name in config if name in mine}
        if config.get("autocast", False):  # as nearly all are: Keras writes of none whether it is
            del config["autocast"]
        return {name: value for name, value in config.items() if name not in calling.SHAPES}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _once(build: Callable[..., None]) -> Callable[..., None]:
    """A `build` that runs once, and says that it ran."""

    @functools.wraps(build)
    def built(self: Layer, *args: Any, **kwargs: Any) -> None:
        if not self.built:
            build(self, *args, **kwargs)
            self.built = True
            shapes = inspect.signature(build).bind(self, *args, **kwargs).arguments
            shapes.pop(next(iter(shapes)))
            alone = len(shapes) == 1
            known = next(iter(shapes.values())) if alone else shapes
            self._built_for = {"input_shape" if alone else "shapes_dict": known}

    return built
