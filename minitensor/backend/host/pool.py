"""Pooling on a device: the twins of minitensor/backend/numpy/pool.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.backend.half import bfloat16_in_float32
from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device
from minitensor.backend.host.grid import as_units, pack_of, rows_by_items
from minitensor.window import Window

_TOP_BIT = np.uint64(1 << 63)


@bfloat16_in_float32
def max_pool(device: Device, x: Any, window: Window) -> Any:
    """The maximum of each window's real pixels; NaN if one of them is."""
    if x.dtype.kind not in "iu":
        return _maxima(device, "max_pool", x, window, x.dtype)
    y = _maxima(device, "max_pool", _as_int64(x), window, "int64")
    if x.dtype == "uint64":
        return y.view("uint64") ^ _TOP_BIT
    return device.xp.maximum(y, np.iinfo(x.dtype).min).astype(x.dtype)  # where no pixel was seen


@bfloat16_in_float32
def window_argmax(device: Device, x: Any, window: Window) -> Any:
    """The tap u * kw + v of each window's first maximum or first NaN, int32."""
    if x.dtype.kind in "iu":
        x = _as_int64(x)
    return _maxima(device, "window_argmax", x, window, "int32")


def take_tap(device: Device, x: Any, index: Any, window: Window) -> Any:
    """The pixel under tap `index` of each window; any dtype, for it only copies."""
    y = device.empty(index.shape, x.dtype)
    if y.size == 0:
        return y
    c, rows = x.shape[-1], len(x) * window.out[0]
    items = window.out[1] * c
    pixels, taken = as_units(device.contiguous(x)), as_units(y)
    arrays = pixels, _taps(device, index), taken
    name = f"take_tap<{ctype(taken.dtype)}>"
    device.launch(name, *rows_by_items(items, rows), *arrays, window, c, items, rows)
    return y


@bfloat16_in_float32
def put_tap(device: Device, g: Any, index: Any, window: Window) -> Any:
    """The adjoint of `take_tap`: each g is added to the pixel under tap `index` of its window."""
    return _spread_back(device, "put_tap", (g, _taps(device, index)), window)


def max_pool_grad(device: Device, g: Any, x: Any, window: Window) -> Any:
    """Each g is added to the pixel of x that won its window."""
    return put_tap(device, g, window_argmax(device, x, window), window)


@bfloat16_in_float32
def avg_pool(device: Device, x: Any, window: Window) -> Any:
    """The mean of each window's real pixels; padding is not counted."""
    y = device.empty((len(x), *window.out, x.shape[-1]), x.dtype)
    return _launch(device, "avg_pool<{type}, {pack}>", (x,), y, window)


@bfloat16_in_float32
def avg_pool_grad(device: Device, g: Any, window: Window) -> Any:
    """The adjoint of `avg_pool`: each g is spread evenly over its window's real pixels."""
    return _spread_back(device, "avg_pool_grad", (g,), window)


def _maxima(device: Device, name: str, x: Any, window: Window, dtype: Any) -> Any:
    y = device.empty((len(x), *window.out, x.shape[-1]), dtype)
    return _launch(device, name + "<{type}, {pack}, {size}>", (x,), y, window)


def _spread_back(device: Device, name: str, arrays: tuple[Any, ...], window: Window) -> Any:
    """An adjoint: pixels gather from the positions that saw them."""
    g = arrays[0]
    shape = (len(g), *window.size, g.shape[-1])
    if g.size == 0:
        return device.zeros(shape, g.dtype)
    return _launch(device, name + "<{type}, {pack}>", arrays, device.empty(shape, g.dtype), window)


def _launch(device: Device, name: str, inputs: tuple[Any, ...], y: Any, window: Window) -> Any:
    """Fills y, one thread for each of its packs; its rows are (N, height)."""
    if y.size == 0:
        return y
    arrays = [*map(device.contiguous, inputs), y]
    n, height, width, c = y.shape
    pack, (kh, kw) = pack_of(device, c, *arrays), window.kernel
    size = kh if pack > 1 and kh == kw and kh in (2, 3) else 0
    items, rows = width * (c // pack), n * height
    device.launch(
        name.format(type=ctype(inputs[0].dtype), pack=pack, size=size),
        *(*rows_by_items(items, rows), *arrays, window, c // pack, items, rows),
    )
    return y


def _taps(device: Device, index: Any) -> Any:
    return device.contiguous(index.astype("int32", copy=False))


def _as_int64(x: Any) -> Any:
    """All integers compare as int64: one kernel serves them. uint64 keeps its order."""
    return (x ^ _TOP_BIT).view("int64") if x.dtype == "uint64" else x.astype("int64")
