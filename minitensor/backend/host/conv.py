"""The doors of the convolution family on a device: which algorithm, and then its call.

    conv2d              y = W' x           (N, H, W, C), (kh, kw, C/G, O) -> (N, h, w, O)
    conv2d_transpose    x = W'^T y         its adjoint in x
    conv2d_kernel_grad  sum of x^T y       its adjoint in the kernel
    conv2d_bias_activation                 activation(W' x + bias), in one kernel if it can

Each algorithm is a module with these three functions. Left alone, a convolution goes to
  - direct, for integers;
  - depthwise, where every channel is a group of its own;
  - tensor, for float16 whose channels come in eights, and for float32 if TF32 was enabled;
  - direct, where a group has so few outputs that most of a tile would stay empty;
  - register, the true-FP32 matrix product, in all other cases.
Half precision without a kernel of its own computes in float32 and rounds once. The twin is
minitensor/backend/numpy/conv.py.
"""

from __future__ import annotations

from math import prod
from typing import Any

from minitensor.backend.half import bfloat16_in_float32, in_float32
from minitensor.backend.host import (
    blocked,
    depthwise,
    direct,
    packs,
    product,
    register,
    tensor,
    tiled,
    winograd,
)
from minitensor.backend.host.device import Device
from minitensor.backend.host.elementwise import bias_activation
from minitensor.backend.numpy import matrix
from minitensor.backend.settings import pinned_algorithm, refuse_pinned, refuse_shape
from minitensor.window import Window, extent

_MODULES = {
    "direct": direct,
    "tiled": tiled,
    "register": register,
    "tensor": tensor,
    "winograd": winograd,
    "depthwise": depthwise,
    "im2col": blocked,
}
_FUSED = ("register", "tensor", "winograd")  # whose kernels can add a bias and cut off negatives
_FEW = 4  # columns of a product that conv_direct.cu computes no slower than a tile of 64
_MOST_PIXELS = 2**29  # pixels of one axis; kernels count them in int


@bfloat16_in_float32
def conv2d(device: Device, x: Any, kernel: Any, window: Window) -> Any:
    """Cross-correlate x (N, H, W, C) with kernel (kh, kw, C/G, O); returns (N, h, w, O)."""
    assert x.shape[1:3] == window.size
    shape = (len(x), *window.out, kernel.shape[-1])
    if 0 in shape + kernel.shape:
        return device.zeros(shape, x.dtype)
    x, kernel = _in_packs(device, x, kernel, window)
    return _run(device, "conv2d", x, kernel, window, (x.shape[-1], shape[-1]))


@bfloat16_in_float32
def conv2d_bias_activation(
    device: Device, x: Any, kernel: Any, bias: Any, window: Window, activation: str
) -> Any:
    """activation(conv2d(x, kernel) + bias), rounded once."""
    if 0 not in (*x.shape, *kernel.shape, *window.out) and activation != "relu6":
        x, kernel = _in_packs(device, x, kernel, window)
        channels = x.shape[-1], kernel.shape[-1]
        name, has_half = _choice(device, "conv2d", x.dtype, window, channels)
        if name in _FUSED:
            function = _MODULES[name].conv2d if has_half else in_float32(_MODULES[name].conv2d)
            return function(
                device, x, kernel, window, device.contiguous(bias), activation == "relu"
            )

    @in_float32
    def apart(x: Any, kernel: Any, bias: Any) -> Any:
        return bias_activation(device, conv2d(device, x, kernel, window), bias, activation)

    return apart(x, kernel, bias)


@bfloat16_in_float32
def conv2d_transpose(device: Device, y: Any, kernel: Any, window: Window) -> Any:
    """The adjoint of `conv2d` in x: y (N, h, w, O) to (N, H, W, C) with window.size = (H, W)."""
    assert y.shape[1:3] == window.out
    shape = (len(y), *window.size, kernel.shape[2] * window.groups)
    if 0 in shape + y.shape + kernel.shape:
        return device.zeros(shape, y.dtype)
    return _run(device, "conv2d_transpose", y, kernel, window, (shape[-1], y.shape[-1]))


@bfloat16_in_float32
def conv2d_kernel_grad(device: Device, x: Any, y: Any, window: Window) -> Any:
    """The adjoint of `conv2d` in the kernel; returns (kh, kw, C/G, O)."""
    assert (x.shape[1:3], y.shape[1:3]) == (window.size, window.out)
    shape = (*window.kernel, x.shape[-1] // window.groups, y.shape[-1])
    if 0 in shape + x.shape + y.shape:
        return device.zeros(shape, x.dtype)
    more = packs.lacking(x.dtype, x.shape[-1], y.shape[-1], window)
    x = packs.widened(device, x, 3, more)
    grad = _run(device, "conv2d_kernel_grad", x, y, window, (x.shape[-1], shape[-1]))
    return device.contiguous(grad[:, :, : shape[2]])


def conv2d_matrix(device: Device, kernel: Any, window: Window) -> Any:
    """The sparse matrix W', which lies in the CPU's memory on every backend."""
    return matrix.conv2d_matrix(device.to_numpy(kernel), window)


def _in_packs(device: Device, x: Any, kernel: Any, window: Window) -> tuple[Any, Any]:
    """x and kernel with whole packs of channels, where that is faster."""
    more = packs.lacking(x.dtype, x.shape[-1], kernel.shape[-1], window)
    return packs.widened(device, x, 3, more), packs.widened(device, kernel, 2, more)


def _run(device: Device, op: str, a: Any, b: Any, window: Window, channels: tuple[int, int]) -> Any:
    name, has_half = _choice(device, op, a.dtype, window, channels)
    function = getattr(_MODULES[name], op)
    return (function if has_half else in_float32(function))(device, a, b, window)


def _choice(
    device: Device, op: str, dtype: Any, window: Window, channels: tuple[int, int]
) -> tuple[str, bool]:
    """The algorithm, and whether it takes this float16 as it is."""
    spans = (extent(k, d) for k, d in zip(window.kernel, window.dilation, strict=True))
    if max(*window.size, *window.padded, *spans) >= _MOST_PIXELS:
        raise ValueError(f"{op}: {window} reaches over {_MOST_PIXELS} pixels; kernels count fewer")
    refuse_pinned(device.name, _MODULES)
    on_tensor_cores = tensor.fits(op, dtype, *channels, window)
    whole = "direct" if dtype.kind == "i" else None
    name = pinned_algorithm() or whole or _suiting(op, channels, window, on_tensor_cores)
    if name == "winograd" and op == "conv2d_kernel_grad":
        name = "register"  # Winograd has no such gradient; who pins it can still train
    _check(op, name, dtype, channels[0], window)
    return name, name == "depthwise" or (name == "tensor" and on_tensor_cores)


def _suiting(op: str, channels: tuple[int, int], window: Window, on_tensor_cores: bool) -> str:
    """The name of the algorithm for a shape."""
    if window.groups == channels[0] > 1:
        return "depthwise"
    if on_tensor_cores:
        return "tensor"
    columns = channels[op != "conv2d_transpose"] // window.groups
    parts = window.groups * (prod(window.stride) if op == "conv2d_transpose" else 1)
    few = op != "conv2d_kernel_grad" and columns <= _FEW
    return "direct" if few or parts > product.MOST_PARTS else "register"


def _check(op: str, name: str, dtype: Any, channels: int, window: Window) -> None:
    """Raises a ValueError if the algorithm `name`, which was pinned, cannot serve the shape."""
    wide = "float32" if dtype == "float16" else dtype
    serves, needs = {
        "depthwise": (window.groups == channels, "groups == channels"),
        "winograd": (
            winograd.fits(op, wide, window),
            "float32 or less, 3x3 kernels, stride and dilation 1",
        ),
        "tensor": (wide == "float32", "float32 and float16"),
    }.get(name, (True, ""))
    if dtype.kind == "i":
        serves, needs = name == "direct", "floats"
    if not serves:
        refuse_shape(channels, dtype, window, needs)
