"""How a layer reads its settings: numbers, pairs, words, names of functions.

Errors say what came and the rule it breaks, in Keras' words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from minitensor import nn, random
from minitensor.autograd import Tensor

# "linear" is none at all; the others are functions of `minitensor.nn`.
_ACTIVATIONS = {"linear", "elu", "gelu", "leaky_relu", "log_softmax", "relu", "relu6", "selu"}
_ACTIVATIONS |= {"sigmoid", "silu", "softmax", "softplus", "softsign", "tanh"}


def positive(name: str, value: Any, rule: str) -> None:
    """Refuses what is not a positive integer."""
    if not _is_integer(value) or value <= 0:
        raise ValueError(f"Invalid value for argument `{name}`. {rule} Received {name}={value!r}.")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def pair(name: str, value: Any, least: int = 1) -> tuple[int, int]:
    """A number for both axes, or two."""
    items = tuple(value) if isinstance(value, list | tuple) else (value, value)
    if len(items) != 2 or not all(_is_integer(item) and item >= least for item in items):
        raise ValueError(
            f"The `{name}` argument must be a tuple of 2 integers, each at least {least}. "
            f"Received {name}={value!r}"
        )
    return int(items[0]), int(items[1])


def choice(name: str, value: Any, legal: Collection[str]) -> str:
    """One of some words, in lower case."""
    if not isinstance(value, str) or value.lower() not in legal:
        raise ValueError(
            f"The `{name}` argument must be one of {sorted(legal)}. Received: {value!r}"
        )
    return value.lower()


def activation_of(identifier: Any) -> Callable[[Tensor], Tensor] | None:
    """A function of a tensor, by itself or by its name in tf.nn."""
    if identifier is None or callable(identifier):
        return identifier
    if identifier not in _ACTIVATIONS:
        raise ValueError(f"Could not interpret activation function identifier: {identifier!r}")
    return None if identifier == "linear" else getattr(nn, identifier)


def initializer_of(identifier: Any) -> Callable[[tuple[int, ...]], Any]:
    """A function of a shape, by itself or by its name."""
    known = {"glorot_uniform": _glorot_uniform, "zeros": lambda shape: np.zeros(shape, np.float32)}
    if callable(identifier):
        return identifier
    if identifier not in known:
        raise ValueError(f"Could not interpret initializer identifier: {identifier!r}")
    return known[identifier]


def _glorot_uniform(shape: tuple[int, ...]) -> Tensor:
    """Uniform on plus and minus sqrt(6 / (fan in + fan out)); a fan is taps times channels."""
    limit = math.sqrt(6 / (math.prod(shape[:-2]) * (shape[-2] + shape[-1])))
    return random.uniform(shape, -limit, limit)
