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


def upsampling(library: Any, input: Any, size: Any = 2) -> Any:
    """Every pixel several times: (N, H, W, C) -> (N, H*s, W*s, C)."""
    sh, sw = args.spatial("upsampling", "size", size, 2, True)
    n, h, w, c = input.shape
    apart = library.reshape(input, [n, h, 1, w, 1, c])
    return library.reshape(
        library.broadcast_to(apart, [n, h, sh, w, sw, c]), [n, h * sh, w * sw, c]
    )


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
