"""The matrix W' of a convolution: y = W' x, x = W'^T y. TensorFlow does not show it; we do."""

from __future__ import annotations

from typing import Any

from minitensor import backend
from minitensor.nn import arguments as args
from minitensor.window import Window

__all__ = ["conv2d_matrix"]


def conv2d_matrix(
    filters: Any,
    input_shape: Any,
    strides: Any = 1,
    padding: Any = "VALID",
    dilations: Any = None,
) -> Any:
    """The matrix that convolution is: conv2d(x, filters).ravel() = W' @ x.ravel() per image.

    W'[(i,j,o), (i*sh + u*dh - top, j*sw + v*dw - left, c)] = filters[u, v, c, o], zero elsewhere

    Args:
        filters: (kh, kw, C/G, O).
        input_shape: (H, W, C) of one image.
        strides: pixels between places: a number, [s], [sh, sw] or one per axis.
        padding: "SAME", "VALID" or explicit pairs over all axes.
        dilations: pixels between taps, in the forms of `strides`.

    Returns:
        (h*w*O, H*W*C): a scipy.sparse array if SciPy is installed, else a dense NumPy array.
        Its transpose is conv2d_transpose. Half precision comes as float32.

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: sizes that are not legal, or a dense matrix that would be too large.

    Example:
        >>> import minitensor as mt
        >>> mt.nn.conv2d_matrix(mt.ones([3, 3, 1, 1]), (4, 4, 1)).shape
        (4, 16)

    Source: the sparse matrix of a convolution, as in the course's chapter on transposed
        convolution (tf.nn has no such function).
    """
    op = "conv2d_matrix"
    (kernel,) = args.tensors(op, filters=filters)
    args.rank_of(op, "filters", kernel, 4, "(kh, kw, C/G, O)")
    args.taps(op, kernel.shape[:2])
    shape = [args.integer(op, "input_shape", n, 0) for n in input_shape]
    if len(shape) != 3:
        raise ValueError(f"{op}: input_shape must be (H, W, C), got {tuple(shape)}")
    stride = args.spatial(op, "strides", strides, 2, True)
    dilation = args.spatial(op, "dilations", dilations, 2, True)
    pads = args.padding(op, padding, 2, True)
    groups = args.group_count(op, shape[2], kernel.shape, "input_shape")
    args.fits(op, shape[:2], kernel.shape[:2], dilation, pads)
    window = Window.of(shape[:2], kernel.shape[:2], stride, pads, dilation, groups)
    return backend.of(kernel.array).conv2d_matrix(kernel.array, window)
