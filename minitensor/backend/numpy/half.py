"""`in_float32` as NumPy's doors have it: large arrays are converted by compiled kernels.

Convolutions convert some images at a time: no copy of all of them in float32 ever exists.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from minitensor.backend.half import is_half, through_float32
from minitensor.backend.numpy.blocks import SLOWNESS
from minitensor.backend.numpy.choice import compiled

Function = TypeVar("Function", bound=Callable[..., Any])

BLOCK_BYTES = 2**24  # of images in float32


def in_float32(function: Function) -> Function:
    """Let `function` see float32 wherever it is given float16 or bfloat16 arrays."""
    return through_float32(function, is_half, _widened, _rounded)


def by_images(function: Function, summed: bool = False) -> Function:
    """The same of a convolution: of images and a kernel; or, `summed`, of images and images."""
    whole = in_float32(function)

    @wraps(function)
    def door(images: Any, other: Any, *rest: Any) -> Any:
        step = max(BLOCK_BYTES // max(4 * images[:1].size, 1), 1)
        if not is_half(images.dtype) or len(images) <= step:
            return whole(images, other, *rest)
        rest = tuple(_widened(a) if hasattr(a, "dtype") else a for a in rest)
        other, found = (other if summed else _widened(other)), []
        for first in range(0, len(images), step):
            some = slice(first, first + step)
            with_it = _widened(other[some]) if summed else other
            part = function(_widened(images[some]), with_it, *rest)
            found.append(part if summed else _rounded(part, images.dtype))
        return _rounded(sum(found), images.dtype) if summed else np.concatenate(found)

    return cast(Function, door)


def _widened(array: Any) -> Any:
    room = compiled(SLOWNESS * array.size, np.float32) if is_half(array.dtype) else None
    return array.astype("float32") if room is None else room.half.widened(array)


def _rounded(array: Any, half: Any) -> Any:
    room = compiled(SLOWNESS * array.size, array.dtype)
    return array.astype(half) if room is None else room.half.rounded(array, half)
