"""The convolution family: three ops that are each other's derivatives.

Convolution is one trilinear form T(x, kernel, y) = sum(y * conv2d(x, kernel)). Its partial
derivatives are the three ops below, so six lines hold the derivatives of every order:

    conv2d(x, kernel) -> y              y = W' x, with W' the sparse matrix of the kernel
    conv2d_transpose(y, kernel) -> x    x = W'^T y
    conv2d_kernel_grad(x, y) -> kernel

    x (N, H, W, C)    kernel (kh, kw, C/G, O)    y (N, h, w, O)    G groups, depthwise is G = C

im2col and col2im are an adjoint pair as well. Three spatial axes are sums of planes (see `conv`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitensor.autograd import Tensor, primitive
from minitensor.backend.protocol import Backend
from minitensor.ops import activation as activations
from minitensor.ops import array, math
from minitensor.ops.math import rounded_once
from minitensor.window import Window

NOWHERE = slice(0, 0), slice(0, 0)  # what a tap meets that lies on padding from every position


@primitive
def conv2d(be: Backend, x: Any, kernel: Any, *, window: Window) -> Any:
    """y[n,i,j,o] = sum over u,v,c of x[n, i*s + u*d - p, j*s + v*d - p, c] kernel[u,v,c,o]."""
    return be.conv2d(x, kernel, window)


@primitive
def conv2d_transpose(be: Backend, y: Any, kernel: Any, *, window: Window) -> Any:
    """The adjoint of conv2d in x: x = W'^T y."""
    return be.conv2d_transpose(y, kernel, window)


@primitive
def conv2d_kernel_grad(be: Backend, x: Any, y: Any, *, window: Window) -> Any:
    """The adjoint of conv2d in the kernel: columns(x)^T y."""
    return be.conv2d_kernel_grad(x, y, window)


conv2d.defvjp(
    lambda g, y, x, kernel, *, window: conv2d_transpose(g, kernel, window=window),
    lambda g, y, x, kernel, *, window: conv2d_kernel_grad(x, g, window=window),
)
conv2d_transpose.defvjp(
    lambda g, x, y, kernel, *, window: conv2d(g, kernel, window=window),
    lambda g, x, y, kernel, *, window: conv2d_kernel_grad(g, y, window=window),
)
conv2d_kernel_grad.defvjp(
    lambda g, kernel, x, y, *, window: conv2d_transpose(y, g, window=window),
    lambda g, kernel, x, y, *, window: conv2d(x, g, window=window),
)


@primitive
def conv2d_bias_activation(
    be: Backend, x: Any, kernel: Any, bias: Any, *, window: Window, activation: str
) -> Any:
    """activation(conv2d(x, kernel) + bias): "linear", "relu" or "relu6", as one pass."""
    return be.conv2d_bias_activation(x, kernel, bias, window, activation)


def _bias_activation_grads(
    wanted: list[bool],
    g: Tensor,
    y: Tensor,
    x: Tensor,
    kernel: Tensor,
    bias: Tensor,
    *,
    window: Window,
    activation: str,
) -> list[Tensor | None]:
    g = activations.through(g, y, activation)
    return [
        conv2d_transpose(g, kernel, window=window) if wanted[0] else None,
        conv2d_kernel_grad(x, g, window=window) if wanted[1] else None,
        array.sum_to(g, shape=bias.shape) if wanted[2] else None,
    ]


conv2d_bias_activation.defvjp_jointly(_bias_activation_grads)


@primitive
def im2col(be: Backend, x: Any, *, window: Window) -> Any:
    """(N, H, W, C) -> (N, h, w, kh*kw*C): the patch of every output position as a row."""
    return be.im2col(x, window)


@primitive
def col2im(be: Backend, columns: Any, *, window: Window) -> Any:
    """The adjoint of im2col: every column entry added back to the pixel it was read from."""
    return be.col2im(columns, window)


im2col.defvjp(lambda g, columns, x, *, window: col2im(g, window=window))
col2im.defvjp(lambda g, x, columns, *, window: im2col(g, window=window))


# ----- any number of spatial axes -----


def conv(x: Tensor, kernel: Tensor, *, depth: Window | None, plane: Window) -> Tensor:
    """Convolution over one, two or three spatial axes.

    One axis is a plane of height 1. Over three, each tap of the kernel's depth convolves the
    frames it sees as a batch of planes, and the results are added.
    """
    if depth is None:
        return _as_planes(conv2d, x, kernel, plane, (*plane.out, kernel.shape[-1]))
    return _conv3d(x, kernel, depth=depth, plane=plane)


def conv_transpose(y: Tensor, kernel: Tensor, *, depth: Window | None, plane: Window) -> Tensor:
    """The adjoint of `conv` in x."""
    if depth is None:
        channels = kernel.shape[-2] * plane.groups
        return _as_planes(conv2d_transpose, y, kernel, plane, (*plane.size, channels))
    return _conv3d_transpose(y, kernel, depth=depth, plane=plane)


def _as_planes(
    op: Callable[..., Tensor], x: Tensor, kernel: Tensor, window: Window, out: tuple[int, ...]
) -> Tensor:
    """Runs a plane op; a tensor of one spatial axis gets, and loses again, a height of 1."""
    if x.ndim == 4:
        return op(x, kernel, window=window)
    n, w, c = x.shape
    y = op(
        array.reshape(x, shape=(n, 1, w, c)),
        array.reshape(kernel, shape=(1, *kernel.shape)),
        window=window,
    )
    return array.reshape(y, shape=(n, *out[1:]))


@rounded_once
def _conv3d(x: Tensor, kernel: Tensor, *, depth: Window, plane: Window) -> Tensor:
    n, image = x.shape[0], x.shape[2:]
    shape = (n, depth.out[0], *plane.out, kernel.shape[-1])
    total = None
    for t in range(kernel.shape[0]):
        outputs, pixels = depth.meet(0, t) or NOWHERE
        frames = array.getitem(x, index=(slice(None), pixels))  # (N, k, H, W, C)
        planes = array.reshape(frames, shape=(n * frames.shape[1], *image))  # (N·k, H, W, C)
        y = conv2d(planes, array.getitem(kernel, index=(t,)), window=plane)
        total = _added(total, y, outputs, shape)
    assert total is not None
    return total  # (N, d, h, w, O)


@rounded_once
def _conv3d_transpose(y: Tensor, kernel: Tensor, *, depth: Window, plane: Window) -> Tensor:
    n, image = y.shape[0], y.shape[2:]
    shape = (n, depth.size[0], *plane.size, kernel.shape[-2] * plane.groups)
    total = None
    for t in range(kernel.shape[0]):
        outputs, pixels = depth.meet(0, t) or NOWHERE
        frames = array.getitem(y, index=(slice(None), outputs))  # (N, k, h, w, O)
        planes = array.reshape(frames, shape=(n * frames.shape[1], *image))  # (N·k, h, w, O)
        x = conv2d_transpose(planes, array.getitem(kernel, index=(t,)), window=plane)
        total = _added(total, x, pixels, shape)
    assert total is not None
    return total  # (N, D, H, W, C)


def _added(total: Tensor | None, planes: Tensor, frames: slice, shape: tuple[int, ...]) -> Tensor:
    """The sum so far, and planes (N·k, ...) at k frames of its depth."""
    count = len(range(*frames.indices(shape[1])))
    part = array.reshape(planes, shape=(shape[0], count, *shape[2:]))
    if count < shape[1]:
        part = array.put(part, index=(slice(None), frames), shape=shape)
    return part if total is None else math.add(total, part)
