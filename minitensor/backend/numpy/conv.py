"""The doors of the convolution family: nothing to do, or which algorithm, and then its call.

    conv2d              y = W' x           (N, H, W, C), (kh, kw, C/G, O) -> (N, h, w, O)
    conv2d_transpose    x = W'^T y         its adjoint in x
    conv2d_kernel_grad  sum of x^T y       its adjoint in the kernel
    conv2d_bias_activation                 activation(W' x + bias)

Group g of G reads input channels [g*C/G, (g+1)*C/G) and writes outputs [g*O/G, (g+1)*O/G);
depthwise is G = C. Each algorithm is a module with the first three, and all agree up to
rounding. A NaN reaches exactly what touches it, except through `matrix`, which multiplies every
pixel by the zeros of W' too.
"""

from __future__ import annotations

import sys
from functools import partial
from math import prod
from typing import Any, Protocol

import numpy as np

from minitensor.backend.numpy import blocked, depthwise, direct, matrix
from minitensor.backend.numpy.blocks import SLOWNESS
from minitensor.backend.numpy.choice import COMPILED, FEW_PLACES, compiled
from minitensor.backend.numpy.elementwise import bias_activation_into
from minitensor.backend.numpy.half import by_images
from minitensor.backend.settings import pinned_algorithm, refuse_pinned, refuse_shape
from minitensor.window import Window


class Algorithm(Protocol):
    """One way to compute the three, as a module of this room has it."""

    def conv2d(self, x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray: ...
    def conv2d_transpose(self, y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray: ...
    def conv2d_kernel_grad(self, x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray: ...


ALGORITHMS: dict[str, Algorithm] = {
    "direct": direct,
    "im2col": blocked,
    "matrix": matrix,
    "depthwise": depthwise,
}


@by_images
def conv2d(x: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """Cross-correlate x (N, H, W, C) with kernel (kh, kw, C/G, O); returns (N, h, w, O)."""
    assert x.shape[1:3] == window.size
    shape = (len(x), *window.out, kernel.shape[-1])
    if 0 in shape + kernel.shape:
        return np.zeros(shape, x.dtype)
    return _algorithm("conv2d", x, kernel.shape, window).conv2d(x, kernel, window)


@by_images
def conv2d_bias_activation(
    x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, window: Window, activation: str
) -> np.ndarray:
    """activation(conv2d(x, kernel) + bias), rounded once."""
    y = conv2d(x, kernel, window)
    bias_activation_into(y, y, bias, activation)
    return y


@by_images
def conv2d_transpose(y: np.ndarray, kernel: np.ndarray, window: Window) -> np.ndarray:
    """The adjoint of `conv2d` in x: y (N, h, w, O) to (N, H, W, C) with window.size = (H, W)."""
    assert y.shape[1:3] == window.out
    shape = (len(y), *window.size, kernel.shape[2] * window.groups)
    if 0 in shape + y.shape + kernel.shape:
        return np.zeros(shape, y.dtype)
    algorithm = _algorithm("conv2d_transpose", y, kernel.shape, window)
    return algorithm.conv2d_transpose(y, kernel, window)


@partial(by_images, summed=True)
def conv2d_kernel_grad(x: np.ndarray, y: np.ndarray, window: Window) -> np.ndarray:
    """The adjoint of `conv2d` in the kernel; returns (kh, kw, C/G, O)."""
    assert (x.shape[1:3], y.shape[1:3]) == (window.size, window.out)
    shape = (*window.kernel, x.shape[-1] // window.groups, y.shape[-1])
    if 0 in shape + x.shape + y.shape:
        return np.zeros(shape, x.dtype)
    return _algorithm("conv2d_kernel_grad", x, shape, window).conv2d_kernel_grad(x, y, window)


def _algorithm(op: str, images: np.ndarray, kernel: tuple[int, ...], window: Window) -> Algorithm:
    """The pinned algorithm, or the one that suits the shape."""
    found: Any = _chosen(op, images, kernel, window)
    logging = sys.modules.get("logging")  # whoever wants to hear of it has loaded it
    if logging is not None and logging.getLogger("minitensor").isEnabledFor(logging.DEBUG):
        logging.getLogger("minitensor").debug(
            *("%s of %s %s by %s: %s", op, images.dtype, (images.shape, kernel)),
            *(found.__name__.rpartition("numpy.")[2], pinned_algorithm() or "chosen by shape"),
        )
    return found  # type: ignore[no-any-return]


def _chosen(op: str, images: np.ndarray, kernel: tuple[int, ...], window: Window) -> Algorithm:
    pinned, channels = pinned_algorithm(), kernel[2] * window.groups
    fits = kernel[2] == 1 < channels
    if pinned is not None:
        refuse_pinned("numpy", (*ALGORITHMS, *COMPILED))
    places = len(images) * prod(window.out)
    work = places * prod(kernel) * (SLOWNESS if fits else 1)
    few = pinned is None and not fits and places < FEW_PLACES
    room = compiled(work, images.dtype)
    serves, needs = {
        "depthwise": (kernel[2] == 1, "groups == channels"),
        "tile": (room is not None, "floats"),
        "winograd": (
            room is not None and room.winograd.fits(window),
            "floats, 3x3 kernels, stride and dilation 1, one group",
        ),
    }.get(pinned or "", (True, ""))
    if not serves:
        refuse_shape(channels, images.dtype, window, needs)
    if room is not None:
        found: Algorithm = room.algorithm_for(op, images.dtype, len(images), kernel, window)
        if not few or found is room.few_places:
            return found
    if pinned is None:
        return depthwise if fits else blocked
    return ALGORITHMS[pinned]
