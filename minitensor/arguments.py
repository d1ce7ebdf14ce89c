"""How the mirrors `array`, `math`, `linalg` and `random` read shapes and axes.

Anything that is no integer is a TypeError, any integer out of place a ValueError, both before
something is computed. Scalar integer tensors count as integers, so `tf.shape(x)[0]` may be used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.tensor import ArrayLike, is_float
from minitensor.nn.arguments import integer


def number(op: str, name: str, value: Any, least: int) -> int:
    """One integer of at least `least`; a scalar tensor or array will do."""
    if isinstance(value, ArrayLike | np.ndarray) and value.ndim == 0:
        value = np.asarray(value)[()]
    return integer(op, name, value, least)


def numbers(op: str, name: str, value: Any, least: int = 0) -> tuple[int, ...]:
    """A list of integers of at least `least`; a vector of them will do, and so will one alone."""
    if isinstance(value, ArrayLike | np.ndarray):
        if value.ndim > 1:
            raise ValueError(f"{op}: {name} must be one list, got shape {tuple(value.shape)}")
        value = np.atleast_1d(np.asarray(value))
        if not value.size:
            return ()
    items = value if isinstance(value, list | tuple | np.ndarray) else [value]
    return tuple(number(op, name, item, least) for item in items)


def axis(op: str, value: Any, rank: int, name: str = "axis") -> int:
    """One axis of a tensor of `rank` axes, counted from the front."""
    place = number(op, name, value, least=-(2**31))
    if not -rank <= place < rank:
        raise ValueError(
            f"{op}: {name} {place} does not exist in a tensor of {rank} axes; "
            f"legal: {-rank} to {rank - 1}"
            if rank
            else f"{op}: {name} {place} does not exist in a tensor without axes"
        )
    return place % rank


def axes(op: str, value: Any, rank: int) -> tuple[int, ...]:
    """Several axes, counted from the front, each once; None is all of them."""
    if value is None:
        return tuple(range(rank))
    places = tuple(axis(op, item, rank) for item in numbers(op, "axis", value, -(2**31)))
    if len(set(places)) < len(places):
        raise ValueError(f"{op}: axis {value!r} names the same axis twice")
    return places


def tensor(op: str, name: str, value: Any, kinds: str = "fiub") -> Tensor:
    """`value` as a tensor of floats, ints, unsigned ints or booleans, as `kinds` allows."""
    x = as_tensor(value, what=f"{op}: {name}")
    if ("f" if is_float(x.dtype) else x.dtype.kind) not in kinds:
        words = {"f": "floats", "i": "integers", "b": "booleans"}
        legal = " or ".join(word for kind, word in words.items() if kind in kinds)
        raise TypeError(f"{op}: {name} is {x.dtype.name}; legal: {legal}; use minitensor.cast")
    return x
