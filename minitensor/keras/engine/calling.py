"""A call of a layer: its arguments become tensors, shapes are checked and found.

`calls` is what a call tells the calls inside it.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from minitensor import backend
from minitensor.array import cast, expand_dims, ones, squeeze, zeros
from minitensor.autograd import Tensor, as_tensor, recording
from minitensor.autograd.tensor import ArrayLike, is_float
from minitensor.autograd.tree import flatten, map_structure
from minitensor.backend.devices import device
from minitensor.keras.engine.keras_tensor import KerasTensor
from minitensor.keras.engine.masking import argument_names, mask_of, masked_like, set_mask

if TYPE_CHECKING:
    from minitensor.keras.engine.layer import Layer

Sizes = tuple[int | None, ...]
_FEW = 8  # whole numbers that a symbolic tensor remembers of its trials
SHAPES = {"input_shape", "input_dim", "batch_input_shape", "batch_size"}  # told to a first layer


@dataclass(frozen=True)
class InputSpec:
    """What a layer takes.

    Args:
        ndim: number of axes; None for any.
        min_ndim: the least number.
        axes: {axis: size} that an input must have.

    Source: keras.layers.InputSpec
    """

    ndim: int | None = None
    min_ndim: int | None = None
    axes: dict[int, int] | None = None


@dataclass
class Call:
    """A call of a layer by a program, and all calls inside it.

    Attributes:
        training: what the innermost call was told.
        losses: what layers have added to the loss so far.
        observer: has `begins(layer)` and `ends(layer, inputs, outputs)`, or None.
        only_shapes: whether layers that say the shape of their output need not compute it.
        path: names of the layers being called, from the outside in.
    """

    training: bool | None = None
    losses: list[Any] = field(default_factory=list)
    observer: Any = None
    only_shapes: bool = False
    path: list[str] = field(default_factory=list)


class _Calls(threading.local):
    """Each thread has its own."""

    def __init__(self) -> None:
        self.current: Call | None = None

    def enter(self, name: str) -> tuple[Call, bool | None]:
        """One call more, of the layer of this name; and what `training` was around it."""
        call = self.current or Call()
        self.current = call
        recording.active.layers = call.path
        call.path.append(name)
        return call, call.training

    def leave(self, outer: Call | None, training: bool | None) -> None:
        """It is over; around it `current` and `training` were these."""
        assert self.current is not None
        self.current.path.pop()
        self.current.training, self.current = training, outer


calls = _Calls()


@contextmanager
def only_shapes(observer: Any = None) -> Iterator[None]:
    """Calls in the block are not for their values: what a layer says of its shape is enough."""
    outer, calls.current = calls.current, Call(False, observer=observer, only_shapes=True)
    try:
        yield
    finally:
        calls.current = outer


def check(layer: Layer, inputs: Any) -> None:
    """Refuses inputs that `layer.input_spec` excludes."""
    spec = layer.input_spec
    if spec is None:
        return
    alone = type(inputs) is Tensor
    if not alone and isinstance(inputs, list | tuple | dict) and not _is_listed(inputs):
        raise ValueError(
            f"Input of layer {layer.name} ({type(layer).__name__}) is incompatible with the layer: "
            f"expected one tensor, found a {type(inputs).__name__} of {len(inputs)}. Full shape "
            f"received: {shape_of(inputs)}"
        )
    for shape in [inputs.array.shape] if alone else map(sizes, flatten(inputs)):
        if spec.ndim is not None and len(shape) != spec.ndim:
            raise _wrong_rank(layer, shape, "ndim", spec.ndim)
        if spec.min_ndim is not None and len(shape) < spec.min_ndim:
            raise _wrong_rank(layer, shape, "min_ndim", spec.min_ndim)
        for axis, size in spec.axes.items() if spec.axes else ():
            if shape[axis] not in (size, None):
                raise _misfit(layer, shape, f"axis {axis} of size {size}, found {shape[axis]}")


def _wrong_rank(layer: Layer, shape: Sizes, what: str, rank: int) -> ValueError:
    rule = f"{what}={rank}, found ndim={len(shape)}"
    if len(shape) == rank - 1:
        rule += " (is the batch axis missing, x[None], or the channels, x[..., None]?)"
    return _misfit(layer, shape, rule)


def _misfit(layer: Layer, shape: Sizes, rule: str) -> ValueError:
    return ValueError(
        f"Input of layer {layer.name} ({type(layer).__name__}) is incompatible with the layer: "
        f"expected {rule}. Full shape received: {shape}"
    )


def sizes(tensor: Any) -> Sizes:
    """The shape as a plain tuple, None where a size may vary."""
    shape = getattr(tensor, "shape", None)
    if shape is None:
        raise ValueError(f"A layer takes tensors, arrays and lists of them. Received: {tensor!r}")
    return tuple(shape)


def _initialised(layer: Any) -> None:
    """Checks that a layer of the user's own began as a Layer."""
    if not hasattr(layer, "autocast"):
        raise RuntimeError(
            f"In layer '{type(layer).__name__}', you forgot to call `super().__init__()` at the "
            "beginning of its `__init__()` method."
        )


def batch_input_shape(layer: type, kwargs: dict[str, Any]) -> Sizes | None:
    """The shape that the first layer of a Sequential was told, from what is left of arguments."""
    if unknown := sorted(set(kwargs) - SHAPES):
        legal = [n for n in inspect.signature(layer).parameters if n not in ("args", "kwargs")]
        near = difflib.get_close_matches(unknown[0], [*legal, *SHAPES, "name", "dtype"], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"Unrecognized keyword arguments passed to {layer.__name__}: {unknown}{hint}"
        )
    if kwargs.get("batch_input_shape") is not None:
        return tuple(kwargs["batch_input_shape"])
    shape = kwargs.get("input_shape")
    if shape is None and kwargs.get("input_dim") is not None:
        shape = (kwargs["input_dim"],)
    return None if shape is None else (kwargs.get("batch_size"), *shape)


Given = tuple[tuple[Any, ...], dict[str, Any]]  # the arguments of a call


def build_shapes(layer: Layer, inputs: Any, given: Given | None) -> list[Any]:
    """What `build` is called with: the shapes of the first input, or of those that it names.

    build(query_shape, value_shape) is for call(query, value).
    """
    names = argument_names(type(layer).build)
    if given is None or len(names) < 2 or not all(name.endswith("_shape") for name in names):
        return [map_structure(sizes, inputs)]
    args, kwargs = given
    found = dict(zip(argument_names(type(layer).call), args, strict=False)) | kwargs
    tensors = [found.get(name.removesuffix("_shape")) for name in names]
    return [None if x is None else map_structure(sizes, x) for x in tensors]


# ----- a call with values -----


def is_ready(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether the arguments are one tensor of the layer's type: nothing to convert."""
    if len(args) != 1 or kwargs or type(args[0]) is not Tensor:
        return False
    # What began as no Layer is refused by `convert_inputs`.
    kind = layer.input_dtype if hasattr(layer, "autocast") else None
    return kind is not None and args[0].array.dtype == kind


def convert_inputs(
    layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments, arrays as tensors and floats of the layer's type; the first also if listed."""
    _initialised(layer)
    kind = np.dtype(layer.input_dtype) if layer.autocast and layer.input_dtype else None

    def tensor(value: Any) -> Any:
        if not isinstance(value, ArrayLike) and not _is_array(value):
            return value
        found = as_tensor(value)
        cast_it = kind is not None and found.dtype != kind and is_float(found.dtype)
        return masked_like(cast(found, kind), value) if cast_it else found

    args = tuple(map_structure(tensor, value) for value in args)
    if args and not isinstance(args[0], ArrayLike) and _is_listed(args[0]):
        args = (as_tensor(args[0], layer.input_dtype, "inputs"), *args[1:])
    return args, {name: map_structure(tensor, value) for name, value in kwargs.items()}


def refuse_settings_by_position(args: tuple[Any, ...]) -> None:
    """A ValueError for layer(x, True): Keras takes only tensors by position."""
    for value in args[1:]:
        if isinstance(value, bool | str):
            raise ValueError(
                "Only input tensors may be passed as positional arguments. The following argument "
                f"value should be passed as a keyword argument: {value} (of type {type(value)}), "
                "such as training=True"
            )


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) or backend.owner(value) is not None


def _is_listed(value: Any) -> bool:
    """Whether it is numbers in lists, or one number."""
    found = flatten(value)
    return bool(found) and all(isinstance(x, int | float) for x in found)


def first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The first argument, by position or by name: what a layer is built for."""
    if not args and not kwargs:
        raise ValueError("A layer must be called with its inputs.")
    return args[0] if args else next(iter(kwargs.values()))


def with_training(layer: Layer, kwargs: dict[str, Any], call: Call) -> dict[str, Any]:
    """Decides `training`: as the caller says, else as the call around, else as `call` has it."""
    default = _training_default(type(layer).call)
    training = kwargs.pop("training", None)
    if training is None:
        training = call.training
    if default is not inspect.Parameter.empty:
        training = default if training is None else training
        kwargs["training"] = bool(training)
    call.training = training
    return kwargs


@functools.cache
def _training_default(call: Any) -> Any:
    """The default of `training` in a `call`; Parameter.empty if it takes none."""
    parameters = inspect.signature(call).parameters
    if "training" not in parameters:
        return inspect.Parameter.empty
    default = parameters["training"].default
    return None if default is inspect.Parameter.empty else default


def on_device_of(inputs: Any) -> AbstractContextManager[None]:
    """Makes new weights where the inputs lie."""
    home = next((t for t in flatten(inputs) if isinstance(t, ArrayLike)), None)
    return nullcontext() if home is None else device(home.device)


def to_input(tensor: Any, symbol: KerasTensor) -> Any:
    """A tensor of the type of an input, and (N,) where that is (N, 1), or the other way."""
    if not isinstance(tensor, ArrayLike):
        return tensor
    given = tensor
    if tensor.ndim == len(symbol.shape) - 1 and symbol.shape[-1] == 1:
        tensor = expand_dims(tensor, -1)
    elif tensor.ndim == len(symbol.shape) + 1 and tensor.shape[-1] == 1:
        tensor = squeeze(tensor, -1)
    tensor = tensor if tensor.dtype.name == symbol.dtype else cast(tensor, symbol.dtype)
    return masked_like(tensor, given)


# ----- a call on symbolic tensors -----


def symbols(shape: Any, dtype: str) -> Any:
    """KerasTensors of a shape, or of the shapes in a list or a dictionary."""
    if isinstance(shape, dict):
        return {key: symbols(value, dtype) for key, value in shape.items()}
    if shape and isinstance(shape, list | tuple) and not _is_shape(shape):
        found = [symbols(value, dtype) for value in shape]
        return tuple(found) if isinstance(shape, tuple) else found
    return KerasTensor(shape, dtype)


def _is_shape(value: Any) -> bool:
    return all(n is None or isinstance(n, int | np.integer) for n in value)


def shape_of(tensors: Any) -> Any:
    """The shapes of KerasTensors, in the same lists and dictionaries."""
    return map_structure(sizes, tensors)


def calls_no_other(layer: Any) -> bool:
    """Whether the layers inside, if there are any, have weights and no `call`."""
    return not any(inner._has_call for inner in layer.sublayers())


def blank_output(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Zeros in the shape, or shapes, that a layer says it gives; None if it must compute to know.

    They take no memory: all are one number.
    """
    tensors = flatten(args)
    known = layer._says_shape and len(args) == 1 and calls_no_other(layer)
    if not known or not all(isinstance(x, Tensor) and is_float(x.dtype) for x in tensors):
        return None
    if any(value is not None for name, value in kwargs.items() if name != "training"):
        return None
    found = symbols(layer.compute_output_shape(map_structure(sizes, args[0])), layer.compute_dtype)
    if any(None in x.shape for x in flatten(found)):  # EinsumDense does not know what is not told
        return None
    return map_structure(lambda x: _blank(x, tensors[0]), found)


def _blank(x: KerasTensor, like: Tensor) -> Tensor:
    if not isinstance(like.array, np.ndarray):
        return zeros(x.shape, x.dtype)
    return Tensor(np.broadcast_to(np.zeros((), x.dtype), x.shape))  # type: ignore[arg-type]


def traced(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a call gives for KerasTensors."""
    takes_training = _training_default(type(layer).call) is not inspect.Parameter.empty
    return tried(layer, *args, **({"training": False} if takes_training else {}) | kwargs)


def tried(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function gives for KerasTensors, found by calling it twice on zeros of other sizes."""
    trials = []
    divides = getattr(function, "divides", False)  # by whole numbers, of which 0 is none
    for turn, (batch, other) in enumerate(((2, 64), (3, 96))):

        def trial(value: Any, turn: int = turn, batch: int = batch, other: int = other) -> Any:
            if not isinstance(value, KerasTensor):
                return value
            if value.trials is not None:
                return value.trials[turn]
            free = (batch, *[other] * value.ndim)
            found = [free[i] if n is None else n for i, n in enumerate(value.shape)]
            mask = mask_of(value)
            x = (ones if divides else zeros)(found, value.dtype)
            return x if mask is None else set_mask(x, trial(mask, turn, batch, other))

        given = {name: map_structure(trial, value) for name, value in kwargs.items()}
        with (
            only_shapes(),
            warnings.catch_warnings(),
        ):  # of masks that are lost: the call itself says it
            warnings.simplefilter("ignore")
            trials.append(function(*(map_structure(trial, value) for value in args), **given))
    others = iter(flatten(trials[1]))
    return map_structure(lambda one: _common(one, next(others)), trials[0])


def _common(one: Any, other: Any) -> Any:
    """What two results have in common; a size that differs may vary."""
    if not isinstance(one, ArrayLike):
        return one
    pairs = zip(one.shape, other.shape, strict=True)
    common = KerasTensor([n if n == m else None for n, m in pairs], one.dtype.name)
    if one.dtype.kind in "iu" and one.shape.num_elements() <= _FEW:
        common.trials = (one, other)  # tf.shape(x)[0] must be a size in later trials too
    return common
