"""Pooling of any kind, rank and layout: arguments in, errors out, then `ops.pool`.

`pooled` serves every function of tf.nn that pools; `pool` is the general one of them. Every
combination of stride, dilation and padding is computed. A window without any pixel has no
maximum and no mean, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minitensor.autograd import Tensor
from minitensor.nn import arguments as args
from minitensor.ops import pool as ops
from minitensor.window import Window, extent, planes, real_taps

__all__ = ["pool"]


class Kind(NamedTuple):
    """Maximum or mean: what to call, and which integers it takes besides floats."""

    compute: Callable[..., Tensor]
    ints: tuple[str, ...]


MAX = Kind(ops.max_pool, ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"))
AVG = Kind(ops.avg_pool, ())


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
        padding: "VALID", "SAME" or pairs over all axes. Padding never wins and is not counted.
        data_format: "NWC", "NHWC", "NDHWC" or their channels-first forms.
        dilations: pixels between taps, a list; 1 by default.
        name: ignored.

    Returns:
        (N, output sizes, C)

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: shapes, numbers or words that are not legal, or a window without pixels.

    Example:
        >>> import minitensor as mt
        >>> x = mt.constant([[[1.0], [5.0], [2.0], [3.0]]])
        >>> pool(x, [2], "MAX", dilations=[2]).numpy().ravel()
        array([2., 5.], dtype=float32)

    Source: tf.nn.pool
    """
    kinds = {"MAX": MAX, "AVG": AVG}
    if pooling_type not in kinds:
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
    return place_and_pool("pool", kinds[pooling_type], input, sizes, step, pads, apart, last)


def pooled(
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
    return place_and_pool(op, kind, input, sizes, step, pads, (1,) * rank, last)


def spatial_rank(op: str, input: Any) -> int:
    """1, 2 or 3 spatial axes, by the axes of `input`."""
    shape = tuple(getattr(input, "shape", ()))
    if len(shape) not in (3, 4, 5):
        raise ValueError(
            f"{op}: input must have 3, 4 or 5 axes (N, spatial axes, C), got shape {shape}"
        )
    return len(shape) - 2


def place_and_pool(
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
    depth, plane = planes_of(op, x.shape[1:-1], ksize, strides, padding, dilations)
    return args.moved_back(kind.compute(x, depth=depth, plane=plane), last)


def planes_of(
    op: str,
    size: tuple[int, ...],
    ksize: tuple[int, ...],
    strides: tuple[int, ...],
    padding: args.Padding,
    dilations: tuple[int, ...],
) -> tuple[Window | None, Window]:
    """The windows over depth and plane, each of which sees at least one pixel everywhere."""
    args.fits(op, size, ksize, dilations, padding)
    reach = tuple(extent(*axis) for axis in zip(ksize, dilations, strict=True))
    if not isinstance(padding, str) and any(
        max(pair) >= k for pair, k in zip(padding, reach, strict=True)
    ):
        raise ValueError(
            f"{op}: padding {padding} needs to be smaller than the window, which spans {reach} "
            "pixels; the first or last window would see padding only"
        )
    depth, plane = planes(size, ksize, strides, padding, dilations)
    if any(_sees_nothing(window) for window in (depth, plane) if window):
        raise ValueError(
            f"{op}: a window of {ksize} taps, dilation {dilations}, would see no pixel of an input "
            f"of {size}, only padding {padding}; use less dilation or less padding"
        )
    return depth, plane


def _sees_nothing(window: Window) -> bool:
    """Whether some place of the window has no tap on a real pixel."""
    axes = zip(window.size, window.kernel, window.stride, window.dilation, window.pad, strict=True)
    return any(0 in real_taps(*axis) for axis in axes)
