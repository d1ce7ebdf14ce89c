"""Images: colours, sizes, patches, transforms, filters, in batches (N, H, W, C) or alone (H, W, C).

Of all: `data_format` None is `keras.config.image_data_format()`.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from minitensor import image as tf_image
from minitensor.array import reshape, stack
from minitensor.autograd import Tensor, as_tensor
from minitensor.autograd.tensor import is_float
from minitensor.keras import random
from minitensor.keras.engine import defaults
from minitensor.keras.ops import nn
from minitensor.keras.ops.numpy.shapes import moveaxis, pad
from minitensor.keras.ops.projection import affine
from minitensor.keras.ops.promotion import cast, floating, together
from minitensor.keras.ops.table import Operand, operation
from minitensor.linalg import tensordot
from minitensor.ops import array as moves
from minitensor.ops import math, reduce

__all__ = [
    "affine_transform", "crop_images", "elastic_transform", "extract_patches",
    "extract_patches_3d", "gaussian_blur", "hsv_to_rgb", "map_coordinates", "pad_images",
    "perspective_transform", "resize", "rgb_to_grayscale", "rgb_to_hsv", "scale_and_translate",
    "sobel_edges", "ssim",
]  # fmt: skip


def _last(function: Callable[[Tensor], Tensor], images: Any, data_format: Any) -> Tensor:
    """A function of a batch, channels last, for what the user has."""
    x = as_tensor(images)
    if x.ndim not in (3, 4):
        raise ValueError(f"Invalid images rank: expected 3 or 4 axes. Received: {x.shape!s}")
    first = defaults.layout(data_format) == "channels_first"
    batch = x if x.ndim == 4 else reshape(x, [1, *x.shape])
    y = function(moveaxis(batch, 1, 3) if first else batch)
    y = moveaxis(y, 3, 1) if first else y
    return y if x.ndim == 4 else reshape(y, y.shape[1:])


@operation
def rgb_to_grayscale(images: Operand, data_format: str | None = None) -> Tensor:
    """0.2989 R + 0.587 G + 0.114 B. Source: keras.ops.image.rgb_to_grayscale"""

    def gray(x: Tensor) -> Tensor:
        if x.shape[-1] == 1:
            return x
        y = floating(x)
        weights = as_tensor(np.asarray([0.2989, 0.5870, 0.1140], y.dtype), like=y)
        return cast(reshape(tensordot(y, weights, 1), [*y.shape[:-1], 1]), x.dtype)

    return _last(gray, images, data_format)


@operation
def rgb_to_hsv(images: Operand, data_format: str | None = None) -> Tensor:
    """Hue, saturation and value. Source: keras.ops.image.rgb_to_hsv"""
    return _last(tf_image.rgb_to_hsv, images, data_format)


@operation
def hsv_to_rgb(images: Operand, data_format: str | None = None) -> Tensor:
    """Red, green and blue. Source: keras.ops.image.hsv_to_rgb"""
    return _last(tf_image.hsv_to_rgb, images, data_format)


@operation
def sobel_edges(images: Operand, data_format: str | None = None) -> Tensor:
    """The slopes down and to the right, in a new last axis. Source: keras.ops.image.sobel_edges"""
    return _last(tf_image.sobel_edges, images, data_format)


# ----- sizes -----


@operation
def resize(
    images: Operand,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images of another size. Source: keras.ops.image.resize"""
    if fill_mode != "constant":
        raise ValueError(f"Invalid fill_mode: only 'constant' is there. Received: {fill_mode}")
    if pad_to_aspect_ratio and crop_to_aspect_ratio:
        raise ValueError(
            "Only one of `pad_to_aspect_ratio` & `crop_to_aspect_ratio` can be `True`."
        )

    def resized(x: Tensor) -> Tensor:
        given = x.dtype
        if crop_to_aspect_ratio:
            x = _cropped(x, size)
        elif pad_to_aspect_ratio:
            x = _padded(x, size, fill_value)
        y = tf_image.resize(x, list(size), interpolation, antialias=antialias)
        return _back(y, given)

    return _last(resized, images, data_format)


def _back(y: Tensor, dtype: Any) -> Tensor:
    """In the type of the image; integers are rounded, and stay within what they hold."""
    if is_float(dtype) or y.dtype == dtype:
        return cast(y, dtype)
    limits = np.iinfo(dtype)
    y = math.round(y)
    return cast(math.minimum(math.maximum(y, float(limits.min)), float(limits.max)), dtype)


def _fitted(x: Tensor, size: Any) -> tuple[int, int]:
    """The height for this width, and the width for this height, in the ratio of `size`."""
    height, width = x.shape[1:3]
    return (
        int(np.float32(width * size[0]) / np.float32(size[1])),
        int(np.float32(height * size[1]) / np.float32(size[0])),
    )


def _cropped(x: Tensor, size: Any) -> Tensor:
    height, width = x.shape[1:3]
    tall, wide = _fitted(x, size)
    h, w = max(min(height, tall), 1), max(min(width, wide), 1)
    top, left = (height - h) // 2, (width - w) // 2
    return x[:, top : top + h, left : left + w]


def _padded(x: Tensor, size: Any, value: float) -> Tensor:
    height, width = x.shape[1:3]
    tall, wide = _fitted(x, size)
    top, left = ((max(height, tall) - height) // 2, (max(width, wide) - width) // 2)
    return pad(x, [[0, 0], [top, top], [left, left], [0, 0]], "constant", value)


@operation
def pad_images(
    images: Operand,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """0 around images, two of three numbers each way. Source: keras.ops.image.pad_images"""

    def padded(x: Tensor) -> Tensor:
        sides = (
            _sides("padding", top_padding, bottom_padding, target_height, x.shape[1], 1),
            _sides("padding", left_padding, right_padding, target_width, x.shape[2], 1),
        )
        return pad(x, [[0, 0], *sides, [0, 0]])

    return _last(padded, images, data_format)


@operation
def crop_images(
    images: Operand,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """A part of images, two of three numbers each way. Source: keras.ops.image.crop_images"""

    def cropped(x: Tensor) -> Tensor:
        height, width = x.shape[1:3]
        top, bottom = _sides("cropping", top_cropping, bottom_cropping, target_height, height, -1)
        left, right = _sides("cropping", left_cropping, right_cropping, target_width, width, -1)
        return x[:, top : height - bottom, left : width - right]

    return _last(cropped, images, data_format)


def _sides(what: str, before: Any, after: Any, target: Any, size: int, sign: int) -> list[int]:
    """What comes on, or goes off, before and after an axis."""
    if (before is None) + (after is None) + (target is None) != 1:
        raise ValueError(f"Must specify exactly two of the {what} before, after, and the target.")
    if target is None:
        sides = [before, after]
    elif before is None:
        sides = [sign * (target - size) - after, after]
    else:
        sides = [before, sign * (target - size) - before]
    if min(sides) < 0 or (sign < 0 and sum(sides) > size):
        raise ValueError(f"{what} must be >= 0 and within the image. Received: {sides} of {size}")
    return sides


# ----- patches -----


@operation
def extract_patches(
    images: Operand,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Each window as the channels of a pixel. Source: keras.ops.image.extract_patches"""
    rank = 2 if isinstance(size, int) else len(size)
    return _patches(images, size, strides, dilation_rate, padding, data_format, rank)


def extract_patches_3d(
    volumes: Operand,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Each window as the channels of a voxel. Source: keras.ops.image.extract_patches_3d"""
    size = [size] * 3 if isinstance(size, int) else size
    return extract_patches(volumes, size, strides, dilation_rate, padding, data_format)


def _patches(
    images: Any, size: Any, strides: Any, rate: Any, padding: str, data_format: Any, rank: int
) -> Tensor:
    """A convolution whose filters each pick one number."""
    x = as_tensor(images)
    window = [size] * rank if isinstance(size, int) else list(size)
    if len(window) != rank or rank not in (2, 3):
        raise TypeError(f"Invalid `size` argument. Expected 2 or 3 numbers. Received: size={size}")
    batch = x if x.ndim == rank + 2 else reshape(x, [1, *x.shape])
    channels = batch.shape[-1 if defaults.layout(data_format) == "channels_last" else 1]
    count = int(np.prod(window)) * channels
    picked = as_tensor(np.eye(count).astype(x.dtype), like=x)
    kernel = reshape(picked, [*window, channels, count])
    y = nn.conv(batch, kernel, strides or window, padding, data_format, rate)
    return y if x.ndim == rank + 2 else reshape(y, y.shape[1:])


# ----- transforms -----


@operation
def affine_transform(
    images: Operand,
    transform: Operand,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: Any = 0,
    data_format: str | None = None,
) -> Tensor:
    """Pixel (x, y) is taken from (a0 x + a1 y + a2, b0 x + b1 y + b2) / (c0 x + c1 y + 1).

    Source: keras.ops.image.affine_transform
    """
    maps = np.asarray(as_tensor(transform), np.float32).reshape(-1, 8)
    return _projected(images, maps, interpolation, fill_mode, fill_value, data_format)


def _projected(
    images: Any, maps: np.ndarray, interpolation: str, mode: str, value: Any, layout: Any
) -> Tensor:
    def moved(x: Tensor) -> Tensor:
        each = np.broadcast_to(maps, (x.shape[0], 8))
        y = affine(floating(x), each, interpolation, mode, float(value))
        return _back(y, x.dtype)

    return _last(moved, images, layout)


@operation
def perspective_transform(
    images: Operand,
    start_points: Operand,
    end_points: Operand,
    interpolation: str = "bilinear",
    fill_value: Any = 0,
    data_format: str | None = None,
) -> Tensor:
    """Four corners moved to four points. Source: keras.ops.image.perspective_transform"""
    start, end = (
        np.asarray(as_tensor(p), np.float32).reshape(-1, 4, 2) for p in (start_points, end_points)
    )
    one, zero = np.ones_like(end[..., 0]), np.zeros_like(end[..., 0])
    (x, y), (u, v) = (np.moveaxis(p, -1, 0) for p in (end, start))
    rows = np.stack(
        [
            np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1),
            np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1),
        ],
        2,
    ).reshape(-1, 8, 8)  # (N, 8 equations, 8 unknowns)
    maps = np.linalg.solve(rows, start.reshape(-1, 8, 1))[..., 0]
    return _projected(images, maps, interpolation, "constant", fill_value, data_format)


_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


@operation
def map_coordinates(
    inputs: Operand,
    coordinates: Operand,
    order: int,
    fill_mode: str = "constant",
    fill_value: Any = 0,
) -> Tensor:
    """What is at places between the elements. Source: keras.ops.image.map_coordinates"""
    x = as_tensor(inputs)
    places = as_tensor(coordinates, like=x)
    if places.ndim < 2 or places.shape[0] != x.ndim:
        raise ValueError(f"coordinates {places.shape!s} must begin with the rank of {x.shape!s}")
    if fill_mode not in _FILL_MODES:
        raise ValueError(f"Invalid fill_mode: {fill_mode}. Expected one of {_FILL_MODES}")
    if order not in (0, 1):
        raise ValueError(f"map_coordinates: order {order}; legal: 0 and 1")
    places = floating(places)
    around = [_neighbours(places[k], order) for k in range(x.ndim)]
    total = []
    for corner in itertools.product(*around):
        at, shares = zip(*corner, strict=True)
        found = [_inside(k, n, fill_mode) for k, n in zip(at, x.shape, strict=True)]
        value = cast(moves.getitem(x, index=tuple(k for k, _ in found)), places.dtype)
        there = functools.reduce(operator.and_, (ok for _, ok in found))
        if fill_mode == "constant":
            value = math.where(as_tensor(there, like=x), value, float(fill_value))
        total.append(functools.reduce(operator.mul, shares) * value)
    return _back(functools.reduce(operator.add, total), x.dtype)


def _neighbours(at: Tensor, order: int) -> list[tuple[np.ndarray, Tensor]]:
    """The elements around a place, and their shares."""
    if order == 0:
        return [(np.asarray(math.round(at)).astype(int), at * 0.0 + 1.0)]
    low = math.floor(at)
    k, share = np.asarray(low).astype(int), at - low
    return [(k, 1.0 - share), (k + 1, share)]


def _inside(at: np.ndarray, n: int, fill_mode: str) -> tuple[np.ndarray, np.ndarray]:
    """Which element a place outside means, and whether it is inside."""
    there = (at >= 0) & (at < n)
    if fill_mode == "wrap":
        return at % n, there
    if fill_mode in ("mirror", "reflect"):
        at = np.abs(at) % (2 * n)
        at = np.where(at < n, at, 2 * n - at - (fill_mode == "reflect"))
    return np.clip(at, 0, n - 1), there


@operation
def elastic_transform(
    images: Operand,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Pixels moved by smooth noise. Source: keras.ops.image.elastic_transform"""
    order = ("nearest", "bilinear").index(interpolation)
    taps = [6 * int(sigma) | 1] * 2

    def moved(x: Tensor) -> Tensor:
        n, height, width, channels = x.shape
        noise = random.normal([2 * n, height, width, 1], 0.0, sigma, "float32", seed)
        smooth = gaussian_blur(noise, taps, [sigma, sigma], "channels_last") * alpha
        away = reshape(smooth, [2, n, height, width])
        places = as_tensor(np.indices((height, width)).astype("float32"), like=x)
        planes = [
            map_coordinates(x[b, ..., c], away[:, b] + places, order, fill_mode, fill_value)
            for b in range(n)
            for c in range(channels)
        ]
        return moveaxis(reshape(stack(planes), [n, channels, height, width]), 1, -1)

    return _last(moved, images, data_format)


# ----- filters -----


@operation
def gaussian_blur(
    images: Operand,
    kernel_size: Any = (3, 3),
    sigma: Any = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Each pixel the mean of a bell around it. Source: keras.ops.image.gaussian_blur"""
    bells = []
    for size, width in zip(kernel_size, sigma, strict=True):
        at = np.arange(size) - (size - 1) / 2
        bell = np.exp(-0.5 * (at / width) ** 2)
        bells.append(bell / bell.sum())

    def blurred(x: Tensor) -> Tensor:
        kernel = np.outer(bells[1], bells[0]).reshape(*kernel_size, 1, 1).astype(x.dtype)
        kernel = np.repeat(kernel, x.shape[-1], axis=2)
        return nn.depthwise_conv(x, as_tensor(kernel, like=x), 1, "same", "channels_last")

    return _last(blurred, images, data_format)


@operation
def ssim(
    image1: Operand,
    image2: Operand,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """The structural similarity (Wang et al. 2004). Source: keras.ops.image.ssim"""
    first = defaults.layout(data_format) == "channels_first"
    a, b = together(image1, image2)
    given = a.dtype
    a, b = (floating(moveaxis(x, -3, -1) if first else x) for x in (a, b))
    y = tf_image.ssim(a, b, max_val, filter_size, filter_sigma, k1, k2)
    return cast(y, given)


# ----- scaled -----


def _cubic(x: Tensor) -> Tensor:
    near = ((1.5 * x - 2.5) * x) * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return math.where(x >= 2.0, 0.0, math.where(x >= 1.0, far, near))


def _lanczos(radius: float) -> Callable[[Tensor], Tensor]:
    def kernel(x: Tensor) -> Tensor:
        y = math.sin(x * np.pi) * math.sin(x * (np.pi / radius)) * radius
        safe = math.where(math.equal(x, 0.0), 1.0, math.square(x) * np.pi**2)
        return math.where(x > radius, 0.0, math.where(x > 1e-3, y / safe, 1.0))

    return kernel


def _triangle(x: Tensor) -> Tensor:
    return math.maximum(1.0 - math.absolute(x), 0.0)


_KERNELS: dict[str, Callable[[Tensor], Tensor]] = {
    **dict.fromkeys(("linear", "bilinear", "trilinear", "triangle"), _triangle),
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), _cubic),
    "lanczos3": _lanczos(3.0),
    "lanczos5": _lanczos(5.0),
}


@operation
def scale_and_translate(
    images: Operand,
    output_shape: Operand,
    scale: Operand,
    translation: Operand,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Pixels at scale x + translation. Source: keras.ops.image.scale_and_translate"""
    if method not in _KERNELS:
        raise ValueError(f"Invalid method: {method}. Expected one of {sorted(_KERNELS)}")
    x = as_tensor(images)
    given = (as_tensor(t, like=x) for t in (scale, translation))
    scales, moved = together(*given, also=(float,))
    y = x if is_float(x.dtype) else cast(x, "float32")
    for i, axis in enumerate(spatial_dims):
        d = axis % x.ndim
        weights = _weights(x.shape[d], output_shape[d], scales[i], moved[i], method, antialias)
        y = moveaxis(tensordot(y, cast(weights, y.dtype), [[d], [0]]), -1, d)
    if is_float(x.dtype):
        return y
    low, high = (cast(op(x), y.dtype) for op in (reduce.min, reduce.max))
    return cast(math.minimum(math.maximum(math.round(y), low), high), x.dtype)


def _weights(n: int, m: int, scale: Tensor, moved: Tensor, method: str, antialias: bool) -> Tensor:
    """(n, m): the share of each pixel that comes in, in each that goes out."""
    inverse = 1.0 / scale
    wide = math.maximum(inverse, 1.0) if antialias else 1.0
    at = as_tensor(np.arange(m).astype(scale.dtype) + scale.dtype.type(0.5), like=scale)
    at = at * inverse - moved * inverse - 0.5  # (m,)
    pixels = as_tensor(np.arange(n).astype(scale.dtype)[:, None], like=scale)
    weights = _KERNELS[method](math.absolute(reshape(at, [1, m]) - pixels) / wide)
    total = reduce.sum(weights, axis=0, keepdims=True)
    some = math.absolute(total) > 1000.0 * float(np.finfo(np.float32).eps)
    weights = math.where(some, weights / math.where(math.equal(total, 0.0), 1.0, total), 0.0)
    inside = (at >= -0.5) & (at <= n - 0.5)
    return math.where(inside, weights, 0.0)
