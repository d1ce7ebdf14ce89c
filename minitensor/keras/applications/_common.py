"""What the networks of this folder share: their arguments, their input, their top, their weights.

A network is a function from a tensor to features (`body`) and one from features to classes
(`top`). `network` puts an input before them and a model around them, as Keras does it.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minitensor.data import search_paths
from minitensor.keras import activations, layers
from minitensor.keras.engine import defaults
from minitensor.keras.engine.functional import Functional
from minitensor.keras.engine.input_layer import Input, InputLayer
from minitensor.keras.engine.keras_tensor import KerasTensor

Network = Callable[..., Functional]
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


@dataclass(frozen=True)
class Request:
    """What a network was asked for, and the names of its files of trained weights."""

    include_top: bool = True
    weights: Any = "imagenet"
    input_tensor: Any = None
    input_shape: Any = None
    pooling: str | None = None
    classes: int = 1000
    classifier_activation: Any = "softmax"
    name: str | None = None
    files: tuple[str, str] = ("", "")  # with the top and without


def application(
    name: str | None, asked: str, count: int, order: tuple[str, ...] = ()
) -> Callable[[Callable[..., Functional]], Network]:
    """Makes of a function of a Request the public one, which takes the arguments that all share.

    Arguments of its own stand behind `input_shape`, which is the first then, as in MobileNet.

    Args:
        name: the default of that argument, with which the names of the files begin.
        asked, count: the example: arguments, and the parameters of the network that they make.
        order: of the arguments, if it is another.
    """
    kernels = f"{name}_weights_tf_dim_ordering_tf_kernels"
    files = f"{kernels}.h5", f"{kernels}_notop.h5"
    shared = dict(inspect.signature(Request).parameters)
    del shared["files"]
    shared["name"] = shared["name"].replace(default=name)

    def decorate(build: Callable[..., Functional]) -> Network:
        signature = inspect.signature(build)
        own = dict(list(signature.parameters.items())[1:])
        first = {"input_shape": shared["input_shape"]} if own else {}
        taken = first | own | shared
        signature = signature.replace(parameters=[taken[key] for key in order or taken])

        @functools.wraps(build)
        def make(*args: Any, **kwargs: Any) -> Functional:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{build.__name__}() {error}") from None
            bound.apply_defaults()
            asked = {key: bound.arguments[key] for key in shared}
            return build(Request(**asked, files=files), **{k: bound.arguments[k] for k in own})

        call = f">>> tf.keras.applications.{build.__name__}({asked}).count_params()"
        example = f"Example:\n    >>> import minitensor as tf\n    {call}\n    {count}\n\n"
        head, source, papers = inspect.cleandoc(build.__doc__ or "").partition("Source:")
        make.__doc__ = head + _ARGUMENTS + example + source + papers
        make.__signature__ = signature  # type: ignore[attr-defined]
        return make

    return decorate


def channel_axis() -> int:
    """Where a batch of images has its channels."""
    return 1 if defaults.image_data_format() == "channels_first" else 3


def halving_pads(x: Any, taps: int) -> tuple[tuple[int, int], ...]:
    """Half a window of zeros around each side, one less before if it is even: halves coincide."""
    first, half = 2 if channel_axis() == 1 else 1, taps // 2
    sides = x.shape[first : first + 2]
    return tuple((half - (1 if side is None else 1 - side % 2), half) for side in sides)


def divisible(width: float) -> int:
    """The nearest multiple of 8, at least 8, and not less than 90% of what was asked."""
    nearest = max(8, int(width + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * width else nearest + 8


def norm(x: Any, name: str | None = None, **options: Any) -> Any:
    """BatchNormalization over the channels."""
    return layers.BatchNormalization(axis=channel_axis(), name=name, **options)(x)


def relu(x: Any, name: str) -> Any:
    """What is positive, under Keras' name for the layer."""
    return layers.Activation("relu", name=name)(x)


def predictions(x: Any, request: Request, **options: Any) -> Any:
    """The last dense layer."""
    activation = request.classifier_activation
    return layers.Dense(request.classes, activation=activation, name="predictions", **options)(x)


def averaged(x: Any, request: Request, dropout: float = 0.0, **options: Any) -> Any:
    """The top of most networks: the mean of each channel, then classes."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if dropout:
        x = layers.Dropout(dropout, name="top_dropout")(x)
    return predictions(x, request, **options)


def network(
    request: Request,
    body: Callable[[Any], Any],
    size: int = 224,
    least: int = 32,
    top: Callable[[Any, Request], Any] = averaged,
    pools: tuple[str | None, str | None] = (None, None),
    shape: Shape | None = None,
) -> Functional:
    """The model: `body` from the image to features, `top` from features to classes.

    A side has `size` pixels where nothing else is asked for, at least `least`; `pools` are the
    names of the average and the maximum over the image that stand for the top. `shape` is that of
    an image for a network that takes any.
    """
    _check_weights(request)
    shape = input_shape(request, size, least) if shape is None else shape
    path = _weights_file(request)
    begin = request.input_tensor
    inputs = Input(shape=shape) if begin is None else _symbolic(begin)
    x = body(inputs)
    if request.include_top:
        x = top(x, request)
    elif request.pooling == "avg":
        x = layers.GlobalAveragePooling2D(name=pools[0])(x)
    elif request.pooling == "max":
        x = layers.GlobalMaxPooling2D(name=pools[1])(x)
    model = Functional(inputs if begin is None else _sources(inputs), x, name=request.name)
    if path is not None:
        model.load_weights(path)
    return model


# ----- the input -----


def input_shape(request: Request, size: int, least: int) -> Shape:
    """The shape of one image: as asked for if that is legal, else the usual one."""
    shape = None if request.input_shape is None else tuple(request.input_shape)
    trained = request.weights == "imagenet"
    usual = _shape(3 if trained or not shape else _channels(shape), size)
    if not shape:
        return usual if request.include_top else _shape(3, None)
    if trained and request.include_top and shape != usual:
        raise ValueError(
            "When setting `include_top=True` and loading `imagenet` weights, `input_shape` should "
            f"be {usual}. Received: input_shape={shape}"
        )
    if len(shape) != 3:
        raise ValueError(f"`input_shape` must be a tuple of three integers. Received: {shape}")
    if trained and _channels(shape) != 3:
        raise ValueError(f"The input must have 3 channels; Received `input_shape={shape}`")
    sides = shape[1:] if channel_axis() == 1 else shape[:-1]
    if any(side is not None and side < least for side in sides):
        raise ValueError(
            f"Input size must be at least {least}x{least}; Received: input_shape={shape}"
        )
    if request.include_top and None in shape:
        raise ValueError(
            "If `include_top` is True, you should specify a static `input_shape`. "
            f"Received: input_shape={shape}"
        )
    if _channels(shape) not in (1, 3):
        warnings.warn(
            "This model usually expects 1 or 3 input channels. However, it was passed an "
            f"input_shape with {_channels(shape)} input channels.",
            stacklevel=5,
        )
    return shape


def _shape(channels: int | None, side: int | None) -> Shape:
    return (channels, side, side) if channel_axis() == 1 else (side, side, channels)


def _channels(shape: Shape) -> int | None:
    return shape[0] if channel_axis() == 1 else shape[-1]


def _symbolic(tensor: Any) -> KerasTensor:
    if not isinstance(tensor, KerasTensor):
        raise ValueError(
            "input_tensor must be what keras.Input or a layer gave for symbolic tensors. "
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


def _check_weights(request: Request) -> None:
    """Weights of a file need the file, and a classifier like the one they were trained with."""
    if request.weights is None:
        return
    if request.weights != "imagenet" and not Path(request.weights).exists():
        raise ValueError(
            "The `weights` argument should be either `None` (random initialization), 'imagenet' "
            "(pre-training on ImageNet), or the path to the weights file to be loaded. "
            f"Received: weights={request.weights}"
        )
    if request.include_top:
        _check_top(request)


def _check_top(request: Request) -> None:
    """What a classifier with weights of its own must be like."""
    if request.weights == "imagenet" and request.classes != 1000:
        raise ValueError(
            "If using `weights='imagenet'` with `include_top=True`, `classes` should be 1000. "
            f"Received classes={request.classes}"
        )
    legal = {activations.get("softmax"), activations.get(None)}
    if activations.get(request.classifier_activation) not in legal:
        raise ValueError(
            "Only `None` and `softmax` activations are allowed for the `classifier_activation` "
            "argument when using pretrained weights, with `include_top=True`; Received: "
            f"classifier_activation={request.classifier_activation}"
        )


def _weights_file(request: Request) -> Any:
    """Where the weights are; None for random ones."""
    if request.weights != "imagenet":
        return request.weights
    name = request.files[0 if request.include_top else 1]
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
