"""im2col and col2im: every patch as one row of a matrix, and the sum that undoes it.

Both rest on `patches`, a view of the padded image in which neighbouring patches share memory:
copying it out is im2col, adding into it is col2im. Where taps lie so far apart that most of that
image would be read by none, they go tap by tap instead, and nothing is padded. The convolutions
do so block by block with `gather` and `scatter`; `im2col` and `col2im` return the whole matrix,
kh * kw times the image, and are `tf.image.extract_patches` and its gradient.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minitensor.backend.half import in_float32
from minitensor.backend.numpy.direct import taps
from minitensor.window import Pair, Window, extent


def im2col(x: np.ndarray, window: Window) -> np.ndarray:
    """Each window's patch as a row: columns[n, i, j, (u, v, c)] = x[n, i*s + u*d - p, ..., c].

    (N, H, W, C) -> (N, h, w, kh*kw*C), zero where a tap lies on padding; groups are ignored

    Example:
        >>> import numpy as np
        >>> from minitensor.backend import numpy as be
        >>> from minitensor.window import Window
        >>> be.im2col(np.arange(4.0).reshape(1, 2, 2, 1), Window.of((2, 2), (2, 1))).tolist()
        [[[[0.0, 2.0], [1.0, 3.0]]]]
    """
    n, _, _, c = x.shape
    shape = (n, *window.out, window.taps * c)
    columns = gather(x, replace(window, groups=1), np.empty(prod(shape), x.dtype))
    return columns.reshape(shape)  # (N, h, w, kh*kw*C)


@in_float32
def col2im(columns: np.ndarray, window: Window) -> np.ndarray:
    """The adjoint of `im2col`: each pixel is the sum of all column entries that read it."""
    n, _, _, width = columns.shape
    x = np.zeros((n, *window.size, width // window.taps), columns.dtype)
    scatter(columns, x, replace(window, groups=1))
    return x


def gather(x: np.ndarray, window: Window, memory: np.ndarray) -> np.ndarray:
    """The columns (G, N*h*w, kh*kw*C/G) of x, in the first part of flat `memory`."""
    n, (h, w), g = len(x), window.out, window.groups
    patch = (*window.kernel, x.shape[-1] // g)
    columns = memory[: g * n * h * w * prod(patch)].reshape(g, n, h, w, *patch)
    if window.is_sparse:
        columns[:] = 0
        for tap in taps(window):
            columns[:, :, *tap.outputs, *tap.at] = _in_groups(x, g)[:, :, *tap.pixels]
    else:
        np.copyto(columns, patches(padded(x, window), window))
    return columns.reshape(g, n * h * w, prod(patch))  # (G, N*h*w, kh*kw*C/G)


def scatter(columns: np.ndarray, x: np.ndarray, window: Window) -> None:
    """Add columns (G, N*h*w, kh*kw*C/G) to the pixels of x that they were read from."""
    g = window.groups
    columns = columns.reshape(g, len(x), *window.out, *window.kernel, x.shape[-1] // g)
    if window.is_sparse:
        for tap in taps(window):
            _in_groups(x, g)[:, :, *tap.pixels] += columns[:, :, *tap.outputs, *tap.at]
        return
    image = np.zeros((len(x), *window.padded, x.shape[-1]), x.dtype)
    view = patches(image, window)
    apart = -(-extent(window.kernel[1], window.dilation[1]) // window.stride[1])
    for u in range(window.kernel[0]):
        for first in range(min(apart, window.out[1])):  # windows this far apart share no pixel
            some = np.s_[:, :, :, first::apart, u]
            view[some] += columns[some]
    inside, real = _overlap(window)
    x[:, *real] += image[:, *inside]


def patches(image: np.ndarray, window: Window) -> np.ndarray:
    """All patches of a padded image as one overlapping view, (G, N, h, w, kh, kw, C/G)."""
    assert image.shape[1:3] == window.padded  # or the view would reach beyond its memory
    (n, _, _, c), g = image.shape, window.groups
    along_n, along_h, along_w, along_c = image.strides
    (sh, sw), (dh, dw) = window.stride, window.dilation
    return as_strided(
        image,
        (g, n, *window.out, *window.kernel, c // g),
        (
            *(along_c * (c // g), along_n, along_h * sh, along_w * sw),
            *(along_h * dh, along_w * dw, along_c),
        ),
    )


def _in_groups(x: np.ndarray, groups: int) -> np.ndarray:
    """A view of (N, H, W, C) as (G, N, H, W, C/G)."""
    split = x.reshape(*x.shape[:3], groups, x.shape[-1] // groups)
    return np.moveaxis(split, 3, 0)


def padded(x: np.ndarray, window: Window) -> np.ndarray:
    """x with zeros added where a pad is positive, and cut where it is negative."""
    if window.pad == ((0, 0), (0, 0)):
        return x
    inside, real = _overlap(window)
    if max(map(max, window.pad)) <= 0:
        return x[:, *real]
    image = np.zeros((len(x), *window.padded, x.shape[-1]), x.dtype)
    image[:, *inside] = x[:, *real]
    return image


def _overlap(window: Window) -> tuple[list[slice], list[slice]]:
    """Where the padded image holds pixels, and which pixels those are; one slice per axis."""
    pairs = [_meet(size, pad) for size, pad in zip(window.size, window.pad, strict=True)]
    return [inside for inside, _ in pairs], [real for _, real in pairs]


def _meet(size: int, pad: Pair) -> tuple[slice, slice]:
    """The same along one axis."""
    before, after = pad
    start = max(-before, 0)
    length = max(size - start - max(-after, 0), 0)
    return slice(before + start, before + start + length), slice(start, start + length)
