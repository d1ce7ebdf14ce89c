"""Random window geometries for the conv and pool families: sizes, kernels, strides, pads.

Small on purpose (images of 1 ... 9 pixels a side, at most LIMIT numbers), unequal in height and
width, strides beyond the kernel included: that is where size rules break.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

LIMIT = 48  # pixels in an image


@dataclass(frozen=True)
class Geometry:
    """One window over one image; every tuple has one entry per spatial axis."""

    size: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: Any  # "SAME", "VALID" or pairs

    @property
    def pads(self) -> list[tuple[int, int]]:
        """Pixels of padding (before, after) along each axis."""
        if not isinstance(self.padding, str):
            return list(self.padding)
        if self.padding == "VALID":
            return [(0, 0)] * len(self.size)
        axes = zip(self.size, self.kernel, self.stride, self.dilation, strict=True)
        totals = [max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0) for n, k, s, d in axes]
        return [(total // 2, total - total // 2) for total in totals]

    @property
    def out(self) -> tuple[int, ...]:
        """The output size along every axis; zero where the window does not fit."""
        axes = zip(self.size, self.pads, self.kernel, self.stride, self.dilation, strict=True)
        return tuple(max((n + sum(p) - (k - 1) * d - 1) // s + 1, 0) for n, p, k, s, d in axes)

    @property
    def covered(self) -> bool:
        """Whether every window holds a pixel: the maximum of padding alone has no meaning."""
        axes = zip(self.size, self.pads, self.out, self.kernel, strict=True)
        return all(
            any(0 <= i * s - pads[0] + tap * d < n for tap in range(k))
            for (n, pads, out, k), s, d in zip(axes, self.stride, self.dilation, strict=True)
            for i in range(out)
        )

    def explicit(self, channels_first: bool = False) -> Any:
        """The padding as tf wants it: a word, or pairs for batch and channels too."""
        if isinstance(self.padding, str):
            return self.padding
        pairs, none = [list(pair) for pair in self.padding], [0, 0]
        return [none, none, *pairs] if channels_first else [none, *pairs, none]


def geometries(
    random: np.random.RandomState,
    rank: int,
    count: int,
    pads: str = "SAME VALID explicit",
    strides: int = 4,
    dilations: int = 3,
    equal: bool = False,
) -> Iterator[Geometry]:
    """`count` legal geometries of `rank` spatial axes with at least one output pixel.

    Args:
        random: the source of all numbers.
        rank: spatial axes.
        count: how many.
        pads: which paddings the op takes; explicit ones stay below the kernel's extent.
        strides: the largest stride.
        dilations: the largest dilation.
        equal: the same stride along every axis.
    """
    words = pads.split()
    while count:
        stride, dilation = (_sizes(random, rank, top) for top in (strides, dilations))
        if equal:
            stride = stride[:1] * rank
        size, kernel = _sizes(random, rank, 9), _sizes(random, rank, 4)
        padding: Any = words[random.randint(len(words))]
        if padding == "explicit":
            padding = tuple(
                (int(random.randint(min(k, 3))), int(random.randint(min(k, 3)))) for k in kernel
            )
        found = Geometry(size, kernel, stride, dilation, padding)
        if np.prod(size) <= LIMIT and min(found.out) > 0:
            count -= 1
            yield found


def _sizes(random: np.random.RandomState, rank: int, top: int) -> tuple[int, ...]:
    """One number in 1 ... top per axis."""
    return tuple(int(n) for n in random.randint(1, top + 1, rank))
