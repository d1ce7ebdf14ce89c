"""What happens to each element by itself: kernels/bias_activation.cu, and what CuPy has."""

from __future__ import annotations

from typing import Any

from minitensor.backend.error_function import gelu_of, gelu_slope
from minitensor.backend.half import bfloat16_in_float32, in_float32
from minitensor.backend.host.conversion import ctype
from minitensor.backend.host.device import Device
from minitensor.backend.host.grid import grid_size, pack_of

_GATED = ("float32", "float64", "float16")  # that kernels know
_NAMES = {"linear": "Linear", "relu": "Relu", "relu6": "Relu6"}


@bfloat16_in_float32
def bias_activation(device: Device, x: Any, bias: Any, activation: str) -> Any:
    """activation(x + bias), one bias per channel."""
    x, bias = device.contiguous(x), device.contiguous(bias)
    y = device.empty(x.shape, x.dtype)
    if y.size:
        pack = pack_of(device, x.shape[-1], x, bias)
        kernel = f"bias_activation<{_NAMES[activation]}, {ctype(x.dtype)}, {pack}>"
        packs, total = x.shape[-1] // pack, x.size // pack
        device.launch(kernel, grid_size(total), 256, x, bias, y, packs, total)
    return y


def where(device: Device, condition: Any, x: Any, y: Any) -> Any:
    """x where `condition` holds, else y; the three broadcast, x and y share a dtype."""
    return device.xp.where(condition, x, y)


def gate(device: Device, g: Any, x: Any, high: float | None) -> Any:
    """g where 0 < x < high (None: no limit), else 0."""
    if g.shape == x.shape and g.dtype == x.dtype and g.size and g.dtype in _GATED:
        g, x = device.contiguous(g), device.contiguous(x)
        y = device.empty(x.shape, x.dtype)
        pack = pack_of(device, x.size, g, x)
        total, limit = x.size // pack, float("nan") if high is None else high
        kernel = f"gate<{ctype(x.dtype)}, {pack}>"
        device.launch(kernel, grid_size(total), 256, g, x, y, limit, total)
        return y
    is_open = x > 0 if high is None else (x > 0) & (x < high)
    return where(device, is_open, g, device.xp.zeros((), g.dtype))


@in_float32
def gelu(device: Device, x: Any, approximate: bool) -> Any:
    """x times the standard normal distribution function of x, or its approximation by tanh."""
    return gelu_of(device.xp, x, approximate)


@in_float32
def gelu_grad(device: Device, g: Any, x: Any, approximate: bool) -> Any:
    """g times the derivative of `gelu`."""
    return g * gelu_slope(device.xp, x, approximate)


def sum_rows(device: Device, x: Any) -> Any:
    """(C,): the sum over all axes but the last."""
    wide = "float64" if x.dtype == "float32" else x.dtype
    return x.sum(axis=tuple(range(x.ndim - 1)), dtype=wide).astype(x.dtype, copy=False)
