"""First layers: images of few channels are given channels of zeros, until packs of 16 bytes fit.

A copy of 16 bytes needs channels of a group in fours (float32) or eights (float16). An image of 3
colours has neither: the product would copy number by number, and float16 would be multiplied in
float32, off the tensor cores. A fourth channel of zeros costs a copy of the image, which is small
beside what a first layer writes, and changes no sum.

What `minitensor kernel 'conv_register<Forward' --metrics H100` says of (8, 56, 56, 3), 3x3 to 64
channels: 5.5 us number by number, 2.9 us in packs, and 0.2 us for the copy; nothing measured yet.
"""

from __future__ import annotations

from typing import Any

from minitensor.backend.host.device import Device
from minitensor.backend.settings import pinned_algorithm, tensor_float_32
from minitensor.window import Window

_PACK = {"float32": 4, "float16": 8}  # numbers in 16 bytes
_MOST = 1.5  # times the products: what packs save in float32 outside tensor cores


def lacking(dtype: Any, channels: int, outputs: int, window: Window) -> int:
    """How many channels of zeros a forward product, or its kernel gradient, is better off with."""
    pack = _PACK.get(dtype.name, 1)
    more = -channels % pack
    if not more or outputs % pack or window.groups > 1 or pinned_algorithm():
        return 0
    on_tensor_cores = dtype == "float16" or tensor_float_32()
    return more if on_tensor_cores or (channels + more) / channels <= _MOST else 0


def widened(device: Device, array: Any, axis: int, more: int) -> Any:
    """`array` with `more` zeros at the end of an axis."""
    if not more:
        return array
    shape = list(array.shape)
    shape[axis] += more
    wide = device.zeros(tuple(shape), array.dtype)
    wide[(*[slice(None)] * axis, slice(array.shape[axis]))] = array
    return wide
