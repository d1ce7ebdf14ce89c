"""Half precision on the CPU: large arrays are converted by compiled kernels.

Convolutions convert some images at a time: no copy of all of them in float32 ever exists.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

from minitensor.backend.half import WIDE, astype, converters, in_float32, is_half
from minitensor.backend.numpy.choice import LARGE, compiled

Function = TypeVar("Function", bound=Callable[..., Any])

BLOCK_BYTES = 2**24  # of images in float32
FEW = 2**12  # numbers that NumPy has converted before a kernel is called


def by_images(function: Function, summed: bool = False) -> Function:
    """The same of a convolution: of images and a kernel; or, `summed`, of images and images."""
    whole = in_float32(function)

    @wraps(function)
    def door(images: Any, other: Any, *rest: Any) -> Any:
        step = max(BLOCK_BYTES // max(4 * images[:1].size, 1), 1)
        if not is_half(images.dtype) or len(images) <= step:
            return whole(images, other, *rest)
        rest = tuple(astype(a) if hasattr(a, "dtype") else a for a in rest)
        other, found = (other if summed else astype(other)), []
        for first in range(0, len(images), step):
            some = slice(first, first + step)
            with_it = astype(other[some]) if summed else other
            part = function(astype(images[some]), with_it, *rest)
            found.append(part if summed else astype(part, images.dtype))
        return astype(sum(found), images.dtype) if summed else np.concatenate(found)

    return cast(Function, door)


def _converted(array: Any, dtype: Any) -> Any:
    """`array.astype(dtype)`, by a compiled kernel from half precision to float32 and back."""
    before, after = array.dtype, np.dtype(dtype)
    widens = after == WIDE and is_half(before)
    rounds = before == WIDE and is_half(after)
    work = LARGE if array.size >= FEW else array.size
    room = compiled(work, WIDE) if widens or rounds else None
    if room is None:
        return array.astype(dtype)
    return room.half.widened(array) if widens else room.half.rounded(array, after)


converters[np.ndarray] = _converted
