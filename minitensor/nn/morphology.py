"""tf.nn's greyscale morphology: arguments in, errors out, then `ops.morphology`.

For all of them:
    Args: `input`, `value`: (N, H, W, C); floats or int32. `filters`: (kh, kw, C). `strides`:
        [1, sh, sw, 1]. `padding`: "SAME" or "VALID". `data_format`: "NHWC". `dilations`:
        [1, dh, dw, 1]. `name`: ignored.
    Returns: (N, h, w, C)
    Raises: TypeError for an argument of the wrong kind or for tensors of two dtypes, ValueError for
        shapes, numbers and words that are not legal.
    Source: the function of tf.nn with the same name.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.nn import arguments as args
from minitensor.nn.pooling import windows
from minitensor.ops import array
from minitensor.ops import morphology as ops
from minitensor.window import Window

__all__ = ["dilation2d", "erosion2d"]


def dilation2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str,
    dilations: Any,
    name: str | None = None,
) -> Tensor:
    """Greyscale dilation: the largest sum of image and filter.

    y[n,i,j,c] = max over u,v of input[n, i*sh + u*dh - top, j*sw + v*dw - left, c] + filters[u,v,c]

    Padding never wins. Of equal sums the first wins; NaN wins over everything.

    Example:
        >>> import minitensor as tf
        >>> x = tf.reshape(tf.constant([1.0, 5.0, 2.0]), [1, 1, 3, 1])
        >>> ones = [1, 1, 1, 1]
        >>> tf.nn.dilation2d(x, tf.zeros([1, 3, 1]), ones, "SAME", "NHWC", ones).numpy().ravel()
        array([5., 5., 5.], dtype=float32)
    """
    op = "dilation2d"
    x, kernel, window = _read(op, "input", input, filters, strides, padding, data_format, dilations)
    return ops.dilation2d(x, kernel, window=window)


def erosion2d(
    value: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str,
    dilations: Any,
    name: str | None = None,
) -> Tensor:
    """Greyscale erosion: the smallest difference of image and filter, the dual of dilation.

    y[n,i,j,c] = min over u,v of value[n, i*sh + u*dh - top, j*sw + v*dw - left, c]
                               - filters[kh-1-u, kw-1-v, c]

    It is -dilation2d(-value, filters turned by half a circle).

    Example:
        >>> import minitensor as tf
        >>> x = tf.reshape(tf.constant([1.0, 5.0, 2.0]), [1, 1, 3, 1])
        >>> ones = [1, 1, 1, 1]
        >>> tf.nn.erosion2d(x, tf.zeros([1, 3, 1]), ones, "SAME", "NHWC", ones).numpy().ravel()
        array([1., 1., 2.], dtype=float32)
    """
    op = "erosion2d"
    x, kernel, window = _read(op, "value", value, filters, strides, padding, data_format, dilations)
    return -ops.dilation2d(-x, array.flip(kernel, axes=(0, 1)), window=window)


def _read(
    op: str,
    name: str,
    image: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: Any,
    dilations: Any,
) -> tuple[Tensor, Tensor, Window]:
    """The two tensors and where the window lies."""
    if data_format != "NHWC":
        raise ValueError(f'{op}: data_format must be "NHWC", got {data_format!r}')
    step = args.spatial(op, "strides", strides, 2, True, (4,))
    apart = args.spatial(op, "dilations", dilations, 2, True, (4,))
    pads = args.padding(op, padding, 2, True, explicit=False)
    x, kernel = args.tensors(op, **{name: image, "filters": filters})
    args.rank_of(op, name, x, 4, "(N, H, W, C)")
    args.rank_of(op, "filters", kernel, 3, "(kh, kw, C)")
    args.taps(op, kernel.shape[:2])
    if kernel.shape[2] != x.shape[3]:
        raise ValueError(
            f"{op}: {name} has {x.shape[3]} channels but filters {kernel.shape} have "
            f"{kernel.shape[2]}; filters.shape[2] must equal {name}.shape[3]"
        )
    _, window = windows(op, x.shape[1:3], kernel.shape[:2], step, pads, apart)
    return x, kernel, window
