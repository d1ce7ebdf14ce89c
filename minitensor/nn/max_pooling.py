"""tf.nn's max pooling; what is common to all pooling is in `pooling`.

Of equal values the first in row-major order wins and gets the whole gradient. NaN wins over
everything, where TensorFlow drops it; a window of -inf gives -inf.
"""

from __future__ import annotations

from typing import Any

from minitensor import backend
from minitensor.autograd import Tensor, to_device_of
from minitensor.nn import arguments as args
from minitensor.nn.pooling import MAX, planes_of, pooled, spatial_rank
from minitensor.ops import array
from minitensor.ops import pool as ops
from minitensor.window import Window

__all__ = ["max_pool", "max_pool1d", "max_pool2d", "max_pool3d", "max_pool_with_argmax"]


def max_pool(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    name: str | None = None,
) -> Tensor:
    """max_pool1d, max_pool2d or max_pool3d, by the number of axes of `input`.

    For images it can also pool over channels: ksize and strides [1, 1, 1, k], where k divides C,
    give y[..., c] = max over u < k of input[..., c*k + u].

    Args:
        input: (N, spatial axes, C); floats or integers.
        ksize: taps of the window: a number, one per spatial axis or one per axis.
        strides: pixels between windows, in the forms of `ksize`.
        padding: "SAME", "VALID" or pairs over all axes; padding never wins.
        data_format: "NWC", "NHWC", "NDHWC" or their channels-first forms.
        name: ignored.

    Returns:
        (N, output sizes, C)

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: shapes, numbers or words that are not legal.

    Example:
        >>> import minitensor as mt
        >>> max_pool(mt.ones([1, 4, 4, 6]), [1, 1, 1, 3], [1, 1, 1, 3], "VALID").shape
        TensorShape([1, 4, 4, 2])

    Source: tf.nn.max_pool
    """
    rank = spatial_rank("max_pool", input)
    if rank == 2 and _over_channels(ksize, args.channels_last("max_pool", data_format, 2)):
        return _channel_pool(input, ksize, strides, padding, data_format)
    return pooled("max_pool", MAX, rank, input, ksize, strides, padding, data_format)


def _over_channels(ksize: Any, last: bool) -> bool:
    """Whether a list over all axes of an image has more than 1 for the channels."""
    is_full = isinstance(ksize, list | tuple) and len(ksize) == 4
    return is_full and ksize[3 if last else 1] != 1


def _channel_pool(input: Any, ksize: Any, strides: Any, padding: Any, data_format: Any) -> Tensor:
    """Channels as the width of an image of one channel."""
    last = args.channels_last("max_pool", data_format, 2)
    args.padding("max_pool", padding, 2, last, explicit=False)
    (x,) = args.tensors("max_pool", MAX.ints, input=input)
    x = args.moved_last(x, last)
    n, h, w, c = x.shape
    k = args.integer("max_pool", "ksize", ksize[3 if last else 1])
    whole = [1, 1, 1, k] if last else [1, k, 1, 1]
    if list(ksize) != whole or not isinstance(strides, list | tuple) or list(strides) != whole:
        raise ValueError(
            f"max_pool: pooling over channels takes ksize and strides {tuple(whole)}, got "
            f"{tuple(ksize)} and {strides!r}; pool over height and width in a call of its own"
        )
    if c % k:
        raise ValueError(f"max_pool: {k} channels per window must divide the {c} of input")
    window = Window.of((h * w, c), (1, k), (1, k))
    y = ops.max_pool2d(array.reshape(x, shape=(n, h * w, c, 1)), window=window)
    return args.moved_back(array.reshape(y, shape=(n, h, w, c // k)), last)


def max_pool1d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NWC",
    name: str | None = None,
) -> Tensor:
    """Maxima over windows of signals.

    y[n, i, c] = max over u of input[n, i*s + u - before, c]

    Args:
        input: (N, W, C); floats or integers.
        ksize: taps of the window: a number, [k] or [1, k, 1].
        strides: pixels between windows, in the forms of `ksize`.
        padding: "SAME", "VALID" or pairs over all axes; padding never wins.
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
        >>> max_pool1d(x, 2, 2, "SAME").numpy().ravel()
        array([4., 3.], dtype=float32)

    Source: tf.nn.max_pool1d
    """
    return pooled("max_pool1d", MAX, 1, input, ksize, strides, padding, data_format)


def max_pool2d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    name: str | None = None,
) -> Tensor:
    """Maxima over windows of images.

    y[n, i, j, c] = max over u, v of input[n, i*sh + u - top, j*sw + v - left, c]

    Args:
        input: (N, H, W, C); floats or integers.
        ksize: taps of the window: a number, [k], [kh, kw] or one per axis.
        strides: pixels between windows, in the forms of `ksize`.
        padding: "SAME", "VALID" or pairs over all axes; padding never wins.
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
        >>> max_pool2d(x, 2, 2, "SAME")[0, :, :, 0].numpy()
        array([[5., 6.],
               [8., 9.]], dtype=float32)

    Source: tf.nn.max_pool2d
    """
    return pooled("max_pool2d", MAX, 2, input, ksize, strides, padding, data_format)


def max_pool3d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NDHWC",
    name: str | None = None,
) -> Tensor:
    """Maxima over windows of volumes.

    y[n, l, i, j, c] = max over t, u, v of input[n, l*sd + t - front, i*sh + u - top, ..., c]

    Args:
        input: (N, D, H, W, C); floats or integers.
        ksize: taps of the window: a number, [k], [kd, kh, kw] or one per axis.
        strides: pixels between windows, in the forms of `ksize`.
        padding: "SAME", "VALID" or pairs over all axes; padding never wins.
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
        >>> max_pool3d(x, 2, 2, "VALID").numpy().ravel()
        array([7.], dtype=float32)

    Source: tf.nn.max_pool3d
    """
    return pooled("max_pool3d", MAX, 3, input, ksize, strides, padding, data_format)


def max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    output_dtype: Any = "int64",
    include_batch_in_index: bool = False,
    name: str | None = None,
) -> tuple[Tensor, Tensor]:
    """max_pool2d, and where each maximum was found.

    index = (y*W + x)*C + c for the pixel (y, x) of the image, padding not counted

    Args:
        input: (N, H, W, C); floats or integers.
        ksize: taps of the window: a number, [k], [kh, kw] or one per axis.
        strides: pixels between windows, in the forms of `ksize`.
        padding: "SAME" or "VALID".
        data_format: "NHWC".
        output_dtype: of the index: int64 or int32.
        include_batch_in_index: adds n*H*W*C to the index.
        name: ignored.

    Returns:
        Two tensors (N, h, w, C): the maxima, which have gradients, and the indices.

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: shapes, numbers or words that are not legal.

    Example:
        >>> import minitensor as mt
        >>> x = mt.reshape(mt.range(1.0, 5.0), [1, 2, 2, 1])
        >>> y, index = max_pool_with_argmax(x, 2, 2, "VALID")
        >>> y.numpy().item(), index.numpy().item()
        (4.0, 3)

    Source: tf.nn.max_pool_with_argmax
    """
    op = "max_pool_with_argmax"
    if data_format != "NHWC":
        raise ValueError(f'{op}: data_format must be "NHWC", got {data_format!r}')
    if output_dtype not in ("int64", "int32"):
        raise ValueError(f"{op}: output_dtype must be int64 or int32, got {output_dtype!r}")
    sizes = args.spatial(op, "ksize", ksize, 2, True)
    step = args.spatial(op, "strides", strides, 2, True)
    pads = args.padding(op, padding, 2, True, explicit=False)
    (x,) = args.tensors(op, MAX.ints, input=input)
    args.rank_of(op, "input", x, 4, "(N, H, W, C)")
    _, window = planes_of(op, x.shape[1:3], sizes, step, pads, (1, 1))
    tap = ops.window_argmax(x, window=window)
    index = _flat_index(tap, x.shape, window, bool(include_batch_in_index))
    return ops.take_tap(x, tap, window=window), to_device_of(index.astype(output_dtype), x)


def _flat_index(tap: Tensor, shape: tuple[int, ...], window: Window, batch: bool) -> Any:
    """(N, h, w, C) positions in one image, or in the whole input, of the taps that won."""
    xp = backend.of(tap.array).xp
    (n, height, width, channels), (h, w) = shape, window.out
    u, v = xp.divmod(tap.array.astype(xp.int64), window.kernel[1])
    row = u + (xp.arange(h) * window.stride[0] - window.pad[0][0]).reshape(h, 1, 1)
    column = v + (xp.arange(w) * window.stride[1] - window.pad[1][0]).reshape(w, 1)
    index = (row * width + column) * channels + xp.arange(channels)
    image = height * width * channels if batch else 0
    return index + (xp.arange(n) * image).reshape(n, 1, 1, 1)
