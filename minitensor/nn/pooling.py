"""tf.nn's pooling of any kind, rank and layout: arguments in, errors out, then `ops.pool`.

Every combination of stride, dilation and padding is computed. Padding never wins a maximum and is
not counted in a mean: at the border it divides by fewer pixels. A window without any pixel has no
maximum and no mean, and is refused. Of equal values the first in row-major order wins and gets the
whole gradient. NaN wins over everything, where TensorFlow drops it; a window of -inf gives -inf.

For all of them:
    Args: `strides`: pixels between windows, in the forms of `ksize`. `padding`: "SAME" or "VALID",
        for maxima also pairs over all axes. `data_format`: "NWC", "NHWC", "NDHWC" or their
        channels-first forms. `name`: ignored.
    Raises: TypeError for an argument of the wrong kind, ValueError for shapes, numbers and words
        that are not legal, or a window without pixels.
    Source: the function of tf.nn with the same name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from inspect import cleandoc
from typing import Any, NamedTuple

from minitensor import backend
from minitensor.autograd import Tensor, to_device_of
from minitensor.docstrings import examples_of, named
from minitensor.nn import arguments as args
from minitensor.nn.ranks import LAYOUT, of_rank
from minitensor.ops import array
from minitensor.ops import pool as ops
from minitensor.window import Window, extent, real_taps

__all__ = [
    "avg_pool", "avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool", "max_pool1d", "max_pool2d",
    "max_pool3d", "max_pool_with_argmax", "pool",
]  # fmt: skip
example = examples_of("tf.nn", "")


class Kind(NamedTuple):
    """Maximum or mean: how to compute it, the integers it takes beside floats, the docs' words."""

    compute: Callable[..., Tensor]
    ints: tuple[str, ...]
    words: dict[str, str]


MAX = Kind(
    ops.max_pool,
    ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    {"kinds": "Maxima", "rule": "max", "dtypes": "floats or integers"},
)
AVG = Kind(ops.avg_pool, (), {"kinds": "Means", "rule": "mean", "dtypes": "floats"})
KINDS = {"MAX": MAX, "AVG": AVG}

_POOL = """{kinds} over windows of {images}.

y[n, {at}, c] = {rule} over {over} of input[n, {seen}, c]

Args:
    input: (N, {sizes}, C); {dtypes}.
    ksize: taps of the window: {forms}.

Returns:
    (N, {outputs}, C)

Example:
    >>> import minitensor as tf
    {example}
"""


def pool(
    input: Any,
    window_shape: Any,
    pooling_type: str,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Maxima or means over windows with one, two or three spatial axes.

    y[n, i, c] = max or mean over u of input[n, i*strides + u*dilations - before, c]

    Args:
        input: (N, spatial axes, C).
        window_shape: taps along each spatial axis, a list.
        pooling_type: "MAX" or "AVG".
        strides: pixels between windows, a list; 1 by default.
        padding: "VALID", "SAME" or pairs over all axes.
        dilations: pixels between taps, a list; 1 by default.

    Returns:
        (N, output sizes, C)

    Example:
        >>> import minitensor as tf
        >>> x = tf.constant([[[1.0], [5.0], [2.0], [3.0]]])
        >>> tf.nn.pool(x, [2], "MAX", dilations=[2]).numpy().ravel()
        array([2., 5.], dtype=float32)
    """
    if pooling_type not in KINDS:
        raise ValueError(
            f'pool: pooling_type must be "MAX" or "AVG" (upper case), got {pooling_type!r}'
        )
    if not isinstance(window_shape, list | tuple) or len(window_shape) not in (1, 2, 3):
        raise ValueError(
            "pool: window_shape must be a list of 1, 2 or 3 integers, one per spatial axis, "
            f"got {window_shape!r}"
        )
    rank = len(window_shape)
    forms = (1, rank)
    last = args.channels_last("pool", data_format, rank)
    sizes = args.spatial("pool", "window_shape", window_shape, rank, last, forms)
    step = args.spatial("pool", "strides", strides, rank, last, forms)
    apart = args.spatial("pool", "dilations", dilations, rank, last, forms)
    pads = args.padding("pool", padding, rank, last)
    return _pool("pool", KINDS[pooling_type], input, sizes, step, pads, apart, last)


@example(
    'max_pool(tf.ones([1, 4, 4, 6]), [1, 1, 1, 3], [1, 1, 1, 3], "VALID").shape',
    "TensorShape([1, 4, 4, 2])",
)
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

    Returns:
        (N, output sizes, C)
    """
    rank = _spatial_rank("max_pool", input)
    if rank == 2 and _over_channels(ksize, args.channels_last("max_pool", data_format, 2)):
        return _channel_pool(input, ksize, strides, padding, data_format)
    return _pooled("max_pool", MAX, rank, input, ksize, strides, padding, data_format)


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
        data_format: "NHWC".
        output_dtype: of the index: int64 or int32.
        include_batch_in_index: adds n*H*W*C to the index.

    Returns:
        Two tensors (N, h, w, C): the maxima, which have gradients, and the indices.

    Example:
        >>> import minitensor as tf
        >>> x = tf.reshape(tf.range(1.0, 5.0), [1, 2, 2, 1])
        >>> y, index = tf.nn.max_pool_with_argmax(x, 2, 2, "VALID")
        >>> y.numpy().item(), index.numpy().item()
        (4.0, 3)
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
    _, window = windows(op, x.shape[1:3], sizes, step, pads, (1, 1))
    window = window.trimmed
    y, tap = ops.max_pool_with_tap(x, window=window)
    index = _flat_index(tap, x.shape, window, bool(include_batch_in_index))
    return y, to_device_of(index.astype(output_dtype), x)


@example('avg_pool(tf.ones([1, 4, 4, 3]), 2, 2, "VALID").shape', "TensorShape([1, 2, 2, 3])")
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

    Returns:
        (N, output sizes, C)
    """
    rank = _spatial_rank("avg_pool", input)
    return _pooled("avg_pool", AVG, rank, input, ksize, strides, padding, data_format)


def _pooled(
    op: str,
    kind: Kind,
    rank: int,
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
) -> Tensor:
    """The functions of tf.nn that have no dilation. Explicit pads are for the maximum only."""
    last = args.channels_last(op, data_format, rank)
    sizes = args.spatial(op, "ksize", ksize, rank, last)
    step = args.spatial(op, "strides", strides, rank, last)
    pads = args.padding(op, padding, rank, last, explicit=kind is MAX)
    return _pool(op, kind, input, sizes, step, pads, (1,) * rank, last)


_EXAMPLES = {
    1: """
    >>> x = tf.constant([[[1.0], [4.0], [3.0]]])
    >>> tf.nn.{op}(x, 2, 2, "SAME").numpy().ravel()
    """,
    2: """
    >>> x = tf.reshape(tf.range(1.0, 10.0), [1, 3, 3, 1])
    >>> tf.nn.{op}(x, 2, 2, "SAME")[0, :, :, 0].numpy()
    """,
    3: """
    >>> x = tf.reshape(tf.range(8.0), [1, 2, 2, 2, 1])
    >>> tf.nn.{op}(x, 2, 2, "VALID").numpy().ravel()
    """,
}


def _of_rank(rank: int, op: str, kind: Kind, prints: str) -> Callable[..., Tensor]:
    """The function `op` of images of this rank; `prints` is what its example prints."""

    def pooled(
        input: Any,
        ksize: Any,
        strides: Any,
        padding: Any,
        data_format: str | None = LAYOUT[rank],
        name: str | None = None,
    ) -> Tensor:
        return _pooled(op, kind, rank, input, ksize, strides, padding, data_format)

    example = f"{cleandoc(_EXAMPLES[rank].format(op=op))}\narray({prints}, dtype=float32)"
    return of_rank(rank, _POOL, **kind.words)(named(op, example, pooled))


max_pool1d = _of_rank(1, "max_pool1d", MAX, "[4., 3.]")
max_pool2d = _of_rank(2, "max_pool2d", MAX, "[[5., 6.],\n       [8., 9.]]")
max_pool3d = _of_rank(3, "max_pool3d", MAX, "[7.]")
avg_pool1d = _of_rank(1, "avg_pool1d", AVG, "[2.5, 3. ]")
avg_pool2d = _of_rank(2, "avg_pool2d", AVG, "[[3. , 4.5],\n       [7.5, 9. ]]")
avg_pool3d = _of_rank(3, "avg_pool3d", AVG, "[3.5]")


def _spatial_rank(op: str, input: Any) -> int:
    """1, 2 or 3 spatial axes, by the axes of `input`."""
    shape = tuple(getattr(input, "shape", ()))
    if len(shape) not in (3, 4, 5):
        raise ValueError(
            f"{op}: input must have 3, 4 or 5 axes (N, spatial axes, C), got shape {shape}"
        )
    return len(shape) - 2


def _pool(
    op: str,
    kind: Kind,
    input: Any,
    ksize: tuple[int, ...],
    strides: tuple[int, ...],
    padding: args.Padding,
    dilations: tuple[int, ...],
    last: bool,
) -> Tensor:
    """Lays the windows over the input, checks them, and pools with the channels last."""
    rank = len(ksize)
    (x,) = args.tensors(op, kind.ints, input=input)
    args.rank_of(op, "input", x, rank + 2, "(N, spatial axes and channels)")
    x = args.moved_last(x, last)
    depth, plane = windows(op, x.shape[1:-1], ksize, strides, padding, dilations)
    return args.moved_back(kind.compute(x, depth=depth, plane=plane), last)


@lru_cache(maxsize=4096)
def windows(
    op: str,
    size: tuple[int, ...],
    ksize: tuple[int, ...],
    strides: tuple[int, ...],
    padding: args.Padding,
    dilations: tuple[int, ...],
) -> tuple[Window | None, Window]:
    """The windows over depth and plane, each of which sees at least one pixel everywhere."""
    depth, plane = args.windows(op, size, ksize, strides, padding, dilations)
    spans = tuple(extent(*axis) for axis in zip(ksize, dilations, strict=True))
    if not isinstance(padding, str) and any(
        max(pair) >= k for pair, k in zip(padding, spans, strict=True)
    ):
        raise ValueError(
            f"{op}: padding {padding} needs to be smaller than the window, which spans {spans} "
            "pixels; the first or last window would see padding only"
        )
    if any(_sees_nothing(window) for window in (depth, plane) if window):
        raise ValueError(
            f"{op}: a window of {ksize} taps, dilation {dilations}, would see no pixel of an input "
            f"of {size}, only padding {padding}; use less dilation or less padding"
        )
    return depth, plane


def _sees_nothing(window: Window) -> bool:
    """Whether some output position has no tap on a real pixel."""
    axes = zip(window.size, window.kernel, window.stride, window.dilation, window.pad, strict=True)
    return any(0 in real_taps(*axis) for axis in axes)


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
