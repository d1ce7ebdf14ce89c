"""Where a kernel looks: the integers of every windowed op, and nothing else.

A window of `kernel` taps, `dilation` pixels apart, visits an image of `size` pixels every `stride`
pixels, after `pad` pixels were added on each side. All rules about sizes live here: SAME, VALID,
explicit pads, and the sizes a transposed convolution may produce. Nothing here sees an array.

Letters, everywhere in this project:
    N images, H W height and width, C channels in, O channels out, G groups,
    h w height and width of the output, kh kw height and width of the kernel.
Pairs are always (height, width).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import TypeAlias

Pair: TypeAlias = tuple[int, int]
MANY_TAPS = 64  # of a window that is laid along rows and then columns
Padding: TypeAlias = str | Sequence[Pair]  # "SAME", "VALID" or ((top, bottom), (left, right))


def extent(taps: int, dilation: int) -> int:
    """Pixels that `taps` taps span, `dilation` pixels apart: (taps - 1) * dilation + 1."""
    return (taps - 1) * dilation + 1


def output_size(size: int, taps: int, stride: int, dilation: int, pad: Pair) -> int:
    """How often a window fits: floor((size + before + after - extent) / stride) + 1, at least 0."""
    room = size + sum(pad) - extent(taps, dilation)
    return max(room // stride + 1, 0)


def same_pad(size: int, taps: int, stride: int, dilation: int) -> Pair:
    """TensorFlow's SAME: ceil(size / stride) outputs; an odd pixel of padding goes after."""
    out = -(-size // stride)
    total = max((out - 1) * stride + extent(taps, dilation) - size, 0)
    return total // 2, total - total // 2


@dataclass(frozen=True)
class Window:
    """One windowed op's geometry, in pixels; all backends and kernels read the same fields."""

    size: Pair  # (H, W) of the image, before padding
    kernel: Pair  # (kh, kw)
    stride: Pair
    dilation: Pair
    pad: tuple[Pair, Pair]  # ((top, bottom), (left, right))
    groups: int = 1

    @staticmethod
    def of(
        size: Sequence[int],
        kernel: Sequence[int],
        stride: Sequence[int] = (1, 1),
        padding: Padding = "VALID",
        dilation: Sequence[int] = (1, 1),
        groups: int = 1,
    ) -> Window:
        """The window that a padding word or explicit ((top, bottom), (left, right)) stands for."""
        if isinstance(padding, str):
            axes = zip(size, kernel, stride, dilation, strict=True)
            pads = [{"SAME": same_pad(*axis), "VALID": (0, 0)}[padding] for axis in axes]
        else:
            pads = [(int(before), int(after)) for before, after in padding]
        return Window(
            _pair(size), _pair(kernel), _pair(stride), _pair(dilation), (pads[0], pads[1]), groups
        )

    @cached_property
    def out(self) -> Pair:
        """(h, w): how many output positions there are."""
        h, w = (
            output_size(*axis)
            for axis in zip(
                self.size, self.kernel, self.stride, self.dilation, self.pad, strict=True
            )
        )
        return h, w

    @cached_property
    def taps(self) -> int:
        """kh * kw."""
        return self.kernel[0] * self.kernel[1]

    @property
    def padded(self) -> Pair:
        """(H, W) of the padded image."""
        return self.size[0] + sum(self.pad[0]), self.size[1] + sum(self.pad[1])

    @property
    def is_sparse(self) -> bool:
        """Whether its taps read less than the padded image holds: dilated far, or mostly pads."""
        return prod(self.padded) > prod(self.out) * self.taps

    def meet(self, axis: int, tap: int) -> tuple[slice, slice] | None:
        """Along one axis: the outputs whose tap lies on the image, and the pixels they read."""
        size, stride = self.size[axis], self.stride[axis]
        offset = tap * self.dilation[axis] - self.pad[axis][0]
        first = max(-(offset // stride), 0)  # smallest i with i * stride + offset >= 0
        end = min((size - 1 - offset) // stride + 1, self.out[axis])
        if first >= end:
            return None
        start = first * stride + offset
        return slice(first, end), slice(start, start + (end - first - 1) * stride + 1, stride)

    @cached_property
    def trimmed(self) -> Window:
        """The same window without taps at its ends that see only padding from every position.

        Its taps span at most twice what the image and the positions do, however large it was.
        """
        axes = [self._trimmed_axis(axis) for axis in (0, 1)]
        if self.kernel == (axes[0][0], axes[1][0]):
            return self
        kernel, stride, dilation, pad = zip(*axes, strict=True)
        return replace(self, kernel=kernel, stride=stride, dilation=dilation, pad=pad)

    def _trimmed_axis(self, axis: int) -> tuple[int, int, int, Pair]:
        """Taps, stride, dilation and pad; those between which nothing lies are 1."""
        size, out, taps = self.size[axis], self.out[axis], self.kernel[axis]
        stride, apart, pad = self.stride[axis], self.dilation[axis], self.pad[axis]
        span = (out - 1) * stride  # from the first position to the last
        first = max(-((span - pad[0]) // apart), 0)
        last = min((size - 1 + pad[0]) // apart, taps - 1)
        if out == 0 or last < first or (first, last) == (0, taps - 1):
            return taps, stride, apart, pad
        taps, before = last - first + 1, pad[0] - first * apart
        after = span + extent(taps, apart) - size - before
        return taps, stride if out > 1 else 1, apart if taps > 1 else 1, (before, after)

    @cached_property
    def passes(self) -> tuple[Window, ...]:
        """Windows to lay one after the other: the trimmed one, or its rows and then its columns.

        A maximum, and a mean of real pixels, are the same either way, and of equal values the
        first in row-major order is; kh + kw taps cost less than kh * kw where they are many.
        """
        whole = self.trimmed
        (kh, kw), (high, out) = whole.kernel, (whole.size[0], whole.out[0])
        if high * kw + out * kh >= out * kh * kw or whole.taps < MANY_TAPS:
            return (whole,)

        def along(axis: int, size: Pair) -> Window:
            """This axis' part of the window, over an image of `size`; one tap across."""
            kernel, stride, dilation = (
                _pair([values[axis] if k == axis else 1 for k in (0, 1)])
                for values in (whole.kernel, whole.stride, whole.dilation)
            )
            before, after = (whole.pad[axis] if k == axis else (0, 0) for k in (0, 1))
            return Window(size, kernel, stride, dilation, (before, after))

        return along(1, self.size), along(0, (high, self.out[1]))


def real_taps(size: int, taps: int, stride: int, dilation: int, pad: Pair) -> list[int]:
    """For each output position along one axis, how many taps lie on a real pixel."""
    starts = (i * stride - pad[0] for i in range(output_size(size, taps, stride, dilation, pad)))
    ends = ((min((size - 1 - s) // dilation, taps - 1), max(-(s // dilation), 0)) for s in starts)
    return [max(last - first + 1, 0) for last, first in ends]


def transposed_sizes(
    size: int, taps: int, stride: int, dilation: int, padding: str | Pair
) -> range:
    """All image sizes whose convolution has `size` outputs: the legal outputs of its transpose.

    SAME: (size - 1) * stride + 1 ... size * stride. VALID and explicit pads: `stride` sizes from
    (size - 1) * stride + extent - before - after on. Which pixels are cropped follows from the
    chosen size, because padding is computed for it as if it were the input.
    """
    if padding == "SAME":
        return range(max((size - 1) * stride + 1, 0), size * stride + 1)
    pads = (0, 0) if padding == "VALID" else padding
    smallest = (size - 1) * stride + extent(taps, dilation) - int(pads[0]) - int(pads[1])
    return range(max(smallest, 0) if size else 0, max(smallest + stride, 0))


def planes(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Padding,
    dilation: Sequence[int],
    groups: int = 1,
) -> tuple[Window | None, Window]:
    """A window over 1, 2 or 3 spatial axes as (window over depth or None, window over a plane).

    One axis is a plane of height 1. Three axes are a plane, visited once for each tap of a
    window over depth: that window sees images of (depth, 1) pixels.
    """
    if len(size) == 2:
        return None, Window.of(size, kernel, stride, padding, dilation, groups)
    pads = padding if isinstance(padding, str) else [*padding, (0, 0)]

    def window(*axes: int) -> Window:
        """Of two axes; -1 is one that is not there, of size 1."""
        n, k, s, d = [[(*f, 1)[i] for i in axes] for f in (size, kernel, stride, dilation)]
        return Window.of(
            n, k, s, pads if isinstance(pads, str) else [pads[i] for i in axes], d, groups
        )

    return (None, window(-1, 0)) if len(size) == 1 else (window(0, -1), window(1, 2))


def _pair(values: Sequence[int]) -> Pair:
    height, width = values
    return int(height), int(width)
