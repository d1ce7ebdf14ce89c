"""Tensors in and out, places written to, and loops; everything runs at once, as Python does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor import array as made
from minitensor.autograd import Tensor, Variable, as_tensor
from minitensor.autograd import custom_gradient as _custom_gradient
from minitensor.autograd.tree import flatten, map_structure
from minitensor.keras.engine.keras_tensor import KerasTensor
from minitensor.keras.ops.table import Operand, operation
from minitensor.ops import array as moves
from minitensor.ops import math

__all__ = [
    "associative_scan", "cast", "cond", "convert_to_numpy", "convert_to_tensor",
    "custom_gradient", "dtype", "fori_loop", "is_tensor", "map", "saturate_cast", "scan",
    "scatter", "scatter_update", "shape", "slice", "slice_update", "stop_gradient", "switch",
    "unstack", "vectorized_map", "while_loop",
]  # fmt: skip

Function = Callable[..., Any]


@operation
def cast(x: Operand, dtype: Any) -> Tensor:
    """x in another element type. Source: keras.ops.cast"""
    return made.cast(as_tensor(x), dtype)


@operation
def saturate_cast(x: Operand, dtype: Any) -> Tensor:
    """cast, after x is brought within what the type can hold. Source: keras.ops.saturate_cast"""
    x, kind = as_tensor(x), made.cast(0, dtype).dtype
    if kind.kind in "iu" and x.dtype.kind != "b":
        limits = np.iinfo(kind)
        own = np.iinfo(x.dtype) if x.dtype.kind in "iu" else None
        low, high = limits.min, limits.max
        if own is not None:
            low, high = max(low, own.min), min(high, own.max)
        elif float(np.asarray(high).astype(x.dtype)) > high:  # 2^31 - 1 is 2^31 in float32
            high = np.nextafter(np.asarray(high).astype(x.dtype), x.dtype.type(0))[()]
        x = math.minimum(math.maximum(x, x.dtype.type(low)), x.dtype.type(high))
    return made.cast(x, kind)


@operation
def convert_to_tensor(x: Operand, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """x as a tensor. Source: keras.ops.convert_to_tensor"""
    if sparse or ragged:
        raise ValueError("convert_to_tensor: sparse and ragged tensors are not there")
    return as_tensor(x) if dtype is None else made.cast(as_tensor(x), dtype)


def convert_to_numpy(x: Any) -> Any:
    """x as a NumPy array. Source: keras.ops.convert_to_numpy"""
    return np.array(as_tensor(x))


def is_tensor(x: Any) -> bool:
    """Whether it is a tensor, symbolic or not. Source: keras.ops.is_tensor"""
    return isinstance(x, Tensor | Variable | KerasTensor)


def dtype(x: Any) -> str:
    """The name of the element type. Source: keras.ops.dtype"""
    kind = x.dtype
    return kind if isinstance(kind, str) else np.dtype(kind).name


def shape(x: Any) -> tuple[int | None, ...]:
    """The sizes as a tuple. Source: keras.ops.shape"""
    return tuple(x.shape if hasattr(x, "shape") else as_tensor(x).shape)


@operation
def stop_gradient(variable: Operand) -> Tensor:
    """The same, which no gradient passes. Source: keras.ops.stop_gradient"""
    return math.stop_gradient(as_tensor(variable))


def custom_gradient(f: Function) -> Function:
    """A function with a gradient of its own. Source: keras.ops.custom_gradient"""
    return _custom_gradient(f)


@operation
def unstack(x: Operand, num: int | None = None, axis: int = 0) -> Any:
    """The slices along an axis, in a list. Source: keras.ops.unstack"""
    return list(made.unstack(as_tensor(x), num, axis))


# ----- places -----


@operation
def slice(inputs: Operand, start_indices: Operand, shape: Any) -> Tensor:
    """A block of a tensor. Source: keras.ops.slice"""
    return made.slice(as_tensor(inputs), start_indices, shape)


@operation
def slice_update(inputs: Operand, start_indices: Operand, updates: Operand) -> Tensor:
    """A tensor with another block in it. Source: keras.ops.slice_update"""
    x = as_tensor(inputs)
    new = as_tensor(updates, x.dtype, like=x)
    starts = [int(np.asarray(s)) for s in made.unstack(as_tensor(start_indices))]
    starts = [
        max(0, min(s + n if s < 0 else s, n - m))
        for s, n, m in zip(starts, x.shape, new.shape, strict=True)
    ]
    return _written(x, tuple(np.s_[s : s + m] for s, m in zip(starts, new.shape, strict=True)), new)


def _written(x: Tensor, index: Any, new: Tensor) -> Tensor:
    """x with new elements at an index that names no place twice."""
    there = np.zeros(x.shape, bool)
    there[index] = True
    return math.where(as_tensor(there, like=x), moves.put(new, index=index, shape=x.shape), x)


def _places(indices: Any) -> tuple[np.ndarray, ...]:
    """An index of NumPy's: the last axis of `indices` names a place."""
    at = np.asarray(indices)
    return tuple(at[..., k] for k in range(at.shape[-1]))


@operation
def scatter(indices: Operand, values: Operand, shape: Any) -> Tensor:
    """Zeros with values added at places. Source: keras.ops.scatter"""
    sizes = tuple(int(n) for n in np.asarray(shape))
    return moves.put(as_tensor(values), index=_places(indices), shape=sizes)


_REDUCTIONS: dict[str | None, Function] = {
    None: lambda x, new: new,
    "add": math.add,
    "max": math.maximum,
    "min": math.minimum,
    "mul": math.multiply,
}


@operation
def scatter_update(
    inputs: Operand, indices: Operand, updates: Operand, reduction: str | None = None
) -> Tensor:
    """A tensor with rows put, added, ... at places. Source: keras.ops.scatter_update"""
    if reduction not in _REDUCTIONS:
        raise ValueError(f"Unsupported reduction: {reduction}")
    x = as_tensor(inputs)
    new = as_tensor(updates, x.dtype, like=x)
    at = np.asarray(indices)
    rows = at.reshape(-1, at.shape[-1])
    new = made.reshape(new, [len(rows), *x.shape[rows.shape[1] :]])
    met: Counter[bytes] = Counter()
    turn = np.empty(len(rows), int)  # a place named again has to wait for its turn
    for k, row in enumerate(rows):
        turn[k], met[row.tobytes()] = met[row.tobytes()], met[row.tobytes()] + 1
    for now in range(turn.max(initial=-1) + 1):
        chosen = np.flatnonzero(turn == now)
        index = _places(rows[chosen])
        both = _REDUCTIONS[reduction](
            moves.getitem(x, index=index), moves.gather(new, as_tensor(chosen, like=x), axis=0)
        )
        x = _written(x, index, both)
    return x


# ----- choices and loops -----


@operation
def cond(pred: Operand, true_fn: Operand, false_fn: Operand) -> Any:
    """What one of two functions gives. Source: keras.ops.cond"""
    return true_fn() if bool(np.asarray(pred)) else false_fn()


@operation
def switch(index: Operand, branches: Operand, *operands: Operand) -> Any:
    """What the function of this number gives. Source: keras.ops.switch"""
    which = min(max(int(np.asarray(index)), 0), len(branches) - 1)
    return branches[which](*operands)


@operation
def while_loop(
    cond: Any, body: Any, loop_vars: Operand, maximum_iterations: int | None = None
) -> Any:
    """`body` again and again, as long as `cond` holds. Source: keras.ops.while_loop"""
    several = isinstance(loop_vars, list | tuple)
    state = tuple(loop_vars) if several else (loop_vars,)
    turns = 0
    while (maximum_iterations is None or turns < maximum_iterations) and bool(
        np.asarray(cond(*state))
    ):
        found = body(*state)
        state, turns = tuple(found) if several else (found,), turns + 1
    state = tuple(map_structure(as_tensor, part) for part in state)
    return state if several else state[0]


@operation
def fori_loop(lower: int, upper: int, body_fun: Any, init_val: Operand) -> Any:
    """state = body_fun(i, state) for each i. Source: keras.ops.fori_loop"""
    state = init_val
    for i in range(int(np.asarray(lower)), int(np.asarray(upper))):
        state = body_fun(i, state)
    return state


def _stacked(results: list[Any]) -> Any:
    """A tree of stacks, of a list of trees."""
    return map_structure(lambda *parts: made.stack(list(parts)), *results)


def _rows(xs: Any, n: int | None = None) -> list[Any]:
    """The trees of first slices, second slices, ..."""
    parts = [made.unstack(as_tensor(x)) for x in flatten(xs)]
    count = len(parts[0]) if n is None else n
    packed = [iter([part[k] for part in parts]) for k in range(count)]
    return [map_structure(lambda _, row=row: next(row), xs) for row in packed]


@operation
def map(f: Operand, xs: Operand) -> Any:
    """f of each first slice, stacked. Source: keras.ops.map"""
    return _stacked([f(row) for row in _rows(xs)])


@operation
def vectorized_map(function: Any, elements: Operand) -> Any:
    """The same. Source: keras.ops.vectorized_map"""
    return _stacked([function(row) for row in _rows(elements)])


@operation
def scan(
    f: Operand,
    init: Operand,
    xs: Operand = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> Any:
    """carry, y = f(carry, x) for each x; the last carry, all y. Source: keras.ops.scan"""
    if xs is None and length is None:
        raise ValueError("Got no `xs` to scan over and `length` not provided.")
    rows = [None] * int(length or 0) if xs is None else _rows(xs, length)
    carry, found = init, []
    for row in reversed(rows) if reverse else rows:
        carry, y = f(carry, row)
        found.append(y)
    found = found[::-1] if reverse else found
    nothing = not found or found[0] is None
    return map_structure(as_tensor, carry), None if nothing else _stacked(found)


@operation
def associative_scan(f: Operand, elems: Operand, reverse: bool = False, axis: int = 0) -> Any:
    """f of all up to each one, over spans that double. Source: keras.ops.associative_scan"""
    turned = (lambda x: moves.flip(x, axes=(axis,))) if reverse else (lambda x: x)
    y = map_structure(lambda x: turned(as_tensor(x)), elems)
    first = flatten(y)[0]
    n, span = first.shape[axis], 1

    def part(x: Tensor, start: int, stop: int) -> Tensor:
        return moves.getitem(x, index=moves.along(axis % x.ndim, np.s_[start:stop]))

    def parts(tree: Any, start: int, stop: int) -> Any:
        return map_structure(lambda x: part(x, start, stop), tree)

    def joined(one: Tensor, other: Tensor) -> Tensor:
        return made.concat([one, other], axis)

    while span < n:
        both = f(parts(y, 0, n - span), parts(y, span, n))
        y = map_structure(joined, parts(y, 0, span), both)
        span *= 2
    return map_structure(turned, y)
