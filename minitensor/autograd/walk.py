"""Reverse-mode differentiation: one walk back along a list of records.

The list is already in the right order, so nothing is sorted and nothing recurses. Gradients are
made by ops, which any tape that still records sees: that is how higher orders come about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minitensor import backend
from minitensor.autograd import tree
from minitensor.autograd.convert import as_tensor, to_device_of
from minitensor.autograd.recording import GRADIENT, Record, active
from minitensor.autograd.tensor import ArrayLike, Tensor, is_float


def walk_back(
    records: list[Record],
    targets: Sequence[ArrayLike],
    seeds: Sequence[Tensor | None],
    sources: Sequence[ArrayLike],
    ready: Callable[[int, Tensor], None] | None = None,
) -> list[Tensor | None]:
    """One gradient per source, along the records that lead from sources to targets.

    `ready(i, gradient)` is called as soon as that of source i is whole.
    """
    reached = {id(source) for source in sources}
    path = []
    for entry in records:
        if not reached.isdisjoint(map(id, entry.inputs)):
            reached.update(map(id, entry.outputs))
            path.append(entry)
    cotangents: dict[int, Tensor] = {}
    _accumulate(cotangents, targets, seeds)
    kept = {id(source) for source in sources}
    whole = _whole_after(path, sources) if ready is not None else {}
    around = active.layers
    try:
        for n, entry in zip(range(len(path) - 1, -1, -1), reversed(path), strict=True):
            outs = [
                cotangents.get(id(o)) if id(o) in kept else cotangents.pop(id(o), None)
                for o in entry.outputs
            ]
            if any(g is not None for g in outs):
                wanted = [id(i) in reached for i in entry.inputs]
                active.layers = [*entry.place, GRADIENT]
                _accumulate(cotangents, entry.inputs, entry.pull_back(outs, wanted))
            for i in whole.get(n, ()):
                if ready is not None and (gradient := cotangents.get(id(sources[i]))) is not None:
                    ready(i, gradient)
    finally:
        active.layers = around
    return [cotangents.get(id(source)) for source in sources]


def _whole_after(path: list[Record], sources: Sequence[ArrayLike]) -> dict[int, list[int]]:
    """{record: sources of which nothing before it was made}: their gradients are whole then."""
    number = {id(source): i for i, source in enumerate(sources)}
    found: dict[int, list[int]] = {}
    for n, entry in enumerate(path):
        for tensor in entry.inputs:
            if (i := number.pop(id(tensor), None)) is not None:
                found.setdefault(n, []).append(i)
    return found


def _accumulate(
    cotangents: dict[int, Tensor], tensors: Sequence[ArrayLike], gradients: Sequence[Tensor | None]
) -> None:
    """Adds each gradient to what its tensor already has."""
    for tensor, gradient in zip(tensors, gradients, strict=True):
        if gradient is not None:
            before = cotangents.get(id(tensor))
            cotangents[id(tensor)] = gradient if before is None else before + gradient


def seeds_of(targets: list[Any], output_gradients: Any) -> list[Tensor | None]:
    """The cotangent each target starts with: ones, or what the caller gave. Ints have none."""
    given = [None] * len(targets) if output_gradients is None else tree.flatten(output_gradients)
    if len(targets) == 1 != len(given):
        given = [output_gradients]  # a list of numbers, which is one cotangent
    if len(given) != len(targets):
        raise ValueError(
            f"gradient: {len(given)} output_gradients for {len(targets)} targets; give one each"
        )
    seeds: list[Tensor | None] = []
    for target, g in zip(targets, given, strict=True):
        if not isinstance(target, ArrayLike):
            raise TypeError(f"gradient: targets must be tensors, got {type(target).__name__}")
        seed = filled(target, 1) if g is None else _seed(g, target)
        if seed.shape != target.shape:
            raise ValueError(
                f"gradient: an output gradient has shape {seed.shape} but its target "
                f"{target.shape}; they must be equal"
            )
        seeds.append(seed if is_float(target.dtype) else None)
    return seeds


def check_sources(sources: list[Any]) -> None:
    for source in sources:
        if not isinstance(source, ArrayLike):
            raise TypeError(
                f"gradient: sources must be tensors or variables, got {type(source).__name__}"
            )


def _seed(gradient: Any, target: ArrayLike) -> Tensor:
    return as_tensor(gradient, target.dtype, "output_gradients", target)


def filled(like: ArrayLike, value: float, shape: tuple[int, ...] | None = None) -> Tensor:
    be = backend.of(like.array)
    full = be.xp.full(like.shape if shape is None else shape, value, dtype=like.dtype)
    return to_device_of(full, like)


# ----- all derivatives of all elements: a walk back for each element of the target, stacked -----


def jacobian(records: list[Record], target: Tensor, sources: list[Any]) -> list[Tensor | None]:
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


def batch_jacobian(records: list[Record], target: Tensor, source: ArrayLike) -> Tensor | None:
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
