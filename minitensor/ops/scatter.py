"""Writing into a copy of a tensor at an index, as `getitem` reads there.

`index` is that of NumPy: slices and integers, or integer arrays that may name an element twice;
then the last update stays, and the extremes of all count. Adding is `put` and a sum.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor, primitive
from minitensor.autograd.walk import filled
from minitensor.backend.half import in_float32
from minitensor.backend.protocol import Backend
from minitensor.ops import array
from minitensor.ops.math import cast, equal

Index = tuple[Any, ...]


@primitive
def overwrite(be: Backend, x: Any, updates: Any, *, index: Index) -> Any:
    """x with `updates` at `index`."""
    y = be.xp.array(x)
    y[array.there(be, index)] = updates
    return y


overwrite.defvjp(
    lambda g, y, x, updates, *, index: overwrite(g, filled(updates, 0), index=index),
    lambda g, y, x, updates, *, index: array.getitem(g, index=index),
)


@primitive
@in_float32
def largest(be: Backend, x: Any, updates: Any, *, index: Index) -> Any:
    """x, where `updates` at `index` are not larger."""
    return _extreme(be, "maximum", x, updates, index)


@primitive
@in_float32
def smallest(be: Backend, x: Any, updates: Any, *, index: Index) -> Any:
    """x, where `updates` at `index` are not smaller."""
    return _extreme(be, "minimum", x, updates, index)


def _extreme(be: Backend, name: str, x: Any, updates: Any, index: Index) -> Any:
    y = be.xp.array(x)
    getattr(be.xp, name).at(y, array.there(be, index), updates)
    return y


def _shared(
    wanted: list[bool], g: Tensor, y: Tensor, x: Tensor, updates: Tensor, *, index: Index
) -> list[Tensor | None]:
    """All that are equal to the extreme share its gradient evenly, as in a reduction."""
    kept = cast(equal(x, y), dtype=g.dtype)
    taken = cast(equal(updates, array.getitem(y, index=index)), dtype=g.dtype)
    share = g / (kept + array.put(taken, index=index, shape=x.shape))
    return [kept * share, taken * array.getitem(share, index=index)]


largest.defvjp_jointly(_shared)
smallest.defvjp_jointly(_shared)
