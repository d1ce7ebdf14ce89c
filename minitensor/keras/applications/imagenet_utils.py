"""The mirror of keras.applications.imagenet_utils: pixels before a network, words after it.

Source of all: that module, under the same name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.array import cast
from minitensor.autograd import as_tensor
from minitensor.autograd.tensor import ArrayLike, is_float
from minitensor.docstrings import named
from minitensor.dtypes import as_dtype
from minitensor.keras import ops
from minitensor.keras.applications._common import cached
from minitensor.keras.engine import defaults
from minitensor.keras.engine.keras_tensor import KerasTensor

# mode: (are red and blue swapped, divided by, then minus, then divided by)
_MODES: dict[str, tuple[bool, float, Any, Any]] = {
    "caffe": (True, 1.0, (103.939, 116.779, 123.68), 1.0),
    "tf": (False, 127.5, 1.0, 1.0),
    "torch": (False, 255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Pixels of 0...255 as the networks were trained with them; `x` itself stays as it is.

    caffe: bgr(x) - mean;   tf: x / 127.5 - 1;   torch: (x / 255 - mean) / deviation

    Args:
        x: images (N, H, W, 3) or one image (H, W, 3): array, tensor or KerasTensor.
        data_format: "channels_last" or "channels_first"; None for the setting of keras.config.
        mode: "caffe", "tf" or "torch".

    Returns:
        An array for an array, a tensor for a tensor.

    Raises:
        ValueError: another mode or layout.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> pixel = np.array([[[0.0, 51.0, 255.0]]])
        >>> tf.keras.applications.imagenet_utils.preprocess_input(pixel, mode="tf").tolist()
        [[[-1.0, -0.6, 1.0]]]
    """
    if mode not in _MODES:
        raise ValueError(
            f"Expected mode to be one of `caffe`, `tf` or `torch`. Received: mode={mode}"
        )
    layout = defaults.layout(data_format)
    if isinstance(x, KerasTensor):
        kind = x.dtype if "float" in x.dtype else defaults.floatx()
        return _scaled(x if kind == x.dtype else ops.cast(x, kind), layout, mode)
    return _scaled(_floats(x), layout, mode)


def _floats(x: Any) -> Any:
    """Arrays stay arrays, all else becomes a tensor; whole numbers become floats."""
    if isinstance(x, np.ndarray):
        return x if np.issubdtype(x.dtype, np.floating) else x.astype(defaults.floatx())
    tensor = x if isinstance(x, ArrayLike) else as_tensor(x, defaults.floatx(), "x")
    return tensor if is_float(tensor.dtype) else cast(tensor, defaults.floatx())


def _scaled(x: Any, layout: str, mode: str) -> Any:
    swapped, scale, mean, deviation = _MODES[mode]
    axis = len(x.shape) - (1 if layout == "channels_last" else 3)
    if swapped:
        x = x[(slice(None),) * axis + (slice(None, None, -1),)]
    sizes = [1] * len(x.shape)
    sizes[axis] = -1

    def along(value: Any) -> Any:
        listed = np.asarray(value, as_dtype(x.dtype))
        return listed.reshape(sizes) if listed.ndim else listed

    return (x / along(scale) - along(mean)) / along(deviation)


def of_mode(mode: str | None) -> Callable[..., Any]:
    """`preprocess_input` for networks of one mode; None for those that scale pixels themselves."""

    def preprocess(x: Any, data_format: str | None = None) -> Any:
        return x if mode is None else preprocess_input(x, data_format, mode)

    text = f"imagenet_utils.preprocess_input in mode {mode!r}."
    text = text if mode else "x as it is: the network scales its pixels itself."
    return named("preprocess_input", text, preprocess)


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """The likeliest classes of ImageNet in words.

    Args:
        preds: probabilities (N, 1000).
        top: how many classes of each row, the likeliest first.

    Returns:
        For each row a list of (WordNet id, word, probability).

    Raises:
        ValueError: another shape, or imagenet_class_index.json is not there.

    Example:
        >>> import minitensor as tf
        >>> import numpy as np
        >>> tf.keras.applications.imagenet_utils.decode_predictions(np.zeros((1, 10)))
        Traceback (most recent call last):
        ...
        ValueError: `decode_predictions` expects a batch of predictions (i.e. a 2D array of shape \
(samples, 1000)). Received array with shape: (1, 10)
    """
    rows = np.asarray(preds)
    if rows.ndim != 2 or rows.shape[1] != 1000:
        raise ValueError(
            "`decode_predictions` expects a batch of predictions (i.e. a 2D array of shape "
            f"(samples, 1000)). Received array with shape: {rows.shape}"
        )
    words = _class_index()
    return [
        [(*words[i], row[i]) for i in np.argsort(row, kind="stable")[::-1][:top]] for row in rows
    ]


def _class_index() -> dict[int, tuple[str, str]]:
    """{class: (WordNet id, word)} from the file that Keras uses."""
    name = "imagenet_class_index.json"
    path = cached(name)
    if path is None:
        raise ValueError(
            f"decode_predictions needs the file {name}, and nothing is downloaded: put it into "
            "~/.keras/models (or MINITENSOR_HOME/models, or KERAS_HOME/models)"
        )
    found = json.loads(path.read_text(encoding="utf-8"))
    try:
        return {i: (str(found[str(i)][0]), str(found[str(i)][1])) for i in range(1000)}
    except (KeyError, IndexError, TypeError) as broken:
        raise ValueError(f"{path} is no list of the 1000 classes of ImageNet") from broken
