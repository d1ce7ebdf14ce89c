"""How a layer reads its settings: numbers, tuples, words; and the sizes that follow from them.

Errors say what came and the rule it breaks, in Keras' words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from minitensor.array import cast
from minitensor.autograd import Tensor
from minitensor.autograd.tensor import is_float
from minitensor.keras.engine import Layer
from minitensor.math import round
from minitensor.math.clip import clip_by_value

Sizes = tuple[int | None, ...]


def is_integer(value: Any) -> bool:
    """Whether it counts something; True and 2.0 do not."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def integer(name: str, value: Any) -> int:
    """Refuses what is no integer, such as a list of one."""
    if not is_integer(value):
        raise TypeError(f"Expected an integer value for `{name}`, got {value!r} of {type(value)}.")
    return int(value)


def positive(name: str, value: Any, rule: str = "Expected a strictly positive value.") -> int:
    """Refuses what is not a positive integer."""
    if not is_integer(value) or value <= 0:
        raise ValueError(f"Invalid value for argument `{name}`. {rule} Received {name}={value!r}.")
    return int(value)


def numbers(name: str, value: Any, count: int, least: int = 1) -> tuple[int, ...]:
    """A number for every axis, or one for each."""
    items = tuple(value) if isinstance(value, list | tuple | np.ndarray) else (value,) * count
    if len(items) != count or not all(is_integer(item) and item >= least for item in items):
        raise ValueError(
            f"The `{name}` argument must be a tuple of {count} integers, each at least {least}. "
            f"Received {name}={value!r}"
        )
    return tuple(int(item) for item in items)


def pairs(name: str, value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """(before, after) for every axis, from a number, one for each axis, or pairs."""
    entries = (value,) * rank if rank == 1 or is_integer(value) else value
    if not isinstance(entries, list | tuple | np.ndarray) or len(entries) != rank:
        raise ValueError(
            f"`{name}` should be an int, a tuple of {rank} ints, or a tuple of {rank} tuples of 2 "
            f"ints (before, after). Received: {name}={value!r}"
        )
    read = [numbers(f"entry {i} of {name}", entry, 2, least=0) for i, entry in enumerate(entries)]
    return tuple((before, after) for before, after in read)


def floats_only(layer: Layer, inputs: Any) -> None:
    """Refuses integers, which a window of floats does not fit."""
    dtype = getattr(inputs.dtype, "name", inputs.dtype)
    if "float" not in dtype:
        raise TypeError(
            f"Input of layer {layer.name} ({type(layer).__name__}) is incompatible with the layer: "
            f"expected floats, found {dtype}. Use tf.cast(x, 'float32'), or begin the model with "
            "a Rescaling layer."
        )


def as_floats(x: Tensor, dtype: str) -> Tensor:
    """Integers as floats of a type; floats as they are."""
    return x if is_float(x.dtype) else cast(x, dtype)


def like(y: Tensor, dtype: np.dtype) -> Tensor:
    """`y` in another type: whole numbers are rounded, and cut off where the type ends."""
    if is_float(dtype):
        return cast(y, dtype)
    ends = np.iinfo(dtype)
    return cast(clip_by_value(round(y), ends.min, ends.max), dtype)


def choice(name: str, value: Any, legal: Collection[str]) -> str:
    """One of some words, in lower case."""
    if not isinstance(value, str) or value.lower() not in legal:
        raise ValueError(
            f"The `{name}` argument must be one of {sorted(legal)}. Received: {value!r}"
        )
    return value.lower()


def split(shape: Sequence[int | None], data_format: str) -> tuple[int | None, Sizes, int | None]:
    """(batch, spatial sizes, channels) of a shape."""
    if data_format == "channels_last":
        return shape[0], tuple(shape[1:-1]), shape[-1]
    return shape[0], tuple(shape[2:]), shape[1]


def joined(batch: int | None, spatial: Sizes, channels: int | None, data_format: str) -> Sizes:
    """The shape of these sizes."""
    last = data_format == "channels_last"
    return (batch, *spatial, channels) if last else (batch, channels, *spatial)
