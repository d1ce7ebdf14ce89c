"""What the networks of this folder share: their arguments, their input, their top, their weights.

A network is a function from a tensor to features (`body`) and one from features to classes
(`top`). `network` puts an input before them and a model around them, as Keras does it.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from minitensor.data import search_paths
from minitensor.keras import activations, layers
from minitensor.keras.engine import defaults
from minitensor.keras.engine.functional import Functional
from minitensor.keras.engine.input_layer import Input, InputLayer
from minitensor.keras.engine.keras_tensor import KerasTensor

F = TypeVar("F", bound=Callable[..., Any])
Shape = tuple[int | None, ...]

_ARGUMENTS = """Args:
    include_top: whether the classifier at the end is part of it.
    weights: None for random ones, the path of a file, or "imagenet" for the file of that name in
        MINITENSOR_HOME/models, KERAS_HOME/models or ~/.keras/models; nothing is downloaded.
    input_tensor: a KerasTensor to begin with instead of a new input.
    input_shape: of one image, for networks without their top or without trained weights.
    pooling: "avg" or "max" over the image, None for none; for networks without their top.
    classes: number of classes.
    classifier_activation: activation at the end; None for logits.
    name: the model's name.

Returns:
    A functional model, with the layers' names and the weights' order as in Keras.

Raises:
    ValueError: a file that is not there, a shape too small or of other channels, "imagenet" with
        other than 1000 classes.

"""


def documented(function: F) -> F:
    """Puts what all networks have in common before the example of a docstring."""
    head, example, tail = inspect.cleandoc(function.__doc__ or "").partition("Example:")
    function.__doc__ = head + _ARGUMENTS + example + tail
    return function


@dataclass(frozen=True)
class Wanted:
    """What a network was asked for: the arguments by their names, `Wanted(**locals())`."""

    include_top: bool
    weights: Any
    input_tensor: KerasTensor | None
    input_shape: Any
    pooling: str | None
    classes: int
    classifier_activation: Any
    name: str | None


def files(stem: str) -> tuple[str, str]:
    """The names of the files with trained weights: with and without the top."""
    name = f"{stem}_weights_tf_dim_ordering_tf_kernels"
    return f"{name}.h5", f"{name}_notop.h5"


def channel_axis() -> int:
    """Where a batch of images has its channels."""
    return 1 if defaults.image_data_format() == "channels_first" else 3


def norm(x: Any, name: str | None = None, **options: Any) -> Any:
    """BatchNormalization over the channels."""
    return layers.BatchNormalization(axis=channel_axis(), name=name, **options)(x)


def relu(x: Any, name: str) -> Any:
    """What is positive, under Keras' name for the layer."""
    return layers.Activation("relu", name=name)(x)


def predictions(x: Any, wanted: Wanted) -> Any:
    """The last dense layer."""
    activation = wanted.classifier_activation
    return layers.Dense(wanted.classes, activation=activation, name="predictions")(x)


def averaged(x: Any, wanted: Wanted) -> Any:
    """The top of most networks: the mean of each channel, then classes."""
    return predictions(layers.GlobalAveragePooling2D(name="avg_pool")(x), wanted)


def network(
    wanted: Wanted,
    body: Callable[[Any], Any],
    kept: tuple[str, str],
    size: int = 224,
    least: int = 32,
    top: Callable[[Any, Wanted], Any] = averaged,
    pools: tuple[str | None, str | None] = (None, None),
) -> Functional:
    """The model.

    Args:
        wanted: what was asked for.
        body: from the image to features.
        kept: names of the files with trained weights, see `files`.
        size: pixels of a side unless told.
        least: pixels of the smallest side that leaves something to pool.
        top: from features to classes.
        pools: names of the average and the maximum over the image, without the top.
    """
    _check_weights(wanted)
    shape = input_shape(wanted, size, least)
    path = _weights_file(wanted, kept)
    given = wanted.input_tensor
    inputs = Input(shape=shape) if given is None else _symbolic(given)
    x = body(inputs)
    if wanted.include_top:
        x = top(x, wanted)
    elif wanted.pooling == "avg":
        x = layers.GlobalAveragePooling2D(name=pools[0])(x)
    elif wanted.pooling == "max":
        x = layers.GlobalMaxPooling2D(name=pools[1])(x)
    model = Functional(inputs if given is None else _sources(inputs), x, name=wanted.name)
    if path is not None:
        model.load_weights(path)
    return model


# ----- the input -----


def input_shape(wanted: Wanted, size: int, least: int) -> Shape:
    """The shape of one image: as asked for if that is legal, else the usual one.

    Raises:
        ValueError: not three sizes, a side below `least`, a varying side before a classifier,
            or what trained weights do not fit.
    """
    shape = None if wanted.input_shape is None else tuple(wanted.input_shape)
    trained = wanted.weights == "imagenet"
    usual = _shape(3 if trained or not shape else _channels(shape), size)
    if not shape:
        return usual if wanted.include_top else _shape(3, None)
    if trained and wanted.include_top and shape != usual:
        raise ValueError(
            "When setting `include_top=True` and loading `imagenet` weights, `input_shape` should "
            f"be {usual}. Received: input_shape={shape}"
        )
    if len(shape) != 3:
        raise ValueError(f"`input_shape` must be a tuple of three integers. Received: {shape}")
    if trained and _channels(shape) != 3:
        raise ValueError(f"The input must have 3 channels; Received `input_shape={shape}`")
    if any(side is not None and side < least for side in _sides(shape)):
        raise ValueError(
            f"Input size must be at least {least}x{least}; Received: input_shape={shape}"
        )
    if wanted.include_top and None in shape:
        raise ValueError(
            "If `include_top` is True, you should specify a static `input_shape`. "
            f"Received: input_shape={shape}"
        )
    if _channels(shape) not in (1, 3):
        warnings.warn(
            "This model usually expects 1 or 3 input channels. However, it was passed an "
            f"input_shape with {_channels(shape)} input channels.",
            stacklevel=4,
        )
    return shape


def _shape(channels: int | None, side: int | None) -> Shape:
    return (channels, side, side) if channel_axis() == 1 else (side, side, channels)


def _channels(shape: Shape) -> int | None:
    return shape[0] if channel_axis() == 1 else shape[-1]


def _sides(shape: Shape) -> Shape:
    return shape[1:] if channel_axis() == 1 else shape[:-1]


def _symbolic(tensor: Any) -> KerasTensor:
    if not isinstance(tensor, KerasTensor):
        raise ValueError(
            "input_tensor must be what keras.Input or a layer gave when it was drawn. "
            f"Received: {tensor!r}"
        )
    return tensor


def _sources(tensor: KerasTensor) -> list[KerasTensor]:
    """The inputs that a symbolic tensor comes from."""
    node = tensor.node
    if node is None or isinstance(node.layer, InputLayer):
        return [tensor]
    found = [source for before in node.inputs for source in _sources(before)]
    return list({id(t): t for t in found}.values())


# ----- trained weights -----


def _check_weights(wanted: Wanted) -> None:
    """Weights of a file need the file, and a classifier like the one they were trained with."""
    if wanted.weights is None:
        return
    if wanted.weights != "imagenet" and not Path(wanted.weights).exists():
        raise ValueError(
            "The `weights` argument should be either `None` (random initialization), 'imagenet' "
            "(pre-training on ImageNet), or the path to the weights file to be loaded. "
            f"Received: weights={wanted.weights}"
        )
    if wanted.include_top:
        _check_top(wanted)


def _check_top(wanted: Wanted) -> None:
    """What a classifier with weights of its own must be like."""
    if wanted.weights == "imagenet" and wanted.classes != 1000:
        raise ValueError(
            "If using `weights='imagenet'` with `include_top=True`, `classes` should be 1000. "
            f"Received classes={wanted.classes}"
        )
    legal = {activations.get("softmax"), activations.get(None)}
    if activations.get(wanted.classifier_activation) not in legal:
        raise ValueError(
            "Only `None` and `softmax` activations are allowed for the `classifier_activation` "
            "argument when using pretrained weights, with `include_top=True`; Received: "
            f"classifier_activation={wanted.classifier_activation}"
        )


def _weights_file(wanted: Wanted, kept: tuple[str, str]) -> Any:
    """Where the weights are; None for random ones."""
    if wanted.weights != "imagenet":
        return wanted.weights
    name = kept[0 if wanted.include_top else 1]
    path = cached(name)
    if path is None:
        raise ValueError(
            f"weights='imagenet' needs the file {name}, and no weights are downloaded. Put it into "
            "~/.keras/models (or MINITENSOR_HOME/models, or KERAS_HOME/models), or give its path "
            "as `weights`, or weights=None for random ones."
        )
    return path


def cached(name: str) -> Path | None:
    """A file in the folders where Keras keeps models, or None."""
    paths = (home / "models" / name for home in search_paths.homes())
    return next((path for path in paths if path.is_file()), None)
