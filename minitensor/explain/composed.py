"""Ops that a course names and tf.nn does not; `library` is ours or TensorFlow."""

from __future__ import annotations

from typing import Any

from minitensor.nn import arguments as args


def global_avg_pool(library: Any, input: Any, data_format: str | None = None) -> Any:
    """The mean over the spatial axes, which stay with size 1."""
    return library.reduce_mean(input, axis=_spatial_axes(input, data_format), keepdims=True)


def global_max_pool(library: Any, input: Any, data_format: str | None = None) -> Any:
    """The maximum over the spatial axes; equal maxima share the gradient."""
    return library.reduce_max(input, axis=_spatial_axes(input, data_format), keepdims=True)


def upsampling(library: Any, input: Any, size: Any = 2, interpolation: str = "nearest") -> Any:
    """Images so many times as large: every pixel repeated, or by tf.image.resize."""
    factors = args.spatial("upsampling", "size", size, len(input.shape) - 2, True)
    if interpolation != "nearest":
        sizes = [n * s for n, s in zip(input.shape[1:-1], factors, strict=True)]
        return library.image.resize(input, sizes, interpolation)
    for axis, factor in enumerate(factors, 1):
        input = library.repeat(input, factor, axis=axis)
    return input


def dense(library: Any, input: Any, kernel: Any) -> Any:
    """Rows times a matrix: (N, C) and (C, O) to (N, O)."""
    return library.matmul(input, kernel)


def causal_conv1d(
    library: Any, input: Any, filters: Any, stride: int = 1, dilations: int = 1
) -> Any:
    """A convolution that sees no later step: the zeros stand before the signal only."""
    pads = [[0, 0], [(filters.shape[0] - 1) * dilations, 0], [0, 0]]
    padded = library.pad(input, pads)
    return library.nn.conv1d(padded, filters, stride, "VALID", dilations=dilations)


def extract_patches(
    library: Any, images: Any, sizes: Any, strides: Any = 1, rates: Any = 1, padding: Any = "VALID"
) -> Any:
    """tf.image.extract_patches, whose settings may be numbers: (N, h, w, kh*kw*C)."""
    words = {"sizes": sizes, "strides": strides, "rates": rates}
    pairs = (args.spatial("im2col", name, value, 2, True) for name, value in words.items())
    return library.image.extract_patches(images, *([1, *pair, 1] for pair in pairs), padding)


def _spatial_axes(input: Any, data_format: str | None) -> list[int]:
    rank = len(input.shape) - 2
    last = args.channels_last("global pool", data_format, rank)
    return list(range(1, rank + 1) if last else range(2, rank + 2))
