"""All derivatives of all elements: one walk back per element, stacked.

Simple and exact, and itself differentiable (a tape around it gives Hessians). It costs one
backward pass per element of the target.
"""

from __future__ import annotations

import math
from typing import Any

from minitensor import backend
from minitensor.autograd.convert import to_device_of
from minitensor.autograd.recording import Record
from minitensor.autograd.tensor import ArrayLike, Tensor, is_float
from minitensor.autograd.walk import filled, walk_back


def full(records: list[Record], target: Tensor, sources: list[Any]) -> list[Tensor | None]:
    """Per source (*target.shape, *source.shape), or None where the target does not depend on it."""
    size = math.prod(target.shape)
    if not is_float(target.dtype):
        return [None] * len(sources)
    if size == 0:
        return [filled(source, 0, (*target.shape, *source.shape)) for source in sources]
    rows = [walk_back(records, [target], [_unit(target, i, 1)], sources) for i in range(size)]
    return [
        _stacked([row[s] for row in rows], (*target.shape, *source.shape))
        for s, source in enumerate(sources)
    ]


def per_example(records: list[Record], target: Tensor, source: ArrayLike) -> Tensor | None:
    """(N, *target.shape[1:], *source.shape[1:]): example b of the target by example b."""
    if not target.ndim or target.shape[:1] != source.shape[:1]:
        raise ValueError(
            f"batch_jacobian: target {target.shape} and source {source.shape} must have the same "
            "first axis, one row per example"
        )
    size, examples = math.prod(target.shape[1:]), target.shape[0]
    if not is_float(target.dtype):
        return None
    if 0 in target.shape:
        return filled(source, 0, (*target.shape, *source.shape[1:]))
    rows = [
        walk_back(records, [target], [_unit(target, i, examples)], [source])[0] for i in range(size)
    ]
    shape = (*target.shape[1:], *source.shape)  # (T..., N, S...)
    stacked = _stacked(rows, shape)
    if stacked is None:
        return None
    axis = len(target.shape) - 1
    order = [axis, *range(axis), *range(axis + 1, len(shape))]
    return Tensor.transposed(stacked, order)  # (N, T..., S...)


def _stacked(rows: list[Tensor | None], shape: tuple[int, ...]) -> Tensor | None:
    present = [row for row in rows if row is not None]
    return Tensor.reshaped(Tensor.pack(present), shape) if present else None


def _unit(target: Tensor, i: int, examples: int) -> Tensor:
    """A cotangent that picks element i of each example."""
    xp = backend.of(target.array).xp
    seed = xp.zeros((examples, math.prod(target.shape) // examples), target.dtype)
    seed[:, i] = 1
    return to_device_of(seed.reshape(target.shape), target)
