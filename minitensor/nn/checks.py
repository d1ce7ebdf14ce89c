"""Checks of tensors that no window looks at: dtypes, axes, shapes that must fit.

Windows, strides and paddings are read in `arguments`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor, align
from minitensor.autograd.tensor import is_float
from minitensor.nn.arguments import integer
from minitensor.ops import math
from minitensor.ops.wide import is_half


def floats(op: str, **values: Any) -> tuple[Tensor, ...]:
    """The named arguments as tensors of one float dtype; numbers and lists are welcome."""
    aligned = align(op, **values)
    for name, tensor in zip(values, aligned, strict=True):
        if not is_float(tensor.dtype):
            raise TypeError(
                f"{op}: {name} must be floats, got {tensor.dtype.name}; "
                f"use minitensor.cast({name}, 'float32')"
            )
    return aligned


def axis(op: str, value: Any, rank: int) -> int:
    """One axis of a tensor of `rank` axes, counted from the front; None is the last."""
    number = -1 if value is None else integer(op, "axis", value, least=-rank)
    if number >= rank or not rank:
        raise ValueError(f"{op}: axis {number} does not exist in a tensor of {rank} axes")
    return number % rank


def per_channel(op: str, channels: int, **vectors: Tensor) -> None:
    """Checks that each of the named tensors holds one number per channel."""
    for name, vector in vectors.items():
        if vector.shape != (channels,):
            raise ValueError(
                f"{op}: {name} has shape {vector.shape} but there are {channels} channels; "
                f"it must be ({channels},)"
            )


def broadcast(op: str, **values: Tensor) -> tuple[int, ...]:
    """The shape that the named tensors have together."""
    try:
        return np.broadcast_shapes(*(tensor.shape for tensor in values.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {tensor.shape}" for name, tensor in values.items())
        raise ValueError(
            f"{op}: shapes {shapes} do not fit; from the right, sizes must be equal or 1"
        ) from None


def axes(op: str, value: Any, rank: int) -> tuple[int, ...]:
    """Several axes, counted from the front; None is all of them."""
    if value is None:
        return tuple(range(rank))
    items = list(value) if isinstance(value, list | tuple | np.ndarray) else [value]
    return tuple(axis(op, item, rank) for item in items)


def widened(x: Tensor) -> Tensor:
    """float32 instead of half precision."""
    return math.cast(x, dtype="float32") if is_half(x.dtype) else x


def beside(op: str, x: Tensor, **values: Any) -> tuple[Tensor, dict[str, Tensor]]:
    """x and the values in one dtype: float32 if x is half, whose statistics may be either."""
    if is_half(x.dtype):
        values = {name: widened(floats(op, **{name: v})[0]) for name, v in values.items()}
    wide, *tensors = floats(op, x=widened(x), **values)
    return wide, dict(zip(values, tensors, strict=True))
