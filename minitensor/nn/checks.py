"""Checks of tensors that no window looks at: dtypes, axes, sizes, shapes that must fit.

Windows, strides and paddings are read in `arguments`. A scalar integer tensor counts as an
integer here, so `tf.shape(x)[0]` may be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitensor.autograd import Tensor, align, as_tensor
from minitensor.autograd.tensor import ArrayLike, is_float
from minitensor.backend.errors import InvalidArgumentError
from minitensor.backend.half import is_half
from minitensor.nn.arguments import integer
from minitensor.ops import math


def floats(op: str, like: ArrayLike | None = None, /, **values: Any) -> tuple[Tensor, ...]:
    """The named arguments as tensors of one float dtype; numbers and lists are welcome.

    Without a tensor among them, they are made beside `like`.
    """
    aligned = align(op, like, **values)
    for name, tensor in zip(values, aligned, strict=True):
        if not is_float(tensor.dtype):
            raise TypeError(
                f"{op}: {name} must be floats, got {tensor.dtype.name}; "
                f"use minitensor.cast({name}, 'float32')"
            )
    return aligned


def tensor(
    op: str, name: str, value: Any, kinds: str = "fiub", like: ArrayLike | None = None
) -> Tensor:
    """`value` as a tensor of floats, ints, unsigned ints or booleans, as `kinds` allows."""
    x = as_tensor(value, what=f"{op}: {name}", like=like)
    if ("f" if is_float(x.dtype) else x.dtype.kind) not in kinds:
        words = {"f": "floats", "i": "integers", "b": "booleans"}
        legal = " or ".join(word for kind, word in words.items() if kind in kinds)
        raise TypeError(f"{op}: {name} is {x.dtype.name}; legal: {legal}; use minitensor.cast")
    return x


def number(op: str, name: str, value: Any, least: int) -> int:
    """One integer of at least `least`; a scalar tensor or array will do."""
    if isinstance(value, ArrayLike | np.ndarray) and value.ndim == 0:
        value = np.asarray(value)[()]
    return integer(op, name, value, least)


def numbers(op: str, name: str, value: Any, least: int = 0) -> tuple[int, ...]:
    """A list of integers of at least `least`; a vector of them will do, and so will one alone."""
    return tuple([number(op, name, item, least) for item in _listed(op, name, value)])


def _listed(op: str, name: str, value: Any) -> Sequence[Any]:
    """The elements of a list or vector; anything else is one element."""
    if isinstance(value, ArrayLike | np.ndarray):
        if value.ndim > 1:
            raise InvalidArgumentError(
                f"{op}: {name} must be one list, got shape {tuple(value.shape)}"
            )
        return list(np.atleast_1d(np.asarray(value)))
    return value if isinstance(value, list | tuple) else [value]


def axis(op: str, value: Any, rank: int, name: str = "axis") -> int:
    """One axis of a tensor of `rank` axes, counted from the front."""
    index = number(op, name, value, least=-(2**31))
    if not -rank <= index < rank:
        raise InvalidArgumentError(
            f"{op}: {name} {index} does not exist in a tensor of {rank} axes; "
            f"legal: {-rank} to {rank - 1}"
            if rank
            else f"{op}: {name} {index} does not exist in a tensor without axes"
        )
    return index % rank


def axes(op: str, value: Any, rank: int) -> tuple[int, ...]:
    """Several axes, counted from the front, each once; None is all of them."""
    if value is None:
        return tuple(range(rank))
    found = tuple([axis(op, item, rank) for item in _listed(op, "axis", value)])
    if len(set(found)) < len(found):
        raise InvalidArgumentError(f"{op}: axis {value!r} names the same axis twice")
    return found


def per_channel(op: str, channels: int, **vectors: Tensor) -> None:
    """Checks that each of the named tensors holds one number per channel."""
    for name, vector in vectors.items():
        if vector.shape != (channels,):
            raise InvalidArgumentError(
                f"{op}: {name} has shape {vector.shape} but there are {channels} channels; "
                f"it must be ({channels},)"
            )


def broadcast(op: str, **values: Tensor) -> tuple[int, ...]:
    """The shape that the named tensors have together."""
    try:
        return np.broadcast_shapes(*(tensor.shape for tensor in values.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {tensor.shape}" for name, tensor in values.items())
        raise InvalidArgumentError(
            f"{op}: shapes {shapes} do not fit; from the right, sizes must be equal or 1"
        ) from None


def widened(x: Tensor) -> Tensor:
    """float32 instead of half precision."""
    return math.cast(x, dtype="float32") if is_half(x.array.dtype) else x


def vectors_like(op: str, x: Tensor, **values: Any) -> tuple[Tensor, dict[str, Tensor]]:
    """x and the values in one dtype: float32 if x is half, whose statistics may be either."""
    if is_half(x.dtype):
        values = {name: widened(floats(op, x, **{name: v})[0]) for name, v in values.items()}
    wide, *tensors = floats(op, x=widened(x), **values)
    return wide, dict(zip(values, tensors, strict=True))


def not_none(**values: Any) -> dict[str, Any]:
    """The named values that were given."""
    return {name: value for name, value in values.items() if value is not None}
