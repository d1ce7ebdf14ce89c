"""What all transposed convolutions do with their arguments: read, check, transpose.

The one argument of its own is `output_shape`: which of the sizes that a convolution maps to the
input is wanted. A size that none maps to it is refused, and the legal ones are named.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitensor.autograd import Tensor
from minitensor.autograd.tensor import ArrayLike
from minitensor.nn import arguments as args
from minitensor.ops import conv as ops
from minitensor.window import planes, transposed_sizes


def transpose(
    op: str,
    rank: int,
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any,
    image: str = "input",
) -> Tensor:
    """The adjoint of a convolution over `rank` spatial axes."""
    last = args.channels_last(op, data_format, rank)
    stride = args.spatial(op, "strides", strides, rank, last)
    dilation = args.spatial(op, "dilations", dilations, rank, last)
    pads = args.padding(op, padding, rank, last)
    y, kernel = args.tensors(op, **{image: input, "filters": filters})
    args.rank_of(op, image, y, rank + 2, "(N, spatial axes and channels)")
    args.rank_of(op, "filters", kernel, rank + 2, "(spatial taps, OUT/G, IN)")
    args.taps(op, kernel.shape[:rank])
    y = args.moved_last(y, last)
    size, channels = _wanted(op, output_shape, y, kernel, last)
    groups = args.group_count(op, channels, kernel.shape, "output_shape")
    if y.shape[-1] != kernel.shape[-1]:
        raise ValueError(
            f"{op}: {image} has {y.shape[-1]} channels but filters {kernel.shape} come from "
            f"{kernel.shape[-1]}; filters.shape[{rank + 1}] must equal the channels"
        )
    _legal(op, size, y.shape[1:-1], kernel.shape[:rank], stride, pads, dilation)
    depth, plane = planes(size, kernel.shape[:rank], stride, pads, dilation, groups)
    return args.moved_back(ops.conv_transpose(y, kernel, depth=depth, plane=plane), last)


def listed(op: str, output_shape: Any) -> list[Any]:
    """`output_shape` as a list of whatever it holds."""
    if isinstance(output_shape, ArrayLike):
        if output_shape.dtype != np.int32:
            raise TypeError(
                f"{op}: output_shape must be an int32 tensor or a list, got a "
                f"{output_shape.dtype.name} tensor"
            )
        output_shape = output_shape.numpy()
    if isinstance(output_shape, np.ndarray) and output_shape.ndim == 1:
        output_shape = list(output_shape)
    if not isinstance(output_shape, list | tuple):
        raise TypeError(f"{op}: output_shape must be a list of integers, got {output_shape!r}")
    return list(output_shape)


def _wanted(
    op: str, output_shape: Any, y: Tensor, kernel: Tensor, last: bool
) -> tuple[tuple[int, ...], int]:
    """(spatial sizes, channels) that `output_shape` asks for."""
    rank = y.ndim - 2
    shape = [args.integer(op, "output_shape", n, 0) for n in listed(op, output_shape)]
    if len(shape) == rank:
        return tuple(shape), kernel.shape[-2]
    if len(shape) != rank + 2:
        raise ValueError(
            f"{op}: output_shape must have {rank + 2} entries (or {rank}, the spatial ones), "
            f"got {tuple(shape)}"
        )
    if shape[0] != y.shape[0]:
        raise ValueError(
            f"{op}: output_shape {tuple(shape)} asks for a batch of {shape[0]} but the input "
            f"holds {y.shape[0]}; they must be equal"
        )
    return (tuple(shape[1:-1]), shape[-1]) if last else (tuple(shape[2:]), shape[1])


def _legal(
    op: str,
    size: tuple[int, ...],
    places: tuple[int, ...],
    taps: tuple[int, ...],
    stride: tuple[int, ...],
    pads: args.Padding,
    dilation: tuple[int, ...],
) -> None:
    """Refuses a size whose convolution would not have `places` outputs."""
    for axis, asked in enumerate(size):
        pad = pads if isinstance(pads, str) else pads[axis]
        legal = transposed_sizes(places[axis], taps[axis], stride[axis], dilation[axis], pad)
        if asked not in legal:
            raise ValueError(
                f"{op}: output_shape asks for {asked} pixels along spatial axis {axis}, but with "
                f"{places[axis]} input pixels, {taps[axis]} taps, stride {stride[axis]}, dilation "
                f"{dilation[axis]} and padding {pad} the legal sizes are {list(legal)}"
            )
