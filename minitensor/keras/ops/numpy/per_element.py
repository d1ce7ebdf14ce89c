"""A function of numbers, mapped over tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor.array import broadcast_to, reshape, stack, unstack
from minitensor.autograd import as_tensor

__all__ = ["vectorize"]


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None
) -> Callable[..., Any]:
    """A function of numbers as one of tensors, element by element. Source: keras.ops.vectorize"""
    if signature is not None:
        raise ValueError("vectorize: signature is not there; use keras.ops.vectorized_map")
    fixed = set(excluded or ())

    def vectorized(*args: Any, **kwargs: Any) -> Any:
        given: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
        xs = {k: as_tensor(v) for k, v in given.items() if k not in fixed}
        shape = np.broadcast_shapes(*(x.shape for x in xs.values()))
        parts = {k: unstack(reshape(broadcast_to(x, shape), [-1])) for k, x in xs.items()}
        found = []
        for at in range(int(np.prod(shape))):
            now = given | {k: part[at] for k, part in parts.items()}
            found.append(pyfunc(*(now[k] for k in range(len(args))), **{k: now[k] for k in kwargs}))
        results = found if isinstance(found[0], tuple) else [(y,) for y in found]
        ys = tuple(reshape(stack(list(y)), shape) for y in zip(*results, strict=True))
        return ys if isinstance(found[0], tuple) else ys[0]

    return vectorized
