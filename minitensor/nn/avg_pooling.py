"""tf.nn's average pooling; what is common to all pooling is in `pooling`.

The mean is over the real pixels of a window: at the border it divides by fewer.
"""

from __future__ import annotations

from typing import Any

from minitensor.autograd import Tensor
from minitensor.nn.pooling import AVG, pooled, spatial_rank

__all__ = ["avg_pool", "avg_pool1d", "avg_pool2d", "avg_pool3d"]


def avg_pool(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """avg_pool1d, avg_pool2d or avg_pool3d, by the number of axes of `input`.

    Args:
        input: (N, spatial axes, C); floats.
        ksize: taps of the window: a number, one per spatial axis or one per axis.
        strides: pixels between windows, in the forms of `ksize`.
        padding: "SAME" or "VALID"; padding is not counted.
        data_format: "NWC", "NHWC", "NDHWC" or their channels-first forms.
        name: ignored.

    Returns:
        (N, output sizes, C)

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: shapes, numbers or words that are not legal.

    Example:
        >>> import minitensor as mt
        >>> avg_pool(mt.ones([1, 4, 4, 3]), 2, 2, "VALID").shape
        TensorShape([1, 2, 2, 3])

    Source: tf.nn.avg_pool
    """
    rank = spatial_rank("avg_pool", input)
    return pooled("avg_pool", AVG, rank, input, ksize, strides, padding, data_format)


def avg_pool1d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NWC",
    name: str | None = None,
) -> Tensor:
    """Means over windows of signals.

    y[n, i, c] = mean over u of input[n, i*s + u - before, c]

    Args:
        input: (N, W, C); floats.
        ksize: taps of the window: a number, [k] or [1, k, 1].
        strides: pixels between windows, in the forms of `ksize`.
        padding: "SAME" or "VALID"; padding is not counted.
        data_format: "NWC" or "NCW".
        name: ignored.

    Returns:
        (N, w, C)

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: shapes, numbers or words that are not legal.

    Example:
        >>> import minitensor as mt
        >>> x = mt.constant([[[1.0], [4.0], [3.0]]])
        >>> avg_pool1d(x, 2, 2, "SAME").numpy().ravel()
        array([2.5, 3. ], dtype=float32)

    Source: tf.nn.avg_pool1d
    """
    return pooled("avg_pool1d", AVG, 1, input, ksize, strides, padding, data_format)


def avg_pool2d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    name: str | None = None,
) -> Tensor:
    """Means over windows of images.

    y[n, i, j, c] = mean over u, v of input[n, i*sh + u - top, j*sw + v - left, c]

    Args:
        input: (N, H, W, C); floats.
        ksize: taps of the window: a number, [k], [kh, kw] or one per axis.
        strides: pixels between windows, in the forms of `ksize`.
        padding: "SAME" or "VALID"; padding is not counted.
        data_format: "NHWC" or "NCHW".
        name: ignored.

    Returns:
        (N, h, w, C)

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: shapes, numbers or words that are not legal.

    Example:
        >>> import minitensor as mt
        >>> x = mt.reshape(mt.range(1.0, 10.0), [1, 3, 3, 1])
        >>> avg_pool2d(x, 2, 2, "SAME")[0, :, :, 0].numpy()
        array([[3. , 4.5],
               [7.5, 9. ]], dtype=float32)

    Source: tf.nn.avg_pool2d
    """
    return pooled("avg_pool2d", AVG, 2, input, ksize, strides, padding, data_format)


def avg_pool3d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NDHWC",
    name: str | None = None,
) -> Tensor:
    """Means over windows of volumes.

    y[n, l, i, j, c] = mean over t, u, v of input[n, l*sd + t - front, i*sh + u - top, ..., c]

    Args:
        input: (N, D, H, W, C); floats.
        ksize: taps of the window: a number, [k], [kd, kh, kw] or one per axis.
        strides: pixels between windows, in the forms of `ksize`.
        padding: "SAME" or "VALID"; padding is not counted.
        data_format: "NDHWC" or "NCDHW".
        name: ignored.

    Returns:
        (N, d, h, w, C)

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: shapes, numbers or words that are not legal.

    Example:
        >>> import minitensor as mt
        >>> x = mt.reshape(mt.range(8.0), [1, 2, 2, 2, 1])
        >>> avg_pool3d(x, 2, 2, "VALID").numpy().ravel()
        array([3.5], dtype=float32)

    Source: tf.nn.avg_pool3d
    """
    return pooled("avg_pool3d", AVG, 3, input, ksize, strides, padding, data_format)
